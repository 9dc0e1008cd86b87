"""Rules of one table: which keys go together, as data of its class."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from qtn.problem.table import Document, Rule

Wrong = Iterator[tuple[str, str]]


def exactly_one(*keys: str) -> Rule:
    """Exactly one of some keys is given."""

    def rule(table: Document) -> Wrong:
        given = [key for key in keys if key in table]
        if len(given) != 1:
            yield "", f"needs exactly one of {', '.join(keys)}, but has {' and '.join(given) or 'none'}"

    return rule


def either(first: str, second: str) -> Rule:
    """One of two keys is given, but not both."""

    def rule(table: Document) -> Wrong:
        yield from at_most(first, second)(table)
        if first not in table and second not in table:
            yield "", f"needs {first} or {second}"

    return rule


def at_most(first: str, second: str) -> Rule:
    """Not both of two keys are given."""

    def rule(table: Document) -> Wrong:
        if first in table and second in table:
            yield "", f"has both {first} and {second}; keep one of them"

    return rule


def excluded(keys: tuple[str, ...], by: str, unless: str, cure: str) -> Rule:
    """Some keys do not go with another one, unless a third is (wrongly) there as well."""

    def rule(table: Document) -> Wrong:
        for key in keys if by in table and unless not in table else ():
            if key in table:
                yield "", f"has {key} with {by}; {cure}"

    return rule


@dataclasses.dataclass(frozen=True)
class TotalOrSides:
    """A quantity is given in total, or for the left and the right side."""

    total: str
    sides: tuple[str, str]
    per: "TotalOrSides | None" = None
    """What the total is counted by; None = the sides share it equally."""

    def __call__(self, table: Document) -> Wrong:
        """Check that one way was chosen."""
        given = [side for side in self.sides if side in table]
        missing = [side for side in self.sides if side not in table]
        if self.total in table and given:
            yield "", f"has both {self.total} and {given[0]}; keep one of them"
        elif self.total not in table and missing:
            needs = f"needs {self.total}, or {self.sides[0]} and {self.sides[1]}"
            yield "", f"has {given[0]} but no {missing[0]}; add it" if given else needs

    def of(self, table: Document) -> dict[str, Any]:
        """Return both sides by key."""
        if self.total not in table:
            return {side: table[side] for side in self.sides}
        whole = table[self.total]
        shares = [whole / 2] * 2 if self.per is None else [whole * each for each in self.per.of(table).values()]
        return dict(zip(self.sides, shares, strict=True))

    def whole(self, table: Document) -> Any:
        """Return both sides together."""
        return sum(self.of(table).values())


def weights_sum_to_one(table: Document) -> Wrong:
    """Bell weights sum to 1."""
    weights = table.get("bell_diagonal")
    if not isinstance(weights, list) or not all(isinstance(w, (int, float)) and 0 <= w <= 1 for w in weights):
        return
    if abs(sum(weights) - 1) > 1e-9:
        yield "", f"bell_diagonal must sum to 1, but sums to {sum(weights):.12g}"
