"""Continuous-wave entangled light: pairs at random times, found by their coincidence, and accidental coincidences."""

from typing import Any

import jax.numpy as jnp
from jax.scipy.special import erf
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree


@pytree
class Coincidences:
    """What two parties find."""

    rate: Float[Array, "..."]
    """Coincidences per second [Hz], in all bases."""
    accidental_rate: Float[Array, "..."]
    """Of these, of clicks that do not belong together [Hz]."""
    error_rate: Float[Array, "..."]
    """Probability that the bits of a coincidence differ, where the bases agree."""


def entangled_light(
    pair_rate: Any,
    efficiencies: tuple[Any, Any],
    *,
    window: Any,
    jitter: Any = 0.0,
    dark_count_rates: tuple[Any, Any] = (0.0, 0.0),
    dead_time: Any = 0.0,
    polarisation_error: Any = 0.0,
) -> Coincidences:
    """Return coincidences of a source that emits pairs at random times.

        S_i = (B eta_i + dark_i)/(1 + S dead),   true = B eta_A eta_B erf(sqrt(ln 2) t/jitter),   accidental = S_A S_B t
        error = (e_pol true + accidental/2)/(true + accidental)

    where a dead time takes from true coincidences what it takes from the clicks of both.

    Args:
        pair_rate: brightness B [Hz].
        efficiencies: eta_A and eta_B, from source to click, in [0, 1].
        window: t, in which two clicks coincide [s].
        jitter: full width at half maximum of the time between the clicks of a pair [s].
        dark_count_rates: of either party, all its detectors together [Hz].
        dead_time: of either party, as of one detector [s].
        polarisation_error: e_pol, errors of pairs without accidental coincidences, in [0, 1/2].

    Returns:
        found: rate [Hz], accidental rate [Hz] and error rate. A session counts coincidences as its signals.

    Raises:
        ValueError: if a number lies outside its range.

    Note:
        To first order in accidental coincidences (S t << 1); differentiable. Without any click the error rate is 1/2.

    References:
        Neumann, Scheidl, Selimovic, Pivoluska, Liu, Bohmann, Ursin, Phys. Rev. A 104, 022406 (2021), arXiv:2103.14639.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> found = entangled_light(1e6, (0.1, 0.1), window=1e-9)
        >>> round(float(found.rate), 6), round(float(found.accidental_rate), 6)
        (10010.0, 10.0)
    """
    bright, t = _checks.non_negative_finite("pair_rate", pair_rate), _checks.positive_finite("window", window)
    width = _checks.non_negative_finite("jitter", jitter)
    dead = _checks.non_negative_finite("dead_time", dead_time)
    wrong = _checks.require(
        "polarisation_error", polarisation_error, lambda v: (v >= 0) & (v <= 0.5), "lie in [0, 1/2]"
    )
    eta = [_checks.probability("efficiencies", value) for value in efficiencies]
    dark = [_checks.non_negative_finite("dark_count_rates", value) for value in dark_count_rates]
    clicks = [bright * e + d for e, d in zip(eta, dark, strict=True)]
    awake = [1 / (1 + s * dead) for s in clicks]
    narrow = jnp.where(width > 0, erf(jnp.sqrt(jnp.log(2.0)) * t / jnp.where(width > 0, width, 1.0)), 1.0)
    true = bright * eta[0] * eta[1] * narrow * awake[0] * awake[1]
    accidental = clicks[0] * clicks[1] * awake[0] * awake[1] * t
    total = true + accidental
    error = jnp.where(total > 0, (wrong * true + accidental / 2) / jnp.where(total > 0, total, 1.0), 0.5)
    return Coincidences(rate=jnp.asarray(total), accidental_rate=jnp.asarray(accidental), error_rate=error)
