"""What an evaluator returns: the mean delivered pair, its waiting time, and how far both can be trusted."""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import ArrayLike, Float

from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.states.pair import bell_from_pauli


@pytree
class Info:
    """How an outcome was computed, and its errors."""

    tail_mass: Float[Array, ""]
    """Largest probability that one attempt of any step outlasts the time grid; this much is missing."""

    grid_error: Float[Array, ""]
    """Bound on what the grid step changes: the mean time (relative), and each Pauli coefficient."""

    step: Float[Array, ""]
    """Finest grid step [s]."""

    num_steps: int = static()
    """Length of the grid."""

    num_grids: int = static(default=1)
    """How many grids were extrapolated to vanishing step; 1 = none."""

    def numbers(self) -> dict[str, float | int]:
        """Return what reports print of a concrete outcome."""
        return {
            "tail_mass": float(self.tail_mass),
            "grid_error": float(self.grid_error),
            "step_s": float(self.step),
            "num_steps": self.num_steps,
        }

    def warnings(self) -> list[str]:
        """Return one sentence with a cure for each thing that is wrong with a concrete outcome."""
        found = []
        if float(self.tail_mass) > 1e-6:
            held = 100 * (1 - float(self.tail_mass))
            found.append(
                f"The time grid of {self.num_steps} steps of {float(self.step):.6g} s holds only {held:.6g} % of "
                "the probability: increase time.num_steps or time.step_s, or leave both out."
            )
        if float(self.grid_error) > 1e-4:
            found.append(
                f"The grid step of {float(self.step):.6g} s may change results by {float(self.grid_error):.1e} "
                "(relative): decrease time.step_s or increase time.num_steps, or leave both out."
            )
        return found


@pytree
class Summary:
    """The mean delivered pair: all that a rate or a fidelity needs."""

    mean_time: Float[Array, ""]
    """Mean waiting time for one end-to-end pair [s]."""

    state: Float[Array, "4 4"]
    """Mean delivered state: Pauli coefficients tr(P_i x P_j rho), those that the state level holds; state[0, 0] = 1."""

    info: Any
    """Errors of both: `Info` of the time grid, or what an evaluator without a grid says."""

    @property
    def bell_diagonal(self) -> Float[Array, "4"]:
        """Return the weights of Phi+, Psi+, Psi-, Phi- of the mean delivered state, sum 1."""
        return bell_from_pauli(self.state)


@runtime_checkable
class Errors(Protocol):
    """How far a result can be trusted."""

    def numbers(self) -> dict[str, float | int]:
        """Return what reports print of a concrete result."""
        ...

    def warnings(self) -> list[str]:
        """Return one sentence with a cure for each thing that is wrong with a concrete result."""
        ...


@runtime_checkable
class Result(Protocol):
    """What `evaluate` of every evaluator returns: means, quantiles of the waiting time, and errors."""

    @property
    def mean_time(self) -> Float[Array, ""]:
        """Return the mean waiting time for one end-to-end pair [s]."""
        ...

    @property
    def state(self) -> Float[Array, "4 4"]:
        """Return the Pauli coefficients of the mean delivered state."""
        ...

    @property
    def info(self) -> Errors:
        """Return the errors of both."""
        ...

    @property
    def bell_diagonal(self) -> Float[Array, "4"]:
        """Return the weights of Phi+, Psi+, Psi-, Phi- of the mean delivered state, sum 1."""
        ...

    @property
    def summary(self) -> Summary:
        """Return the means and their errors alone, as `summarise` does."""
        ...

    @property
    def in_time(self) -> "Outcome | None":
        """Return what is delivered at each time; None where an evaluator does not resolve time."""
        ...

    def quantiles(self, levels: ArrayLike) -> Float[Array, "n"]:
        """Return the times [s] by which a pair has been delivered with the given probabilities."""
        ...

    def standard_error(self, of: Callable[[Summary], Float[Array, ""]]) -> Float[Array, ""] | None:
        """Return the statistical error of a figure of merit; None where nothing was sampled."""
        ...


