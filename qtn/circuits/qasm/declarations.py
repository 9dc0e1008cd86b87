"""Declarations: qubits, bits, numbers, inputs and other names of qubits."""

from typing import TYPE_CHECKING, Any

from qtn import _budget
from qtn.circuits.qasm.conditions import Condition
from qtn.circuits.qasm.expressions import number, whole, words
from qtn.circuits.qasm.subroutines import called, is_call
from qtn.circuits.qasm.variables import NUMBERS, converted

if TYPE_CHECKING:
    from qtn.circuits.qasm.reader import Reader


def qubit_declaration(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Declare qubits: `qubit[n] q;`."""
    size = 1 if node.size is None else whole(node.size, reader.names, reader.source)
    reader.new(node, node.qubit.name, size)
    start = reader.listing.num_qubits
    reader.source.require(node, _budget.QUBITS, start + size)
    reader.listing.qubits[node.qubit.name] = list(range(start, start + size))


def classical_declaration(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Declare bits or a number: `bit[n] c;`, `int i = 2;`."""
    if type(node.type).__name__ in NUMBERS:
        return variable(reader, node)
    if type(node.type).__name__ not in ("BitType", "BoolType"):
        what = words(type(node.type).__name__)
        raise reader.source.error(node, f"a variable of {what} is not supported; use numbers and bits.")
    size = getattr(node.type, "size", None)
    count = 1 if size is None else whole(size, reader.names, reader.source)
    name = node.identifier.name
    reader.new(node, name, count)
    start = reader.listing.num_bits
    reader.source.require(node, _budget.BITS, start + count)
    bits = reader.listing.bits[name] = list(range(start, start + count))
    if type(node.init_expression).__name__ == "QuantumMeasurement":
        reader.record(node, reader.qubits(node.init_expression.qubit), list(bits), condition)
    elif is_call(node.init_expression, reader.subroutines):
        called(reader, node.init_expression, condition, bits)
    elif node.init_expression is not None:
        initial(reader, node, bits)
    return None


def variable(reader: "Reader", node: Any) -> None:
    """Declare a number; it must be known before it is used."""
    kind, name = type(node.type).__name__, node.identifier.name
    reader.new(node, name)
    reader.variables[name] = kind
    if node.init_expression is not None:
        reader.names[name] = converted(kind, node.init_expression, reader.names, reader.source)


def initial(reader: "Reader", node: Any, bits: list[int]) -> None:
    """Note the bits that start as 1."""
    given = node.init_expression
    literal = type(given).__name__ in ("BitstringLiteral", "BooleanLiteral")
    value = int(given.value) if literal else whole(given, reader.names, reader.source)
    if not 0 <= value < 2 ** len(bits):
        raise reader.source.error(node, f"{value} does not fit into {len(bits)} bit(s).")
    reader.listing.initial |= {bit: 1 for place, bit in enumerate(bits) if value >> place & 1}


def constant_declaration(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Name a number: `const float a = 0.3;`."""
    reader.new(node, node.identifier.name)
    reader.names[node.identifier.name] = number(node.init_expression, reader.names, reader.source)


def io_declaration(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Take a number from outside: `input float a;`."""
    name = node.identifier.name
    reader.new(node, name)
    if node.io_identifier.name == "output":
        raise reader.source.error(node, "`output` is not supported; every bit is reported, so declare it plainly.")
    if name not in reader.inputs:
        raise reader.source.error(node, f"the input `{name}` has no value: give --input {name}=VALUE.")
    reader.asked.add(name)
    reader.names[name] = reader.inputs[name]


def alias_statement(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Give qubits another name: `let a = q[0:2];`."""
    name = node.target.name
    reader.new(node, name)
    reader.listing.qubits[name] = reader.qubits(node.value)
    reader.listing.aliases.add(name)
