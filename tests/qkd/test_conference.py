"""Conference keys, anonymous pairs and shared secrets against dense matrices and closed forms."""

import itertools

import jax
import numpy as np
import pytest

from qtn import gather, qkd
from qtn.evaluators.pairs import Pairs
from qtn.hardware.gates import gates
from qtn.hardware.memory import PerfectMemory, dephasing_memory
from qtn.hardware.node import node
from qtn.merit.key_rate import bb84_fraction, hashing_fraction
from tests.oracles import density
from tests.oracles import gather as oracle
from tests.oracles.network import pauli_coefficients

HUB = node(dephasing_memory(4.0), gates(0.97, 0.98))
PATTERNS = ("ghz_diagonal", "bb84")


def arm(seed, steps=3):
    rng = np.random.default_rng(seed)
    law, weights = rng.dirichlet(np.ones(steps)), [0.95, 0.01, 0.01, 0.03]
    states = law[:, None, None] * density.coefficients(density.bell_diagonal(weights))
    return Pairs(states=states, step=np.array(1.0), memories=(dephasing_memory(5.0), PerfectMemory()))


def matrix(group):
    """The density matrix of the users, from means of all strings."""
    n = group.num_users
    strings = ["".join(each) for each in itertools.product("IXYZ", repeat=n)]
    paulis = [oracle.kron([density.PAULIS["IXYZ".index(letter)] for letter in each]) for each in strings]
    return np.einsum("s,sij->ij", np.asarray(group.means(strings)), np.array(paulis)) / 2**n


def entropy(p):
    p = np.asarray(p)[np.asarray(p) > 0]
    return -np.sum(p * np.log2(p))


@pytest.fixture(scope="module")
def group():
    return gather([arm(k) for k in range(3)], HUB)


@pytest.mark.parametrize("leader", [0, 2])
@pytest.mark.parametrize("protocol", PATTERNS)
def test_key_of_a_density_matrix(group, leader, protocol):
    rho = matrix(group)
    order = [leader, *(user for user in range(3) if user != leader)]
    rho = rho.reshape((2,) * 6).transpose(*order, *(3 + k for k in order)).reshape(8, 8)
    signs = np.array(list(itertools.product([1, -1], repeat=3)))
    diagonal = np.real(np.diag(rho))
    errors = [(1 - diagonal @ (signs[:, 0] * signs[:, k])) / 2 for k in (1, 2)]
    flips = (1 - np.real(np.trace(np.fliplr(rho)))) / 2
    weights = [[(diagonal[s] + diagonal[7 - s]) / 2 + k * np.real(rho[s, 7 - s]) for k in (1, -1)] for s in range(4)]
    private = {
        "bb84": entropy([flips, 1 - flips]),
        "ghz_diagonal": entropy(np.ravel(weights)) - entropy(np.sum(weights, 1)),
    }
    found = qkd.conference_key(group, leader=leader, protocol=protocol, correction=1.1)
    expected = 1 - private[protocol] - 1.1 * max(entropy([e, 1 - e]) for e in errors)
    np.testing.assert_allclose(found.fraction, expected, rtol=1e-10)
    np.testing.assert_allclose(found.rate, expected / group.mean_time, rtol=1e-10)
    np.testing.assert_allclose(found.qber_x, flips, rtol=1e-10)
    np.testing.assert_allclose(found.qber_z, errors, rtol=1e-10)
    np.testing.assert_allclose(qkd.ghz_weights(group, leader), weights, atol=1e-12)


def test_two_users_have_the_key_of_a_pair():
    found = gather([arm(0), arm(1)], HUB)
    pair = np.asarray(found.means(["".join(each) for each in itertools.product("IXYZ", repeat=2)])).reshape(4, 4)
    for protocol, fraction in zip(PATTERNS, (hashing_fraction, bb84_fraction), strict=True):
        np.testing.assert_allclose(qkd.conference_key(found, protocol=protocol).fraction, fraction(pair), rtol=1e-10)


THRESHOLDS = [(2, 0.1261931), (3, 0.1398104), (4, 0.1503354), (5, 0.1578530)]


@pytest.mark.parametrize(("n", "threshold"), THRESHOLDS)
def test_thresholds_of_white_noise(n, threshold):
    assert abs(qkd.white_noise_threshold(n, "ghz_diagonal") - threshold) < 5e-8
    assert abs(qkd.white_noise_threshold(n) - 0.1100278644) < 5e-10
    white = 1 - 2 * threshold
    vector = np.zeros(2**n)
    vector[[0, -1]] = 2**-0.5
    rho = white * np.outer(vector, vector) + (1 - white) * np.eye(2**n) / 2**n
    bits = np.array([[rho[s, s] + k * rho[s, -1 - s] for k in (1, -1)] for s in range(2 ** (n - 1))])
    expected = 1 - entropy(bits.ravel()) + entropy(bits.sum(1)) - entropy([threshold, 1 - threshold])
    np.testing.assert_allclose(qkd.white_noise_fraction(n, threshold, "ghz_diagonal"), expected, atol=1e-10)


@pytest.mark.parametrize("n", [3, 20, 100])
def test_phase_flips_of_all_arms(n):
    """<X^n> = (1 - 2p)^n and no errors of Z."""
    law = np.array([0.0, 0.25, 0.75])[:, None, None]
    states = law * density.coefficients(density.bell_diagonal([0.999, 0, 0, 0.001]))
    arms = [Pairs(states=states, step=np.array(1.0), memories=(PerfectMemory(),) * 2)] * n
    found = qkd.conference_key(gather(arms))
    error = (1 - 0.998**n) / 2
    np.testing.assert_allclose(found.fraction, 1 - entropy([error, 1 - error]), rtol=1e-10)
    np.testing.assert_allclose(found.mean_time, 2 - 0.25**n, rtol=1e-12)


