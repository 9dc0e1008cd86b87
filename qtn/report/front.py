"""Write a front between two merits: a table as CSV, a plot as SVG."""

import csv
import importlib.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_front(
    name: str, first: str, second: str, rows: Sequence[Mapping[str, Any]], folder: Path
) -> tuple[Path, ...]:
    """Write `front.csv` and, if matplotlib is there, `front.svg`; return their paths.

    Args:
        name: of the problem.
        first: merit on the vertical axis.
        second: merit on the horizontal axis.
        rows: the points: {first, second, "grid_error", "tree", "parameters": {name: value}}.
        folder: made if it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "front.csv"
    partial = path.with_suffix(".csv.partial")
    parameters = list(rows[0]["parameters"]) if rows else []
    with open(partial, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([first, second, "grid_error", *parameters, "tree"])
        for row in rows:
            numbers = [row[first], row[second], row["grid_error"], *(row["parameters"][p] for p in parameters)]
            writer.writerow([*numbers, row["tree"]])
    os.replace(partial, path)
    if importlib.util.find_spec("matplotlib") is None:
        return (path,)
    from qtn.report import figures

    drawing = folder / "front.svg"
    drawing.write_text(figures.front(name, first, second, rows), encoding="utf-8")
    return path, drawing
