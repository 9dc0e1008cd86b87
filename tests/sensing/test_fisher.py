"""Quantum and classical Fisher information against eigenvalues, closed forms, and bounds."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import channels, sensing, states
from qtn.sensing.generator import generator
from qtn.sensing.ghz_fisher import blocks_fisher, ghz_blocks, patterns
from qtn.states.basis import ptm
from tests.oracles import sensing as oracle

KEY = jax.random.key(3)
RANDOM = states.random_mpdo(3, 2, key=KEY)
MATRIX = np.asarray(states.dense(RANDOM).matrix)


def noisy(n, channel):
    return states.apply_each_site(states.to_mixed(states.ghz(n)), channel.ptm())


@pytest.mark.parametrize("kind", ["matrix", "train"])
def test_mixed_states_by_their_eigenvalues(kind):
    state = RANDOM if kind == "train" else states.density_matrix(MATRIX)
    assert sensing.quantum_fisher(state) == pytest.approx(oracle.quantum_fisher(MATRIX, oracle.total(3)), abs=1e-11)
    turn = oracle.at(oracle.X, 0, 3) / 2 - 1.5 * oracle.at(oracle.Z, 2, 3)
    found = sensing.quantum_fisher(state, {0: "X", 2: "Z"}, weights=[1.0, 7.0, -3.0])
    assert found == pytest.approx(oracle.quantum_fisher(MATRIX, turn), abs=1e-11)


def test_pure_states():
    assert sensing.quantum_fisher(states.w(5), "XXXXX") == pytest.approx(13, abs=1e-10)  # 3 n - 2
    assert sensing.quantum_fisher(states.ghz(100)) == pytest.approx(100**2, rel=1e-12)
    train = states.random_mps(4, 3, key=KEY)
    dense = np.asarray(states.dense(train).matrix)
    assert sensing.quantum_fisher(train) == pytest.approx(oracle.quantum_fisher(dense, oracle.total(4)), abs=1e-10)


CLOSED = {
    "flips": (channels.dephasing(0.01), lambda n: n**2 * 0.98 ** (2 * n)),
    "damping": (
        channels.amplitude_damping(0.02),
        lambda n: 2 * n**2 * 0.98**n / (1 + 0.02**n + 0.98**n),
    ),
}


@pytest.mark.parametrize("n", [5, 12, 100])
@pytest.mark.parametrize("name", CLOSED)
def test_ghz_states_by_closed_forms(name, n):
    channel, form = CLOSED[name]
    assert sensing.quantum_fisher(noisy(n, channel)) == pytest.approx(form(n), rel=1e-12, abs=1e-10)


def test_ghz_states_with_white_noise():
    n, v = 4, 0.8
    state = states.density_matrix(v * oracle.ghz(n) + (1 - v) * np.eye(2**n) / 2**n)
    form = n**2 * v**2 / (v + 2 * (1 - v) / 2**n)
    assert sensing.quantum_fisher(state) == pytest.approx(form, abs=1e-11)
    lost = sensing.quantum_fisher(states.ghz(4)) * 0.9**4  # flagged: what is left with every qubit there
    assert lost == pytest.approx(16 * 0.9**4, abs=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("weights", [None, [1.0, 0.5, -1.0, 2.0, 0.3, 1.0, 1.0, 0.0]], ids=["alike", "weights"])
def test_flips_and_damping_together(weights):
    """Eight qubits through an oracle of 256 x 256; more than are written out in the library."""
    kraus = [a @ b for a in oracle.pauli(0.03, 0.005, 0.01) for b in oracle.damping(0.05)]
    matrix = oracle.through(oracle.ghz(8), kraus)
    channel = channels.amplitude_damping(0.05).ptm()
    state = states.apply_each_site(noisy_start(), channels.pauli_noise(0.03, 0.005, 0.01).ptm() @ channel)
    form = oracle.quantum_fisher(matrix, oracle.total(8, weights))
    assert sensing.quantum_fisher(state, weights=weights) == pytest.approx(form, abs=1e-10)


def noisy_start():
    return states.to_mixed(states.ghz(8))


def test_users_that_differ_are_written_out():
    start = states.to_mixed(states.ghz(9))
    each = jnp.stack([channels.pauli_noise(0.002 * k, 0.001, 0.003 * k).ptm() for k in range(9)])
    state = states.apply_each_site(start, each)
    assert ghz_blocks(state).count.shape == (512,)
    small = states.apply_each_site(states.to_mixed(states.ghz(5)), each[:5])
    found = blocks_fisher(patterns(small), generator(5))
    assert found == pytest.approx(float(sensing.quantum_fisher(small)), abs=1e-11)


def test_other_states_are_no_ghz_states():
    tilted = states.apply_local(states.to_mixed(states.ghz(9)), 3, ptm(np.array([[1, 1], [1, -1]]) / np.sqrt(2)))
    assert ghz_blocks(tilted) is None
    assert ghz_blocks(states.to_mixed(states.cluster(5))) is None


def test_bounds_meet_for_operator_trains():
    state = noisy(6, channels.pauli_noise(0.03, 0.01, 0.02))
    exact = float(sensing.quantum_fisher(state))
    value, info = sensing.fisher_bounds(state, bond=4)
    assert float(info.lower) <= exact * (1 + 1e-12) and exact <= float(info.upper) * (1 + 1e-9)
    assert value == pytest.approx(exact, rel=1e-9) and float(info.gap) < 1e-4
    assert not info.exact and info.bond == 4


def dephased(p, n=40):
    state = states.apply_each_site(states.to_mixed(states.plus(n)), channels.dephasing(p).ptm())
    return sensing.fisher_bounds(state, bond=2)[0]


def test_long_trains_and_their_slopes():
    """Product states through the variational problem: n (1 - 2p)^2, also at the edge, where F has a kink."""
    value, slope = jax.value_and_grad(dephased)(0.1)
    assert value == pytest.approx(40 * 0.64, abs=1e-9) and slope == pytest.approx(-40 * 3.2, rel=1e-6)
    assert jax.grad(dephased)(0.0) == pytest.approx(-160, rel=1e-4)


def white(v, n=3):
    return sensing.quantum_fisher(states.DensityMatrix(matrix=v * oracle.ghz(n) + (1 - v) * jnp.eye(2**n) / 2**n))


def closed(v, n=3):
    return n**2 * v**2 / (v + 2 * (1 - v) / 2**n)


@pytest.mark.parametrize("v", [1.0, 0.6])
def test_slopes_and_curvature_of_dense_states(v):
    assert jax.grad(white)(v) == pytest.approx(float(jax.grad(closed)(v)), rel=1e-6)
    assert jax.grad(jax.grad(white))(v) == pytest.approx(float(jax.grad(jax.grad(closed))(v)), rel=1e-5)


def test_slopes_of_long_ghz_states():
    slope = jax.grad(lambda p: sensing.quantum_fisher(noisy(60, channels.Dephasing(p=p))))
    assert slope(0.01) == pytest.approx(-240 * 3600 * 0.98**119, rel=1e-9)
    assert slope(0.0) == pytest.approx(-240 * 3600, rel=1e-9)


def test_any_channel_may_carry_the_parameter():
    def family(p):
        return states.apply_each_site(states.to_mixed(states.plus(3)), channels.dephasing(p).ptm())

    value, info = sensing.fisher_along(family, 0.1)
    assert value == pytest.approx(3 / (0.1 * 0.9), rel=1e-10) and info.exact
    pure = lambda angle: states.product_state(jnp.stack([jnp.cos(angle / 2), jnp.sin(angle / 2)])[None].repeat(9, 0))  # noqa: E731
    assert sensing.fisher_along(pure, 0.3)[0] == pytest.approx(9, abs=1e-11)


def test_measurements_written_out():
    along = [math.cos(0.4) * oracle.X + math.sin(0.4) * oracle.Y] * 3
    for found, parity in ((sensing.local_fisher, False), (sensing.parity_fisher, True)):
        form = oracle.classical_fisher(MATRIX, oracle.total(3, [1, -2, 0.5]), along, parity)
        assert found(RANDOM, weights=[1.0, -2.0, 0.5], angle=0.4) == pytest.approx(form, rel=1e-10)
    assert sensing.parity_fisher(noisy(50, channels.dephasing(0.02))) == pytest.approx(2500 * 0.96**100, abs=1e-10)
    assert float(sensing.parity_fisher(RANDOM)) <= float(sensing.quantum_fisher(RANDOM))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: sensing.quantum_fisher(RANDOM, {3: "Z"}),
            "must name sites in 0..2, but names 3: the state has 3 qubits",
        ),
        (lambda: sensing.quantum_fisher(RANDOM, {0: "A"}), "must consist of I, X, Y, Z, but holds 'A'"),
        (lambda: sensing.quantum_fisher(RANDOM, weights=[1.0]), "one number for each of 3 sites, but has shape"),
        (lambda: sensing.quantum_fisher(RANDOM, weights=[1.0, math.nan, 1.0]), "`weights` must be finite"),
        (lambda: sensing.fisher_bounds(RANDOM, bond=1), "`bond` must be a whole number >= 2, but is 1"),
        (lambda: sensing.local_fisher(states.ghz(13)), "at most 12 qubits"),
    ],
    ids=["site", "letter", "weights", "finite", "bond", "outcomes"],
)
def test_what_is_wrong_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_bounds_of_other_states_hold():
    state = states.apply_each_site(states.to_mixed(states.cluster(6)), channels.depolarising(0.2).ptm())
    exact = float(sensing.quantum_fisher(state, "XXXXXX"))
    value, info = sensing.fisher_bounds(state, "XXXXXX", bond=4)
    assert float(value) == float(info.lower) <= exact * (1 + 1e-12)
    assert exact <= float(info.upper) < 6 * 6


@pytest.mark.slow
def test_loose_bounds_warn():
    state = states.apply_each_site(states.random_mpdo(9, 2, key=KEY), channels.depolarising(0.05).ptm())
    with pytest.warns(sensing.LooseFisherWarning, match="lies between .* Use `fisher_bounds` with a `bond` above 8"):
        sensing.quantum_fisher(state)
