"""The main job: optimise a problem, watch it, write the report."""

import importlib.metadata
import json
import platform
import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from qtn.cli.app import print_json
from qtn.cli.session import warn
from qtn.cli.text import grid_line
from qtn.evaluators.outcome import Result
from qtn.optimisation.checkpoint import Checkpoint, open_checkpoint
from qtn.optimisation.maximise import Fit, Progress, Settings
from qtn.problem.names import numeric_leaves, schedule_with
from qtn.problem.optimise import optimise
from qtn.problem.problem import Problem
from qtn.problem.run import gradient, outcome, report_numbers
from qtn.report.content import Content, Delivery
from qtn.report.page import write
from qtn.schedules.text import to_text
from qtn.steps.distill import PROTOCOLS


def optimise_and_report(problem: Problem, folder: Path, checkpoint: Checkpoint | None, *, as_json: bool) -> bool:
    """Optimise, print, write the report; return whether the user interrupted the search."""
    began = time.perf_counter()
    settings = Settings()
    fit = watched(problem, settings, checkpoint)
    tree = best_tree(problem, fit.params)
    initial, best = outcome(problem), outcome(problem, fit.params)
    warn(best.info.warnings())
    content = report_content(problem, fit, tree, initial, best)
    path = write(content, folder)
    seconds = time.perf_counter() - began
    found = {"value": fit.value, "tree": tree, "parameters": fit.params}
    if as_json:
        print_json({"best": found, "evaluations": fit.evaluations, "seconds": seconds, "status": fit.status})
    else:
        print(summary_text(content, fit, seconds))
    print(f"report: {path}", file=sys.stderr)
    return fit.interrupted


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


def watched(problem: Problem, settings: Settings, checkpoint: Checkpoint | None = None) -> Fit:
    """Run the search with a live progress bar, or one log line a chunk where there is no terminal."""
    assert problem.config.optimise is not None
    name = problem.config.optimise.maximise
    terminal = sys.stderr.isatty()
    with tqdm(total=settings.max_chunks * settings.chunk, unit="it", file=sys.stderr, disable=not terminal) as bar:

        def show(progress: Progress) -> None:
            best = float(np.max(progress.values))
            if terminal:
                bar.update(progress.iteration - bar.n)
                bar.set_postfix_str(f"best {name} {best:.6g}")
            else:
                print(f"iteration {progress.iteration}: best {name} {best:.6g}", file=sys.stderr, flush=True)

        return optimise(problem, settings=settings, report=show, checkpoint=checkpoint)


def best_tree(problem: Problem, params: dict[str, float]) -> str:
    """Return the text of the schedule with the best cut-off and waiting times."""
    schedule = schedule_with(problem, params)
    return to_text(schedule, protocol=PROTOCOLS[problem.config.schedule.distill])


def report_content(problem: Problem, fit: Fit, tree: str, initial: Result, best: Result) -> Content:
    """Collect what the report shows."""
    assert problem.config.optimise is not None
    name = problem.config.optimise.maximise
    slopes = gradient(problem, name, fit.params)
    before = numeric_leaves(problem)
    return Content(
        name=problem.name,
        merit=name,
        tree=tree,
        initial=report_numbers(problem, initial),
        best=report_numbers(problem, best, fit.params),
        settings={key: (before[key], value) for key, value in fit.params.items()},
        initial_delivery=delivery(initial),
        best_delivery=delivery(best),
        history=fit.history,
        elasticity=slopes["elasticity"],
        gradient=slopes["gradient"],
        status=fit.status,
        config=json.dumps(problem.document, indent=2),
        versions=versions(),
    )


def delivery(result: Result) -> Delivery:
    """Return the time-resolved part of an outcome as NumPy arrays."""
    found = result.in_time
    assert found is not None, "only evaluators that resolve time are optimised"
    probability = np.asarray(found.probability)
    with np.errstate(invalid="ignore", divide="ignore"):
        fidelity = np.where(probability > 0, np.asarray(found.bell_weights)[:, 0] / probability, np.nan)
    return Delivery(times=np.asarray(found.times), probability=probability, fidelity=fidelity)


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    packages = ("jax", "jaxlib", "numpy", "optax")
    found = {name: importlib.metadata.version(name) for name in packages}
    import qtn

    return {"qtn": qtn.__version__, **found, "Python": platform.python_version()}


def summary_text(content: Content, fit: Fit, seconds: float) -> str:
    """Return the answer as text."""
    width = max(map(len, content.settings))
    plob = content.best["plob_rate_hz"]
    lines = [f"{content.merit} = {fit.value:.8g} (settings of the file: {content.initial[content.merit]:.8g})"]
    if plob is not None and content.merit == "secret_key_rate_hz":
        lines.append(f"direct transmission (PLOB bound): {plob:.8g}")
    lines += [grid_line(content.best["info"]), "", "best settings"]
    lines += [f"  {name:{width}s}  {new:.8g}  (file: {old:.8g})" for name, (old, new) in content.settings.items()]
    lines += ["", "what to improve first (elasticity)"]
    lines += [f"  {name:40s} {value:+.4f}" for name, value in list(content.elasticity.items())[:8]]
    lines += ["", f"{fit.status} {fit.evaluations} evaluations with gradient, {seconds:.1f} s."]
    return "\n".join(lines)
