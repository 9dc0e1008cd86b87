"""Users who ask at random times, and pairs or keys that are made on demand or ahead: waiting, blocking, age."""

from typing import Any

import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array, library
from qtn._budget import Budget
from qtn._pytree import pytree

PLACES = Budget(1_000_000, "places for units and requests", "keep fewer: more hardly change anything")


@pytree
class Load:
    """What users find who ask at random times; see `load`."""

    p_blocked: Float[Array, ""]
    """Part of the requests that are turned away."""

    p_at_once: Float[Array, ""]
    """Part of the accepted requests that are served without waiting."""

    waiting_time: Float[Array, ""]
    """Mean wait of accepted requests [s]."""

    age: Float[Array, ""]
    """Mean age of what is delivered [s]."""

    mean_stored: Float[Array, ""]
    """Units in the buffer, on average."""

    served_rate: Float[Array, ""]
    """Requests served by time [1/s]."""

    weights: Float[Array, " births"]
    """Probabilities that a delivered unit, when it was made, found 0, 1, ... units stored; the last one: a request."""

    request_rate: Float[Array, ""]

    def kept(self, coherence_time: Any) -> Float[Array, ""]:
        """Return the mean of exp(-age / coherence time) of what is delivered, the oldest first.

        Args:
            coherence_time: of the decay, > 0; inf = none [s]. Two memories of coherence time T decay with T / 2.
        """
        time = _checks.positive("coherence_time", coherence_time)
        factor = self.request_rate / (self.request_rate + 1 / time)
        ahead = np.arange(1, self.weights.shape[0])
        return self.weights[-1] + library(factor, self.weights).sum(self.weights[:-1] * factor**ahead)


def load(request_rate: Any, make_rate: Any, *, buffer: int = 0, queue: int = 0) -> Load:
    """Return what users find who ask at random times for units that are made one by one.

    The state is the number of stored units minus the number of waiting requests; it goes up when a unit is made and
    down when somebody asks: p_n is proportional to (make_rate / request_rate)^n for n = -queue .. buffer.

    Args:
        request_rate: > 0 [1/s]; times between requests are exponential.
        make_rate: > 0, of units while there is room or somebody waits [1/s]; times are exponential, as those of a
            link with rare success are.
        buffer: units that are made ahead; 0 = on demand.
        queue: requests that wait; all others are turned away.

    Returns:
        found: blocking, waiting, age.

    Raises:
        ValueError: if rates are not positive, or there is neither a buffer nor a queue.

    Note:
        Exact (birth-death chain, Little's law), differentiable in both rates. Units do not expire; the oldest is
        delivered first.

    References:
        Little, Oper. Res. 9, 383 (1961); Kendall, Ann. Math. Stat. 24, 338 (1953).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> found = load(1.0, 2.0, buffer=2, queue=1)
        >>> round(float(found.p_blocked), 12), round(float(found.waiting_time), 12)  # 1/15, (1/15) / (14/15)
        (0.066666666667, 0.071428571429)
    """
    asked = _checks.positive_finite("request_rate", request_rate)
    made = _checks.positive_finite("make_rate", make_rate)
    xp = library(asked, made)
    for name, value in (("buffer", buffer), ("queue", queue)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"Argument `{name}` must be a whole number >= 0, but is {value!r}.")
    if buffer + queue == 0:
        raise ValueError("Arguments `buffer` and `queue` must not both be 0: nobody would ever be served.")
    PLACES.require(buffer + queue + 1)
    state = np.arange(-queue, buffer + 1)
    power = state * (xp.log(made) - xp.log(asked))
    p, found, born = (_normalised(xp, part) for part in (power, power[1:], power[:-1]))
    return Load(
        p_blocked=p[0],
        p_at_once=xp.sum(xp.where(state[1:] > 0, found, 0.0)),
        waiting_time=xp.sum(np.maximum(1 - state[1:], 0) * found) / made,
        age=xp.sum(np.maximum(state[:-1] + 1, 0) * born) / asked,
        mean_stored=xp.sum(np.maximum(state, 0) * p),
        served_rate=asked * xp.sum(p[1:]),
        weights=xp.append(born[queue:], xp.sum(born[:queue])),
        request_rate=asked,
    )


def _normalised(xp: Any, power: Any) -> Any:
    """Return probabilities proportional to exp(power)."""
    weights = xp.exp(power - xp.max(power))
    return weights / xp.sum(weights)
