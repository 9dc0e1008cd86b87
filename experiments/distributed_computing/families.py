"""(b) Four families of circuits on 2 to 8 processors: pairs used, and fidelity and time against those of the pairs."""

import time
from typing import Any, NamedTuple

from programs import build

from qtn.dqc import distribute, processor, run, steady_pairs
from qtn.hardware.gates import gates
from qtn.hardware.memory import dephasing_memory
from qtn.states.pair import from_fidelity

T2_S = 10.0
GATES = {"two_qubit": 0.999, "readout": 0.999, "two_qubit_time": 1e-4}
BASE = (100.0, 0.99)
BY_RATE = tuple((rate, 0.99) for rate in (1.0, 10.0, 100.0, 1000.0))
BY_FIDELITY = tuple((100.0, fidelity) for fidelity in (0.95, 0.97, 0.99, 0.999))
BOTH = tuple(dict.fromkeys(BY_RATE + BY_FIDELITY))
FEW = (BASE, (1000.0, 0.99), (1000.0, 0.999))


class Case(NamedTuple):
    """A circuit on processors of eight qubits each, and where it is run."""

    family: str
    num_qubits: int
    points: tuple[tuple[float, float], ...]
    """(rate [Hz], fidelity) of the pairs; none where the mixed state does not fit: see `wide`."""
    waits: str = "independent"
    num_nodes: int | None = None
    bond: int = 16


CASES = (
    *(Case("GHZ", n, BOTH, "bond") for n in (16, 32, 64)),
    Case("QAOA", 16, BOTH, "batch", 4),
    Case("QAOA", 32, FEW),
    Case("QAOA", 64, (BASE,)),
    Case("adder", 16, FEW, bond=32),
    Case("adder", 32, FEW),
    Case("adder", 64, ()),
    Case("QFT", 16, (BASE,), bond=32),
    Case("QFT", 32, ()),
    Case("QFT", 64, ()),
)


def rows() -> list[dict[str, Any]]:
    """Return one row a case."""
    return [_row(case) for case in CASES]


def _row(case: Case) -> dict[str, Any]:
    built = build(case.family, case.num_qubits)
    qpus = [8] * (case.num_qubits // 8)
    ways = {how: distribute(built, qpus, sharing=how) for how in ("in_order", "fewest")}
    split = ways["in_order"]
    start = time.perf_counter()
    points = [_point(split, case, *point) for point in case.points]
    return {
        "family": case.family,
        "num_qubits": case.num_qubits,
        "num_qpus": len(qpus),
        "pairs": split.num_pairs,
        "pairs_fewest": ways["fewest"].num_pairs,
        "pairs_unshared": split.num_pairs_unshared,
        "pairs_cut": distribute(built, qpus, "cut").num_pairs,
        "layers": len(split.layers),
        "copies": len(split.copies),
        "waits": case.waits,
        "bond": case.bond,
        "points": points,
        "seconds": time.perf_counter() - start,
    }


def _point(split: Any, case: Case, rate: float, fidelity: float) -> dict[str, float]:
    """Return fidelity and time of a run."""
    site = processor(dephasing_memory(T2_S), gates(**GATES))
    pairs, how = steady_pairs(from_fidelity(fidelity), rate), {"waits": case.waits, "num_nodes": case.num_nodes}
    found = run(split, pairs, site, max_bond=case.bond, **how)
    return {
        "rate_hz": rate,
        "pair_fidelity": fidelity,
        "fidelity": float(found.fidelity),
        "time_s": float(found.mean_time),
        "wait_error": float(found.wait_error),
        "kept": float(found.info.fidelity_estimate),
        "trace_drift": float(found.info.trace_drift),
    }
