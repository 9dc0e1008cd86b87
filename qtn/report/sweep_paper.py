"""One figure of a sweep for a paper, as PDF, SVG or PNG."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import xarray as xr

from qtn import _files, _text
from qtn.report import sweep_figures
from qtn.report.sweep_data import label, matched, outputs, picked, varying

KINDS = (".pdf", ".svg", ".png")


def save_plot(
    found: xr.Dataset,
    path: Path,
    *,
    x: str,
    y: str,
    of: str | None = None,
    by: str | None = None,
    where: Mapping[str, str] | None = None,
    width: float = 3.4,
) -> Path:
    """Draw lines (`y` is an output) or a heat map of `of` (`y` is an axis), and save the figure.

    Args:
        found: from `qtn.sweeps.dataset.open_dataset`.
        path: ends with .pdf, .svg or .png.
        x: axis, by its name or the end of it.
        y: output or axis.
        of: output of a heat map.
        by: axis with one line for each value.
        where: axis -> value, the nearest is taken; an axis with one value needs none.
        width: [inch].

    Raises:
        ValueError: if a name does not fit, an axis is left over, matplotlib is absent or the file cannot be written.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ValueError("qtn plot: needs matplotlib: `pip install matplotlib`")
    if path.suffix.lower() not in KINDS:
        raise ValueError(f"--out: must end with one of {', '.join(KINDS)}, but is {_text.echoed(path.name)}")
    found = picked(found, where or {})
    axes, results = [str(name) for name in found.coords], outputs(found)
    everything = [str(name) for name in found.data_vars if found[name].dtype.kind == "f"]
    x = matched(found, x, axes, "--x")
    is_map = y not in everything and any(name == y or name.endswith(f".{y}") for name in axes)
    if is_map:
        y = matched(found, y, axes, "--y")
        if of is None and len(results) != 1:
            raise ValueError(f"--of: say which output the heat map shows: {', '.join(results)}")
        shown = matched(found, of or results[0], everything, "--of")
    else:
        shown = matched(found, y, everything, "--y")
        by = None if by is None else matched(found, by, axes, "--by")
    used = {dimension for name in (x, by, y if is_map else None) if name for dimension in found[name].dims}
    left = [axis for axis in varying(found) if axis not in used]
    if not is_map and by is None and len(left) == 1:
        by = left.pop()
    if left:
        cure = "--where" if is_map else "--where or --by"
        raise ValueError(f"{cure}: say where {', '.join(label(found, axis) for axis in left)} lies, as AXIS=VALUE")
    import matplotlib

    with matplotlib.rc_context({"pdf.fonttype": 42, "svg.fonttype": "none", "font.size": 8, "lines.linewidth": 1.2}):
        if is_map:
            drawing = sweep_figures.heat_map(found, shown, x, y, (width, 0.75 * width))
        else:
            drawing = sweep_figures.lines(found, shown, x, by, (width, 0.7 * width))
        try:
            with _files.writing(path) as stream:
                drawing.savefig(stream, format=path.suffix[1:].lower(), dpi=300)
        except OSError as error:
            raise ValueError(f"--out: {path} cannot be written: {error.strerror}") from error
    return path
