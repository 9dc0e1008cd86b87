"""The HTML page of a sweep: a figure and a table for each output, what failed, the configuration and the versions."""

import contextlib
import html
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from qtn import _files
from qtn.report import sweep_figures
from qtn.report.figures import svg
from qtn.report.page import STYLE
from qtn.report.sweep_data import label, numeric_axis, outputs, shown, varying
from qtn.report.sweep_tables import axes_table, best_table, elasticity_table, failures, layout, numbers

WIDE = """
body { max-width: 76rem; }
h1 { overflow-wrap: anywhere; }
.beside { display: grid; grid-template-columns: minmax(0, 7fr) minmax(0, 5fr); gap: 1.5rem; align-items: start; }
.beside table { font-size: 0.82rem; }
.beside th, .beside td { padding: 0.15rem 0.45rem; }
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
{elasticity_table(found)}
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


def section(found: xr.Dataset, name: str) -> str:
    """Return the figure and the table of one output."""
    part, note = reduced(found, name)
    figure = "<p>Figures need matplotlib: <code>pip install matplotlib</code>.</p>"
    if importlib.util.find_spec("matplotlib") is not None:
        figure = drawn(part, name)
    told = f'<p class="note">{html.escape(note)}</p>' if note else ""
    heading = html.escape(label(found, name))
    beside = f'<div class="beside"><div>{figure}</div><div>{numbers(part, name)}</div></div>'
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


def exactness(found: xr.Dataset) -> str:
    """Return how large the errors of the time grid are."""
    told = []
    for name, words in (("grid_error", "error of the time grid"), ("tail_mass", "probability beyond the time grid")):
        if name in found and np.any(np.isfinite(found[name].values)):
            told.append(f"{words} at most {np.nanmax(found[name].values):.1e}")
    for name in outputs(found):
        error = f"{name}_standard_error"
        if error in found and np.any(np.isfinite(found[error].values)):
            words = label(found, name).split(" [")[0]
            told.append(f"standard error of {words} at most {np.nanmax(found[error].values):.1e}")
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
    page = render_sweep(found, path.stem)
    try:
        _files.write(path, page)
    except OSError as error:
        raise ValueError(f"--out: {path} cannot be written: {error.strerror}") from error
    return path
