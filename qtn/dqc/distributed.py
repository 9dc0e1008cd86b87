"""A circuit over several processors, as data: what runs where, in which layer, and on which pair.

    distributed = distribute(circuit, qpus=[5, 5, 4, 4])
    for layer in distributed.layers:          # wait until all pairs of the layer are there, then act in this order
        layer.pairs                           # {(0, 1): 2, (1, 3): 1}, processors in ascending order
        for action in layer.actions: ...      # Local, Remote, Open, Through, Close, Move: below

To turn it into a plain circuit, give every site of `distributed.circuit` and every slot of a processor a place in a
train (`train_places`) and translate the actions one by one, in their order:

| action | becomes | pair |
|---|---|---|
| `Local` | the operation of the circuit itself, with the noise of its processor | none |
| `Remote` | one two-qubit channel on the two sites of the operation: `remote_gate(..., copied=action.copied)` | one |
| `Open` | one two-qubit channel on (site of the qubit, slot): `open_copy`; whatever was in the slot is replaced | one |
| `Through` | the operation, operand `action.operand` replaced by the slot; noise of the processor of the slot | none |
| `Close` | one two-qubit channel on (site of the qubit, slot): `close_copy`; leaves |0> in the slot | none |
| `Move` | one one-qubit channel on the site: `teledata`; the site stays, its processor changes | one |

Pairs have their first index at the processor with the smaller number; where the copied or moved qubit starts at the
larger one, its map takes the transposed pair. All of that is in `qtn.dqc.remote_gates`.
"""

from collections import Counter
from typing import Any, NamedTuple

from qtn._pytree import pytree, static
from qtn.circuits.circuit import Circuit, Operation


class Gate(NamedTuple):
    """One place of one operation of a circuit."""

    operation: int
    """Index into `circuit.operations`."""
    place: int
    """Index into its `sites`."""


class Copy(NamedTuple):
    """One pair that carries a copy of a qubit, in the basis of a Pauli, to another processor.

    In that basis a|0> + b|1> becomes a|0>|0> + b|1>|1>. The copy stands in for the qubit in every gate that is diagonal
    on it in that basis, until the qubit meets something that is not: the gates share the pair. Several copies of one
    qubit, in several processors, are one cat state.
    """

    qubit: int
    """Site of the circuit that is copied."""
    letter: str
    """X, Y or Z: the basis."""
    source: int
    """Processor of the qubit."""
    target: int
    """Processor of the copy."""
    slot: int
    """Which communication qubit of `target` holds it, 0, 1, ..."""
    gates: tuple[Gate, ...]
    """The gates that share the pair, at least two: a single one is a `Remote`."""


class Local(NamedTuple):
    """An operation within one processor, or with classical bits."""

    gate: Gate


class Remote(NamedTuple):
    """A gate between two processors that has a pair for itself."""

    gate: Gate
    copied: int
    """Which of its two operands is copied to the processor of the other, 0 or 1."""
    letter: str
    """X, Y or Z: the basis of that copy."""
    source: int
    """Processor of the copied operand."""
    target: int
    """Processor of the other operand."""


class Open(NamedTuple):
    """Copy a qubit through a pair."""

    copy: int
    """Index into `Distributed.copies`."""


class Through(NamedTuple):
    """A gate between two processors in which a copy that is open stands for one operand."""

    gate: Gate
    operand: int
    """The operand that the copy stands for, 0 or 1."""
    copy: int


class Close(NamedTuple):
    """Measure a copy and correct its qubit."""

    copy: int


class Move(NamedTuple):
    """Teleport a qubit to another processor, where it stays until it is moved again."""

    qubit: int
    source: int
    target: int


Action = Local | Remote | Open | Through | Close | Move


class Layer(NamedTuple):
    """What happens once a set of pairs is there; the first layer may need none."""

    actions: tuple[Action, ...]
    """In an order in which they may run."""
    pairs: dict[tuple[int, int], int]
    """How many pairs it needs between which two processors, the smaller number first."""


