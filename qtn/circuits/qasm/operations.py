"""What is done to qubits: gates, measurements, resets, waits."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qtn import _budget
from qtn.circuits.qasm.conditions import Condition
from qtn.circuits.qasm.instructions import Reset
from qtn.circuits.qasm.steps import step

if TYPE_CHECKING:
    from qtn.circuits.qasm.reader import Reader


def quantum_gate_definition(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Keep a `gate`."""
    if node.name.name == "U":
        raise reader.source.error(node, "`U` is built in and cannot be defined again.")
    reader.gates.define(node, reader.names)


def quantum_gate(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Apply a gate, to registers element by element."""
    if node.duration is not None:
        raise reader.source.error(node, "a gate with a duration is not supported: remove the [...].")
    applications = list(broadcast(reader, node))
    reader.source.require(node, _budget.STEPS, reader.num_steps + len(applications) * reader.gates.size(node.name.name))
    for wires in applications:
        for steps in reader.gates.groups(node, wires, reader.names):
            reader.gate(node, tuple(steps), condition)


def quantum_phase(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Apply `gphase`, which only controls can see."""
    for steps in reader.gates.phase(node, [q for item in node.qubits for q in reader.qubits(item)], reader.names):
        reader.gate(node, tuple(steps), condition)


def delay_instruction(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Wait: the identity on its qubits, which the noise of `id` follows."""
    wires = [wire for item in node.qubits for wire in reader.qubits(item)]
    for wire in wires or range(reader.listing.num_qubits):
        reader.gate(node, (step("I", wire),), condition)


def quantum_reset(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Reset qubits."""
    reader.listing.instructions += [Reset(qubit, condition) for qubit in reader.qubits(node.qubits)]


def quantum_measurement_statement(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Measure qubits, into bits or for nothing."""
    qubits = reader.qubits(node.measure.qubit)
    bits: list[int | None] = [None] * len(qubits)
    if node.target is not None:
        bits = list(reader.bits(node.target))
    reader.record(node, qubits, bits, condition)


def quantum_barrier(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Gates are not reordered across each other anyway; what OpenQASM 2 does not allow is refused."""
    if condition is not None and reader.source.version == 2:
        raise reader.source.error(node, "`if` takes a gate, a measurement or a reset: put the `barrier` before it.")


def broadcast(reader: "Reader", node: Any) -> Iterator[list[int]]:
    """Return the qubits of each application: registers are applied element by element."""
    given = [reader.qubits(item) for item in node.qubits]
    sizes = {len(found) for found in given if len(found) > 1}
    if len(sizes) > 1:
        raise reader.source.error(node, f"registers of different sizes {sorted(sizes)} cannot be combined.")
    for place in range(max(sizes, default=1)):
        wires = [found[place] if len(found) > 1 else found[0] for found in given]
        if len(set(wires)) < len(wires):
            raise reader.source.error(node, f"`{node.name.name}` acts on the same qubit twice.")
        yield wires
