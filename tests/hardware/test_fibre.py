import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.hardware.fibre import DEFAULT_REFRACTIVE_INDEX, transmissivity, travel_time


@pytest.mark.parametrize(("loss", "expected"), [(0, 1.0), (3, 0.501187233627), (10, 0.1), (200, 1e-20)])
def test_transmissivity(loss, expected):
    np.testing.assert_allclose(transmissivity(loss), expected, rtol=1e-11)


def test_losses_in_series_multiply():
    np.testing.assert_allclose(transmissivity(5.1 + 16.7), transmissivity(5.1) * transmissivity(16.7), rtol=1e-14)


@pytest.mark.parametrize(("length", "index"), [(0.0, 1.0), (299_792_458.0, 1.0), (20e3, DEFAULT_REFRACTIVE_INDEX)])
def test_travel_time(length, index):
    np.testing.assert_allclose(travel_time(length, index), length * index / 299_792_458, rtol=1e-15)


def test_gradients():
    np.testing.assert_allclose(jax.grad(transmissivity)(0.0), -np.log(10) / 10, rtol=1e-14)
    np.testing.assert_allclose(jax.grad(travel_time)(0.0), 1.468 / 299_792_458, rtol=1e-14)


def test_vmap_is_loop():
    losses = jnp.array([0.0, 1.0, 16.6])
    np.testing.assert_array_equal(jax.vmap(transmissivity)(losses), [transmissivity(loss) for loss in losses])
