"""The time grid: equal steps from time 0, laid relative to an attempt time of the chain.

A grid keeps its ratio to the attempt time of one reference link, or to the mean of all, so it moves with them under
differentiation, and the same grid serves every nearby chain without compiling again.
"""

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array, library
from qtn._pytree import pytree, stack, static

EQUAL = 1e-12
"""Relative difference up to which attempt times are the same."""

MOST_PARTS = 128
"""Attempts are commensurate if the shortest is at most this many common spacings."""


def shared(times: Float[Array, "n"], index: int | Array) -> Float[Array, ""]:
    """Return one of some attempt times; its derivative is shared by all that equal it.

    Moving one of several equal times alone has two slopes, one to each side: the right one if another is the reference,
    the left one if it is itself. With the step tied to all alike each gets the average over the references, of two
    links the mean of both slopes, and the sum of all is the slope when they move together.
    """
    here = times[index]
    if library(times) is np:
        return here
    tied = jnp.abs(times - here) <= EQUAL * here
    mean = jnp.sum(jnp.where(tied, times, 0.0)) / jnp.sum(tied)
    return jax.lax.stop_gradient(here) + mean - jax.lax.stop_gradient(mean)


@pytree
class TimeGrid:
    """Equal time steps t = 0, 1, ..., num_steps - 1, and what else happens at fixed intervals."""

    ratio: Float[Array, ""] | float
    """Step divided by the reference: an attempt time, or the mean of all."""

    num_steps: int = static()
    """Length of the grid."""

    reference: int | None = static(default=0)
    """Index of the reference among the delivered links; None if it is the mean, which treats mirrored chains alike."""

    attempts: tuple[float, ...] = static(default=(1.0,))
    """Attempt time of each delivered link, in units of the reference; one where all share it."""

    waits: tuple[float, ...] = static(default=())
    """Each waiting time of the schedule, in the same unit."""

    @property
    def unequal(self) -> bool:
        """Whether links differ in attempt time, or something waits for a fixed time."""
        return len(set(self.attempts)) > 1 or len(self.waits) > 0

    def step(self, attempt_times: Sequence[Array]) -> Float[Array, ""]:
        """Return the step [s], from the attempt times of the delivered links [s]."""
        times = stack(attempt_times)
        return self.ratio * (library(times).mean(times) if self.reference is None else shared(times, self.reference))

    def lattice(self, links: Iterable[int], waits: Iterable[int]) -> Float[Array, ""]:
        """Return the spacing, in steps, of all times at which these links and waits can deliver together.

        A whole number if the grid holds all those times; below 1 if it is coarser than they are; 0 if they have
        no common spacing.
        """
        shared = len(self.attempts) == 1
        times = {self.attempts[0 if shared else i] for i in links}
        times |= {self.waits[i] for i in waits if self.waits[i] > 0}
        spacing: Any = np.float64(common_spacing(times))
        return spacing / self.ratio


def common_spacing(times: Iterable[float], largest_denominator: int = MOST_PARTS) -> float:
    """Return the largest time of which all `times` are whole multiples, or 0 if there is none worth having.

    Example:
        >>> common_spacing([1.0, 0.75])
        0.25
        >>> common_spacing([1.0, 2**0.5])
        0.0
    """
    times = list(times)
    shortest = min(times)
    denominator = 1
    for time in times:
        ratio = Fraction(time / shortest).limit_denominator(largest_denominator)
        if abs(float(ratio) * shortest / time - 1) > 1e-12:
            return 0.0
        denominator = math.lcm(denominator, ratio.denominator)
    return shortest / denominator if denominator <= largest_denominator else 0.0
