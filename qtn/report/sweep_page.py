"""The HTML page of a sweep: a figure and a table for each output, what failed, the configuration and the versions."""

import contextlib
import html
import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from qtn.report import sweep_figures
from qtn.report.figures import svg
from qtn.report.page import STYLE
from qtn.report.schedules import table
from qtn.report.sweep_data import band, label, numeric_axis, outputs, shown, spread_out, varying

MOST_ROWS, MOST_COLUMNS, MOST_FAILURES = 14, 6, 20

WIDE = """
body { max-width: 76rem; }
.beside { display: grid; grid-template-columns: minmax(0, 7fr) minmax(0, 5fr); gap: 1.5rem; align-items: start; }
.beside table, .beside .wide { font-size: 0.82rem; }
.beside th, .beside td { padding: 0.15rem 0.45rem; }
caption { caption-side: top; text-align: left; color: #555; padding-bottom: 0.3rem; }
.note { color: #555; font-size: 0.9rem; }
.best { background: #E3F4EE; font-weight: 600; }
svg { width: 100%; max-width: 46rem; }
details pre { max-height: none; }
@media (max-width: 52rem) { .beside { grid-template-columns: minmax(0, 1fr); gap: 0.5rem; } body { margin: 1rem auto; }
  table { font-size: 0.8rem; } th, td { padding: 0.15rem 0.4rem; } }
@media print { .beside { break-inside: avoid; } .wide { overflow: visible; } }
"""


def render_sweep(found: xr.Dataset, name: str) -> str:
    """Return the page of a sweep: self-contained HTML with inline SVG.

    Args:
        found: from `qtn.sweeps.dataset.open_dataset`, or from `qtn.sweep`.
        name: what the page is called.
    """
    facts = found.attrs
    title = html.escape(str(facts.get("title") or name))
    sections = "\n".join(section(found, each) for each in outputs(found))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: qtn sweep</title><style>{STYLE}{WIDE}</style></head><body>
