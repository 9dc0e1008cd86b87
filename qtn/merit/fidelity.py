"""Fidelity and error rates of a Bell-diagonal pair, p = (pI, pX, pY, pZ)."""

from jaxtyping import Array, Float


def fidelity(bell_diagonal: Float[Array, "4"]) -> Float[Array, ""]:
    """Return F = <Phi+|rho|Phi+> = pI."""
    return bell_diagonal[0]


def qber_x(bell_diagonal: Float[Array, "4"]) -> Float[Array, ""]:
    """Return the error rate of X measurements, e_X = (1 - <XX>)/2 = pY + pZ."""
    return bell_diagonal[2] + bell_diagonal[3]


def qber_z(bell_diagonal: Float[Array, "4"]) -> Float[Array, ""]:
    """Return the error rate of Z measurements, e_Z = (1 - <ZZ>)/2 = pX + pY."""
    return bell_diagonal[1] + bell_diagonal[2]
