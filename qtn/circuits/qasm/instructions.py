"""What a program does, in order: gates, measurements and resets of numbered qubits and bits."""

from dataclasses import dataclass, field

from qtn.circuits.qasm.conditions import Condition
from qtn.circuits.qasm.steps import Step

PHYSICAL = "$"
"""The register of the qubits $0, $1, ..."""


@dataclass(frozen=True)
class Gate:
    """One gate of the user as steps on its qubits; applied where the condition holds."""

    steps: tuple[Step, ...]
    condition: Condition | None = None

    @property
    def qubits(self) -> tuple[int, ...]:
        """Return the qubits that the gate acts on, in order of appearance."""
        return tuple(dict.fromkeys(wire for part in self.steps for wire in part.wires))


@dataclass(frozen=True)
class Measure:
    """Measure a qubit into a bit, where the condition holds; None keeps no record."""

    qubit: int
    bit: int | None
    condition: Condition | None = None


@dataclass(frozen=True)
class Reset:
    """Put a qubit into |0>, where the condition holds."""

    qubit: int
    condition: Condition | None = None


Instruction = Gate | Measure | Reset


@dataclass
class Listing:
    """A whole program before it is laid out on sites."""

    qubits: dict[str, list[int]] = field(default_factory=dict)
    """Registers, numbered in order of declaration."""
    bits: dict[str, list[int]] = field(default_factory=dict)
    aliases: set[str] = field(default_factory=set)
    """Registers that are other names (`let`)."""
    initial: dict[int, int] = field(default_factory=dict)
    """Values of bits that are not 0 at the start."""
    instructions: list[Instruction] = field(default_factory=list)

    @property
    def num_qubits(self) -> int:
        """Return the number of qubits."""
        return sum(len(found) for name, found in self.qubits.items() if name not in self.aliases)

    @property
    def num_bits(self) -> int:
        """Return the number of classical bits."""
        return sum(len(found) for found in self.bits.values())
