"""What the report of an optimisation shows, collected from what was found."""

import importlib.metadata
import json
import math
import platform
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from qtn.cli.session import warn
from qtn.evaluators.outcome import Result
from qtn.planning.space import describe
from qtn.problem.choice import Choice, Optimum, chosen, value_of
from qtn.problem.cost import Factors, hardware_cost
from qtn.problem.evaluation import evaluated
from qtn.problem.names import initial_values
from qtn.problem.objective import objective_of
from qtn.problem.problem import Problem
from qtn.problem.quantities import words_and_units
from qtn.problem.run import gradient, report_numbers
from qtn.problem.sampled_check import sampled_check
from qtn.problem.whole import whole_numbers
from qtn.report.content import Content, Delivery, Leader, Limit, Planning
from qtn.report.drawing import draw_schedule
from qtn.schedules.text import to_text
from qtn.steps.distill import PROTOCOLS


def tree_of(problem: Problem, choice: Choice) -> str:
    """Return the text of the schedule of a choice; empty where nothing is scheduled."""
    return (
        "" if choice.schedule is None else to_text(choice.schedule, protocol=PROTOCOLS[problem.config.schedule.distill])
    )


def content_of(problem: Problem, found: Optimum) -> Content:
    """Collect what the report shows."""
    table, best = problem.config.optimise, found.best
    assert table is not None
    name, settings = table.minimise or table.maximise, dict(found.parameters)
    winner = chosen(problem, best)
    file_values = initial_values(problem, settings)
    first = problem if problem.given_schedule is not None or best.schedule is None else winner
    names = [each.name for each in objective_of(problem).named]
    before, after = evaluated(first, names=names), evaluated(winner, settings, names)
    warn(after.result.info.warnings())
    sensitive = table.maximise if table.minimise is None else next(iter(objective_of(problem).minimum))
    with ThreadPoolExecutor(1) as other_core:  # sampling compiles for seconds
        check = other_core.submit(sampled_sentence, winner, settings, after.result)
        slopes = gradient(winner, sensitive, settings)
        numbers = [report_numbers(before), report_numbers(after)]
    warn(numbers[1].get("application", {}).get("warnings", []))
    if table.minimise:
        numbers[0][name], numbers[1][name] = (
            float(hardware_cost(file_values, each)) for each in (file_values, settings)
        )
    return Content(
        name=problem.name,
        merit=name,
        tree=tree_of(problem, best),
        initial=numbers[0],
        best=numbers[1],
        settings={key: (file_values[key], value) for key, value in settings.items()} | chosen_numbers(problem, best),
        factors=Factors.of_hardware(file_values if table.minimise else {}).improved(settings),
        initial_delivery=delivery(before.result),
        best_delivery=delivery(after.result),
        history=found.history,
        gain=slopes["gain"],
        elasticity=slopes["elasticity"],
        gradient=slopes["gradient"],
        edges=slopes["edges"],
        status=found.status,
        config=json.dumps(problem.document, indent=2),
        versions=versions(),
        words=words_and_units(problem.document),
        planning=planning_content(problem, found, check.result()),
        sensitivity_of=sensitive,
    )


def chosen_numbers(problem: Problem, best: Choice) -> dict[str, tuple[float, float]]:
    """Return the whole numbers that were chosen by name: (in the file or nan, best)."""
    table = problem.config.optimise
    before = {} if table is None or not best.whole else whole_numbers(problem, table.choices)
    return {name: (float(before.get(name, math.nan)), float(value)) for name, value in best.whole.items()}


def sampled_sentence(problem: Problem, values: Mapping[str, float], found: Result) -> str:
    """Say how sampling agrees with the exact answer; nothing where nothing is scheduled."""
    if not problem.root.scheduled:
        return ""
    check = sampled_check(problem, values, found)
    if check.refused:
        return f"Not checked by sampling: {check.refused}"
    times, fidelities = ("{:.6g} +- {:.2g}".format(*pair) for pair in (check.mean_time, check.fidelity))
    return (
        f"Checked by {check.num_samples:,} sampled deliveries: mean waiting time {times} s, fidelity {fidelities}; "
        f"within {check.deviation:.1f} standard errors of the exact values."
    )


def planning_content(problem: Problem, found: Optimum, sampled: str) -> Planning:
    """Collect what the report shows of the search and the limits."""
    best, search = found.best, found.found
    table, values = problem.config.optimise, [value_of(problem, choice) for choice in found.choices]
    worse = 1 if table is not None and table.minimise else -1
    leaders = [
        Leader(
            tree=tree_of(problem, choice),
            value=value,
            distance=abs(max(worse * (value / values[0] - 1), 0.0)) if values[0] > 0 else 0.0,
            mean_time=1 / choice.merits["rate_hz"],
            fidelity=choice.merits.get("fidelity", math.nan),
            feasible=choice.violation == 0,
        )
        for choice, value in zip(found.choices, values, strict=True)
    ]
    tuned = best.tuned
    limits = [
        Limit(name, least, best.merits[name], tuned.multipliers[name] if tuned else None)
        for name, least in objective_of(problem).minimum.items()
    ]
    return Planning(
        drawing="" if best.schedule is None else draw_schedule(best.schedule),
        leaders=tuple(leaders),
        space=describe(search.num_trees, search.counted_exactly) if search else "",
        method=search.method if search else "",
        guarantee=search.guarantee + (" This holds at the settings found." if found.parameters else "")
        if search
        else "",
        agreement=search.grid_error if search else None,
        sampled=sampled,
        limits=tuple(limits),
        kkt_residual=tuned.kkt_residual if tuned else None,
        num_searches=found.num_searches,
    )


def delivery(result: Result) -> Delivery | None:
    """Return the time-resolved part of an outcome as NumPy arrays; None if there is none."""
    found = result.in_time
    if found is None:
        return None
    probability = np.asarray(found.probability)
    fidelity = np.full_like(probability, np.nan)
    if found.states is not None:
        np.divide(np.asarray(found.bell_weights)[:, 0], probability, out=fidelity, where=probability > 0)
    return Delivery(times=np.asarray(found.times), probability=probability, fidelity=fidelity)


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    packages = ("jax", "jaxlib", "numpy", "optax")
    found = {name: importlib.metadata.version(name) for name in packages}
    import qtn

    return {"qtn": qtn.__version__, **found, "Python": platform.python_version()}
