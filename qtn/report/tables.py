"""Tables of what happens inside a chain: its links, and the joins of its schedule."""

import html
from collections.abc import Iterable, Mapping
from typing import Any

from qtn.report.graph_drawing import draw_rows
from qtn.report.schedules import number, table

LINK_COLUMNS = (
    ("link", "link"),
    ("name", "name"),
    ("model", "model"),
    ("length_km", "length [km]"),
    ("eta", "channel eta"),
    ("p_success", "success"),
    ("attempt_time_s", "attempt [s]"),
    ("rate_hz", "rate [Hz]"),
    ("fidelity", "fidelity"),
    ("qber_x", "QBER X"),
    ("qber_z", "QBER Z"),
)
"""Key of a row -> head of its column."""

JOIN_COLUMNS = (
    ("join", "join"),
    ("links", "links"),
    ("mean_time_s", "mean time [s]"),
    ("p_success", "success"),
    ("fidelity", "fidelity"),
    ("qber_x", "QBER X"),
    ("qber_z", "QBER Z"),
)
"""The same for joins: "join" is the text of the step, "links" which links it spans."""

PAIR_COLUMNS = (
    ("pair", "pair of users"),
    ("num_links", "links"),
    ("length_km", "length [km]"),
    ("rate_hz", "pairs [Hz]"),
    ("fidelity", "fidelity"),
    ("secret_fraction", "key [bit/pair]"),
    ("secret_key_rate_hz", "key [bit/s]"),
    ("path", "path"),
)
"""The same for pairs of users of a network."""

PASS_COLUMNS = (
    ("link", "link"),
    ("rise_s", "rises [s]"),
    ("set_s", "sets [s]"),
    ("highest_elevation_deg", "highest [deg]"),
    ("num_pairs", "pairs"),
    ("fidelity", "fidelity"),
    ("qber_x", "QBER X"),
    ("qber_z", "QBER Z"),
    ("largest_ratio", "waiting by slice"),
)
"""The same for passes of the satellite of a link."""

MOST = 64
"""Rows that are shown; more are counted."""


def links_table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the table of links as HTML; columns that no row has are left out."""
    return rows_table(LINK_COLUMNS, rows)


def joins_table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the table of joins as HTML, in the order in which they happen."""
    return rows_table(JOIN_COLUMNS, rows)


def link_passes_table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the table of passes of the satellite of a link as HTML."""
    return rows_table(PASS_COLUMNS, rows)


def rows_table(columns: Iterable[tuple[str, str]], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows of numbers and texts as an HTML table."""
    rows = list(rows)
    kept = [(key, head) for key, head in columns if any(row.get(key) is not None for row in rows)]
    body = [[cell(row.get(key)) for key, _ in kept] for row in rows[:MOST]]
    more = f"<p>... and {len(rows) - MOST} more.</p>" if len(rows) > MOST else ""
    return table([head for _, head in kept], body) + more


def cell(value: Any) -> str:
    """Return one value as HTML."""
    return html.escape(value) if isinstance(value, str) else number(value)


def in_words(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of pairs of users with names as texts."""
    return [{**row, "pair": " - ".join(row["pair"]), "path": " - ".join(row["path"])} for row in rows]


def pairs_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the table of pairs of users as aligned text."""
    return rows_text(PAIR_COLUMNS, in_words(rows))


def edge_words(edge: Mapping[str, Any]) -> str:
    """Say of a number at the end of its range which slope is shown, and why not the derivative."""
    why = "diverges" if edge["diverges"] else "is another one at the end of the range"
    return f"over a step of {edge['step']:+.3g}: the derivative {why}"


def inside(numbers: Mapping[str, Any]) -> str:
    """Return the part of the page on users, links and joins; empty where an evaluation has none of them."""
    parts = []
    if numbers.get("pairs"):
        parts.append(f"<h2>Pairs of users</h2><p>{html.escape(about_pairs(numbers))}</p>")
        parts.append(f'<div class="wide">{draw_rows(numbers["network"])}</div>')
        parts.append(rows_table(PAIR_COLUMNS, in_words(numbers["pairs"])))
    if numbers.get("links"):
        parts.append("<h2>Links</h2>" + links_table(numbers["links"]))
    if numbers.get("link_passes"):
        parts.append("<h2>Passes</h2>" + link_passes_table(numbers["link_passes"]))
    if numbers.get("joins"):
        parts.append("<h2>Joins</h2>" + joins_table(numbers["joins"]) + f"<p>{joins_note(numbers)}</p>")
    return "".join(parts)


def about_pairs(numbers: Mapping[str, Any]) -> str:
    """Say which pair of users quantities are about, and how the others are to be read."""
    left, right = numbers["path"][0], numbers["path"][-1]
    text = f"Numbers above are those of {left} and {right}, along {' - '.join(numbers['path'])}."
    each = " Below, each pair of users has the network for itself." if len(numbers["pairs"]) > 1 else ""
    return f"{text}{each}"


def joins_note(numbers: Mapping[str, Any]) -> str:
    """Say how far the joins, which stand on one grid, are off."""
    text, last = "Joins are computed on the finest time grid alone, without extrapolation", numbers["joins"][-1]
    if not last["whole"]:
        return f"{text}."
    off = abs(last["mean_time_s"] / numbers["mean_time_s"] - 1)
    return f"{text}: the mean time of the last one is off by {off:.1e} (relative)."


def links_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the table of links as aligned text."""
    return rows_text(LINK_COLUMNS, rows)


def joins_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the table of joins as aligned text."""
    return rows_text(JOIN_COLUMNS, rows)


def link_passes_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the table of passes of the satellite of a link as aligned text."""
    rows = list(rows)
    return rows_text(PASS_COLUMNS, rows) if rows else "no pass of the satellite in this time"


def rows_text(columns: Iterable[tuple[str, str]], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows of numbers and texts as aligned text; columns that no row has are left out."""
    rows = list(rows)
    kept = [(key, head) for key, head in columns if any(row.get(key) is not None for row in rows)]
    cells = [[head for _, head in kept]]
    for row in rows[:MOST]:
        cells.append([plain(row.get(key)) for key, _ in kept])
    widths = [max(len(line[i]) for line in cells) for i in range(len(kept))]
    lines = ["  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)) for line in cells]
    if len(rows) > MOST:
        lines.append(f"... and {len(rows) - MOST} more")
    return "\n".join(lines)


def plain(value: Any) -> str:
    """Return one value as text."""
    return value if isinstance(value, str) else "-" if value is None else f"{value:.6g}"
