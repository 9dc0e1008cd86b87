"""Bond on demand: the tolerance is met where it can be, with bonds that grow only where they must."""

import jax
import numpy as np
import pytest

from qtn import channels
from qtn.circuits import circuit, gate, noise_model, run, run_on_demand
from qtn.states import amplitudes, expect, fidelity_to, ghz
from tests.oracles import circuits as oracle

N = 8
PAIRS = [(k, k + 1) for k in range(N - 1)]
QUENCH = circuit(N, [gate("RX", range(N), 0.4), gate("RZZ", PAIRS, 0.4)] * 8)


def dense_quench():
    vector = np.eye(2**N)[0].astype(complex)
    turn = np.cos(0.2) * np.eye(2) - 1j * np.sin(0.2) * oracle.PAULIS[1]
    couple = np.diag(np.exp(-0.2j * np.array([1, -1, -1, 1])))
    for _ in range(8):
        for site in range(N):
            vector = oracle.embed(turn, (site,), N) @ vector
        for pair in PAIRS:
            vector = oracle.embed(couple, pair, N) @ vector
    return vector


@pytest.fixture(scope="module")
def exact():
    return dense_quench()


@pytest.mark.parametrize(
    ("tolerance", "length"),
    [
        (1e-2, 2),
        pytest.param(1e-4, 2, marks=pytest.mark.slow),
        (1e-8, 2),
        pytest.param(1e-8, 3, marks=pytest.mark.slow),
    ],
)
def test_the_tolerance_is_met_against_a_dense_reference(exact, tolerance, length):
    state, found = run_on_demand(QUENCH, tolerance=tolerance, start_bond=2, sweeps_per_segment=length)
    vector = np.asarray(amplitudes(state))
    infidelity = 1 - abs(np.vdot(exact, vector)) ** 2 / np.linalg.norm(vector) ** 2
    assert found.met and float(found.infidelity) <= tolerance
    assert infidelity < 4 * float(found.infidelity) + 1e-12  # cuts may add up coherently: an estimate, not a bound
    np.testing.assert_allclose(np.linalg.norm(vector) ** 2, 1 - float(found.infidelity), atol=1e-12)


def test_only_segments_that_need_it_grow():
    _, loose = run_on_demand(QUENCH, tolerance=1e-2, start_bond=2)
    _, tight = run_on_demand(QUENCH, tolerance=1e-8, start_bond=2)
    assert np.all(np.asarray(loose.bond) <= np.asarray(tight.bond)) and loose.bond.max() < tight.bond.max()
    assert tight.bond[0] < tight.bond[-1] and 0 < tight.reruns.sum() < 3 * len(tight.bond)
    assert np.all(np.asarray(tight.discarded) <= np.asarray(tight.share))


def test_failure_at_the_largest_bond_is_reported():
    _, found = run_on_demand(QUENCH, tolerance=1e-8, start_bond=2, max_bond=4)
    text = " ".join(found.sentences())
    assert not found.met and found.infidelity > 1e-8 and found.bond.max() == 4
    assert "exceeds the tolerance" in text and "needed more than `max_bond`" in text


def test_bonds_grow_from_one():
    _, found = run_on_demand(QUENCH, tolerance=1e-2, start_bond=1)
    assert found.met and 1 < found.bond.max() <= 8


def test_what_fits_is_exact():
    ladder = circuit(6, [gate("H", 0), gate("CX", [(k, k + 1) for k in range(5)])])
    state, found = run_on_demand(ladder, tolerance=1e-3)
    assert len(found.bond) == 0 and found.met and "nothing was cut" in found.sentences()[0]
    np.testing.assert_allclose(fidelity_to(state, ghz(6)), 1.0, atol=1e-12)


@pytest.mark.slow
def test_mixed_states():
    program = circuit(6, [gate("RX", range(6), 0.7), gate("RZZ", PAIRS[:5], 0.7)] * 3)
    noise = noise_model(two_qubit=channels.depolarising(0.05, 2))
    state, found = run_on_demand(program, noise, tolerance=1e-8, start_bond=4)
    exact, _ = run(program, noise, max_bond=64)
    assert found.met and len(found.bond) > 0
    for paulis in ("ZIIIII", "IIZZII", "XXXXXX"):  # Hilbert-Schmidt loss 1e-8: values move by its root at most
        np.testing.assert_allclose(expect(state, paulis), expect(exact, paulis), atol=8e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance": 0.0}, "`tolerance` must be a number in"),
        ({"tolerance": 0.1, "start_bond": 8, "max_bond": 4}, "must be at least `start_bond` = 8"),
        ({"tolerance": 0.1, "state": ghz(3)}, "`state` must have 8 sites"),
        ({"tolerance": 0.1, "sweeps_per_segment": 0}, "`sweeps_per_segment` must be a whole number >= 1"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        run_on_demand(QUENCH, **options)


def test_traced_numbers_are_refused():
    def loss(angle):
        return run_on_demand(circuit(2, [gate("RX", 0, angle)]), tolerance=0.1)[1].infidelity

    with pytest.raises(ValueError, match="outside transformations"):
        jax.grad(loss)(0.3)
