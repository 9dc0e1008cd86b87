"""What the axes of a sweep change: numbers, which are traced, or structure, for which a problem is built anew."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qtn.problem.load import changed
from qtn.problem.messages import ProblemError
from qtn.problem.names import declaration, numeric_leaves
from qtn.problem.problem import Problem
from qtn.problem.schema import Config
from qtn.problem.table import declared
from qtn.sweeps.spec import Axis, Grid, Value, grid


def unit_of(name: str) -> str:
    """Return the unit of a dotted name; empty if it is a plain number."""
    number = declared(name, Config)
    return "" if number is None else number.unit.symbol


def sweep_grid(problem: Problem) -> Grid:
    """Return the points of the [sweep] table.

    Raises:
        ProblemError: if the table is missing or its axes are impossible.
    """
    table = problem.config.sweep
    if table is None:
        raise ProblemError(problem.name, ["sweep: is missing; add [sweep] with `axes = { ... }`"])
    axes = {name: given if isinstance(given, list) else given.model_dump() for name, given in table.axes.items()}
    try:
        return grid(axes, table.mode, {name: unit_of(name) for name in axes})
    except ValueError as error:
        raise ProblemError(problem.name, [f"sweep.axes: {error}"]) from None


class Structures:
    """The problems that a sweep is made of: one for each combination of values of its structural axes.

    Attributes:
        traced: names of the axes that only change numbers.
        fixed: names of the others.
    """

    def __init__(self, problem: Problem, points: Grid) -> None:
        """Sort the axes.

        Raises:
            ProblemError: if a number is out of range, or no structure can be built; every mistake at once.
        """
        self.problem, self.points = problem, points
        self.traced = tuple(axis.name for axis in points.axes if self._is_traced(axis))
        self.fixed = tuple(axis.name for axis in points.axes if axis.name not in self.traced)
        self._known: dict[tuple[Value, ...], Problem | str] = {}
        axes = {axis.name: axis for axis in points.axes}
        columns = points.columns(np.arange(points.num_points))
        codes = [np.unique(columns[name], return_inverse=True)[1] for name in self.fixed]
        self._order = np.lexsort([*reversed(codes)]) if codes else np.arange(points.num_points)
        self._check(axes)

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

    def _built(self, values: Mapping[str, Value]) -> Problem | str:
        fixed = [override(name, values[name]) for name in self.fixed]
        traced = [override(name, values[name]) for name in self.traced]
        try:
            found = self._with(fixed)
            if isinstance(found, str):  # the numbers of the file do not fit, or are not there yet: those of this point
                found = self._with([*fixed, *traced])
        except ProblemError as error:
            return "; ".join(error.errors)
        return found

    def _with(self, overrides: Sequence[str]) -> Problem | str:
        """Return the problem with some values replaced, or the name of a number that it should have."""
        found = changed(self.problem, overrides)
        leaves = numeric_leaves(found)
        missing = [name for name in self.traced if name not in leaves]
        return f"there is no number {missing[0]} in this structure" if missing else found

    def _check(self, axes: Mapping[str, Axis]) -> None:
        errors = []
        for name in self.traced:
            limits = declaration(self.problem, name).range
            wrong = [value for value in axes[name].values if value not in limits]  # pyright: ignore
            if wrong:
                errors.append(f"sweep.axes.{name}: must {limits.rule()}, but holds {wrong[0]!r}")
        if not errors:
            first = {self.key(int(i)): int(i) for i in reversed(self.order)}
            found = [self.at(i) for i in sorted(first.values())]
            if all(isinstance(each, str) for each in found):
                errors.append(f"sweep.axes: no point can be built: {found[0]}")
        if errors:
            raise ProblemError(self.problem.name, errors)


def override(name: str, value: Any) -> str:
    """Return the text "name=value" as `--set` reads it."""
    if isinstance(value, bool):
        return f"{name}={str(value).lower()}"
    if name == "schedule.tree":
        return f"{name}='{value}'"
    return f"{name}={value}"
