"""(b) Circuits whose mixed states no train holds: trajectories that draw their waits too, the same for all qubits."""

import time
from typing import Any, NamedTuple

import jax
from families import BASE, GATES, T2_S
from programs import build

from qtn.dqc import distribute, processor, sampled_run, steady_pairs
from qtn.hardware.gates import gates
from qtn.hardware.memory import dephasing_memory
from qtn.states.pair import from_fidelity

BOND = 8


class Case(NamedTuple):
    """A circuit on processors of eight qubits each, and how much of it is drawn."""

    family: str
    num_qubits: int
    num_waits: int
    num_trajectories: int


CASES = (
    Case("adder", 16, 16, 32),
    Case("QAOA", 32, 16, 32),
    Case("adder", 32, 16, 32),
    Case("QFT", 16, 16, 32),
    Case("adder", 64, 16, 32),
    Case("QFT", 32, 16, 24),
    Case("QFT", 64, 4, 8),
)


def rows() -> list[dict[str, Any]]:
    """Return one row a case, at 100 pairs a second of fidelity 0.99."""
    return [_row(case) for case in CASES]


def _row(case: Case) -> dict[str, Any]:
    split = distribute(build(case.family, case.num_qubits), [8] * (case.num_qubits // 8))
    site, (rate, fidelity) = processor(dephasing_memory(T2_S), gates(**GATES)), BASE
    drawn: dict[str, Any] = {"num_waits": case.num_waits, "num_trajectories": case.num_trajectories, "max_bond": BOND}
    start = time.perf_counter()
    found = sampled_run(split, steady_pairs(from_fidelity(fidelity), rate), site, **drawn, key=jax.random.key(0))
    return {
        "family": case.family,
        "num_qubits": case.num_qubits,
        "num_qpus": len(split.qpus),
        "pairs": split.num_pairs,
        "fidelity": float(found.fidelity),
        "standard_error": float(found.fidelity_error),
        "kept_at_worst": float(found.worst_fidelity_estimate),
        "seconds": time.perf_counter() - start,
        **drawn,
    }
