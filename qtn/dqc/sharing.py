"""Which gates share a pair: those for which one copy of a qubit can stand."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from qtn.dqc.distributed import Gate
from qtn.dqc.letters import ANY


class Item(NamedTuple):
    """One place of one operation, as the compiler sees it."""

    gate: Gate
    sites: tuple[int, ...]
    letters: tuple[str, ...]
    """Of each operand, the Paulis in whose basis the operation is diagonal on it."""
    joins: bool
    """Whether it acts on two qubits, no classical bit among them."""


class Sharing(StrEnum):
    """How pairs are shared."""

    NONE = "none"
    """A pair for every gate between processors."""
    IN_ORDER = "in_order"
    """A gate takes a copy that is open, else opens one of the operand whose copy is needed next: short-lived copies."""
    FEWEST = "fewest"
    """The fewest pairs for this placement without moves: a minimum vertex cover (a matching). Copies may live long."""


class Span(NamedTuple):
    """A copy that could be opened: a qubit, for as long as what acts on it is diagonal in one basis, in a processor."""

    qubit: int
    run: int
    """Number of its maximal runs of operations that are diagonal in a common basis."""
    target: int


class Run(NamedTuple):
    """The runs of all qubits."""

    index: tuple[tuple[int, ...], ...]
    """For each item the number of the run of each operand."""
    letter: Mapping[tuple[int, int], str]
    """{(qubit, run): letter}."""


def runs_of(items: Sequence[Item], where: Sequence[tuple[int, ...]]) -> Run:
    """Divide the operations of each qubit into runs that are diagonal in a common basis.

    Args:
        items: in order.
        where: processor of each operand of each item; a change ends a run.
    """
    current: dict[int, tuple[int, str, int]] = {}
    index, letters = [], {}
    for item, places in zip(items, where, strict=True):
        numbers = []
        for site, letter, place in zip(item.sites, item.letters, places, strict=True):
            number, left, stood = current.get(site, (0, ANY, place))
            common = "".join(x for x in left if x in letter)
            if not common or stood != place:
                number, common = number + 1, letter
            current[site] = number, common, place
            letters[site, number] = common[-1:]
            numbers.append(number)
        index.append(tuple(numbers))
    return Run(tuple(index), letters)


def options(items: Sequence[Item], where: Sequence[tuple[int, ...]], runs: Run) -> dict[int, dict[int, Span]]:
    """Return for each item between processors {operand: the copy that could stand for it}; empty if none can."""
    return {
        k: {
            operand: Span(item.sites[operand], runs.index[k][operand], where[k][1 - operand])
            for operand in (0, 1)
            if item.letters[operand]
        }
        for k, item in enumerate(items)
        if item.joins and where[k][0] != where[k][1]
    }


def shared(found: Mapping[int, Mapping[int, Span]], sharing: Sharing) -> dict[int, int]:
    """Return for each item between processors the operand that is copied; items without options are left out."""
    able = {k: choices for k, choices in found.items() if choices}
    if sharing is Sharing.NONE:
        return {k: min(choices) for k, choices in able.items()}
    return _fewest(able) if sharing is Sharing.FEWEST else _in_order(able)


def _in_order(able: Mapping[int, Mapping[int, Span]]) -> dict[int, int]:
    uses: dict[Span, list[int]] = {}
    for k, choices in able.items():
        for span in choices.values():
            uses.setdefault(span, []).append(k)
    place = dict.fromkeys(uses, 0)
    opened: set[Span] = set()
    chosen = {}
    for k, choices in able.items():
        following = {}
        for operand, span in choices.items():
            place[span] += 1
            following[operand] = uses[span][place[span]] if place[span] < len(uses[span]) else np.inf
        best = min(choices, key=lambda o: (choices[o] not in opened, following[o], o))
        opened.add(choices[best])
        chosen[k] = best
    return chosen


def _fewest(able: Mapping[int, Mapping[int, Span]]) -> dict[int, int]:
    """Return a minimum vertex cover: every gate is an edge between the two copies that could serve it.

    Copies that a gate has no choice about are taken first; then the theorem of Koenig turns a maximum matching into a
    minimum cover. The graph is bipartite: copies from the processor with the smaller number to the larger, and back.
    """
    taken = {span for choices in able.values() if len(choices) == 1 for span in choices.values()}
    edges = {
        k: tuple(choices.values())
        for k, choices in able.items()
        if len(choices) == 2 and not taken & set(choices.values())
    }
    sides: tuple[dict[Span, int], dict[Span, int]] = {}, {}
    rows = []
    for a, b in edges.values():
        low, high = (a, b) if a.target > b.target else (b, a)
        rows.append((sides[0].setdefault(low, len(sides[0])), sides[1].setdefault(high, len(sides[1]))))
    taken |= _cover(rows, sides)
    return {k: min(choices, key=lambda o: (choices[o] not in taken, o)) for k, choices in able.items()}


def _cover(rows: list[tuple[int, int]], sides: tuple[dict[Span, int], dict[Span, int]]) -> set[Span]:
    """Return the vertices of a minimum cover from a maximum matching."""
    if not rows:
        return set()
    first, second = (np.array(column) for column in zip(*rows, strict=True))
    graph = coo_array((np.ones(len(rows)), (first, second)), shape=(len(sides[0]), len(sides[1]))).tocsr()
    partner = maximum_bipartite_matching(graph, perm_type="column")  # of each row, -1 for none
    row_of = {int(column): row for row, column in enumerate(partner) if column >= 0}
    reached, columns = {row for row, column in enumerate(partner) if column < 0}, set()
    waiting = list(reached)
    while waiting:
        row = waiting.pop()
        for column in graph.indices[graph.indptr[row] : graph.indptr[row + 1]].tolist():
            if column not in columns:
                columns.add(column)
                if (matched := row_of.get(column)) is not None and matched not in reached:
                    reached.add(matched)
                    waiting.append(matched)
    return {span for span, row in sides[0].items() if row not in reached} | {
        span for span, column in sides[1].items() if column in columns
    }
