"""Pairs as a link or a chain delivers them: when they arrive, in which state, and how they age while stored."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array, library
from qtn._pytree import pytree
from qtn.evaluators.outcome import Result
from qtn.hardware.memory import Memory, PerfectMemory
from qtn.links.chain import Chain


@pytree
class Pairs:
    """What one link or chain delivers, again and again; each pair starts when it is asked for."""

    states: Float[Array, "t 4 4"]
    """Pauli coefficients of the pair that arrives after 0, 1, 2, ... steps, times the probability that it does."""

    step: Float[Array, ""]
    """[s]."""

    memories: tuple[Memory, Memory]
    """Where a pair that came early is stored; left and right."""

    @property
    def probability(self) -> Float[Array, "t"]:
        """Return the probability to arrive after 0, 1, 2, ... steps."""
        return self.states[:, 0, 0]

    @property
    def mean_time(self) -> Float[Array, ""]:
        """Return the mean time to make a pair [s]."""
        times = np.arange(self.states.shape[0], dtype=float)
        return self.step * (self.probability @ times) / library(self.states).sum(self.probability)


def pairs_of(result: Result, chain: Chain | None = None) -> Pairs:
    """Return pairs as a chain with a schedule delivers them.

    Args:
        result: of an evaluator that resolves time and state, such as `Renewal`.
        chain: where it was delivered: memories of its end nodes store pairs that came early; perfect if not given.

    Raises:
        ValueError: if the result is one of samples, or does not hold what is delivered at each time.

    Note:
        As exact as the result: on a coarse grid (`info.num_grids` > 1) the distribution is that of its finest step.
    """
    resolved = result.in_time
    if resolved is None:
        raise ValueError(
            "Argument `result` must say what is delivered at each time, but it is one of samples: use `Renewal()`."
        )
    ends = (PerfectMemory(), PerfectMemory())
    if chain is not None:
        ends = (chain.node(0).memory, chain.node(chain.num_links).memory)
    states = resolved.resolved_states
    return Pairs(states=states / states[:, 0, 0].sum(), step=resolved.times[1] - resolved.times[0], memories=ends)


def decay_rates(memories: tuple[Memory, Memory]) -> Float[Array, "4 4"]:
    """Return the rates [1/s] at which coefficients of a stored pair decay, in the basis of `towards_equilibrium`."""
    left, right = (jnp.concatenate([jnp.zeros(1), jnp.asarray(each.pauli_rates())]) for each in memories)
    return left[:, None] + right[None, :]


def towards_equilibrium(states: Float[Array, "t 4 4"], memories: tuple[Memory, Memory]) -> Float[Array, "t 4 4"]:
    """Return coefficients in the basis in which storage is diagonal: <Z> of each qubit counts from its equilibrium."""
    left, right = (shift(-each.equilibrium()) for each in memories)
    return jnp.einsum("ai,tij,bj->tab", left, states, right)


def shift(equilibrium: float) -> np.ndarray:
    """Return what adds its equilibrium to <Z> of a qubit."""
    matrix = np.eye(4)
    matrix[3, 0] = equilibrium
    return matrix
