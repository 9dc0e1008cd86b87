"""Asymptotic secret-key fractions and rates, in bits (log2), one-way error correction, no sifting factor."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from qtn.evaluators.outcome import Outcome, Summary
from qtn.merit.fidelity import qber_x, qber_z

Fraction = Callable[[Float[Array, "4"]], Float[Array, ""]]
"""A key protocol: secret bits per delivered pair of a Bell-diagonal state; may be negative."""


def entropy(probabilities: Float[Array, "*n"]) -> Float[Array, ""]:
    """Return the Shannon entropy -sum p log2 p [bit] of a distribution.

    Note:
        0 log 0 = 0; the derivative at p <= 0, infinite in truth, is taken as 0.
    """
    safe = jnp.where(probabilities > 0, probabilities, 1.0)
    return -jnp.sum(safe * jnp.log2(safe))


def binary_entropy(p: Float[Array, ""]) -> Float[Array, ""]:
    """Return h(p) = -p log2 p - (1 - p) log2 (1 - p) [bit]."""
    return entropy(jnp.stack([p, 1 - p]))


def bb84_fraction(bell_diagonal: Float[Array, "4"]) -> Float[Array, ""]:
    """Return the BB84 (BBM92) fraction 1 - h(e_Z) - h(e_X), unclipped.

    Args:
        bell_diagonal: (4,), weights of Phi+, Psi+, Psi-, Phi-.

    References:
        Shor, Preskill, Phys. Rev. Lett. 85, 441 (2000), arXiv:quant-ph/0003004.

    Example:
        >>> import jax.numpy as jnp
        >>> round(float(bb84_fraction(jnp.array([1.0, 0.0, 0.0, 0.0]))), 6)
        1.0
    """
    return 1 - binary_entropy(qber_z(bell_diagonal)) - binary_entropy(qber_x(bell_diagonal))


def six_state_fraction(bell_diagonal: Float[Array, "4"]) -> Float[Array, ""]:
    """Return the six-state fraction 1 - H(1 - 3Q/2, Q/2, Q/2, Q/2), unclipped.

    Q is the error rate averaged over X, Y and Z measurements, Q = 2 (1 - pI)/3: the parties keep only that average.

    Args:
        bell_diagonal: (4,), weights of Phi+, Psi+, Psi-, Phi-.

    References:
        Lo, Quantum Inf. Comput. 1, 81 (2001), arXiv:quant-ph/0102138.
    """
    error = (1 - bell_diagonal[0]) / 3
    return 1 - entropy(jnp.stack([bell_diagonal[0], error, error, error]))


def secret_fraction(
    result: Outcome | Summary, fraction: Fraction = bb84_fraction, *, clip: bool = True
) -> Float[Array, ""]:
    """Return the secret bits per delivered pair, of the mean delivered state; clipped at 0 unless told."""
    value = fraction(result.bell_diagonal)
    return jnp.maximum(value, 0.0) if clip else value


def secret_key_rate(
    result: Outcome | Summary, fraction: Fraction = bb84_fraction, *, clip: bool = True
) -> Float[Array, ""]:
    """Return secret bits per second: the fraction of the mean delivered state over the mean waiting time.

    Args:
        result: what an evaluator returned.
        fraction: key protocol.
        clip: whether a negative rate counts as 0; optimisers use `clip=False`, for a clipped rate has no slope.

    Returns:
        Rate [bit/s].
    """
    return secret_fraction(result, fraction, clip=clip) / result.mean_time
