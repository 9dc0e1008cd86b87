"""Candidates: schedules of one segment, with what they deliver on the grid of the search."""

import dataclasses
from typing import Any

import numpy as np

from qtn import _checks
from qtn.planning.segments import Segment
from qtn.schedules.tree import Distill, Elementary, Schedule, Swap, Tree
from qtn.steps.distill import DistillationProtocol


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """A candidate used as a part of a longer one."""

    candidate: "Candidate"
    mirrored: bool
    """Whether it is used in its mirror image."""


@dataclasses.dataclass(frozen=True, eq=False)
class Candidate:
    """One schedule of a segment: its last step, the candidates that it joins, and what it delivers."""

    segment: Segment
    """The place where it was found; it serves all equal ones."""

    parts: tuple[Part, ...]
    """Nothing for a link; left and right of a swap; kept and (each) consumed of a distillation."""

    protocol: DistillationProtocol | None
    """How it distills; None for links and swaps."""

    cutoff: float
    """Cut-off of the last step [s]; inf = none."""

    base: "Candidate | None"
    """The same segment before its first round of distillation; None if this is not distilled."""

    num_rounds: int
    """Rounds of distillation of this segment."""

    copies: tuple[int, ...]
    """How many pairs of each link are in use at once."""

    mean_time: float = np.inf
    """Mean delivery time [s]."""

    state: Any = None
    """(k,), mean delivered state, state[0] = 1."""

    tail_mass: float = 0.0
    """Probability that an attempt of the last step outlasts the grid."""

    delivered: Any = None
    """(k, t), what is delivered at each time; None for the root."""

    @property
    def num_links(self) -> int:
        """Return the number of links."""
        return self.segment.num_links


def use(candidate: Candidate, segment: Segment) -> Part:
    """Return a candidate as it is used on an equal segment."""
    return Part(candidate, candidate.segment.mirrored != segment.mirrored)


def swapped(segment: Segment, left: Part, right: Part, cutoff: float) -> Candidate:
    """Return the swap of two parts, not evaluated."""
    copies = (*_copies(left), *_copies(right))
    return Candidate(segment, (left, right), None, cutoff, None, 0, copies)


def distilled(kept: Candidate, consumed: Candidate, protocol: DistillationProtocol, cutoff: float) -> Candidate:
    """Return one more round of distillation, not evaluated."""
    copies = tuple(a + (protocol.num_pairs - 1) * b for a, b in zip(kept.copies, consumed.copies, strict=True))
    parts = Part(kept, False), Part(consumed, False)
    return Candidate(kept.segment, parts, protocol, cutoff, kept.base or kept, kept.num_rounds + 1, copies)


def _copies(part: Part) -> tuple[int, ...]:
    return part.candidate.copies[::-1] if part.mirrored else part.candidate.copies


def schedule_of(candidate: Candidate) -> Schedule:
    """Return the schedule of a candidate for a whole chain, with the cut-off times of its steps in order."""
    cutoffs: list[float] = []
    known: dict[tuple[Candidate, int, bool], Tree] = {}

    def slot_of(time: float) -> int | None:
        if not np.isfinite(time):
            return None
        cutoffs.append(time)
        return len(cutoffs) - 1

    def build(part: Candidate, first: int, mirrored: bool) -> Tree:
        if not part.parts:
            return Elementary(first)
        if (part, first, mirrored) not in known:
            ordered = part.parts[::-1] if mirrored and part.protocol is None else part.parts
            trees, position = [], first
            for each in ordered:
                trees.append(build(each.candidate, position, mirrored != each.mirrored))
                position += 0 if part.protocol else each.candidate.num_links
            slot = slot_of(part.cutoff)
            kept, other = trees
            known[part, first, mirrored] = (
                Distill(kept, other, part.protocol, slot) if part.protocol else Swap(kept, other, slot)
            )
        return known[part, first, mirrored]

    tree = build(candidate, 0, False)
    return Schedule(tree=tree, cutoff_times=_checks.real(np.asarray(cutoffs)), wait_times=_checks.real(()))
