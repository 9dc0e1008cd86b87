"""`def`: calls with qubits and known numbers, read as if they were written out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qtn.circuits.qasm.conditions import Condition
from qtn.circuits.qasm.expressions import words
from qtn.circuits.qasm.source import Source
from qtn.circuits.qasm.variables import NUMBERS, converted

if TYPE_CHECKING:
    from qtn.circuits.qasm.reader import Reader

MAX_DEPTH = 50


def bound(
    call: Any, definition: Any, source: Source, qubits: Any, value: Any
) -> tuple[dict[str, list[int]], dict[str, Any]]:
    """Return what the arguments of a call mean inside: qubits by name, and numbers by name.

    Args:
        call: a function call of the tree.
        definition: the subroutine.
        source: for errors.
        qubits: a node -> the qubits that it names.
        value: a type and a node -> its value.
    """
    name, given, wanted = call.name.name, call.arguments, definition.arguments
    if len(given) != len(wanted):
        raise source.error(call, f"`{name}` takes {len(wanted)} argument(s), but {len(given)} are given.")
    wires: dict[str, list[int]] = {}
    numbers: dict[str, Any] = {}
    for node, argument in zip(given, wanted, strict=True):
        if type(argument).__name__ == "QuantumArgument":
            wires[argument.name.name] = _wires(node, argument, source, qubits, value)
        elif type(argument.type).__name__ in NUMBERS:
            numbers[argument.name.name] = value(type(argument.type).__name__, node)
        else:
            what = words(type(argument.type).__name__)
            raise source.error(argument, f"an argument of {what} is not supported; use qubits and numbers.")
    used = [wire for own in wires.values() for wire in own]
    if len(set(used)) < len(used):
        raise source.error(call, f"`{name}` is given the same qubit twice.")
    return wires, numbers


def _wires(node: Any, argument: Any, source: Source, qubits: Any, value: Any) -> list[int]:
    found = qubits(node)
    size = 1 if argument.size is None else value("IntType", argument.size)
    if len(found) != size:
        raise source.error(node, f"`{argument.name.name}` needs {size} qubit(s), but {len(found)} are given.")
    return found


def result(definition: Any, source: Source) -> Any:
    """Return the measurement that a subroutine returns; None if it returns nothing."""
    ends = [statement for statement in definition.body if type(statement).__name__ == "ReturnStatement"]
    if not ends or ends[0].expression is None:
        return None
    if type(ends[0].expression).__name__ != "QuantumMeasurement":
        raise source.error(ends[0], "a subroutine can return a measurement only, as in `return measure q;`.")
    return ends[0].expression


def body(definition: Any) -> list[Any]:
    """Return the statements of a subroutine up to its return."""
    names = [type(statement).__name__ for statement in definition.body]
    return definition.body[: names.index("ReturnStatement")] if "ReturnStatement" in names else definition.body


def is_call(node: Any, known: Mapping[str, Any]) -> bool:
    """Whether an expression calls a subroutine."""
    return type(node).__name__ == "FunctionCall" and node.name.name in known


def subroutine_definition(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Keep a `def`."""
    reader.subroutines[node.name.name] = node


def expression_statement(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Call a subroutine whose result is not kept."""
    if not is_call(node.expression, reader.subroutines):
        raise reader.source.error(node, "an expression as a statement is not supported; remove it.")
    called(reader, node.expression, condition, None)


def called(reader: "Reader", call: Any, condition: Condition | None, bits: list[int] | None) -> None:
    """Read the body of a subroutine with its arguments in place."""
    definition = reader.subroutines[call.name.name]
    if reader.depth == MAX_DEPTH:
        raise reader.source.error(call, f"`{call.name.name}` contains itself.")
    wires, numbers = bound(
        call,
        definition,
        reader.source,
        reader.qubits,
        lambda kind, node: converted(kind, node, reader.names, reader.source),
    )
    kept = reader.names, reader.variables, reader.registers
    kinds = {argument.name.name: "FloatType" for argument in definition.arguments if argument.name.name in numbers}
    reader.names, reader.variables, reader.registers = reader.names | numbers, kinds, wires
    reader.depth += 1
    reader.read(body(definition), condition)
    measured = result(definition, reader.source)
    if measured is not None:
        found = reader.qubits(measured.qubit)
        reader.record(call, found, [None] * len(found) if bits is None else bits, condition)
    elif bits is not None:
        raise reader.source.error(call, f"`{call.name.name}` returns nothing: end it with `return measure ...;`.")
    reader.depth -= 1
    reader.names, reader.variables, reader.registers = kept
