"""Single-click heralding: one photon, from either node, detected at a midpoint that hides which."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.hardware.detector import p_click_one, p_click_two, p_click_zero
from qtn.hardware.fibre import DEFAULT_REFRACTIVE_INDEX
from qtn.links import midpoint
from qtn.links.herald import heralded
from qtn.links.link import Heralded, herald
from qtn.links.registered import non_negative_finite


@pytree
class SingleClick:
    """Two nodes in sqrt(1 - a)|0> + sqrt(a)|1>, bright |1> emits; exactly one detector clicks.

    Per detector, unnormalised, in the basis |AB> (g0, g, g2: `qtn.hardware.detector`; e = 1 - pd):

        rho_11 = aA aB g2               rho_10 = aA (1 - aB) g(etaA)
        rho_00 = (1 - aA)(1 - aB) g0    rho_01 = (1 - aA) aB g(etaB)
        rho_01,10 = +- sqrt(aA (1 - aA) aB (1 - aB) etaA etaB V) exp(-sigma^2/2) e/2

    The sign is that of the detector; local Paulis bring Psi+- to Phi+. Small eta: F = 1 - a, p = 2 a eta. The whole
    state is X-shaped: <ZI>, <IZ> and, with a phase offset, <XY>, <YX> do not vanish (`midpoint.clicks_to_state`).

    Note:
        Exact, differentiable with respect to every field in double precision. Where the
        coherence vanishes its derivative, infinite in truth (a square root at 0), is taken as 0.

    References:
        Cabrillo, Cirac, Garcia-Fernandez, Zoller, Phys. Rev. A 59, 1025 (1999), arXiv:quant-ph/9810013.
        Bose, Knight, Plenio, Vedral, Phys. Rev. Lett. 83, 5158 (1999), arXiv:quant-ph/9908004.
    """

    length_left: Float[Array, "..."]
    """Fibre from the left node to the midpoint [m]."""

    length_right: Float[Array, "..."]
    """Fibre from the right node to the midpoint [m]."""

    loss_left: Float[Array, "..."]
    """Attenuation of the left fibre [dB]."""

    loss_right: Float[Array, "..."]
    """Attenuation of the right fibre [dB]."""

    bright_state: Float[Array, "... 2"]
    """(aA, aB), populations of the bright state at the left and the right node, in [0, 1]."""

    efficiency: Float[Array, "..."]
    """Emission, coupling and detection (not the fibre), per arm: eta = efficiency 10^(-loss/10)."""

    visibility: Float[Array, "..."]
    """V, Hong-Ou-Mandel visibility = squared overlap of the two photons, in [0, 1]."""

    dark_count_probability: Float[Array, "..."]
    """pd, per detector and window, in [0, 1)."""

    phase_std: Float[Array, "..."]
    """sigma, standard deviation of the optical phase between the arms (Gaussian) [rad]."""

    phase_offset: Float[Array, "..."]
    """phi, phase of the left arm against the right one that is known but not corrected [rad]."""

    emission_time: Float[Array, "..."]
    """Time of one attempt that is not travel [s]."""

    refractive_index: Float[Array, "..."]
    """Group index of the fibre [1]."""

    num_modes: Float[Array, "..."]
    """m, modes tried in one attempt, >= 1; a real number, so that it can be optimised."""

    attempt_time: Float[Array, "..."] | None
    """Duration of one attempt [s]; None = emission, travel of the farther arm and the answer's way back."""

    def heralded(self) -> Heralded:
        """Return success probability, attempt time and state of one attempt."""
        return herald_single_click(self)


def herald_single_click(link: SingleClick) -> Heralded:
    """Return what one attempt of a single-click link offers; the formula is that of `SingleClick`.

    Args:
        link: its parameters.

    Returns:
        heralded: success probability, attempt time [s], state corrected to Phi+.

    Note:
        Exact, differentiable, double precision.
    """
    state = single_click_state(link)
    time = midpoint.attempt_duration(
        link.attempt_time, link.length_left, link.length_right, link.refractive_index, link.emission_time
    )
    held = midpoint.held_times(link.length_left, link.length_right, link.refractive_index)
    p_success = midpoint.multiplexed(state[0, 0], link.num_modes)
    return heralded(state, time, p_success, held=held, right_flipped=True)