<h1>{title}</h1>
<p class="big">{counts(found)}</p>
{axes_table(found)}
{best_table(found)}
{sections or "<p>Nothing was computed.</p>"}
{failures(found)}
{exactness(found)}
<h2>Configuration</h2>{configuration(facts)}
<p class="note">{html.escape(versions(facts))}</p>
</body></html>
"""


def counts(found: xr.Dataset) -> str:
    """Return how many points there are, are done and failed, as a sentence."""
    total = int(np.prod(list(found.sizes.values()))) if found.sizes else 1
    if "done" not in found:
        return f"{total:,} points."
    done, failed = (int((found["done"] == code).sum()) for code in (1, 2))
    text = f"<b>{done:,}</b> of {total:,} points done"
    text += f", <b>{failed:,} failed</b> (see below)" if failed else ", none failed"
    return text + (f", {total - done - failed:,} not computed yet." if done + failed < total else ".")


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
    return f'<div class="wide">{table(["axis", "meaning", "values", ""], rows)}</div>'


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
    return f'<h2>Extremes</h2><div class="wide">{table(["output", "", "value", "where"], rows)}</div>' if rows else ""


def told_axis(found: xr.Dataset, axis: str, where: Any) -> str:
    """Return "name = value unit" of an axis at a place."""
    value = found[axis].isel({d: where[d] for d in found[axis].dims}).item()
    return f"{label(found, axis).split(' [')[0]} = {shown(value)} {found[axis].attrs.get('units', '')}".rstrip()


def section(found: xr.Dataset, name: str) -> str:
    """Return the figure and the table of one output."""
    part, note = reduced(found, name)
    figure = "<p>Figures need matplotlib: <code>pip install matplotlib</code>.</p>"
    if importlib.util.find_spec("matplotlib") is not None:
        figure = drawn(part, name)
    told = f'<p class="note">{html.escape(note)}</p>' if note else ""
    heading = html.escape(label(found, name))
    beside = f'<div class="beside"><div>{figure}</div><div class="wide">{numbers(part, name)}</div></div>'
    return f"<h2>{heading}</h2>{told}{beside}"


def reduced(found: xr.Dataset, name: str) -> tuple[xr.Dataset, str]:
    """Fix all but three axes where the output is largest; return the part and a sentence about it."""
    axes = sorted(varying(found), key=lambda axis: -found.sizes[axis])
    if len(axes) <= 3:
        return found, ""
    values = found[name].values
    place = np.nanargmax(values) if np.any(np.isfinite(values)) else 0
    where = dict(zip(found[name].dims, np.unravel_index(place, values.shape), strict=True))
    part = found.isel({axis: [int(where[axis])] for axis in axes[3:]})
    fixed = ", ".join(f"{label(found, axis)} = {shown(part[axis].values[0])}" for axis in axes[3:])
    return part, f"Shown at {fixed}, where it is largest; the store holds the rest."


def layout(part: xr.Dataset) -> list[str]:
    """Return the axes that vary: x, y, panels; the shortest makes the panels, else the order is that of the file."""
    axes = varying(part)
    if len(axes) == 3:
        panel = min(axes, key=lambda axis: (part.sizes[axis], axes.index(axis)))
        axes = [*(axis for axis in axes if axis != panel), panel]
    return axes


def drawn(part: xr.Dataset, name: str) -> str:
    """Return the figure of one output as SVG."""
    axes = layout(part)
    if not axes:
        return f'<p class="big">{shown(np.ravel(part[name].values)[0])}</p>'
    if len(axes) == 1:
        drawing = sweep_figures.lines(part, name, x_of(part, axes[0]))
    elif len(axes) == 2:
        drawing = sweep_figures.heat_map(part, name, axes[0], axes[1])
    else:
        drawing = sweep_figures.small_multiples(part, name, *axes)
    return svg(drawing, f"{html.escape(name)} over {html.escape(', '.join(axes))}")


def x_of(part: xr.Dataset, dimension: str) -> str:
    """Return what stands on the horizontal axis: of zipped axes the first that is a number."""
    along = [str(name) for name in part.coords if part[name].dims == (dimension,)]
    return next((name for name in along if numeric_axis(part, name)[1] is None), along[0] if along else dimension)


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
    return f"<table><caption>{html.escape(caption)}</caption><tr><th></th>{head}</tr>{body}</table>"


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
    return f'<h2>Points that failed</h2><div class="wide">{table(head, rows)}</div>{more}'


def exactness(found: xr.Dataset) -> str:
    """Return how large the errors of the time grid are."""
    told = []
    for name, words in (("grid_error", "error of the time grid"), ("tail_mass", "probability beyond the time grid")):
        if name in found and np.any(np.isfinite(found[name].values)):
            told.append(f"{words} at most {np.nanmax(found[name].values):.1e}")
    return f"<h2>How exact this is</h2><p>Over all points: {'; '.join(told)}.</p>" if told else ""


def configuration(facts: Any) -> str:
    """Return the configuration of the sweep, indented."""
    text = str(facts.get("config", ""))
    with contextlib.suppress(ValueError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return f"<pre>{html.escape(text)}</pre>" if text else "<p>None: the sweep was called from Python.</p>"


def versions(facts: Any) -> str:
    """Return where the numbers come from, in one line."""
    told = [f"{name} {version}" for name, version in dict(facts.get("versions", {})).items()]
    for key, words in (
        ("device_kind", "device"),
        ("seed", "seed"),
        ("git_commit", "commit"),
        ("config_sha256", "config sha256"),
    ):
        if facts.get(key) is not None:
            told.append(f"{words} {str(facts[key])[:16]}")
    return ", ".join([*told, *(["double precision"] if facts.get("x64") else [])])


def write_sweep_report(found: xr.Dataset, path: Path) -> Path:
    """Write the page, whole or not at all.

    Raises:
        ValueError: if it cannot be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    page = render_sweep(found, path.stem)
    try:
        partial.write_text(page, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise ValueError(f"--out: {path} cannot be written: {error.strerror}") from error
    return path
