"""What a sweep computes at one point: merits, or merits with derivatives; pure functions of traced numbers."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from qtn.evaluators.evaluate import Evaluator
from qtn.evaluators.outcome import Result
from qtn.merit.quantities import Quantity
from qtn.problem.evaluation import merit_errors, merits, result_of
from qtn.problem.evaluators import evaluator_name
from qtn.problem.messages import ProblemError
from qtn.problem.names import expand, numeric_leaves, system_with
from qtn.problem.problem import Problem
from qtn.problem.quantities import quantities_of, to_be_raised, usual_of
from qtn.problem.schema import SAMPLING
from qtn.problem.structures import unit_of
from qtn.problem.whole import whole_numbers
from qtn.sweeps.layout import Column

ERRORS = (
    Column("grid_error", "", "bound on the relative error that the time grid causes"),
    Column("tail_mass", "", "probability that outlasts the time grid"),
)
"""Columns that every sweep has."""

Point = dict[str, Any]
"""{"numbers": {dotted name: scalar}, "plan": time grids, or None}."""


@dataclasses.dataclass(frozen=True)
class Job:
    """What is computed at each point."""

    kind: str
    """evaluate, gradient or optimise."""
    quantities: tuple[Quantity, ...]
    """What is kept of each point."""
    derivatives: tuple[str, ...] = ()
    """Dotted names of the numbers that outputs are differentiated by, or (optimise) that are optimised."""
    seed: int = 0
    statistical: bool = False
    """Whether merits are estimates from samples, with standard errors."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Return the names of the quantities."""
        return tuple(each.name for each in self.quantities)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return what is stored of each point."""
        found = [Column(each.name, each.unit, each.words) for each in self.quantities]
        if self.statistical:
            found += [Column(error_name(x.name), x.unit, f"standard error of {x.words}") for x in self.quantities]
        for by in self.derivatives:
            if self.kind == "optimise":
                found.append(Column(f"best_{by}", unit_of(by), f"best value of {by}"))
                continue
            for of in self.quantities:
                unit = ratio(of.unit, unit_of(by))
                found.append(Column(slope_name(of.name, by), unit, f"derivative of {of.words} by {by}"))
        return (*found, *ERRORS)


def error_name(of: str) -> str:
    """Return the name of the column of a standard error."""
    return f"{of}_standard_error"


def slope_name(of: str, by: str) -> str:
    """Return the name of the column of a derivative."""
    return f"d_{of}_d_{by}"


def ratio(over: str, under: str) -> str:
    """Return the unit of a quotient."""
    if not under:
        return over
    return f"{over or '1'}/{under}" if "/" not in under else f"{over or '1'}/({under})"


def job_of(problem: Problem, axes: Sequence[str]) -> Job:
    """Return the job of a [sweep] table.

    Args:
        problem: with a [sweep] table.
        axes: names of the axes that are numbers; by default derivatives are taken by these.

    Raises:
        ProblemError: if outputs and job do not fit; every mistake at once.
    """
    table = problem.config.sweep
    assert table is not None
    evaluator, errors = evaluator_name(problem.config), []
    names: list[str] = []
    if table.derivatives is not None and table.job != "gradient":
        errors.append(f'sweep.derivatives: needs job = "gradient", but the job is "{table.job}"')
    if table.job == "gradient":
        names = _names(problem, table.derivatives, errors) if table.derivatives else list(axes)
        if not names and not errors:
            errors.append("sweep.derivatives: is missing, and no axis is a number; name some")
    if table.job == "optimise" and evaluator != "renewal":
        errors.append('sweep.job: "optimise" needs the evaluator "renewal" and a tree')
    if table.job == "optimise" and problem.config.optimise is None:
        errors.append('optimise: is missing, but sweep.job = "optimise" needs it')
    elif table.job == "optimise" and problem.config.optimise is not None:
        names = expand(problem, problem.config.optimise.parameters)
        names += whole_numbers(problem, problem.config.optimise.choices)
        clashes = sorted(set(names) & set(axes))
        errors += [f"sweep.axes.{name}: is optimised too; take it out of one of them" for name in clashes]
    if errors:
        raise ProblemError(problem.source, errors)
    rows = quantities_of(problem.document)
    usual = ["secret_key_rate_hz"] if table.job == "gradient" else ["secret_key_rate_hz", "rate_hz", "fidelity"]
    default = [name for name in usual if name in rows] or [usual_of(to_be_raised(rows))]
    outputs = tuple(rows[name] for name in dict.fromkeys(table.outputs or default))
    return Job(table.job, outputs, tuple(names), table.seed, evaluator in SAMPLING)


def _names(problem: Problem, patterns: Sequence[str], errors: list[str]) -> list[str]:
    """Return the numbers that patterns mean; note what is wrong with them."""
    try:
        return expand(problem, list(patterns))
    except ValueError as error:
        errors.append(f"sweep.derivatives: {error}")
        return []


def point_function(problem: Problem, job: Job, evaluator: Evaluator[Result]) -> Callable[[Point], dict[str, Any]]:
    """Return the function of one point of a structure: columns by name.

    Args:
        problem: of the structure.
        job: what to compute.
        evaluator: of the points; if they bring their plans, it is fixed (see `Gridded`) and known to be exact.

    Values of key rates and fractions are clipped at 0, their derivatives are those of the unclipped figure, as in
    `qtn gradient`.

    Note:
        Exact up to `grid_error`; traceable where the point brings its plan.
    """
    leaves = numeric_leaves(problem)

    def target(moved: dict[str, Any], point: Point) -> tuple[dict[str, Any], dict[str, Any]]:
        numbers = {**point["numbers"], **moved}
        system, plan = system_with(problem, numbers), point["plan"]
        summary = result_of(problem, evaluator, system, plan)
        raw, found = (merits(problem, summary, numbers, job.outputs, clip=clip) for clip in (False, True))
        return raw, found | {name: getattr(summary.info, name, 0.0) for name in ("grid_error", "tail_mass")}

    def sampled(point: Point) -> dict[str, Any]:
        errors = merit_errors(
            problem, evaluator.evaluate(*system_with(problem, point["numbers"])), point["numbers"], job.outputs
        )
        return {error_name(name): error for name, error in errors.items()}

    def of_point(point: Point) -> dict[str, Any]:
        errors = sampled(point) if job.statistical else {}
        if job.kind != "gradient":
            return target({}, point)[1] | errors
        moved = {name: jnp.asarray(point["numbers"].get(name, leaves[name]), float) for name in job.derivatives}
        raw, pull, found = jax.vjp(lambda x: target(x, point), moved, has_aux=True)
        for of in job.outputs:
            one = {name: jnp.ones_like(x) if name == of else jnp.zeros_like(x) for name, x in raw.items()}
            (slopes,) = pull(one)
            found |= {slope_name(of, by): slope for by, slope in slopes.items()}
        return found | errors

    return of_point
