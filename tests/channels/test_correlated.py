from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.channels import correlated_dephasing, dephasing
from tests.oracles import channels as oracle

SIGMAS = [0.0, 0.1, 0.8, 6.0]


def contract(mpo):
    """Multiply out a train (left, out, in, right), rows and columns with the first qubit slowest."""

    def step(left, site):  # o i [a], [a] p j b -> (o p) (i j) b
        both = np.einsum("oia,apjb->opijb", left, site)
        return both.reshape(left.shape[0] * 4, left.shape[1] * 4, -1)

    return reduce(step, mpo, np.eye(1, mpo.shape[1])[None])[:, :, 0]


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("sigma", SIGMAS)
def test_mpo_is_the_ptm(k, sigma):
    noise = correlated_dephasing(sigma, k)
    mpo = np.asarray(noise.mpo())
    assert mpo.shape == (k, 2 * k + 1, 4, 4, 2 * k + 1)
    np.testing.assert_allclose(contract(mpo), noise.ptm(), atol=1e-15 * 4**k)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("sigma", SIGMAS)
def test_mpo_is_the_map(k, sigma):
    expected = oracle.ptm_of_map(oracle.share_phase(sigma, k), k)
    np.testing.assert_allclose(contract(np.asarray(correlated_dephasing(sigma, k).mpo())), expected, atol=1e-14)


def test_average_over_phases():
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    turns = [oracle.rotate_each(0.8 * x, 3) for x in points]

    def average(rho):
        return sum(w * turn(rho) for w, turn in zip(weights, turns, strict=True)) / np.sqrt(2 * np.pi)

    expected = oracle.ptm_of_map(average, 3)
    np.testing.assert_allclose(
        correlated_dephasing(0.8, 3).ptm(), expected, atol=1e-13
    )  # 60 nodes are exact to rounding


@pytest.mark.parametrize("k", [3, 12])
def test_outer_bonds_use_index_zero(k):
    mpo = np.asarray(correlated_dephasing(0.8, k).mpo())
    assert not mpo[0, 1:].any()
    assert not mpo[-1, ..., 1:].any()


@pytest.mark.parametrize("k", [8, 20])
def test_long_trains(k):
    mpo = np.asarray(correlated_dephasing(0.2, k).mpo())
    for tail in (1, 2):  # GHZ coherence on the first `tail` qubits: |1..10..0><0..0| decays by v^(tail^2)
        state = np.array([[0, 0.5, 0.5j, 0]] * tail + [[1, 0, 0, 1]] * (k - tail))
        row = np.array([[0, 1, -1j, 0]] * tail + [[1, 0, 0, 0]] * (k - tail))
        line = np.eye(1, 2 * k + 1)
        for tensor, effect, vector in zip(mpo, row, state, strict=True):
            line = line @ np.einsum("o,aoib,i->ab", effect, tensor, vector)
        np.testing.assert_allclose(line[0, 0], np.exp(-((0.2 * tail) ** 2) / 2), rtol=1e-12)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_rank_of_the_cuts(k):
    ptm = np.asarray(correlated_dephasing(0.8, k).ptm())
    for left in range(1, k):
        shape = (4**left, 4 ** (k - left)) * 2
        cut = ptm.reshape(shape).transpose(0, 2, 1, 3).reshape(16**left, -1)
        assert np.linalg.matrix_rank(cut, tol=1e-9) == min(2 * left, 2 * (k - left)) + 1


def test_each_qubit_alone_is_dephased():
    ptm = correlated_dephasing(0.8, 2).ptm().reshape(4, 4, 4, 4)
    np.testing.assert_allclose(ptm[:, 0, :, 0], dephasing((1 - np.exp(-0.32)) / 2).ptm(), atol=1e-15)


def test_two_halves_of_one_pair():
    phi = np.array([1, 0, 0, 1]) / np.sqrt(2)
    rho = oracle.apply_kraus(np.asarray(correlated_dephasing(0.5, 2).kraus()))(np.outer(phi, phi))
    np.testing.assert_allclose(2 * rho[0, 3], np.exp(-4 * 0.125), rtol=1e-14)


def test_singlet_is_protected():
    psi = np.array([0, 1, -1, 0]) / np.sqrt(2)
    rho = oracle.apply_kraus(np.asarray(correlated_dephasing(3.0, 2).kraus()))(np.outer(psi, psi))
    np.testing.assert_allclose(rho, np.outer(psi, psi), atol=1e-15)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_gradients_of_mpo_match_those_of_ptm(sigma):
    slope = jax.jit(jax.jacfwd(lambda s: jnp.einsum("oia,apj->opij", *pair_sites(s)).reshape(16, 16)))(sigma)
    expected = jax.jit(jax.jacrev(lambda s: correlated_dephasing(s, 2).ptm()))(sigma)
    np.testing.assert_allclose(slope, expected, atol=1e-14)


def pair_sites(sigma):
    first, last = correlated_dephasing(sigma, 2).mpo()
    return first[0], last[..., 0]


def test_vmap_is_loop():
    sigmas = jnp.array(SIGMAS)
    batch = jax.vmap(lambda s: correlated_dephasing(s, 3).mpo())(sigmas)
    np.testing.assert_allclose(batch, [correlated_dephasing(s, 3).mpo() for s in sigmas], atol=1e-16)
