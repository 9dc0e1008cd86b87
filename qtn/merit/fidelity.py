"""Fidelity and error rates of a pair: Bell weights p = (pI, pX, pY, pZ), or Pauli coefficients (4, 4)."""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array, library
from qtn.merit.pair import Pair, bell_weights


def fidelity(pair: Pair) -> Float[Array, ""]:
    """Return F = <Phi+|rho|Phi+> = pI."""
    return _share(pair, (0,))


def qber_x(pair: Pair) -> Float[Array, ""]:
    """Return the error rate of X measurements, e_X = (1 - <XX>)/2 = pY + pZ."""
    return _share(pair, (2, 3))


def qber_y(pair: Pair) -> Float[Array, ""]:
    """Return the error rate of Y measurements, e_Y = (1 + <YY>)/2 = pX + pZ."""
    return _share(pair, (1, 3))


def qber_z(pair: Pair) -> Float[Array, ""]:
    """Return the error rate of Z measurements, e_Z = (1 - <ZZ>)/2 = pX + pY."""
    return _share(pair, (1, 2))


def _share(pair: Pair, errors: tuple[int, ...]) -> Float[Array, ""]:
    """Return the weight of some Bell states together."""
    return _compiled(pair, errors) if library(pair) is jnp else _total(pair, errors)


def _total(pair: Pair, errors: tuple[int, ...]) -> Float[Array, ""]:
    weights = bell_weights(pair)
    first, *others = (weights[error] for error in errors)
    return sum(others, start=first)


_compiled = jax.jit(_total, static_argnames="errors")
