"""The command that sets two problems side by side."""

import sys
from typing import Annotated, Any

import typer

from qtn.cli.app import Device, Json, Set, app, print_json
from qtn.cli.session import choose_device, start, warn

Second = Annotated[str, typer.Argument(metavar="OTHER", help="The problem to compare it with (TOML).")]
First = Annotated[str, typer.Argument(metavar="FILE", help="A problem file (TOML).")]


@app.command()
def compare(first: First, second: Second, set_: Set = None, json_: Json = False, device: Device = "auto") -> None:
    """Evaluate two problems side by side, and say what differs.

    Example: qtn compare today.toml upgrade.toml
    """
    choose_device(device)
    from qtn.cli.commands import loaded

    problems = [loaded(file, set_) for file in (first, second)]
    start(device)
    sys.stderr.flush()
    from qtn.problem.compare import differences, merits_of, ratios
    from qtn.problem.evaluation import evaluated
    from qtn.problem.run import report_numbers

    numbers = []
    for file, problem in zip((first, second), problems, strict=True):
        found = evaluated(problem)
        numbers.append(report_numbers(found))
        told = numbers[-1].get("application", {}).get("warnings", [])
        warn([f"{file}: {words}" for words in (*found.result.info.warnings(), *told)])
    ours, theirs = (merits_of(each) for each in numbers)
    result = {
        "a": numbers[0],
        "b": numbers[1],
        "ratio": ratios(ours, theirs),
        "differences": {name: list(pair) for name, pair in differences(*problems).items()},
    }
    print_json(result) if json_ else print(comparison_text(first, second, ours, theirs, result))


def comparison_text(
    first: str, second: str, ours: dict[str, float | None], theirs: dict[str, float | None], result: dict[str, Any]
) -> str:
    """Return both columns, their ratio, and what differs."""
    columns = [first[-18:], second[-18:], "ratio"]
    lines = [f"{'':34s}" + "".join(f"{each:>20s}" for each in columns)]
    for name, ratio in result["ratio"].items():
        row = [ours.get(name), theirs.get(name), ratio]
        lines.append(f"{name:34s}" + "".join(f"{shown(each):>20s}" for each in row))
    lines += ["", "settings that differ"]
    differing = result["differences"].items()
    lines += [f"  {name}: {shown(a)} -> {shown(b)}" for name, (a, b) in differing] or ["  none"]
    return "\n".join(lines)


def shown(value: Any) -> str:
    """Return a value for people; a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:.8g}" if isinstance(value, float) else str(value)
