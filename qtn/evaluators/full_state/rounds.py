"""Operations become rounds: index arrays over pools of equal tensors, so that one compilation serves them all.

Sites of one shape share a pool (rows, left, 4, right). Operations of one shape that do not depend on each other make a
round of up to 64; rounds of one shape in a row make a segment, which is one `lax.scan`.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from qtn.evaluators.full_state.layout import Layout, Operation, Site, Spec

Shape = tuple[int, int]
WIDTHS = (1, 8, 64)
"""Operations of a round; the rest of a round is padded."""


class Segment(NamedTuple):
    """Rounds of one shape; all arrays (rounds, operations, ...), padded operations read row 0 and write nowhere."""

    spec: Spec
    reads: np.ndarray
    index: np.ndarray
    ages: np.ndarray
    writes: np.ndarray
    valid: np.ndarray


class Program(NamedTuple):
    """Segments, the length of every pool, and where the sites lie that are left."""

    segments: list[Segment]
    pools: dict[Shape, int]
    rows: dict[int, int]


def arrange(layout: Layout) -> Program:
    """Arrange the operations of a layout into segments."""
    rounds, previous = [], None
    by_level: dict[int, dict[Spec, list[Operation]]] = defaultdict(lambda: defaultdict(list))
    for operation in layout.operations:
        by_level[operation.level][operation.spec].append(operation)
    for level in sorted(by_level):
        groups = by_level[level]
        for spec in sorted(groups, key=lambda spec: spec != previous):
            rounds += [(spec, chunk) for chunk in _chunks(groups[spec])]
            previous = spec
    allocator = _Allocator()
    placed = [
        (spec, _width(len(chunk)), [allocator.place(op) for op in chunk])
        for spec, chunk in _in_order(rounds, allocator)
    ]
    segments = []
    for (spec, width), run in groupby(placed, key=lambda entry: entry[:2]):
        segments.append(_segment(spec, width, [entry[2] for entry in run]))
    return Program(segments, allocator.lengths, allocator.rows)


def _in_order(rounds: list[tuple[Spec, list[Operation]]], allocator: "_Allocator"):
    """Yield the rounds; rows that a round reads are free again only after it."""
    for spec, chunk in rounds:
        yield spec, chunk
        allocator.release(chunk)


def _chunks(operations: list[Operation]) -> list[list[Operation]]:
    return [operations[k : k + WIDTHS[-1]] for k in range(0, len(operations), WIDTHS[-1])]


def _width(count: int) -> int:
    return next(width for width in WIDTHS if width >= count)


class _Allocator:
    """Give every stored site a row of the pool of its shape."""

    def __init__(self) -> None:
        self.lengths: dict[Shape, int] = {}
        self.free: dict[Shape, list[int]] = defaultdict(list)
        self.rows: dict[int, int] = {}

    def place(self, operation: Operation) -> tuple[Operation, list[int], list[int]]:
        """Return an operation with the rows that it reads and writes."""
        reads = [self.rows[id(site)] for site in operation.reads]
        return operation, reads, [self._new(site) for site in operation.makes]

    def _new(self, site: Site) -> int:
        shape = site.left, site.right
        if not self.free[shape]:
            self.free[shape].append(self.lengths.get(shape, 0))
            self.lengths[shape] = self.lengths.get(shape, 0) + 1
        self.rows[id(site)] = self.free[shape].pop()
        return self.rows[id(site)]

    def release(self, chunk: Sequence[Operation]) -> None:
        """Free the rows that operations have read."""
        for operation in chunk:
            for site in operation.reads:
                self.free[site.left, site.right].append(self.rows.pop(id(site)))


def _segment(spec: Spec, width: int, rounds: list[list[tuple[Operation, list[int], list[int]]]]) -> Segment:
    count, nowhere = len(rounds), np.iinfo(np.int32).max
    first = rounds[0][0][0]
    reads = np.zeros((count, width, len(spec.inputs)), np.int32)
    index = np.zeros((count, width, len(first.index)), np.int32)
    ages = np.zeros((count, width, len(first.ages)), np.int32)
    writes = np.full((count, width, len(spec.outputs)), nowhere, np.int32)
    valid = np.zeros((count, width), bool)
    for r, entries in enumerate(rounds):
        for c, (operation, read, write) in enumerate(entries):
            reads[r, c], index[r, c], ages[r, c], writes[r, c] = read, operation.index, operation.ages, write
            valid[r, c] = True
    return Segment(spec, reads, index, ages, writes, valid)
