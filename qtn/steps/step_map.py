"""The successful branch of a step on pairs, with what is known beforehand about its zeros."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import eval_context
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.steps.level import PauliLevel

Places = tuple[tuple[int, int, int], ...]
"""(c, a, b) of entries of a step map."""

MOST_TERMS = 96
"""With more terms than this, compiling a sum of them takes longer than it saves."""

ZERO = 1e-12
"""Below this, an entry is rounding: the others are at least 1e-3."""


@pytree
class StepMap:
    """A multilinear map of the vectors of n pairs: out[c] = sum entries[c, a, b ..] first[a] second[b] .."""

    entries: Float[Array, "k k ..."]
    """(k,) * (n + 1)."""

    places: Places | None = static(default=None)
    """Where entries of a map of two pairs can differ from zero, whatever the hardware; None = anywhere."""


def map_of(
    step: Callable[..., Array],
    kind: tuple[Any, ...],
    nodes: tuple[Any, ...],
    run: Callable[..., Array] | None = None,
) -> StepMap:
    """Return the map of a step at these nodes, which knows its zeros.

    Args:
        step: compiled, (*kind, *nodes) -> entries.
        kind: static and hashable: the state level first, then the protocol.
        nodes: pytrees of numbers.
        run: calls `step` with its arguments, in place of plain application.

    Note:
        Zeros are known of `PauliLevel`, whose entries are polynomials in the numbers of the nodes: one that vanishes at
        random numbers vanishes everywhere. Maps of other levels are taken as they are.
    """
    entries = step(*kind, *nodes) if run is None else run(step, *kind, *nodes)
    if entries.ndim != 3 or not isinstance(kind[0], PauliLevel):
        return StepMap(entries=entries)
    leaves, structure = jax.tree.flatten(nodes)
    try:
        places = _places(step, kind, structure, tuple((jnp.shape(leaf), jnp.result_type(leaf)) for leaf in leaves))
    except jax.errors.TracerArrayConversionError:  # nothing is evaluated at once inside shard_map without jit
        places = None
    return StepMap(entries=entries, places=places)


@lru_cache(maxsize=4096)
def _places(
    step: Callable[..., Array], kind: tuple[Any, ...], structure: Any, leaves: tuple[tuple[tuple[int, ...], Any], ...]
) -> Places | None:
    """Return where the map of nodes of this structure differs from zero at random numbers."""
    draw, largest = np.random.default_rng(0), 0.0
    for least in (0.6, 0.95):
        with eval_context():  # at once, also while something is traced, by the program that is compiled anyway
            numbers = [np.asarray(draw.uniform(least, 1.0, shape), dtype) for shape, dtype in leaves]
            found = np.abs(np.asarray(step(*kind, *jax.tree.unflatten(structure, numbers))))
        largest = np.maximum(largest, np.where(np.isnan(found), np.inf, found))
    places = np.argwhere(largest > ZERO)
    return tuple((int(c), int(a), int(b)) for c, a, b in places) if 0 < len(places) <= MOST_TERMS else None
