"""Conditions on classical bits as `Literal`, `All` and `Not`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qtn import _budget, _text
from qtn.circuits.qasm.expressions import whole, words
from qtn.circuits.qasm.source import Source


@dataclass(frozen=True)
class Literal:
    """A bit has a value."""

    bit: int
    value: int


@dataclass(frozen=True)
class All:
    """All parts hold; without parts it is true."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Condition"


Condition = Literal | All | Not
COMPARISONS = "==, != of bits or a register with a number or as many bits, `!`, `&&`, `||`"


def negated(condition: Condition) -> Condition:
    """Return the opposite."""
    if isinstance(condition, Literal):
        return Literal(condition.bit, 1 - condition.value)
    return condition.part if isinstance(condition, Not) else Not(condition)


def both(first: Condition | None, second: Condition) -> Condition:
    """Return the conjunction of two conditions; None is always true."""
    return second if first is None else All((first, second))


def read_condition(node: Any, bits: Mapping[str, list[int]], names: Mapping[str, Any], source: Source) -> Condition:
    """Return the condition of an `if`."""
    kind = type(node).__name__
    if kind == "UnaryExpression" and node.op.name in ("!", "~"):
        return negated(read_condition(node.expression, bits, names, source))
    if kind == "BinaryExpression" and node.op.name in ("&&", "||"):
        sides = [read_condition(side, bits, names, source) for side in (node.lhs, node.rhs)]
        return All(tuple(sides)) if node.op.name == "&&" else Not(All(tuple(negated(side) for side in sides)))
    if kind == "BinaryExpression" and node.op.name in ("==", "!="):
        equal = _equal(node, bits, names, source)
        return equal if node.op.name == "==" else negated(equal)
    found = bits_of(node, bits, names, source)
    if found is None:
        raise source.error(node, _instead(node, source))
    if len(found) != 1:
        raise source.error(node, f"a condition needs one bit, but this register has {len(found)}: compare it with ==.")
    return Literal(found[0], 1)


def _instead(node: Any, source: Source) -> str:
    """Say what a condition may be, in the words of the version of the file."""
    symbol = f"`{node.op.name}`" if hasattr(node, "op") else words(type(node).__name__)
    if source.version == 2:
        return f"a condition is `if (c == number)` of a register, but this is {symbol}."
    return f"a condition may use {COMPARISONS}, but this is {symbol}."


def _equal(node: Any, bits: Mapping[str, list[int]], names: Mapping[str, Any], source: Source) -> Condition:
    found = bits_of(node.lhs, bits, names, source)
    if found is None:
        raise source.error(node, "the left side of a comparison must be a bit or a register of bits.")
    others = bits_of(node.rhs, bits, names, source)
    if others is not None:
        if len(others) != len(found):
            raise source.error(node, f"{len(found)} bit(s) are compared with {len(others)}: compare as many.")
        differ = [
            All((Literal(a, value), Literal(b, 1 - value)))
            for a, b in zip(found, others, strict=True)
            for value in (0, 1)
        ]
        return All(tuple(Not(each) for each in differ))
    wanted = _wanted(node.rhs, names, source)
    if wanted < 0 or wanted.bit_length() > len(found):
        raise source.error(
            node, f"{_text.number(wanted)} does not fit into {len(found)} bit(s): the condition is never met."
        )
    literals = tuple(Literal(bit, wanted >> place & 1) for place, bit in enumerate(found))
    return literals[0] if len(literals) == 1 else All(literals)


def _wanted(node: Any, names: Mapping[str, Any], source: Source) -> int:
    """Return the number that bits are compared with; a literal of as many bits as there are."""
    if type(node).__name__ in ("BitstringLiteral", "BooleanLiteral", "IntegerLiteral"):
        return int(node.value)
    return whole(node, names, source)


def bits_of(node: Any, bits: Mapping[str, list[int]], names: Mapping[str, Any], source: Source) -> list[int] | None:
    """Return the bits that an expression names, lowest first; None where it names none."""
    kind = type(node).__name__
    if kind == "Identifier":
        return bits.get(node.name)
    if kind == "Cast":  # int(c), bool(c)
        return bits_of(node.argument, bits, names, source)
    if kind == "IndexExpression" and type(node.collection).__name__ == "Identifier":
        register = bits.get(node.collection.name)
        return None if register is None else picked(register, node.index, node, names, source)
    return None


def picked(register: list[int], index: Any, node: Any, names: Mapping[str, Any], source: Source) -> list[int]:
    """Return the elements of a register that an index [i], [a:b], [a:s:b] or [{i, j}] names."""
    places: list[int] = []
    for item in index.values if type(index).__name__ == "DiscreteSet" else index:
        places += span(item, len(register), names, source) if _is_range(item) else [whole(item, names, source)]
    for place in places:
        if not -len(register) <= place < len(register):
            raise source.error(node, f"the index {place} is outside a register of size {len(register)}.")
    return [register[place] for place in places]


def _is_range(node: Any) -> bool:
    return type(node).__name__ == "RangeDefinition"


def span(node: Any, size: int | None, names: Mapping[str, Any], source: Source) -> list[int]:
    """Return the whole numbers of a range a:b or a:step:b, both ends included."""
    if size is None and (node.start is None or node.end is None):
        raise source.error(node, "a range of a loop needs both ends.")
    increment = 1 if node.step is None else whole(node.step, names, source)
    if increment == 0:
        raise source.error(node, "the step of a range must not be 0.")
    start = 0 if node.start is None else whole(node.start, names, source)
    end = (size or 0) - 1 if node.end is None else whole(node.end, names, source)
    start, end = (place + size if size is not None and place < 0 else place for place in (start, end))
    places = range(start, end + (1 if increment > 0 else -1), increment)
    if size is None:
        source.require(node, _budget.PASSES, len(places))
    elif len(places) > size:
        raise source.error(node, f"{len(places)} elements are picked from a register of size {size}.")
    return list(places)
