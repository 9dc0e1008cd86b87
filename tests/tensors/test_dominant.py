"""The largest eigenvalue of operator trains, against dense matrices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.tensors.dominant import dominant_half_sweep, dominant_vector
from qtn.tensors.train import mirror, right_canonical, to_dense

N, W, CHI = 4, 3, 4
"""A bond of 4 holds every state of four qubits."""


def operator_train(seed):
    """Return a train of Hermitian matrices on each bond pair, whose sum of products is Hermitian."""
    rng = np.random.default_rng(seed)
    sites = rng.normal(size=(N, W, 2, 2, W)) + 1j * rng.normal(size=(N, W, 2, 2, W))
    sites = sites + np.conj(np.swapaxes(sites, 2, 3))
    sites[0, 1:], sites[-1, ..., 1:] = 0, 0
    return sites


def dense(sites):
    whole = np.eye(1)[:, :, None, None].repeat(1, 2)
    for site in sites:
        whole = np.einsum("xaby,yijz->xaibjz", whole.reshape(1, *whole.shape[1:3], -1), site)
        whole = whole.reshape(1, whole.shape[1] * 2, whole.shape[3] * 2, -1)
    return whole[0, :, :, 0]


def right_canonical_start(seed):
    rng = np.random.default_rng(seed)
    train = rng.normal(size=(N, CHI, 2, CHI)) + 0j
    train[0, 1:], train[-1, ..., 1:] = 0, 0
    found = right_canonical(jnp.asarray(train))
    return found.at[0].divide(jnp.linalg.norm(found[0]))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sweeps_find_the_largest_eigenvalue_and_never_lose(seed):
    operator, train = jnp.asarray(operator_train(seed)), right_canonical_start(seed)
    matrix = dense(np.asarray(operator))
    np.testing.assert_allclose(matrix, np.conj(matrix.T))
    back = jnp.swapaxes(operator[::-1], 1, 4)
    values = []
    for _ in range(8):
        left, _ = dominant_half_sweep(operator, train)
        train, value = dominant_half_sweep(back, mirror(left))
        train = mirror(train)
        values.append(float(value))
    state = np.asarray(to_dense(train)).ravel()
    np.testing.assert_allclose(np.vdot(state, matrix @ state).real, values[-1], rtol=1e-12)
    np.testing.assert_allclose(values[-1], np.linalg.eigvalsh(matrix)[-1], rtol=1e-10)
    assert np.all(np.diff(values) > -1e-10 * abs(values[-1]))


CASES = {"zero": np.zeros((5, 5)), "negative": -np.diag([1.0, 2, 3, 4, 5]), "one": np.ones((1, 1)) * -3.0}


@pytest.mark.parametrize("matrix", CASES.values(), ids=CASES)
def test_small_spaces(matrix):
    """The Krylov space ends before it is full: what is missing counts as nothing, not as an eigenvalue of 0."""
    apply = jax.tree_util.Partial(lambda m, x: m @ x, jnp.asarray(matrix, complex))
    vector, value = dominant_vector(apply, jnp.full(len(matrix), 2.0 + 0j))
    np.testing.assert_allclose(value, np.linalg.eigvalsh(matrix)[-1], atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(vector), 1.0)
