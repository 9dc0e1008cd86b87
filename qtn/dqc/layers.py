"""Put the operations of a circuit over several processors into layers, each after the pairs that it needs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from qtn.dqc.distributed import Action, Close, Copy, Local, Move, Open, Remote, Through
from qtn.dqc.sharing import Item, Run, Sharing, Span
from qtn.dqc.visits import Visit


class Plan(NamedTuple):
    """What was decided, before it is put into layers."""

    items: Sequence[Item]
    where: Sequence[tuple[int, ...]]
    """Processor of each operand of each item."""
    visits: Sequence[Visit]
    home: Sequence[int]
    """Processor of each site at the start."""
    runs: Run
    spans: Mapping[int, Mapping[int, Span]]
    """As from `options`."""
    chosen: Mapping[int, int]
    """Operand that is copied, for each item between processors."""
    sharing: Sharing


def schedule(plan: Plan) -> tuple[tuple[tuple[Action, ...], ...], tuple[Copy, ...]]:
    """Return the actions of each layer, and the copies that are opened."""
    return _Scheduler(plan).layers()


class _Scheduler:
    """Actions so far, each with its layer. A pair is asked for as soon as what its gate waits for is done."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.found: list[tuple[int, Action]] = []
        self.done = [0] * len(plan.home)
        """Layer of the last action of each site."""
        self.before: dict[tuple[int, int], int] = {}
        """{(qubit, run): layer of what came before the run}."""
        self.left: dict[int, int] = {}
        """Layer in which the last visitor left a processor."""
        self.ready: dict[Span, int] = {}
        """Layer of the last gate of each copy."""
        groups: dict[Span, list[int]] = {}
        for k, operand in plan.chosen.items():
            groups.setdefault(plan.spans[k][operand], []).append(k)
        alone = plan.sharing is Sharing.NONE
        self.several = {} if alone else {span: ks for span, ks in groups.items() if len(ks) > 1}
        """Items of each copy that serves more than one."""
        self.number = {span: place for place, span in enumerate(self.several)}

    def layers(self) -> tuple[tuple[tuple[Action, ...], ...], tuple[Copy, ...]]:
        """Return the actions of each layer, and the copies."""
        moves = _moves(self.plan.visits, self.plan.home)
        for k, item in enumerate(self.plan.items):
            for move in moves.get(k, ()):
                self._move(move)
            for site, run in zip(item.sites, self.plan.runs.index[k], strict=True):
                self.before.setdefault((site, run), self.done[site])
            if k not in self.plan.chosen:
                self._add(max(self.done[site] for site in item.sites), Local(item.gate), *item.sites)
            elif self.plan.spans[k][self.plan.chosen[k]] in self.several:
                self._through(k)
            else:
                self._remote(k)
        last = max((layer for layer, _ in self.found), default=0)
        found = tuple(tuple(action for at, action in self.found if at == layer) for layer in range(last + 1))
        return found, _with_slots(found, [self._copy(span) for span in self.several])

    def _add(self, layer: int, action: Action, *sites: int) -> None:
        """Put an action into a layer; it is the last one so far on some sites."""
        self.found.append((layer, action))
        for site in sites:
            self.done[site] = max(self.done[site], layer)

    def _move(self, move: Move) -> None:
        """Move a qubit, as soon as the visitor before it has left."""
        arrives = move.target != self.plan.home[move.qubit]
        layer = 1 + max(self.done[move.qubit], self.left.get(move.target, 0) if arrives else 0)
        self._add(layer, move, move.qubit)
        if not arrives:
            self.left[move.source] = layer

    def _next_pair(self, span: Span, other: int) -> int:
        """Return the layer of a pair that copies a qubit for a gate with another: its own run commutes."""
        return 1 + max(self.before[span.qubit, span.run], self.done[other])

    def _remote(self, k: int) -> None:
        """Do a gate that has a pair for itself."""
        item, operand = self.plan.items[k], self.plan.chosen[k]
        span = self.plan.spans[k][operand]
        letter = self.plan.runs.letter[span.qubit, span.run]
        action = Remote(item.gate, operand, letter, self.plan.where[k][operand], span.target)
        self._add(self._next_pair(span, item.sites[1 - operand]), action, *item.sites)

    def _through(self, k: int) -> None:
        """Do a gate through a copy, opened before its first and closed after its last one."""
        item, operand = self.plan.items[k], self.plan.chosen[k]
        span, other = self.plan.spans[k][operand], item.sites[1 - operand]
        if span not in self.ready:
            self.ready[span] = self._next_pair(span, other)
            self._add(self.ready[span], Open(self.number[span]), span.qubit)
        self.ready[span] = max(self.ready[span], self.done[other])
        self._add(self.ready[span], Through(item.gate, operand, self.number[span]), other)
        if k == self.several[span][-1]:
            layer = max(self.ready[span], self.done[span.qubit])
            self._add(layer, Close(self.number[span]), span.qubit)

    def _copy(self, span: Span) -> Copy:
        """Return a copy; its slot is chosen later."""
        members = self.several[span]
        source = self.plan.where[members[0]][self.plan.chosen[members[0]]]
        letter = self.plan.runs.letter[span.qubit, span.run]
        gates = tuple(self.plan.items[k].gate for k in members)
        return Copy(span.qubit, letter, source, span.target, 0, gates)


def _moves(visits: Sequence[Visit], home: Sequence[int]) -> dict[int, list[Move]]:
    """Return the moves before each item, those back first."""
    found: dict[int, list[Move]] = {}
    for visit in visits:
        if visit.after is not None:
            found.setdefault(visit.after, []).append(Move(visit.qubit, visit.target, home[visit.qubit]))
    for visit in visits:
        found.setdefault(visit.first, []).append(Move(visit.qubit, home[visit.qubit], visit.target))
    return found


def _with_slots(layers: tuple[tuple[Action, ...], ...], copies: list[Copy]) -> tuple[Copy, ...]:
    """Give every copy the first slot that is free while it is open."""
    taken: Counter[tuple[int, int]] = Counter()
    for action in (action for actions in layers for action in actions):
        if isinstance(action, Open):
            target = copies[action.copy].target
            slot = next(k for k in range(len(copies)) if not taken[target, k])
            copies[action.copy] = copies[action.copy]._replace(slot=slot)
            taken[target, slot] = 1
        elif isinstance(action, Close):
            taken[copies[action.copy].target, copies[action.copy].slot] = 0
    return tuple(copies)
