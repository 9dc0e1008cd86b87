"""Intervals of allowed values: one object checks a value and says its rule."""

import dataclasses
import math
from typing import Any


@dataclasses.dataclass(frozen=True)
class Range:
    """An interval of allowed values; closed ends belong to it."""

    lower: float = -math.inf
    upper: float = math.inf
    lower_closed: bool = True
    upper_closed: bool = True

    def __contains__(self, value: float | int) -> bool:
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

    def check(self, value: float | int) -> float | int:
        """Return the value, or raise with the rule and the value."""
        if value not in self:
            raise ValueError(f"must {self.rule()}, but is {value!r}")
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
