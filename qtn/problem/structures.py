"""What the axes of a sweep change: numbers, which are traced, or structure, for which a problem is built anew."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qtn.problem.load import changed
from qtn.problem.messages import ProblemError
from qtn.problem.names import numeric_leaves
from qtn.problem.problem import Problem
from qtn.problem.schema import Config
from qtn.problem.table import declared
from qtn.sweeps.spec import Axis, Grid, Value


def unit_of(name: str) -> str:
    """Return the unit of a dotted name; empty if it is a plain number."""
    number = declared(name, Config)
    return "" if number is None else number.unit.symbol


class Structures:
    """The problems that a sweep is made of: one for each combination of values of its structural axes.

    Attributes:
        traced: names of the axes that only change numbers.
        fixed: names of the others.
    """

    def __init__(self, problem: Problem, points: Grid) -> None:
        """Sort the axes."""
        self.problem, self.points = problem, points
        self.traced = tuple(axis.name for axis in points.axes if self._is_traced(axis))
        self.fixed = tuple(axis.name for axis in points.axes if axis.name not in self.traced)
        self._known: dict[tuple[Value, ...], Problem | list[str]] = {}
        columns = points.columns(np.arange(points.num_points))
        codes = [np.unique(columns[name], return_inverse=True)[1] for name in self.fixed]
        self._order = np.lexsort([*reversed(codes)]) if codes else np.arange(points.num_points)

    @property
    def order(self) -> np.ndarray:
        """Return the global indices (num_points,) with equal structures side by side."""
        return self._order

    def key(self, index: int) -> tuple[Value, ...]:
        """Return the values of the structural axes at a point."""
        values = self.points.point(index)
        return tuple(values[name] for name in self.fixed)

    def at(self, index: int) -> Problem | str:
        """Return the problem of the structure of a point, or why it cannot be built."""
        found = self._at(index)
        return "; ".join(found) if isinstance(found, list) else found

    def mistakes(self, index: int) -> list[str]:
        """Return every reason why the structure of a point cannot be built; [] if it can."""
        found = self._at(index)
        return found if isinstance(found, list) else []

    def _at(self, index: int) -> Problem | list[str]:
        key = self.key(index)
        if key not in self._known:
            self._known[key] = self._built(self.points.point(index))
        return self._known[key]

    def _is_traced(self, axis: Axis) -> bool:
        if not axis.numeric:
            return False
        if axis.name in numeric_leaves(self.problem):
            return True
        try:
            return axis.name in numeric_leaves(changed(self.problem, [override(axis.name, axis.values[0])]))
        except ProblemError:
            return False

    def _built(self, values: Mapping[str, Value]) -> Problem | list[str]:
        fixed = [override(name, values[name]) for name in self.fixed]
        traced = [override(name, values[name]) for name in self.traced]
        try:
            found = self._with(fixed)
            if isinstance(found, list):  # the numbers of the file do not fit, or are not there yet: those of this point
                found = self._with([*fixed, *traced])
        except ProblemError as error:
            return error.errors
        return found

    def _with(self, overrides: Sequence[str]) -> Problem | list[str]:
        """Return the problem with some values replaced, or what is wrong about its numbers."""
        found = changed(self.problem, overrides)
        leaves = numeric_leaves(found)
        missing = [name for name in self.traced if name not in leaves]
        return [f"there is no number {missing[0]} in this structure"] if missing else found


def override(name: str, value: Any) -> str:
    """Return the text "name=value" as `--set` reads it."""
    if isinstance(value, bool):
        return f"{name}={str(value).lower()}"
    if name == "schedule.tree":
        return f"{name}='{value}'"
    return f"{name}={value}"
