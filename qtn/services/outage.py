"""A buffer of key that blocks fill and users empty: how often there is too little."""

from typing import Any, cast

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from qtn import _checks
from qtn._array import Array, library
from qtn._budget import Budget
from qtn._pytree import pytree, static

STATES = Budget(2_000, "states of the buffer", "count in larger units, such as whole blocks")


@pytree
class Stock:
    """What is in a buffer in the long run."""

    levels: Float[Array, " states"]
    """Units in the buffer, of each state that comes back again and again."""

    probabilities: Float[Array, " states"]
    """Of these, at the end of a period."""

    p_outage: Float[Array, ""]
    """Part of the periods whose users find too little."""

    consume: int = static()
    buffer: int = static()

    @property
    def mean(self) -> Float[Array, ""]:
        """Return the mean number of units at the end of a period."""
        return library(self.probabilities).sum(self.levels * self.probabilities)


def outage(block: int = 4, p_block: Any = 0.8, consume: int = 3, buffer: int = 8) -> Float[Array, ""]:
    """Return the part of all periods in which a buffer holds too little key.

    Each period a block adds `block` units with probability `p_block`, capped at `buffer`; then users take `consume`
    units or, if there are fewer, none: an outage.

    Args:
        block: units of a block that is not aborted, >= 1.
        p_block: probability that it is not, in (0, 1].
        consume: units that users take in a period, >= 1.
        buffer: most units that are kept, up to 2,000; what is more is lost.

    Returns:
        p_outage: in the long run, from an empty buffer.

    Raises:
        ValueError: if numbers are out of range.

    Note:
        Exact (stationary state of a Markov chain), differentiable in `p_block`. At least 1 - p_block block/consume.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> [round(float(outage(4, 0.8, 3, buffer)), 8) for buffer in (8, 20, 40)]
        [0.05611511, 0.00603056, 0.00033426]
    """
    return stock(block, p_block, consume, buffer).p_outage


def stock(block: int = 4, p_block: Any = 0.8, consume: int = 3, buffer: int = 8) -> Stock:
    """Return what is in a buffer in the long run; see `outage`."""
    for name, value in (("block", block), ("consume", consume), ("buffer", buffer)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"Argument `{name}` must be a positive whole number, but is {value!r}.")
    STATES.require(int(buffer) + 1)
    works = _checks.positive_probability("p_block", p_block)
    xp = library(works)
    levels, after = _recurrent(int(block), int(consume), int(buffer))
    size, units = len(levels), levels.astype(float)
    moves = [np.eye(size)[to] for to in after]
    step = works * moves[0] + (1 - works) * moves[1]
    stays = xp.linalg.solve(np.eye(size) - step.T + 1.0, np.ones(size))
    short = [np.minimum(levels + added, buffer) < consume for added in (block, 0)]
    p_outage = works * xp.sum(stays * short[0]) + (1 - works) * xp.sum(stays * short[1])
    return Stock(
        levels=cast(Array, units),
        probabilities=stays,
        p_outage=p_outage,
        consume=int(consume),
        buffer=int(buffer),
    )


def _recurrent(block: int, consume: int, buffer: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the levels that come back again and again, and the places where a block or none leads from each."""
    all_levels = np.arange(buffer + 1)

    def next_of(added: int) -> np.ndarray:
        filled = np.minimum(all_levels + added, buffer)
        return np.where(filled >= consume, filled - consume, filled)

    moves = [next_of(block), next_of(0)]
    edges = np.tile(all_levels, 2), np.concatenate(moves)
    graph = sparse.csr_array((np.ones(len(edges[0])), edges), shape=(buffer + 1,) * 2)
    _, part = connected_components(graph, connection="strong")
    reached, new = np.zeros(buffer + 1, dtype=bool), np.asarray([0])
    while len(new):
        reached[new] = True
        new = np.unique(np.concatenate([move[new] for move in moves]))
        new = new[~reached[new]]
    leaves = np.zeros(part.max() + 1, dtype=bool)
    for move in moves:
        leaves[part[part != part[move]]] = True
    levels = np.flatnonzero(reached & ~leaves[part])
    return levels, [np.searchsorted(levels, move[levels]) for move in moves]


def buffer_for(wanted: float, block: int = 4, p_block: float = 0.8, consume: int = 3, *, most: int = 400) -> int:
    """Return the smallest buffer with which outages are rare enough; see `outage`.

    Args:
        wanted: largest part of the periods with an outage, in (0, 1).
        block: see `outage`.
        p_block: see `outage`.
        consume: see `outage`.
        most: largest buffer that is tried.

    Raises:
        ValueError: if blocks bring too little on average, or even the largest buffer is too small.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> buffer_for(0.01)
        17
    """
    goal = float(_checks.require("wanted", wanted, lambda v: (v > 0) & (v < 1), "lie in (0, 1)"))
    least = 1 - float(p_block) * block / consume
    if least >= goal:
        raise ValueError(
            f"Argument `wanted` is {goal}, but no buffer leaves fewer than {least:.6g} of the periods without key: "
            f"blocks bring {p_block * block:.6g} units a period and users take {consume}. Take fewer."
        )
    for size in range(consume, most + 1):
        if float(outage(block, p_block, consume, size)) <= goal:
            return size
    found = float(outage(block, p_block, consume, most))
    raise ValueError(
        f"Argument `wanted` is {goal}, but a buffer of {most} units still leaves {found:.3g} of the periods without "
        "key: raise `most`, or let users take less."
    )
