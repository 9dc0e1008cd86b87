"""Intervals of allowed values: one object checks a value and says its rule."""

import dataclasses
import math
from typing import Any

from qtn import _text

SMALLEST, LARGEST = 1e-300, 1e300
"""Every number that comes from outside is 0, infinite, or lies between these in size: products of a few stay finite."""

SIZES = f"be 0, or lie between {SMALLEST:g} and {LARGEST:g} in size"


def bounded(value: float | int) -> bool:
    """Whether a number can be computed with.

    Example:
        >>> bounded(0.0), bounded(5e-324), bounded(10**400)
        (True, False, False)
    """
    return value == 0 or SMALLEST <= abs(value) <= LARGEST or abs(value) == math.inf or value != value


@dataclasses.dataclass(frozen=True)
class Range:
    """An interval of allowed values; closed ends belong to it."""

    lower: float = -math.inf
    upper: float = math.inf
    lower_closed: bool = True
    upper_closed: bool = True

    def __contains__(self, value: float | int) -> bool:
        if not bounded(value):
            return False
        above = value >= self.lower if self.lower_closed else value > self.lower
        below = value <= self.upper if self.upper_closed else value < self.upper
        return above and below  # both False for nan

    def rule(self) -> str:
        """Return the rule in words."""
        if self.upper == math.inf:
            finite = "" if self.upper_closed else " and finite"
            if self.lower == 0:
                return ("be at least 0" if self.lower_closed else "be positive") + finite
            return (f"be at least {self.lower:g}" if self.lower_closed else f"exceed {self.lower:g}") + finite
        left, right = "[" if self.lower_closed else "(", "]" if self.upper_closed else ")"
        lower = "-1/3" if self.lower == -1 / 3 else f"{self.lower:g}"
        return f"lie in {left}{lower}, {self.upper:g}{right}"

    def rule_for(self, value: float | int) -> str:
        """Return the rule that a value breaks."""
        return self.rule() if bounded(value) else SIZES

    def check(self, value: float | int) -> float | int:
        """Return the value, or raise with the rule and the value."""
        if value not in self:
            raise ValueError(f"must {self.rule_for(value)}, but is {_text.number(value)}")
        return value

    def describe(self, described: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON Schema of a number with its limits."""
        if math.isfinite(self.lower):
            described["minimum" if self.lower_closed else "exclusiveMinimum"] = self.lower
        if math.isfinite(self.upper):
            described["maximum" if self.upper_closed else "exclusiveMaximum"] = self.upper
        return described


ANY = Range()
PROBABILITY = Range(0.0, 1.0)
POSITIVE_PROBABILITY = Range(0.0, 1.0, lower_closed=False)
BELOW_ONE = Range(0.0, 1.0, upper_closed=False)
BELOW_HALF = Range(0.0, 0.5, upper_closed=False)
POSITIVE = Range(0.0, lower_closed=False, upper_closed=False)
POSITIVE_OR_INF = Range(0.0, lower_closed=False)
NON_NEGATIVE = Range(0.0, upper_closed=False)
NON_NEGATIVE_OR_INF = Range(0.0)
AT_LEAST_ONE = Range(1.0, upper_closed=False)
COUNT = Range(1.0)
WERNER = Range(-1 / 3, 1.0)
ANGLE = Range(-math.pi, math.pi)
ELEVATION = Range(0.0, 90.0, upper_closed=False)
SEED = Range(0.0, 2.0**32 - 1)
