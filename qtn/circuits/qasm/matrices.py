"""Matrices of a gate that has no name of its own, and the channels that classical logic needs."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg

from qtn.channels.convert import ptm_from_kraus
from qtn.circuits.gates import GATES
from qtn.circuits.qasm.steps import Step, step


def matrix_of(steps: Sequence[Step], qubits: Sequence[int]) -> Any:
    """Return the (2^k, 2^k) matrix of steps on k = 1 or 2 qubits, the first qubit slowest."""
    total = np.eye(2 ** len(qubits), dtype=complex)
    for part in steps:
        total = _placed(_matrix(part), part.wires, tuple(qubits)) @ total
    return total


def _matrix(part: Step) -> Any:
    if part.name == "UNITARY":
        return part.angles[0]
    if any(isinstance(angle, jax.Array) for angle in part.angles):
        return GATES[part.name].matrix(*part.angles)
    return _known_matrix(part.name, part.angles)


@cache
def _known_matrix(name: str, angles: tuple[float, ...]) -> np.ndarray:
    return np.asarray(_compiled(name)(*(float(angle) for angle in angles)))


@cache
def _compiled(name: str) -> Any:
    """Return the matrix of a gate as one compiled function: called bare, each of its operations would be compiled."""
    return jax.jit(GATES[name].matrix)


def _placed(matrix: Any, wires: tuple[int, ...], qubits: tuple[int, ...]) -> Any:
    if wires == qubits:
        return matrix
    if len(wires) == 2:  # the same two qubits, turned around
        return matrix.reshape(2, 2, 2, 2).transpose(1, 0, 3, 2).reshape(4, 4)
    kron = jnp.kron if isinstance(matrix, jax.Array) else np.kron
    return kron(matrix, np.eye(2)) if wires[0] == qubits[0] else kron(np.eye(2), matrix)


def power_of(steps: Sequence[Step], power: float) -> list[Step]:
    """Return a power of known steps on one qubit, the principal one: phases of eigenvalues in (-pi, pi]."""
    qubit = next(part.wires for part in steps if part.wires)
    phase = sum(float(part.angles[0]) for part in steps if part.name == "GPHASE")
    matrix = matrix_of([part for part in steps if part.name != "GPHASE"], qubit) * np.exp(1j * phase)
    values, vectors = scipy.linalg.schur(matrix, output="complex")
    phases = np.angle(np.diag(values))
    phases[phases < -np.pi + 1e-12] = np.pi
    (a, b), (c, d) = (vectors * np.exp(1j * power * phases)) @ vectors.conj().T
    shift = np.angle(a) if abs(a) > 1e-12 else 0.0
    turn = np.angle(c) - shift if abs(c) > 1e-12 else 0.0
    other = np.angle(d) - shift - turn if abs(a) > 1e-12 else np.angle(-b)
    angles = 2 * np.arctan2(abs(c), abs(a)), turn, other
    return [step("GPHASE", (), float(shift)), step("U", qubit, *map(float, angles))]


ZERO, ONE = np.diag([1.0, 0.0]), np.diag([0.0, 1.0])
LOWER = np.array([[0.0, 1.0], [0.0, 0.0]])


@cache
def cleared_unless(value: int) -> np.ndarray:
    """Return the transfer matrix on (bit, flag) that puts the flag to 0 unless the bit has the value."""
    return _branches(value, [np.eye(2)], [ZERO, LOWER])


@cache
def reset_if(value: int) -> np.ndarray:
    """Return the transfer matrix on (bit, qubit) that puts the qubit into |0> if the bit has the value."""
    return _branches(value, [ZERO, LOWER], [np.eye(2)])


def _branches(value: int, met: list[np.ndarray], other: list[np.ndarray]) -> np.ndarray:
    """Return the transfer matrix with Kraus operators `met` where a classical bit has the value, `other` elsewhere."""
    yes, no = (ONE, ZERO) if value else (ZERO, ONE)
    kraus = [np.kron(yes, k) for k in met] + [np.kron(no, k) for k in other]
    return np.asarray(ptm_from_kraus(np.stack(kraus).astype(complex)))
