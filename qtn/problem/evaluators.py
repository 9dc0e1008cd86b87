"""From the names in a problem file to evaluators and policies."""

from typing import Any

from qtn import _checks
from qtn._pytree import stack
from qtn.evaluators.evaluate import Evaluator
from qtn.evaluators.outcome import Result
from qtn.evaluators.renewal import Renewal
from qtn.problem.application.application import Needs
from qtn.problem.choices import EvaluatorName
from qtn.problem.schema import Config
from qtn.schedules.policy import SwapAsap, swap_asap
from qtn.steps.level import LEVELS, PAULI, PauliLevel


def level_of(config: Config) -> PauliLevel | None:
    """Return the state level of the file, or that of its application; None = chosen."""
    if config.evaluate.level is not None:
        return LEVELS[config.evaluate.level]
    use = config.application
    return PAULI if use is not None and use.needs is Needs.STATE else None


def evaluator_name(config: Config) -> EvaluatorName:
    """Return the evaluator of a file: the one it names, else the exact one."""
    if config.evaluate.evaluator is not None:
        return config.evaluate.evaluator
    return EvaluatorName.RENEWAL if config.schedule.policy is None else EvaluatorName.ASAP


def evaluator_of(config: Config, *, whole: bool = False) -> Evaluator[Result]:
    """Build the evaluator of a file; `whole`: of the whole state, and not only of its Bell weights."""
    name, table = evaluator_name(config), config.evaluate
    grid: dict[str, Any] = {"step": config.time.step_s, "num_steps": config.time.num_steps, "level": level_of(config)}
    if name is EvaluatorName.ASAP:
        from qtn.evaluators.asap.evaluator import Asap  # (each takes a while, and one is used)

        return Asap(**grid)
    if name is EvaluatorName.RENEWAL:
        return Renewal(**grid, correction=table.correction, whole_state=whole)
    options: dict[str, Any] = {} if table.num_samples is None else {"num_samples": table.num_samples}
    options |= {"seed": table.seed, "correction": table.correction}
    if name is EvaluatorName.SAMPLED:
        from qtn.evaluators.sampled.evaluator import Sampled

        return Sampled(**options, level=level_of(config), whole_state=whole)
    from qtn.evaluators.full_state.evaluator import FullState

    return FullState(**options)


def build_policy(table: dict[str, Any]) -> SwapAsap:
    """Build the policy of a [schedule] table; numbers may be traced."""
    times = table.get("cutoff_times_s")
    return swap_asap(
        restart=table["restart"],
        ends=table["ends"],
        cutoff_times=stack([_checks.real(time) for time in times]) if isinstance(times, list) else times,
    )
