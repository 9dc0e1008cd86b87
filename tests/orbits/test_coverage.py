"""Gaps between passes, and stores that bridge them."""

import jax
import numpy as np
import pytest

from qtn.orbits import Passes, buffer, coverage


def seen(*intervals):
    rise, fall = np.array(intervals, float).reshape(-1, 2).T
    none = np.zeros((len(rise), 1))
    return Passes(
        time=none, elevation=none, slant_range=none, dwell=none, rise=rise, set=fall, satellite=(0,) * len(rise)
    )


def test_gaps():
    found = coverage(seen((10, 20), (15, 30), (16, 18), (50, 60)), 0.0, 100.0)
    np.testing.assert_allclose(found.gaps, [10, 0, 0, 20, 40])
    np.testing.assert_allclose([found.longest_gap, found.seen_time, found.fraction], [40, 30, 0.3])


def test_without_passes_there_is_one_gap():
    found = coverage(seen(), 0.0, 100.0)
    np.testing.assert_allclose([found.longest_gap, found.fraction], [100, 0])
    assert float(buffer(seen(), np.zeros(0), 0.0, 100.0).capacity) == 0.0


def brute_force(passes, amounts, rate, duration):
    """Least store at the start and most ever, on a grid of a hundredth."""
    level, lowest, highest = 0.0, 0.0, 0.0
    for step in range(round(duration * 100) + 1):
        level -= rate / 100 if step else 0.0
        lowest = min(lowest, level)
        level += sum(a for a, end in zip(amounts, passes.set, strict=True) if round(end * 100) == step)
        highest = max(highest, level)
    return -lowest, highest - lowest


@pytest.mark.parametrize("rate", [None, 0.5, 3.0])
def test_buffers(rate):
    passes, amounts = seen((10, 20), (15, 30), (16, 18), (50, 60)), np.array([30.0, 50.0, 5.0, 40.0])
    found = buffer(passes, amounts, 0.0, 100.0, rate=rate)
    used = 1.25 if rate is None else rate
    np.testing.assert_allclose(found.rate, used)
    expected = brute_force(passes, amounts, used, 100.0)
    np.testing.assert_allclose([found.needed_at_start, found.capacity], expected, atol=1e-9)


def test_buffers_have_gradients():
    passes, amounts = seen((10, 20), (15, 30), (50, 60)), np.array([30.0, 50.0, 40.0])

    def of(x):
        return buffer(passes, x, 0.0, 100.0).capacity

    slope = jax.grad(of)(amounts)
    numeric = [(of(amounts + 1e-4 * e) - of(amounts - 1e-4 * e)) / 2e-4 for e in np.eye(3)]
    np.testing.assert_allclose(slope, numeric, atol=1e-8)


def test_errors():
    with pytest.raises(ValueError, match="one number for each of 1 passes"):
        buffer(seen((1, 2)), [1.0, 2.0], 0.0, 10.0)
    with pytest.raises(ValueError, match="`amounts` must be non-negative"):
        buffer(seen((1, 2)), [-1.0], 0.0, 10.0)
    with pytest.raises(ValueError, match="`duration` must be positive"):
        coverage(seen((1, 2)), 0.0, 0.0)
