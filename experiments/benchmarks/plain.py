"""The passes and decompositions that workloads must make: alone, as references in XLA, and what they cost."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from math import log2
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pair_throughput


def differentiated(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the compiled value and gradient, by all arguments, of the sum of what a function returns."""
    both = jax.jit(jax.value_and_grad(lambda args: sum(leaf.sum() for leaf in jax.tree.leaves(function(*args)))))
    return lambda *args: both(args)


def in_both_modes(function: Callable[..., Any], *args: Any) -> tuple[Callable[[], Any], ...]:
    """Return calls of a function, and of its value and gradient."""
    return partial(jax.jit(function), *args), partial(differentiated(function), *args)


def tree_parts(evaluator: Any, num_steps: int, num_joins: int, num_restarts: int) -> tuple[Callable[[], Any], ...]:
    """Return calls of the recurrences and Fourier transforms of a tree, and of their values and gradients."""
    parts = partial(pair_throughput.parts, evaluator, num_steps, num_joins, num_restarts)
    return parts(jax.jit), parts(differentiated)


def tree_cost(k: int, num_steps: int, num_joins: int, num_restarts: int) -> tuple[float, float]:
    """Return (bytes, operations) of joins and of restarts by Fourier transforms, k numbers a step."""
    moved = num_joins * (3 * k + 1) + num_restarts * (2 * k + 1)  # joins: two in, one out; restarts: one in, one out
    transforms = num_restarts * (2 * k + 1) * 2.5 * 2 * num_steps * log2(2 * num_steps)
    return 8 * num_steps * moved, transforms + num_joins * num_steps * k * (2 * 4 + 6)


def split_sizes(gates: Iterable[tuple[int, int]], bond: int, dim: int, gate_rank: int) -> Counter[int]:
    """Return how often a matrix of each size is split when gates on neighbours fill the bonds of a product state.

    Args:
        gates: sites (left, left + 1), in order.
        bond: at which bonds are cut.
        dim: of a site: 2, or 4 for a density operator.
        gate_rank: how much a gate multiplies the rank of its bond at most.
    """
    ranks, sizes = defaultdict(lambda: 1), Counter()
    for left, right in gates:
        size = dim * min(ranks[left], ranks[right + 1])  # bond k is left of site k
        ranks[right] = min(size, bond, gate_rank * ranks[right])
        sizes[size] += 1
    return sizes


def split_operations(sizes: Mapping[int, int]) -> int:
    """Return the operations of splitting so many real matrices of each size: QR twice and one SVD, a few n^3."""
    return sum(count * 14 * size**3 for size, count in sizes.items())


def decompositions(counts: Mapping[int, int], dtype: Any = float) -> tuple[Callable[[], Any], ...]:
    """Return calls of `eigh` of so many random Hermitian matrices of each size, one by one, and of its gradient."""
    grams = [matrix.T @ matrix for matrix in (np.random.default_rng(n).normal(size=(n, n)) for n in counts)]

    def one(gram: Any, scale: Any) -> Any:
        values, vectors = jnp.linalg.eigh(scale * gram)
        return values.sum() + jnp.abs(vectors).sum()

    def every(scales: Any) -> Any:
        return [
            jax.lax.map(partial(one, jnp.asarray(gram, dtype)), each) for gram, each in zip(grams, scales, strict=True)
        ]

    return in_both_modes(every, [jnp.linspace(1.0, 2.0, count) for count in counts.values()])
