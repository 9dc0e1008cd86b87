"""The points of a sweep: values, order, and what cannot be an axis."""

import numpy as np
import pytest

from qtn.sweeps.spec import grid, spaced


def test_a_grid_crosses_with_the_last_axis_fastest():
    points = grid({"a": [1.0, 2.0], "b": [10, 20, 30]})
    assert points.num_points == 6
    assert [points.point(i) for i in (0, 1, 3)] == [{"a": 1.0, "b": 10}, {"a": 1.0, "b": 20}, {"a": 2.0, "b": 10}]
    columns = points.columns(np.array([5, 0]))
    assert columns["a"].tolist() == [2.0, 1.0]
    assert columns["b"].dtype == np.int64


def test_zipped_axes_walk_together():
    points = grid({"a": [1.0, 2.0, 3.0], "tree": ["x", "y", "z"]}, mode="zip")
    assert points.num_points == 3
    assert points.point(1) == {"a": 2.0, "tree": "y"}


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (dict(start=0.0, stop=1.0, num=3), (0.0, 0.5, 1.0)),
        (dict(start=1.0, stop=100.0, num=3, scale="log"), (1.0, 10.0, 100.0)),
        (dict(start=100.0, stop=1.0, num=3, scale="log"), (100.0, 10.0, 1.0)),
        (dict(start=4.0, stop=9.0, num=1), (4.0,)),
    ],
    ids=["linear", "log", "downwards", "one"],
)
def test_spaced_values(given, values):
    assert spaced(**given) == pytest.approx(values, rel=1e-15)


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_both_ends_are_exact(scale):
    found = spaced(start=0.1, stop=0.7, num=37, scale=scale)
    assert (found[0], found[-1]) == (0.1, 0.7)


@pytest.mark.parametrize(
    ("axes", "mode", "words"),
    [
        ({}, "grid", "needs at least one axis"),
        ({"a": []}, "grid", "`a` must hold at least one value"),
        ({"a": [1.0, 1.0]}, "grid", "`a` must not repeat a value"),
        ({"a": [1.0, float("nan")]}, "grid", "`a` must not hold nan"),
        ({"a": [1.0, "x"]}, "grid", "`a` must hold numbers or texts, but not both"),
        ({"a": "abc"}, "grid", "must be a list, or {start, stop, num, scale}, but is 'abc'"),
        ({"a": {"start": 1.0}}, "grid", "`a` needs the keys start, stop and num"),
        ({"a": {"start": 0.0, "stop": 1.0, "num": 3, "scale": "log"}}, "grid", "`a`: start and stop must be positive"),
        ({"a": {"start": 1.0, "stop": 1.0, "num": 3}}, "grid", "start and stop must differ"),
        ({"a": {"start": 1.0, "stop": 2.0, "num": 0}}, "grid", "num must be a whole number of at least 1, but is 0"),
        ({"a": {"start": 1.0, "stop": 2.0, "num": 2, "scale": "cubic"}}, "grid", "scale must be 'linear' or 'log'"),
        ({"a": [1.0], "b": [1.0, 2.0]}, "zip", "must be equally long, but a has 1, b has 2"),
    ],
)
def test_impossible_axes(axes, mode, words):
    with pytest.raises(ValueError, match=words):
        grid(axes, mode)
