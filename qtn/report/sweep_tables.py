"""The tables on the page of a sweep: axes, extremes, elasticities, numbers beside the figures, failures."""

import html
from typing import Any

import numpy as np
import xarray as xr

from qtn.report.schedules import table
from qtn.report.sweep_data import band, elasticity, label, outputs, shown, spread_out, varying

MOST_ROWS, MOST_COLUMNS, MOST_FAILURES = 14, 6, 20
MIDDLE = (0.1, 0.5, 0.9)
"""Quantiles over the points that describe an elasticity."""


def axes_table(found: xr.Dataset) -> str:
    """Return the axes with their ranges."""
    rows = []
    for name in map(str, found.coords):
        values = found[name].values
        some = [shown(values[i]) for i in spread_out(len(values), 6)] if values.ndim else [shown(values)]
        words = ", ".join(some) if len(some) == values.size else ", ".join([*some[:3], "…", some[-1]])
        rows.append(
            [f"<code>{html.escape(name)}</code>", html.escape(label(found, name)), str(values.size), html.escape(words)]
        )
    return f"{table(['axis', 'meaning', 'values', ''], rows)}"


def best_table(found: xr.Dataset) -> str:
    """Return where each output is largest and smallest."""
    if not varying(found):
        return ""
    rows = []
    for name in outputs(found):
        values = found[name].values
        if not np.any(np.isfinite(values)):
            continue
        for words, place in (("largest", np.nanargmax(values)), ("smallest", np.nanargmin(values))):
            where = dict(zip(found[name].dims, np.unravel_index(place, values.shape), strict=True))
            at = [told_axis(found, str(axis), where) for axis in found.coords]
            rows.append([html.escape(label(found, name)), words, shown(values.flat[place]), html.escape("; ".join(at))])
    return f"<h2>Extremes</h2>{table(['output', '', 'value', 'where'], rows)}" if rows else ""


def told_axis(found: xr.Dataset, axis: str, where: Any) -> str:
    """Return "name = value unit" of an axis at a place."""
    value = found[axis].isel({d: where[d] for d in found[axis].dims}).item()
    return f"{label(found, axis).split(' [')[0]} = {shown(value)} {found[axis].attrs.get('units', '')}".rstrip()


def elasticity_table(found: xr.Dataset) -> str:
    """Return how much each output changes with each axis, relative to both; nothing without derivatives."""
    rows = []
    for name in outputs(found):
        for axis in map(str, found.coords):
            values = elasticity(found, name, axis)
            known = np.zeros(0) if values is None else values[np.isfinite(values)]
            if known.size:
                low, middle, high = np.quantile(known, MIDDLE)
                names = [html.escape(label(found, each).split(" [")[0]) for each in (name, axis)]
                rows.append((abs(middle), [*names, shown(middle), f"{shown(low)} to {shown(high)}"]))
    if not rows:
        return ""
    rows.sort(key=lambda row: -row[0])
    head = ["output", "number", "median", "80 % of the points"]
    told = '<p class="note">Change of the output in per cent when the number grows by one per cent.</p>'
    return f"<h2>What changes it most</h2>{told}{table(head, (row for _, row in rows))}"


def layout(part: xr.Dataset) -> list[str]:
    """Return the axes that vary: x, y, panels; the shortest makes the panels, else the order is that of the file."""
    axes = varying(part)
    if len(axes) == 3:
        panel = min(axes, key=lambda axis: (part.sizes[axis], axes.index(axis)))
        axes = [*(axis for axis in axes if axis != panel), panel]
    return axes


def numbers(part: xr.Dataset, name: str) -> str:
    """Return the table of one output: rows for one axis, a matrix for two, the best over the panels for three."""
    axes = layout(part)
    values = part[name].squeeze(drop=True)
    if not axes:
        return ""
    if len(axes) == 1:
        return list_table(part, name, axes[0])
    caption = f"{label(part, name)}; rows: {label(part, axes[1])}, columns: {label(part, axes[0])}"
    if len(axes) == 3:
        panel = axes[2]
        middle = part.sizes[panel] // 2
        caption += f"; at {label(part, panel)} = {shown(part[panel].values[middle])}"
        values = values.isel({panel: middle})
    values = values.transpose(axes[1], axes[0]).values
    rows, columns = spread_out(values.shape[0], MOST_ROWS), spread_out(values.shape[1], MOST_COLUMNS)
    if len(rows) * len(columns) < values.size:
        caption += "; every few points, the store holds all"
    best = np.nanmax(values) if np.any(np.isfinite(values)) else np.nan
    head = "".join(f"<th>{html.escape(shown(part[axes[0]].values[c]))}</th>" for c in columns)
    body = "".join(
        f"<tr><th>{html.escape(shown(part[axes[1]].values[r]))}</th>"
        + "".join(f"<td{' class=best' if values[r, c] == best else ''}>{shown(values[r, c])}</td>" for c in columns)
        + "</tr>"
        for r in rows
    )
    return (
        f'<p class="note">{html.escape(caption)}</p>'
        f'<div class="wide"><table><tr><th></th>{head}</tr>{body}</table></div>'
    )


def list_table(part: xr.Dataset, name: str, dimension: str) -> str:
    """Return the values along one axis, with their band."""
    along = [str(c) for c in part.coords if part[c].dims == (dimension,)]
    around = band(part, name)
    values = np.ravel(part[name].values)
    rows = [
        [
            *(html.escape(shown(part[c].values[i])) for c in along),
            shown(values[i]),
            *([] if around is None else [shown(np.ravel(around.lower)[i]), shown(np.ravel(around.upper)[i])]),
        ]
        for i in spread_out(len(values), 2 * MOST_ROWS)
    ]
    ends = [] if around is None else ["lower", "upper"]
    return table([*(html.escape(label(part, c)) for c in along), html.escape(label(part, name)), *ends], rows)


def failures(found: xr.Dataset) -> str:
    """Return the points that failed, with their reasons."""
    if "reason" not in found or not int((found["done"] == 2).sum()):
        return ""
    places = np.argwhere(found["done"].values == 2)
    rows = []
    for place in places[:MOST_FAILURES]:
        where = dict(zip(found["done"].dims, map(int, place), strict=True))
        at = (shown(found[c].isel({d: where[d] for d in found[c].dims}).item()) for c in found.coords)
        rows.append([*map(html.escape, at), html.escape(str(found["reason"].isel(where).item()))])
    more = f"<p>... and {len(places) - MOST_FAILURES:,} more.</p>" if len(places) > MOST_FAILURES else ""
    head = [*(html.escape(label(found, str(c))) for c in found.coords), "reason"]
    return f"<h2>Points that failed</h2>{table(head, rows)}{more}"
