"""(c) How often to purify: for the pair, or for the circuit."""

from typing import Any

import numpy as np
from programs import build

from qtn import abstract_link, chain, elementary, evaluate, pump
from qtn.dqc import distribute, pairs_of, processor, run
from qtn.evaluators.renewal import Renewal
from qtn.hardware.gates import gates
from qtn.hardware.memory import dephasing_memory
from qtn.hardware.node import node
from qtn.steps.distill import DEJMPS

MOST_ROUNDS = 5
FAMILY, NUM_QUBITS, QPUS = "GHZ", 16, [4, 4, 4, 4]
T2_S = (0.5, 2.0, 8.0, 32.0)
"""Coherence times of all qubits [s]."""
STEP_S, NUM_STEPS = 2e-3, 4096
LINK = {"p_success": 0.1, "attempt_time": STEP_S, "fidelity": 0.9}
GATES = {"two_qubit": 0.998, "readout": 0.998}


def rows() -> list[dict[str, Any]]:
    """Return pair and circuit for each coherence time and number of rounds."""
    split = distribute(build(FAMILY, NUM_QUBITS), qpus=QPUS)
    return [_row(split, t2, rounds) for t2 in T2_S for rounds in range(MOST_ROUNDS + 1)]


def _row(split: Any, t2: float, rounds: int) -> dict[str, Any]:
    memory, gate_set = dephasing_memory(t2), gates(**GATES)
    line = chain(abstract_link(**LINK), num_links=1, nodes=node(memory, gate_set))
    schedule = pump(elementary(0), rounds=rounds, protocol=DEJMPS) if rounds else elementary(0)
    result = evaluate(line, schedule, evaluator=Renewal(step=STEP_S, num_steps=NUM_STEPS))
    found = run(split, pairs_of(result, line), processor(memory, gate_set), max_bond=32)
    return {
        "t2_s": t2,
        "rounds": rounds,
        "pair_fidelity": float(result.bell_diagonal[0]),
        "pair_time_s": float(result.mean_time),
        "circuit_fidelity": float(found.fidelity),
        "circuit_time_s": float(found.mean_time),
        "wait_error": float(found.wait_error),
        "tail_mass": float(result.info.tail_mass),
    }


def best(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for each coherence time the rounds that are best for the pair, and for the circuit."""
    answers = []
    for t2 in T2_S:
        own = [row for row in found if row["t2_s"] == t2]
        pair, whole = (max(own, key=lambda row, key=key: row[key]) for key in ("pair_fidelity", "circuit_fidelity"))
        answers.append(
            {
                "t2_s": t2,
                "rounds_for_the_pair": pair["rounds"],
                "rounds_for_the_circuit": whole["rounds"],
                "circuit_fidelity": whole["circuit_fidelity"],
                "circuit_fidelity_with_the_best_pair": pair["circuit_fidelity"],
                "circuit_fidelity_without": own[0]["circuit_fidelity"],
            }
        )
    return answers


def summary() -> dict[str, Any]:
    """Return rows and answers."""
    found = rows()
    gained = [answer["circuit_fidelity"] - answer["circuit_fidelity_with_the_best_pair"] for answer in best(found)]
    return {"rows": found, "best": best(found), "largest_gain_over_the_best_pair": float(np.max(gained))}
