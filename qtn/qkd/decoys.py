"""Keys of weak pulses and infinitely many signals: with all decoys, with a vacuum and a weak one, and with none."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.merit.entropy import binary_entropy
from qtn.qkd.pulses import Receiver


@pytree
class SinglePhotons:
    """What is known of the pulses with one photon."""

    click: Float[Array, ""]
    """Probability Y_1 of a click."""
    error_rate: Float[Array, ""]
    """e_1, of their clicks."""


def single_photons(receive: Receiver) -> SinglePhotons:
    """Return what is true of single photons, and what infinitely many decoys tell.

        Y_1 = Y0 + eta,   e_1 = (Y0/2 + e_d eta)/Y_1,   Y0 = 2 p_dc

    Note:
        To first order in Y0 eta, as in the reference.
    """
    dark = 2 * receive.dark_count_probability
    click = dark + receive.transmissivity
    wrong = dark / 2 + receive.misalignment * receive.transmissivity
    return SinglePhotons(click=click, error_rate=wrong / jnp.where(click > 0, click, 1.0))


def ma_gains(receive: Receiver, intensity: Any) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Return the probabilities of a click and of a wrong click.

        Q = Y0 + 1 - e^(-eta mu),   E Q = Y0/2 + e_d (1 - e^(-eta mu)),   Y0 = 2 p_dc

    Note:
        To first order in Y0 eta mu and without after-pulses, as in the reference; `qtn.qkd.pulses.gains` has both.

    References:
        Ma, Qi, Zhao, Lo, Phys. Rev. A 72, 012326 (2005), arXiv:quant-ph/0503005, Eqs. (10) and (11).
    """
    lit = -jnp.expm1(-receive.transmissivity * jnp.asarray(intensity))
    dark = 2 * receive.dark_count_probability
    return dark + lit, dark / 2 + receive.misalignment * lit


def vacuum_and_weak(receive: Receiver, signal: Any, decoy: Any) -> SinglePhotons:
    """Return the bounds on single photons that a vacuum and one weak decoy give.

        Y_1 >= mu/(mu nu - nu^2) [Q_nu e^nu - Q_mu e^mu nu^2/mu^2 - (mu^2 - nu^2)/mu^2 Y0]
        e_1 <= (E_nu Q_nu e^nu - Y0/2)/(Y_1 nu)

    Args:
        receive: line and detectors.
        signal: mu, mean photon number.
        decoy: nu, in (0, mu).

    Raises:
        ValueError: if the decoy is not weaker than the signal.

    References:
        Ma, Qi, Zhao, Lo, Phys. Rev. A 72, 012326 (2005), arXiv:quant-ph/0503005, Eqs. (34) and (37).
    """
    mu, nu = _checks.positive_finite("signal", signal), _checks.positive_finite("decoy", decoy)
    _checks.require("decoy", nu - mu, lambda v: v < 0, "be weaker than `signal`: the difference must be negative")
    (strong, _), (weak, wrong) = ma_gains(receive, mu), ma_gains(receive, nu)
    dark = 2 * receive.dark_count_probability
    bracket = weak * jnp.exp(nu) - strong * jnp.exp(mu) * nu**2 / mu**2 - (mu**2 - nu**2) / mu**2 * dark
    click = mu / (mu * nu - nu**2) * bracket
    rate = (wrong * jnp.exp(nu) - dark / 2) / (jnp.where(click > 0, click, 1.0) * nu)
    return SinglePhotons(click=click, error_rate=jnp.where(click > 0, rate, 0.5))


def asymptotic_rate(
    receive: Receiver, signal: Any, known: SinglePhotons, *, correction: Any = 1.22, sifting: Any = 0.5
) -> Float[Array, ""]:
    """Return secret bits per signal pulse, unclipped: R = q {Q_1 [1 - h(e_1)] - Q f h(E)},  Q_1 = Y_1 mu e^-mu.

    Args:
        receive: line and detectors.
        signal: mu, mean photon number.
        known: of single photons.
        correction: f, inefficiency of error correction.
        sifting: q, part of the pulses that is measured in the basis in which it was sent.

    References:
        Gottesman, Lo, Lutkenhaus, Preskill, Quantum Inf. Comput. 4, 325 (2004), arXiv:quant-ph/0212066;
        Ma, Qi, Zhao, Lo, Phys. Rev. A 72, 012326 (2005), arXiv:quant-ph/0503005, Eq. (1).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.qkd import receiver
        >>> line = receiver(21.0, 0.045, 0.85e-6, 0.033)  # 100 km at .21 dB/km
        >>> print(f"{float(asymptotic_rate(line, 0.48, single_photons(line))):.6e}")
        1.718444e-05
    """
    mu = _checks.positive_finite("signal", signal)
    clicks, wrong = ma_gains(receive, mu)
    kept = known.click * mu * jnp.exp(-mu) * (1 - binary_entropy(jnp.clip(known.error_rate, 0.0, 0.5)))
    error = wrong / jnp.where(clicks > 0, clicks, 1.0)
    return sifting * (kept - clicks * correction * binary_entropy(error))


def rate_without_decoys(
    receive: Receiver, signal: Any, *, correction: Any = 1.22, sifting: Any = 0.5
) -> Float[Array, ""]:
    """Return secret bits per pulse without decoys: every pulse with several photons may be Eve's, and clicks.

        R = q {(Q - P) [1 - h(E Q/(Q - P))] - Q f h(E)},   P = 1 - (1 + mu) e^-mu

    Note:
        Unclipped; where no click need come of a single photon the first term is 0.

    References:
        Gottesman, Lo, Lutkenhaus, Preskill, Quantum Inf. Comput. 4, 325 (2004), arXiv:quant-ph/0212066.
    """
    mu = _checks.positive_finite("signal", signal)
    clicks, wrong = ma_gains(receive, mu)
    single = clicks + jnp.expm1(-mu) + mu * jnp.exp(-mu)
    safe = jnp.where(single > 0, single, 1.0)
    kept = jnp.where(single > 0, safe * (1 - binary_entropy(jnp.clip(wrong / safe, 0.0, 0.5))), 0.0)
    return sifting * (kept - clicks * correction * binary_entropy(wrong / jnp.where(clicks > 0, clicks, 1.0)))


def splitting_limit(signal: Any) -> Float[Array, ""]:
    """Return the transmissivity below which photon-number splitting takes a key without decoys: 1 - ln(1 + mu)/mu.

    Eve blocks single photons, keeps one of several, and sends the rest over a line without loss.

    References:
        Brassard, Lutkenhaus, Mor, Sanders, Phys. Rev. Lett. 85, 1330 (2000), arXiv:quant-ph/9911054.
    """
    mu = _checks.positive_finite("signal", signal)
    return jnp.asarray(1 - jnp.log1p(mu) / mu)
