"""The one table of evaluators: from the names in a problem file to objects."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from qtn import _checks
from qtn.evaluators.asap.evaluator import Asap
from qtn.evaluators.evaluate import Evaluator
from qtn.evaluators.full_state.evaluator import FullState
from qtn.evaluators.outcome import Result
from qtn.evaluators.renewal import Renewal
from qtn.evaluators.sampled.evaluator import Sampled
from qtn.problem.schema import Config
from qtn.schedules.policy import Ends, Restart, SwapAsap, swap_asap
from qtn.steps.correction import Correction
from qtn.steps.level import LEVELS, PauliLevel

CORRECTIONS = {each.value: each for each in Correction}
"""When corrections are applied, by name."""


def level_of(config: Config) -> PauliLevel | None:
    """Return the state level of the file; None = chosen."""
    return None if config.evaluate.level is None else LEVELS[config.evaluate.level]


def renewal(config: Config) -> Renewal:
    """Build the evaluator of trees."""
    return Renewal(
        step=config.time.step_s,
        num_steps=config.time.num_steps,
        level=level_of(config),
        correction=CORRECTIONS[config.evaluate.correction],
    )


def asap(config: Config) -> Asap:
    """Build the evaluator of swap-asap."""
    return Asap(step=config.time.step_s, num_steps=config.time.num_steps, level=level_of(config))


def sampled(config: Config) -> Sampled:
    """Build the sampling evaluator."""
    table = config.evaluate
    return Sampled(
        num_samples=table.num_samples or 10_000,
        seed=table.seed,
        correction=CORRECTIONS[table.correction],
        level=level_of(config),
    )


def full_state(config: Config) -> FullState:
    """Build the evaluator that runs the whole register along sampled timelines."""
    table = config.evaluate
    return FullState(num_samples=table.num_samples or 200, seed=table.seed, correction=CORRECTIONS[table.correction])


EVALUATORS: dict[str, Callable[[Config], Evaluator[Result]]] = {
    "renewal": renewal,
    "asap": asap,
    "sampled": sampled,
    "full_state": full_state,
}
"""Builders by the name in `evaluate.evaluator`."""


def evaluator_name(config: Config) -> str:
    """Return the evaluator of a file: the one it names, else the exact one."""
    if config.evaluate.evaluator is not None:
        return config.evaluate.evaluator
    return "renewal" if config.schedule.policy is None else "asap"


def build_policy(table: dict[str, Any]) -> SwapAsap:
    """Build the policy of a [schedule] table; numbers may be traced."""
    times = table.get("cutoff_times_s")
    return swap_asap(
        restart=Restart(table["restart"]),
        ends=Ends(table["ends"]),
        cutoff_times=jnp.stack([_checks.real(time) for time in times]) if isinstance(times, list) else times,
    )
