"""Ordered products of many small matrices, for many chains at once."""

import jax.numpy as jnp
from jaxtyping import Array

from qtn_kernels import _launch
from qtn_kernels.chain_product import kernel, reference
from qtn_kernels.chain_product.entries import Build
from qtn_kernels.chain_product.reference import Product


def chain_product(build: Build, parameters: Array, *, implementation: str = "auto") -> Product:
    """Multiply the matrices of each chain in order, built from a few parameters a link.

        product[:, :, c] = M[0, c] M[1, c] ... M[n - 1, c],   M[i, c] = build(*parameters[i, :, c])

    Channels that act one after the other compose from right to left: pass their links in reverse.

    Args:
        build: one array over chains a parameter -> d rows of d entries, elementwise in the chains; entries that are
            Python numbers are known when traced, and known zeros and ones cost nothing. `dense(d)`, `noise`,
            `noisy_rotation`, or your own.
        parameters: (links, parameters, chains), real, at least one link and one chain.
        implementation: "auto" (what won on this platform), "reference" (XLA), "triton" (GPU), "interpret" (the
            kernel, operation by operation, anywhere).

    Returns:
        (d, d, chains).

    Raises:
        ValueError: if `parameters` has another number of axes or an empty one, a matrix is not square, or there is no
            such implementation.
        TypeError: if `parameters` is not real.

    Note:
        Exact up to rounding; sums and products in the type of `parameters`, no wider accumulator. The reference is
        differentiable in both modes, the kernel in reverse mode. The reverse pass stores the products at the start of
        about sqrt(links) groups and multiplies again within one group, O(sqrt(links)) memory a chain. Matrices are
        never stored: 1,000 links of 1e6 chains are 128 GB of 4 x 4 matrices, but 24 GB of three parameters.

    Example:
        >>> import jax.numpy as jnp
        >>> from qtn_kernels.chain_product import noise
        >>> twice = jnp.array([[[0.0], [0.1], [0.5]], [[0.0], [0.1], [0.5]]])
        >>> [round(float(entry), 3) for entry in chain_product(noise, twice)[:, :, 0].diagonal()]
        [1.0, 0.32, 0.32, 0.25]
    """
    if parameters.ndim != 3 or 0 in parameters.shape:
        raise ValueError(
            f"Argument `parameters` must have shape (links, parameters, chains), none 0, but has {parameters.shape}."
        )
    if not jnp.issubdtype(parameters.dtype, jnp.floating):
        raise TypeError(f"Argument `parameters` must be real, but has type {parameters.dtype}.")
    chosen = _launch.choose(implementation)
    if chosen != "reference":
        return kernel.in_order(build, parameters, chosen == "interpret")
    return reference.in_order(build, parameters)
