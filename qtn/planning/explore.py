"""Grow the candidates of every segment from those of its parts: dynamic programming over segments."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from qtn.planning.candidates import Candidate, distilled, swapped, use
from qtn.planning.engine import Engine
from qtn.planning.predict import predicted_losses
from qtn.planning.segments import Segment, Segments
from qtn.planning.select import Selection
from qtn.planning.space import SearchSpace

CUTOFF_FACTORS = (0.25, 0.5, 1.0, 2.0)
"""Cut-offs that are tried, in mean delivery times of the slower input; the leaders' are polished afterwards."""

BLOCK = 512
"""Swaps of the root that are held in memory at once."""

OUTLASTS = 1e-3
"""A candidate whose attempts outlast the grid with this probability is too slow to be believed."""


@dataclasses.dataclass
class Exploration:
    """One sweep over all segments on one grid."""

    engine: Engine
    space: SearchSpace
    segments: Segments
    select: Selection
    longest: float
    """Slower candidates cannot be part of an optimum [s]."""
    report: Callable[[list[Candidate]], None]
    """Called as the sweep goes on, with new candidates of the root."""
    slowest: float = 0.0
    """Longest mean time of a candidate that was dropped because it outlasts the grid [s]."""
    longest_kept: float = 0.0
    """Longest mean time of a candidate that was not dropped [s]."""
    too_slow: bool = False
    """Whether a candidate was dropped because it is slower than `longest`."""

    def run(self) -> list[Candidate]:
        """Return the candidates of the whole chain, without what they deliver in time."""
        pools: dict[object, list[Candidate]] = {}
        for segment in self.segments.classes():
            root = segment.key == self.segments.root.key
            found: list[Candidate] = []
            for plain in self._plain(segment, pools, root):
                grown = self._rounds(segment, plain, root)
                found.extend(grown)
                self.report(grown if root else [])
            pools[segment.key] = found if root else self._kept(segment, found)
            if not found:
                return []
        return pools[self.segments.root.key]

    def _plain(self, segment: Segment, pools: dict[object, list[Candidate]], root: bool) -> Iterator[list[Candidate]]:
        """Return the segment without distillation of its own, in blocks."""
        keep = not root or self.space.max_rounds > 0
        if segment.num_links == 1:
            yield [self.engine.link(segment)]
            return
        swaps = self._promising(self._swaps(segment, pools))
        size = BLOCK if root else len(swaps)
        for start in range(0, len(swaps), max(size, 1)):
            evaluated: list[Candidate] = []
            for middle, group in _grouped(swaps[start : start + size], lambda c: c.parts[0].candidate.num_links):
                del middle
                evaluated.extend(self.engine.swap(group, keep=keep))
            yield self._believable(evaluated)

    def _swaps(self, segment: Segment, pools: dict[object, list[Candidate]]) -> list[Candidate]:
        """Return all swaps of the candidates of two parts, not evaluated."""
        found = []
        for left, right in self.segments.splits(segment):
            twins = segment.palindromic and left.key == right.key
            for i, a in enumerate(pools[left.key]):
                for b in pools[right.key][i if twins else 0 :]:
                    parts = use(a, left), use(b, right)
                    for cutoff in self._cutoffs(a, b):
                        candidate = swapped(segment, *parts, cutoff)
                        if self.space.fits(candidate.copies):
                            found.append(candidate)
        return found

    def _cutoffs(self, a: Candidate, b: Candidate) -> tuple[float, ...]:
        if not self.space.cutoffs:
            return (np.inf,)
        slower = max(a.mean_time, b.mean_time)
        return (np.inf, *(factor * slower for factor in CUTOFF_FACTORS))

    def _promising(self, swaps: list[Candidate]) -> list[Candidate]:
        """Drop swaps on a prediction where there are too many to evaluate."""
        if len(swaps) <= self.select.budget:
            return swaps
        losses = predicted_losses(self.engine, swaps)
        fast = np.flatnonzero(losses[:, 0] <= np.log(1.2 * self.longest))
        self.too_slow = self.too_slow or len(fast) < len(losses)
        characters = np.column_stack([np.ones(len(fast)), -losses[fast, 1:]])
        segment = swaps[0].segment
        chosen = self.select.shortlist(segment, np.exp(losses[fast, 0]), characters)
        return [swaps[fast[i]] for i in chosen]

    def _rounds(self, segment: Segment, plain: list[Candidate], root: bool) -> list[Candidate]:
        """Return candidates with 0, 1, ... rounds of distillation."""
        found, now = list(plain), list(plain)
        for done in range(self.space.max_rounds):
            now = self._kept(segment, now)
            keep = not root or done + 1 < self.space.max_rounds
            later: list[Candidate] = []
            for protocol in self.space.protocols:
                group = [
                    candidate
                    for kept in now
                    for consumed in ([kept, kept.base] if self.space.pumping and kept.base else [kept])
                    for cutoff in self._cutoffs(kept, consumed)
                    if self.space.fits((candidate := distilled(kept, consumed, protocol, cutoff)).copies)
                ]
                later.extend(self.engine.distill(group, keep=keep))
            now = self._believable(later)
            found.extend(now)
        return [dataclasses.replace(each, delivered=None) for each in found] if root else found

    def _believable(self, candidates: list[Candidate]) -> list[Candidate]:
        """Drop candidates that are slower than any optimum, or than the grid can tell."""
        found = []
        for candidate in candidates:
            if candidate.tail_mass > OUTLASTS or not np.isfinite(candidate.mean_time):
                self.slowest = max(self.slowest, self.engine.horizon)
            elif candidate.mean_time <= self.longest:
                self.longest_kept = max(self.longest_kept, candidate.mean_time)
                found.append(candidate)
            else:
                self.too_slow = True
        return found

    def _kept(self, segment: Segment, candidates: list[Candidate]) -> list[Candidate]:
        if not candidates:
            return []
        times = np.array([candidate.mean_time for candidate in candidates])
        states = np.stack([candidate.state for candidate in candidates])
        return [candidates[i] for i in self.select(segment, times, self.engine.characters(segment, states))]


def _grouped(candidates: list[Candidate], key: Callable[[Candidate], int]) -> Iterator[tuple[int, list[Candidate]]]:
    """Return candidates in groups of equal keys, in order of first appearance."""
    groups: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(key(candidate), []).append(candidate)
    yield from groups.items()
