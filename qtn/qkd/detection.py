"""How soon the parties notice an attack: a fixed number of bits, or Wald's sequential test."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import betainc, xlog1py, xlogy
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.qkd.attacks import Attack, error_rate
from qtn.qkd.tails import log_choose

MOST_BITS = 2**15
"""Bits after which a sequential test is given up."""

TOO_CLOSE = f"The sequential test goes on for more than {MOST_BITS} bits: the two error rates are too close."

LEFT = 1e-15
"""Probability that the test still runs at which its exact sums end."""


def p_accepted(rate: Any, num_test: Any, max_errors: Any) -> Float[Array, ""]:
    """Return the probability that a test of k bits shows at most j errors where each is wrong with a given probability.

    Args:
        rate: probability that a bit is wrong, in [0, 1].
        num_test: k.
        max_errors: j < k.

    Note:
        Exact, by the incomplete beta function: to 1e-10 for a million bits, 3e-8 for 1e9 and 3e-5 for 1e12.
        Differentiable in `rate`, also at 0 and 1, first order; k and j are whole and count as constants.
    """
    q, k, j = (jnp.asarray(x, dtype=float) for x in (rate, num_test, max_errors))
    fixed, k, j = jax.lax.stop_gradient((q, k, j))
    accepted = betainc(jnp.maximum(k - j, 1e-300), j + 1, 1 - fixed)
    others = jnp.maximum(k - j - 1, 0.0)
    density = log_choose(k, j) + jnp.log(jnp.maximum(k - j, 1e-300)) + xlogy(j, fixed) + xlog1py(others, -fixed)
    return accepted - jax.lax.stop_gradient(jnp.exp(density)) * (q - fixed)


NUDGE = 1e-4
"""Relative change of a number of bits, whose effect stands for a derivative."""


def p_below(rate: Any, num_test: Any, threshold: Any) -> Float[Array, ""]:
    """Return the probability that at most a part of some compared bits is wrong: `p_accepted` of expected numbers.

    Args:
        rate: probability that a bit is wrong, in [0, 1].
        num_test: k, real: an expected number.
        threshold: a, at most a k bits are wrong; a k is real too.

    Note:
        The binomial distribution continued in k and a k. Differentiable in `rate` as `p_accepted`, in `num_test` and
        `threshold` by central differences, to some 1e-6 of it, first order.
    """
    q, k, a = (jnp.asarray(x, dtype=float) for x in (rate, num_test, threshold))
    fixed_q, fixed_k, fixed_a = jax.lax.stop_gradient((q, k, a))

    def at(number: Array, part: Array) -> Array:
        return p_accepted(fixed_q, number, jnp.minimum(part, 1.0) * number)

    by_number = (at(fixed_k * (1 + NUDGE), fixed_a) - at(fixed_k * (1 - NUDGE), fixed_a)) / 2
    spread = NUDGE * (jnp.abs(fixed_a - fixed_q) + jnp.sqrt(fixed_q * (1 - fixed_q) / jnp.maximum(fixed_k, 1.0)))
    by_part = (at(fixed_k, fixed_a + spread) - at(fixed_k, jnp.maximum(fixed_a - spread, 0.0))) / 2
    relative = (k - fixed_k) / (NUDGE * jnp.where(fixed_k > 0, fixed_k, 1.0))
    moved = by_number * relative + by_part * (a - fixed_a) / jnp.where(spread > 0, spread, 1.0)
    return p_accepted(q, fixed_k, fixed_a * fixed_k) + moved


def bits_to_detect(attack: Attack, p_undetected: float = 1e-9) -> int:
    """Return how many compared bits show an error, but for a given probability, if only an attack makes any.

        n = ceil[ln p_undetected / ln(1 - e)],   e the error rate of the attack, averaged over both bases

    Args:
        attack: an eavesdropper.
        p_undetected: probability that all n bits agree, in (0, 1).

    Raises:
        ValueError: if the probability lies outside, or the attack makes no errors.

    References:
        Bennett, Bessette, Brassard, Salvail, Smolin, J. Cryptology 5, 3 (1992).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.qkd import intercept_resend
        >>> bits_to_detect(intercept_resend(1.0)), bits_to_detect(intercept_resend(0.4))
        (73, 197)
    """
    p = float(_checks.require("p_undetected", p_undetected, lambda v: (v > 0) & (v < 1), "lie in (0, 1)"))
    rate = float(error_rate(attack))
    if rate <= 0:
        raise ValueError("Argument `attack` makes no errors, so no number of compared bits detects it.")
    return max(math.ceil(math.log(p) / math.log1p(-rate) - 1e-9), 1)


@pytree
class SequentialTest:
    """Wald's test of an honest error rate against one under attack, and how many bits it takes."""

    accept_below: Float[Array, ""]
    """Log-likelihood ratio (attack over honest) at which the test ends: no attack."""
    alarm_above: Float[Array, ""]
    """... and at which it ends with an alarm."""
    bits_honest: Float[Array, ""]
    """Mean number of bits without attack, Wald's approximation (no overshoot)."""
    bits_attacked: Float[Array, ""]
    """Mean number of bits under attack, Wald's approximation."""


