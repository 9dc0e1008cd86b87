"""Entanglement measures of whole pairs against density matrices, and their derivatives at the edges."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import chsh_value, coherent_information, hashing_yield, log_negativity
from qtn.merit.entropy import entropy_of_square
from qtn.merit.pair import bell_weights, coefficients
from qtn.states.pair import from_fidelity
from tests.oracles import keys

MEASURES = {
    "log_negativity": (log_negativity, keys.log_negativity),
    "coherent_information": (coherent_information, keys.coherent_information),
    "chsh": (chsh_value, keys.chsh),
}
STATES = {f"rank_{rank}": keys.random_state(rank, rank) for rank in (1, 2, 3, 4)}
EDGES = {
    "pure": coefficients(from_fidelity(1.0)),
    "mixed": coefficients(from_fidelity(0.25)),
    "separable": coefficients(from_fidelity(0.5)),
    "product": jnp.zeros((4, 4)).at[jnp.array([0, 0, 3, 3]), jnp.array([0, 3, 0, 3])].set(1.0),
    "rank_two": coefficients(jnp.array([0.5, 0.0, 0.0, 0.5])),
}


@pytest.mark.parametrize("state", (STATES | EDGES).values(), ids=STATES | EDGES)
@pytest.mark.parametrize(("measure", "oracle"), MEASURES.values(), ids=MEASURES)
def test_agrees_with_density_matrices(measure, oracle, state):
    np.testing.assert_allclose(measure(jnp.asarray(state)), oracle(np.asarray(state)), atol=1e-12)


@pytest.mark.parametrize("fidelity", [0.3, 0.5, 0.8, 1.0])
def test_werner_pairs(fidelity):
    weights = from_fidelity(fidelity)
    expected = max(0.0, np.log2(2 * fidelity))
    np.testing.assert_allclose(log_negativity(weights), expected, atol=1e-14)
    np.testing.assert_allclose(chsh_value(weights), 2 * np.sqrt(2) * (4 * fidelity - 1) / 3, atol=1e-14)
    np.testing.assert_allclose(coherent_information(weights), hashing_yield(weights), atol=1e-14)


@pytest.mark.parametrize("state", EDGES.values(), ids=EDGES)
@pytest.mark.parametrize("measure", [log_negativity, coherent_information, hashing_yield, chsh_value])
def test_derivatives_are_finite_at_edges(measure, state):
    assert np.all(np.isfinite(jax.grad(measure)(state)))


@pytest.mark.parametrize("measure", [log_negativity, coherent_information, hashing_yield, chsh_value])
def test_derivatives_match_differences(measure):
    state, towards = jnp.asarray(STATES["rank_4"]) * 0.3, jnp.asarray(keys.random_state(9))
    state = state.at[0, 0].set(1.0) + 0.7 * jnp.asarray(EDGES["pure"]).at[0, 0].set(0.0)
    step = 1e-5 * (towards - state)
    finite = (measure(state + step) - measure(state - step)) / 2
    np.testing.assert_allclose(jnp.sum(jax.grad(measure)(state) * step), finite, rtol=1e-7)


def test_both_shapes_mean_the_same():
    weights = jnp.array([0.7, 0.1, 0.15, 0.05])
    np.testing.assert_allclose(bell_weights(coefficients(weights)), weights, atol=1e-15)


@pytest.mark.parametrize("x", [-0.9, -0.021, -0.019, 0.0, 1e-9, 0.019, 0.021, 0.5, 0.999])
def test_entropy_through_zero(x):
    s = np.emath.sqrt(x)
    p = np.array([(1 + s) / 2, (1 - s) / 2])
    exact = -np.sum(p * np.emath.log(p)).real / np.log(2)
    value, slope = jax.value_and_grad(entropy_of_square)(x)
    np.testing.assert_allclose(value, exact, atol=1e-14)
    expected = -np.emath.log((1 + s) / (1 - s)) / (4 * s * np.log(2)) if abs(x) > 1e-6 else -0.5 / np.log(2)
    np.testing.assert_allclose(slope, expected.real, rtol=1e-9)


def test_entropy_of_certainty():
    value, slope = jax.value_and_grad(entropy_of_square)(1.0)
    assert float(value) == 0.0
    assert np.isfinite(slope)


@pytest.mark.parametrize("read", [bell_weights, coefficients])
def test_wrong_shape(read):
    with pytest.raises(
        ValueError, match=r"must be 4 Bell weights or \(4, 4\) Pauli coefficients, but has shape \(3,\)"
    ):
        read(jnp.ones(3))
