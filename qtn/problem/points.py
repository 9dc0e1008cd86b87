"""Compute many points of one structure: grids chosen for each, questions of one kind answered side by side.

The grids of a point are those that its evaluator would choose for it alone: each point follows its own search
(`qtn.evaluators.ladder`), and what the searches ask in one round is computed together. What is compiled depends on the
number of grid steps only, so a sweep compiles a handful of programs.
"""

import dataclasses
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, TypeVar

import jax
import numpy as np

from qtn.evaluators.horizon import Probe
from qtn.evaluators.ladder import Gridded
from qtn.evaluators.plan import COARSE, GridPlan
from qtn.problem.evaluation import evaluator_for
from qtn.problem.jobs import Job, point_function
from qtn.problem.names import system_with
from qtn.problem.problem import Problem
from qtn.problem.validity import Validity
from qtn.sweeps.batch import Batched

DIRECT_BELOW = 12
"""Questions of fewer points than this are answered one by one where compiling takes longer: among many kinds of
questions, or where a program builds many different links."""

MANY_KINDS, MANY_LINKS = 3, 64

FEW_POINTS = 4096
"""Sweeps of up to so many points compute all exact grids up to `COARSE[0]` steps on one of this length: a program more
takes longer than they all on a longer grid."""

Numbers = dict[str, np.ndarray]
Row = dict[str, Any]
Result = TypeVar("Result")


@dataclasses.dataclass(frozen=True)
class Question:
    """What a point wants to know."""

    evaluator: Gridded
    about: Probe | GridPlan | None
    """Of its search; None: chain and schedule, prepared for the search."""

    @property
    def stage(self) -> int:
        """Return what is answered first, so that points which ask alike do so in the same round."""
        return 0 if self.about is None else 1 if isinstance(self.about, Probe) else 2

    @property
    def kind(self) -> Any:
        """Return equal values for questions that one program answers."""
        return jax.tree.structure(self.about), self.evaluator


class Points:
    """All points of one structure."""

    def __init__(
        self,
        problem: Problem,
        job: Job,
        *,
        block: int,
        total: int | None = None,
        announce: Callable[[Batched], None] = lambda batched: None,
    ) -> None:
        """Prepare a structure.

        Args:
            problem: of the structure.
            job: what to compute.
            block: most points of one call.
            total: points of the whole sweep, if that is known.
            announce: called with a compiled function before it runs for the first time.
        """
        self.problem, self.job, self.block, self.announce = problem, job, block, announce
        chosen = problem.config.time.num_steps is None
        self._few = chosen and total is not None and total <= FEW_POINTS
        self._validity = Validity(problem)
        self._programs: dict[Any, Batched] = {}

    def __call__(self, numbers: Numbers, count: int) -> tuple[Numbers, list[str]]:
        """Return columns (count,) by name and the reason of each failure, for numbers (count,) by dotted name."""
        points = [self._point({name: float(column[i]) for name, column in numbers.items()}) for i in range(count)]
        return columns(together(points, lambda asked: self._answers(numbers, asked)))

    def _point(self, values: dict[str, float]) -> Generator[Question, Any, Row]:
        """Ask what it takes to compute one point, and return its columns."""
        reason = self._validity(values)
        if reason:
            raise ValueError(reason)
        evaluator = evaluator_for(self.problem, self.job.outputs)
        if not isinstance(evaluator, Gridded):
            return point_function(self.problem, self.job, evaluator)({"numbers": values, "plan": None})
        system = yield Question(evaluator, None)
        fixed = evaluator.fixed(*system)
        search, tried = fixed.search(*system), []
        told = None
        while True:
            try:
                about = search.send(told)
            except StopIteration as done:
                plan = longer(done.value) if self._few else done.value
                break
            told = yield Question(fixed, about)
            if isinstance(about, GridPlan):
                tried.append((about, told))
                told = float(told["grid_error"])
        known = next((row for about, row in tried if about is plan), None)
        return (yield Question(fixed, plan)) if known is None else known

    def _answers(self, numbers: Numbers, asked: Mapping[int, Question]) -> dict[int, Any]:
        """Answer the questions of the first stage that points are at, those of one kind side by side."""
        stage = min(question.stage for question in asked.values())
        kinds: dict[Any, list[int]] = {}
        for i, question in asked.items():
            if question.stage == stage:
                kinds.setdefault(question.kind, []).append(i)
        answers: dict[int, Any] = {}
        for members in kinds.values():
            costly = len(kinds) > MANY_KINDS or len(self.problem.chain.links) > MANY_LINKS
            direct = costly and len(members) < DIRECT_BELOW
            questions = [asked[i] for i in members]
            some = {name: column[members] for name, column in numbers.items()}
            try:
                found = self._one_by_one(some, questions) if direct else self._batch(some, questions)
            except ValueError as error:  # what no point of this kind can do
                found = [error] * len(members)
            answers |= zip(members, found, strict=True)
        return answers

    def _one_by_one(self, numbers: Numbers, questions: Sequence[Question]) -> list[Any]:
        function = answering(self.problem, self.job, questions[0])
        rows = [{name: column[i] for name, column in numbers.items()} for i in range(len(questions))]
        return [
            jax.tree.map(np.asarray, function({"numbers": row, "plan": question.about}))
            for row, question in zip(rows, questions, strict=True)
        ]

    def _batch(self, numbers: Numbers, questions: Sequence[Question]) -> list[Any]:
        count, first = len(questions), questions[0]
        plans = jax.tree.map(lambda *leaves: np.array(leaves, float), *(question.about for question in questions))
        points = {"numbers": numbers, "plan": plans, "place": np.arange(count)}
        key = first.stage, first.evaluator
        if key not in self._programs:
            self._programs[key] = Batched(answering(self.problem, self.job, first), block=self.block)
            if isinstance(first.about, GridPlan):
                self._programs[key].compile(points)
                self.announce(self._programs[key])
        leaves, structure = jax.tree.flatten(self._programs[key](points))
        return [jax.tree.unflatten(structure, [leaf[i] for leaf in leaves]) for i in range(count)]


