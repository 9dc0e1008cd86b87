"""Search whole numbers: over whole tables where they are small, by moves to neighbours where they are not."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from jaxtyping import Float, Int

from qtn.codes.logical import whole

Entry = tuple[int, ...]

ROWS_AT_ONCE = 1 << 18
"""Rows of a table that are scored together."""

STRIDES = (1, 2, 5, 10, 25)
"""How far one number moves."""


@dataclasses.dataclass(frozen=True)
class Found:
    """The best of what was searched."""

    entry: Entry
    """The whole numbers."""
    score: float
    num_scored: int
    """How many entries were scored."""


def branchings(depth: int, max_photons: int, *, least: int = 2) -> Int[np.ndarray, "k depth"]:
    """Return every tree of a depth with at most so many photons and at least so many children of each.

    Args:
        depth: levels.
        max_photons: b_0 (1 + b_1 (1 + ..)) at most.
        least: smallest b_k.

    Example:
        >>> branchings(2, 8).tolist()
        [[2, 2], [2, 3]]
    """
    depth, least = whole("depth", depth), whole("least", least)
    rows = np.zeros((1, 0), dtype=np.int64)
    photons = np.zeros(1, dtype=np.int64)
    for _ in range(depth):  # from the leaves up
        top = np.arange(least, max(least, max_photons) + 1)
        total = top[:, None] * (1 + photons[None, :])
        level, below = np.nonzero(total <= max_photons)
        rows = np.column_stack([top[level], rows[below]])
        photons = total[level, below]
    return rows


def best_of_table(
    score: Callable[[Int[np.ndarray, "k n"]], Float[np.ndarray, " k"]],
    table: Int[np.ndarray, "k m"],
    *more: Iterable[int],
) -> Found:
    """Return the entry of a table with the highest score, by scoring them all.

    Args:
        score: takes many entries at once, returns a score of each; nan counts as the worst.
        table: (k, m), one row each.
        more: values of further numbers, combined with every row and with each other.

    Raises:
        ValueError: if the table is empty.

    Example:
        >>> best_of_table(lambda rows: -((rows.sum(axis=1) - 9.0) ** 2), branchings(1, 5), [2, 5]).entry
        (4, 5)
    """
    others = np.array(list(itertools.product(*more)), dtype=np.int64)
    if not len(table) or not len(others):
        raise ValueError("Argument `table` holds no entries: nothing fits into the limits. Raise them.")
    best = Found((), -np.inf, 0)
    size = max(1, ROWS_AT_ONCE // len(others))
    for first in range(0, len(table), size):
        part = table[first : first + size]
        rows = np.hstack([np.repeat(part, len(others), axis=0), np.tile(others, (len(part), 1))])
        scores = np.nan_to_num(score(rows), nan=-np.inf)
        top = int(np.argmax(scores))
        if scores[top] > best.score or not best.entry:
            best = Found(tuple(rows[top].tolist()), float(scores[top]), 0)
    return dataclasses.replace(best, num_scored=len(table) * len(others))


def climb(
    score: Callable[[list[Entry]], Iterable[float]],
    starts: Sequence[Entry],
    allowed: Callable[[Entry], bool],
    *,
    strides: Sequence[int] = STRIDES,
) -> Found:
    """Return the best entry that moves to better neighbours lead to, from several starts.

    A neighbour has one number changed by one of the strides, or a second one changed by one as well, each up or down.
    Of all neighbours the best is taken, until none is better. What is found has no better neighbour; there may be a
    better one elsewhere.

    Args:
        score: takes many entries, returns a score of each; each entry is scored once; nan counts as the worst.
        starts: where to begin; those that are not allowed are left out.
        allowed: whether an entry may be scored.
        strides: how far one number moves.

    Raises:
        ValueError: if no start is allowed.

    Example:
        >>> found = climb(lambda rows: [-abs(a - 7) - abs(b - 3) for a, b in rows], [(1, 9)], lambda row: min(row) > 0)
        >>> found.entry
        (7, 3)
    """
    known: dict[Entry, float] = {}

    def best_of(entries: Iterable[Entry]) -> Entry:
        entries = [each for each in entries if allowed(each)]
        new = [each for each in dict.fromkeys(entries) if each not in known]
        scores = np.nan_to_num(np.array(list(score(new)), dtype=float), nan=-np.inf) if new else []
        known.update(zip(new, map(float, scores), strict=True))
        return max(entries, key=known.__getitem__)

    places = [each for each in dict.fromkeys(starts) if allowed(each)]
    if not places:
        raise ValueError(f"Argument `starts` must hold an entry that is allowed, but holds {list(starts)}.")
    ends = []
    for here in places:
        best_of([here])
        while (top := best_of([here, *neighbours(here, strides)])) != here:
            here = top
        ends.append(here)
    best = best_of(ends)
    return Found(best, known[best], len(known))


def neighbours(entry: Entry, strides: Sequence[int] = STRIDES) -> list[Entry]:
    """Return the entries with one number changed by a stride, and at most one other changed by one."""
    steps = [sign * step for step in strides for sign in (1, -1)]
    moves = [{i: step} for i in range(len(entry)) for step in steps]
    pairs = itertools.permutations(range(len(entry)), 2)
    moves += [{i: step, j: one} for i, j in pairs for step, one in itertools.product(steps, (1, -1))]
    found = (tuple(each + move.get(i, 0) for i, each in enumerate(entry)) for move in moves)
    return list(dict.fromkeys(found))
