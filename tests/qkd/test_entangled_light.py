"""Continuous-wave entangled light: Monte Carlo of clicks, interior optima, gradients, messages."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.qkd import entangled_light, session

USUAL = {"jitter": 150e-12, "dark_count_rates": (250.0, 250.0), "polarisation_error": 0.01, "dead_time": 2e-8}


def key_rate(bright, window, **other):
    """Asymptotic BBM92 with error correction 1.1, half of the coincidences sifted."""
    found = entangled_light(bright, (1e-2, 2e-3), window=window, **{**USUAL, **other})
    e = found.error_rate
    entropy = -(e * jnp.log2(e) + (1 - e) * jnp.log2(1 - e))
    return found.rate / 2 * (1 - 2.1 * entropy)


def test_clicks_at_random_times():
    """Pairs at Poisson times with jitter; coincidences counted within the window around each of Alice's clicks."""
    random, bright, seconds, window, jitter = np.random.default_rng(6), 2e5, 20.0, 4e-8, 3e-8
    times = random.uniform(0, seconds, random.poisson(bright * seconds))
    alice = times[random.random(times.size) < 0.3]
    seen = times[random.random(times.size) < 0.2]
    dark = random.uniform(0, seconds, random.poisson(5e4 * seconds))
    delay = random.normal(0, jitter / np.sqrt(8 * np.log(2)), seen.size)
    bob = np.sort(np.concatenate([seen + delay, dark]))
    near = np.searchsorted(bob, alice + window / 2) - np.searchsorted(bob, alice - window / 2)
    found = entangled_light(bright, (0.3, 0.2), window=window, jitter=jitter, dark_count_rates=(0.0, 5e4))
    assert near.sum() / seconds == pytest.approx(float(found.rate), abs=4 * np.sqrt(near.sum()) / seconds)


def test_brightness_and_window_have_interior_optima():
    for bright, window in ((1e7, None), (None, 3e-10)):
        grid = np.geomspace(1e-11, 1e-8, 40) if window is None else np.geomspace(1e5, 1e10, 40)
        rates = [float(key_rate(bright or x, window or x)) for x in grid]
        assert 0 < int(np.argmax(rates)) < 39


def test_gradients():
    numbers = {"bright": 1e7, "window": 3e-10, "jitter": 1.5e-10, "polarisation_error": 0.01, "dead_time": 2e-8}
    slopes = jax.grad(lambda x: key_rate(**x))(numbers)
    for name, x in numbers.items():
        up, down = (float(key_rate(**{**numbers, name: x * (1 + s * 1e-5)})) for s in (1, -1))
        assert slopes[name] == pytest.approx((up - down) / (2e-5 * x), rel=1e-6), name
    assert np.isfinite(jax.grad(lambda x: entangled_light(x, (0.1, 0.1), window=1e-9).error_rate)(0.0))


def test_its_coincidences_are_signals_of_a_session():
    found = entangled_light(1e7, (1e-2, 2e-3), window=3e-10, **USUAL)
    assert session(found.error_rate, signals=found.rate * 600.0).throughput > 0.2


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"window": 0.0}, "`window` must be positive"),
        ({"window": 1e-9, "polarisation_error": 0.7}, "`polarisation_error` must lie in"),
        ({"window": 1e-9, "efficiencies": (0.1, 1.2)}, "`efficiencies` must lie in"),
    ],
    ids=["window", "error", "efficiency"],
)
def test_wrong_numbers_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        entangled_light(**{"pair_rate": 1e6, "efficiencies": (0.1, 0.1), **arguments})
