"""Key fractions against their published thresholds, bounds, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from qtn import bb84_fraction, plob_rate, secret_fraction, six_state_fraction
from qtn.evaluators.outcome import Info, Summary
from qtn.merit.fidelity import fidelity, qber_x, qber_z
from qtn.states.pair import from_fidelity, pauli_from_bell


def werner_with_qber(error):
    return from_fidelity(1 - 1.5 * error)


@pytest.mark.parametrize(("fraction", "threshold"), [(bb84_fraction, 0.1100278644), (six_state_fraction, 0.1261930833)])
def test_thresholds(fraction, threshold):
    root = brentq(lambda error: float(fraction(werner_with_qber(error))), 0.01, 0.3, xtol=1e-13)
    np.testing.assert_allclose(root, threshold, atol=1e-10)


def test_error_rates():
    state = jnp.array([0.7, 0.15, 0.1, 0.05])
    found = [float(f(state)) for f in (fidelity, qber_x, qber_z)]
    np.testing.assert_allclose(found, [0.7, 0.15, 0.25], atol=1e-15)


@pytest.mark.parametrize("fraction", [bb84_fraction, six_state_fraction])
def test_perfect_and_mixed_pairs(fraction):
    np.testing.assert_allclose(fraction(from_fidelity(1.0)), 1.0, atol=1e-15)
    np.testing.assert_allclose(fraction(from_fidelity(0.25)), -1.0, atol=1e-12)


@pytest.mark.parametrize("state", [[1.0, 0, 0, 0], [0.25] * 4, [0, 0, 0, 1.0], [0.9, 0.05, 0.03, 0.02]], ids=str)
@pytest.mark.parametrize("fraction", [bb84_fraction, six_state_fraction])
def test_derivatives_are_finite_and_right(fraction, state):
    state = jnp.array(state)
    slope = jax.grad(fraction)(state)
    assert np.all(np.isfinite(slope))
    if float(state.min()) > 0:
        step = 1e-6 * jnp.array([1.0, -1.0, 0.5, -0.5])
        finite = (fraction(state + step) - fraction(state - step)) / 2
        np.testing.assert_allclose(slope @ step, finite, rtol=1e-6, atol=1e-14)


def test_clipping():
    info = Info(tail_mass=jnp.zeros(()), grid_error=jnp.zeros(()), step=jnp.ones(()), num_steps=2)
    summary = Summary(mean_time=jnp.asarray(1.0), state=pauli_from_bell(from_fidelity(0.5)), info=info)
    assert float(secret_fraction(summary)) == 0.0
    assert float(secret_fraction(summary, clip=False)) < 0


def test_plob():
    np.testing.assert_allclose(plob_rate(jnp.asarray(0.5), jnp.asarray(1e6)), 1e6, rtol=1e-12)
    np.testing.assert_allclose(plob_rate(jnp.asarray(1e-9), jnp.asarray(1.0)), 1e-9 / np.log(2), rtol=1e-8)
