"""Bounded parameters."""

import jax.numpy as jnp
import numpy as np
import pytest

from qtn.optimisation.bounded import Interval

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


@pytest.mark.parametrize(
    ("interval", "value", "ended"),
    [
        (Interval(1.0, 1e4), 1.577, False),
        (Interval(1.0, 1e4), 1.0 + 1e-6, True),
        (Interval(1.0, 1e4), 9999.5, True),
        (Interval(1e-9, 1 - 1e-9), 0.998, False),
        (Interval(1e-9, 1 - 1e-9), 1 - 1e-6, True),
        (Interval(1e-9, 1 - 1e-9), 1e-5, False),
        (Interval(-2.0, 5.0), -2.0 + 1e-6, True),
        (Interval(lower=3.0), 3.0, False),
    ],
)
def test_ends_are_found_on_the_scale_of_the_interval(interval, value, ended):
    assert interval.at_end(value) is ended
