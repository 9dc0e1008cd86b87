"""The figures of a report: matplotlib drawings as inline SVG, in colours that the colour-blind can tell apart."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qtn.report.content import Content, Delivery
from qtn.report.schedules import shape

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
SIZE = (6.4, 3.5)
LOGARITHMIC = 30.0
"""Ratio of the largest to the least value from which an axis of a front is logarithmic."""


def figure(ylabel: str, xlabel: str, size: tuple[float, float] = SIZE) -> tuple[Any, Any]:
    """Return a bare figure and its axes."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=size, layout="constrained")
    axes = drawing.add_subplot()
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return drawing, axes


def svg(drawing: Any, description: str) -> str:
    """Return a figure as an SVG element with a text alternative."""
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": description, "font.size": 10}):
        buffer = io.StringIO()
        drawing.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    element = text[text.index("<svg") :]
    return element.replace("<svg", f'<svg role="img" aria-label="{description}"', 1)


def binned(delivery: Delivery, end: float, num_bins: int = 160) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (bin centres [s], probability density [1/s], mean fidelity) up to a time."""
    step = delivery.times[1] - delivery.times[0]
    whole = max(1, round(end / step / num_bins))
    count = min(num_bins, delivery.times.size // whole)
    used = slice(1, 1 + count * whole) if delivery.times.size > count * whole else slice(0, count * whole)
    probability = delivery.probability[used].reshape(count, whole)
    weighted = np.nan_to_num(delivery.fidelity[used]).reshape(count, whole) * probability
    mass = probability.sum(axis=1)
    centres = delivery.times[used].reshape(count, whole).mean(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        fidelity = np.where(mass > 1e-9, weighted.sum(axis=1) / mass, np.nan)
    return centres, mass / (whole * step), fidelity


def deliveries(content: Content) -> list[tuple[str, str, Delivery, Mapping[str, Any]]]:
    """Return (label, colour, delivery, evaluation) with and without optimisation, as far as deliveries are known."""
    sides = (
        ("settings of the file", GREY, content.initial_delivery, content.initial),
        ("best settings", BLUE, content.best_delivery, content.best),
    )
    return [(label, colour, side, values) for label, colour, side, values in sides if side is not None]


def waiting_time(content: Content) -> str:
    """Draw the distribution of the waiting time; nothing if it is not known."""
    if not deliveries(content):
        return ""
    drawing, axes = figure("probability density [1/s]", "waiting time [s]")
    for label, colour, delivery, values in deliveries(content):
        end = 1.3 * values["waiting_time_quantiles_s"]["0.95"]
        centres, density, _ = binned(delivery, end)
        axes.plot(centres, density, color=colour, label=label)
        axes.axvline(values["mean_time_s"], color=colour, linestyle=":", linewidth=1)
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.legend(frameon=False, title="dotted: mean")
    return svg(drawing, "distribution of the waiting time")


def fidelity_in_time(content: Content) -> str:
    """Draw the fidelity of the delivered pair against its waiting time; nothing if it is not known."""
    if all(np.isnan(side.fidelity).all() for _, _, side, _ in deliveries(content)):
        return ""
    drawing, axes = figure("fidelity", "waiting time [s]")
    for label, colour, delivery, values in deliveries(content):
        end = 1.3 * values["waiting_time_quantiles_s"]["0.95"]
        centres, _, fidelity = binned(delivery, end)
        axes.plot(centres, fidelity, color=colour, label=label)
        axes.axhline(values["fidelity"], color=colour, linestyle=":", linewidth=1)
    axes.set_xlim(left=0)
    axes.legend(frameon=False, title="dotted: mean")
    return svg(drawing, "fidelity against waiting time")


def convergence(content: Content, label: str) -> str:
    """Draw the objective, which is called `label`, over the iterations of every start."""
    drawing, axes = figure(label, "iteration")
    for start in range(content.history.shape[1]):
        colour = (BLUE, ORANGE, GREEN, GREY)[start % 4]
        axes.plot(content.history[:, start], color=colour, label=f"start {start + 1}")
    finite = content.history[np.isfinite(content.history)]
    if finite.size and finite.max() > 0:
        low = max(finite.min(), -0.2 * finite.max())
        axes.set_ylim(low, finite.max() + 0.05 * (finite.max() - low))
    axes.set_xlim(left=0)
    axes.legend(frameon=False)
    return svg(drawing, "convergence of the optimiser")


def sensitivities(content: Content, of: str, most: int = 12) -> str:
    """Draw what 1 % better hardware gains of a merit called `of`, largest first; without hardware, elasticities."""
    shown, label = content.gain, f"change of the {of} for 1 % better"
    if not shown:
        shown, label = content.elasticity, f"elasticity: % change of the {of} for +1 %"
    names = list(shown)[:most][::-1]
    values = [shown[name] for name in names]
    drawing, axes = figure("", label, (6.4, 0.9 + 0.3 * len(names)))
    colours = [BLUE if value >= 0 else ORANGE for value in values]
    axes.barh(names, values, color=colours)
    axes.axvline(0, color="black", linewidth=0.8)
    return svg(drawing, "sensitivities of the merit")


def front(name: str, labels: Mapping[str, str], rows: Any, gaps: Sequence[float] = ()) -> str:
    """Draw a front between two merits (name -> label); points of one schedule, whatever its times, share a colour.

    The line is broken at `gaps`, where a point is missing; what is not above 0 is left out where the axis is
    logarithmic.
    """
    first, second = labels
    drawing, axes = figure(labels[first], labels[second])
    values = [row[first] for row in rows if row[first] > 0]
    logarithmic = bool(values) and max(values) > LOGARITHMIC * min(values)
    shown = [row for row in rows if row[first] > 0 or not logarithmic]
    line = sorted([*((row[second], row[first]) for row in shown), *((gap, np.nan) for gap in gaps)])
    axes.plot(*zip(*line, strict=True) if line else ((), ()), color=GREY, linewidth=1, zorder=1)
    for number, tree in enumerate(dict.fromkeys(shape(row["tree"] or "") for row in shown)):
        points = [(row[second], row[first]) for row in shown if shape(row["tree"] or "") == tree]
        label = tree if not tree or len(tree) <= 60 else tree[:57] + "..."
        axes.scatter(*zip(*points, strict=True), label=label, zorder=2, color=f"C{number % 10}")
    if logarithmic:
        axes.set_yscale("log")
    axes.set_title(name)
    if len({shape(row["tree"] or "") for row in shown}) > 1:
        axes.legend(frameon=False, fontsize="x-small")
    return svg(drawing, f"front between {first} and {second}")
