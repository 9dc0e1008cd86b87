"""The main job where schedules are searched or limits hold: plan, watch, write the report."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from qtn.cli.app import print_json
from qtn.cli.optimise import delivery, versions
from qtn.cli.session import warn
from qtn.cli.text import grid_line
from qtn.cli.watch import Watch
from qtn.optimisation.checkpoint import Checkpoint
from qtn.planning.space import describe
from qtn.problem.cost import hardware_cost
from qtn.problem.front import Front, front
from qtn.problem.names import initial_values
from qtn.problem.planner import Choice, Plan, objective_of, plan
from qtn.problem.problem import Problem
from qtn.problem.quantities import quantities_of, words_and_units
from qtn.problem.run import gradient, outcome, report_numbers
from qtn.problem.sampled_check import SampledCheck, sampled_check
from qtn.report.content import Content, Leader, Limit, Planning
from qtn.report.drawing import draw_schedule
from qtn.report.front import write_front
from qtn.report.page import write
from qtn.schedules.text import to_text
from qtn.steps.distill import PROTOCOLS


def plan_and_report(problem: Problem, folder: Path, checkpoint: Checkpoint | None, *, as_json: bool) -> bool:
    """Plan, print, write the report; return whether the user interrupted it."""
    began = time.perf_counter()
    with Watch(merit_of(problem)) as watch:
        found = plan(problem, report=watch, checkpoint=checkpoint)
    content = plan_content(problem, found)
    path = write(content, folder)
    seconds = time.perf_counter() - began
    if as_json:
        print_json(plan_numbers(content, found, watch.total, seconds))
    else:
        print(plan_text(content, found, watch.total, seconds))
    print(f"report: {path}", file=sys.stderr)
    return found.interrupted


def front_and_report(
    problem: Problem, names: tuple[str, str], folder: Path, checkpoint: Checkpoint | None, *, as_json: bool
) -> bool:
    """Compute a front, print it, write table and plot; return whether the user interrupted it."""
    with Watch("value") as watch:  # the points maximise different merits
        found = front(problem, *names, report=watch, checkpoint=checkpoint)
    rows = [front_row(problem, found, choice) for choice in found.choices]
    known = quantities_of(problem.document)
    paths = write_front(problem.name, {name: known[name].label for name in names}, rows, folder)
    if as_json:
        print_json({"front": rows})
    else:
        print(f"{found.first:>22s} {found.second:>18s}  grid error  schedule")
        for row in rows:
            values = f"{row[found.first]:22.8g} {row[found.second]:18.8g}"
            print(f"{values}  {row['grid_error']:10.1e}  {row['tree']}")
    for path in paths:
        print(f"front: {path}", file=sys.stderr)
    return found.interrupted


def front_row(problem: Problem, found: Front, choice: Choice) -> dict[str, Any]:
    """Return one point of a front as plain numbers."""
    merits = {name: choice.merits[name] for name in (found.first, found.second)}
    return {
        **merits,
        "grid_error": choice.grid_error,
        "tree": tree_of(problem, choice),
        "parameters": settings_of(problem, choice),
    }


def merit_of(problem: Problem) -> str:
    """Return the name of what is maximised or minimised."""
    table = problem.config.optimise
    assert table is not None
    return table.minimise or table.maximise


def tree_of(problem: Problem, choice: Choice) -> str:
    """Return the text of the schedule of a choice."""
    return to_text(choice.schedule, protocol=PROTOCOLS[problem.config.schedule.distill])


def settings_of(problem: Problem, choice: Choice) -> dict[str, float]:
    """Return the numbers of a choice that the file has; the cut-offs of a searched tree stand in its text."""
    searched = problem.config.optimise is not None and problem.config.optimise.search is not None
    return {name: value for name, value in choice.values.items() if not (searched and name.startswith("schedule."))}


def value_of(problem: Problem, choice: Choice) -> float:
    """Return what was maximised or minimised."""
    if merit_of(problem) == "hardware_cost":
        settings = settings_of(problem, choice)
        return float(hardware_cost(initial_values(problem, settings), settings))
    return choice.merits[merit_of(problem)]


def plan_content(problem: Problem, found: Plan) -> Content:
    """Collect what the report shows."""
    table, best = problem.config.optimise, found.best
    assert table is not None
    name, settings = merit_of(problem), settings_of(problem, best)
    winner = problem.with_schedule(best.schedule)
    file_values = initial_values(problem, settings)
    first = problem if problem.given_schedule is not None else winner
    before, after = outcome(first), outcome(winner, settings)
    warn(after.info.warnings())
    sensitive = table.maximise if table.minimise is None else next(iter(objective_of(problem).minimum))
    with ThreadPoolExecutor(1) as other_core:  # sampling compiles for seconds
        check = other_core.submit(sampled_check, winner, settings, after)
        slopes = gradient(winner, sensitive, settings)
        numbers = [report_numbers(first, before), report_numbers(winner, after, settings)]
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
        settings={key: (file_values[key], value) for key, value in settings.items()},
        initial_delivery=delivery(before),
        best_delivery=delivery(after),
        history=found.history,
        elasticity=slopes["elasticity"],
        gradient=slopes["gradient"],
        status=found.status,
        config=json.dumps(problem.document, indent=2),
        versions=versions(),
        words=words_and_units(problem.document),
        planning=planning_content(problem, found, check.result()),
        sensitivity_of=sensitive,
    )


def sampled_sentence(check: SampledCheck) -> str:
    """Say how sampling agrees with the exact answer."""
    if check.refused:
        return f"Not checked by sampling: {check.refused}"
    times, fidelities = ("{:.6g} +- {:.2g}".format(*pair) for pair in (check.mean_time, check.fidelity))
    return (
        f"Checked by {check.num_samples:,} sampled deliveries: mean waiting time {times} s, fidelity {fidelities}; "
        f"within {check.deviation:.1f} standard errors of the exact values."
    )


def planning_content(problem: Problem, found: Plan, check: SampledCheck) -> Planning:
    """Collect what the report shows of the search and the limits."""
    best, search = found.best, found.found
    values = [value_of(problem, choice) for choice in found.choices]
    worse = 1 if merit_of(problem) == "hardware_cost" else -1
    leaders = [
        Leader(
            tree=tree_of(problem, choice),
            value=value,
            distance=abs(max(worse * (value / values[0] - 1), 0.0)) if values[0] > 0 else 0.0,
            mean_time=1 / choice.merits["rate_hz"],
            fidelity=choice.merits["fidelity"],
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
        drawing=draw_schedule(best.schedule),
        leaders=tuple(leaders),
        space=describe(search.num_trees, search.counted_exactly) if search else "",
        method=search.method if search else "",
        guarantee=search.guarantee + (" This holds at the settings found." if settings_of(problem, best) else "")
        if search
        else "",
        agreement=search.grid_error if search else None,
        sampled=sampled_sentence(check),
        limits=tuple(limits),
        kkt_residual=tuned.kkt_residual if tuned else None,
        num_searches=found.num_searches,
    )


def plan_numbers(content: Content, found: Plan, evaluations: int, seconds: float) -> dict[str, Any]:
    """Return what --json prints."""
    planning = content.planning
    assert planning is not None
    settings = {name: new for name, (_, new) in content.settings.items()}
    return {
        "best": {"value": planning.leaders[0].value, "tree": content.tree, "parameters": settings},
        "feasible": planning.leaders[0].feasible,
        "leaders": [vars(leader) for leader in planning.leaders],
        "limits": {limit.name: vars(limit) for limit in planning.limits},
        "kkt_residual": planning.kkt_residual,
        "num_trees": found.found.num_trees if found.found else None,
        "method": planning.method,
        "guarantee": planning.guarantee,
        "sampled": planning.sampled,
        "info": content.best["info"],
        "evaluations": evaluations,
        "seconds": seconds,
        "status": content.status,
    }


def plan_text(content: Content, found: Plan, evaluations: int, seconds: float) -> str:
    """Return the answer as text."""
    planning = content.planning
    assert planning is not None
    lines = [f"{content.merit} = {planning.leaders[0].value:.10g}", f"schedule: {content.tree}"]
    plob = content.best["plob_rate_hz"]
    if plob is not None and content.merit == "secret_key_rate_hz":
        lines.append(f"direct transmission (PLOB bound): {plob:.8g}")
    if planning.space:
        lines += [f"space: {planning.space}, {planning.method} search", f"guarantee: {planning.guarantee}"]
    lines += [grid_line(content.best["info"]), planning.sampled]
    if planning.limits:
        lines += ["", "limits"]
        for limit in planning.limits:
            price = "" if limit.multiplier is None else f", multiplier {limit.multiplier:.6g}"
            lines.append(f"  {limit.name:20s} {limit.value:.8g}  (at least {limit.least:g}{price})")
        if planning.kkt_residual is not None:
            lines.append(f"  KKT residual {planning.kkt_residual:.1e}")
    if content.settings:
        width = max(map(len, content.settings))
        lines += ["", "best settings"]
        lines += [f"  {name:{width}s}  {new:.8g}  (file: {old:.8g})" for name, (old, new) in content.settings.items()]
    if len(planning.leaders) > 1:
        lines += ["", "best schedules           value    distance"]
        for each in planning.leaders:
            distance = f"{each.distance:.3%}" if each.feasible else "infeasible"
            lines.append(f"  {each.value:20.10g}  {distance:>10s}  {each.tree}")
    lines += ["", f"what to improve first (elasticity of {content.sensitivity_of})"]
    lines += [f"  {name:40s} {value:+.4f}" for name, value in list(content.elasticity.items())[:8]]
    counts = f"{evaluations:,} candidates, {evaluations / max(seconds, 1e-9):,.0f} a second, {seconds:.1f} s"
    lines += ["", f"{content.status} {counts}."]
    return "\n".join(lines)
