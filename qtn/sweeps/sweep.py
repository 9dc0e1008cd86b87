"""Sweep any function from Python, without files: `qtn.sweep(fn, axes) -> xarray.Dataset`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import xarray as xr
from tqdm import tqdm

from qtn.sweeps.batch import Batched
from qtn.sweeps.spec import Axis, Grid, Mode, grid

BLOCK = 1024
"""Points of one call, between two movements of the progress bar."""


def sweep(
    function: Callable[..., Any],
    axes: Mapping[str, Any] | Grid,
    *,
    mode: Mode | str = Mode.GRID,
    static: Sequence[str] = (),
    units: Mapping[str, str] | None = None,
    batch: int = BLOCK,
    devices: Sequence[Any] | None = None,
    compiled: bool = True,
    progress: bool = True,
    key: Any = None,
) -> xr.Dataset:
    """Evaluate a function at every point of a grid, compiled and batched over all local devices.

    Args:
        function: called with one keyword argument an axis (a traced scalar); returns a scalar, an array, or a
            dictionary or other pytree of them. Wrap it in `jax.grad` or `jax.value_and_grad` for derivatives.
        axes: name -> list of values, or {"start", "stop", "num", "scale": "linear" | "log"}.
        mode: "grid" crosses the axes, "zip" walks along all of them together.
        static: names of axes that change structure (number of links, a schedule): their values are passed as plain
            Python, and the function is compiled once for each. Axes of texts always are.
        units: name -> unit of an axis or output, kept as the attribute `units`.
        batch: points of one call; results do not depend on it.
        devices: where; all local devices by default.
        compiled: whether the function can be compiled. One that looks at its numbers cannot, such as `qtn.evaluate`
            where it chooses its time grid: either fix that with `Renewal().planned(...)`, or give False, and the
            function is called point by point with plain numbers.
        progress: whether to show a bar.
        key: random key; if given, the function also gets `key = fold_in(key, global index of the point)`.

    Returns:
        dataset: one variable an output (nested names are joined with dots; a lone output is called "value"), with one
            dimension an axis, or `point` for zipped axes.

    Raises:
        ValueError: for impossible axes, or a batch that is none.

    Note:
        Exact. Draws are the same whatever the batch and the number of devices; numbers are so up to rounding.

    Example:
        >>> found = sweep(lambda p, w: {"f": p * w}, {"p": [0.1, 0.2], "w": [1.0, 2.0, 3.0]}, progress=False)
        >>> found["f"].sel(p=0.2).values.tolist()
        [0.2, 0.4, 0.6000000000000001]
    """
    if batch < 1:
        raise ValueError(f"Argument `batch` must be at least 1, but is {batch}.")
    points = axes if isinstance(axes, Grid) else grid(axes, mode, units)
    names = {axis.name for axis in points.axes}
    for name in static:
        if name not in names:
            raise ValueError(f"Argument `static` names `{name}`, but the axes are {', '.join(sorted(names))}.")
    fixed = [axis for axis in points.axes if axis.name in static or not axis.numeric]
    found: dict[str, np.ndarray] = {}
    with tqdm(total=points.num_points, unit=" points", disable=not progress) as bar:
        for values, index in _structures(points, fixed):
            block = min(batch, index.size) if compiled else 1
            of_point = _of_point(function, values, key)
            run = Batched(of_point, block=block, devices=devices) if compiled else _eager(of_point)
            for start in range(0, index.size, block):
                some = index[start : start + block]
                _fill(found, some, points.num_points, run(_traced(points, fixed, some)))
                bar.update(some.size)
    return _dataset(points, found, units or {})


def _structures(points: Grid, fixed: Sequence[Axis]) -> list[tuple[dict[str, Any], np.ndarray]]:
    """Return each combination of static values, with the global indices (n,) of its points."""
    index = np.arange(points.num_points)
    places = dict(zip((axis.name for axis in points.axes), points.positions(index), strict=True))
    groups: dict[tuple[int, ...], list[int]] = {}
    for i in index:
        groups.setdefault(tuple(int(places[axis.name][i]) for axis in fixed), []).append(int(i))
    return [
        ({axis.name: axis.values[i] for axis, i in zip(fixed, key, strict=True)}, np.array(members))
        for key, members in groups.items()
    ]


def _of_point(function: Callable[..., Any], values: Mapping[str, Any], key: Any) -> Callable[[Any], Any]:
    """Return the function of one traced point: {"index", "numbers"}."""

    def of_point(point: Any) -> Any:
        random = {} if key is None else {"key": jax.random.fold_in(key, point["index"])}
        return function(**values, **point["numbers"], **random)

    return of_point


def _eager(of_point: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the function of one point, with plain numbers, as a function of arrays (1,)."""

    def run(point: Any) -> Any:
        plain = jax.tree.map(lambda column: column[0].item(), point)
        return jax.tree.map(lambda leaf: np.asarray(leaf)[None], of_point(plain))

    return run


def _traced(points: Grid, fixed: Sequence[Axis], index: np.ndarray) -> dict[str, Any]:
    """Return the points at global indices, without the static axes."""
    skipped = {axis.name for axis in fixed}
    numbers = {name: column for name, column in points.columns(index).items() if name not in skipped}
    return {"index": index, "numbers": numbers}


def _fill(found: dict[str, np.ndarray], index: np.ndarray, total: int, outputs: Any) -> None:
    """Put outputs (n, ...) where they belong among all points; what a structure lacks stays nan."""
    for path, leaf in jax.tree_util.tree_flatten_with_path(outputs)[0]:
        name = ".".join(_part(part) for part in path) or "value"
        if name not in found:
            kind = (
                np.result_type(leaf.dtype, np.float32)
                if leaf.dtype.kind in "biu" and index.size < total
                else leaf.dtype
            )
            empty = np.nan if np.issubdtype(kind, np.inexact) else 0
            found[name] = np.full((total, *leaf.shape[1:]), empty, dtype=kind)
        if found[name].shape[1:] != leaf.shape[1:]:
            raise ValueError(
                f"Output `{name}` has shape {leaf.shape[1:]} here and {found[name].shape[1:]} elsewhere: structures "
                "may change numbers, not shapes; return a scalar."
            )
        found[name][index] = leaf


def _part(part: Any) -> str:
    """Return one step of a path into a pytree as text."""
    return str(getattr(part, "key", getattr(part, "name", getattr(part, "idx", part))))


def _dataset(points: Grid, found: Mapping[str, np.ndarray], units: Mapping[str, str]) -> xr.Dataset:
    """Return the outputs (num_points, ...) as a dataset."""
    zipped = points.mode == "zip"
    dims = ["point"] if zipped else [axis.name for axis in points.axes]
    coords = {
        axis.name: ("point" if zipped else axis.name, axis.array(), {"units": axis.unit} if axis.unit else {})
        for axis in points.axes
    }
    data = {}
    for name, values in found.items():
        own = [f"{name}_{i}" for i in range(values.ndim - 1)]
        label = f"{name} (output)" if name in coords else name
        attributes = {"units": units[name]} if name in units else {}
        data[label] = ([*dims, *own], values.reshape(*points.shape, *values.shape[1:]), attributes)
    return xr.Dataset(data, coords)
