"""What the figures and tables of a sweep show: outputs over the axes that vary, with labels and units."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from qtn import _text

SERVICE = ("done", "reason", "grid_error", "tail_mass")
"""Variables that say how good the others are."""

NORMAL = 1.96
"""A standard error times this is half a 95 % interval."""

PER_CENT = 0.01
"""By how much numbers move in a band made of derivatives, relative to them."""


@dataclasses.dataclass(frozen=True)
class Band:
    """How far a value may lie off, on both sides, and why."""

    lower: np.ndarray
    upper: np.ndarray
    words: str


def outputs(found: xr.Dataset) -> list[str]:
    """Return the names of what was computed, without errors, derivatives and the like."""
    names = [str(name) for name in found.data_vars if str(name) not in SERVICE]
    numeric = [name for name in names if found[name].dtype.kind in "fiu" and set(found[name].dims) <= set(found.dims)]
    return [name for name in numeric if not is_derivative(name) and not is_spread(name, numeric)]


def is_derivative(name: str) -> bool:
    """Whether a column is a derivative."""
    return name.startswith("d_") and "_d_" in name


def is_spread(name: str, names: Sequence[str]) -> bool:
    """Whether a column is the error or a quantile of another one."""
    return re.sub(r"_(standard_error|lower|upper)$", "", name) in set(names) - {name}


def varying(found: xr.Dataset) -> list[str]:
    """Return the dimensions with more than one value."""
    return [str(name) for name, size in found.sizes.items() if size > 1]


def label(found: xr.Dataset, name: str) -> str:
    """Return a name in words with its unit; [1] where there is none; nothing for texts."""
    if name == "point":
        return "point"
    variable = found[name]
    words = str(variable.attrs.get("long_name") or name)
    words = in_words(name, str(variable.attrs.get("units", ""))) if words == name else words
    if variable.dtype.kind not in "fiub":
        return words
    return f"{words} [{variable.attrs.get('units') or '1'}]"


def in_words(name: str, unit: str = "") -> str:
    """Return a dotted name in words, without the unit at its end."""
    suffix = "_" + unit.lower().replace("/", "_per_").replace("bit_per_s", "hz")
    short = name[: -len(suffix)] if unit and name.lower().endswith(suffix) else name
    short = re.sub(r"^(chain|schedule)\.", "", short)
    return re.sub(r"[._]+", " ", short.replace("qber", "QBER")).strip()


def numeric_axis(found: xr.Dataset, name: str) -> tuple[np.ndarray, list[str] | None]:
    """Return (positions, labels) of an axis: its values, or whole numbers with texts."""
    values = found[name].values if name in found.coords else np.arange(found.sizes[name])
    if values.dtype.kind in "fiu" and np.all(np.isfinite(values.astype(float))):
        return values.astype(float), None
    return np.arange(len(values), dtype=float), [shown(value) for value in values]


def logarithmic(values: np.ndarray) -> bool:
    """Whether values are spaced in equal ratios rather than in equal steps."""
    if len(values) < 3 or np.min(values) <= 0:
        return False
    ordered = np.sort(values)
    ratios, steps = np.diff(np.log(ordered)), np.diff(ordered)
    return bool(np.ptp(ratios) / np.mean(ratios) < 0.5 * np.ptp(steps) / np.mean(steps))


def wide_range(values: np.ndarray) -> bool:
    """Whether numbers are positive and span more than a factor 30."""
    finite = values[np.isfinite(values) & (values > 0)]
    return bool(finite.size and np.nanmin(values) > 0 and np.max(finite) > 30 * np.min(finite))


def band(found: xr.Dataset, name: str) -> Band | None:
    """Return the band round an output: from its standard error, its limits, or its derivatives by the axes."""
    values = found[name].values
    if f"{name}_standard_error" in found:
        half = NORMAL * found[f"{name}_standard_error"].values
        return Band(values - half, values + half, "band: 95 % interval")
    if f"{name}_lower" in found and f"{name}_upper" in found:
        return Band(found[f"{name}_lower"].values, found[f"{name}_upper"].values, "band: lower to upper limit")
    by = [axis for axis in map(str, found.coords) if f"d_{name}_d_{axis}" in found]
    if not by:
        return None
    parts = [found[f"d_{name}_d_{axis}"] * found[axis] * PER_CENT for axis in by]
    half = np.sqrt(np.sum([part.transpose(*found[name].dims).values ** 2 for part in parts], axis=0))
    told = ", ".join(in_words(axis, str(found[axis].attrs.get("units", ""))) for axis in by)
    return Band(values - half, values + half, f"band: what 1 % of {told} changes")


def elasticity(found: xr.Dataset, name: str, axis: str) -> np.ndarray | None:
    """Return x/f df/dx of an output by an axis at every point, nan where the output is 0; None without derivative."""
    slope = f"d_{name}_d_{axis}"
    if slope not in found:
        return None
    values = found[name].values
    moved = (found[slope] * found[axis]).transpose(*found[name].dims).values
    return np.where(values != 0, moved / np.where(values != 0, values, 1.0), np.nan)


def spread_by_derivatives(found: xr.Dataset, name: str) -> bool:
    """Whether the band of an output can only come from its derivatives."""
    return f"{name}_standard_error" not in found and f"{name}_lower" not in found


def matched(found: xr.Dataset, wanted: str, among: Sequence[str], option: str) -> str:
    """Return the one name that is, or ends with, what was asked for.

    Raises:
        ValueError: if there is none, or more than one.
    """
    hits = [name for name in among if name == wanted] or [
        name for name in among if name.endswith(f".{wanted}") or in_words(name).endswith(wanted)
    ]
    if len(hits) != 1:
        problem = "is none" if not hits else "could be several"
        raise ValueError(f"{option}: {_text.echoed(wanted)} {problem} of: {', '.join(among) or 'nothing'}")
    return hits[0]


def picked(found: xr.Dataset, where: Mapping[str, str]) -> xr.Dataset:
    """Return the part of a dataset where axes have these values, or the nearest ones.

    Raises:
        ValueError: if an axis or a text value is not there.
    """
    for wanted, text in where.items():
        name = matched(found, wanted, [str(each) for each in found.sizes if each in found.coords], "--where")
        positions, texts = numeric_axis(found, name)
        if texts is not None:
            if text not in texts:
                raise ValueError(f"--where: {name} must be one of {', '.join(texts)}, but is {_text.echoed(text)}")
            found = found.isel({name: [texts.index(text)]})
            continue
        try:
            distance = np.abs(positions - float(text))
        except ValueError:
            raise ValueError(f"--where: {name} must be a number, but is {_text.echoed(text)}") from None
        found = found.isel({name: [int(np.argmin(distance))]})
    return found


def spread_out(size: int, most: int) -> list[int]:
    """Return at most `most` positions of `size`, the ends included."""
    if size <= most:
        return list(range(size))
    return sorted({round(x) for x in np.linspace(0, size - 1, most)})


def shown(value: Any) -> str:
    """Return a value for people."""
    if isinstance(value, (float, np.floating)):
        return "–" if np.isnan(value) else f"{value:.4g}"
    return str(value)
