"""Moves: a qubit visits another processor, because a gate cannot be done through a copy, or to save pairs.

A processor takes one visitor at a time, in the communication qubit in which it arrived; its place at home stays free.
"""

from collections.abc import Sequence
from typing import NamedTuple

from qtn.dqc.sharing import Item, Sharing, options, runs_of, shared

UNABLE = 2
"""Pairs counted for a gate that cannot be done through a copy: a qubit goes and comes back."""

MOST_TRIED = 250_000
"""Visits that are tried, times the operations of the circuit."""


class Visit(NamedTuple):
    """A qubit stays in another processor from just before one item to just before another, or for good."""

    qubit: int
    target: int
    first: int
    after: int | None
    """Item before which it goes home; None where it need not."""


def positions(items: Sequence[Item], home: Sequence[int], visits: Sequence[Visit]) -> list[tuple[int, ...]]:
    """Return the processor of each operand of each item."""
    found = [[home[site] for site in item.sites] for item in items]
    for visit in visits:
        for k in range(visit.first, len(items) if visit.after is None else visit.after):
            if visit.qubit in items[k].sites:
                found[k][items[k].sites.index(visit.qubit)] = visit.target
    return [tuple(places) for places in found]


def pairs_taken(items: Sequence[Item], where: Sequence[tuple[int, ...]], sharing: Sharing) -> int:
    """Return how many pairs copies take, with two for each gate that cannot be done through one."""
    found = options(items, where, runs_of(items, where))
    chosen = shared(found, sharing)
    copies = {k if sharing is Sharing.NONE else found[k][operand] for k, operand in chosen.items()}
    return len(copies) + UNABLE * (len(found) - len(chosen))


def num_pairs(items: Sequence[Item], home: Sequence[int], visits: Sequence[Visit], sharing: Sharing) -> int:
    """Return how many pairs a circuit takes, moves included."""
    moves = sum(1 if visit.after is None else 2 for visit in visits)
    return moves + pairs_taken(items, positions(items, home, visits), sharing)


def plan_visits(items: Sequence[Item], home: Sequence[int], sharing: Sharing) -> tuple[tuple[Visit, ...], int]:
    """Return the visits that make every gate possible, and those that lower the number of pairs; each is tried.

    Args:
        items: in order.
        home: processor of each site.
        sharing: how pairs are shared beside them.

    Returns:
        visits: that are taken.
        untried: number of visits that might have saved pairs, but were not tried: more than `MOST_TRIED` allows.
    """
    per_qubit = _joins_of(items, len(home))
    at_home = positions(items, home, ())
    unable = _unable(items, at_home)
    visits = tuple(Visit(items[k].sites[0], at_home[k][1], k, k + 1) for k in unable)
    if sharing is Sharing.NONE:
        return visits, 0
    best = num_pairs(items, home, visits, sharing)
    around = [visit for k in unable for visit in _around(items, home, per_qubit, k)]
    candidates = list(dict.fromkeys(around + _saving(items, home, per_qubit)))
    tried_at_most = MOST_TRIED // max(len(items), 1)
    for visit in candidates[:tried_at_most]:
        tried = (*(other for other in visits if not _collide(items, other, visit)), visit)
        if not _unable(items, positions(items, home, tried)):
            cost = num_pairs(items, home, tried, sharing)
            visits, best = (tried, cost) if cost < best else (visits, best)
    return visits, max(len(candidates) - tried_at_most, 0)


def _joins_of(items: Sequence[Item], num_sites: int) -> list[list[int]]:
    """Return for each site the items in which it meets another qubit."""
    found: list[list[int]] = [[] for _ in range(num_sites)]
    for k, item in enumerate(items):
        for site in item.sites if item.joins else ():
            found[site].append(k)
    return found


def _unable(items: Sequence[Item], where: Sequence[tuple[int, ...]]) -> list[int]:
    """Return the items between processors that cannot be done through a copy."""
    return [k for k, item in enumerate(items) if item.joins and where[k][0] != where[k][1] and not any(item.letters)]


def _collide(items: Sequence[Item], a: Visit, b: Visit) -> bool:
    """Tell whether two visits overlap in time and are of one qubit, to one processor, or of two that meet meanwhile."""
    first = max(a.first, b.first)
    last = min(len(items) if visit.after is None else visit.after for visit in (a, b))
    if a.qubit == b.qubit or a.target == b.target:
        return first < last
    return any(a.qubit in items[k].sites and b.qubit in items[k].sites for k in range(first, last))


def _around(items: Sequence[Item], home: Sequence[int], per_qubit: Sequence[list[int]], k: int) -> list[Visit]:
    """Return visits in a whole run of meetings that make an item local: of one of its qubits to the other."""
    found = []
    for operand in (0, 1):
        qubit, target = items[k].sites[operand], home[items[k].sites[1 - operand]]
        joins = per_qubit[qubit]
        meets = [_partner(items[j], qubit, home) == target for j in joins]
        first = last = joins.index(k)
        while last + 1 < len(joins) and meets[last + 1]:
            last += 1
        for start in dict.fromkeys((first, _first(meets, first))):
            found += _stays(qubit, target, joins, start, last)
    return found


def _stays(qubit: int, target: int, joins: Sequence[int], start: int, last: int) -> list[Visit]:
    """Return the visit from one meeting to another with the way back, and the one for good if it is the last."""
    back = Visit(qubit, target, joins[start], joins[last] + 1)
    return [back] if last + 1 < len(joins) else [back._replace(after=None), back]


def _first(meets: Sequence[bool], place: int) -> int:
    """Return where the run of meetings with a place in it begins."""
    while place > 0 and meets[place - 1]:
        place -= 1
    return place


def _partner(item: Item, qubit: int, home: Sequence[int]) -> int:
    """Return where the other qubit of an item is at home."""
    return home[item.sites[1 - item.sites.index(qubit)]]


def _saving(items: Sequence[Item], home: Sequence[int], per_qubit: Sequence[list[int]]) -> list[Visit]:
    """Return visits over whole runs of meetings with one other processor that would spare several copies."""
    runs, found = runs_of(items, positions(items, home, ())), []
    for qubit, joins in enumerate(per_qubit):
        start = 0
        while start < len(joins):
            target, end = _partner(items[joins[start]], qubit, home), start
            while end < len(joins) and _partner(items[joins[end]], qubit, home) == target:
                end += 1
            inside = joins[start:end]
            number = len({runs.index[k][items[k].sites.index(qubit)] for k in inside})
            if target != home[qubit] and number > (1 if end == len(joins) else 2):
                found += _stays(qubit, target, joins, start, end - 1)
            start = end
    return found
