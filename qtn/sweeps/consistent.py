"""Whether the arrays of a store are those that its attributes describe."""

import contextlib
from typing import Any

import numpy as np
import zarr

from qtn.sweeps.layout import RESERVED, Layout


def check_arrays(group: zarr.Group, layout: Layout) -> None:
    """Compare the arrays of a store with what its attributes say.

    Raises:
        ValueError: if they disagree.
    """
    kinds = {"index": "i8", "done": "u1", **{column.name: "f8" for column in layout.columns}}
    axes = layout.grid.columns(layout.rows)
    for name in (*RESERVED, *kinds, *axes):
        array: Any = group[name]
        if array.shape != (layout.num_points,) or array.chunks != (layout.batch,):
            raise ValueError(
                f"`{name}` has {array.shape[0]:,} rows in chunks of {array.chunks[0]:,}, but the attributes say "
                f"{layout.num_points:,} in chunks of {layout.batch:,}"
            )
        if name in kinds and array.dtype != np.dtype(kinds[name]):
            raise ValueError(f"`{name}` holds {array.dtype}, but must hold {np.dtype(kinds[name])}")
    for name, values in axes.items():
        with contextlib.suppress(Exception):  # a damaged chunk; the attributes hold the values too
            found = np.asarray(group[name][:])  # pyright: ignore
            if not np.array_equal(found.astype(values.dtype), values):
                break
    else:
        return
    raise ValueError(f"the values of axis `{name}` are not those of the attributes")