def longer(plan: GridPlan) -> GridPlan:
    """Return a plan whose one exact grid has at least as many steps as those that are extrapolated; it stays exact."""
    (finest, *others), fewest = plan.grids, COARSE[0]
    if others or plan.extrapolated or finest.num_steps >= fewest:
        return plan
    return dataclasses.replace(plan, grids=(dataclasses.replace(finest, num_steps=fewest),))


def answering(problem: Problem, job: Job, question: Question) -> Callable[[Any], Any]:
    """Return the function of one point that answers questions such as this one."""
    evaluator = question.evaluator
    if isinstance(question.about, GridPlan):
        return point_function(problem, job, evaluator)

    def answer(point: Any) -> Any:
        system = system_with(problem, point["numbers"])
        return evaluator.prepared(*system) if point["plan"] is None else point["plan"].answer(*system)

    return answer


def together(
    tasks: Sequence[Generator[Question, Any, Result]], answers: Callable[[Mapping[int, Question]], dict[int, Any]]
) -> list[Result | ValueError]:
    """Run generators side by side; return what each returns or raises.

    Args:
        tasks: each yields questions and is sent the answers.
        answers: questions by the place of who asks -> answers to some of them; a `ValueError` is raised where it was
            asked.
    """
    results: dict[int, Result | ValueError] = {}
    asked: dict[int, Question] = {}
    told: dict[int, Any] = dict.fromkeys(range(len(tasks)))
    while told:
        for i, answer in told.items():
            asked.pop(i, None)
            try:
                asked[i] = tasks[i].throw(answer) if isinstance(answer, ValueError) else tasks[i].send(answer)
            except StopIteration as done:
                results[i] = done.value
            except ValueError as error:
                results[i] = error
        told = answers(asked) if asked else {}
    return [results[i] for i in range(len(tasks))]


def columns(results: Sequence[Row | ValueError]) -> tuple[Numbers, list[str]]:
    """Return columns by name, NaN where a point failed, and the reason of each failure."""
    reasons = [str(result) if isinstance(result, ValueError) else "" for result in results]
    rows: list[Row] = [{} if isinstance(result, ValueError) else result for result in results]
    names = {name for row in rows for name in row}
    found = {name: np.array([float(row.get(name, np.nan)) for row in rows]) for name in names}
    for i, row in enumerate(rows):
        wrong = [name for name in sorted(row) if not np.isfinite(float(row[name]))]
        if wrong:
            reasons[i] = f"{', '.join(wrong)}: not a finite number at this point"
    return found, reasons
