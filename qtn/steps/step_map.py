"""The successful branch of a step on pairs, with what is known beforehand about its zeros."""

import random
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qtn._pytree import pytree, static

Places = tuple[tuple[int, int, int], ...]
"""(c, a, b) of entries of a step map."""

MOST_TERMS = 96
"""With more terms than this, compiling a sum of them takes longer than it saves."""


@pytree
class StepMap:
    """A multilinear map of the vectors of n pairs: out[c] = sum entries[c, a, b ..] first[a] second[b] .."""

    entries: Float[Array, "k k ..."]
    """(k,) * (n + 1)."""

    places: Places | None = static(default=None)
    """Where entries of a map of two pairs can differ from zero, whatever the hardware; None = anywhere."""


def step_map(
    step: Callable[..., Array],
    kind: tuple[Any, ...],
    nodes: tuple[Any, ...],
    run: Callable[..., Array] | None = None,
) -> StepMap:
    """Return the map of a step at these nodes, which knows its zeros.

    Args:
        step: compiled, (*kind, *nodes) -> entries.
        kind: static and hashable: the state level, the protocol.
        nodes: pytrees of numbers.
        run: calls `step` with its arguments, in place of plain application.
    """
    entries = step(*kind, *nodes) if run is None else run(step, *kind, *nodes)
    leaves, structure = jax.tree.flatten(nodes)
    return StepMap(entries=entries, places=_places(step, kind, structure, tuple(jnp.shape(leaf) for leaf in leaves)))


@lru_cache(maxsize=4096)
def _places(
    step: Callable[..., Array], kind: tuple[Any, ...], structure: Any, shapes: tuple[tuple[int, ...], ...]
) -> Places | None:
    """Return where the map of nodes of this structure can differ from zero: at numbers that nothing cancels at."""
    draw = random.Random(0)
    with jax.ensure_compile_time_eval():
        leaves = [jnp.full(shape, draw.uniform(0.6, 0.9)) for shape in shapes]
        found = np.asarray(step(*kind, *jax.tree.unflatten(structure, leaves)))
    places = np.argwhere(~(np.abs(found) < 1e-9))
    if found.ndim != 3 or len(places) > MOST_TERMS:
        return None
    return tuple((int(c), int(a), int(b)) for c, a, b in places)
