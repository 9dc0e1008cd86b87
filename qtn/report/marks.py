"""Plan the drawing of a schedule: which marks there are, over which links, at which level; equal parts once."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from qtn.report.svg import LINE, shortened
from qtn.schedules.tree import Distill, Elementary, Swap, Tree, Wait, subtrees

MOST_PROTOCOL = 16
"""Most characters of the name of a protocol."""


@dataclass(eq=False)
class Mark:
    """One thing to draw over the links `first` to `last`, at a level above the chain."""

    kind: str
    first: int
    last: int
    level: int
    lane: int
    children: tuple["Mark", ...] = ()
    words: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    time: str = ""
    copies: int = 1
    number: int = 0

    @property
    def below(self) -> float:
        """Return the height under the centre of the bar."""
        heights = {"distill": 4 + LINE / 2 * len(self.lines), "swap": 8.0, "wait": 9.0, "repeat": 8.0}
        return heights.get(self.kind, 4.0)

    @property
    def above(self) -> float:
        """Return the height over the centre of the bar, labels included."""
        return self.below + 15 * (bool(self.time) and self.kind != "wait") + 15 * (self.copies > 1)


Walk: TypeAlias = Generator["Walk", Mark, Mark]


@dataclass
class Planner:
    """Turns a tree into marks, equal parts once."""

    cutoffs: list[str]
    waits: list[str]
    keys: dict[Tree, int] = field(default_factory=dict)
    drawn: dict[int, Mark] = field(default_factory=dict)
    numbers: int = 0
    marks: list[Mark] = field(default_factory=list)

    def plan(self, tree: Tree) -> Mark:
        """Plan the whole tree, without recursion: trees may be deep."""
        table: dict[Any, int] = {}
        for part in subtrees(tree):
            own = part.first, self.time(part), getattr(part, "protocol", None)
            content = type(part), *own, *(self.keys[child] for child in part.children)
            self.keys[part] = table.setdefault(content, len(table))
        walks, done = [self.walk(tree, 0, 0)], None
        while walks:
            try:
                walks.append(walks[-1].send(done))  # type: ignore[arg-type]
                done = None
            except StopIteration as stop:
                walks.pop()
                done = stop.value
        assert done is not None
        return done

    def time(self, part: Tree) -> str:
        """Return the cut-off or duration of a step."""
        if isinstance(part, Wait):
            return self.waits[part.duration]
        slot = None if isinstance(part, Elementary) else part.cutoff
        return "" if slot is None else self.cutoffs[slot]

    def same(self, one: Tree, other: Tree) -> bool:
        """Return whether two parts are drawn alike: equal steps with equal times, in whichever slots."""
        return self.keys[one] == self.keys[other]

    def add(self, kind: str, part: Tree, level: int, lane: int, **content: Any) -> Mark:
        """Add a mark over the span of a part, above its children."""
        level = max([level, *(child.level + 1 for child in content.get("children", ()))])
        mark = Mark(kind, part.first, part.last, level, lane, **content)
        self.marks.append(mark)
        return mark

    def walk(self, part: Tree, level: int, lane: int) -> Walk:
        """Plan a part from a level upwards; each `yield` plans an operand."""
        known = self.drawn.get(self.keys[part])
        if isinstance(part, Elementary):
            return self.add("link", part, level, lane)
        if known is not None:
            self.numbers += not known.number
            known.number = known.number or self.numbers
            return self.add("repeat", part, level, lane, words=(f"as #{known.number}",))
        if isinstance(part, Swap):
            children = (yield self.walk(part.left, level, lane)), (yield self.walk(part.right, level, lane))
            mark = self.add("swap", part, level, lane, children=children, time=self.time(part))
        elif isinstance(part, Wait):
            child = yield self.walk(part.child, level, lane)
            mark = self.add("wait", part, level, lane, children=(child,), time=self.time(part))
        else:
            mark = yield self.distillation(part, level, lane)
        self.drawn[self.keys[part]] = mark
        return mark

    def distillation(self, part: Distill, level: int, lane: int) -> Walk:
        """Plan a distillation with the rounds that lead to it."""
        alike = self.same(part.kept, part.consumed)
        below, rounds, pairs = part.kept, 1, part.protocol.num_pairs
        while (
            isinstance(below, Distill)
            and (below.protocol, self.time(below)) == (part.protocol, self.time(part))
            and self.same(below.consumed, below.kept if alike else part.consumed)
        ):
            below, rounds = below.kept, rounds + 1
        pumped = not alike and self.same(below, part.consumed)
        words = (f"{rounds} ×", shortened(part.protocol.name, MOST_PROTOCOL), *(["pumped"] if pumped else []))
        kept = yield self.walk(below, level, lane)
        children = (kept,)
        if alike or pumped:
            kept.copies = pairs**rounds if alike else (pairs - 1) * rounds + 1
        else:
            consumed = yield self.walk(part.consumed, kept.level + 1, lane + 1)
            consumed.copies = (pairs - 1) * rounds
            children = (kept, consumed)
        return self.add("distill", part, level, lane, children=children, words=words, time=self.time(part))
