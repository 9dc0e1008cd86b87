"""The order of a distributed run, without numbers: rounds of pairs, moments of gates, and who is idle when.

A round waits for at most one pair of each couple of processors; the pairs that a layer needs of one couple are rounds
one after the other. Between rounds gates run as early as they can, in moments: a moment takes as long as its slowest
gate. Ticks count rounds and moments together.
"""

import enum
from typing import NamedTuple

Couple = tuple[int, int]


class Kind(enum.IntEnum):
    """What takes time in a moment."""

    GATE = 0
    READOUT = 1
    COPY = 2
    """Open a copy, or move a qubit: a gate, a readout and a message."""
    CLOSE = 3
    """A readout and a message."""
    REMOTE = 4
    """A copy, a gate and a close."""
    MESSAGE = 5
    """A classical bit is told to another processor."""


class Tick(NamedTuple):
    """A round of pairs, or a moment."""

    round: int
    """Its number, or -1 for a moment."""
    kinds: frozenset[Kind]
    """Of a moment."""


class Use(NamedTuple):
    """Which pair an action takes."""

    round: int
    couple: int
    """Position in the couples of its round."""
    swapped: bool
    """Whether the first qubit of the action is at the processor with the larger number."""
    ticks: tuple[int, int]
    """Moments [from, to) that pass between the round and the action, in which the pair is stored."""


class Idle(NamedTuple):
    """Storage of a place during the ticks [first, last), and for what its action leaves of the moment before them."""

    place: int
    processor: int
    first: int
    last: int
    after: Kind | None
    """What was done in that moment; None where nothing of it is left."""


class Act(NamedTuple):
    """An action on places of the train."""

    what: str
    """gate, remote, open, close, move, wait."""
    places: tuple[int, ...]
    idle: tuple[int, ...]
    """Storage before it: positions in `Program.idles`."""
    gate: tuple[int, int] | None
    """Operation and place of the circuit."""
    processors: tuple[int, ...]
    """Of the places; of a copy or move, source and target."""
    letter: str
    use: Use | None
    swapped: bool
    """Of a remote gate: whether the copied operand is the second of the gate."""
    round: int
    """Of a wait."""


class Program(NamedTuple):
    """The whole run."""

    num_places: int
    site_place: tuple[int, ...]
    slots: tuple[int, ...]
    """Places of communication qubits."""
    acts: tuple[Act, ...]
    idles: tuple[Idle, ...]
    ticks: tuple[Tick, ...]
    rounds: tuple[tuple[Couple, ...], ...]
    """The couples of each round."""
    owners: tuple[tuple[int, ...], ...]
    """Processor of each place at each round; -1 where nothing that decays is stored."""
    finally_at: tuple[int, ...]
    """The same at the end."""
