"""The figures of a sweep: lines with bands, heat maps, small multiples; in colours for the colour-blind too."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from qtn.report.sweep_data import (
    band,
    label,
    logarithmic,
    numeric_axis,
    shown,
    spread_by_derivatives,
    spread_out,
    wide_range,
)

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Okabe and Ito."""

DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
MAP, MISSING = "cividis", "#DDDDDD"
MOST_LINES, MOST_PANELS, MOST_VECTORS = 7, 12, 900
WIDTH = 5.4


def lines(found: xr.Dataset, name: str, x: str, by: str | None = None, size: tuple[float, float] = (WIDTH, 3.3)) -> Any:
    """Draw an output against an axis, with its band; one line for each value of another axis.

    Args:
        found: with no other axis that varies.
        name: the output.
        x: the axis.
        by: another axis, or None.
        size: [inch].
    """
    drawing, axes = bare(size)
    wanted = spread_out(found.sizes[by], MOST_LINES) if by else [0]
    numbers, texts = [], None
    for place, row in enumerate(wanted):
        part = found.isel({by: row}) if by else found
        positions, texts = numeric_axis(part, x)
        order = np.argsort(positions)
        values = np.ravel(part[name].values)[order]
        numbers.append(values)
        style = {"color": COLOURS[place % 7], "linestyle": DASHES[place % 7] if by else "-"}
        marked = {"marker": "o", "markersize": 3.5} if len(values) <= 30 else {}
        told = shown(found[by].values[row]) if by else None
        around = None if by and spread_by_derivatives(part, name) else band(part, name)
        axes.plot(positions[order], values, label=told, **style, **marked)
        if around is not None:
            limits = np.ravel(around.lower)[order], np.ravel(around.upper)[order]
            numbers += [side for side in limits if np.all(side[np.isfinite(side)] > 0)]
            words = around.words if place == 0 else None
            axes.fill_between(positions[order], *limits, color=style["color"], alpha=0.2, linewidth=0, label=words)
    axes.set_xlabel(label(found, x))
    axes.set_ylabel(label(found, name))
    scaled(axes, "x", positions, texts)
    flat = np.concatenate(numbers)
    if wide_range(flat):
        axes.set_yscale("log")
    elif flat[np.isfinite(flat)].size and np.nanmin(flat) >= 0:
        axes.set_ylim(bottom=0 if np.nanmin(flat) < 0.5 * np.nanmax(flat) else None)
    if axes.get_legend_handles_labels()[1]:
        title = {"title": label(found, by), "title_fontsize": "small"} if by else {}
        drawing.legend(loc="outside upper left", ncols=4, frameon=False, fontsize="small", **title)
    return drawing


def heat_map(found: xr.Dataset, name: str, x: str, y: str, size: tuple[float, float] = (WIDTH, 3.8)) -> Any:
    """Draw an output as colour over two axes; points that are missing or failed are grey."""
    drawing, axes = bare(size)
    values = found[name].squeeze(drop=True).transpose(y, x).values
    mesh = coloured(axes, found, values, x, y, norm_of(values))
    axes.set_xlabel(label(found, x))
    axes.set_ylabel(label(found, y))
    drawing.colorbar(mesh, ax=axes, label=label(found, name), extend=ends(values, mesh.norm))
    return drawing


