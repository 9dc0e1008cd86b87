"""Direct transmission: a memory emits a photon that is entangled with it, and the far node registers the photon."""

from typing import Any

from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.hardware.fibre import DEFAULT_REFRACTIVE_INDEX, hint_at_units, transmissivity, travel_time
from qtn.links.herald import heralded
from qtn.links.link import Heralded, herald
from qtn.links.midpoint import multiplexed, require_duration, require_success
from qtn.links.registered import (
    at_least_one,
    dark_count,
    non_negative_finite,
    optional_time,
    registered_state,
    scalar,
    source_weights,
)


@pytree
class DirectTransmission:
    """The left memory emits an entangled photon; it travels the whole way; the right node stores and heralds it.

    What is heralded: the right node registers a photonic qubit, in a memory that says so or with two detectors
    (`qtn.hardware.analyser`), and tells the left node. Without dark counts p = eta and the pair is the one that
    the memory emitted; with them

        p = eta + (1 - eta) pd (2 - pd),      <PP> = c_P eta (1 - pd) / p

    Note:
        Exact, Bell-diagonal, differentiable with respect to every field, double precision.

    References:
        Sangouard, Simon, de Riedmatten, Gisin, Rev. Mod. Phys. 83, 33 (2011), arXiv:0906.2699 (review of links
        with emissive and absorptive memories).
    """

    length: Float[Array, "..."]
    """Fibre from the left to the right node [m]."""

    loss: Float[Array, "..."]
    """Attenuation of the fibre [dB]."""

    source_state: Float[Array, "... 4"]
    """Bell weights of the emitted memory-photon pair."""

    efficiency: Float[Array, "..."]
    """Emission, coupling, storage and detection (not the fibre)."""

    dark_count_probability: Float[Array, "..."]
    """pd, per detector and window, in [0, 1)."""

    emission_time: Float[Array, "..."]
    """Time of one attempt that is not travel [s]."""

    refractive_index: Float[Array, "..."]
    """Group index of the fibre [1]."""

    num_modes: Float[Array, "..."]
    """m, modes tried in one attempt, >= 1."""

    attempt_time: Float[Array, "..."] | None
    """Duration of one attempt [s]; None = emission, travel of the photon and the answer's way back."""

    def heralded(self) -> Heralded:
        """Return success probability, attempt time and state of one attempt."""
        return herald_direct_transmission(self)


def herald_direct_transmission(link: DirectTransmission) -> Heralded:
    """Return what one attempt of direct transmission offers; t = emission_time + 2 L n / c, held 2 L n / c and L n / c.

    Args:
        link: its parameters.

    Returns:
        heralded: success probability, attempt time [s], state corrected to Phi+.

    Note:
        Exact, differentiable.
    """
    eta, pd = link.efficiency * transmissivity(link.loss), link.dark_count_probability
    state = registered_state(1.0, link.source_state, 1.0, eta, 0.0, pd)
    time, way = link.attempt_time, travel_time(link.length, link.refractive_index)
    if time is None:
        time = link.emission_time + 2 * way
    held = 2 * way, way  # the right memory stores the photon when it has arrived
    return heralded(state, time, multiplexed(state[0, 0], link.num_modes), held=held)


def direct_transmission(
    *,
    length: Any,
    loss: Any,
    fidelity: Any = None,
    bell_diagonal: Any = None,
    efficiency: Any = 1.0,
    dark_count_probability: Any = 0.0,
    emission_time: Any = 0.0,
    refractive_index: Any = DEFAULT_REFRACTIVE_INDEX,
    num_modes: Any = 1,
    attempt_time: Any = None,
) -> DirectTransmission:
    """Build a link over which one memory sends a photon to the other node.

    Args:
        length: fibre between the nodes [m].
        loss: its attenuation [dB].
        fidelity: of the emitted Werner pair of memory and photon, in [0, 1]; 1 by default.
        bell_diagonal: (4,), Bell weights of that pair, instead of `fidelity`.
        efficiency: emission, coupling, storage and detection, in [0, 1].
        dark_count_probability: per detector (two at the right node) and window, in [0, 1).
        emission_time: time of one attempt that is not travel [s].
        refractive_index: group index of the fibre [1], at least 1.
        num_modes: multiplexed modes, at least 1.
        attempt_time: duration of one attempt [s]; None = emission, travel and the answer's way back.

    Returns:
        link: the link.

    Raises:
        ValueError: if a value lies outside its range, an attempt takes no time, or none can succeed.

    Note:
        Exact, differentiable, double precision.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> pair = direct_transmission(length=20e3, loss=10, fidelity=0.95).heralded()
        >>> print(f"{pair.bell_diagonal[0]:.4f} {pair.p_success:.4f} {pair.attempt_time:.3e}")
        0.9500 0.1000 1.959e-04
    """
    link = DirectTransmission(
        length=scalar("length", non_negative_finite, length),
        loss=scalar("loss", non_negative_finite, loss),
        source_state=source_weights(fidelity, bell_diagonal),
        efficiency=scalar("efficiency", _checks.probability, efficiency),
        dark_count_probability=scalar("dark_count_probability", dark_count, dark_count_probability),
        emission_time=scalar("emission_time", non_negative_finite, emission_time),
        refractive_index=scalar("refractive_index", at_least_one, refractive_index),
        num_modes=scalar("num_modes", at_least_one, num_modes),
        attempt_time=optional_time(attempt_time),
    )
    hint_at_units("length", link.length, link.loss)
    if link.attempt_time is None:
        require_duration((link.length, link.emission_time))
    require_success(herald(link))
    return link
