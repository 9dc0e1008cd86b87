"""Pairs between two processors: when they arrive, in which state, and how they age until they are used."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array, library
from qtn.dqc.copies import pair_coefficients
from qtn.evaluators.pairs import Pairs
from qtn.hardware.memory import Memory, PerfectMemory

TAIL = 1e-15
"""Probability that may outlast the grid of `steady_pairs`."""


LEAST_SUCCESS = 1e-4
"""Smallest chance of an attempt of `steady_pairs`: below it only the rate matters, and grids get long."""


def steady_pairs(
    state: Any, rate: Any, *, memory: Memory | None = None, p_success: Any = 0.02, step: Any = None
) -> Pairs:
    """Return pairs of one state that are made at a rate, in attempts that succeed one by one.

    Args:
        state: (4, 4) Pauli coefficients, or (4,) Bell weights.
        rate: pairs per second [Hz] while one is asked for.
        memory: of the communication qubits; perfect if not given.
        p_success: chance of one attempt, in [1e-4, 1]; static. Attempts take p_success / rate; a small one makes the
            time exponential, up to a variance that is smaller by the fraction `p_success`.
        step: time of an attempt [s], for links of different rates on one grid: attempts then succeed with rate * step,
            which must lie between `p_success` (the grid is as long as that needs) and 1.

    Raises:
        ValueError: if the state is none, or a number lies outside its range.

    Note:
        Exact for these attempts, differentiable in state and rate. Where the rate is traced, rate * step outside its
        range gives nan.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> round(float(steady_pairs([0.97, 0.01, 0.01, 0.01], 10.0).mean_time), 9)
        0.1
    """
    if isinstance(p_success, bool) or not isinstance(p_success, (int, float)) or not LEAST_SUCCESS <= p_success <= 1:
        raise ValueError(f"Argument `p_success` must be a number in [{LEAST_SUCCESS:g}, 1], but is {p_success!r}.")
    rate = _checks.positive_finite("rate", rate)
    coefficients = pair_coefficients(state, "state")
    length = 2 if p_success == 1 else 2 + math.ceil(math.log(TAIL) / math.log1p(-p_success))
    chance = p_success if step is None else _chance(rate, _checks.positive_finite("step", step), p_success)
    xp = library(chance)
    law = xp.concatenate([xp.zeros(1), chance * (1 - chance) ** np.arange(length - 1)])
    kept = PerfectMemory() if memory is None else memory
    return Pairs(
        states=(law / law.sum())[:, None, None] * coefficients,
        step=p_success / rate if step is None else _checks.real(step),
        memories=(kept, kept),
    )


def _chance(rate: Array, step: Array, least: float) -> Array:
    """Return the chance of one attempt in a step, checked where it is known."""
    chance, rounding = rate * step, 1e-12
    concrete = _checks.known(chance)
    if concrete is not None and not least * (1 - rounding) <= concrete <= 1 + rounding:
        raise ValueError(
            f"Argument `step` must make rate * step, the chance of an attempt, lie in [p_success, 1] = [{least:g}, 1], "
            f"but it is {concrete:.6g}: choose another `step`, or a smaller `p_success` for a longer grid."
        )
    xp = library(chance)
    good = (chance >= least * (1 - rounding)) & (chance <= 1 + rounding)
    return xp.where(good, xp.minimum(chance, 1.0), np.nan)


def first_of(states: Float[Array, "t 4 4"], num_links: int) -> Float[Array, "t 4 4"]:
    """Return the same for the first pair of several links that start together."""
    reached = jnp.cumsum(states[:, 0, 0])
    after = jnp.maximum(1 - reached, 0.0)
    before = jnp.concatenate([jnp.ones(1), after[:-1]])
    return states * _shared(before, after, num_links)[:, None, None]


def _shared(before: Float[Array, "t"], after: Float[Array, "t"], num_links: int) -> Float[Array, "t"]:
    """Return S(m) = (b^m - a^m) / (b - a) = b^(m-1) + b^(m-2) a + ... + a^(m-1); b - a is the probability.

    By the binary digits of m: S(2m) = S(m) (b^m + a^m), S(m + 1) = b S(m) + a^m.
    """
    found, b, a = jnp.ones_like(before), before, after
    for digit in f"{num_links:b}"[1:]:
        found, b, a = found * (b + a), b * b, a * a
        if digit == "1":
            found, b, a = before * found + a, b * before, a * after
    return found
