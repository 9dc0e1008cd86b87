"""Variables and conditions whose values are known before the program runs: followed while it is read."""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from qtn.circuits.qasm.expressions import combined, number, whole
from qtn.circuits.qasm.source import Source

NUMBERS = ("IntType", "UintType", "FloatType", "AngleType")
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def parts(node: Any) -> Iterator[Any]:
    """Return a node of the tree and all below it."""
    pending = [node]
    while pending:
        here = pending.pop()
        if isinstance(here, (list, tuple)):
            pending.extend(here)
        elif hasattr(here, "__dataclass_fields__"):
            yield here
            pending.extend(vars(here).values())


def names_any(node: Any, names: Mapping[str, Any]) -> bool:
    """Whether an expression uses one of some names."""
    return any(type(part).__name__ == "Identifier" and part.name in names for part in parts(node))


def truth(node: Any, names: Mapping[str, Any], source: Source) -> bool:
    """Return the value of a condition on known numbers."""
    kind = type(node).__name__
    if kind == "UnaryExpression" and node.op.name == "!":
        return not truth(node.expression, names, source)
    if kind == "BinaryExpression" and node.op.name in ("&&", "||"):
        first, second = (truth(side, names, source) for side in (node.lhs, node.rhs))
        return (first and second) if node.op.name == "&&" else (first or second)
    if kind == "BinaryExpression" and node.op.name in COMPARED:
        return bool(COMPARED[node.op.name](number(node.lhs, names, source), number(node.rhs, names, source)))
    return bool(number(node, names, source))


def converted(kind: str, node: Any, names: Mapping[str, Any], source: Source) -> Any:
    """Return the value of an expression as a number of a type."""
    if kind not in ("IntType", "UintType"):
        return number(node, names, source)
    value = whole(node, names, source)
    if kind == "UintType" and value < 0:
        raise source.error(node, f"a variable without sign cannot be {value}: declare it `int`.")
    return value


def updated(node: Any, old: Any, names: Mapping[str, Any], source: Source) -> Any:
    """Return the value that an assignment such as `i += 2` gives to what was `old`."""
    right = number(node.rvalue, names, source)
    return right if node.op.name == "=" else combined(node, node.op.name.removesuffix("="), old, right, source)
