"""Gauss rules of random waits: closed forms of a geometric wait, exact degrees, slopes, waits that cannot be."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.dqc.quadrature import gauss_nodes, independence_error, quadrature_error

TIMES = jnp.arange(1500.0)


def geometric(p):
    return jnp.where(TIMES > 0, p * (1 - p) ** (TIMES - 1), 0.0)


def transform(p, a):
    """E[e^(-a T)] of a geometric T >= 1."""
    return p * np.exp(-a) / (1 - (1 - p) * np.exp(-a))


@pytest.mark.parametrize(("num_qubits", "num_nodes", "value"), [(2, 2, 0.5505955), (10, 6, 0.1842280)])
def test_idle_qubits_of_a_common_wait(num_qubits, num_nodes, value):
    """n nodes are exact for 2 n - 1 qubits."""
    law = geometric(0.05)
    nodes = gauss_nodes(law, law[:, None], jnp.asarray(0.02), num_nodes)
    found = nodes.weights @ jnp.exp(-num_qubits * 0.02 * nodes.steps)
    assert found == pytest.approx(value, abs=5e-8)
    assert found == pytest.approx(transform(0.05, num_qubits * 0.02), abs=1e-13)


def test_errors_are_those_of_exponentials():
    law = geometric(0.05)
    for num_nodes in (1, 2, 4, 8):
        nodes = gauss_nodes(law, law[:, None], jnp.asarray(0.02), num_nodes)
        told = float(quadrature_error(law, nodes, jnp.asarray(1.2)))
        rates = np.linspace(0, 1.2, 500)
        off = np.abs(transform(0.05, rates) - np.exp(-np.outer(rates, nodes.steps)) @ nodes.weights).max()
        assert 0.9 * off < told <= off * (1 + 1e-9), num_nodes
    products = [transform(0.05, 0.02 * k) - transform(0.05, 0.02) ** k for k in range(1, 11)]
    assert float(independence_error(law, jnp.asarray(0.02), 10.0)) == pytest.approx(max(products), rel=0.02)


def test_values_go_along():
    """What is known at each time is averaged near each node: exact for low powers of e^(-rate t)."""
    law = geometric(0.1)
    along = law[:, None] * jnp.stack([jnp.ones_like(TIMES), jnp.exp(-0.05 * TIMES)], axis=1)
    nodes = gauss_nodes(law, along, jnp.asarray(0.05), 5)
    np.testing.assert_allclose(nodes.values[:, 0], 1.0, atol=1e-12)
    np.testing.assert_allclose(nodes.values[:, 1], np.exp(-0.05 * nodes.steps), atol=1e-12)


def test_slopes_are_those_of_the_closed_form():
    def found(p, rate):
        law = geometric(p)
        nodes = gauss_nodes(law, law[:, None], rate, 6)
        return nodes.weights @ jnp.exp(-10 * rate * nodes.steps)

    slopes = jax.jit(jax.grad(found, (0, 1)))(0.05, 0.02)
    numeric = [
        (transform(0.05 + 1e-6, 0.2) - transform(0.05 - 1e-6, 0.2)) / 2e-6,
        (transform(0.05, 0.2 + 1e-6) - transform(0.05, 0.2 - 1e-6)) / 2e-7,
    ]
    np.testing.assert_allclose(slopes, numeric, rtol=1e-6)


@pytest.mark.parametrize(("places", "rate"), [([7], 0.1), ([2, 30], 0.1), ([0], 0.0), ([3, 4, 90], 0.0)])
def test_fewer_waits_than_nodes(places, rate):
    law = jnp.zeros(100).at[jnp.array(places)].set(1 / len(places))

    def found(law):
        nodes = gauss_nodes(law, law[:, None], jnp.asarray(rate), 6)
        return nodes.weights @ jnp.exp(-0.3 * nodes.steps) + jnp.sum(nodes.values)

    value, slopes = jax.value_and_grad(found)(law)
    assert value - 6 == pytest.approx(np.mean(np.exp(-0.3 * np.array(places))), abs=1e-10)
    assert np.all(np.isfinite(slopes))
