"""A sweep of a simple function, whose right answers are known, for the tests of stores."""

import json

import numpy as np

from qtn.sweeps.layout import Column, Layout
from qtn.sweeps.run import run_shard
from qtn.sweeps.spec import grid
from qtn.sweeps.store import open_or_create

AXES = {"x": {"start": 0.0, "stop": 9.5, "num": 20}, "name": ["a", "b", "c"]}
COLUMNS = (Column("square", "m^2", "the square"), Column("error"))
TOTAL = 60


def layout(batch=7, config=None, index=None, axes=None):
    """Return a layout of 60 points, whose rows may be in another order."""
    config = json.dumps({"a": 1} if config is None else config)
    return Layout(grid(axes or AXES), COLUMNS, batch, config, index, (("title", "squares"), ("job", "evaluate")))


def answers(index):
    """Return the right columns and reasons at global indices; every 11th point fails."""
    x = grid(AXES).columns(index)["x"]
    failed = np.asarray(index) % 11 == 5
    square = np.where(failed, np.nan, x**2 + 1000 * (np.asarray(index) % 3))
    return {"square": square, "error": np.full(len(index), 1e-9)}, ["it is the 11th" if f else "" for f in failed]


def computed(path, shard=(0, 1), **more):
    """Make a store, compute a shard of it, and return it."""
    store = open_or_create(path, layout(**more))
    run_shard(store, answers, shard=shard)
    return store
