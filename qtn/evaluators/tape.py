"""Reverse-mode derivatives of a program made of compiled pieces: a new order of the pieces compiles nothing.

`jax.grad` of a program under `jax.jit` compiles the whole program, and again for every new one. A tape runs compiled
functions one by one, remembers their arguments, and goes back through them with one compiled pull-back for each.
"""

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from qtn._array import Array

Piece = Callable[..., Any]
T = TypeVar("T")

MOST_NUMBERS = 64
"""Arrays that are no larger are added by NumPy."""


class Tape:
    """Run compiled functions and remember those whose arguments depend on what is watched.

    Arrays are known by identity: whatever happens to an array outside the tape counts as constant.

    Note:
        First derivatives only, exact. Functions need be hashable and pure, as those of `jax.jit` are; arguments are
        pytrees whose leaves are arrays, floats, or static and hashable (whole numbers outside arrays are static).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> tape, x = Tape(), jnp.asarray(3.0)
        >>> tape.watch(x)
        >>> y = tape(jax.jit(lambda a, b: a * b), tape(jax.jit(jnp.square), x), x)
        >>> float(tape.gradients(y, [x])[0])
        27.0
    """

    def __init__(self) -> None:
        self._active: dict[int, Array] = {}
        self._records: list[tuple[Piece, list[Any], Any, list[Array]]] = []

    def watch(self, tree: Any) -> None:
        """Follow the arrays of a pytree; each must be an object of its own."""
        for leaf in jax.tree.leaves(tree):
            self._active[id(leaf)] = leaf

    def __call__(self, piece: Piece, *args: Any) -> Any:
        """Return `piece(*args)`, and remember it if an argument is followed."""
        found = piece(*args)
        leaves, structure = jax.tree.flatten(args)
        if not any(id(leaf) in self._active for leaf in leaves):
            return found
        outputs, kind = jax.tree.flatten(found)
        own: list[Array] = []
        for leaf in outputs:  # a result that is passed on as it came would count twice
            fresh = jnp.array(leaf, copy=True) if id(leaf) in self._active else leaf
            self._active[id(fresh)] = fresh
            own.append(fresh)
        self._records.append((piece, leaves, structure, own))
        return jax.tree.unflatten(kind, own)

    def gradients(self, output: Array, inputs: list[Array]) -> list[Array]:
        """Return the derivative of a scalar result with respect to each input; 0 where it does not depend on it."""
        return self.pulled([output], [np.ones(output.shape)], inputs)

    def pulled(self, outputs: Any, seeds: Any, inputs: T) -> T:
        """Return the derivative of a weighted sum of results with respect to each input.

        Args:
            outputs: pytree of results; those that are not followed count as constant.
            seeds: pytree of their weights.
            inputs: pytree of arrays that are watched.
        """
        weights: dict[int, Array] = {}
        for leaf, seed in zip(jax.tree.leaves(outputs), jax.tree.leaves(seeds), strict=True):
            if id(leaf) in self._active:
                _add(weights, id(leaf), seed)
        for piece, leaves, structure, outputs in reversed(self._records):
            if not any(id(leaf) in weights for leaf in outputs):
                continue
            seeds = [weights[id(leaf)] if id(leaf) in weights else np.zeros(leaf.shape) for leaf in outputs]
            arrays = tuple(i for i, leaf in enumerate(leaves) if _kind(leaf))
            smooth = tuple(_kind(leaves[i]) == "f" for i in arrays)
            fixed = tuple((i, leaf) for i, leaf in enumerate(leaves) if not _kind(leaf))
            back = _compiled(piece, structure, fixed, smooth)
            found = iter(back([leaves[i] for i in arrays], seeds))
            for i in (i for i, each in zip(arrays, smooth, strict=True) if each):
                key, weight = id(leaves[i]), next(found)
                if key in self._active:
                    _add(weights, key, weight)
        return jax.tree.map(lambda each: weights.get(id(each), np.zeros(each.shape)), inputs)


def backwards(evaluate: Callable[..., Any], system: T, judge: Callable[[Any], tuple[Any, Any]]) -> tuple[Any, T]:
    """Return what a system is judged to be, with the derivative by each of its numbers, piece by piece.

    Args:
        evaluate: `evaluate(*system, run)` applies all that has a derivative by `run`, and returns a pytree.
        system: tuple of pytrees of known numbers.
        judge: of that pytree, returns (anything, derivatives of what is judged by its numbers).
    """
    tape, own = Tape(), jax.tree.map(np.array, system)  # each number an object of its own
    tape.watch(own)
    result = evaluate(*own, tape)
    value, seeds = judge(result)
    return value, tape.pulled(result, seeds, own)


def _add(weights: dict[int, Any], key: int, weight: Array) -> None:
    """Add to the weight of an array; few numbers without a compiled addition for each of their shapes."""
    if key not in weights:
        weights[key] = weight
    elif weight.size <= MOST_NUMBERS:
        weights[key] = np.asarray(weights[key]) + np.asarray(weight)
    else:
        weights[key] = weights[key] + weight


def _kind(leaf: Any) -> str:
    """Return the kind of number in a leaf of the arguments, "f" if it has a derivative; "" if it is static."""
    if isinstance(leaf, float):
        return "f"
    return leaf.dtype.kind if isinstance(leaf, (jax.Array, np.ndarray)) else ""


@lru_cache(maxsize=4096)
def _compiled(
    piece: Piece, structure: Any, fixed: tuple[tuple[int, Hashable], ...], smooth: tuple[bool, ...]
) -> Callable[..., list[Array]]:
    """Return the pull-back of a piece: (its arrays, weights of its results) -> weights of its smooth arrays."""

    def pulled(arrays: list[Any], seeds: list[Any]) -> list[Array]:
        def flat(moving: list[Any]) -> list[Array]:
            moved = iter(moving)
            leaves = [next(moved) if each else leaf for each, leaf in zip(smooth, arrays, strict=True)]
            for position, leaf in fixed:
                leaves.insert(position, leaf)
            return jax.tree.leaves(piece(*jax.tree.unflatten(structure, leaves)))

        _, back = jax.vjp(flat, [leaf for each, leaf in zip(smooth, arrays, strict=True) if each])
        return back(seeds)[0]

    return jax.jit(pulled)