@pytree
class Outcome:
    """The mean delivered pair, and the pair delivered at each time."""

    mean_time: Float[Array, ""]
    """Mean waiting time for one end-to-end pair [s]."""

    state: Float[Array, "4 4"]
    """Mean delivered state: Pauli coefficients tr(P_i x P_j rho), those that the state level holds; state[0, 0] = 1."""

    times: Float[Array, "t"]
    """Grid times [s]."""

    probability: Float[Array, "t"]
    """Probability that the pair is delivered at each grid time."""

    states: Float[Array, "t 4 4"] | None = None
    """Pauli coefficients of the pair delivered at each grid time, times that probability; None where an evaluator
    does not resolve the state in time."""

    info: Info
    """Errors, and the grid."""

    @property
    def bell_diagonal(self) -> Float[Array, "4"]:
        """Return the weights of Phi+, Psi+, Psi-, Phi- of the mean delivered state, sum 1."""
        return bell_from_pauli(self.state)

    @property
    def summary(self) -> Summary:
        """Return the means and their errors alone."""
        return Summary(mean_time=self.mean_time, state=self.state, info=self.info)

    @property
    def in_time(self) -> "Outcome":
        """Return this outcome: it resolves time."""
        return self

    def quantiles(self, levels: ArrayLike) -> Float[Array, "n"]:
        """Return `waiting_time_quantiles` of this outcome [s]."""
        return waiting_time_quantiles(self, levels)

    def standard_error(self, of: Callable[[Summary], Float[Array, ""]]) -> None:
        """Return None: nothing was sampled."""

    @property
    def bell_weights(self) -> Float[Array, "t 4"]:
        """Return the Bell weights of the pair delivered at each grid time, times its probability."""
        return bell_from_pauli(self.resolved_states)

    @property
    def resolved_states(self) -> Float[Array, "t 4 4"]:
        """Return `states`.

        Raises:
            ValueError: if the outcome does not resolve the state in time.
        """
        if self.states is None:
            raise ValueError("This outcome holds the mean state only: use `Asap().resolve`, which also needs O(n T^2).")
        return self.states


def waiting_time_quantiles(outcome: Outcome, levels: ArrayLike) -> Float[Array, "n"]:
    """Return the times [s] by which a pair has been delivered with the given probabilities.

    On an exact grid that is the first grid time with P(T <= t) >= level; on a coarse one the distribution is
    interpolated between grid times. Beyond the grid the distribution continues as the exponential that it has
    become by then.

    Args:
        outcome: of an evaluation with concrete numbers.
        levels: (n,), probabilities in (0, 1).
    """
    return quantiles_on_grid(outcome.probability, outcome.times, levels, outcome.info.num_grids > 1)


@partial(jax.jit, static_argnames="interpolated")
def quantiles_on_grid(
    probability: Float[Array, "t"], times: Float[Array, "t"], levels: Any, interpolated: bool
) -> Float[Array, "n"]:
    """Return the times by which a level is reached on a grid, or between its points."""
    levels = jnp.asarray(levels, dtype=float)
    reached, step = jnp.cumsum(probability), times[1] - times[0]
    last, half = reached.size - 1, reached.size // 2
    beyond, before = jnp.maximum(1 - reached[last], 1e-300), jnp.maximum(1 - reached[half], 1e-300)
    tail_rate = (jnp.log(before) - jnp.log(beyond)) / (last - half)
    after = last + jnp.log(beyond / (1 - levels)) / jnp.where(tail_rate > 0, tail_rate, jnp.inf)
    index = jnp.searchsorted(reached, levels - 1e-13)
    inside = index.astype(float)
    if interpolated:
        previous = jnp.where(index > 0, reached[jnp.maximum(index - 1, 0)], 0.0)
        mass = jnp.maximum(reached[jnp.minimum(index, last)] - previous, 1e-300)
        # mass deposited at grid point j came from (j - 1, j + 1): its distribution function is centred there
        inside = jnp.maximum(index - 0.5 + (levels - previous) / mass, 0.0)
    return step * jnp.where(levels <= reached[last], inside, after)
