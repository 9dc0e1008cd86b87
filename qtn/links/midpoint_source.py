"""A source of entangled pairs half-way: both photons travel to the nodes, which register them."""

from typing import Any

import jax.numpy as jnp
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
class MidpointSource:
    """A source emits a pair with probability p_source; each node stores its photon and heralds that it did.

    Without dark counts p = p_source etaA etaB and F = F_source; false heralds are counted exactly
    (`registered.registered_state`).

    Note:
        Exact, Bell-diagonal, differentiable with respect to every field, double precision. The source emits at
        most one pair; for down-conversion see `SpdcSource`.

    References:
        Jones, Kim, Rakher, Kwiat, Ladd, New J. Phys. 18, 083015 (2016), arXiv:1505.01536 (the architecture).
    """

    length_left: Float[Array, "..."]
    """Fibre from the source to the left node [m]."""

    length_right: Float[Array, "..."]
    """Fibre from the source to the right node [m]."""

    loss_left: Float[Array, "..."]
    """Attenuation of the left fibre [dB]."""

    loss_right: Float[Array, "..."]
    """Attenuation of the right fibre [dB]."""

    p_source: Float[Array, "..."]
    """Probability that the source emits a pair in one attempt, in (0, 1]."""

    source_state: Float[Array, "... 4"]
    """Bell weights of the emitted pair."""

    efficiency: Float[Array, "..."]
    """Coupling, storage and detection (not the fibre), per arm."""

    dark_count_probability: Float[Array, "..."]
    """pd, per detector and window, in [0, 1)."""

    emission_time: Float[Array, "..."]
    """Time of one attempt that is not travel [s]."""

    refractive_index: Float[Array, "..."]
    """Group index of the fibre [1]."""

    num_modes: Float[Array, "..."]
    """m, modes tried in one attempt, >= 1."""

    attempt_time: Float[Array, "..."] | None
    """Duration of one attempt [s]; None = emission, travel to the farther node, and messages between the nodes."""

    def heralded(self) -> Heralded:
        """Return success probability, attempt time and state of one attempt."""
        return herald_midpoint_source(self)


def herald_midpoint_source(link: MidpointSource) -> Heralded:
    """Return what one attempt of a link with a source half-way offers.

        t = emission_time + [max(L_A, L_B) + L_A + L_B] n / c

    The photons travel to the nodes, and each node must hear from the other whether it has stored its photon.

    Args:
        link: its parameters.

    Returns:
        heralded: success probability, attempt time [s], state corrected to Phi+.

    Note:
        Exact, differentiable.
    """
    eta_left = link.efficiency * transmissivity(link.loss_left)
    eta_right = link.efficiency * transmissivity(link.loss_right)
    pd = link.dark_count_probability
    state = registered_state(link.p_source, link.source_state, eta_left, eta_right, pd, pd)
    time = link.attempt_time
    if time is None:
        way = jnp.maximum(link.length_left, link.length_right) + link.length_left + link.length_right
        time = link.emission_time + travel_time(way, link.refractive_index)
    held = held_after_storage(link)
    return heralded(state, time, multiplexed(state[0, 0], link.num_modes), held=held)


def held_after_storage(link: MidpointSource) -> tuple[Array, Array]:
    """Return how long both memories have held their photons when each node knows of the other [s].

        held_A = [max(L_A, L_B) + L_B] n / c,    held_B = [max(L_A, L_B) + L_A] n / c

    The nearer node stores its photon earlier.

    Args:
        link: its parameters.

    Note:
        Exact; at equal lengths the derivative is shared equally between the arms.
    """
    farther = jnp.maximum(link.length_left, link.length_right)
    others = link.length_right, link.length_left
    left, right = (travel_time(farther + length, link.refractive_index) for length in others)
    return left, right


def midpoint_source(
    *,
    length_left: Any,
    length_right: Any,
    loss_left: Any,
    loss_right: Any,
    p_source: Any = 1.0,
    fidelity: Any = None,
    bell_diagonal: Any = None,
    efficiency: Any = 1.0,
    dark_count_probability: Any = 0.0,
    emission_time: Any = 0.0,
    refractive_index: Any = DEFAULT_REFRACTIVE_INDEX,
    num_modes: Any = 1,
    attempt_time: Any = None,
) -> MidpointSource:
    """Build a link with a source of pairs between its nodes.

    Args:
        length_left: fibre from the source to the left node [m].
        length_right: fibre from the source to the right node [m].
        loss_left: attenuation of the left fibre [dB].
        loss_right: attenuation of the right fibre [dB].
        p_source: probability that the source emits a pair in one attempt, in (0, 1].
        fidelity: of the emitted Werner pair, in [0, 1]; 1 by default.
        bell_diagonal: (4,), Bell weights of the emitted pair, instead of `fidelity`.
        efficiency: coupling, storage and detection, per arm, in [0, 1].
        dark_count_probability: per detector (two per node) and window, in [0, 1).
        emission_time: time of one attempt that is not travel [s].
        refractive_index: group index of the fibre [1], at least 1.
        num_modes: multiplexed modes, at least 1.
        attempt_time: duration of one attempt [s]; None = emission, travel and messages between the nodes.

    Returns:
        link: the link.

    Raises:
        ValueError: if a value lies outside its range, an attempt takes no time, or none can succeed.

    Note:
        Exact, differentiable, double precision.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> link = midpoint_source(
        ...     length_left=10e3, length_right=10e3, loss_left=10, loss_right=10, p_source=0.5, fidelity=0.98
        ... )
        >>> pair = link.heralded()  # p = p_source etaA etaB, F = F_source
        >>> print(f"{pair.bell_diagonal[0]:.4f} {pair.p_success:.4f} {pair.attempt_time:.3e}")
        0.9800 0.0050 1.469e-04
    """
    link = MidpointSource(
        length_left=scalar("length_left", non_negative_finite, length_left),
        length_right=scalar("length_right", non_negative_finite, length_right),
        loss_left=scalar("loss_left", non_negative_finite, loss_left),
        loss_right=scalar("loss_right", non_negative_finite, loss_right),
        p_source=scalar("p_source", _checks.positive_probability, p_source),
        source_state=source_weights(fidelity, bell_diagonal),
        efficiency=scalar("efficiency", _checks.probability, efficiency),
        dark_count_probability=scalar("dark_count_probability", dark_count, dark_count_probability),
        emission_time=scalar("emission_time", non_negative_finite, emission_time),
        refractive_index=scalar("refractive_index", at_least_one, refractive_index),
        num_modes=scalar("num_modes", at_least_one, num_modes),
        attempt_time=optional_time(attempt_time),
    )
    hint_at_units("length_left", link.length_left, link.loss_left)
    hint_at_units("length_right", link.length_right, link.loss_right)
    if link.attempt_time is None:
        require_duration((link.length_left, link.length_right, link.emission_time))
    require_success(herald(link))
    return link
