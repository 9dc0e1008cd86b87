"""Fidelity and error rates of a pair: Bell weights p = (pI, pX, pY, pZ), or Pauli coefficients (4, 4)."""

from jaxtyping import Array, Float

from qtn.merit.pair import Pair, bell_weights


def fidelity(pair: Pair) -> Float[Array, ""]:
    """Return F = <Phi+|rho|Phi+> = pI."""
    return bell_weights(pair)[0]


def qber_x(pair: Pair) -> Float[Array, ""]:
    """Return the error rate of X measurements, e_X = (1 - <XX>)/2 = pY + pZ."""
    weights = bell_weights(pair)
    return weights[2] + weights[3]


def qber_y(pair: Pair) -> Float[Array, ""]:
    """Return the error rate of Y measurements, e_Y = (1 + <YY>)/2 = pX + pZ."""
    weights = bell_weights(pair)
    return weights[1] + weights[3]


def qber_z(pair: Pair) -> Float[Array, ""]:
    """Return the error rate of Z measurements, e_Z = (1 - <ZZ>)/2 = pX + pY."""
    weights = bell_weights(pair)
    return weights[1] + weights[2]
