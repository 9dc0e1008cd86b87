"""The main job: optimise a problem, watch it, write the report; or the front between two merits."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qtn import _files
from qtn.cli.app import print_json
from qtn.cli.planning import content_of, tree_of, versions
from qtn.cli.text import BETTER, grid_line
from qtn.cli.watch import Watch
from qtn.optimisation.checkpoint import Checkpoint, open_checkpoint
from qtn.problem.best import as_toml, best_problem
from qtn.problem.choice import Choice, Optimum, settings_of
from qtn.problem.front import Front, front
from qtn.problem.planner import optimise
from qtn.problem.problem import Problem
from qtn.problem.quantities import quantities_of, words_and_units
from qtn.report.content import Content
from qtn.report.evaluation import write_evaluation
from qtn.report.front import write_front
from qtn.report.page import write
from qtn.report.schedules import shown


def optimise_and_report(problem: Problem, folder: Path, checkpoint: Checkpoint | None, *, as_json: bool) -> bool:
    """Optimise, print, write the report; return whether the user interrupted it."""
    began = time.perf_counter()
    table = problem.config.optimise
    assert table is not None
    with Watch(table.minimise or table.maximise) as watch:
        found = optimise(problem, report=watch, checkpoint=checkpoint)
    content = content_of(problem, found)
    seconds = time.perf_counter() - began
    if as_json:
        print_json(numbers(content, found, watch.total, seconds))
    else:
        print(text(content, found, watch.total, seconds))
    with written_to(folder):  # after the answer, which a full disk must not cost
        path = write(content, folder)
        words = f"The best that `qtn optimise` found: {content.merit} = {found.value:.10g}"
        best = folder / "best.toml"
        _files.write(best, as_toml(best_problem(problem, found.best), words))
    print(f"report: {path}\nbest settings as a problem file: {best}", file=sys.stderr)
    return found.interrupted


def page_of_evaluation(problem: Problem, numbers: dict[str, Any], folder: Path) -> Path:
    """Write the page of an evaluation; return its path."""
    words, config = words_and_units(problem.document), json.dumps(problem.document, indent=2)
    with written_to(folder):
        return write_evaluation(problem.name, numbers, words, folder, config=config, versions=versions())


@contextlib.contextmanager
def written_to(folder: Path) -> Iterator[None]:
    """Say which option is about what cannot be written.

    Raises:
        ValueError: for an error of the operating system.
    """
    try:
        yield
    except OSError as error:
        raise ValueError(f"--out: {folder} cannot be written: {error.strerror or error}") from error


def prepared(problem: Problem, folder: Path) -> Path:
    """Make the folder of the report before the search, so that nothing is lost after it."""
    if problem.config.optimise is None:
        raise ValueError("optimise: is missing; add [optimise] with `parameters = [...]`")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"--out: {folder} cannot be a folder: {error.strerror}; name another one") from None
    return folder


def opened_checkpoint(problem: Problem, folder: str | None, front: tuple[str, str] | None) -> Checkpoint | None:
    """Open the checkpoint of this problem, or begin one; None if none is wanted."""
    if folder is None:
        return None
    import qtn

    identity = {"problem": problem.document, "front": list(front or ()), "qtn": qtn.__version__}
    return open_checkpoint(folder, identity)


def front_and_report(
    problem: Problem, names: tuple[str, str], folder: Path, checkpoint: Checkpoint | None, *, as_json: bool
) -> bool:
    """Compute a front, print it, write table and plot; return whether the user interrupted it."""
    with Watch("value") as watch:  # the points maximise different merits
        found = front(problem, *names, report=watch, checkpoint=checkpoint)
    rows = [front_row(problem, found, choice) for choice in found.choices]
    skipped = [{"least": level, "reason": reason} for level, reason in found.skipped.items()]
    if as_json:
        print_json({"front": rows, "floors": dict(found.floors), "skipped": skipped})
    else:
        print(f"{found.first:>22s} {found.second:>18s}  grid error  schedule")
        for row in rows:
            values = f"{row[found.first]:22.8g} {row[found.second]:18.8g}"
            print(f"{values}  {row['grid_error']:10.1e}  {shown(row['tree'] or '-')}")
        for sentence in found.sentences:
            print(sentence)
    known = quantities_of(problem.document)
    with written_to(folder):
        paths = write_front(
            problem.name,
            {name: known[name].label for name in names},
            rows,
            folder,
            sentences=found.sentences,
            gaps=list(found.skipped),
            config=json.dumps(problem.document, indent=2),
        )
    for path in paths:
        print(f"front: {path}", file=sys.stderr)
    return found.interrupted


def front_row(problem: Problem, found: Front, choice: Choice) -> dict[str, Any]:
    """Return one point of a front as plain numbers."""
    merits = {name: choice.merits[name] for name in (found.first, found.second)}
    return {
        **merits,
        "grid_error": choice.grid_error,
        "tree": tree_of(problem, choice) or None,
        "parameters": settings_of(problem, choice) | dict(choice.whole),
    }


def numbers(content: Content, found: Optimum, evaluations: int, seconds: float) -> dict[str, Any]:
    """Return what --json prints."""
    planning = content.planning
    assert planning is not None
    return {
        "best": {
            "value": found.value,
            "tree": content.tree or None,
            "parameters": dict(found.parameters) | dict(found.best.whole),
            **({"codes": dict(found.best.codes)} if found.best.codes else {}),
        },
        "feasible": planning.leaders[0].feasible,
        "leaders": [vars(leader) for leader in planning.leaders],
        "limits": {limit.name: vars(limit) for limit in planning.limits},
        "kkt_residual": planning.kkt_residual,
        "num_trees": found.found.num_trees if found.found else None,
        "method": planning.method,
        "guarantee": planning.guarantee,
        "sampled": planning.sampled,
        "info": content.best["info"],
        "warnings": content.best.get("application", {}).get("warnings", []),
        "evaluations": evaluations,
        "seconds": seconds,
        "status": content.status,
    }


def text(content: Content, found: Optimum, evaluations: int, seconds: float) -> str:
    """Return the answer as text."""
    planning = content.planning
    assert planning is not None
    initial = content.initial[content.merit]
    before = f"(settings of the file: {'unknown' if initial is None else f'{initial:.8g}'})"
    lines = [f"{content.merit} = {found.value:.10g} {before}"]
    lines += [f"schedule: {shown(content.tree)}"] if content.tree else []
    plob = content.best.get("plob_rate_hz")
    if plob is not None and content.merit == "secret_key_rate_hz":
        lines.append(f"direct transmission (PLOB bound): {plob:.8g}")
    if planning.space:
        lines += [f"space: {planning.space}, {planning.method} search", f"guarantee: {planning.guarantee}"]
    info = content.best["info"]
    lines += [*([grid_line(info)] if "num_steps" in info else []), *([planning.sampled] if planning.sampled else [])]
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
        for name, (old, new) in content.settings.items():
            before = "not in the file" if old != old else f"file: {old:.8g}"
            before += f", {content.factors[name]:.4g} times better" if name in content.factors else ""
            lines.append(f"  {name:{width}s}  {new:.8g}  ({before})")
    lines += [f"  {name}: {table['model']}, in place of that of the file" for name, table in found.best.codes.items()]
    if len(planning.leaders) > 1:
        lines += ["", "best schedules           value    distance"]
        for each in planning.leaders:
            distance = f"{each.distance:.3%}" if each.feasible else "infeasible"
            lines.append(f"  {each.value:20.10g}  {distance:>10s}  {shown(each.tree)}")
    if content.gain:
        lines += ["", f"what to improve first: change of {content.sensitivity_of} for {BETTER}"]
        lines += [f"  {name:40s} {value:+.4g}" for name, value in list(content.gain.items())[:8]]
    else:
        lines += ["", f"what it depends on most (elasticity of {content.sensitivity_of})"]
        lines += [f"  {name:40s} {value:+.4f}" for name, value in list(content.elasticity.items())[:8]]
    counts = f"{found.num_gradients:,} evaluations with gradient, {evaluations:,} candidates in all, {seconds:.1f} s"
    lines += ["", f"{content.status} {counts}."]
    return "\n".join(lines)
