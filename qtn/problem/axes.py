"""Read the [sweep] table of a problem: every mistake at once, those that only show when points are built as well."""

import math
from collections.abc import Iterator, Mapping

from qtn import _budget, _text
from qtn.problem.jobs import Job, job_of
from qtn.problem.messages import ProblemError
from qtn.problem.names import declaration
from qtn.problem.problem import Problem
from qtn.problem.schema import Config
from qtn.problem.structures import Structures, unit_of
from qtn.problem.table import declared
from qtn.sweeps.spec import Grid, Mode, Value, axis_values, grid


def planned(problem: Problem) -> tuple[Structures, Job]:
    """Return what the axes of a problem change, and what is computed at each point.

    Raises:
        ProblemError: if the table is missing or anything in it is impossible; every mistake at once.
    """
    table = problem.config.sweep
    if table is None:
        raise ProblemError(problem.source, ["sweep: is missing; add [sweep] with `axes = { ... }`"])
    given = {name: each if isinstance(each, list) else each.model_dump() for name, each in table.axes.items()}
    axes, errors = readable(given)
    structures = None
    if table.mode is Mode.GRID and (said := _budget.POINTS.excess(math.prod(map(len, axes.values())))):
        raise ProblemError(problem.source, [f"sweep.axes: {said}"])
    if axes:
        points, errors_of_points = together(axes, table.mode)
        structures = Structures(problem, points)
        errors += [*errors_of_points, *number_mistakes(structures)]
        if not errors_of_points or table.mode is Mode.GRID:
            errors += structure_mistakes(structures)
    traced = structures.traced if structures is not None else ()
    try:
        job = job_of(problem, [*traced, *(name for name in given if name not in axes)])
    except ProblemError as error:
        errors += error.errors
    else:
        if structures is not None and not errors:
            return structures, job
    raise ProblemError(problem.source, list(dict.fromkeys(errors)))


def readable(given: Mapping[str, object]) -> tuple[dict[str, tuple[Value, ...]], list[str]]:
    """Return the values of each axis that has some, and what is wrong with the others."""
    axes: dict[str, tuple[Value, ...]] = {}
    errors: list[str] = []
    for name, each in given.items():
        try:
            axes[name] = axis_values(name, each)
        except ValueError as error:
            errors.append(f"sweep.axes: {error}")
    return axes, errors


def together(axes: Mapping[str, tuple[Value, ...]], mode: Mode) -> tuple[Grid, list[str]]:
    """Return the points of some axes and what is wrong with them; then the points are those of axes made to fit."""
    units = {name: unit_of(name) for name in axes}
    try:
        return grid(axes, mode, units), []
    except ValueError as error:
        longest = max(map(len, axes.values()))
        fitting = {
            name: (*values, *values[-1:] * (longest - len(values)))
            if mode is Mode.ZIP
            else tuple(dict.fromkeys(values))
            for name, values in axes.items()
        }
        return grid(fitting, mode, units), [f"sweep.axes: {error}"]


def number_mistakes(structures: Structures) -> Iterator[str]:
    """Return one sentence for each axis that holds a number out of its range, or names none."""
    for axis in structures.points.axes:
        if axis.name in structures.traced:
            limits = declaration(structures.problem, axis.name).range
            wrong = [value for value in axis.values if value not in limits]  # pyright: ignore
            if wrong:
                yield f"sweep.axes.{axis.name}: must {limits.rule_for(wrong[0])}, but holds {_text.number(wrong[0])}"  # pyright: ignore
        elif axis.numeric and declared(axis.name, Config) is None and not structures.mistakes(0):
            yield f"sweep.axes.{axis.name}: names no number"


def structure_mistakes(structures: Structures) -> Iterator[str]:
    """Return one sentence for each reason why values of axes that change structure fit to none of the others."""
    points = structures.points
    first: dict[tuple[Value, ...], int] = {}
    for index in range(points.num_points if structures.fixed else 1):
        first.setdefault(structures.key(index), index)
    failed = [index for index in first.values() if structures.mistakes(index)]
    if len(failed) == len(first):
        told: dict[str, str] = {}
        for line in (line for index in failed for line in structures.mistakes(index)):
            told.setdefault(line.split(":")[0], line.removeprefix("--set "))
        yield from (f"sweep.axes: no point can be built: {line}" for line in told.values())
        return
    good = [points.point(index) for index in first.values() if index not in set(failed)]
    for name in structures.fixed:
        fitting = {point[name] for point in good}
        left: dict[Value, list[int]] = {}
        for index in failed:
            if points.point(index)[name] not in fitting:
                left.setdefault(points.point(index)[name], []).append(index)
        if left:
            value, where = next(iter(left.items()))
            others = f", nor with {len(left) - 1} others," if len(left) > 1 else ""
            plainest = min(where, key=lambda index: len(structures.mistakes(index)))
            for line in structures.mistakes(plainest):
                yield f"sweep.axes.{name}: no point with {_text.echoed(value)}{others} can be built: {line}"
