"""Programs run operation by operation, against dense vectors and against compiled sweeps."""

import jax.numpy as jnp
import numpy as np
import pytest

from qtn import channels, circuit, gate, noise_model, run
from qtn.circuits import measure, reset
from qtn.states import MPS, expect
from qtn.states import dense as whole
from qtn.tensors.dense import applied
from tests.oracles import circuits as dense
from tests.oracles import gate_matrices as m


def scrambled(n, num_gates, seed):
    """Random gates on one and two sites, far apart as well."""
    chance = np.random.default_rng(seed)
    operations, matrices = [], []
    for _ in range(num_gates):
        angle = chance.uniform(-3, 3)
        first, second = (int(k) for k in chance.choice(n, 2, replace=False))
        name, matrix = [("RX", m.spin(m.X, angle)), ("RY", m.spin(m.Y, angle))][chance.integers(2)]
        operations.append(gate(name, first, angle))
        matrices.append((matrix, (first,)))
        name, matrix = [("CX", m.control(m.X)), ("SWAP", m.SWAP), ("CP", m.control(m.phase(angle)))][chance.integers(3)]
        operations.append(gate(name, (first, second), *([angle] if name == "CP" else [])))
        matrices.append((matrix, (first, second)))
    return circuit(n, operations), matrices


def amplitudes(state):
    """Contract a train."""
    train = np.asarray(state.train)
    vector = np.eye(train.shape[1])[:1]
    for site in train:
        vector = np.tensordot(vector, site, 1).reshape(-1, site.shape[2])
    return vector[:, 0]


@pytest.mark.parametrize("seed", range(4))
def test_pure_circuits(seed):
    program, matrices = scrambled(6, 14, seed)
    state, info = run(program, relative=1e-13)
    vector = np.eye(2**6)[0].astype(complex)
    for matrix, sites in matrices:
        vector = dense.embed(matrix, sites, 6) @ vector
    assert isinstance(state, MPS)
    np.testing.assert_allclose(amplitudes(state), vector, atol=1e-12)
    assert float(info.fidelity_estimate) == pytest.approx(1.0, abs=1e-13)


def test_noise_and_measurements_agree_with_compiled_sweeps():
    program, _ = scrambled(4, 6, 0)
    noise = noise_model(one_qubit=channels.dephasing(0.02), two_qubit=channels.depolarising(0.05, 2))
    program = circuit(4, [*program.operations, measure(1), reset(2), gate("CX", (1, 3)), gate("H", 2)])
    (one, _), (two, _) = run(program, noise, relative=1e-13), run(program, noise, max_bond=256)
    np.testing.assert_allclose(whole(one).matrix, whole(two).matrix, atol=1e-12)


def test_what_is_cut_is_told():
    """The same as compiled sweeps that look for what is worth keeping, on other machines than this."""
    program, _ = scrambled(8, 30, 1)
    state, info = run(program, max_bond=4, relative=1e-13)
    assert state.bond == 4 and 0.0 < float(info.fidelity_estimate) < 0.99
    assert float(info.weight) == pytest.approx(float(info.fidelity_estimate), rel=1e-9)
    assert float(jnp.sum(info.discarded)) == pytest.approx(1 - float(info.weight), rel=1e-9)
    assert "increase `max_bond`" in " ".join(info.sentences())


def test_adaptive_sweeps_agree(monkeypatch):
    """What accelerators run where numbers are known."""
    program, _ = scrambled(7, 16, 2)
    one, _ = run(program, relative=1e-13)
    monkeypatch.setattr("jax.default_backend", lambda: "gpu")
    two, _ = run(program, relative=1e-13)
    np.testing.assert_allclose(amplitudes(one), amplitudes(two), atol=1e-11)


def test_multiplets_that_are_cut_through_are_told():
    pairs = circuit(4, [gate("H", (0, 1)[k]) for k in (0, 1)] + [gate("CX", (0, 2)), gate("CX", (1, 3))])
    _, info = run(pairs, max_bond=2, relative=1e-13)
    assert bool(info.degenerate) and float(info.fidelity_estimate) == pytest.approx(0.5)


def test_one_site():
    state, _ = run(circuit(1, [gate("H", 0), gate("S", 0)]), relative=1e-13)
    np.testing.assert_allclose(amplitudes(state), np.array([1, 1j]) / np.sqrt(2), atol=1e-14)


def test_compiled_programs_that_do_not_fit_are_refused(monkeypatch):
    """Before anything is allocated: swaps between far sites, or sweeps over many bonds."""
    with pytest.raises(ValueError, match="needs 7,996,000 swaps of neighbours, but at most 2,000,000 are allowed"):
        run(circuit(2000, [gate("CX", [(0, 1999)] * 2000)]))
    monkeypatch.setattr("qtn._budget.memory", lambda: 10**6)
    with pytest.raises(
        ValueError, match=r"sweeps over 99 bonds needs [0-9.]+ GB of memory, but this machine has 0.001"
    ):
        run(circuit(100, [gate("CX", [(k, k + 1) for k in range(99)] * 20)]))


def test_the_whole_vector_says_the_same(monkeypatch):
    """Where few sites are much entangled; cut once, at the end."""
    program, matrices = scrambled(7, 20, 3)
    vector = np.eye(2**7)[0].astype(complex)
    for matrix, sites in matrices:
        vector = dense.embed(matrix, sites, 7) @ vector
    used = []
    monkeypatch.setattr("qtn.tensors.dense.EACH_OPERATION", 0.0)
    monkeypatch.setattr("qtn.tensors.dense.applied", lambda *given, plain=applied: used.append(1) or plain(*given))
    state, info = run(program, relative=1e-13)
    assert used and float(info.fidelity_estimate) == pytest.approx(1.0, abs=1e-13)
    np.testing.assert_allclose(amplitudes(state), vector, atol=1e-12)
    state, info = run(program, max_bond=3, relative=1e-13)
    assert state.bond == 3 and float(info.weight) == pytest.approx(float(info.fidelity_estimate), rel=1e-9)
    fidelity = abs(np.vdot(vector, amplitudes(state))) ** 2 / float(info.weight)
    assert fidelity == pytest.approx(float(info.weight), rel=1e-9)


def test_an_order_with_shorter_ways_says_the_same():
    """Gates of one layer, here and there."""
    chance = np.random.default_rng(5)
    places = [(int(k), int(k) + 1) for k in chance.integers(0, 39, 120)]
    operations = [gate("RY", range(40), 0.7)]
    operations += [gate("CP", place, 0.3 + 0.01 * k) for k, place in enumerate(places)] + [gate("RX", range(40), 0.4)]
    program = circuit(40, operations)
    (one, _), (two, _) = run(program, relative=1e-13), run(program, max_bond=64)
    terms = ["".join("IXYZ"[k] for k in chance.integers(0, 4, 40)) for _ in range(3)]
    for term in [*terms, {3: "Z"}, {20: "X", 21: "Y"}]:
        assert float(expect(one, term)) == pytest.approx(float(expect(two, term)), abs=1e-12)
