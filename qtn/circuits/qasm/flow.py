"""Loops, branches and assignments, followed while a program is read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qtn import _budget
from qtn.circuits.qasm.conditions import Condition, both, negated, read_condition, span
from qtn.circuits.qasm.expressions import number
from qtn.circuits.qasm.subroutines import called, is_call
from qtn.circuits.qasm.variables import converted, names_any, parts, truth, updated

if TYPE_CHECKING:
    from qtn.circuits.qasm.reader import Reader


def while_loop(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Read the body while a known condition holds."""
    if names_any(node.while_condition, reader.listing.bits):
        raise reader.source.error(node, "`while` is not supported for bits; unroll it with `for` over a fixed range.")
    while truth(node.while_condition, reader.names, reader.source):
        reader.num_passes += 1
        reader.source.require(node, _budget.PASSES, reader.num_passes)
        one_pass(reader, node.block, condition, {})


def for_in_loop(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Read the body for each number."""
    name = node.identifier.name
    given = node.set_declaration
    if type(given).__name__ == "RangeDefinition":
        values = span(given, None, reader.names, reader.source)
    elif type(given).__name__ == "DiscreteSet":
        values = [number(item, reader.names, reader.source) for item in given.values]
    else:
        raise reader.source.error(node, "a loop may run over a range [a:b] or a set {a, b} of numbers.")
    reader.num_passes += len(values)
    reader.source.require(node, _budget.PASSES, reader.num_passes)
    for value in values:
        one_pass(reader, node.block, condition, {name: value})


def one_pass(reader: "Reader", block: Any, condition: Condition | None, own: Mapping[str, Any]) -> None:
    """Read the body of a loop once; what is declared in it ends with it."""
    outer, variables = dict(reader.names), set(reader.variables)
    reader.names |= own
    reader.read(block, condition)
    ended = (reader.names.keys() - outer.keys()) - variables
    kept = {name: value for name, value in reader.names.items() if name not in ended}
    reader.names = kept | {name: outer[name] for name in own if name in outer}
    reader.variables = {name: kind for name, kind in reader.variables.items() if name in variables}


def branching_statement(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Read the branch that is taken, or both under their conditions."""
    if not names_any(node.condition, reader.listing.bits):
        unknown = [] if reader.source.version == 3 else _unknown(node.condition, reader.names)
        if unknown:  # numbers have no names in version 2
            raise reader.source.undeclared(unknown[0], "bit", unknown[0].name)
        known = truth(node.condition, reader.names, reader.source)
        return reader.read(node.if_block if known else node.else_block, condition)
    met = read_condition(node.condition, reader.listing.bits, reader.names, reader.source)
    reader.read(node.if_block, both(condition, met))
    reader.read(node.else_block, both(condition, negated(met)))
    return None


def _unknown(node: Any, names: Mapping[str, Any]) -> list[Any]:
    """Return the identifiers of an expression that name no number."""
    return [part for part in parts(node) if type(part).__name__ == "Identifier" and part.name not in names]


def classical_assignment(reader: "Reader", node: Any, condition: Condition | None) -> None:
    """Give a number a new value, or bits the result of a subroutine."""
    name = getattr(node.lvalue, "name", None)
    if is_call(node.rvalue, reader.subroutines):
        return called(reader, node.rvalue, condition, reader.bits(node.lvalue))
    if not isinstance(name, str) or name not in reader.variables:
        raise reader.source.error(node, "assigning to a bit is not supported; only measurements write bits.")
    if condition is not None:
        raise reader.source.error(node, f"`{name}` would depend on a measurement; let gates depend on the bit.")
    if name not in reader.names and node.op.name != "=":
        raise reader.source.error(node, f"`{name}` has no value yet: give it one where it is declared.")
    value = updated(node, reader.names.get(name), reader.names, reader.source)
    reader.names[name] = value
    reader.names[name] = converted(reader.variables[name], node.lvalue, reader.names, reader.source)
    return None
