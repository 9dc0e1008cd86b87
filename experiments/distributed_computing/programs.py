"""The circuits of this experiment: those of public_circuits, and Grover's search on two qubits."""

import sys
from pathlib import Path

import numpy as np

from qtn.circuits import circuit, gate
from qtn.circuits.circuit import Circuit
from qtn.circuits.qasm import load_qasm

sys.path.append(str(Path(__file__).parents[1] / "public_circuits"))

import generate

ANGLES = {"gamma0": 0.6, "beta0": 0.4}


def build(family: str, num_qubits: int) -> Circuit:
    """Return a circuit of a family, its final measurements left out."""
    text = {
        "GHZ": lambda: generate.ghz(num_qubits),
        "QAOA": lambda: generate.qaoa_ring(num_qubits, 1),
        "adder": lambda: generate.adder(num_qubits // 2 - 1),
        "QFT": lambda: generate.qft(num_qubits),
    }[family]()
    return load_qasm(text, ANGLES if family == "QAOA" else None).circuit


def grover(marked: int) -> Circuit:
    """Return Grover's search for one of four entries: one query and one diffusion, a CZ each (exact)."""
    flips = [k for k in (0, 1) if not marked >> (1 - k) & 1]
    query = [gate("X", flips)] if flips else []
    both = [0, 1]
    diffusion = [gate("H", both), gate("X", both), gate("CZ", (0, 1)), gate("X", both), gate("H", both)]
    return circuit(2, [gate("H", both), *query, gate("CZ", (0, 1)), *query, *diffusion])


def success(marked: int, z0: float, z1: float, zz: float) -> float:
    """Return the probability to read the marked entry from expectation values of Z on both qubits."""
    s0, s1 = (np.array([1, -1])[[marked >> 1 & 1, marked & 1]]).tolist()
    return (1 + s0 * z0 + s1 * z1 + s0 * s1 * zz) / 4
