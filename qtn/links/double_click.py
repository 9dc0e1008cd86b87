"""Double-click heralding: one photon from each node, in two time bins, detected at a midpoint."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.hardware.detector import p_click_one, p_click_two, p_click_zero
from qtn.hardware.fibre import DEFAULT_REFRACTIVE_INDEX
from qtn.links import midpoint
from qtn.links.herald import heralded
from qtn.links.link import Heralded, herald


@pytree
class DoubleClick:
    """Two nodes in (|0> + |1>)/sqrt(2); |1> emits, X on both, |1> emits again; one click in each window.

    Summed over the four click patterns (which detector in which window), unnormalised, in the basis |AB>
    (g0, g, g2: `qtn.hardware.detector`; e = 1 - pd):

        rho_01 = rho_10 = g(etaA) g(etaB)       each qubit of an odd pair shines in its own window
        rho_00 = rho_11 = g2 g0                 both shine in one window, the other click is dark
        rho_01,10 = +- e^2 V etaA etaB / 4      + if the same detector clicks twice

    Hence p = 2 (g(etaA) g(etaB) + g2 g0) and, after local Paulis that bring Psi+- to Phi+, the weights

        Phi+, Phi-:  [g(etaA) g(etaB) +- e^2 V etaA etaB / 4] / p        Psi+, Psi-:  g2 g0 / p

    Without dark counts p = etaA etaB / 2 and F = (1 + V)/2. A phase between the arms that is constant over
    both windows drops out.

    Note:
        Exact and complete, as the state is Bell-diagonal; differentiable with respect to every field, double
        precision.

    References:
        Barrett, Kok, Phys. Rev. A 71, 060310 (2005), arXiv:quant-ph/0408040.
    """

    length_left: Float[Array, "..."]
    """Fibre from the left node to the midpoint [m]."""

    length_right: Float[Array, "..."]
    """Fibre from the right node to the midpoint [m]."""

    loss_left: Float[Array, "..."]
    """Attenuation of the left fibre [dB]."""

    loss_right: Float[Array, "..."]
    """Attenuation of the right fibre [dB]."""

    efficiency: Float[Array, "..."]
    """Emission, coupling and detection (not the fibre), per arm: eta = efficiency 10^(-loss/10)."""

    visibility: Float[Array, "..."]
    """V, Hong-Ou-Mandel visibility = squared overlap of the two photons, in [0, 1]."""

    dark_count_probability: Float[Array, "..."]
    """pd, per detector and window, in [0, 1)."""

    emission_time: Float[Array, "..."]
    """Time of one attempt (both windows) that is not travel [s]."""

    refractive_index: Float[Array, "..."]
    """Group index of the fibre [1]."""

    num_modes: Float[Array, "..."]
    """m, modes tried in one attempt, >= 1; a real number, so that it can be optimised."""

    attempt_time: Float[Array, "..."] | None
    """Duration of one attempt [s]; None = emission, travel of the farther arm and the answer's way back."""

    def heralded(self) -> Heralded:
        """Return success probability, attempt time and state of one attempt."""
        return herald_double_click(self)


def herald_double_click(link: DoubleClick) -> Heralded:
    """Return what one attempt of a double-click link offers; the formula is that of `DoubleClick`.

    Args:
        link: its parameters.

    Returns:
        heralded: success probability, attempt time [s], state corrected to Phi+.

    Note:
        Exact, differentiable, double precision.
    """
    state = double_click_state(link)
    time = midpoint.attempt_duration(
        link.attempt_time, link.length_left, link.length_right, link.refractive_index, link.emission_time
    )
    held = midpoint.held_times(link.length_left, link.length_right, link.refractive_index)
    p_success = midpoint.multiplexed(state[0, 0], link.num_modes)
    return heralded(state, time, p_success, held=held, right_flipped=True)


def double_click_state(link: DoubleClick) -> Float[Array, "4 4"]:
    """Return the Pauli coefficients that one mode heralds, unnormalised, corrected to Phi+; Bell-diagonal.

    Args:
        link: its parameters.

    Returns:
        state: (4, 4), r_ij = tr(P_i x P_j rho); state[0, 0] is the probability that one mode heralds.

    Note:
        Exact, differentiable, double precision.
    """
    pd = link.dark_count_probability
    eta_left, eta_right = midpoint.arm_transmissivities(link.loss_left, link.loss_right, link.efficiency)
    own_windows = p_click_one(eta_left, pd) * p_click_one(eta_right, pd)
    one_window = p_click_two(eta_left, eta_right, link.visibility, pd) * p_click_zero(pd)
    coherence = (1 - pd) ** 2 * link.visibility * eta_left * eta_right / 4
    populations = jnp.stack([jnp.stack([one_window, own_windows]), jnp.stack([own_windows, one_window])])
    return midpoint.clicks_to_state(populations, coherence)


def double_click(
    *,
    length_left: Any,
    length_right: Any,
    loss_left: Any,
    loss_right: Any,
    efficiency: Any = 1.0,
    visibility: Any = 1.0,
    dark_count_probability: Any = 0.0,
    emission_time: Any = 0.0,
    refractive_index: Any = DEFAULT_REFRACTIVE_INDEX,
    num_modes: Any = 1,
    attempt_time: Any = None,
) -> DoubleClick:
    """Build a double-click link.

    Args:
        length_left: fibre from the left node to the midpoint [m].
        length_right: fibre from the right node to the midpoint [m].
        loss_left: attenuation of the left fibre [dB].
        loss_right: attenuation of the right fibre [dB].
        efficiency: everything outside the fibre (emission, coupling, detection), per arm, in [0, 1].
        visibility: Hong-Ou-Mandel visibility V = squared overlap of the photons, in [0, 1].
        dark_count_probability: per detector and window, in [0, 1).
        emission_time: time of one attempt (both windows) that is not travel [s].
        refractive_index: group index of the fibre [1], at least 1.
        num_modes: multiplexed modes, at least 1.
        attempt_time: duration of one attempt [s]; None = emission, travel to the midpoint and back.

    Returns:
        link: the link.

    Raises:
        ValueError: if a value lies outside its range, an attempt takes no time, or none can succeed.

    Note:
        Exact, differentiable, double precision.

    References:
        Barrett, Kok, Phys. Rev. A 71, 060310 (2005), arXiv:quant-ph/0408040.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> link = double_click(
        ...     length_left=10e3, length_right=10e3, loss_left=10, loss_right=10, visibility=0.9
        ... )
        >>> pair = link.heralded()  # F = (1 + V)/2, p = eta^2 / 2
        >>> print(f"{pair.bell_diagonal[0]:.4f} {pair.p_success:.4f} {pair.attempt_time:.3e}")
        0.9500 0.0050 9.793e-05
    """
    arms = midpoint.checked_arms(
        length_left=length_left,
        length_right=length_right,
        loss_left=loss_left,
        loss_right=loss_right,
        efficiency=efficiency,
        visibility=visibility,
        dark_count_probability=dark_count_probability,
        emission_time=emission_time,
        refractive_index=refractive_index,
        num_modes=num_modes,
        attempt_time=attempt_time,
    )
    link = DoubleClick(**arms)
    midpoint.require_success(herald(link))
    return link
