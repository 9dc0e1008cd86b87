"""The key of a finite block of weak pulses with two decoys."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.merit.entropy import binary_entropy
from qtn.qkd.assumptions import Assumptions
from qtn.qkd.fluctuations import interval
from qtn.qkd.pulses import Counts, Pulses
from qtn.qkd.security import Security, checked
from qtn.qkd.tails import Tail, rate_of_rest

CORRECTION = 1.16
"""Bits that error correction reveals, over those that Shannon's bound demands, as published."""

TERMS = 21
"""Parts that the secrecy is divided into."""


@pytree
class DecoyKey:
    """What a block of pulses gives."""

    key_bits: Float[Array, ""]
    """Secret bits; negative where there is no key, and to be rounded down."""
    vacuum: Float[Array, ""]
    """Bound on detections in the key basis without a photon."""
    single: Float[Array, ""]
    """Bound on those with one photon."""
    phase_error: Float[Array, ""]
    """Bound on the rate of phase errors of those."""
    leak_bits: Float[Array, ""]
    """Bits that error correction reveals."""
    security: Security
    """What the key is secure to; the distances of several keys add (`Security.composed`)."""
    assumptions: Assumptions = static(default=Assumptions())

    def sentences(self) -> list[str]:
        """Say what is assumed, and what breaks where it is false."""
        return self.assumptions.sentences()


def decoy_key(
    sent: Pulses,
    counts: Counts,
    security: Security = Security(),
    *,
    tail: Tail | str = Tail.EXACT,
    correction: Any = CORRECTION,
    assumptions: Assumptions = Assumptions(),
) -> DecoyKey:
    """Return the key of three intensities and a finite block.

        l = s_0 + s_1 (1 - h(phi)) - f n h(m/n) - 6 log2(21/eps_sec) - log2(2/eps_cor)

    s_0 and s_1 are bounds on the detections of no and of one photon in the key basis, phi that on the phase errors of
    the latter, from the errors of single photons in the other basis; each may fail with probability eps_sec/21.

    Args:
        sent: three intensities, falling, the first above the sum of the others.
        counts: detections and errors, expected (then l is the typical key) or counted.
        security: secrecy eps_sec and correctness eps_cor.
        tail: `Tail.FUNG` is the published key; others take their bound for phi, and for the counts Hoeffding's or
            (exact and Chernoff) that of Chernoff.
        correction: f >= 1, inefficiency of error correction.
        assumptions: that the result carries.

    Raises:
        ValueError: unless there are three intensities in that order, or if a number lies outside its range.

    Note:
        Differentiable to first order in all counts, intensities and probabilities. Where s_1 is not positive there is
        no key, and phi counts as 1/2; so it does where traced intensities are out of order.

    References:
        Lim, Curty, Walenta, Xu, Zbinden, Phys. Rev. A 89, 022307 (2014), arXiv:1311.7129, Eqs. (1) to (5).
    """
    kind = _checks.choice("tail", tail, Tail)
    require_decoys(sent)
    demand = checked(security)
    correction = _checks.at_least_one("correction", correction)
    secrecy, correctness = jnp.asarray(demand.secrecy), jnp.asarray(demand.correctness)
    log_failure = jnp.log(secrecy / TERMS)
    mu1, mu2, mu3 = sent.intensities
    p_of = [jnp.sum(sent.probabilities * jnp.exp(-sent.intensities) * sent.intensities**k) for k in (0, 1)]
    scale = jnp.exp(sent.intensities) / sent.probabilities

    def bounds(detections: Array) -> tuple[Array, Array]:
        low, high = interval(detections, log_failure, kind)
        return scale * low, scale * high

    def photons(detections: Array) -> tuple[Array, Array]:
        low, high = bounds(detections)
        none = jnp.maximum(p_of[0] * (mu2 * low[2] - mu3 * high[1]) / (mu2 - mu3), 0.0)
        several = (mu2**2 - mu3**2) / mu1**2 * (high[0] - none / p_of[0])
        one = p_of[1] * mu1 * (low[1] - high[2] - several) / (mu1 * (mu2 - mu3) - mu2**2 + mu3**2)
        return none, one

    none, one = photons(counts.key_detections)
    tested = photons(counts.test_detections)[1]
    low, high = bounds(counts.test_errors)
    wrong = p_of[1] * (high[1] - low[2]) / (mu2 - mu3)
    ordered = (mu1 > mu2 + mu3) & (mu2 > mu3)
    usable = ordered & (one > 1) & (tested > 1) & (wrong < tested / 2)
    errors = jnp.where(usable, jnp.maximum(wrong, 1e-9), 1.0)
    rate = rate_of_rest(errors, jnp.where(usable, tested, 10.0), jnp.where(usable, one, 10.0), log_failure, kind)
    phase_error = jnp.where(usable, jnp.minimum(rate, 0.5), 0.5)
    total = jnp.sum(counts.key_detections)
    leak = correction * total * binary_entropy(jnp.sum(counts.key_errors) / jnp.where(total > 0, total, 1.0))
    spent = 6 * jnp.log2(TERMS / secrecy) + jnp.log2(2 / correctness)
    kept = jnp.where(ordered, none + jnp.maximum(one, 0.0) * (1 - binary_entropy(phase_error)), 0.0)
    return DecoyKey(
        key_bits=kept - leak - spent,
        vacuum=none,
        single=one,
        phase_error=phase_error,
        leak_bits=jnp.asarray(leak),
        security=jax.tree.map(jnp.asarray, demand),
        assumptions=assumptions,
    )


def require_decoys(sent: Pulses) -> None:
    """Raise unless three intensities allow the bounds.

    Raises:
        ValueError: with what is wrong.
    """
    if jnp.shape(sent.intensities) != (3,):
        raise ValueError(
            "Argument `sent` must have three intensities, a signal and two decoys, "
            f"but has {jnp.size(sent.intensities)}."
        )
    known = _checks.known(sent.intensities)
    if known is not None and not known[0] > known[1] + known[2]:
        raise ValueError(
            "Argument `sent` must have a first intensity above the sum of the others, "
            f"but has {known.tolist()}: weaken the decoys."
        )
    often = _checks.known(sent.probabilities)
    if often is not None and not np.all(often > 0):
        raise ValueError(
            f"Argument `sent` must have three positive probabilities, but has {often.tolist()}: what is never sent "
            "bounds nothing."
        )
