"""Linear recurrences against loops."""

import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from qtn.tensors.recurrence import decay_scan, delay, delayed, repeat_until_success


def sequence(length, seed=0):
    return jnp.asarray(np.random.default_rng(seed).random((3, length)))


@pytest.mark.parametrize("length", [1, 5, 64, 65, 200, 5000])
def test_decay_scan_equals_the_loop(length):
    x, rate = sequence(length), jnp.array([0.0, 0.03, 2.0])
    y = np.zeros((3, length))
    for t in range(length):
        y[:, t] = x[:, t] + (np.exp(-rate) * y[:, t - 1] if t else 0)
    np.testing.assert_allclose(decay_scan(x, rate), y, rtol=1e-12)


def test_decay_scan_gradients():
    x, rate = sequence(150), jnp.array([0.0, 0.03, 2.0])
    check_grads(
        lambda x, rate: decay_scan(jnp.asarray(x), jnp.asarray(rate)),
        (x, rate),
        order=1,
        modes=("fwd", "rev"),
        rtol=1e-4,
    )


@pytest.mark.parametrize("steps", [-30, -1, 0, 3, 19, 20, 25])
def test_delayed_shifts_and_fills_with_zeros(steps):
    x = sequence(20)
    expected = np.zeros((3, 20))
    for t in range(20):
        if 0 <= t - steps < 20:
            expected[:, t] = x[:, t - steps]
    np.testing.assert_array_equal(delayed(x, jnp.asarray(steps)), expected)


def test_delay_keeps_mass_and_mean():
    x = jnp.zeros((1, 50)).at[0, 7].set(1.0)
    late = delay(x, jnp.asarray(4.3))[0]
    np.testing.assert_allclose([late.sum(), late @ jnp.arange(50.0)], [1.0, 11.3], rtol=1e-14)


def test_repeat_until_success_is_the_renewal_equation():
    good, bad = 0.02 * sequence(400)[:2], (0.9 * sequence(400, 1)[0] / 400).at[0].set(0.0)
    expected = np.array(good)
    for t in range(400):
        expected[:, t] += expected[:, :t] @ np.asarray(bad)[t:0:-1]
    found = repeat_until_success(good, bad, jnp.asarray(1e9))
    np.testing.assert_allclose(found, expected, atol=5e-6)  # what outlasts the padded grid wraps round, damped


def test_repeat_until_success_of_a_geometric_link():
    bad = jnp.zeros(2048).at[1].set(0.9)
    good = jnp.zeros((1, 2048)).at[0, 1].set(0.1)
    found = repeat_until_success(good, bad, jnp.asarray(10.0))[0]
    np.testing.assert_allclose(found[1:200], 0.1 * 0.9 ** np.arange(199), atol=1e-15)
