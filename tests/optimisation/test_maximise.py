"""Bounded parameters and the optimiser."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.optimisation.bounded import Interval
from qtn.optimisation.maximise import Settings, maximise

INTERVALS = [Interval(0.0, 1.0), Interval(-2.0, 5.0), Interval(lower=3.0), Interval(upper=-1.0), Interval()]


@pytest.mark.parametrize("interval", INTERVALS, ids=str)
def test_transforms_invert_and_stay_inside(interval):
    free = jnp.linspace(-8.0, 8.0, 33)
    value = interval.bounded(free)
    assert np.all((value > interval.lower) & (value < interval.upper))
    np.testing.assert_allclose(interval.free(value), free, atol=1e-7)
    assert np.all(np.diff(value) > 0)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_start_on_an_end_is_finite(value):
    assert np.isfinite(Interval(0.0, 1.0).free(jnp.asarray(value)))


def test_finds_the_maximum_from_every_start():
    def objective(p, scale):
        return scale * (1 - (p["x"] - 0.2) ** 2 - (jnp.log(p["y"]) - 1.0) ** 2)

    fit = maximise(
        objective,
        {"x": 0.9, "y": 100.0},
        {"x": Interval(0.0, 1.0), "y": Interval(lower=0.0)},
        context=lambda starts: [jnp.asarray(7.0) for _ in starts],
        key=jax.random.key(1),
    )
    np.testing.assert_allclose(
        [fit.params["x"], fit.params["y"]], [0.2, np.e], rtol=5e-3
    )  # values agree to 1e-6, so parameters to 1e-3
    assert "All 3 starts agree to 1e-06." in fit.status
    assert fit.history.shape[1] == 3
    assert fit.evaluations == fit.history.size


def test_nan_does_not_spread():
    def objective(p, _):
        return jnp.where(p["x"] > 0.6, jnp.nan, p["x"] * (0.5 - p["x"]))

    fit = maximise(
        objective, {"x": 0.3}, {"x": Interval(0.0, 1.0)}, key=jax.random.key(0), settings=Settings(max_chunks=6)
    )
    np.testing.assert_allclose(fit.params["x"], 0.25, atol=1e-3)


def test_status_names_disagreement_and_ends():
    def objective(p, _):
        return p["x"] + 0 * p["y"]

    fit = maximise(
        objective,
        {"x": 0.5, "y": 1.0},
        {"x": Interval(0.0, 1.0), "y": Interval(lower=0.0)},
        settings=Settings(max_chunks=40, settled=1.0, decay=1.0, rtol=1e-6),
        key=jax.random.key(0),
    )
    assert "At the end of its range: x." in fit.status


def test_two_optima_are_reported():
    def objective(p, _):
        return -(((p["x"] - 0.1) * (p["x"] - 0.9)) ** 2) + 0.1 * p["x"] + 1

    settings = Settings(num_starts=6, scatter=4.0)
    fit = maximise(objective, {"x": 0.02}, {"x": Interval(0.0, 1.0)}, settings=settings, key=jax.random.key(3))
    assert "differ" in fit.status or "agree" in fit.status
    assert fit.value == pytest.approx(max(fit.start_values))
