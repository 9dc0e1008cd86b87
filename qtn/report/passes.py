"""Passes of satellites: a table, the sky track of the best one, what happens along it, and when all take place."""

import importlib.util
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from qtn.report.figures import BLUE, GREEN, GREY, ORANGE, figure, svg
from qtn.report.tables import rows_table, rows_text

COLUMNS = (
    ("station", "station"),
    ("satellite", "satellite"),
    ("rise_s", "rise [s]"),
    ("set_s", "set [s]"),
    ("highest_elevation_deg", "highest [deg]"),
    ("least_loss_db", "least loss [dB]"),
    ("sifted_bits", "sifted [bit]"),
    ("qber", "QBER"),
    ("key_bits", "key [bit]"),
)
"""Key of a row -> head of its column."""


def passes_text(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return passes as lines of text; none where there are none."""
    rows = list(rows)
    return ["", rows_text(COLUMNS, rows)] if rows else []


def passes_part(best: Mapping[str, Any]) -> str:
    """Return the part of the page on passes; empty where there are none.

    Args:
        best: an evaluation, as `qtn evaluate --json` prints it.
    """
    rows, course = best.get("passes"), best.get("best_pass")
    if not rows or not course:
        return ""
    drawn = ""
    if importlib.util.find_spec("matplotlib") is not None:
        track = sky_track(course) if course["azimuth_deg"] else ""
        drawn = (
            f'<div class="pair"><div>{track}</div><div>{elevation(course)}</div><div>{along(course)}</div>'
            f"<div>{day(rows)}</div></div>"
        )
    return f'<h2>Passes</h2>{drawn}<div class="wide">{rows_table(COLUMNS, rows)}</div>'


def sky_track(course: Mapping[str, Any]) -> str:
    """Draw where the satellite of the best pass stands in the sky: the zenith in the middle, north up, east right."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(4.2, 4.2), layout="constrained")
    axes: Any = drawing.add_subplot(projection="polar")
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    axes.plot(np.radians(course["azimuth_deg"]), 90 - np.array(course["elevation_deg"]), color=BLUE)
    axes.plot([np.radians(course["azimuth_deg"][0])], [90 - course["elevation_deg"][0]], "o", color=BLUE, label="rises")
    axes.set_ylim(0, 90)
    axes.set_yticks([0, 30, 60], ["90", "60", "30"])
    axes.set_xticks(np.radians([0, 90, 180, 270]), ["N", "E", "S", "W"])
    axes.set_title("sky track of the best pass: elevation [deg]", fontsize=10)
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(-0.1, -0.1))
    return svg(drawing, "sky track of the best pass")


def elevation(course: Mapping[str, Any]) -> str:
    """Draw elevation and loss along the best pass."""
    drawing, axes = figure("elevation [deg]", "time [s]")
    axes.plot(course["time_s"], course["elevation_deg"], color=BLUE, label="elevation")
    axes.set_ylim(0, 95)
    other = axes.twinx()
    loss = [np.nan if each is None else each for each in course["loss_db"]]
    other.plot(course["time_s"], loss, color=ORANGE, label="loss")
    other.set_ylabel("loss, detectors included [dB]")
    other.spines["top"].set_visible(False)
    lines = [*axes.get_lines(), *other.get_lines()]
    axes.legend(lines, [each.get_label() for each in lines], frameon=False, loc="upper center", ncols=2)
    low, high = other.get_ylim()
    other.set_ylim(low, high + 0.15 * (high - low))
    return svg(drawing, "elevation and loss along the best pass")


def along(course: Mapping[str, Any]) -> str:
    """Draw sifted bits, and the key at its share of them, by time along the best pass."""
    drawing, axes = figure("rate [1/s]", "time [s]")
    axes.plot(course["time_s"], course["sifted_rate_hz"], color=GREY, label="sifted")
    if "key_rate_hz" in course:
        axes.plot(course["time_s"], course["key_rate_hz"], color=GREEN, label="secret key, at its share")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return svg(drawing, "sifted bits and key along the best pass")


def day(rows: Iterable[Mapping[str, Any]]) -> str:
    """Draw the key of every pass, or its sifted bits where no key is asked for, at its time."""
    rows = list(rows)
    keyed = any(row["key_bits"] for row in rows)
    name = "key_bits" if keyed else "sifted_bits"
    drawing, axes = figure("key of the pass [bit]" if keyed else "sifted bits of the pass", "time [h]")
    for place, colour in zip(sorted({row["station"] for row in rows}), (BLUE, ORANGE), strict=False):
        own = [row for row in rows if row["station"] == place]
        middle = [(row["rise_s"] + row["set_s"]) / 7200 for row in own]
        axes.vlines(middle, 0, [row[name] for row in own], color=colour, linewidth=3)
        axes.plot(middle, [row[name] for row in own], "o", color=colour, label=f"station {place}")
    axes.set_ylim(bottom=0)
    if len({row["station"] for row in rows}) > 1:
        axes.legend(frameon=False)
    return svg(drawing, "keys of all passes in time")
