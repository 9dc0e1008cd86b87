"""Write a front between two merits: a table as CSV, a plot as SVG."""

import csv
import importlib.util
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qtn import _files, _text


def write_front(
    name: str, labels: Mapping[str, str], rows: Sequence[Mapping[str, Any]], folder: Path
) -> tuple[Path, ...]:
    """Write `front.csv` and, if matplotlib is there, `front.svg`; return their paths.

    Args:
        name: of the problem.
        labels: merits on the vertical and on the horizontal axis: name -> words and unit.
        rows: the points: {both merits, "grid_error", "tree", "parameters": {name: value}}.
        folder: made if it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "front.csv"
    parameters = list(rows[0]["parameters"]) if rows else []
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(map(_text.cell, [*labels, "grid_error", *parameters, "tree"]))
    for row in rows:
        settings = (row["parameters"][name] for name in parameters)
        numbers = *(row[merit] for merit in labels), row["grid_error"], *settings
        writer.writerow(map(_text.cell, [*numbers, row["tree"]]))
    _files.write(path, table.getvalue())
    if importlib.util.find_spec("matplotlib") is None:
        return (path,)
    from qtn.report import figures

    drawing = folder / "front.svg"
    _files.write(drawing, figures.front(name, labels, rows))
    return path, drawing
