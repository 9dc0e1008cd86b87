"""The commands of `qtn`, each a few lines over the library."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from qtn import _files, _text
from qtn.cli.app import Device, DryRun, File, InterruptedRun, Json, Set, app, print_json
from qtn.cli.session import choose_device, start, warn


class OfQuantity(typer.core.TyperCommand):
    """A command with `--of`; its help reads the registry of quantities, and with it JAX, only when it is shown."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        from qtn.merit.quantities import QUANTITIES

        *names, last = QUANTITIES
        for option in self.params:
            if isinstance(option, typer.core.TyperOption) and option.name == "of":
                option.help = f"What to differentiate: {', '.join(names)} or {last}."
        super().format_help(ctx, formatter)


@app.command()
def evaluate(
    file: File,
    out: Annotated[str | None, typer.Option(help="Folder for a page, report.html.")] = None,
    set_: Set = None,
    json_: Json = False,
    dry_run: DryRun = False,
    device: Device = "auto",
) -> None:
    """Evaluate a problem: waiting time, delivered state, key rate; who gets what of a network, passes of satellites.

    Example: qtn evaluate problem.toml --set chain.link.p_success=0.002 --json
    """
    from qtn.cli.text import evaluation_text

    problem = opened(file, set_, dry_run, device)
    from qtn.problem.evaluation import evaluated
    from qtn.problem.quantities import quantities_of
    from qtn.problem.run import report_numbers

    found = evaluated(problem)
    numbers = report_numbers(found)
    warn([*found.result.info.warnings(), *numbers.get("application", {}).get("warnings", [])])
    print_json(numbers) if json_ else print(evaluation_text(numbers, quantities_of(problem.document)))
    if out is not None:
        from qtn.cli.optimise import page_of_evaluation

        print(f"report: {page_of_evaluation(problem, numbers, Path(out))}", file=sys.stderr)


@app.command(cls=OfQuantity)
def gradient(
    file: File,
    of: Annotated[str, typer.Option(help="What to differentiate.")] = "secret_key_rate_hz",
    set_: Set = None,
    json_: Json = False,
    dry_run: DryRun = False,
    device: Device = "auto",
) -> None:
    """Differentiate a merit with respect to every number: what to improve first.

    Example: qtn gradient problem.toml --of fidelity
    """
    from qtn.cli.text import gradient_text

    problem = opened(file, set_, dry_run, device)
    from qtn.problem.quantities import quantities_of
    from qtn.problem.run import differentiate

    known = quantities_of(problem.document)
    if of not in known:
        raise ValueError(f"--of: must be one of {', '.join(known)}, but is {_text.echoed(of)}{_text.meant(of, known)}")
    found, info = differentiate(problem, of)
    warn([*info.warnings(), *found.get("warnings", [])])
    print_json(found) if json_ else print(gradient_text(known[of], found, info.numbers()))


@app.command()
def optimise(
    file: File,
    set_: Set = None,
    out: Annotated[str | None, typer.Option(help="Folder of the report; by default <problem name>-report.")] = None,
    front: Annotated[str | None, typer.Option(help="Two merits, such as rate,fidelity: their front instead.")] = None,
    checkpoint: Annotated[
        str | None, typer.Option(help="Folder that keeps what is found: started again after a kill, the run goes on.")
    ] = None,
    json_: Json = False,
    dry_run: DryRun = False,
    device: Device = "auto",
) -> None:
    """Find the best schedule and settings of a problem and write a report.

    Example: qtn optimise problem.toml --out results --checkpoint run.checkpoint
    """
    problem = opened(file, set_, dry_run, device)
    from qtn.cli.optimise import front_and_report, opened_checkpoint, optimise_and_report, prepared
    from qtn.problem.front import read_names
    from qtn.problem.quantities import quantities_of

    names = None if front is None else read_names(front, quantities_of(problem.document))
    folder = prepared(problem, Path(out or f"{problem.name}-report"))
    kept = opened_checkpoint(problem, checkpoint, names)
    again = "the same command goes on" if kept else "with --checkpoint FOLDER the same command could go on"
    try:
        if names is not None:
            interrupted = front_and_report(problem, names, folder, kept, as_json=json_)
        else:
            interrupted = optimise_and_report(problem, folder, kept, as_json=json_)
    except KeyboardInterrupt:
        raise InterruptedRun(
            f"{checkpoint} keeps what was found; {again}" if kept else f"nothing is kept; {again}"
        ) from None
    if interrupted:
        raise InterruptedRun(f"{folder} holds the best so far; {again}")


@app.command()
def check(file: File, set_: Set = None) -> None:
    """Check a problem file and say what it describes.

    Example: qtn check problem.toml
    """
    problem = loaded(file, set_)
    check_sweep(problem)
    from qtn.problem.names import numeric_leaves

    schedule = problem.config.schedule
    tree = f"policy {schedule.policy}" if schedule.policy else f"tree {tree_text(problem)}"
    title = problem.root.title(problem.document[problem.root_key])
    parts = [title, f"{len(numeric_leaves(problem))} numbers", *([tree] if problem.root.scheduled else [])]
    print(f"{file}: good: {', '.join(parts)}")


def tree_text(problem: Any) -> str:
    """Return the tree of a problem as a text, or that there is none yet."""
    from qtn.schedules.text import to_text

    if problem.config.schedule.tree is not None or problem.given_schedule is None:
        return problem.config.schedule.tree or "left to the search"
    return to_text(problem.given_schedule)


@app.command()
def new(file: Annotated[str, typer.Argument(metavar="FILE", help="File to write.")] = "problem.toml") -> None:
    """Write a commented problem file to start from.

    Example: qtn new problem.toml
    """
    from qtn.problem.template import TEMPLATE

    try:
        _files.write(file, TEMPLATE, replace=False)
    except FileExistsError:
        raise ValueError(f"{file}: exists already; name another file") from None
    except OSError as error:
        raise ValueError(f"{file}: cannot be written: {error.strerror}") from None
    print(f"wrote {file}; try `qtn evaluate {file}`")


@app.command()
def schema() -> None:
    """Print the JSON Schema of problem files.

    Example: qtn schema > qtn.schema.json
    """
    from qtn.problem.schema import Config

    print(json.dumps(Config.model_json_schema(by_alias=True), indent=2))


def loaded(file: str, overrides: list[str] | None):
    """Load a problem in double precision; print which of its numbers are unusual."""
    import warnings

    import jax

    jax.config.update("jax_enable_x64", True)
    from qtn.cli.session import use_cache
    from qtn.hardware.fibre import UnusualWarning
    from qtn.problem.load import load

    use_cache()
    with warnings.catch_warnings(record=True) as unusual:
        problem = load(file, overrides or ())
    warnings.simplefilter("ignore", UnusualWarning)
    warn(list(dict.fromkeys(f"{file}: {each.message}" for each in unusual)))
    return problem


def check_sweep(problem: Any) -> None:
    """Build the points of the [sweep] table of a problem, if it has one.

    Raises:
        ProblemError: with every mistake found.
    """
    from qtn.problem.axes import planned

    if problem.config.sweep is not None:
        planned(problem)


def opened(file: str, overrides: list[str] | None, dry_run: bool, device: str):
    """Load a problem and start the device; with --dry-run print the problem and stop."""
    choose_device(device)  # before anything is computed: JAX fixes its devices at the first array
    problem = loaded(file, overrides)
    if dry_run:
        check_sweep(problem)
        print_json(problem.document)
        raise typer.Exit(0)
    start(device)
    sys.stderr.flush()
    return problem
