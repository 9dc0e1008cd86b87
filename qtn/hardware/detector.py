"""Threshold detectors behind a balanced beam splitter: the probability that one given detector clicks alone.

Two arms meet at a 50:50 beam splitter with a threshold detector at each output. In one detection window
either detector also clicks by itself with probability pd (dark count). All functions give the probability
that detector 1 clicks and detector 2 does not, which by symmetry is that of the opposite event; e = 1 - pd.
"""

from typing import Any

from jaxtyping import Float

from qtn import _checks
from qtn._array import Array


def p_click_zero(dark_count_probability: Any) -> Float[Array, ""]:
    """Return g0, the probability that a given detector clicks alone when no arm emitted a photon.

        g0 = e pd,      e = 1 - pd

    Args:
        dark_count_probability: pd, per detector and window, in [0, 1].

    Returns:
        g0: probability [1].

    Note:
        Exact, differentiable, double precision.

    References:
        Barrett, Kok, Phys. Rev. A 71, 060310 (2005), arXiv:quant-ph/0408040 (set-up, without dark counts).
    """
    dark = _checks.real(dark_count_probability)
    return (1 - dark) * dark


def p_click_one(transmissivity: Any, dark_count_probability: Any) -> Float[Array, ""]:
    """Return g, the probability that a given detector clicks alone when one arm emitted a photon.

        g(eta) = e [eta/2 + (1 - eta) pd],      e = 1 - pd

    Args:
        transmissivity: eta, probability that the photon of this arm would be detected, in [0, 1].
        dark_count_probability: pd, per detector and window, in [0, 1].

    Returns:
        g: probability [1]; g(0) = g0.

    Note:
        Exact, differentiable, double precision.

    References:
        Barrett, Kok, Phys. Rev. A 71, 060310 (2005), arXiv:quant-ph/0408040 (set-up, without dark counts).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> float(p_click_one(0.5, 0.0))
        0.25
    """
    eta, dark = _checks.real(transmissivity), _checks.real(dark_count_probability)
    return (1 - dark) * (eta / 2 + (1 - eta) * dark)


def p_click_two(
    transmissivity_left: Any, transmissivity_right: Any, visibility: Any, dark_count_probability: Any
) -> Float[Array, ""]:
    """Return g2, the probability that a given detector clicks alone when both arms emitted a photon.

        g2 = e [etaA etaB (1 + V)/4 + (etaA (1 - etaB) + etaB (1 - etaA))/2 + (1 - etaA)(1 - etaB) pd],
        e = 1 - pd

    Args:
        transmissivity_left: etaA, probability that the photon of the left arm would be detected, in [0, 1].
        transmissivity_right: etaB, the same for the right arm.
        visibility: V, Hong-Ou-Mandel visibility = squared overlap of the two photons, in [0, 1].
        dark_count_probability: pd, per detector and window, in [0, 1].

    Returns:
        g2: probability [1]; with etaB = 0 it is g(etaA).

    Note:
        Exact, differentiable, double precision. Detectors do not resolve photon numbers.

    References:
        Hong, Ou, Mandel, Phys. Rev. Lett. 59, 2044 (1987).
        Barrett, Kok, Phys. Rev. A 71, 060310 (2005), arXiv:quant-ph/0408040 (set-up, without dark counts).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> float(p_click_two(1.0, 1.0, 1.0, 0.0))  # both photons leave together
        0.5
    """
    left, right = _checks.real(transmissivity_left), _checks.real(transmissivity_right)
    dark = _checks.real(dark_count_probability)
    both = left * right * (1 + _checks.real(visibility)) / 4
    one = (left * (1 - right) + right * (1 - left)) / 2
    return (1 - dark) * (both + one + (1 - left) * (1 - right) * dark)
