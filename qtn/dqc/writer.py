"""Write the order of a distributed run: put its layers into rounds of pairs and moments of gates."""

from typing import Any

from qtn.dqc.distributed import Close, Distributed, Gate, Local, Move, Open, Remote, Through, train_places
from qtn.dqc.letters import letters_of
from qtn.dqc.program import Act, Couple, Idle, Kind, Program, Tick, Use


def program_of(distributed: Distributed) -> Program:
    """Return the order in which a distributed circuit runs."""
    return _Writer(distributed).program()


class _Writer:
    """Walks through the layers."""

    def __init__(self, distributed: Distributed) -> None:
        self.distributed = distributed
        self.site_place, self.slot_place, self.num_places = train_places(distributed)
        self.owner = dict.fromkeys(range(self.num_places), -1)
        for site in distributed.qubits:
            self.owner[self.site_place[site]] = distributed.placement[site]
        self.acts: list[Act] = []
        self.idles: list[Idle] = []
        self.ticks: list[Tick] = []
        self.rounds: list[tuple[Couple, ...]] = []
        self.owners: list[tuple[int, ...]] = []
        self.last = dict.fromkeys(range(self.num_places), -1)
        """Tick of the last action on each place."""
        self.done: dict[int, Kind | None] = dict.fromkeys(range(self.num_places))
        """What that was; None where the rest of its moment is over."""
        self.barrier = -1
        self.readers: dict[int, set[int]] = {}
        """Processors that know each classical bit."""

    def program(self) -> Program:
        """Return everything."""
        for layer in self.distributed.layers:
            self._layer(layer.actions)
        end = len(self.ticks)
        waiting = tuple(self._idle(place, end) for place in range(self.num_places) if place not in self._slots())
        idle = tuple(each for each in waiting if each is not None)
        if idle:
            self.acts.append(Act("end", (), idle, None, (), "", None, False, -1))
        acts, idles = self._without_empty_storage()
        return Program(
            self.num_places,
            self.site_place,
            self._slots(),
            acts,
            idles,
            tuple(self.ticks),
            tuple(self.rounds),
            tuple(self.owners),
            tuple(self.owner[place] for place in range(self.num_places)),
        )

    def _without_empty_storage(self) -> tuple[tuple[Act, ...], tuple[Idle, ...]]:
        """Return actions and storage without what takes no time, as nothing else was done in the moment before."""
        kept = [
            number
            for number, idle in enumerate(self.idles)
            if idle.first < idle.last or self.ticks[idle.first - 1].kinds != {idle.after}
        ]
        place = {number: position for position, number in enumerate(kept)}
        acts = [act._replace(idle=tuple(place[idle] for idle in act.idle if idle in place)) for act in self.acts]
        return tuple(acts), tuple(self.idles[number] for number in kept)

    def _slots(self) -> tuple[int, ...]:
        return tuple(self.slot_place.values())

    def _layer(self, actions: tuple[Any, ...]) -> None:
        """Split a layer into rounds, each before the first action that needs it."""
        asked: dict[Couple, int] = {}
        number: dict[int, int] = {}  # round within the layer of each action, in ascending order
        for position, action in enumerate(actions):
            ends = self.distributed.ends(action)
            if ends is not None:
                number[position] = asked[ends] = max(asked.get(ends, -1) + 1, *number.values(), 0)
        members: list[list[Couple]] = [[] for _ in range(1 + max(number.values(), default=-1))]
        for position, place in number.items():
            members[place].append(self.distributed.ends(actions[position]))  # pyright: ignore[reportArgumentType]
        started: list[int] = []
        for position, action in enumerate(actions):
            while position in number and number[position] >= len(started):
                started.append(self._round(tuple(sorted(members[len(started)]))))
            self._action(action, started[number[position]] if position in number else -1)

    def _round(self, couples: tuple[Couple, ...]) -> int:
        self.rounds.append(couples)
        self.owners.append(tuple(self.owner[place] for place in range(self.num_places)))
        self.barrier = len(self.ticks)
        self.ticks.append(Tick(len(self.rounds) - 1, frozenset()))
        self.acts.append(Act("wait", (), (), None, (), "", None, False, len(self.rounds) - 1))
        return len(self.rounds) - 1

    def _action(self, action: Any, number: int) -> None:
        if isinstance(action, Local | Through):
            self._gate(action)
        elif isinstance(action, Remote):
            sites = self._sites(action.gate)
            places = tuple(self.site_place[site] for site in sites)
            order = places[::-1] if action.copied else places
            what = ("remote", order, (action.source, action.target), action.letter, bool(action.copied))
            self._write(*what, Kind.REMOTE, action, number)
        elif isinstance(action, Move):
            place = self.site_place[action.qubit]
            self._write("move", (place,), (action.source, action.target), "", False, Kind.COPY, action, number)
            self.owner[place] = action.target
        else:
            self._copy(action, number)

    def _copy(self, action: Open | Close, number: int) -> None:
        copy = self.distributed.copies[action.copy]
        places = self.site_place[copy.qubit], self.slot_place[copy.target, copy.slot]
        what, kind = ("open", Kind.COPY) if isinstance(action, Open) else ("close", Kind.CLOSE)
        self._write(what, places, (copy.source, copy.target), copy.letter, False, kind, action, number)
        self.owner[places[1]] = copy.target if isinstance(action, Open) else -1

    def _gate(self, action: Local | Through) -> None:
        sites = self._sites(action.gate)
        places = [self.site_place[site] for site in sites]
        if isinstance(action, Through):
            copy = self.distributed.copies[action.copy]
            places[action.operand] = self.slot_place[copy.target, copy.slot]
        name = self.distributed.circuit.operations[action.gate.operation].name
        owners = tuple(self.owner[place] for place in places)
        kind = Kind.READOUT if name == "MEASURE" else None
        if len(places) == 2:
            kind = Kind.GATE if min(owners) >= 0 else self._told(action.gate, places, owners)
        if name == "MEASURE" and owners[0] < 0:  # a classical bit, recorded where it is first written
            owners = (self.distributed.placement[sites[0]],)
        self._write("gate", tuple(places), owners, "", False, kind, action, -1)

    def _told(self, gate: Gate, places: list[int], owners: tuple[int, ...]) -> Kind | None:
        """Return the message that a gate with a classical bit takes: one to each processor until it is written anew."""
        if max(owners) < 0:
            return None
        bit, qpu = owners.index(-1), max(owners)
        operation = self.distributed.circuit.operations[gate.operation]
        if "Z" not in letters_of(operation, gate.place)[bit]:
            self.readers[places[bit]] = {qpu}
            return None
        readers = self.readers.setdefault(places[bit], {qpu})
        kind = None if qpu in readers else Kind.MESSAGE
        readers.add(qpu)
        return kind

    def _write(
        self,
        what: str,
        places: tuple[int, ...],
        processors: tuple[int, ...],
        letter: str,
        swapped: bool,
        kind: Kind | None,
        action: Any,
        number: int,
    ) -> None:
        """Write an action at the first moment that suits it, or at once if it takes no time."""
        before = max(self.barrier, *(self.last[place] for place in places))
        tick = before if kind is None else before + 1
        if kind is not None:
            while len(self.ticks) <= tick:
                self.ticks.append(Tick(-1, frozenset()))
            self.ticks[tick] = Tick(-1, self.ticks[tick].kinds | {kind})
        busy = kind is not None and kind is not Kind.MESSAGE  # else the action comes at the end of the moment
        idle = tuple(self._idle(place, tick if busy else tick + 1) for place in places)
        for place in places:
            self.last[place], self.done[place] = tick, kind if busy else None
        use, gate = None, getattr(action, "gate", None)
        if number >= 0:
            source, target = processors
            couple = self.rounds[number].index((min(source, target), max(source, target)))
            begin = next(t for t, each in enumerate(self.ticks) if each.round == number) + 1
            use = Use(number, couple, source > target, (begin, tick))
        kept = tuple(each for each in idle if each is not None)
        where = None if gate is None else (gate.operation, gate.place)
        self.acts.append(Act(what, places, kept, where, processors, letter, use, swapped, -1))

    def _idle(self, place: int, until: int) -> int | None:
        """Note the storage of a place since its last action."""
        first, after = self.last[place] + 1, self.done[place]
        if (first >= until and after is None) or self.owner[place] < 0:
            return None
        self.idles.append(Idle(place, self.owner[place], first, until, after))
        return len(self.idles) - 1

    def _sites(self, gate: Any) -> tuple[int, ...]:
        return self.distributed.circuit.operations[gate.operation].sites[gate.place]
