"""Asymptotic secret-key fractions and rates, in bits (log2), one-way error correction, no sifting factor.

All fractions are unclipped: negative where there is no key. `noise` is the probability q with which one party flips its
raw bits before error correction (noisy preprocessing); see `qtn.merit.preprocessing` for the best one.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn.evaluators.outcome import Result, Summary
from qtn.links.link import Heralded
from qtn.merit.chsh import chsh_square
from qtn.merit.entropy import binary_entropy, entropy, entropy_of_square
from qtn.merit.fidelity import qber_x, qber_z
from qtn.merit.pair import Pair, bell_weights
from qtn.steps.level import BELL_DIAGONAL, PAULI, PauliLevel

Fraction = Callable[[Pair], Float[Array, ""]]
"""A key protocol: secret bits per delivered pair, given as Bell weights (4,) or Pauli coefficients (4, 4)."""


def flipped(error: Float[Array, ""], noise: Float[Array, ""] | float) -> Float[Array, ""]:
    """Return the error rate after one party flips with probability q: e (1 - q) + (1 - e) q."""
    return error + noise * (1 - 2 * error)


def one_way_key(
    bit_error: Float[Array, ""], phase_square: Float[Array, ""], noise: Float[Array, ""] | float = 0.0
) -> Float[Array, ""]:
    """Return the key of a bit error rate and a bound on what Eve knows, after flipping bits with probability q.

        1 - h(e_p) + h[(1 + sqrt(1 - 16 q (1 - q) e_p (1 - e_p)))/2] - h(e_b (1 - q) + (1 - e_b) q)

    Args:
        bit_error: e_b.
        phase_square: (1 - 2 e_p)^2 of the phase error rate e_p.
        noise: q in [0, 1/2].

    Note:
        Exact, differentiable; at q = 0 it is 1 - h(e_p) - h(e_b), at q = 1/2 it is 0.

    References:
        Kraus, Gisin, Renner, Phys. Rev. Lett. 95, 080501 (2005), arXiv:quant-ph/0410215;
        Renes, Smith, Phys. Rev. Lett. 98, 020502 (2007), arXiv:quant-ph/0603262.
    """
    blurred = 1 - 4 * noise * (1 - noise) * (1 - phase_square)
    known = entropy_of_square(blurred) - entropy_of_square(phase_square)
    return 1 + known - binary_entropy(flipped(bit_error, noise))


def bb84_fraction(pair: Pair, noise: Float[Array, ""] | float = 0.0) -> Float[Array, ""]:
    """Return the BB84 (BBM92) fraction 1 - h(e_Z) - h(e_X), unclipped.

    Args:
        pair: Bell weights (4,) or Pauli coefficients (4, 4).
        noise: q in [0, 1/2], probability of a flipped raw bit.

    References:
        Shor, Preskill, Phys. Rev. Lett. 85, 441 (2000), arXiv:quant-ph/0003004;
        Bennett, Brassard, Mermin, Phys. Rev. Lett. 68, 557 (1992) (with entangled pairs).

    Example:
        >>> import jax.numpy as jnp
        >>> round(float(bb84_fraction(jnp.array([1.0, 0.0, 0.0, 0.0]))), 6)
        1.0
    """
    weights = bell_weights(pair)
    plain = 1 - binary_entropy(qber_z(weights)) - binary_entropy(qber_x(weights))
    if isinstance(noise, float) and noise == 0.0:
        return plain
    return one_way_key(qber_z(weights), (1 - 2 * qber_x(weights)) ** 2, noise)


def six_state_fraction(pair: Pair, noise: Float[Array, ""] | float = 0.0) -> Float[Array, ""]:
    """Return the six-state fraction 1 - H(1 - 3Q/2, Q/2, Q/2, Q/2), unclipped.

    Q is the error rate averaged over X, Y and Z measurements, Q = 2 (1 - pI)/3: the parties keep only that average.

    Args:
        pair: Bell weights (4,) or Pauli coefficients (4, 4).
        noise: q in [0, 1/2], probability of a flipped raw bit.

    References:
        Lo, Quantum Inf. Comput. 1, 81 (2001), arXiv:quant-ph/0102138.
    """
    fidelity = bell_weights(pair)[0]
    error = (1 - fidelity) / 3
    return hashing_fraction(jnp.stack([fidelity, error, error, error]), noise)


def hashing_fraction(pair: Pair, noise: Float[Array, ""] | float = 0.0) -> Float[Array, ""]:
    """Return the key of a known Bell-diagonal pair from Z measurements, 1 - H(p), unclipped.

    With flips: 1 + S(E | flipped bit) - H(p) - h(e'), where Eve's state has in each block u of equal (unequal) bits
    the eigenvalues P_u [1 +- sqrt(1 - 16 q (1 - q) a_u b_u / P_u^2)] / 2 for the Bell weights a_u, b_u with sum P_u.

    Args:
        pair: Bell weights (4,) or Pauli coefficients (4, 4).
        noise: q in [0, 1/2], probability of a flipped raw bit.

    References:
        Devetak, Winter, Proc. R. Soc. A 461, 207 (2005), arXiv:quant-ph/0306078;
        Kraus, Gisin, Renner, Phys. Rev. Lett. 95, 080501 (2005), arXiv:quant-ph/0410215.
    """
    weights = bell_weights(pair)
    if isinstance(noise, float) and noise == 0.0:
        return 1 - entropy(weights)
    ambiguity = 4 * noise * (1 - noise)
    eve = jnp.asarray(0.0)
    for first, second in ((weights[0], weights[3]), (weights[1], weights[2])):
        block = first + second
        ratio = 4 * first * second / jnp.where(block > 0, block, 1.0) ** 2
        eve += jnp.where(block > 0, block * entropy_of_square(1 - ambiguity * ratio), 0.0)
    error = qber_z(weights)
    return 1 + binary_entropy(error) + eve - entropy(weights) - binary_entropy(flipped(error, noise))


def chsh_fraction(pair: Pair, noise: Float[Array, ""] | float = 0.0) -> Float[Array, ""]:
    """Return the device-independent CHSH fraction 1 - h(Q) - h((1 + sqrt((S/2)^2 - 1))/2), unclipped.

    Args:
        pair: Bell weights (4,) or Pauli coefficients (4, 4); Q is the error rate of Z measurements, S the largest CHSH
            value. Below S = 2 the formula is continued analytically, so that an optimiser sees a slope.
        noise: q in [0, 1/2], probability of a flipped raw bit.

    References:
        Acin et al., Phys. Rev. Lett. 98, 230501 (2007), arXiv:quant-ph/0702152;
        Ho et al., Phys. Rev. Lett. 124, 230502 (2020), arXiv:2005.13015 (noisy preprocessing).
    """
    return one_way_key(qber_z(bell_weights(pair)), chsh_square(pair) - 1, noise)


def level_of_fraction(fraction: Fraction) -> PauliLevel:
    """Return the state level that a key protocol needs: the Bell weights for those known to see no more."""
    plain = getattr(fraction, "fraction", fraction)  # inside of preprocessing
    return BELL_DIAGONAL if plain in (bb84_fraction, six_state_fraction, hashing_fraction) else PAULI


def delivered_pair(result: Result | Summary | Heralded) -> Pair:
    """Return the Pauli coefficients (4, 4) of the mean delivered pair."""
    return result.state


def secret_fraction(
    result: Result | Summary, fraction: Fraction = bb84_fraction, *, clip: bool = True
) -> Float[Array, ""]:
    """Return the secret bits per delivered pair, of the mean delivered state; clipped at 0 unless told."""
    return _judge(fraction)(delivered_pair(result), fraction, clip)


def secret_key_rate(
    result: Result | Summary, fraction: Fraction = bb84_fraction, *, clip: bool = True
) -> Float[Array, ""]:
    """Return secret bits per second: the fraction of the mean delivered state over the mean waiting time.

    Args:
        result: what an evaluator returned.
        fraction: key protocol; any function of a pair.
        clip: whether a negative rate counts as 0; optimisers use `clip=False`, for a clipped rate has no slope.

    Returns:
        Rate [bit/s].
    """
    return _judge(fraction)(delivered_pair(result), fraction, clip, result.mean_time)


def _judge(fraction: Fraction) -> Callable[..., Float[Array, ""]]:
    """Return what judges a pair: compiled once for the protocols of this module; those of users may be any function."""
    return _compiled if getattr(fraction, "fraction", fraction) in PROTOCOLS else _judged


def _judged(pair: Pair, fraction: Fraction, clip: bool, mean_time: Float[Array, ""] | float = 1.0) -> Float[Array, ""]:
    """Return the fraction of a pair over a time, in one compiled function."""
    value = fraction(pair)
    return (jnp.maximum(value, 0.0) if clip else value) / mean_time


_compiled = jax.jit(_judged, static_argnames=("fraction", "clip"))

PROTOCOLS = (bb84_fraction, six_state_fraction, hashing_fraction, chsh_fraction)
"""The key protocols that may be compiled by themselves, with or without preprocessing."""
