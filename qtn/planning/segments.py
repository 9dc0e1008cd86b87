"""The segments of a chain, equal ones and mirror images told once."""

import dataclasses
from functools import cached_property
from typing import Any, cast

import jax
import numpy as np

from qtn.evaluators.delivery import delivering
from qtn.links.chain import Chain
from qtn.links.link import Heralded
from qtn.schedules.tree import Swap, Tree, subtrees


@dataclasses.dataclass(frozen=True)
class Segment:
    """A run of neighbouring links."""

    first: int
    """First link."""

    num_links: int

    key: object
    """Equal for segments that deliver the same, whatever their place and direction."""

    mirrored: bool
    """Whether it lies in the chain as the mirror image of its key."""

    palindromic: bool
    """Whether the segment is its own mirror image."""

    @property
    def last(self) -> int:
        """Return the last link."""
        return self.first + self.num_links - 1


class Segments:
    """All segments of a chain by what they are made of."""

    def __init__(self, chain: Chain, *, mirror: bool = True, order: Tree | None = None) -> None:
        chain = delivering(chain)
        self.num_links, self.mirror = chain.num_links, mirror
        links = [cast(Heralded, chain.link(i)) for i in range(chain.num_links)]
        # mirror images are alike in what Bell-diagonal states hold, and only those are asked for them
        self._links = _numbered([(x.p_success, x.attempt_time, x.bell_diagonal) for x in links] if mirror else links)
        self._nodes = _numbered([chain.node(i) for i in range(chain.num_links + 1)])
        self._order = None if order is None else _joints(order)

    @property
    def root(self) -> Segment:
        """Return the whole chain."""
        return self.segment(0, self.num_links)

    def segment(self, first: int, num_links: int) -> Segment:
        """Return the segment of so many links from `first`."""
        links, nodes = self._links[first : first + num_links], self._nodes[first : first + num_links + 1]
        forward, backward = (links, nodes), (links[::-1], nodes[::-1])
        mirror = self.mirror and self._order is None
        mirrored = mirror and backward < forward
        content = backward if mirrored else forward
        shape = None if self._order is None else self._shape(first, num_links)
        palindromic = mirror and forward == backward
        return Segment(first, num_links, (*content, shape), mirrored, palindromic)

    @cached_property
    def _classes(self) -> list[Segment]:
        found: dict[object, Segment] = {}
        for size in range(1, self.num_links + 1):
            for first in range(self.num_links - size + 1):
                segment = self.segment(first, size)
                allowed = self._order is None or size == 1 or (first, size) in self._order
                if allowed and segment.key not in found:
                    found[segment.key] = segment
        return list(found.values())

    def classes(self) -> list[Segment]:
        """Return one segment of each kind, short ones first, as it lies in the chain."""
        return self._classes

    def splits(self, segment: Segment) -> list[tuple[Segment, Segment]]:
        """Return the pairs of segments that one swap joins to this one, each pair of mirror images once."""
        sizes = range(1, segment.num_links)
        if self._order is not None and segment.num_links > 1:
            sizes = [self._order[segment.first, segment.num_links]]
        elif segment.palindromic:
            sizes = range(1, segment.num_links // 2 + 1)
        return [
            (
                self.segment(segment.first, size),
                self.segment(segment.first + size, segment.num_links - size),
            )
            for size in sizes
        ]

    def _shape(self, first: int, num_links: int) -> object:
        """Return the nesting of the given swaps over a segment."""
        assert self._order is not None
        if num_links == 1 or (first, num_links) not in self._order:
            return num_links
        left = self._order[first, num_links]
        return self._shape(first, left), self._shape(first + left, num_links - left)


def _numbered(parts: list[Any]) -> tuple[int, ...]:
    """Return equal numbers for equal parts (pytrees of concrete numbers)."""
    found: dict[object, int] = {}
    content = (
        (jax.tree.structure(part), tuple(np.asarray(x).tobytes() for x in jax.tree.leaves(part))) for part in parts
    )
    return tuple(found.setdefault(each, len(found)) for each in content)


def _joints(tree: Tree) -> dict[tuple[int, int], int]:
    """Return (first link, number of links) -> number of links to the left of the swap."""
    return {
        (part.first, part.last - part.first + 1): part.right.first - part.first
        for part in subtrees(tree)
        if isinstance(part, Swap)
    }
