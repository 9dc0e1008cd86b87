"""Put the operations of a circuit over several processors into layers, each after the pairs that it needs."""

from collections import Counter
from collections.abc import Mapping, Sequence

from qtn.dqc.distributed import Action, Close, Copy, Local, Move, Open, Remote, Through
from qtn.dqc.sharing import Item, Run, Sharing, Span
from qtn.dqc.visits import Visit


class _Compiler:
    """Actions so far, each with its layer. A pair is asked for as soon as what its gate waits for is done."""

    def __init__(self, num_sites: int) -> None:
        self.found: list[tuple[int, Action]] = []
        self.done = [0] * num_sites
        """Layer of the last action of each site."""
        self.left: dict[int, int] = {}
        """Layer in which the last visitor left a processor."""
        self.before: dict[tuple[int, int], int] = {}
        """{(qubit, run): layer of what came before the run}."""

    def add(self, layer: int, action: Action, *sites: int) -> None:
        """Put an action into a layer; it is the last one so far on some sites."""
        self.found.append((layer, action))
        for site in sites:
            self.done[site] = max(self.done[site], layer)

    def move(self, move: Move, home: Sequence[int]) -> None:
        """Move a qubit, as soon as the visitor before it has left."""
        arrives = move.target != home[move.qubit]
        layer = 1 + max(self.done[move.qubit], self.left.get(move.target, 0) if arrives else 0)
        self.add(layer, move, move.qubit)
        if not arrives:
            self.left[move.source] = layer

    def next_pair(self, copied: int, run: int, other: int) -> int:
        """Return the layer of a pair that copies a qubit for a gate with another: its own run commutes."""
        return 1 + max(self.before[copied, run], self.done[other])


def schedule(
    items: Sequence[Item],
    where: Sequence[tuple[int, ...]],
    visits: Sequence[Visit],
    home: Sequence[int],
    runs: Run,
    chosen: Mapping[int, int],
    spans: Mapping[int, Mapping[int, Span]],
    sharing: Sharing,
) -> tuple[tuple[tuple[Action, ...], ...], tuple[Copy, ...]]:
    """Return the actions of each layer, and the copies that are opened.

    Args:
        items: in order.
        where: processor of each operand of each item.
        visits: moves of qubits.
        home: processor of each site at the start.
        runs: as from `runs_of`.
        chosen: operand that is copied, for each item between processors.
        spans: as from `options`.
        sharing: how pairs are shared.
    """
    compiler = _Compiler(len(home))
    groups: dict[Span, list[int]] = {}
    for k, operand in chosen.items():
        groups.setdefault(spans[k][operand], []).append(k)
    several = {} if sharing is Sharing.NONE else {span: ks for span, ks in groups.items() if len(ks) > 1}
    number = {span: place for place, span in enumerate(several)}
    ready: dict[Span, int] = {}
    moves = _moves(visits, home)
    for k, item in enumerate(items):
        for move in moves.get(k, ()):
            compiler.move(move, home)
        for site, run in zip(item.sites, runs.index[k], strict=True):
            compiler.before.setdefault((site, run), compiler.done[site])
        if k not in chosen:
            compiler.add(max(compiler.done[site] for site in item.sites), Local(item.gate), *item.sites)
            continue
        operand, span = chosen[k], spans[k][chosen[k]]
        other = item.sites[1 - operand]
        if span not in several:
            layer = compiler.next_pair(span.qubit, span.run, other)
            letter = runs.letter[span.qubit, span.run]
            action = Remote(item.gate, operand, letter, where[k][operand], span.target)
            compiler.add(layer, action, *item.sites)
            continue
        if span not in ready:
            ready[span] = compiler.next_pair(span.qubit, span.run, other)
            compiler.add(ready[span], Open(number[span]), span.qubit)
        ready[span] = max(ready[span], compiler.done[other])
        compiler.add(ready[span], Through(item.gate, operand, number[span]), other)
        if k == several[span][-1]:
            compiler.add(max(ready[span], compiler.done[span.qubit]), Close(number[span]), span.qubit)
    source = {span: where[ks[0]][chosen[ks[0]]] for span, ks in several.items()}
    copies = [
        Copy(
            span.qubit,
            runs.letter[span.qubit, span.run],
            source[span],
            span.target,
            0,
            tuple(items[k].gate for k in ks),
        )
        for span, ks in several.items()
    ]
    found = compiler.found
    layers = tuple(
        tuple(action for layer, action in found if layer == wanted)
        for wanted in range(max((layer for layer, _ in found), default=0) + 1)
    )
    return layers, _with_slots(layers, copies)


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
