"""How much entanglement a pair holds, in ebits."""

import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn.merit.entropy import entropy, trace_norm, von_neumann
from qtn.merit.pair import Pair, bell_weights, coefficients, density_matrix


def log_negativity(pair: Pair) -> Float[Array, ""]:
    """Return the logarithmic negativity log2 || rho^(T_B) ||_1 [ebit].

    Args:
        pair: Bell weights (4,) or Pauli coefficients (4, 4).

    Returns:
        value: in [0, 1]; 0 exactly for separable pairs of qubits; log2(2 F) for Bell-diagonal pairs with F > 1/2.

    Note:
        Exact, differentiable; 0 with derivative 0 where the pair is separable.

    References:
        Vidal, Werner, Phys. Rev. A 65, 032314 (2002), arXiv:quant-ph/0102117.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> round(float(log_negativity(jnp.array([1.0, 0.0, 0.0, 0.0]))), 12)
        1.0
    """
    transposed = coefficients(pair) * jnp.array([1.0, 1.0, -1.0, 1.0])  # Y changes its sign
    return jnp.log2(trace_norm(density_matrix(transposed)))


def coherent_information(pair: Pair) -> Float[Array, ""]:
    """Return S(rho_B) - S(rho_AB) [ebit]: what hashing distils from A to B, unclipped.

    Args:
        pair: Bell weights (4,) or Pauli coefficients (4, 4).

    Returns:
        value: in [-1, 1]; negative where one-way hashing yields nothing.

    Note:
        Exact, differentiable; eigenvalues below 1e-14 count as 0 with derivative 0 (infinite in truth).

    References:
        Devetak, Winter, Proc. R. Soc. A 461, 207 (2005), arXiv:quant-ph/0306078.
    """
    state = coefficients(pair)
    bloch = jnp.sqrt(jnp.maximum(jnp.sum(state[0, 1:] ** 2), 1e-300))
    local = jnp.stack([1 + bloch, 1 - bloch]) / 2
    return entropy(local) - von_neumann(density_matrix(state))


def hashing_yield(pair: Pair) -> Float[Array, ""]:
    """Return 1 - H(p) [ebit]: what hashing distils from the twirled pair, unclipped.

    Args:
        pair: Bell weights (4,) or Pauli coefficients (4, 4), of which the Bell-diagonal part counts.

    Returns:
        value: in [-1, 1].

    Note:
        Exact, differentiable; the derivative at weight 0, infinite in truth, is taken as 0.

    References:
        Bennett, DiVincenzo, Smolin, Wootters, Phys. Rev. A 54, 3824 (1996), arXiv:quant-ph/9604024.
    """
    return 1 - entropy(bell_weights(pair))
