"""Find the number of compared bits and the threshold with the largest throughput of a session."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.qkd.detection import p_accepted
from qtn.qkd.finite_key import FiniteKey, finite_key
from qtn.qkd.security import Security
from qtn.qkd.tails import Tail

POINTS, ROUNDS = 13, 6
"""Of grids over both numbers, each a third as wide as the one before."""

FINER = 6
"""Grids for the best number of compared bits of each threshold nearby, each a quarter as wide as the one before."""

SPREADS = (0.0, 7.0)
"""Thresholds that are tried, in standard deviations above the expected number of errors."""


@pytree
class Setting:
    """What a session is made of, but for its test."""

    block: Float[Array, ""]
    """Raw bits n, or signals M."""
    of_signals: Bool[Array, ""]
    """Whether `block` counts signals."""
    error_rate: Float[Array, ""]
    """Of compared bits."""
    excess: Float[Array, ""]
    """Error rate of raw bits less that of compared ones."""
    security: Security
    correction: Float[Array, ""]
    """Inefficiency of error correction."""


@pytree
class Trial:
    """A session with a test."""

    key: FiniteKey
    p_accept: Float[Array, ""]
    num_raw: Float[Array, ""]
    num_signals: Float[Array, ""]
    throughput: Float[Array, ""]
    """Secret bits per signal, aborted sessions counted; negative without a key."""


def sizes(setting: Setting, num_test: Array) -> tuple[Array, Array]:
    """Return raw bits n and signals M = (sqrt n + sqrt k)^2 of a session with k compared bits."""
    root = jnp.sqrt(setting.block)
    raw = jnp.where(setting.of_signals, jnp.maximum(root - jnp.sqrt(num_test), 0.0) ** 2, setting.block)
    return raw, jnp.where(setting.of_signals, setting.block, (root + jnp.sqrt(num_test)) ** 2)


def trial(setting: Setting, num_test: Array, max_errors: Array, tail: Tail) -> Trial:
    """Return what a session with k compared bits, of which j may be wrong, gives."""
    raw, signals = sizes(setting, num_test)
    lowest = (
        setting.error_rate + setting.excess - max_errors / num_test
    )  # errors must be corrected, whatever is allowed
    key = finite_key(
        max_errors,
        num_test,
        raw,
        setting.security,
        tail=tail,
        excess=jnp.maximum(setting.excess, lowest),
        correction=setting.correction,
    )
    accepted = p_accepted(setting.error_rate, num_test, max_errors)
    return Trial(
        key=key,
        p_accept=accepted,
        num_raw=raw,
        num_signals=signals,
        throughput=accepted * key.key_bits / signals,
    )


@pytree
class Found:
    """The best test so far, and the best number of compared bits for thresholds nearby."""

    value: Float[Array, ""]
    num_test: Float[Array, ""]
    max_errors: Float[Array, ""]
    near_errors: Float[Array, "p"]
    near_tests: Float[Array, "p"]


@partial(jax.jit, static_argnames="tail")
def best_test(setting: Setting, tail: Tail) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Return the numbers of compared bits and of tolerated errors that give most, constants for derivatives.

    Grids of whole numbers, finer and finer, then the best number of compared bits for each of the thresholds nearby.
    """
    setting = jax.lax.stop_gradient(setting)
    most = jnp.floor(jnp.maximum(jnp.where(setting.of_signals, 0.9, 3.0) * setting.block, 2.0))
    least = jnp.maximum(1e-4 * setting.block, 1.0)

    def value(num_test: Array, max_errors: Array) -> Array:
        fits = (
            (max_errors >= jnp.floor(num_test * setting.error_rate))
            & (max_errors < num_test)
            & (sizes(setting, num_test)[0] >= 1)
        )
        safe = jnp.where(fits, num_test, most / 2), jnp.where(fits, max_errors, 0.0)
        return jnp.where(fits, trial(setting, *safe, tail).throughput, -jnp.inf)

    def look(number: Array, found: Found) -> Found:
        zoomed = _zoomed(setting.error_rate, number, found, least, most)
        tests, errors = (
            jnp.where(number < ROUNDS, *pair) for pair in zip(zoomed, _beside(number, found, most), strict=True)
        )
        values = jax.vmap(value)(tests.ravel(), errors.ravel())
        best = jnp.argmax(values)
        improved = values[best] > found.value
        pick = jnp.argmax(values.reshape(tests.shape), axis=1)[:, None]
        now = Found(
            value=jnp.where(improved, values[best], found.value),
            num_test=jnp.where(improved, tests.ravel()[best], found.num_test),
            max_errors=jnp.where(improved, errors.ravel()[best], found.max_errors),
            near_errors=errors[:, 0],
            near_tests=jnp.take_along_axis(tests, pick, axis=1)[:, 0],
        )
        return jax.tree.map(partial(jnp.where, number < ROUNDS - 1), now, _nearby(number, now))

    middle, zeros = jnp.round(jnp.sqrt(least * most)), jnp.zeros(POINTS)
    start = Found(
        value=jnp.asarray(-jnp.inf),
        num_test=middle,
        max_errors=jnp.round(middle * setting.error_rate),
        near_errors=zeros,
        near_tests=zeros,
    )
    found = jax.lax.fori_loop(0, ROUNDS + FINER, look, start)
    return found.num_test, found.max_errors


def _zoomed(rate: Array, number: Array, found: Found, least: Array, most: Array) -> tuple[Array, Array]:
    """Return a grid of compared bits and thresholds around the best so far, (p, p) each."""
    shrink = 3.0 ** (-jnp.asarray(number, dtype=float))
    deviation = jnp.sqrt(found.num_test * rate * (1 - rate))
    spread = (found.max_errors - found.num_test * rate) / jnp.where(deviation > 0, deviation, 1.0)
    spread = jnp.where(number == 0, sum(SPREADS) / 2, spread)
    width = jnp.linspace(-0.5, 0.5, POINTS) * shrink
    tests = jnp.clip(jnp.round(found.num_test * (most / least) ** width), 1.0, most)
    spreads = spread + width * (SPREADS[1] - SPREADS[0])
    allowed = tests * rate + spreads[:, None] * jnp.sqrt(tests * rate * (1 - rate))
    errors = jnp.maximum(jnp.round(allowed), 0.0)
    return jnp.broadcast_to(tests, errors.shape), errors


def _nearby(number: Array, found: Found) -> Found:
    """Choose, once, the thresholds that get their own best number of compared bits."""
    errors = jnp.maximum(found.max_errors + jnp.arange(POINTS) - POINTS // 2, 0.0)
    tests = jnp.round(found.num_test * jnp.clip((errors + 1) / (found.max_errors + 1), 0.5, 2.0))
    chosen = number == ROUNDS - 1
    return Found(
        value=found.value,
        num_test=found.num_test,
        max_errors=found.max_errors,
        near_errors=jnp.where(chosen, errors, found.near_errors),
        near_tests=jnp.where(chosen, tests, found.near_tests),
    )


def _beside(number: Array, found: Found, most: Array) -> tuple[Array, Array]:
    """Return numbers of compared bits around the best one of each threshold, (p, p), and the thresholds."""
    width = jnp.linspace(-0.3, 0.3, POINTS) * 4.0 ** (ROUNDS - jnp.asarray(number, dtype=float))
    tests = jnp.clip(jnp.round(found.near_tests[:, None] * (1 + width)), 1.0, most)
    return tests, jnp.broadcast_to(found.near_errors[:, None], tests.shape)