def single_click_state(link: SingleClick) -> Float[Array, "4 4"]:
    """Return the Pauli coefficients that one mode heralds, unnormalised, corrected to Phi+.

    Args:
        link: its parameters.

    Returns:
        state: (4, 4), r_ij = tr(P_i x P_j rho); state[0, 0] is the probability that one mode heralds.

    Note:
        Exact, differentiable, double precision.
    """
    bright_left, bright_right = link.bright_state[0], link.bright_state[1]
    dark_left, dark_right = 1 - bright_left, 1 - bright_right
    pd = link.dark_count_probability
    eta_left, eta_right = midpoint.arm_transmissivities(link.loss_left, link.loss_right, link.efficiency)
    rho_11 = bright_left * bright_right * p_click_two(eta_left, eta_right, link.visibility, pd)
    rho_10 = bright_left * dark_right * p_click_one(eta_left, pd)
    rho_01 = dark_left * bright_right * p_click_one(eta_right, pd)
    rho_00 = dark_left * dark_right * p_click_zero(pd)
    overlap = safe_sqrt(bright_left * dark_left * bright_right * dark_right)
    overlap = overlap * safe_sqrt(eta_left * eta_right * link.visibility) * (1 - pd) / 2
    coherence = overlap * jnp.exp(-(link.phase_std**2) / 2)
    populations = jnp.stack([jnp.stack([rho_00, rho_01]), jnp.stack([rho_10, rho_11])])
    return midpoint.clicks_to_state(2 * populations, 2 * coherence, link.phase_offset)


def safe_sqrt(x: Float[Array, ""]) -> Float[Array, ""]:
    """Return sqrt(x) for x > 0 and 0 for x <= 0, with derivative 0 there instead of infinity.

    Args:
        x: any real number [1].

    Returns:
        root: never NaN, and neither is its derivative.
    """
    return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0)


def single_click(
    *,
    length_left: Any,
    length_right: Any,
    loss_left: Any,
    loss_right: Any,
    bright_state: Any,
    efficiency: Any = 1.0,
    visibility: Any = 1.0,
    dark_count_probability: Any = 0.0,
    phase_std: Any = 0.0,
    phase_offset: Any = 0.0,
    emission_time: Any = 0.0,
    refractive_index: Any = DEFAULT_REFRACTIVE_INDEX,
    num_modes: Any = 1,
    attempt_time: Any = None,
) -> SingleClick:
    """Build a single-click link.

    Args:
        length_left: fibre from the left node to the midpoint [m].
        length_right: fibre from the right node to the midpoint [m].
        loss_left: attenuation of the left fibre [dB].
        loss_right: attenuation of the right fibre [dB].
        bright_state: population of the bright state, one number for both nodes or (left, right), in [0, 1].
        efficiency: everything outside the fibre (emission, coupling, detection), per arm, in [0, 1].
        visibility: Hong-Ou-Mandel visibility V = squared overlap of the photons, in [0, 1].
        dark_count_probability: per detector and window, in [0, 1).
        phase_std: standard deviation of the optical phase between the arms [rad].
        phase_offset: known phase of the left arm that is not corrected [rad].
        emission_time: time of one attempt that is not travel [s].
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
        Cabrillo, Cirac, Garcia-Fernandez, Zoller, Phys. Rev. A 59, 1025 (1999), arXiv:quant-ph/9810013.
        Bose, Knight, Plenio, Vedral, Phys. Rev. Lett. 83, 5158 (1999), arXiv:quant-ph/9908004.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> link = single_click(
        ...     length_left=10e3, length_right=10e3, loss_left=40, loss_right=40, bright_state=0.1
        ... )
        >>> pair = link.heralded()  # F = 1 - a, p = 2 a eta
        >>> print(f"{pair.bell_diagonal[0]:.4f} {pair.p_success:.3e} {pair.attempt_time:.3e}")
        0.9000 2.000e-05 9.793e-05
    """
    populations = _checks.probability("bright_state", bright_state)
    if populations.shape not in ((), (2,)):
        raise ValueError(f"Argument `bright_state` must be one number or two, but has shape {populations.shape}.")
    deviation = non_negative_finite("phase_std", phase_std)
    if deviation.shape != ():
        raise ValueError(f"Argument `phase_std` must be a single number, but has shape {deviation.shape}.")
    offset = _checks.require("phase_offset", phase_offset, np.isfinite, "be finite")
    if offset.shape != ():
        raise ValueError(f"Argument `phase_offset` must be a single number, but has shape {offset.shape}.")
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
    link = SingleClick(bright_state=populations * np.ones(2), phase_std=deviation, phase_offset=offset, **arms)
    midpoint.require_success(herald(link))
    return link
