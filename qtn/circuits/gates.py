"""Unitary gates by name: matrices as functions of angles, and the spans of their operator-Schmidt factors."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from qtn._array import Array
from qtn.states.basis import PAULI_MATRICES

I2, X, Y, Z = PAULI_MATRICES
S2 = np.sqrt(0.5)


class GateFamily(NamedTuple):
    """A gate for all values of its angles."""

    num_sites: int
    num_parameters: int
    matrix: Callable[..., Array]
    """angles (scalars) -> (2^k, 2^k)."""
    span: tuple[str, str] | None = None
    """Pauli letters that span all left and all right factors of a two-site gate; None = everything."""


def _fixed(matrix: object, span: tuple[str, str] | None = None) -> GateFamily:
    array = np.asarray(matrix, dtype=complex)
    return GateFamily(int(np.log2(len(array))), 0, lambda: jnp.asarray(array), span)


def _rotation(pauli: np.ndarray, span: tuple[str, str] | None = None) -> GateFamily:
    """exp(-i angle P / 2)."""
    eye = np.eye(len(pauli))
    return GateFamily(
        int(np.log2(len(pauli))), 1, lambda angle: jnp.cos(angle / 2) * eye - 1j * jnp.sin(angle / 2) * pauli, span
    )


def _controlled(target: Callable[..., Array], num_parameters: int, span: tuple[str, str]) -> GateFamily:
    return GateFamily(
        2, num_parameters, lambda *angles: jnp.eye(4, dtype=complex).at[2:, 2:].set(target(*angles)), span
    )


def _phase(angle: Any) -> Array:
    return jnp.diag(jnp.array([1.0, 0.0])) + jnp.exp(1j * angle) * jnp.diag(jnp.array([0.0, 1.0]))


def _general(theta: Any, phi: Any, lam: Any) -> Array:
    """U(theta, phi, lambda) of OpenQASM 3."""
    c, s = jnp.cos(theta / 2), jnp.sin(theta / 2)
    return jnp.array([[c, -jnp.exp(1j * lam) * s], [jnp.exp(1j * phi) * s, jnp.exp(1j * (phi + lam)) * c]])


def _rz(angle: Any) -> Array:
    return jnp.diag(jnp.exp(jnp.array([-0.5j, 0.5j]) * angle))


GATES: dict[str, GateFamily] = {
    "I": _fixed(I2),
    "X": _fixed(X),
    "Y": _fixed(Y),
    "Z": _fixed(Z),
    "H": _fixed((X + Z) * S2),
    "S": _fixed(np.diag([1, 1j])),
    "SDG": _fixed(np.diag([1, -1j])),
    "T": _fixed(np.diag([1, np.exp(0.25j * np.pi)])),
    "TDG": _fixed(np.diag([1, np.exp(-0.25j * np.pi)])),
    "SX": _fixed([[0.5 + 0.5j, 0.5 - 0.5j], [0.5 - 0.5j, 0.5 + 0.5j]]),
    "RX": _rotation(X),
    "RY": _rotation(Y),
    "RZ": _rotation(Z),
    "P": GateFamily(1, 1, _phase),
    "U": GateFamily(1, 3, _general),
    "CX": _fixed(np.block([[I2, 0 * X], [0 * X, X]]), ("IZ", "IX")),
    "CY": _fixed(np.block([[I2, 0 * X], [0 * X, Y]]), ("IZ", "IY")),
    "CZ": _fixed(np.diag([1, 1, 1, -1]), ("IZ", "IZ")),
    "SWAP": _fixed([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]),
    "ISWAP": _fixed([[1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]]),
    "RXX": _rotation(np.kron(X, X), ("IX", "IX")),
    "RYY": _rotation(np.kron(Y, Y), ("IY", "IY")),
    "RZZ": _rotation(np.kron(Z, Z), ("IZ", "IZ")),
    "CP": _controlled(_phase, 1, ("IZ", "IZ")),
    "CRZ": _controlled(_rz, 1, ("IZ", "IZ")),
}
"""Controls come first; rotations are exp(-i angle P / 2)."""


def letters_basis(letters: str) -> np.ndarray:
    """Return the orthonormal operators P / sqrt(2) of Pauli letters, (r, 2, 2)."""
    return PAULI_MATRICES[["IXYZ".index(letter) for letter in letters]] * S2
