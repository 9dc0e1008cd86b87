"""The CHSH inequality: how far a pair violates it, and the key that no device can fake."""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn.merit.pair import Pair, coefficients


@jax.custom_jvp
def two_largest(matrix: Float[Array, "3 3"]) -> Float[Array, ""]:
    """Return the sum of the two largest eigenvalues of a symmetric 3x3 matrix.

    Note:
        Where the second and the third coincide the sum has a kink; the derivative is that of one choice of two.
    """
    return jnp.sum(jnp.linalg.eigvalsh(matrix)[1:])


@two_largest.defjvp
def _two_largest_jvp(primals, tangents):
    values, vectors = jnp.linalg.eigh(primals[0])
    kept = vectors[:, 1:]
    return jnp.sum(values[1:]), jnp.sum((kept @ kept.T) * tangents[0])


def chsh_value(pair: Pair) -> Float[Array, ""]:
    """Return the largest CHSH value of a pair, S = 2 sqrt(s1^2 + s2^2); classical up to 2, quantum up to 2 sqrt 2.

    Args:
        pair: Bell weights (4,) or Pauli coefficients (4, 4); s1, s2 are the largest singular values of their 3x3
            part T_ij = <P_i P_j>.

    Note:
        Exact for the best measurements, differentiable; at S = 0 the derivative is taken as 0.

    References:
        Horodecki, Horodecki, Horodecki, Phys. Lett. A 200, 340 (1995).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> round(float(chsh_value(jnp.array([1.0, 0.0, 0.0, 0.0]))), 9)
        2.828427125
    """
    square = chsh_square(pair)
    return jnp.where(square > 0, 2 * jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)


def chsh_square(pair: Pair) -> Float[Array, ""]:
    """Return s1^2 + s2^2 = (S/2)^2."""
    correlations = coefficients(pair)[1:, 1:]
    return two_largest(correlations.T @ correlations)