@pytree
class Distributed:
    """A circuit over several processors; built by `qtn.dqc.distribute`.

    The only leaves are those of the circuit: a derivative with respect to a `Distributed` is one in its angles.
    """

    circuit: Circuit
    """What is run: the circuit as it was given."""
    qubits: tuple[int, ...] = static()
    """Site of each qubit; the other sites hold classical bits, which every processor can read."""
    qpus: tuple[int, ...] = static()
    """Data qubits of each processor."""
    placement: tuple[int, ...] = static()
    """Processor of each *site* at the start; that of a classical bit is where it is first written."""
    copies: tuple[Copy, ...] = static()
    """All that are opened."""
    schedule: tuple[tuple[Action, ...], ...] = static()
    """The actions of each layer."""
    num_pairs_unshared: int = static()
    """Pairs that the same circuit takes with a pair for every remote gate and without moves; two where a gate cannot go
    through a copy, as a qubit must visit."""
    num_visits_untried: int = static(default=0)
    """Visits that might have saved pairs, but were not tried, as the circuit is long."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the layers with the pairs that each needs."""
        return tuple(
            Layer(actions, dict(Counter(ends for action in actions if (ends := self.ends(action)) is not None)))
            for actions in self.schedule
        )

    @property
    def num_pairs(self) -> int:
        """Return how many pairs the circuit takes."""
        return sum(sum(layer.pairs.values()) for layer in self.layers)

    @property
    def links(self) -> tuple[tuple[int, int], ...]:
        """Return the processors that need pairs between them, in ascending order."""
        return tuple(sorted({ends for layer in self.layers for ends in layer.pairs}))

    @property
    def num_slots(self) -> tuple[int, ...]:
        """Return how many communication qubits each processor needs for copies that are open together."""
        return tuple(
            max((copy.slot + 1 for copy in self.copies if copy.target == qpu), default=0)
            for qpu in range(len(self.qpus))
        )

    def ends(self, action: Action) -> tuple[int, int] | None:
        """Return the processors between which an action uses a pair, the smaller number first; None for no pair."""
        if isinstance(action, Open):
            action = Move(-1, self.copies[action.copy].source, self.copies[action.copy].target)
        if not isinstance(action, (Remote, Move)):
            return None
        return min(action.source, action.target), max(action.source, action.target)

    def sentences(self) -> list[str]:
        """Describe what it takes."""
        moves = sum(isinstance(action, Move) for actions in self.schedule for action in actions)
        untried = [
            f"Of visits of qubits that might save pairs {self.num_visits_untried} were not tried, as the circuit is "
            "long: give it in parts to try all."
        ]
        return [
            f"Pairs: {self.num_pairs} ({self.num_pairs_unshared} with one a gate), between {len(self.links)} couples "
            f"of the {len(self.qpus)} processors, in {len(self.schedule)} layers.",
            f"Pairs that several gates share: {len(self.copies)}; moves of qubits: {moves}.",
            *(untried if self.num_visits_untried else []),
        ]


def require_distributed(given: Any) -> Distributed:
    """Return what `distribute` built.

    Raises:
        TypeError: if it is something else.
    """
    if not isinstance(given, Distributed):
        raise TypeError(f"Argument `distributed` must be built by `qtn.dqc.distribute`, but is {given!r:.60}.")
    return given


def single(circuit: Circuit, gate: Gate) -> Operation:
    """Return one place of an operation as an operation of its own."""
    operation, place = circuit.operations[gate.operation], gate.place
    return Operation(
        name=operation.name,
        sites=(operation.sites[place],),
        label=operation.label,
        parameters=tuple(numbers[place : place + 1] for numbers in operation.parameters),
    )


def train_places(distributed: Distributed) -> tuple[tuple[int, ...], dict[tuple[int, int], int], int]:
    """Return a place in a train for every site and every slot: processor by processor, slots last.

    Args:
        distributed: built by `distribute`.

    Returns:
        site_place: place of each site of the circuit.
        slot_place: {(processor, slot): place}.
        num_places: length of the train.
    """
    order: list[int | tuple[int, int]] = []
    for qpu, slots in enumerate(distributed.num_slots):
        order += [site for site, where in enumerate(distributed.placement) if where == qpu]
        order += [(qpu, slot) for slot in range(slots)]
    place = {what: position for position, what in enumerate(order)}
    sites = tuple(place[site] for site in range(distributed.circuit.num_sites))
    return sites, {what: where for what, where in place.items() if isinstance(what, tuple)}, len(order)
