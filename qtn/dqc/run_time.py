"""The time that a distributed run takes: its mean and its quantiles."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.dqc.timing import Timing
from qtn.tensors.recurrence import padded_length


@pytree
class RunTime:
    """Distribution of the time that a run takes: rounds of pairs that are independent, and gates."""

    laws: tuple[Float[Array, "t"], ...]
    """The distinct distributions of rounds, in grid steps."""
    step: Float[Array, ""]
    """[s]."""
    gates: Float[Array, ""]
    """Time of the gates [s]."""
    counts: tuple[int, ...] = static()
    """How many rounds have each distribution."""

    def quantiles(self, levels: Any) -> Float[Array, "n"]:
        """Return the times [s] within which a run ends with the given probabilities.

        Args:
            levels: (n,), probabilities in (0, 1).

        Raises:
            ValueError: if a level lies outside.

        Note:
            The first time on the grid with P(run time <= t) >= level; its derivative is that of the distribution
            function interpolated between times.
        """
        found = _checks.require("levels", levels, lambda v: (v > 0) & (v < 1), "lie in (0, 1)")
        return _quantiles(self, jnp.asarray(found))


@jax.jit
def _quantiles(time: RunTime, levels: Float[Array, "n"]) -> Float[Array, "n"]:
    if not time.laws:
        return jnp.broadcast_to(time.gates, levels.shape)
    length = sum(count * law.shape[0] for law, count in zip(time.laws, time.counts, strict=True))
    padded = padded_length(-(-length // 2))
    spectrum = jnp.ones(())
    for law, count in zip(time.laws, time.counts, strict=True):
        spectrum = spectrum * jnp.fft.rfft(law, n=padded) ** count
    reached = jnp.cumsum(jnp.fft.irfft(spectrum, n=padded)[:length])
    index = jnp.minimum(jnp.searchsorted(reached, levels - 1e-12), length - 1)
    before = jnp.where(index > 0, reached[jnp.maximum(index - 1, 0)], 0.0)
    mass = jnp.maximum(reached[index] - before, 1e-300)
    between = index - 1 + (levels - before) / mass
    return time.gates + time.step * (index + between - jax.lax.stop_gradient(between))


def run_time(timing: Timing) -> RunTime:
    """Return the distribution of the run time."""
    return RunTime(
        laws=tuple(law.probability for law in timing.laws),
        step=timing.step,
        gates=jnp.sum(timing.durations),
        counts=tuple(timing.law_of.count(number) for number in range(len(timing.laws))),
    )


def mean_run_time(timing: Timing) -> Float[Array, ""]:
    """Return the mean of the run time [s]."""
    total = jnp.sum(timing.durations)
    for law in timing.law_of:
        probability = timing.laws[law].probability
        total = total + timing.step * (probability @ jnp.arange(probability.shape[0], dtype=float))
    return total
