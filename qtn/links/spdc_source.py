"""A source of entangled light (down-conversion) on the ground, whose pairs travel through fibre to both nodes."""

from typing import Any

from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.hardware.fibre import transmissivity
from qtn.links.herald import heralded
from qtn.links.link import Heralded, herald
from qtn.links.midpoint import multiplexed, require_success
from qtn.links.registered import at_least_one, dark_count, non_negative_finite, optional_time, scalar, spdc_state


@pytree
class SpdcSource:
    """Pulses of entangled light; each node analyses its photons with two threshold detectors.

    All multi-pair terms, losses and dark counts are in (`registered.spdc_state`): brighter pulses register more
    often and correlate less. Few pairs, no dark counts: p = mu etaA etaB and <PP> = V (1 - mu/2 + ...).

    Note:
        Exact for nodes that measure at once. A memory that stores what arrives is modelled as keeping one qubit
        with the same statistics. Pulses follow each other without waiting for an answer: an attempt takes one
        period of the source. Differentiable with respect to every field, double precision.

    References:
        Ma, Fung, Lo, Phys. Rev. A 76, 012307 (2007), arXiv:quant-ph/0703122.
    """

    loss_left: Float[Array, "..."]
    """Attenuation of the left fibre [dB]."""

    loss_right: Float[Array, "..."]
    """Attenuation of the right fibre [dB]."""

    mean_pairs: Float[Array, "..."]
    """mu, mean number of pairs in one pulse, >= 0."""

    efficiency: Float[Array, "..."]
    """Heralding efficiency: coupling and detection (not the fibre), per arm."""

    visibility: Float[Array, "..."]
    """V of the correlations apart from multi-pair terms, in [0, 1]."""

    dark_count_probability: Float[Array, "..."]
    """pd, per detector and window, in [0, 1)."""

    num_modes: Float[Array, "..."]
    """m, modes tried in one attempt, >= 1."""

    attempt_time: Float[Array, "..."]
    """Period of the source [s]."""

    def heralded(self) -> Heralded:
        """Return success probability, attempt time and state of one attempt."""
        return herald_spdc_source(self)


def herald_spdc_source(link: SpdcSource) -> Heralded:
    """Return what one pulse offers; the formula is that of `registered.spdc_state`.

    Args:
        link: its parameters.

    Returns:
        heralded: success probability, attempt time [s], state corrected to Phi+.

    Note:
        Exact, differentiable.
    """
    eta_left = link.efficiency * transmissivity(link.loss_left)
    eta_right = link.efficiency * transmissivity(link.loss_right)
    state = spdc_state(link.mean_pairs, link.visibility, eta_left, eta_right, link.dark_count_probability)
    return heralded(state, link.attempt_time, multiplexed(state[0, 0], link.num_modes))


def attempt_period(repetition_rate: Any, attempt_time: Any) -> Array:
    """Return the checked time of one attempt: as given, or the period of a repetition rate [Hz]."""
    if (repetition_rate is None) == (attempt_time is None):
        raise ValueError("Exactly one of the arguments `repetition_rate` and `attempt_time` must be given.")
    given = optional_time(attempt_time)
    return 1 / scalar("repetition_rate", _checks.positive_finite, repetition_rate) if given is None else given


def spdc_source(
    *,
    loss_left: Any,
    loss_right: Any,
    mean_pairs: Any,
    repetition_rate: Any = None,
    attempt_time: Any = None,
    efficiency: Any = 1.0,
    visibility: Any = 1.0,
    dark_count_probability: Any = 0.0,
    num_modes: Any = 1,
) -> SpdcSource:
    """Build a link fed by a source of entangled light between its nodes.

    Args:
        loss_left: attenuation of the left fibre [dB].
        loss_right: attenuation of the right fibre [dB].
        mean_pairs: mean number of pairs in one pulse, >= 0.
        repetition_rate: pulses per second [Hz].
        attempt_time: period of the source [s], instead of `repetition_rate`.
        efficiency: coupling and detection, per arm, in [0, 1].
        visibility: of the correlations apart from multi-pair terms, in [0, 1].
        dark_count_probability: per detector (two per node) and window, in [0, 1).
        num_modes: multiplexed modes, at least 1.

    Returns:
        link: the link.

    Raises:
        ValueError: if a value lies outside its range, or no attempt can succeed.

    Note:
        Exact, differentiable, double precision.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> pair = spdc_source(loss_left=10, loss_right=10, mean_pairs=0.01, repetition_rate=1e9).heralded()
        >>> print(f"{pair.bell_diagonal[0]:.4f} {pair.p_success:.3e}")
        0.9933 1.012e-04
    """
    link = SpdcSource(
        loss_left=scalar("loss_left", non_negative_finite, loss_left),
        loss_right=scalar("loss_right", non_negative_finite, loss_right),
        mean_pairs=scalar("mean_pairs", non_negative_finite, mean_pairs),
        efficiency=scalar("efficiency", _checks.probability, efficiency),
        visibility=scalar("visibility", _checks.probability, visibility),
        dark_count_probability=scalar("dark_count_probability", dark_count, dark_count_probability),
        num_modes=scalar("num_modes", at_least_one, num_modes),
        attempt_time=attempt_period(repetition_rate, attempt_time),
    )
    require_success(herald(link))
    return link
