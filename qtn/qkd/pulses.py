"""Weak coherent pulses: intensities with probabilities, the line they go through, and what a receiver counts."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.hardware.fibre import transmissivity

MOST_DARK = (lambda p: (p >= 0) & (p <= 0.1), "lie in [0, 0.1]: two dark counts in one pulse are left out")
"""Rule for dark counts, which count to first order, as in the references."""


@pytree
class Pulses:
    """What is sent: pulses of random phase with one of some mean photon numbers; built by `pulses`."""

    intensities: Float[Array, "i"]
    """Mean photon numbers, falling."""
    probabilities: Float[Array, "i"]
    """Of each, sum 1."""
    p_key_basis: Float[Array, ""]
    """Probability with which either party takes the key basis."""


@pytree
class Receiver:
    """What receives: a line and two threshold detectors; built by `receiver`. Numbers of any shape are many lines."""

    transmissivity: Float[Array, "..."]
    """Probability that a photon that was sent meets a detector that would click for it."""
    dark_count_probability: Float[Array, "..."]
    """Per detector and pulse."""
    misalignment: Float[Array, "..."]
    """Probability that a photon meets the wrong detector."""
    after_pulse_probability: Float[Array, "..."]
    """Probability that a click makes another one, with a random bit."""
    dead_pulses: Float[Array, "..."]
    """Pulses for which detectors are blind after a click."""


@pytree
class Counts:
    """Detections and errors, expected or sampled, of pulses measured in the basis in which they were sent."""

    key_detections: Float[Array, "*s i"]
    """For each intensity, in the key basis."""
    key_errors: Float[Array, "*s i"]
    test_detections: Float[Array, "*s i"]
    """For each intensity, in the other basis."""
    test_errors: Float[Array, "*s i"]


def pulses(intensities: Any, probabilities: Any, p_key_basis: Any = 0.5) -> Pulses:
    """Return weak pulses: a signal and its decoys.

    Args:
        intensities: (i,) mean photon numbers, each below the one before; the last may be 0.
        probabilities: (i,), sum 1.
        p_key_basis: probability of the key basis, in (0, 1).

    Raises:
        ValueError: if intensities are out of order, or probabilities do not sum to 1.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> pulses([0.5, 0.1, 0.0], [0.7, 0.2, 0.1]).intensities.tolist()
        [0.5, 0.1, 0.0]
    """
    mu = _checks.non_negative_finite("intensities", intensities)
    p = _checks.probability("probabilities", probabilities)
    if np.shape(mu) != np.shape(p) or np.ndim(mu) != 1:
        raise ValueError(
            "Arguments `intensities` and `probabilities` must be of one length, "
            f"but have shapes {np.shape(mu)} and {np.shape(p)}."
        )
    known = _checks.known(mu)
    if known is not None and np.any(np.diff(known) >= 0):
        raise ValueError(f"Argument `intensities` must fall from one to the next, but is {known.tolist()}: sort them.")
    total = _checks.known(p)
    if total is not None and abs(total.sum() - 1) > 1e-9:
        raise ValueError(f"Argument `probabilities` must sum to 1, but {total.tolist()} sums to {total.sum():.12g}.")
    basis = _checks.require("p_key_basis", p_key_basis, lambda v: (v > 0) & (v < 1), "lie in (0, 1)")
    return Pulses(intensities=mu, probabilities=p, p_key_basis=basis)


def receiver(
    loss: Any,
    efficiency: Any = 1.0,
    dark_count_probability: Any = 0.0,
    misalignment: Any = 0.0,
    after_pulse_probability: Any = 0.0,
    dead_pulses: Any = 0.0,
) -> Receiver:
    """Return a line and its detectors.

    Args:
        loss: of the line [dB].
        efficiency: of receiver and detectors together, in [0, 1].
        dark_count_probability: per detector and pulse, in [0, 0.1]: two in one pulse are left out.
        misalignment: probability of the wrong detector, in [0, 1/2].
        after_pulse_probability: in [0, 1].
        dead_pulses: dead time, in pulses.

    Raises:
        ValueError: if a number lies outside its range.
    """
    return Receiver(
        transmissivity=transmissivity(_checks.non_negative("loss", loss))
        * _checks.probability("efficiency", efficiency),
        dark_count_probability=_checks.require("dark_count_probability", dark_count_probability, *MOST_DARK),
        misalignment=_checks.require("misalignment", misalignment, lambda v: (v >= 0) & (v <= 0.5), "lie in [0, 1/2]"),
        after_pulse_probability=_checks.probability("after_pulse_probability", after_pulse_probability),
        dead_pulses=_checks.non_negative_finite("dead_pulses", dead_pulses),
    )


def gains(receive: Receiver, intensities: Float[Array, "i"]) -> tuple[Float[Array, "... i"], Float[Array, "... i"]]:
    """Return the probabilities of a click and of a wrong click, for each intensity; of many lines at once as well.

        D = 1 - (1 - 2 p_dc) e^(-eta mu),   click = D (1 + p_ap),   wrong = p_dc + e_mis (1 - e^(-eta mu)) + p_ap D / 2

    Note:
        After-pulses to first order in p_ap, as in the reference (its printed error has the transmissivity of the line
        alone, a misprint). Exact in intensity and line, differentiable.

    References:
        Lim et al., Phys. Rev. A 89, 022307 (2014), arXiv:1311.7129, section IV.
    """
    seen = jax.tree.map(lambda leaf: jnp.asarray(leaf)[..., None], receive)
    lit = -jnp.expm1(-seen.transmissivity * jnp.asarray(intensities))
    clicks = lit + 2 * seen.dark_count_probability * (1 - lit)
    after = seen.after_pulse_probability
    wrong = seen.dark_count_probability + seen.misalignment * lit + after * clicks / 2
    return clicks * (1 + after), wrong


def expected_counts(sent: Pulses, receive: Receiver, num_pulses: Any) -> Counts:
    """Return what is counted on average.

        n_k = N p_k q^2 click_k / (1 + d mean click)    with q the probability of the basis, d the dead time in pulses

    Args:
        sent: intensities, probabilities, bases.
        receive: line and detectors; where they change with time, numbers of any shape, one for each stretch of time.
        num_pulses: N; of each stretch, whose counts are added.

    Raises:
        ValueError: if N is negative or infinite.

    Note:
        Means, real numbers: differentiable by all of them. A dead time takes the part of pulses that meet blind
        detectors, that of a non-paralysable counter.
    """
    num_pulses = _checks.non_negative_finite("num_pulses", num_pulses)
    clicks, wrong = gains(receive, sent.intensities)
    awake = 1 / (1 + receive.dead_pulses * jnp.sum(sent.probabilities * clicks, -1))
    seen = jnp.asarray(num_pulses * awake)[..., None] * sent.probabilities
    detections, errors = (jnp.sum(seen * each, range(seen.ndim - 1)) for each in (clicks, wrong))
    key, test = sent.p_key_basis**2, (1 - sent.p_key_basis) ** 2
    return Counts(
        key_detections=key * detections,
        key_errors=key * errors,
        test_detections=test * detections,
        test_errors=test * errors,
    )


def sampled_counts(expected: Counts, key: Array) -> Counts:
    """Return whole numbers of detections and errors with these means: Poisson, errors and right detections apart.

    Args:
        expected: means.
        key: of `jax.random`.

    Note:
        Exact where a pulse is rarely detected, as the counts of many pulses are then Poisson; no derivative.
    """
    keys = jax.random.split(key, 4)
    wrong = [
        jax.random.poisson(k, m) for k, m in zip(keys[:2], (expected.key_errors, expected.test_errors), strict=True)
    ]
    right = [
        jax.random.poisson(k, m)
        for k, m in zip(
            keys[2:],
            (expected.key_detections - expected.key_errors, expected.test_detections - expected.test_errors),
            strict=True,
        )
    ]
    return Counts(
        key_detections=jnp.asarray(wrong[0] + right[0], float),
        key_errors=jnp.asarray(wrong[0], float),
        test_detections=jnp.asarray(wrong[1] + right[1], float),
        test_errors=jnp.asarray(wrong[1], float),
    )
