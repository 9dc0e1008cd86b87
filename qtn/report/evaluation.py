"""Write an evaluation as a page: what is delivered, what comes of it, and how exact that is."""

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtn import _files
from qtn.report.codes import codes_part
from qtn.report.page import STYLE, exactness, sentences
from qtn.report.passes import passes_part
from qtn.report.schedules import number, table
from qtn.report.shares import shares_part
from qtn.report.tables import inside


def write_evaluation(
    name: str,
    numbers: Mapping[str, Any],
    words: Mapping[str, tuple[str, str]],
    folder: Path,
    *,
    config: str,
    versions: Mapping[str, str],
) -> Path:
    """Write `report.html` into a folder, whole or not at all, and return its path.

    Args:
        name: of the problem.
        numbers: what `qtn evaluate --json` prints.
        words: quantity -> (words, unit), in the order of the table.
        folder: made if it does not exist.
        config: the problem file as it was used.
        versions: package -> version.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.html"
    _files.write(path, _page(name, numbers, words, config, versions))
    return path


def _page(
    name: str,
    numbers: Mapping[str, Any],
    words: Mapping[str, tuple[str, str]],
    config: str,
    versions: Mapping[str, str],
) -> str:
    """Return the page: self-contained HTML with inline SVG."""
    rows = [
        [html.escape(f"{text} [{unit}]" if unit else text), number(numbers[key])]
        for key, (text, unit) in words.items()
        if numbers.get(key) is not None
    ]
    rows += [
        [f"waiting time, {float(level):.0%} quantile [s]", number(time)]
        for level, time in numbers["waiting_time_quantiles_s"].items()
    ]
    said = sentences(numbers)
    title, of = html.escape(name), ", ".join(f"{package} {version}" for package, version in versions.items())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: qtn</title><style>{STYLE}</style></head><body>
<h1>{title}</h1>
{said}
{shares_part(numbers)}
<h2>Results</h2>{table(["", ""], rows)}
{inside(numbers)}
{codes_part(numbers.get("links", []))}
{passes_part(numbers)}
{exactness(numbers["info"])}
<h2>Problem</h2><pre>{html.escape(config)}</pre>
<p>{html.escape(of)}</p>
</body></html>
"""
