"""The part of the page on schedules and limits, and the tables of the page."""

import html
import re
from collections.abc import Iterable
from typing import Any

from qtn.report.content import Planning


def number(value: Any) -> str:
    """Return a number for people: six digits, an en dash where there is none (None or nan)."""
    return "&ndash;" if value is None or value != value else f"{value:.6g}"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return an HTML table of cells that are HTML already."""
    head = "".join(f"<th>{cell}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def shown(tree: str) -> str:
    """Return the text of a schedule with times of six digits; files and JSON have them all.

    Example:
        >>> shown("swap(0, 1, cutoff_time=0.5494120869444955)")
        'swap(0, 1, cutoff_time=0.549412)'
    """
    return re.sub(r"\d+\.\d{6,}(e[+-]?\d+)?", lambda found: f"{float(found[0]):.6g}", tree)


def shape(tree: str) -> str:
    """Return the text of a schedule without its times.

    Example:
        >>> shape("swap(0, 1, cutoff_time=0.55)")
        'swap(0, 1, cutoff_time)'
    """
    return re.sub(r"=[-+.\deE]+", "", tree)


def schedules(planning: Planning) -> str:
    """Return the drawing of the best schedule, its limits and its rivals."""
    parts = [f'<h2>Best schedule</h2><div class="wide">{planning.drawing}</div>'] if planning.drawing else []
    if planning.limits:
        rows = (
            [limit.name, number(limit.least), number(limit.value), number(limit.multiplier)]
            for limit in planning.limits
        )
        parts.append("<h2>Limits</h2>" + table(["", "at least", "best", "multiplier"], rows))
        parts.append("<p>Multiplier: how much the best value gains when the limit is lowered by one unit.")
        parts.append(f" KKT residual: {number(planning.kkt_residual)}.</p>")
    parts += [f"<p>{html.escape(planning.sampled)}</p>"] if planning.sampled else []
    if planning.space:
        rows = (
            [
                f"<code>{html.escape(shown(leader.tree))}</code>",
                f"{leader.value:.8g}",
                f"{leader.distance:.3%}" if leader.feasible else "limits missed",
                number(leader.mean_time),
                number(leader.fidelity),
            ]
            for leader in planning.leaders
        )
        parts.append("<h2>The best schedules</h2>")
        parts.append(table(["schedule", "value", "distance", "mean time [s]", "fidelity"], rows))
        parts.append(
            f"<p>Searched: {html.escape(planning.space)}, {planning.method} search. "
            f"Guarantee: {html.escape(planning.guarantee)} All of the above were evaluated again at full resolution; "
            f"the grid of the search agrees with it to {number(planning.agreement)} (relative).</p>"
        )
    return "".join(parts)
