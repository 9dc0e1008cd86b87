"""Linear recurrences against loops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from qtn.tensors import recurrence
from qtn.tensors.recurrence import convolve, decay_scan, delay, delayed, repeat_until_success, two_sided_decay


def check_both_modes(function, x, rate):
    compiled = jax.jit(lambda x, rate: function(x, rate))  # a program of its own, also where parts are replaced
    check_grads(compiled, (x, rate), order=1, modes=("fwd", "rev"), rtol=1e-4)


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
    check_both_modes(decay_scan, x, rate)


@pytest.mark.parametrize("length", [17, pytest.param(300, marks=pytest.mark.slow), 5000])
def test_carries_in_blocks_as_off_a_cpu_are_the_same(length, monkeypatch):
    x, rate = sequence(length), jnp.array([0.0, 0.03, 2.0])
    on_cpu = decay_scan(x, rate)
    monkeypatch.setattr(recurrence, "_step_by_step", decay_scan)
    np.testing.assert_allclose(decay_scan(x, rate), on_cpu, rtol=1e-12)
    check_both_modes(decay_scan, x[:, :150], rate)


def test_off_a_cpu_nothing_runs_step_by_step():
    traced = jax.jit(decay_scan).trace(sequence(5000), jnp.array([0.0, 0.03, 2.0]))
    assert "stablehlo.while" in traced.lower(lowering_platforms=("cpu",)).as_text()
    assert "stablehlo.while" not in traced.lower(lowering_platforms=("cuda",)).as_text()


@pytest.mark.parametrize("length", [1, 16, 33, 700])
def test_two_sided_decay_equals_the_sum(length):
    x, rate = sequence(length), jnp.array([0.0, 0.03, 2.0])
    lag = np.abs(np.subtract.outer(np.arange(length), np.arange(length)))
    expected = np.einsum("kts,ks->kt", np.exp(-np.asarray(rate)[:, None, None] * lag), x)
    np.testing.assert_allclose(two_sided_decay(x, rate), expected, rtol=1e-12)
    check_both_modes(two_sided_decay, x[:, :33], rate)


@pytest.mark.parametrize("length", [1, 2, 401, 1009])  # primes: transforms are longer than twice the grid
def test_convolution_at_any_length(length):
    x, y = sequence(length), sequence(length, 1)
    expected = [np.convolve(a, b)[:length] for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(convolve(x, y), expected, rtol=1e-12)


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


@pytest.mark.parametrize("length", [2048, 2011])
def test_repeat_until_success_of_a_geometric_link(length):
    bad = jnp.zeros(length).at[1].set(0.9)
    good = jnp.zeros((1, length)).at[0, 1].set(0.1)
    found = repeat_until_success(good, bad, jnp.asarray(10.0))[0]
    np.testing.assert_allclose(found[1:200], 0.1 * 0.9 ** np.arange(199), atol=1e-15)
