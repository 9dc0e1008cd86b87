"""Pulsed down-conversion: sums over photon numbers, a published row and a better optimum, gradients, messages."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from qtn.hardware.fibre import transmissivity
from qtn.qkd import down_conversion

DARK = {"dark_count_probabilities": (1e-8, 1e-8), "misalignment": 0.1}


def row(mean_pairs):
    """The documented row of the package: .2 dB in halves, unit efficiency."""
    eta = transmissivity(0.1)
    return down_conversion(mean_pairs, (eta, eta), **DARK).asymptotic_rate()


def test_gains_are_sums_over_photon_numbers():
    half, first, second = 0.3, 0.4, 0.15
    n = np.arange(400)
    weights = (n + 1) * half**n / (1 + half) ** (n + 2.0)
    clicks = (1 - 0.99 * (1 - first) ** n) * (1 - 0.98 * (1 - second) ** n)
    found = down_conversion(0.6, (first, second), dark_count_probabilities=(0.01, 0.02))
    assert found.gain == pytest.approx(np.sum(weights * clicks), rel=1e-12)


def test_one_pair_is_wrong_as_often_as_detectors_are():
    found = down_conversion(1e-7, (0.3, 0.2), misalignment=0.03)
    assert found.error_rate == pytest.approx(0.03, abs=1e-6)


def test_the_documented_row_and_a_better_optimum():
    """tno-quantum-communication-qkd-key-rate 2.0.4, module bbm92: its rate at mu .04789677, and the best that it finds."""
    assert row(0.04789677) == pytest.approx(0.001373314551563173, rel=1e-12)
    best = minimize_scalar(lambda mu: -float(row(mu)), bounds=(0.01, 0.1), method="bounded", options={"xatol": 1e-12})
    assert -best.fun > 0.0013733145512722993 + 7e-9
    assert abs(float(jax.grad(row)(best.x))) < 1e-8


@pytest.mark.parametrize("mean_pairs", [0.05, 0.3])
def test_gradients(mean_pairs):
    def error(x):
        return down_conversion(x["mu"], (x["a"], 0.2), misalignment=x["wrong"]).error_rate

    numbers = {"mu": mean_pairs, "a": 0.4, "wrong": 0.02}
    slopes = jax.grad(error)(numbers)
    for name, x in numbers.items():
        up, down = (float(error({**numbers, name: x * (1 + s * 1e-5)})) for s in (1, -1))
        assert slopes[name] == pytest.approx((up - down) / (2e-5 * x), rel=1e-6), name
    assert jnp.isfinite(jax.grad(lambda mu: down_conversion(mu, (0.1, 0.1)).error_rate)(0.0))


def test_wrong_numbers_are_named():
    with pytest.raises(ValueError, match="`mean_pairs` must be non-negative"):
        down_conversion(-0.1, (0.1, 0.1))
    with pytest.raises(ValueError, match="`misalignment` must lie in"):
        down_conversion(0.1, (0.1, 0.1), misalignment=0.6)
