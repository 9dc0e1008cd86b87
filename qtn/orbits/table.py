"""A pass that was measured or computed elsewhere: a table of time, elevation and distance."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from qtn import _budget, _checks, _text
from qtn._array import library
from qtn.orbits.passes import Passes

COLUMNS = ("time_s", "elevation_deg", "range_km")

MOST = _budget.Budget(1_000_000, "rows", "leave out points, or split the table at its passes")

CHARACTERS = 100_000_000
"""Of a table."""


def from_table(time: Any, elevation: Any, slant_range: Any) -> Passes:
    """Return one pass from points along it.

    Args:
        time: (q,), in order [s].
        elevation: (q,) [rad], in [0, pi/2].
        slant_range: (q,), distance to the satellite [m].

    Returns:
        passes: one pass; `dwell` is half of the way to either neighbour, so that sums are those of the trapezoidal rule
            and the dwell adds up to the length of the table.

    Raises:
        ValueError: if the times are not in order, or a number lies outside its range.

    Note:
        The integral of what is linear between the points is exact. Differentiable.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> seen = from_table([0.0, 60.0, 120.0], [0.2, 0.6, 0.2], [1.5e6, 0.9e6, 1.5e6])
        >>> seen.dwell.tolist()
        [[30.0, 60.0, 30.0]]
    """
    times = _checks.require("time", time, np.isfinite, "be finite")
    if np.ndim(times) != 1 or len(times) < 2:
        raise ValueError(f"Argument `time` must hold at least two times, but has the shape {np.shape(times)}.")
    known = _checks.known(times)
    if known is not None and np.any(np.diff(known) <= 0):
        row = int(np.argmax(np.diff(known) <= 0))
        raise ValueError(
            f"Argument `time` must be in order, but {known[row + 1]:.10g} s follows {known[row]:.10g} s (points "
            f"{row + 1} and {row + 2}). Sort the table by time, and give each pass its own."
        )
    heights = _checks.require(
        "elevation", elevation, lambda v: (v >= 0) & (v <= np.pi / 2), "lie in [0, pi/2] (radians)"
    )
    distance = _checks.positive_finite("slant_range", slant_range)
    for name, values in (("elevation", heights), ("slant_range", distance)):
        if np.shape(values) != np.shape(times):
            raise ValueError(f"Argument `{name}` must hold as many numbers as `time`, {len(times)}.")
    steps = times[1:] - times[:-1]
    dwell = library(times).concatenate([steps[:1], steps[1:] + steps[:-1], steps[-1:]]) / 2
    return Passes(
        time=times[None],
        elevation=heights[None],
        slant_range=distance[None],
        dwell=dwell[None],
        rise=times[:1],
        set=times[-1:],
        satellite=(0,),
    )


def read_pass(path: str | Path) -> Passes:
    """Read one pass from a table in CSV, whose first line names the columns.

    Args:
        path: of the file; columns `time_s`, `elevation_deg`, `range_km` in any order, others are left alone.

    Returns:
        passes: one pass, see `from_table`.

    Raises:
        ValueError: with the line, if a column is missing, an entry is no number, or the times are not in order.
        OSError: if the file cannot be read.
    """
    path = Path(path)
    if path.stat().st_size > CHARACTERS:
        raise ValueError(f"{path}: has more than {CHARACTERS:,} bytes: leave out points, or split it at its passes.")
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is not a text file in UTF-8.") from None
    return read_rows(lines, str(path))


def read_rows(lines: list[str], source: str) -> Passes:
    """Read one pass from the lines of a table in CSV; `source` is what errors call it."""
    MOST.require(len(lines))
    try:
        rows = list(csv.reader(lines, strict=True))
    except csv.Error as error:
        raise ValueError(f"{source}: is no table in CSV: {error}.") from None
    head = [name.strip() for name in rows[0]] if rows else []
    for name in COLUMNS:
        if head.count(name) != 1:
            raise ValueError(
                f"{source}: its first line must name the column {name} once, but is "
                f"{_text.echoed(','.join(head))}. The columns are {', '.join(COLUMNS)}."
            )
    values = [
        [_entry(source, number, row, head, name) for name in COLUMNS] for number, row in enumerate(rows[1:], 2) if row
    ]
    time, elevation, distance = np.array(values, float).reshape(-1, 3).T
    try:
        return from_table(time, np.radians(elevation), 1e3 * distance)
    except ValueError as error:
        names = zip(("time", "elevation", "slant_range"), COLUMNS, strict=True)
        said = str(error)
        for argument, column in names:
            said = said.replace(f"Argument `{argument}`", f"column {column}")
        raise ValueError(f"{source}: {said}") from None


def _entry(source: str, line: int, row: list[str], head: list[str], name: str) -> float:
    """Return the number of one column of one line, within its range."""
    place = head.index(name)
    said = row[place].strip() if place < len(row) else ""
    try:
        value = float(said)
    except ValueError:
        raise ValueError(f"{source}, line {line}: {name} must be a number, but is {_text.echoed(said)}.") from None
    lower, upper, rule = {
        "time_s": (-np.inf, np.inf, "be finite"),
        "elevation_deg": (0.0, 90.0, "lie in [0, 90]"),
        "range_km": (1e-300, 1e300, "be positive and finite"),
    }[name]
    if not (lower <= value <= upper and np.isfinite(value)):
        raise ValueError(f"{source}, line {line}: {name} must {rule}, but is {value:g}.")
    return value
