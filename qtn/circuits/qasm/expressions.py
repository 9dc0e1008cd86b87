"""Numbers of a program: constants, angles and inputs; inputs may be traced by JAX, so that angles have derivatives."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from qtn import _text
from qtn._ranges import SIZES, bounded
from qtn.circuits.qasm.source import Source

CONSTANTS = {"pi": math.pi, "π": math.pi, "tau": 2 * math.pi, "τ": 2 * math.pi, "euler": math.e, "ℇ": math.e}
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sin": (math.sin, jnp.sin),
    "cos": (math.cos, jnp.cos),
    "tan": (math.tan, jnp.tan),
    "arcsin": (math.asin, jnp.arcsin),
    "arccos": (math.acos, jnp.arccos),
    "arctan": (math.atan, jnp.arctan),
    "exp": (math.exp, jnp.exp),
    "ln": (math.log, jnp.log),
    "log": (math.log, jnp.log),
    "sqrt": (math.sqrt, jnp.sqrt),
    "floor": (math.floor, jnp.floor),
    "ceiling": (math.ceil, jnp.ceil),
}
"""By name: of Python numbers, and of JAX arrays."""
WHOLE = 2**63
"""Whole numbers are smaller than this in size, as those of OpenQASM."""

OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "**": operator.pow,
    "%": operator.mod,
    "<<": operator.lshift,
    ">>": operator.rshift,
}


def number(node: Any, names: Mapping[str, Any], source: Source) -> Any:
    """Return the value of an expression: int, float, bool, or a JAX array where an input is one."""
    value = _value(node, names, source)
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        raise source.error(node, f"must be a finite real number, but is {value!r}.")
    if isinstance(value, int) and abs(value) >= WHOLE and source.version == 2:  # its numbers are real
        value = float(value)
    if isinstance(value, int) and abs(value) >= WHOLE:
        raise source.error(node, f"is {_text.number(value)}, but whole numbers have 64 bits: write it as 1e20.")
    if isinstance(value, float) and not bounded(value):
        raise source.error(node, f"must {SIZES}, but is {value!r}.")
    return value


def _value(node: Any, names: Mapping[str, Any], source: Source) -> Any:
    kind = type(node).__name__
    if kind in ("IntegerLiteral", "FloatLiteral", "BooleanLiteral"):
        return node.value
    if kind == "Identifier":
        return _named(node, names, source)
    if kind == "UnaryExpression" and node.op.name == "-":
        return -number(node.expression, names, source)
    if kind == "BinaryExpression":
        return _binary(node, names, source)
    if kind == "FunctionCall":
        return _function(node, names, source)
    if kind == "Cast" and type(node.type).__name__ in ("FloatType", "AngleType"):
        value = number(node.argument, names, source)
        return value if isinstance(value, jax.Array) else float(value)
    raise source.error(node, f"{words(kind)} is not a number that is known before the program runs.")


def whole(node: Any, names: Mapping[str, Any], source: Source) -> int:
    """Return the value of an expression that must be a whole number: a size or an index."""
    value = number(node, names, source)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise source.error(node, f"a whole number is needed here, but this is {value!r}.")
    return value


def words(kind: str) -> str:
    """Return the name of a node of the tree in words: IndexExpression -> an index expression."""
    split = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind).strip()
    return f"{'an' if split[0] in 'aeiou' else 'a'} {split}"


def _named(node: Any, names: Mapping[str, Any], source: Source) -> Any:
    if node.name in names:
        return names[node.name]
    if node.name in CONSTANTS:
        return CONSTANTS[node.name]
    cure = "only numbers, pi and parameters of gates are" if source.version == 2 else "declare it `const` or `input`"
    raise source.error(node, f"`{node.name}` is not a number that is known before the program runs: {cure}.")


def _binary(node: Any, names: Mapping[str, Any], source: Source) -> Any:
    return combined(node, node.op.name, number(node.lhs, names, source), number(node.rhs, names, source), source)


def combined(node: Any, symbol: str, left: Any, right: Any, source: Source) -> Any:
    """Return what an operator makes of two numbers; the node is where errors point at."""
    if symbol == "/":
        return _divide(node, left, right, source)
    if symbol not in OPERATORS:
        raise source.error(
            node, f"the operator `{symbol}` is not supported in numbers; known: {', '.join(OPERATORS)}, /."
        )
    if symbol in ("**", "<<") and isinstance(left, int) and isinstance(right, int):
        doublings = right if symbol == "<<" else right * max(abs(left).bit_length() - 1, 0)
        if doublings > 63 and source.version == 2:  # its numbers are real
            left = float(left)
        elif doublings > 63:  # before it is computed
            raise source.error(node, f"`{left}{symbol}{right}` exceeds the 64 bits of whole numbers: write {left}.0.")
    try:
        return OPERATORS[symbol](left, right)
    except (TypeError, ValueError, ArithmeticError) as error:
        words = "its size exceeds every number" if isinstance(error, OverflowError) else str(error)
        raise source.error(node, f"cannot be computed: {words}.") from None


def _divide(node: Any, left: Any, right: Any, source: Source) -> Any:
    """Divide; whole numbers that do not divide are ambiguous in OpenQASM 3, where `1/2` is 0."""
    if isinstance(right, (int, float)) and right == 0:
        raise source.error(node, "divides by zero.")
    both_whole = isinstance(left, int) and isinstance(right, int)
    if source.version >= 3 and both_whole and left % right == 0:
        return left // right
    if source.version >= 3 and both_whole:
        raise source.error(node, f"`{left}/{right}` divides whole numbers, which rounds down: write {left}.0/{right}.")
    return left / right


def _function(node: Any, names: Mapping[str, Any], source: Source) -> Any:
    values = [number(argument, names, source) for argument in node.arguments]
    name = node.name.name
    if name == "mod" and len(values) == 2:
        if isinstance(values[1], (int, float)) and values[1] == 0:
            raise source.error(node, "divides by zero.")
        return values[0] % values[1]  # its sign is that of the divisor
    if name not in FUNCTIONS or len(values) != 1:
        known = ", ".join((*FUNCTIONS, "mod"))
        raise source.error(node, f"the function `{name}` of {len(values)} numbers is not supported; known: {known}.")
    plain, traced = FUNCTIONS[name]
    try:
        return traced(values[0]) if isinstance(values[0], jax.Array) else plain(values[0])
    except (ValueError, OverflowError) as error:
        raise source.error(node, f"`{name}({values[0]})` cannot be computed: {error}.") from None
