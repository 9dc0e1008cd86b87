"""The best candidates of a search, evaluated again at full resolution."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from qtn.evaluators.renewal import Renewal
from qtn.links.chain import Chain
from qtn.planning.candidates import Candidate, schedule_of
from qtn.planning.objective import Objective
from qtn.schedules.tree import Schedule

MOST_LEADERS = 64
"""Most schedules that are evaluated at full resolution because the grid of the search cannot rank them."""

TRIAL_STEPS = 4096
"""Length of the grids on which leaders are evaluated whose cut-offs are first trials; tuning evaluates its winners
fully."""


@dataclasses.dataclass(frozen=True)
class Leader:
    """One of the best schedules."""

    schedule: Schedule
    mean_time: float
    """Mean waiting time [s]."""
    bell_diagonal: np.ndarray
    """(4,), mean delivered state."""
    merits: Mapping[str, float]
    """All quantities, unclipped."""
    score: float
    """What the search ranks by: the merit if it is feasible and positive; see `Objective.scores`."""
    violation: float
    """Sum of the relative amounts by which limits are missed; 0 = feasible."""
    grid_error: float
    """Bound on the error of the evaluation."""
    searched_score: float
    """The score on the grid of the search."""


def evaluate_leader(
    chain: Chain, objective: Objective, schedule: Schedule, evaluator: Renewal, searched_score: float = np.nan
) -> Leader:
    """Evaluate one schedule."""
    summary: Any = objective.evaluated(evaluator, chain, schedule)
    merits = objective.merits_of(summary, objective.on(chain))
    return Leader(
        schedule=schedule,
        mean_time=float(summary.mean_time),
        bell_diagonal=np.asarray(summary.bell_diagonal),
        merits={name: float(values[0]) for name, values in merits.items()},
        score=float(objective.scores(merits)[0]),
        violation=float(objective.violation(merits)[0]),
        grid_error=float(summary.info.grid_error),
        searched_score=searched_score,
    )


def evaluate_leaders(
    chain: Chain,
    objective: Objective,
    candidates: list[Candidate],
    scores: Callable[[list[Candidate]], np.ndarray],
    number: int,
    evaluator: Renewal,
    *,
    trial: bool = False,
) -> tuple[tuple[Leader, ...], float]:
    """Evaluate the best candidates, and more of them while the coarse grid may have misplaced the winner.

    With `trial` no more than `number` are evaluated, and on `TRIAL_STEPS` only where `evaluator` leaves the grid to be
    chosen: their cut-offs are tuned next.

    Returns:
        (leaders, error): the best `number`, best first, and the largest relative difference between both grids.
    """
    if not candidates:
        return (), 0.0
    ranked = scores(candidates)
    if trial and evaluator.step is None and evaluator.num_steps is None:
        evaluator = dataclasses.replace(evaluator, num_steps=TRIAL_STEPS)
    order = np.argsort(-ranked, kind="stable")
    found: list[Leader] = []
    error = 0.0
    for index in order[: number if trial else MOST_LEADERS]:
        if len(found) >= number:
            best = max(leader.score for leader in found)
            if ranked[index] + 2 * error * abs(ranked[index]) < best:
                break
        leader = evaluate_leader(chain, objective, schedule_of(candidates[index]), evaluator, float(ranked[index]))
        found.append(leader)
        error = max(error, abs(leader.score / leader.searched_score - 1) if leader.searched_score else 0.0)
    found.sort(key=lambda leader: -leader.score)
    return tuple(found[:number]), error