def small_multiples(found: xr.Dataset, name: str, x: str, y: str, panel: str) -> Any:
    """Draw one heat map for each value of a third axis, in the same colours."""
    from matplotlib.figure import Figure

    wanted = spread_out(found.sizes[panel], MOST_PANELS)
    columns = 2 if len(wanted) in (2, 4) else min(3, len(wanted))
    rows = -(-len(wanted) // columns)
    drawing = Figure(figsize=(WIDTH + 0.6, 1.0 + 2.0 * rows), layout="constrained")
    drawing.suptitle(f"panels: {label(found, panel)}", fontsize="medium")
    grid = drawing.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    data = found[name].squeeze(drop=True).transpose(panel, y, x).values
    norm = norm_of(data)
    mesh: Any = None
    for place, axes in enumerate(grid.flat):
        if place >= len(wanted):
            axes.set_visible(False)
            grid.flat[place - columns].tick_params(labelbottom=True)
            continue
        row = wanted[place]
        mesh = coloured(axes, found, data[row], x, y, norm, rasterized=data[0].size * len(wanted) > MOST_VECTORS)
        unit = found[panel].attrs.get("units", "")
        axes.set_title(f"{shown(found[panel].values[row])} {unit}".rstrip(), fontsize="small")
        axes.spines[["top", "right"]].set_visible(False)
    drawing.supxlabel(label(found, x), fontsize="medium")
    drawing.supylabel(label(found, y), fontsize="medium")
    drawing.colorbar(mesh, ax=grid, label=label(found, name), extend=ends(data, mesh.norm))
    return drawing


def bare(size: tuple[float, float]) -> tuple[Any, Any]:
    """Return an empty figure and its axes."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=size, layout="constrained")
    axes = drawing.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return drawing, axes


def norm_of(values: np.ndarray) -> Any:
    """Return the scale of colours: logarithmic for wide ranges; zeros are then the lowest colour."""
    from matplotlib.colors import LogNorm, Normalize

    finite = values[np.isfinite(values)]
    positive = finite[finite > 0]
    if positive.size and finite.min() >= 0 and positive.max() > 30 * positive.min():
        return LogNorm(max(positive.min(), 1e-12 * positive.max()), positive.max(), clip=True)
    if not finite.size:
        return Normalize(0, 1)
    return Normalize(finite.min(), finite.max() if finite.max() > finite.min() else finite.min() + 1)


def ends(values: np.ndarray, norm: Any) -> Any:
    """Return at which end of the scale values lie beyond it: zeros below a logarithmic one."""
    return "min" if np.any(values < norm.vmin) else "neither"


def coloured(
    axes: Any, found: xr.Dataset, values: np.ndarray, x: str, y: str, norm: Any, *, rasterized: bool | None = None
) -> Any:
    """Draw a matrix (y, x) as cells round its points; many cells as one picture, so that a page stays light."""
    rasterized = values.size > MOST_VECTORS if rasterized is None else rasterized
    sides = [numeric_axis(found, name) for name in (x, y)]
    orders = [np.argsort(positions) for positions, _ in sides]
    edges = [cells(positions[order]) for (positions, _), order in zip(sides, orders, strict=True)]
    cell = np.ma.masked_invalid(values[np.ix_(orders[1], orders[0])])
    axes.set_facecolor(MISSING)
    axes.grid(visible=False)
    if hasattr(norm, "clip") and norm.clip:
        cell = np.ma.where(cell <= 0, norm.vmin, cell)
    mesh = axes.pcolormesh(*edges, cell, norm=norm, cmap=MAP, rasterized=rasterized)
    for side, (positions, texts) in zip("xy", sides, strict=True):
        scaled(axes, side, positions, texts)
    return mesh


def cells(positions: np.ndarray) -> np.ndarray:
    """Return the edges (n + 1,) of cells round n positions, half-way in steps or in ratios."""
    if logarithmic(positions):
        return np.exp(cells(np.log(positions)))
    if len(positions) == 1:
        return positions[0] + np.array([-0.5, 0.5])
    middle = (positions[1:] + positions[:-1]) / 2
    return np.concatenate([[2 * positions[0] - middle[0]], middle, [2 * positions[-1] - middle[-1]]])


def scaled(axes: Any, side: str, positions: np.ndarray, texts: Sequence[str] | None) -> None:
    """Choose the scale and the ticks of one side."""
    if texts is not None:
        slant = {"rotation": 30, "ha": "right"} if side == "x" and sum(map(len, texts)) > 40 else {}
        getattr(axes, f"set_{side}ticks")(positions, [text[-30:] for text in texts], **slant)
    elif logarithmic(positions):
        getattr(axes, f"set_{side}scale")("log")
