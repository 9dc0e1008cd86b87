"""The points of a sweep: named axes, crossed (`grid`) or walked together (`zip`).

Points are numbered 0 .. num_points - 1, in a grid with the last axis fastest. That number, the global index, is what
random keys are folded from and what results are sorted by, whatever batch, shard or device computed them.
"""

import dataclasses
import enum
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qtn import _budget, _text

Value = float | int | str | bool


class Mode(enum.StrEnum):
    """How the axes of a sweep make points."""

    GRID = "grid"
    """Every value of one with every value of the others."""

    ZIP = "zip"
    """All together, the first values, the second values, and so on."""


class Scale(enum.StrEnum):
    """How the values of an axis follow each other."""

    LINEAR = "linear"
    """In equal steps."""

    LOG = "log"
    """In equal ratios."""


@dataclasses.dataclass(frozen=True)
class Axis:
    """One quantity that is varied."""

    name: str
    """Name; in a problem file the dotted name that `--set` accepts."""

    values: tuple[Value, ...]
    """Its values, in order, in the unit of the name."""

    unit: str = ""
    """Unit, for labels; empty if there is none."""

    @property
    def numeric(self) -> bool:
        """Whether all values are numbers."""
        return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in self.values)

    def array(self) -> np.ndarray:
        """Return the values as an array: whole numbers, numbers, or texts."""
        if self.numeric:
            whole = all(isinstance(value, int) for value in self.values)
            return np.array(self.values, dtype=np.int64 if whole else np.float64)
        return np.array([str(value) for value in self.values], dtype=object)


@dataclasses.dataclass(frozen=True)
class Grid:
    """All points of a sweep; build it with `grid`.

    Example:
        >>> points = grid({"p": [0.1, 0.2], "w": [0.9, 0.95, 1.0]})
        >>> points.num_points, points.point(4)
        (6, {'p': 0.2, 'w': 0.95})
    """

    axes: tuple[Axis, ...]
    mode: Mode = Mode.GRID

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the lengths of the axes; of zipped axes their one length."""
        lengths = tuple(len(axis.values) for axis in self.axes)
        return lengths[:1] if self.mode is Mode.ZIP else lengths

    @property
    def num_points(self) -> int:
        """Return the number of points."""
        return math.prod(self.shape)

    def positions(self, index: Any) -> tuple[Any, ...]:
        """Return the position on each axis of global indices (a number or an array)."""
        if self.mode is Mode.ZIP:
            return (index,) * len(self.axes)
        return np.unravel_index(index, self.shape)

    def point(self, index: int) -> dict[str, Value]:
        """Return the values at one global index."""
        return {axis.name: axis.values[int(i)] for axis, i in zip(self.axes, self.positions(index), strict=True)}

    def columns(self, index: np.ndarray) -> dict[str, np.ndarray]:
        """Return the values (n,) of each axis at global indices (n,)."""
        return {axis.name: axis.array()[i] for axis, i in zip(self.axes, self.positions(index), strict=True)}


def grid(axes: Mapping[str, Any], mode: Mode | str = Mode.GRID, units: Mapping[str, str] | None = None) -> Grid:
    """Build the points of a sweep.

    Args:
        axes: name -> list of values, or {"start", "stop", "num", "scale"} (see `spaced`).
        mode: "grid" crosses the axes, "zip" walks along all of them together.
        units: name -> unit, for labels.

    Raises:
        ValueError: if an axis is empty, repeats itself, mixes numbers with texts, zipped axes differ in length, or
            there are too many points.
    """
    if mode not in tuple(Mode):
        raise ValueError(f"Argument `mode` must be 'grid' or 'zip', but is {_text.echoed(mode)}.")
    mode = Mode(mode)
    if not axes:
        raise ValueError("A sweep needs at least one axis.")
    built = tuple(
        Axis(name=name, values=axis_values(name, given), unit=(units or {}).get(name, ""))
        for name, given in axes.items()
    )
    lengths = {axis.name: len(axis.values) for axis in built}
    if mode is Mode.ZIP and len(set(lengths.values())) > 1:
        told = ", ".join(f"{_text.one_line(name)} has {length}" for name, length in lengths.items())
        raise ValueError(f'Axes of mode "zip" must be equally long, but {told}.')
    for axis in built if mode is Mode.GRID else ():
        if len(set(axis.values)) < len(axis.values):
            raise ValueError(f'Axis `{_text.one_line(axis.name)}` must not repeat a value in mode "grid".')
    points = Grid(axes=built, mode=mode)
    _budget.POINTS.require(points.num_points)
    return points


def axis_values(name: str, given: Any) -> tuple[Value, ...]:
    """Return the values of one axis as plain Python values.

    Raises:
        ValueError: if there is none, or one is not a number or text.
    """
    name = _text.one_line(name)
    if isinstance(given, Mapping):
        try:
            return spaced(**given)
        except TypeError:
            raise ValueError(f"Axis `{name}` needs the keys start, stop and num, and takes scale.") from None
        except ValueError as error:
            raise ValueError(f"Axis `{name}`: {error}") from None
    if isinstance(given, str) or (not isinstance(given, Sequence) and not hasattr(given, "tolist")):
        raise ValueError(f"Axis `{name}` must be a list, or {{start, stop, num, scale}}, but is {_text.echoed(given)}.")
    values = tuple(given if isinstance(given, Sequence) else given.tolist())
    if not values:
        raise ValueError(f"Axis `{name}` must hold at least one value.")
    if not all(isinstance(value, (int, float, str, bool)) for value in values):
        raise ValueError(f"Axis `{name}` must hold numbers or texts, but holds {_text.echoed(values[0])}.")
    if any(isinstance(value, float) and math.isnan(value) for value in values):
        raise ValueError(f"Axis `{name}` must not hold nan.")
    if len({isinstance(value, (str, bool)) for value in values}) > 1:
        raise ValueError(f"Axis `{name}` must hold numbers or texts, but not both.")
    return values


def spaced(*, start: float, stop: float, num: int, scale: Scale | str = Scale.LINEAR) -> tuple[float, ...]:
    """Return `num` values from `start` to `stop`, both included, in equal steps or equal ratios.

    Example:
        >>> spaced(start=1.0, stop=100.0, num=3, scale="log")
        (1.0, 10.0, 100.0)

    Raises:
        ValueError: if `num` < 1, an end is not finite, or a logarithmic end is not positive.
    """
    if isinstance(num, bool) or not isinstance(num, int) or num < 1:
        raise ValueError(f"num must be a whole number of at least 1, but is {_text.echoed(num)}")
    _budget.POINTS.require(num)
    if not (math.isfinite(start) and math.isfinite(stop)):
        raise ValueError(f"start and stop must be finite, but are {start!r} and {stop!r}")
    if scale not in tuple(Scale):
        raise ValueError(f"scale must be 'linear' or 'log', but is {_text.echoed(scale)}")
    if scale == Scale.LOG and min(start, stop) <= 0:
        raise ValueError(f"start and stop must be positive on a log scale, but are {start!r} and {stop!r}")
    if num > 1 and start == stop:
        raise ValueError(f"start and stop must differ, but both are {start!r}")
    if num == 1:
        return (float(start),)
    space = np.geomspace if scale == Scale.LOG else np.linspace
    return tuple(float(value) for value in space(start, stop, num))
