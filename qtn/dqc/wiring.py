"""A run as steps of the circuit engine: which matrix acts where. The numbers of the matrices come later (`matrices`).

A common wait is carried by a classical site that travels: it holds which of four nodes the wait is, passes every qubit
once and stores it for that long, and is at the other end of the train afterwards, where it is prepared for the next.
"""

from collections.abc import Sequence
from typing import NamedTuple

from qtn.channels.pauli import depolarising
from qtn.circuits.circuit import Circuit
from qtn.circuits.gates import GATES
from qtn.circuits.noise import IDEAL, channel_span
from qtn.dqc.program import Act, Program, Use
from qtn.tensors.program import Operation as Step


class Through(NamedTuple):
    """What goes through pairs between two processors in one way: all of it is computed in one batch."""

    what: str
    """remote, open or move."""
    source: int
    target: int
    letter: str


class Wiring(NamedTuple):
    """Steps, and which matrices they ask for."""

    num_sites: int
    steps: tuple[Step, ...]
    order: tuple[int, ...]
    """Place of the program that each site of the train ends with; -1 for the wait."""
    groups: tuple[tuple[Through, tuple[tuple[int, bool, Use], ...]], ...]
    """What goes through pairs, in the order of the matrices: (index of the gate, whether it is exchanged, pair)."""
    closes: tuple[Through, ...]


class _Counts(NamedTuple):
    """Sizes of the parts of both stacks."""

    ones: int
    idles: int
    processors: int
    moves: int
    twos: int
    pairs: int
    """Matrices of remote gates and copies."""
    closes: int


def wired(
    program: Program, circuit: Circuit, ideal: Sequence[Step], num_processors: int, *, travelling: bool
) -> Wiring:
    """Return the steps of a run.

    Args:
        program: the order.
        circuit: what it runs.
        ideal: steps of the circuit without noise, one for each place of each operation.
        num_processors: in all.
        travelling: whether a classical site carries the waits.
    """
    return _Wirer(program, circuit, ideal, num_processors, travelling).wiring()


class _Wirer:
    def __init__(
        self, program: Program, circuit: Circuit, ideal: Sequence[Step], num_processors: int, travelling: bool
    ) -> None:
        self.program, self.circuit, self.ideal = program, circuit, ideal
        self.travelling, self.left = travelling, True
        starts, total = [], 0
        for operation in circuit.operations:
            starts.append(total)
            total += len(operation.sites)
        self.starts = starts
        grouped = [(act, self._through(act)) for act in program.acts if act.what in ("remote", "open", "move")]
        self.keys = list(dict.fromkeys(key for _, key in grouped))
        self.members = {key: [act for act, own in grouped if own == key] for key in self.keys}
        self.closes = list(dict.fromkeys(self._through(act) for act in program.acts if act.what == "close"))
        ones = 1 + max((step.index for step in ideal if len(step.sites) == 1), default=-1)
        twos = 1 + max((step.index for step in ideal if len(step.sites) == 2), default=-1)
        moves = sum(len(acts) for key, acts in self.members.items() if key.what == "move")
        pairs = sum(len(acts) for key, acts in self.members.items() if key.what != "move")
        self.counts = _Counts(ones, len(program.idles), num_processors, moves, twos, pairs, len(self.closes))
        self.place_of: dict[int, int] = {}
        one, two = 0, 0
        for key in self.keys:
            for act in self.members[key]:
                self.place_of[id(act)] = one if key.what == "move" else two
                one, two = (one + 1, two) if key.what == "move" else (one, two + 1)
        self.noise_span = channel_span(depolarising(0.0, 2))
        self.steps: list[Step] = []

    def wiring(self) -> Wiring:
        """Return everything."""
        for act in self.program.acts:
            for idle in act.idle:
                self._one(self.program.idles[idle].place, self.counts.ones + idle)
            getattr(self, f"_{act.what}")(act)
        count = self.program.num_places
        places = list(range(count))
        if self.travelling:
            places = [-1, *places] if self.left else [*places, -1]
        groups = tuple(
            (key, tuple((self._index(act), act.swapped, act.use) for act in self.members[key])) for key in self.keys
        )
        return Wiring(count + self.travelling, tuple(self.steps), tuple(places), groups, tuple(self.closes))  # pyright: ignore[reportArgumentType]

    def _through(self, act: Act) -> Through:
        source, target = act.processors
        return Through(act.what, source, target, act.letter)

    def _index(self, act: Act) -> int:
        """Return where the matrix of the gate of an action is among those without noise."""
        return -1 if act.gate is None else self.ideal[self.starts[act.gate[0]] + act.gate[1]].index

    def _site(self, place: int) -> int:
        return place + (self.travelling and self.left)

    def _one(self, place: int, index: int) -> None:
        self.steps.append(Step((self._site(place),), index))

    def _two(self, places: Sequence[int], index: int, span: object = None) -> None:
        sites = tuple(self._site(place) for place in places)
        self.steps.append(Step(sites, index, span))  # pyright: ignore[reportArgumentType]

    def _end(self, act: Act) -> None:
        """Nothing is left to do."""

    def _gate(self, act: Act) -> None:
        assert act.gate is not None
        step = self.ideal[self.starts[act.gate[0]] + act.gate[1]]
        operation, c = self.circuit.operations[act.gate[0]], self.counts
        noisy = operation.label != IDEAL
        if len(act.places) == 2:
            self._two(act.places, step.index, step.span)
            owners = set(act.processors) - {-1}
            if noisy and len(owners) == 1 and -1 not in act.processors and operation.name != "CHANNEL":
                self._two(act.places, c.twos + owners.pop(), self.noise_span)
            elif noisy and owners:  # controlled by a classical bit: a gate on one qubit
                place = next(p for p, owner in zip(act.places, act.processors, strict=True) if owner >= 0)
                self._one(place, c.ones + c.idles + owners.pop())
            return
        (place,) = act.places
        self._one(place, step.index)
        if noisy and (operation.name in GATES or operation.name == "UNITARY") and act.processors[0] >= 0:
            self._one(place, c.ones + c.idles + act.processors[0])
        if noisy and operation.name == "MEASURE":
            self._one(place, c.ones + c.idles + c.processors + act.processors[0])

    def _remote(self, act: Act) -> None:
        self._two(act.places, self.counts.twos + self.counts.processors + self.place_of[id(act)])

    _open = _remote

    def _close(self, act: Act) -> None:
        c = self.counts
        self._two(act.places, c.twos + c.processors + c.pairs + self.closes.index(self._through(act)))

    def _move(self, act: Act) -> None:
        self._one(
            act.places[0], self.counts.ones + self.counts.idles + 2 * self.counts.processors + self.place_of[id(act)]
        )

    def _wait(self, act: Act) -> None:
        """Prepare the wait at one end, and let it travel to the other."""
        if not self.travelling:
            return
        c, count = self.counts, self.program.num_places
        here = 0 if self.left else count
        self.steps.append(Step((here,), c.ones + c.idles + 2 * c.processors + c.moves + act.round))
        first = c.twos + c.processors + c.pairs + c.closes + act.round * (c.processors + 1)
        owners = self.program.owners[act.round]
        for place in range(count) if self.left else reversed(range(count)):
            there = here + (1 if self.left else -1)
            self.steps.append(Step((here, there), first + 1 + owners[place]))
            here = there
        self.left = not self.left
