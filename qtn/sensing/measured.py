"""Classical Fisher information: what given measurements read off a state."""

import math
from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.sensing.generator import Letters, State, turned
from qtn.sensing.generator import generator as build
from qtn.states.basis import PAULI_MATRICES, effect
from qtn.states.dense import DensityMatrix, to_train
from qtn.states.trains import MPDO, normalise, to_mixed
from qtn.states.two_qubits import Pair, pair_to_mixed
from qtn.tensors.contract import evaluate
from qtn.tensors.train import apply_each, to_dense

MOST_OUTCOMES = 12
"""Qubits up to which every string of outcomes is written out."""


def classical_fisher(probability: Float[Array, "..."], slope: Float[Array, "..."]) -> Float[Array, ""]:
    """Return sum (dp/d theta)^2 / p over all outcomes; outcomes that cannot happen count nothing.

    Args:
        probability: of every outcome, in any shape.
        slope: its derivative by the parameter [1/rad].
    """
    there = probability > 0
    return jnp.sum(jnp.where(there, slope**2 / jnp.where(there, probability, 1.0), 0.0))


def parity_fisher(
    state: State | Pair, generator: Letters = None, *, weights: Any = None, angle: Any = None
) -> Float[Array, ""]:
    """Return the Fisher information of the parity of all qubits, each measured along cos(a) X + sin(a) Y.

        F = <P'>^2 / (1 - <P>^2),   P the product of all outcomes +-1

    Args:
        state: as in `quantum_fisher`.
        generator: as there.
        weights: as there.
        angle: a [rad], one for all qubits or (n,); by default pi / (2 n), where a GHZ state has <P> = 0 and its
            steepest slope.

    Note:
        Exact for trains of any length, differentiable. GHZ with phase flips: n^2 (1 - 2p)^(2n), what any measurement
        reaches.

    References:
        Bollinger, Itano, Wineland, Heinzen, Phys. Rev. A 54, R4649 (1996).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.states import ghz
        >>> round(float(parity_fisher(ghz(6))), 10)
        36.0
    """
    mixed = _mixed(state)
    n = mixed.num_sites
    rate = turned(mixed, build(n, generator, weights))
    rows = effect(_along(n, math.pi / (2 * n) if angle is None else angle))
    mean, slope = evaluate(mixed.train, rows), evaluate(rate.train, rows)
    chances = jnp.stack([1 + mean, 1 - mean]) / 2
    return classical_fisher(chances, jnp.stack([slope, -slope]) / 2)


def local_fisher(
    state: State | Pair, generator: Letters = None, *, weights: Any = None, angle: Any = math.pi / 2
) -> Float[Array, ""]:
    """Return the Fisher information of all outcomes together, each qubit measured along cos(a) X + sin(a) Y.

    Args:
        state: as in `quantum_fisher`; at most 12 qubits.
        generator: as there.
        weights: as there.
        angle: a [rad], one for all qubits or (n,); pi / 2 is where qubits that start along X turn fastest.

    Raises:
        ValueError: if the state has more than 12 qubits.

    Note:
        Exact, differentiable.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.states import plus
        >>> round(float(local_fisher(plus(4))), 10)
        4.0
    """
    mixed = _mixed(state)
    n = mixed.num_sites
    if n > MOST_OUTCOMES:
        raise ValueError(
            f"Argument `state` must have at most {MOST_OUTCOMES} qubits, as all 2^n outcomes are written out, but has "
            f"{n}: use `parity_fisher`."
        )
    rate = turned(mixed, build(n, generator, weights))
    along = _along(n, angle)
    rows = effect(jnp.stack([jnp.eye(2) + along, jnp.eye(2) - along], axis=1) / 2)
    return classical_fisher(to_dense(apply_each(mixed.train, rows)), to_dense(apply_each(rate.train, rows)))


def _mixed(state: State | Pair) -> MPDO:
    """Return any state as a normalised mixed train."""
    if isinstance(state, Pair):
        state = pair_to_mixed(state)
    found = normalise(to_mixed(to_train(state) if isinstance(state, DensityMatrix) else state))
    assert isinstance(found, MPDO)
    return found


def _along(num_sites: int, angle: Any) -> Array:
    """Return cos(a) X + sin(a) Y of each site, (n, 2, 2)."""
    angles = jnp.broadcast_to(_checks.real(angle), (num_sites,))
    return jnp.cos(angles)[:, None, None] * PAULI_MATRICES[1] + jnp.sin(angles)[:, None, None] * PAULI_MATRICES[2]