def sequential_test(honest: Any, under_attack: Any, false_alarm: Any = 1e-6, missed: Any = 1e-9) -> SequentialTest:
    """Return Wald's sequential test: compare bit after bit until their likelihood ratio says attack or none.

        A = ln((1 - beta)/alpha), B = ln(beta/(1 - alpha)), d = q ln(q1/q0) + (1 - q) ln((1 - q1)/(1 - q0)),
        bits = [(1 - alpha) B + alpha A]/d(q0) without, [beta B + (1 - beta) A]/d(q1) under attack

    Args:
        honest: q0, error rate without attack, in (0, 1).
        under_attack: q1 > q0.
        false_alarm: alpha, probability of an alarm without attack.
        missed: beta, probability of none under attack.

    Raises:
        ValueError: if a number lies outside its range.

    Note:
        The means neglect by how much the ratio passes a bound; `exact_bits` does not. Differentiable.

    References:
        Wald, Ann. Math. Stat. 16, 117 (1945).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> test = sequential_test(0.03, 0.25)
        >>> round(float(test.bits_honest), 1), round(float(test.bits_attacked), 1)
        (111.5, 41.0)
    """
    inside = ("lie in (0, 1)", lambda v: (v > 0) & (v < 1))
    q0, q1, alpha, beta = (
        jnp.asarray(_checks.require(name, value, inside[1], inside[0]))
        for name, value in (
            ("honest", honest),
            ("under_attack", under_attack),
            ("false_alarm", false_alarm),
            ("missed", missed),
        )
    )
    _checks.require("under_attack", q1 - q0, lambda v: v > 0, "be above `honest`: their difference must be positive")
    error, right = jnp.log(q1 / q0), jnp.log1p(-q1) - jnp.log1p(-q0)
    alarm, accept = jnp.log1p(-beta) - jnp.log(alpha), jnp.log(beta) - jnp.log1p(-alpha)
    bits = [
        (weight * accept + (1 - weight) * alarm) / (q * error + (1 - q) * right)
        for q, weight in ((q0, 1 - alpha), (q1, beta))
    ]
    return SequentialTest(accept_below=accept, alarm_above=alarm, bits_honest=bits[0], bits_attacked=bits[1])


@pytree
class SequentialCourse:
    """How a sequential test goes at some error rate."""

    mean_bits: Float[Array, ""]
    p_alarm: Float[Array, ""]


def exact_bits(test: SequentialTest, honest: float, under_attack: float, rate: float) -> SequentialCourse:
    """Return the exact mean number of bits of a sequential test and its probability to end in an alarm.

    The distribution of the number of errors is followed bit by bit until the test has ended.

    Args:
        test: of `sequential_test`.
        honest: q0, for which it was made.
        under_attack: q1, for which it was made.
        rate: true error rate, in [0, 1].

    Raises:
        ValueError: if the test goes on for more than 32,768 bits, or a number lies outside its range.

    Note:
        Exact to 1e-14, on known numbers; not differentiable.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> test = sequential_test(0.03, 0.25)
        >>> [round(float(exact_bits(test, 0.03, 0.25, rate).mean_bits), 3) for rate in (0.03, 0.25)]
        [112.251, 43.584]
    """
    _checks.probability("rate", rate)
    sequential_test(honest, under_attack)
    if max(float(test.bits_honest), float(test.bits_attacked)) > MOST_BITS:
        raise ValueError(TOO_CLOSE)
    error = math.log(under_attack / honest)
    right = math.log1p(-under_attack) - math.log1p(-honest)
    low, high = float(test.accept_below), float(test.alarm_above)
    running, mean, alarm = np.ones(1), 0.0, 0.0
    for num_bits in range(1, MOST_BITS):
        mean += running.sum()
        running = np.append(running * (1 - rate), 0.0) + np.append(0.0, running * rate)
        errors = np.arange(num_bits + 1)
        ratio = errors * error + (num_bits - errors) * right
        alarm += running[ratio >= high].sum()
        running = np.where((ratio > low) & (ratio < high), running, 0.0)
        if running.sum() < LEFT:
            return SequentialCourse(mean_bits=jnp.asarray(mean), p_alarm=jnp.asarray(alarm))
    raise ValueError(TOO_CLOSE)


def detection_sentence(p_undetected: float, num_test: float, threshold: float) -> str:
    """Say in plain words how surely a test catches an attack."""
    caught = "surely" if p_undetected < 1e-15 else f"with probability 1 - {p_undetected:.2g}"
    if p_undetected > 0.01:
        caught = f"with probability {1 - p_undetected:.4g}"
    return (
        f"At a threshold of {100 * threshold:.3g} % this attack is caught {caught} after {num_test:.0f} compared bits."
    )


def honest_sentence(p_abort: float, num_test: float, threshold: float) -> str:
    """Say in plain words what a test costs where nobody attacks."""
    return (
        f"At a threshold of {100 * threshold:.3g} % {100 * p_abort:.3g} % of the sessions without an attack are "
        f"aborted after {num_test:.0f} compared bits."
    )
