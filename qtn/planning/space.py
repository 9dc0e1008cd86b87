"""Which schedules are allowed, as data; how many there are is known before any is evaluated."""

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator

from qtn.planning.segments import Segment, Segments
from qtn.schedules.tree import Tree
from qtn.steps.distill import BBPSSW, DistillationProtocol

MAX_DISTINCT_DEMANDS = 100_000
"""Memory demands that a count with limited slots tells apart before it gives an upper bound."""


@dataclasses.dataclass(frozen=True)
class SearchSpace:
    """What a schedule may consist of.

    Every segment (each link, what each swap delivers, the root) may be distilled up to `max_rounds` times.

    Raises:
        ValueError: if a number is out of range or there is no protocol to distill with.

    Example:
        >>> SearchSpace(max_rounds=1).rounds_per_segment
        2
    """

    max_rounds: int = 2
    """Most rounds of distillation of one segment."""

    protocols: tuple[DistillationProtocol, ...] = (BBPSSW,)
    """How each round may distill."""

    pumping: bool = False
    """Whether a round after the first may also consume a pair that was not distilled itself."""

    cutoffs: bool = False
    """Whether each join may discard the pair that came first when it is too old."""

    slots: int | None = None
    """Memories of each node, for pairs to both sides; None = no limit."""

    order: Tree | None = None
    """A tree whose swaps are kept as they are (its other steps do not count); None = any order."""

    def __post_init__(self) -> None:
        if self.max_rounds < 0:
            raise ValueError(f"Argument `max_rounds` must be at least 0, but is {self.max_rounds}.")
        if self.max_rounds > 0 and not self.protocols:
            raise ValueError("Argument `protocols` must name at least one protocol unless max_rounds = 0.")
        if len(set(self.protocols)) != len(self.protocols):
            raise ValueError("Argument `protocols` must name each protocol once.")
        if self.slots is not None and self.slots < 1:
            raise ValueError(f"Argument `slots` must be at least 1, but is {self.slots}.")

    @property
    def rounds_per_segment(self) -> int:
        """Return how many ways there are to distill one segment, not at all included."""
        return sum(self.ways(rounds) for rounds in range(self.max_rounds + 1))

    def ways(self, rounds: int) -> int:
        """Return in how many ways a segment can be distilled this many times."""
        return len(self.protocols) ** rounds * (2 ** max(rounds - 1, 0) if self.pumping else 1)

    def fits(self, copies: tuple[int, ...]) -> bool:
        """Whether every node has memories for so many pairs of each link at once."""
        if self.slots is None:
            return True
        demand = [a + b for a, b in zip((0, *copies), (*copies, 0), strict=True)]
        return max(demand) <= self.slots


def count(space: SearchSpace, segments: Segments) -> tuple[int, bool]:
    """Return how many distinct schedules a space holds, and whether that is exact or an upper bound.

    Schedules that deliver the same by symmetry (equal segments elsewhere in the chain, mirror images) count once;
    cut-off times do not count.
    """
    if space.slots is None:
        return _count(space, segments), True
    return _count_in_memory(space, segments)


def _count(space: SearchSpace, segments: Segments) -> int:
    found: dict[object, int] = {}
    for segment in segments.classes():
        total = 1 if segment.num_links == 1 else 0
        for left, right in segments.splits(segment):
            a, b = found[left.key], found[right.key]
            twins = segment.palindromic and left.key == right.key
            total += a * (a + 1) // 2 if twins else a * b
        found[segment.key] = total * space.rounds_per_segment
    return found[segments.root.key]


def _count_in_memory(space: SearchSpace, segments: Segments) -> tuple[int, bool]:
    """Count by how many pairs of each link are needed at once."""
    found: dict[object, Counter[tuple[int, ...]]] = {}
    for segment in segments.classes():
        plain: Counter[tuple[int, ...]] = Counter()
        if segment.num_links == 1:
            plain[(1,)] = 1
        for left, right in segments.splits(segment):
            for a, b in _pairs(found[left.key], found[right.key]):
                if space.fits((*a, *b)):
                    plain[(*a, *b)] += found[left.key][a] * found[right.key][b]
        distilled: Counter[tuple[int, ...]] = Counter()
        for copies, number in plain.items():
            for factor, ways in growth(space).items():
                more = tuple(factor * each for each in copies)
                if space.fits(more):
                    distilled[more] += number * ways
        if len(distilled) > MAX_DISTINCT_DEMANDS:
            return _count(dataclasses.replace(space, slots=None), segments), False
        found[segment.key] = distilled
    return found[segments.root.key].total(), True


def _pairs(
    left: Counter[tuple[int, ...]], right: Counter[tuple[int, ...]]
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    return ((a, b) for a in left for b in right)


def growth(space: SearchSpace) -> Counter[int]:
    """Return how many ways to distill a segment need 1, 2, 3, ... times its pairs.

    Example:
        >>> dict(growth(SearchSpace(max_rounds=2, pumping=True)))
        {1: 1, 2: 1, 4: 1, 3: 1}
    """
    now, found = Counter({1: 1}), Counter({1: 1})
    for done in range(space.max_rounds):
        later: Counter[int] = Counter()
        for factor, ways in now.items():
            for pairs in (protocol.num_pairs for protocol in space.protocols):
                later[pairs * factor] += ways
                if space.pumping and done > 0:
                    later[factor + pairs - 1] += ways
        found.update(later)
        now = later
    return found


def describe(number: int, exact: bool) -> str:
    """Return a count for people.

    Example:
        >>> describe(1971, True), describe(123456789012, False)
        ('1,971 distinct trees', 'at most 1.23e+11 distinct trees')
    """
    text = (
        f"{number:,}"
        if number < 10**9
        else f"{float(number):.3g}"
        if number < 10**300
        else f"1e{int(math.log10(number))}"
    )
    return f"{'' if exact else 'at most '}{text} distinct trees"


def require_some(space: SearchSpace, segments: Segments) -> Segment:
    """Return the whole chain, or raise if no schedule is allowed."""
    number, _ = count(space, segments)
    if number == 0:
        raise ValueError(
            f"slots = {space.slots}: no schedule fits; a node between two links needs at least 2 memories, one for "
            "each side"
        )
    return segments.root
