"""`def`: calls with qubits and known numbers, read as if they were written out."""

from collections.abc import Mapping
from typing import Any

from qtn.circuits.qasm.expressions import words
from qtn.circuits.qasm.source import Source
from qtn.circuits.qasm.variables import NUMBERS

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
