"""How far the error rate of bits that nobody compared may exceed that of a random sample: interchangeable bounds.

A block of n + k bits holds K errors; k bits drawn at random are compared and show j. Each bound says how improbable it
is to see so few, log P(<= j | K); the largest K that is not too improbable gives the error rate of the other n bits.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array

TERMS = 512
"""Terms of a hypergeometric tail that are added one by one; the rest is bounded by a geometric series."""

MOST_EXACT = 1e11
"""Bits above which differences of log-gamma are worth nothing."""

HALVINGS, STEPS = 50, 8
"""Of the interval in which the number of errors is looked for, and of Newton's method from there for the exact tail."""

Sample = tuple[Array, Array, Array]
"""(j, k, n)."""

LogTail = Callable[[Array, Array, Array, Array], Array]
"""log P(<= j | K) of (j, k, n, K)."""


class Tail(StrEnum):
    """A bound on the probability that a sample shows few errors."""

    EXACT = "exact"
    """The hypergeometric distribution itself."""
    CHERNOFF = "chernoff"
    """Relative entropy of the two rates."""
    HOEFFDING = "hoeffding"
    """Square of their difference, as if drawn with replacement."""
    SERFLING = "serfling"
    """Square of their difference, drawn without replacement: what published finite keys use."""
    FUNG = "fung"
    """Gaussian approximation of the hypergeometric distribution, as in published keys with decoys."""


def log_choose(total: Array, chosen: Array) -> Array:
    """Return log of a binomial coefficient of real numbers."""
    return gammaln(total + 1) - gammaln(chosen + 1) - gammaln(total - chosen + 1)


def exact(j: Array, k: Array, n: Array, total: Array) -> Array:
    """Return log P(<= j | K) of the hypergeometric distribution.

        P = sum over x = j, j - 1, ... > -1 of C(k, x) C(n, K - x) / C(n + k, K)

    Note:
        For real arguments the binomial coefficients are Gamma functions: smooth in K, k, n, continuous in j. Exact to
        rounding (that of log-gamma: 1e-15 n log n) where 512 terms hold the tail, up to some 1e7 bits; never too small
        beyond, as the remainder is bounded by a geometric series. Above 1e11 bits, where log-gamma would be off, it
        is Chernoff's bound.
    """
    x = j - jnp.arange(TERMS)
    above, below = x * (n - total + x), (k - x + 1) * (total - x + 1)
    inside = (x > 0) & (n - total + x > 0)
    ratio = jnp.where(inside, above, 1.0) / jnp.where(inside, below, 1.0)
    summed = jnp.exp(jnp.cumsum(jnp.where(inside, jnp.log(ratio), -800.0)))
    last = jnp.where(inside[-1], jnp.minimum(ratio[-1], 1 - 1e-9), 0.0)
    first = log_choose(k, j) + log_choose(n, total - j) - log_choose(n + k, total)
    found = jnp.minimum(first + jnp.log1p(jnp.sum(summed) + summed[-1] * last / (1 - last)), 0.0)
    return jnp.where(n + k > MOST_EXACT, chernoff(j, k, n, total), found)


def chernoff(j: Array, k: Array, n: Array, total: Array) -> Array:
    """Return the bound -k D(j/k || K/(n + k)), D(q || p) = q ln(q/p) + (1 - q) ln((1 - q)/(1 - p)).

    References:
        Hoeffding, J. Am. Stat. Assoc. 58, 13 (1963), Theorem 1 and section 6 (it holds without replacement as well).
    """
    p = jnp.minimum(total / (n + k), 1 - 1e-15)
    return -(_relative(j, k * p) + _relative(k - j, k * (1 - p)))


def hoeffding(j: Array, k: Array, n: Array, total: Array) -> Array:
    """Return the bound -2 k (K/(n + k) - j/k)^2.

    References:
        Hoeffding, J. Am. Stat. Assoc. 58, 13 (1963), Theorem 2 and section 6.
    """
    return -2 * k * jnp.maximum(total / (n + k) - j / k, 0.0) ** 2


def serfling(j: Array, k: Array, n: Array, total: Array) -> Array:
    """Return the bound -2 n k^2 mu^2 / ((n + k)(k + 1)), mu = (K - j)/n - j/k.

    References:
        Serfling, Ann. Stat. 2, 39 (1974); Tomamichel et al., Nat. Commun. 3, 634 (2012), arXiv:1103.4130, Eq. (2).
    """
    excess = jnp.maximum((total - j) / n - j / k, 0.0)
    return -2 * n * k**2 * excess**2 / ((n + k) * (k + 1))


def fung(j: Array, k: Array, n: Array, total: Array) -> Array:
    """Return a Gaussian approximation, with the rate b = j/k and g = (K - j)/n - b.

        ln[(k + n)/(k n (1 - b) b)]/2 - g^2 k n ln(2)^2/(2 (k + n)(1 - b) b)

    Note:
        An approximation for many errors, and no bound. With none it says nothing, and any rate is plausible.

    References:
        Fung, Ma, Chau, Phys. Rev. A 81, 012318 (2010), arXiv:0910.0312;
        Lim et al., Phys. Rev. A 89, 022307 (2014), arXiv:1311.7129, below Eq. (5).
    """
    mixed = (j > 0) & (j < k)
    b = jnp.where(mixed, j / k, 0.5)
    variance = (k + n) * (1 - b) * b / (k * n)
    excess = jnp.maximum((total - j) / n - b, 0.0)
    steepness = jnp.log(2.0) ** 2 / (2 * variance)
    return jnp.where(mixed, jnp.log((k + n) / (k * n * (1 - b) * b)) / 2 - excess**2 * steepness, 0.0)


