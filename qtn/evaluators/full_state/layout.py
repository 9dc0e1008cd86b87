"""Where every slot lies: which sites form which train, and which operations a timeline becomes. No numbers.

The register is a set of trains, one for each set of slots that may be correlated. A pair is a train of two sites; an
event joins the trains it touches (turned round where that brings its slots closer together), acts on the window of
sites that holds its slots, and leaves the others alone; where a bond of 1 remains the train falls apart again. So a
swap in a chain of any length is an operation on three sites, and bonds are known before anything is computed.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from qtn.evaluators.full_state.events import MAX_LOCAL, Along, Correct, DistillAt, Event, Generate, Local, Slot, SwapAt


@dataclass(eq=False)
class Site:
    """One site of one train, between two operations."""

    slot: Slot
    left: int
    """Stored left bond."""
    right: int
    """Stored right bond."""
    level: int
    """Operations that must come before the next one on this site."""
    flipped: bool = False
    """Whether the stored tensor is read from right to left."""

    @property
    def bonds(self) -> tuple[int, int]:
        """Return the bonds as they are read."""
        return (self.right, self.left) if self.flipped else (self.left, self.right)


@dataclass(frozen=True)
class Spec:
    """The shape of an operation: what is compiled once."""

    operator: tuple[object, ...]
    """Which stack of numbers: see `execute`."""
    inputs: tuple[tuple[int, int, bool], ...]
    """Stored bonds and orientation of the sites of the window."""
    places: tuple[int, ...] = ()
    """Sites of the window that the operator acts on, in its order."""
    order: tuple[int, ...] = ()
    """Sites afterwards, in the order of the train: indices into (kept slots, spectators)."""
    outputs: tuple[tuple[int, int], ...] = ()
    """Bonds of the sites afterwards."""
    max_bond: int = 0
    """For a compression: the bond to cut to."""


@dataclass(eq=False)
class Operation:
    """One operation: its shape, the sites it reads and makes, and where its numbers are."""

    spec: Spec
    reads: list[Site]
    makes: list[Site]
    level: int
    index: tuple[int, ...] = (0,)
    """Node, link, pair of nodes or position of the numbers."""
    ages: tuple[int, ...] = ()
    """Numbers of the slot uses whose decay comes first."""


@dataclass
class Layout:
    """All operations of a timeline, and the trains that are left."""

    operations: list[Operation] = field(default_factory=list)
    trains: list[list[Site]] = field(default_factory=list)
    uses: list[tuple[Slot, int, int]] = field(default_factory=list)
    """(slot, event, event before on this slot) for every decay."""
    stacks: dict[tuple[object, ...], dict[tuple[int, ...], int]] = field(default_factory=dict)
    """For each operator: which numbers it needs, and their places in the stack."""


def lay_out(events: Sequence[Event], max_bond: int, widths: Sequence[int] = ()) -> Layout:
    """Turn events into operations; bonds above `max_bond` are cut after the operation that made them.

    Args:
        events: in time order.
        max_bond: largest bond that is kept.
        widths: bond of every operator train, by position in `Timeline.maps`.
    """
    return _Planner(max_bond, widths).run(events)


class _Planner:
    def __init__(self, max_bond: int, widths: Sequence[int]) -> None:
        self.max_bond, self.widths = max_bond, widths
        self.layout = Layout()
        self.train_of: dict[Slot, list[Site]] = {}
        self.last: dict[Slot, int] = {}

    def run(self, events: Sequence[Event]) -> Layout:
        """Lay out all events."""
        for number, event in enumerate(events):
            if isinstance(event, Generate):
                self._generate(event)
            elif isinstance(event, Along):
                self._along(event, number)
            else:
                self._local(event, number)
            for slot in event.slots:
                self.last.pop(slot, None)
            for slot in event.slots if isinstance(event, Generate) else event.keeps:
                self.last[slot] = number
        distinct = {id(train): train for train in self.train_of.values()}
        self.layout.trains = list(distinct.values())
        return self.layout

    def _stack(self, operator: tuple[object, ...], numbers: tuple[int, ...]) -> tuple[int, ...]:
        places = self.layout.stacks.setdefault(operator, {})
        return (places.setdefault(numbers, len(places)),)

    def _emit(self, spec: Spec, reads: list[Site], makes: list[Site], index: tuple[int, ...], ages: list[int]) -> None:
        level = 1 + max((site.level for site in reads), default=0)
        for site in makes:
            site.level = level
        self.layout.operations.append(Operation(spec, reads, makes, level, index, tuple(ages)))

    def _ages(self, slots: Sequence[Slot], number: int) -> list[int]:
        first = len(self.layout.uses)
        self.layout.uses += [(slot, number, self.last[slot]) for slot in slots]
        return list(range(first, first + len(slots)))

    def _set_train(self, train: list[Site]) -> None:
        """Store a train, or the parts into which bonds of 1 divide it."""
        part: list[Site] = []
        for site in train:
            part.append(site)
            if site.bonds[1] == 1:
                for member in part:
                    self.train_of[member.slot] = part
                part = []

    def _generate(self, event: Generate) -> None:
        sites = [Site(event.left, 1, 4, 0), Site(event.right, 4, 1, 0)]
        operator = ("generate",)
        index = self._stack(operator, (event.link,))
        self._emit(Spec(operator, (), outputs=((1, 4), (4, 1))), [], sites, index, [])
        self._set_train(sites)

    def _joined(self, slots: Sequence[Slot]) -> list[Site]:
        """Join the trains of the slots so that these lie close together."""
        found = list({id(self.train_of[slot]): self.train_of[slot] for slot in slots}.values())
        if len(found) == 1:
            return found[0]
        wanted = set(slots)
        orders = itertools.permutations(found) if len(found) <= 3 else [found]
        flips = (
            list(itertools.product((False, True), repeat=len(found))) if len(found) <= 3 else [(False,) * len(found)]
        )
        best, least = None, None
        for order in orders:
            for turned in flips:
                names = [
                    site.slot
                    for train, flip in zip(order, turned, strict=True)
                    for site in (train[::-1] if flip else train)
                ]
                places = [place for place, slot in enumerate(names) if slot in wanted]
                cost = (places[-1] - places[0], sum(turned))
                if least is None or cost < least:
                    best, least = (order, turned), cost
        assert best is not None
        joined = []
        for train, flip in zip(*best, strict=True):
            if flip:
                for site in train:
                    site.flipped = not site.flipped
                train.reverse()
            joined += train
        return joined

    def _local(self, event: SwapAt | Correct | DistillAt | Local, number: int) -> None:
        train = self._joined(event.slots)
        wanted = set(event.slots)
        while True:
            places = [place for place, site in enumerate(train) if site.slot in wanted]
            start, stop = places[0], places[-1] + 1
            if stop - start <= max(MAX_LOCAL, len(wanted)):
                break
            train = self._bring_together(train, places)
        if not event.keeps and stop - start == len(wanted) and len(train) > len(wanted):
            start, stop = (start, stop + 1) if stop < len(train) else (start - 1, stop)
        window = train[start:stop]
        position = {site.slot: place for place, site in enumerate(window)}
        measured = min(position[slot] for slot in event.slots)
        spectators = [site.slot for site in window if site.slot not in wanted]
        after = [*event.keeps, *spectators]
        rank = {slot: (position.get(slot, measured), k) for k, slot in enumerate(after)}
        order = sorted(range(len(after)), key=lambda k: rank[after[k]])
        operator, index = self._operator(event)
        ages = self._ages(event.slots, number)
        made = self._window(operator, window, [position[s] for s in event.slots], order, after, index, ages)
        for slot in event.slots:
            self.train_of.pop(slot, None)
        self._set_train(self._cut(train[:start] + made + train[stop:]))

    def _window(
        self,
        operator: tuple[object, ...],
        window: list[Site],
        places: list[int],
        order: list[int],
        after: Sequence[Slot],
        index: tuple[int, ...],
        ages: list[int],
    ) -> list[Site]:
        left, right = window[0].bonds[0], window[-1].bonds[1]
        bonds = split_bonds(left, right, len(order))
        made = [Site(after[k], *pair, 0) for k, pair in zip(order, itertools.pairwise(bonds), strict=True)]
        inputs = tuple((site.left, site.right, site.flipped) for site in window)
        outputs = tuple((site.left, site.right) for site in made)
        self._emit(Spec(operator, inputs, tuple(places), tuple(order), outputs), window, made, index, ages)
        return made

    def _bring_together(self, train: list[Site], places: list[int]) -> list[Site]:
        """Exchange one site with its neighbour towards the middle of the wanted ones."""
        middle = places[len(places) // 2]
        for place in (*[p for p in reversed(places) if p < middle], *[p for p in places if p > middle]):
            start = place if place < middle else place - 1
            other = start + 1 if place < middle else start
            if other in places:
                continue
            pair = train[start : start + 2]
            made = self._window(("move",), pair, [], [1, 0], [pair[0].slot, pair[1].slot], (0,), [])
            return self._cut(train[:start] + made + train[start + 2 :])
        raise AssertionError("wanted sites that lie together need no exchange")

    def _along(self, event: Along, number: int) -> None:
        train = self._joined(event.slots)
        places = {site.slot: place for place, site in enumerate(train)}
        inside = [places[slot] for slot in event.slots]
        if sorted(inside) == inside[::-1] and len(inside) > 1:
            for site in train:
                site.flipped = not site.flipped
            train.reverse()
            places = {site.slot: place for place, site in enumerate(train)}
            inside = [places[slot] for slot in event.slots]
        if sorted(inside) != inside:
            raise ValueError(f"Argument `slots` of `along` must follow the order of the trains, but is {event.slots}.")
        ages = dict(zip(event.slots, self._ages(event.slots, number), strict=True))
        width, made, k = self.widths[event.position], [], 0
        for place, site in enumerate(train):
            if not inside[0] <= place <= inside[-1]:
                made.append(site)
                continue
            acts = place in inside
            sides = (1 if place == inside[0] else width, 1 if place == inside[-1] else width)
            left, right = site.bonds
            new = Site(site.slot, left * sides[0], right * sides[1], 0)
            operator = ("along", *sides)
            index = self._stack(operator, (event.position, k) if acts else (-1, -1))
            k += acts
            inputs = ((site.left, site.right, site.flipped),)
            spec = Spec(operator, inputs, (0,) if acts else (), (0,), ((new.left, new.right),))
            self._emit(spec, [site], [new], index, [ages[site.slot]] if acts else [])
            made.append(new)
        self._set_train(self._cut(made))

    def _cut(self, train: list[Site]) -> list[Site]:
        """Compress a train of which a bond is too wide."""
        if max((site.bonds[1] for site in train), default=1) <= self.max_bond:
            return train
        bonds = [1, *(min(self.max_bond, 4 ** min(k, 20)) for k in range(1, len(train))), 1]
        made = [Site(site.slot, *pair, 0) for site, pair in zip(train, itertools.pairwise(bonds), strict=True)]
        inputs = tuple((site.left, site.right, site.flipped) for site in train)
        outputs = tuple((site.left, site.right) for site in made)
        self._emit(Spec(("cut",), inputs, outputs=outputs, max_bond=self.max_bond), train, made, (0,), [])
        return made

    def _operator(self, event: SwapAt | Correct | DistillAt | Local) -> tuple[tuple[object, ...], tuple[int, ...]]:
        if isinstance(event, Correct):
            return ("correct",), (0,)
        if isinstance(event, Local):
            operator = ("local", len(event.keeps), len(event.slots))
            return operator, self._stack(operator, (event.position,))
        if isinstance(event, DistillAt):
            operator = ("distill", event.protocol)
            return operator, self._stack(operator, (event.left[0][0], event.right[0][0]))
        operator = ("swap",) if event.corrected is not None else ("tracked", len(event.frames))
        return operator, self._stack(operator, (event.left[0],))


def split_bonds(left: int, right: int, count: int) -> list[int]:
    """Return the bonds of `count` sites between two given bonds if nothing is cut: what the nearer side can hold."""
    inner = [min(left * 4**k, right * 4 ** (count - k)) for k in range(1, count)]
    return [left, *inner, right] if count else []
