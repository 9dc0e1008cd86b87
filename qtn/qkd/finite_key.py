"""The key of one session with single photons or entangled pairs: compare some bits, use the others."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.merit.entropy import binary_entropy
from qtn.qkd.security import Security, checked
from qtn.qkd.tails import Tail, rate_of_rest

CORRECTION = 1.1
"""Bits that error correction reveals, over those that Shannon's bound demands."""


@pytree
class FiniteKey:
    """What a session that is not aborted gives."""

    key_bits: Float[Array, ""]
    """Secret bits; negative where there is no key, and to be rounded down."""

    phase_error: Float[Array, ""]
    """Bound on the rate of phase errors of the raw key."""

    leak_bits: Float[Array, ""]
    """Bits that error correction reveals."""


def finite_key(
    max_errors: Any,
    num_test: Any,
    num_raw: Any,
    security: Security,
    *,
    tail: Tail = Tail.EXACT,
    excess: Any = 0.0,
    correction: Any = CORRECTION,
) -> FiniteKey:
    """Return the key of n raw bits after k bits of the other basis showed at most j errors.

        l = n [1 - h(phi)] - f n h(j/k + excess) - log2(2/(eps_sec^2 eps_cor)),   P(<= j | phi) = (eps_sec/4)^2

    Args:
        max_errors: j, errors at which the session is still accepted.
        num_test: k, compared bits.
        num_raw: n, bits that become the key.
        security: secrecy eps_sec and correctness eps_cor.
        tail: which bound phi comes from; with `Tail.SERFLING` it is that of the reference.
        excess: error rate of the raw key less that of the compared bits.
        correction: f >= 1, inefficiency of error correction.

    Raises:
        ValueError: if a number lies outside its range.

    Note:
        Exact, differentiable to first order, but for j where `tail` counts whole errors. phi counts up to 1/2.

    References:
        Tomamichel, Lim, Gisin, Renner, Nat. Commun. 3, 634 (2012), arXiv:1103.4130, Eqs. (1) and (2).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> key = finite_key(20.0, 1_500.0, 10_000.0, Security(secrecy=1e-10, correctness=1e-10))
        >>> round(float(key.key_bits)), round(float(key.phase_error), 4)
        (5203, 0.0677)
    """
    j, k = _checks.non_negative_finite("max_errors", max_errors), _checks.positive_finite("num_test", num_test)
    j, k, n = (jnp.asarray(x) for x in (j, k, _checks.positive_finite("num_raw", num_raw)))
    factor = _checks.require("correction", correction, lambda v: (v >= 1) & np.isfinite(v), "be at least 1 and finite")
    security = checked(security)
    log_failure = 2 * jnp.log(jnp.asarray(security.secrecy) / 4)
    phase_error = rate_of_rest(j, k, n, log_failure, tail)
    leak = factor * n * binary_entropy(jnp.clip(j / k + excess, 0.0, 0.5))
    spent = 1 - 2 * jnp.log2(jnp.asarray(security.secrecy)) - jnp.log2(jnp.asarray(security.correctness))
    kept = 1 - binary_entropy(jnp.minimum(phase_error, 0.5))
    return FiniteKey(key_bits=n * kept - leak - spent, phase_error=phase_error, leak_bits=leak)