TAILS: dict[Tail, LogTail] = {
    Tail.EXACT: exact,
    Tail.CHERNOFF: chernoff,
    Tail.HOEFFDING: hoeffding,
    Tail.SERFLING: serfling,
    Tail.FUNG: fung,
}


def rate_of_rest(
    errors: Array,
    num_test: Array,
    num_raw: Array,
    log_failure: Array,
    tail: Tail = Tail.EXACT,
) -> Array:
    """Return the largest error rate of the other bits that a sample leaves plausible; `highest_rate` within `jit`.

    Args (shapes broadcast):
        errors: j, seen among the compared bits; real.
        num_test: k.
        num_raw: n.
        log_failure: natural logarithm of the probability with which the rate may be higher.
        tail: which bound.
    """
    shape = jnp.broadcast_shapes(*(jnp.shape(x) for x in (errors, num_test, num_raw, log_failure)))
    flat = [jnp.ravel(jnp.broadcast_to(jnp.asarray(x, float), shape)) for x in (errors, num_test, num_raw, log_failure)]
    return jnp.reshape(jax.vmap(lambda j, k, n, p: _rate(j, k, n, p, tail))(*flat), shape)


def highest_rate(
    errors: Any, num_test: Any, num_raw: Any, p_failure: Any, *, tail: Tail | str = Tail.EXACT
) -> Float[Array, "*s"]:
    """Return the error rate that n bits exceed with at most a given probability, after k others showed j errors.

        rate = (K* - j)/n,   K* the root of P(<= j | K) = p_failure

    Args:
        errors: j, seen among the compared bits; may be real.
        num_test: k, compared bits.
        num_raw: n, the others.
        p_failure: probability with which the rate may be higher [1], in (0, 1).
        tail: which bound on P; a `Tail` or its word.

    Returns:
        rate: between j/k and 1.

    Raises:
        ValueError: if a number lies outside its range.

    Note:
        K* by bisection, to 1e-15 of the block (exact: then by Newton's method, from above); its derivatives by the
        implicit function theorem, first order. For `"exact"` those by j are one-sided, as the number of terms changes
        at whole numbers.

    References:
        Hoeffding, J. Am. Stat. Assoc. 58, 13 (1963); Serfling, Ann. Stat. 2, 39 (1974).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> [round(float(highest_rate(20, 1000, 10_000, 1e-10, tail=tail)), 4) for tail in ("exact", "serfling")]
        [0.065, 0.1326]
    """
    kind = _checks.choice("tail", tail, Tail)
    k = _checks.require("num_test", num_test, lambda v: (v > 0) & jnp.isfinite(v), "be positive and finite")
    n = _checks.positive_finite("num_raw", num_raw)
    j = _checks.non_negative_finite("errors", errors)
    _checks.require("errors", j - k, lambda v: v <= 0, "be at most `num_test`")
    p = _checks.require("p_failure", p_failure, lambda v: (v > 0) & (v < 1), "lie in (0, 1)")
    return _compiled(j, k, n, jnp.log(p), kind)


def _rate(j: Array, k: Array, n: Array, log_failure: Array, tail: Tail) -> Array:
    """Return the rate of one sample."""
    sample, level = jax.lax.stop_gradient(((j, k, n), log_failure))
    lowest, highest = sample[0] * (1 + sample[2] / sample[1]), sample[0] + sample[2]
    log_tail = TAILS[tail]
    if tail is Tail.EXACT:
        root = _from_above(sample, level, _halved(chernoff, sample, level, lowest, highest), lowest)
    else:
        root = _halved(log_tail, sample, level, lowest, highest)
    inside = (root > lowest + 1e-12 * sample[2]) & (root < highest - 1e-12 * sample[2])
    point = jnp.where(inside, root, (lowest + highest) / 2)
    slope = jax.lax.stop_gradient(jax.grad(lambda total: log_tail(*sample, total))(point))
    moved = root - jnp.where(inside, log_tail(j, k, n, point) - log_failure, 0.0) / jnp.where(inside, slope, 1.0)
    return jnp.where(inside, (moved - j) / n, jnp.where(root < (lowest + highest) / 2, j / k, 1.0))


def _halved(log_tail: LogTail, sample: Sample, level: Array, low: Array, high: Array) -> Array:
    """Return the root by bisection."""

    def halve(_: Array, interval: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = interval
        middle = (low + high) / 2
        plausible = log_tail(*sample, middle) > level
        return jnp.where(plausible, middle, low), jnp.where(plausible, high, middle)

    low, high = jax.lax.fori_loop(0, HALVINGS, halve, (low, high))
    return (low + high) / 2


def _from_above(sample: Sample, level: Array, start: Array, lowest: Array) -> Array:
    """Return the root of the exact tail, whose logarithm is concave in K, by Newton steps down from a bound on it."""

    def step(_: Array, total: Array) -> Array:
        value, slope = jax.jvp(lambda moved: exact(*sample, moved), (total,), (jnp.ones_like(total),))
        moved = total - (value - level) / jnp.where(slope < 0, slope, -1.0)
        return jnp.clip(jnp.where(slope < 0, moved, lowest), lowest, total)

    return jax.lax.fori_loop(0, STEPS, step, start)


def _relative(part: Array, mean: Array) -> Array:
    """Return x ln(x/m), 0 at x = 0."""
    safe = jnp.where(part > 0, part, 1.0)
    return jnp.where(part > 0, safe * jnp.log(safe / mean), 0.0)


_compiled = jax.jit(rate_of_rest, static_argnames="tail")
