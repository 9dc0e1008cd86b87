"""Channels whose outcome is seen: readout and erasure."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.channels import cptp_defect, erasure, readout_error, require_cptp
from tests.oracles import channels as oracle

READOUTS = {
    "perfect": (1.0, 1.0),
    "symmetric": (0.9, 0.9),
    "biased": (0.95, 0.7),
    "blind": (0.4, 0.6),
    "wrong": (0.0, 0.0),
}
every_readout = pytest.mark.parametrize("etas", READOUTS.values(), ids=READOUTS)


def povm(eta0, eta1):
    return [np.diag([eta0, 1 - eta1]), np.diag([1 - eta0, eta1])]


@every_readout
def test_effects_are_the_povm(etas):
    rows = [[np.trace(element @ p).real / 2 for p in oracle.strings(1)] for element in povm(*etas)]
    np.testing.assert_allclose(readout_error(*etas).effects(), rows, atol=1e-16)


@every_readout
def test_probabilities_sum_to_one(etas):
    np.testing.assert_allclose(readout_error(*etas).effects().sum(0), [1, 0, 0, 0], atol=1e-16)
    np.testing.assert_allclose(readout_error(*etas).confusion().sum(0), [1, 1], atol=1e-16)


@every_readout
def test_confusion_holds_the_answers_to_basis_states(etas):
    states = np.array([[1, 0, 0, 1], [1, 0, 0, -1]])
    readout = readout_error(*etas)
    np.testing.assert_allclose(readout.confusion(), readout.effects() @ states.T, atol=1e-16)
    np.testing.assert_allclose(np.diag(readout.confusion()), etas, atol=1e-16)


@every_readout
def test_half_of_phi_plus(etas):
    probabilities = readout_error(*etas).effects() @ np.array([1.0, 0, 0, 0])
    np.testing.assert_allclose(probabilities, [(1 + etas[0] - etas[1]) / 2, (1 - etas[0] + etas[1]) / 2], atol=1e-16)


def test_readout_is_linear():
    rows = jax.jacfwd(lambda a, b: readout_error(a, b).effects(), argnums=(0, 1))(1.0, 0.0)
    np.testing.assert_array_equal(rows[0], [[0.5, 0, 0, 0.5], [-0.5, 0, 0, -0.5]])
    np.testing.assert_array_equal(rows[1], [[-0.5, 0, 0, 0.5], [0.5, 0, 0, -0.5]])


def test_vmap_is_loop():
    values = jnp.array([0.0, 0.3, 1.0])
    batch = jax.vmap(lambda x: readout_error(x, 0.9).effects())(values)
    np.testing.assert_array_equal(batch, [readout_error(x, 0.9).effects() for x in values])
    flags = jax.vmap(lambda x: erasure(x).instrument())(values)
    np.testing.assert_array_equal(flags, [erasure(x).instrument() for x in values])


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_flags_split_the_channel(p):
    kept, erased = erasure(p).instrument()
    np.testing.assert_allclose(kept, (1 - p) * np.eye(4))
    np.testing.assert_allclose(erased, oracle.ptm_of_map(lambda rho: p * np.trace(rho) * np.eye(2) / 2))
    np.testing.assert_allclose(kept + erased, require_cptp("sum", erasure(p).ptm()))
    assert min(float(cptp_defect(part)[1]) for part in (kept, erased)) > -1e-15


def test_kraus_by_flag():
    noise = erasure(0.3)
    for operators, part in zip(np.split(np.asarray(noise.kraus()), [1]), noise.instrument(), strict=True):
        np.testing.assert_allclose(oracle.ptm_of_kraus(operators), part, atol=1e-16)


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_erasure_is_linear(p):
    slope = jax.jacfwd(lambda x: erasure(x).instrument())(p)
    np.testing.assert_array_equal(slope, [-np.eye(4), np.diag([1, 0, 0, 0])])


def test_defaults():
    assert (readout_error().eta0, readout_error().eta1, readout_error().num_qubits) == (1, 1, 1)
