"""Pulsed parametric down-conversion: several pairs in a pulse, threshold detectors at both ends."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.merit.entropy import binary_entropy


@pytree
class PulsedPairs:
    """What two parties find of one pump pulse."""

    gain: Float[Array, ""]
    """Probability that both have a click."""
    error_rate: Float[Array, ""]
    """Of their bits then, where the bases agree."""

    def asymptotic_rate(self, correction: Any = 1.0) -> Float[Array, ""]:
        """Return secret bits per pulse without sifting, unclipped: Q [1 - h(E) - f h(E)] (BBM92)."""
        entropy = binary_entropy(jnp.asarray(self.error_rate))
        return jnp.asarray(self.gain * (1 - (1 + correction) * entropy))


def down_conversion(
    mean_pairs: Any,
    efficiencies: tuple[Any, Any],
    *,
    dark_count_probabilities: tuple[Any, Any] = (0.0, 0.0),
    misalignment: Any = 0.0,
) -> PulsedPairs:
    """Return coincidences and errors of a pulsed source of polarisation-entangled pairs.

        P(n pairs) = (n + 1) l^n/(1 + l)^(n + 2),   l = mean_pairs/2,   click_i = 1 - (1 - Y_i)(1 - eta_i)^n
        E Q = Q/2 - (1 - 2 e_d) eta_A eta_B l (1 + l)/[(1 + eta_A l)(1 + eta_B l)(1 + eta l)],
        eta = eta_A + eta_B - eta_A eta_B

    Args:
        mean_pairs: mean number of pairs of a pulse.
        efficiencies: eta_A and eta_B, from source to click, in [0, 1].
        dark_count_probabilities: Y_A and Y_B, of either party and pulse, in [0, 1].
        misalignment: e_d, in [0, 1/2].

    Returns:
        found: gain and error rate of a pulse.

    Raises:
        ValueError: if a number lies outside its range.

    Note:
        Exact sum over photon numbers, differentiable. Double clicks get a random bit. Without any click the error rate
        is 1/2.

    References:
        Ma, Fung, Lo, Phys. Rev. A 76, 012307 (2007), arXiv:quant-ph/0703122, Eqs. (9) and (10).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.hardware.fibre import transmissivity
        >>> eta = transmissivity(0.1)
        >>> found = down_conversion(
        ...     0.04789677, (eta, eta), dark_count_probabilities=(1e-8, 1e-8), misalignment=0.1
        ... )
        >>> print(f"{float(found.asymptotic_rate()):.8e}")
        1.37331455e-03
    """
    half = _checks.non_negative_finite("mean_pairs", mean_pairs) / 2
    first, second = (_checks.probability("efficiencies", value) for value in efficiencies)
    dark = [_checks.probability("dark_count_probabilities", value) for value in dark_count_probabilities]
    wrong = _checks.require("misalignment", misalignment, lambda v: (v >= 0) & (v <= 0.5), "lie in [0, 1/2]")
    either = first + second - first * second

    def missed(part: Any) -> Any:
        """Return 1 - E[(1 - part)^n], without cancellation."""
        return half * part * (2 + half * part) / (1 + half * part) ** 2

    a, b = dark
    gain = (1 - a) * missed(first) + (1 - b) * missed(second) - (1 - a) * (1 - b) * missed(either) + a * b
    below = (1 + first * half) * (1 + second * half) * (1 + either * half)
    right = 2 * (0.5 - wrong) * first * second * half * (1 + half) / below
    error = 0.5 - jnp.where(gain > 0, right / jnp.where(gain > 0, gain, 1.0), 0.0)
    return PulsedPairs(gain=jnp.asarray(gain), error_rate=jnp.asarray(error))