def test_anonymous_pair_of_a_density_matrix(group):
    """User 1 measures X, user 2 (sender) applies Z after its 1."""
    rho, eta = matrix(group), 0.94
    hadamard = density.embed(density.H, [1], 3)
    total = 0
    for m in (0, 1):
        seen = density.embed(density.readout(m, eta), [1], 3) @ hadamard @ rho @ hadamard
        fix = np.linalg.matrix_power(density.embed(density.Z, [2], 3), m)
        kept = (fix @ seen @ fix).reshape((2,) * 6)
        total = total + np.einsum("abcdbf->cafd", kept).reshape(4, 4)
    found = qkd.anonymous_pair(group, 2, 0, readout=eta)
    np.testing.assert_allclose(found.state, pauli_coefficients(total), atol=1e-12)
    np.testing.assert_allclose(found.mean_time, group.mean_time)


@pytest.mark.parametrize(("check", "sign", "letters"), [("y", 1, ("YYX", "YXY")), ("z", -1, ("ZZI", "ZIZ"))])
def test_shared_secret(group, check, sign, letters):
    found = qkd.secret_sharing(group, check=check, correction=1.2)
    error = (1 - float(group.mean("XXX"))) / 2
    checked = [(1 + sign * float(group.mean(each))) / 2 for each in letters]
    expected = 1 - 1.2 * entropy([error, 1 - error]) - max(entropy([e, 1 - e]) for e in checked)
    np.testing.assert_allclose(found.fraction, expected, rtol=1e-12)
    np.testing.assert_allclose(found.checked, checked)


def test_pair_keys_share_the_time_of_arms():
    arms, options = [arm(k) for k in range(4)], {"ends": "measured", "cutoff_time": 1.0}

    def rate(one, other):
        return float(qkd.conference_key(gather([one, other], **options)).rate)

    rates = [rate(*each) for each in itertools.pairwise(arms)]
    found = qkd.pairwise_key(arms, **options)
    np.testing.assert_allclose(found.pair_rates, rates, rtol=1e-12)
    assert min(rates) > 0.05
    np.testing.assert_allclose(found.rate, min(1 / (1 / a + 1 / b) for a, b in itertools.pairwise(rates)), rtol=1e-12)
    led = qkd.pairwise_key(arms, via="leader", **options)
    np.testing.assert_allclose(led.rate, 1 / sum(1 / rate(arms[0], each) for each in arms[1:]), rtol=1e-12)
    np.testing.assert_allclose(qkd.pairwise_key(arms[:2], **options).rate, rates[0], rtol=1e-12)
    assert qkd.pairwise_key(arms, node(gate_set=gates(0.5))).rate == 0  # no pair has a key


@pytest.mark.parametrize("protocol", PATTERNS)
def test_slopes_of_a_key(protocol):
    def rate(flip):
        law = np.array([0.0, 0.5, 0.3, 0.2])[:, None, None]
        states = law * (np.diag([1.0, 0, 0, 1.0]) + (1 - 2 * flip) * np.diag([0, 1.0, -1.0, 0]))
        arms = [Pairs(states=states, step=np.array(1.0), memories=(dephasing_memory(9.0), PerfectMemory()))] * 3
        return qkd.conference_key(gather(arms, HUB), protocol=protocol).rate

    slope, h = jax.grad(rate)(0.02), 1e-5
    np.testing.assert_allclose(slope, (rate(0.02 + h) - rate(0.02 - h)) / (2 * h), rtol=1e-6)
    assert np.isfinite(jax.grad(rate)(0.0))


WRONG = {
    "leader": (lambda g: qkd.conference_key(g, leader=3), r"`leader` must be one of the users 0 .. 2, but is 3"),
    "protocol": (lambda g: qkd.conference_key(g, protocol="e91"), "`protocol` must be 'bb84' or 'ghz_diagonal'"),
    "correction": (lambda g: qkd.conference_key(g, correction=0.9), "`correction` must be at least 1"),
    "no end": (lambda g: qkd.secret_sharing(g, correction=np.inf), "`correction` must be at least 1 and finite"),
    "same": (lambda g: qkd.anonymous_pair(g, 1, 1), "two different users, but both are 1"),
    "dealer": (lambda g: qkd.secret_sharing(g, dealer=-1), r"`dealer` must be one of the users 0 .. 2"),
    "check": (lambda g: qkd.secret_sharing(g, check="w"), "`check` must be 'y' or 'z'"),
    "one arm": (lambda _: qkd.pairwise_key([arm(0)]), "`arms` must hold at least two arms"),
    "white": (lambda _: qkd.white_noise_fraction(1, 0.1), "`num_users` must be a whole number of at least 2"),
    "error": (lambda _: qkd.white_noise_fraction(3, 0.6), r"`error_rate` must lie in \[0, 0.5\]"),
    "graph": (
        lambda _: qkd.conference_key(gather([arm(0)] * 3, edges=((0, 1), (1, 2)))),
        "a GHZ state is needed: leave `edges` out",
    ),
    "many": (
        lambda _: qkd.conference_key(gather([arm(0)] * 13), protocol="ghz_diagonal"),
        'up to 12 users are summed. Use `protocol="bb84"`',
    ),
}


@pytest.mark.parametrize(("call", "message"), WRONG.values(), ids=WRONG)
def test_wrong_arguments(group, call, message):
    with pytest.raises(ValueError, match=message):
        call(group)
