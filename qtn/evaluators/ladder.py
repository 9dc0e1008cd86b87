"""One ladder of grids: propose what to try, be told what came of it, end with a plan.

A search is a generator. It yields questions, a `Probe` (how long do the steps take?) or a `GridPlan` (which error has
an evaluation on it?), is sent the answers, and returns the plan to use, or raises why there is none. Who answers is not
its business: `plan_for` answers one question after the other, a sweep answers those of many points side by side.
"""

import dataclasses
import math
from collections.abc import Callable, Generator, Iterable
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from qtn._checks import constant
from qtn.evaluators.horizon import Probe
from qtn.evaluators.outcome import Outcome, Summary
from qtn.evaluators.plan import COARSE, LADDER, GridPlan, TooLongError, memory_needed
from qtn.evaluators.scales import TimeScales
from qtn.links.chain import Chain

SMALL_ERROR = 1e-4
"""Below this error a grid that does not get better is not refined any further."""

WORST_ERROR = 1e-2
"""A chosen grid with a larger error is refused."""

EXACT_PER_COARSE = 4
"""An exact grid of so many times the length is taken without trying to extrapolate from three: it costs hardly more."""

Search: TypeAlias = Generator[Any, Any, GridPlan]
"""Yields each `Probe` and is sent (slowest, whole) mean time [s]; yields each `GridPlan` and is sent its error."""

Question = TypeVar("Question")
Answer = TypeVar("Answer")
Found = TypeVar("Found")


@runtime_checkable
class Gridded(Protocol):
    """An evaluator on time grids, piece by piece, for whoever chooses the grids of many points together."""

    def evaluate(self, chain: Any, schedule: Any, /) -> Outcome:
        """Return the outcome, as every evaluator does."""
        ...

    def summarise(self, chain: Any, schedule: Any, /) -> Summary:
        """Return its means, as every evaluator does."""
        ...

    def prepared(self, chain: Chain, schedule: Any, /) -> tuple[Any, Any]:
        """Return chain and schedule as they are asked about below, each link evaluated once; may be traced."""
        ...

    def fixed(self, chain: Any, schedule: Any, /) -> "Gridded":
        """Return this evaluator with all settled but its grids, for concrete numbers; raise if it is not exact."""
        ...

    def search(self, chain: Any, schedule: Any, /) -> Search:
        """Search the grids of a fixed evaluator, for concrete numbers."""
        ...

    def summarise_on(self, plan: GridPlan, chain: Any, schedule: Any, /) -> Summary:
        """Evaluate on given grids with a fixed evaluator; pure, for use under any JAX transformation."""
        ...


@dataclasses.dataclass(frozen=True)
class Terms:
    """What is asked of the grids, which of them can be afforded, and what to say where none is good enough."""

    step: float | None
    """Grid step [s]; None = choose."""

    num_steps: int | None
    """Grid length; None = choose."""

    rtol: float
    """Error that is good enough."""

    slowest: str
    """What takes how long, as the end of a sentence."""

    cure: str

    coarse: tuple[int, ...] = COARSE
    """Lengths of grids that are extrapolated."""

    exact: tuple[int, ...] = LADDER
    """Lengths of a grid that holds all delivery times."""

    sized: bool = True
    """Whether the working memory of a step is known, `BYTES_PER_STEP`."""

    def steps(self, count: float) -> str:
        """Return a number of steps, and the memory that they need if it is known, for people."""
        return f"{count:.3g} steps ({memory_needed(count)})" if self.sized else f"{count:.3g} steps"


def climb(
    coarse: Iterable[Found],
    exact: Found | None,
    *,
    rtol: float,
    small: float = SMALL_ERROR,
    worst: float = WORST_ERROR,
) -> Generator[Found, float, Found | None]:
    """Propose grids from coarse to fine; be told the error of each.

    Args:
        coarse: what is tried.
        exact: what is taken without a trial if none of these will do; None = there is nothing better.
        rtol: error that is good enough.
        small: below this error the last but one is taken where the last is no better.
        worst: largest error that may be returned.

    Returns:
        The grids to use, or None if all are too coarse.
    """
    error, best = math.inf, None
    for proposed in coarse:
        found = yield proposed
        if best is not None and found > error / 2 and error < small:
            return best  # what is left does not come from the step
        error, best = found, proposed
        if error <= rtol:
            return best
    return best if exact is None and error <= worst else exact


def ladder(scales: TimeScales, horizon: float, terms: Terms) -> Search:
    """Search the grids of a problem.

    Args:
        scales: of the problem.
        horizon: how long the grid must be [s]; not used if step and length are given.
        terms: of the evaluator.

    Raises:
        TooLongError: if no affordable grid resolves the problem.
    """
    if terms.step is not None:
        num_steps = steps_for(horizon, terms.step, terms) if terms.num_steps is None else terms.num_steps
        return scales.plan_with_step(terms.step, num_steps)
    lengths = terms.exact if terms.num_steps is None else (terms.num_steps,)
    length = next((length for length in lengths if horizon <= length * scales.spacing), None)
    exact = None if length is None else scales.exact_plan(length)
    if exact is None and terms.num_steps is not None:
        exact = scales.extrapolation(horizon, terms.num_steps)
    dearest = math.inf if length is None else length / EXACT_PER_COARSE
    tried = [n for n in terms.coarse if terms.num_steps is None and n < dearest]
    best = yield from climb((scales.extrapolation(horizon, n) for n in tried), exact, rtol=terms.rtol)
    if best is None:
        finest = min(*scales.attempts, *scales.cutoffs, math.inf)
        raise TooLongError(
            f"No affordable time grid resolves this {terms.slowest}, and the shortest time scale is {finest:.3g} s. A "
            f"full grid would need {terms.steps(horizon / finest)}. {terms.cure}"
        )
    return best


def steps_for(horizon: float, step: float, terms: Terms) -> int:
    """Return the length of a grid of this step that reaches the horizon [s].

    Raises:
        ValueError: if no grid is that long.
    """
    needed = horizon / step
    if not needed <= LADDER[-1]:
        raise ValueError(
            f"A time grid with step_s = {step:g} needs {terms.steps(needed)} to hold the distribution; "
            f"at most {LADDER[-1]} are chosen. Raise time.step_s, leave it out, or give time.num_steps."
        )
    return next(length for length in LADDER if length >= needed)


def settled(search: Generator[Question, Answer, Found], answer: Callable[[Question], Answer]) -> Found:
    """Return what a search ends with, its questions answered one after the other."""
    try:
        question = next(search)
        while True:
            question = search.send(answer(question))
    except StopIteration as done:
        return done.value


def plan_for(evaluator: Gridded, chain: Any, schedule: Any) -> GridPlan:
    """Return the grids that a fixed evaluator chooses for concrete numbers (also for those under `jax.grad`).

    Raises:
        ValueError: if numbers are traced, or no affordable grid resolves the problem.
    """
    system = evaluator.prepared(*constant((chain, schedule)))

    def answer(question: Any) -> Any:
        if isinstance(question, Probe):
            return question.answer(*system)
        return float(evaluator.summarise_on(question, *system).info.grid_error)

    return settled(evaluator.search(*system), answer)
