"""The one table of evaluators: from the names in a problem file to objects."""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax.numpy as jnp

from qtn import _checks
from qtn.evaluators.asap.evaluator import Asap
from qtn.evaluators.full_state.average import FullStateAverage
from qtn.evaluators.renewal import Renewal
from qtn.evaluators.sampled.evaluator import Sampled
from qtn.problem.choices import EvaluatorName
from qtn.problem.schema import Config
from qtn.schedules.policy import SwapAsap, swap_asap
from qtn.steps.level import LEVELS, PauliLevel

FileEvaluator: TypeAlias = Renewal | Asap | Sampled | FullStateAverage


def level_of(config: Config) -> PauliLevel | None:
    """Return the state level of the file; None = chosen."""
    return None if config.evaluate.level is None else LEVELS[config.evaluate.level]


def renewal(config: Config) -> Renewal:
    """Build the evaluator of trees."""
    return Renewal(
        step=config.time.step_s,
        num_steps=config.time.num_steps,
        level=level_of(config),
        correction=config.evaluate.correction,
    )


def asap(config: Config) -> Asap:
    """Build the evaluator of swap-asap."""
    return Asap(step=config.time.step_s, num_steps=config.time.num_steps, level=level_of(config))


def sampled(config: Config) -> Sampled:
    """Build the sampling evaluator."""
    table = config.evaluate
    return Sampled(num_samples=table.num_samples or 10_000, seed=table.seed, correction=table.correction)


def full_state(config: Config) -> FullStateAverage:
    """Build the evaluator that runs the whole register along sampled timelines."""
    table = config.evaluate
    return FullStateAverage(num_samples=table.num_samples or 200, seed=table.seed, correction=table.correction)


EVALUATORS: dict[EvaluatorName, Callable[[Config], FileEvaluator]] = {
    EvaluatorName.RENEWAL: renewal,
    EvaluatorName.ASAP: asap,
    EvaluatorName.SAMPLED: sampled,
    EvaluatorName.FULL_STATE: full_state,
}
"""Builders by the name in `evaluate.evaluator`."""


def evaluator_name(config: Config) -> EvaluatorName:
    """Return the evaluator of a file: the one it names, else the exact one."""
    if config.evaluate.evaluator is not None:
        return config.evaluate.evaluator
    return EvaluatorName.RENEWAL if config.schedule.policy is None else EvaluatorName.ASAP


def build_policy(table: dict[str, Any]) -> SwapAsap:
    """Build the policy of a [schedule] table; numbers may be traced."""
    times = table.get("cutoff_times_s")
    return swap_asap(
        restart=table["restart"],
        ends=table["ends"],
        cutoff_times=jnp.stack([_checks.real(time) for time in times]) if isinstance(times, list) else times,
    )
