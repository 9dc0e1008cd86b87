"""Coherent errors: a rotation by a wrong angle."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.channels.convert import pauli_strings


@pytree
class OverRotation:
    """Rotation about a Pauli string P: rho -> U rho U^H, U = exp(-i angle P / 2).

    Parameters: angle [rad], any finite number, times a static `axis` P of 1 or 2 letters such as "Z" or "ZX" (first
        qubit first); built by `over_rotation`.
    PTM: 1 + sin(angle) G + (1 - cos(angle)) G^2 with G_ij = tr(P_i [P, P_j]) / (2i 2^n), a turn of
        each plane (Q, -i P Q) with Q that anticommutes with P.
        For P = Z: R_XX = R_YY = cos(angle), R_YX = -R_XY = sin(angle).
    Kraus: cos(angle/2) 1 - i sin(angle/2) P.
    On Phi+: cos^2(angle/2) on Phi+ and sin^2(angle/2) on the Bell state of P; not Bell-diagonal. Two letters act on
        halves of two pairs, which err together with the same weights.
    Limits: angle = 0 identity; angle = pi is the gate P. Angles about the same axis add, unlike probabilities.

    Note:
        Exact; `ptm` and `kraus` are differentiable everywhere.

    References:
        Nielsen and Chuang 2010, section 4.2. Greenbaum 2015, arXiv:1509.02921 (transfer matrices).

    Example:
        >>> over_rotation(jnp.pi / 2, "Z").ptm()[1:3, 1:3].round(12).tolist()
        [[0.0, -1.0], [1.0, 0.0]]
    """

    angle: Float[Array, ""]
    """Angle [rad]."""
    axis: str = static(default="Z")
    """Pauli string of 1 or 2 letters."""

    @property
    def num_qubits(self) -> int:
        """Number of letters of the axis."""
        return len(self.axis)

    def ptm(self) -> Float[Array, "D D"]:
        """Return the Pauli transfer matrix (4^n, 4^n)."""
        turn = _generator(self.axis)
        return jnp.eye(len(turn)) + jnp.sin(self.angle) * turn + 2 * jnp.sin(self.angle / 2) ** 2 * (turn @ turn)

    def kraus(self) -> Complex[Array, "1 d d"]:
        """Return the unitary as the only Kraus operator."""
        pauli = _string(self.axis)
        return (jnp.cos(self.angle / 2) * np.eye(len(pauli)) - 1j * jnp.sin(self.angle / 2) * pauli)[None]


def _string(axis: str) -> np.ndarray:
    """Return the matrix of a Pauli string."""
    index = int("".join(str("IXYZ".index(letter)) for letter in axis), 4)
    return pauli_strings(len(axis))[index]


def _generator(axis: str) -> np.ndarray:
    """Return G_ij = tr(P_i [P, P_j]) / (2i 2^n): real, antisymmetric, entries 0 and +-1."""
    pauli, paulis = _string(axis), pauli_strings(len(axis))
    commutators = pauli @ paulis - paulis @ pauli
    return np.real(np.einsum("aij,bji->ab", paulis, commutators) / 2j) / len(pauli)


def over_rotation(angle: Any, axis: str = "Z") -> OverRotation:
    """Build a rotation by `angle` [rad] about the Pauli string `axis` (1 or 2 letters, static)."""
    if len(axis) not in (1, 2) or set(axis) - set("IXYZ") or not set(axis) - {"I"}:
        raise ValueError(f"Argument `axis` must be 1 or 2 letters of I, X, Y, Z, not all I, but is {axis!r}.")
    return OverRotation(angle=_checks.require("angle", angle, np.isfinite, "be finite"), axis=axis)
