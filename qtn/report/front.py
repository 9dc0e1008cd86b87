"""Write a front between two merits: a page with the settings of each point, a table as CSV, a plot as SVG."""

import csv
import html
import importlib.util
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qtn import _files, _text
from qtn.report.page import STYLE
from qtn.report.schedules import number, shape, shown, table


def write_front(
    name: str,
    labels: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    folder: Path,
    *,
    sentences: Sequence[str] = (),
    gaps: Sequence[float] = (),
    config: str = "",
) -> tuple[Path, ...]:
    """Write `front.html`, `front.csv` and, if matplotlib is there, `front.svg`; return their paths.

    Args:
        name: of the problem.
        labels: merits on the vertical and on the horizontal axis: name -> words and unit.
        rows: the points: {both merits, "grid_error", "tree", "parameters": {name: value}}.
        folder: made if it does not exist.
        sentences: what was looked for, and what could not be computed.
        gaps: values on the horizontal axis at which a point is missing.
        config: the problem file as it was used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = {"front.csv": _csv(labels, rows)}
    if importlib.util.find_spec("matplotlib") is not None:
        from qtn.report import figures

        written["front.svg"] = figures.front(name, labels, rows, gaps)
    drawing = written.get("front.svg", "<p>The figure needs matplotlib: <code>pip install matplotlib</code>.</p>")
    written["front.html"] = _page(name, labels, rows, drawing, sentences, config)
    for file, text in written.items():
        _files.write(folder / file, text)
    return tuple(folder / file for file in sorted(written))


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the settings of the points."""
    return list(rows[0]["parameters"]) if rows else []


def _csv(labels: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of the points."""
    text, parameters = io.StringIO(newline=""), _names(rows)
    writer = csv.writer(text)
    writer.writerow(map(_text.cell, [*labels, "grid_error", *parameters, "tree"]))
    for row in rows:
        settings = (row["parameters"][name] for name in parameters)
        numbers = *(row[merit] for merit in labels), row["grid_error"], *settings
        writer.writerow(map(_text.cell, [*numbers, row["tree"]]))
    return text.getvalue()


def _page(
    name: str,
    labels: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    drawing: str,
    sentences: Sequence[str],
    config: str,
) -> str:
    """Return the page: self-contained HTML with inline SVG."""
    first, second = labels
    parameters = _names(rows)
    head = [
        *(html.escape(labels[each]) for each in (first, second)),
        *(f"<code>{html.escape(each)}</code>" for each in parameters),
    ]
    cells = [
        [number(row[first]), number(row[second]), *(number(row["parameters"][p]) for p in parameters)] for row in rows
    ]
    told = shape if any(each.startswith("schedule.") for each in parameters) else shown  # times have columns, or not
    trees = [f"<code>{html.escape(told(row['tree']))}</code>" if row["tree"] else "" for row in rows]
    scheduled = any(trees) and len(set(trees)) > 1
    if scheduled:
        head, cells = [*head, "schedule"], [[*row, tree] for row, tree in zip(cells, trees, strict=True)]
    worst = max((row["grid_error"] for row in rows), default=0.0)
    one = f"<p>Schedule: {trees[0]}</p>" if any(trees) and not scheduled else ""
    title = f"{html.escape(name)}: {html.escape(labels[first])} against {html.escape(labels[second])}"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{STYLE}</style></head><body>
<h1>{title}</h1>
<p>On this front (Pareto front) no point is better than another in both.</p>
{drawing}
{"".join(f"<p>{html.escape(each)}</p>" for each in sentences)}
<h2>Settings of each point</h2>{one}{table(head, cells)}
<p>Grid error at most {worst:.1e} (relative, of the mean time; absolute, of the Bell weights).</p>
{f"<h2>Problem</h2><pre>{html.escape(config)}</pre>" if config else ""}
</body></html>
"""
