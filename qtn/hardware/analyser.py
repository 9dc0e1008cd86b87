"""A photonic qubit in front of two threshold detectors, one for each outcome.

Either detector also clicks by itself with probability pd in a window. Any click registers a qubit; where both detectors
click the outcome is drawn at random. This is also the model of a memory that heralds the photon it stores: a false
herald leaves it in the maximally mixed state.
"""

from typing import Any

from jaxtyping import Float

from qtn import _checks
from qtn._array import Array


def p_false(dark_count_probability: Any) -> Float[Array, ""]:
    """Return the probability that a qubit registers although no photon came: 1 - (1 - pd)^2 = pd (2 - pd).

    Args:
        dark_count_probability: pd, per detector and window, in [0, 1].

    Note:
        Exact to relative rounding, differentiable.
    """
    dark = _checks.real(dark_count_probability)
    return dark * (2 - dark)


def p_register(transmissivity: Any, dark_count_probability: Any) -> Float[Array, ""]:
    """Return the probability that a qubit registers: a = eta + (1 - eta) pd (2 - pd).

    Args:
        transmissivity: eta, probability that the photon would be detected, in [0, 1].
        dark_count_probability: pd, per detector and window, in [0, 1].

    Note:
        Exact, differentiable.
    """
    eta = _checks.real(transmissivity)
    return eta + (1 - eta) * p_false(dark_count_probability)


def p_faithful(transmissivity: Any, dark_count_probability: Any) -> Float[Array, ""]:
    """Return the probability that the photon registers and nothing else: f = eta (1 - pd).

    In all other cases the qubit that registers is maximally mixed: <X>, <Y>, <Z> shrink by f / a.

    Args:
        transmissivity: eta, probability that the photon would be detected, in [0, 1].
        dark_count_probability: pd, per detector and window, in [0, 1].

    Note:
        Exact, differentiable.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> float(p_faithful(0.5, 0.0) / p_register(0.5, 0.0))
        1.0
    """
    return _checks.real(transmissivity) * (1 - _checks.real(dark_count_probability))
