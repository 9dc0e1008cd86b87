"""Pauli transfer matrices in closed form, elementwise in the chains: what `chain_product` multiplies.

A column is the Pauli component before the channel, a row the one after it (order I, X, Y, Z).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from qtn_kernels.chain_product.entries import Build


@cache
def dense(size: int) -> Build:
    """Return the builder of general matrices: one parameter an entry, in reading order.

    Example:
        >>> dense(2)(1, 2, 3, 4)
        [(1, 2), (3, 4)]
    """

    def build(*entries: Any) -> Sequence[Sequence[Any]]:
        return [entries[row * size : (row + 1) * size] for row in range(size)]

    return build


def _root(value: Array) -> Array:
    """Return the square root with derivative 0 in place of infinity at 0."""
    return jnp.where(value > 0, jnp.sqrt(jnp.where(value > 0, value, 1.0)), 0.0)


def noise(depolarising: Array, dephasing: Array, damping: Array) -> Sequence[Sequence[Any]]:
    """Return depolarising, dephasing and amplitude damping by probabilities p, q, g, in this order.

        [[1, 0, 0, 0], [0, c, 0, 0], [0, 0, c, 0], [g, 0, 0, a]],   c = (1-p) (1-2q) sqrt(1-g), a = (1-p) (1-g)

    Note:
        Differentiable for g < 1; at g = 1 the infinite derivative of the root is replaced by 0.

    References:
        Nielsen and Chuang 2010, section 8.3.
    """
    kept = 1 - depolarising
    coherence = kept * (1 - 2 * dephasing) * _root(1 - damping)
    return (
        (1.0, 0.0, 0.0, 0.0),
        (0.0, coherence, 0.0, 0.0),
        (0.0, 0.0, coherence, 0.0),
        (damping, 0.0, 0.0, kept * (1 - damping)),
    )


def noisy_rotation(
    depolarising: Array, dephasing: Array, damping: Array, x: Array, y: Array, z: Array
) -> Sequence[Sequence[Any]]:
    """Return a rotation, then `noise`: the axis is along (x, y, z), the angle 2 arctan |(x, y, z)|.

    No entry but those of the first row is known: 12 numbers vary. (1, x, y, z) is the rotation's quaternion up to its
    norm, so that no trigonometric function is needed.

    Note:
        Differentiable for damping < 1, see `noise`.
    """
    scale = 2 / (1 + x * x + y * y + z * z)
    rotation = (
        (1 - scale * (y * y + z * z), scale * (x * y - z), scale * (x * z + y)),
        (scale * (x * y + z), 1 - scale * (x * x + z * z), scale * (y * z - x)),
        (scale * (x * z - y), scale * (y * z + x), 1 - scale * (x * x + y * y)),
    )
    _, (_, coherence, _, _), _, (pull, _, _, population) = noise(depolarising, dephasing, damping)
    factors = ((0.0, coherence), (0.0, coherence), (pull, population))
    rows = [(offset, *(factor * each for each in row)) for (offset, factor), row in zip(factors, rotation, strict=True)]
    return ((1.0, 0.0, 0.0, 0.0), *rows)
