"""Clocks, Ramsey cycles and time transfer: closed forms, edges, gradients and errors."""

import decimal
import math
from math import comb

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import channels, sensing, states
from qtn.evaluators.outcome import Summary
from tests.oracles import sensing as oracle

BELL = (0.9, 0.05, 0.02, 0.03)


def test_two_clocks_with_a_perfect_pair():
    """Nichol et al. 2022: sqrt 2 in uncertainty, 2 where the laser loses its phase."""
    for label in ("Psi+", "Psi-", "Phi+", "Phi-"):
        found = sensing.clock_comparison(states.bell(label))
        assert found.fisher == pytest.approx(4, abs=1e-11)
        assert found.gain == pytest.approx(math.sqrt(2), abs=1e-11)
        assert found.gain_unstable == pytest.approx(2, abs=1e-11)


def test_every_description_of_a_werner_pair():
    v = 0.85
    form = 4 * v**2 / (v + (1 - v) / 2)
    train = states.werner_pair(v)
    weights = [v + (1 - v) / 4, *3 * [(1 - v) / 4]]
    pauli = np.diag([1, v, -v, v])
    summary = Summary(mean_time=jnp.ones(()), state=jnp.asarray(pauli), info=None)
    for pair in (train, states.dense(train), states.pair_of(train, 0, 1), weights, pauli, summary):
        assert sensing.clock_comparison(pair).fisher == pytest.approx(form, abs=1e-11)


@pytest.mark.slow
def test_pairs_without_entanglement_gain_nothing():
    found = sensing.clock_comparison(states.product_state(np.full((2, 2), 2**-0.5)))
    assert found.gain == pytest.approx(1, abs=1e-10)
    assert sensing.clock_comparison([0.25, 0.25, 0.25, 0.25]).gain == 0
    slope = jax.jacobian(lambda v: sensing.clock_comparison(jnp.diag(jnp.stack([1.0, v, -v, v]))))
    assert all(np.isfinite(leaf) for v in (0.0, 1.0) for leaf in jax.tree.leaves(slope(v)))


def telegates(num_clocks, weights):
    i, x, y, z = weights
    terms = (
        comb(num_clocks - 1, j)
        * (num_clocks - 2 * j) ** 2
        * ((i - z) ** (num_clocks - 1 - j) * (x - y) ** j) ** 2
        / ((i + z) ** (num_clocks - 1 - j) * (x + y) ** j)
        for j in range(num_clocks)
    )
    return sum(terms)


@pytest.mark.parametrize("num_clocks", [2, 6, 100])
def test_clocks_joined_by_telegates(num_clocks):
    found = sensing.fused_fisher([BELL] * (num_clocks - 1))
    assert found == pytest.approx(telegates(num_clocks, BELL), rel=1e-12, abs=1e-10)


def test_clocks_joined_by_different_pairs():
    """Against the density matrix: a bit error of a pair flips its far clock, a phase error the sign."""
    pairs = [BELL, (0.8, 0.0, 0.1, 0.1), (0.7, 0.2, 0.1, 0.0)]
    matrix = oracle.ghz(4)
    for site, (i, x, y, z) in enumerate(pairs, 1):
        kraus = zip((i, x, y, z), (np.eye(2), oracle.X, oracle.Y, oracle.Z), strict=True)
        far = [(p, oracle.at(k, site, 4)) for p, k in kraus]
        matrix = sum(p * k @ matrix @ k.conj().T for p, k in far)
    form = oracle.quantum_fisher(matrix, oracle.total(4))
    assert sensing.fused_fisher(pairs) == pytest.approx(form, abs=1e-11)
    slope = jax.grad(lambda p: sensing.fused_fisher(jnp.stack([jnp.stack([1 - p, 0 * p, 0 * p, p])] * 3)))
    assert slope(0.0) == pytest.approx(-3 * 4 * 16, rel=1e-12)  # (1 - 2p)^2 for every pair


@pytest.mark.parametrize("n", [pytest.param(2, marks=pytest.mark.slow), 50])
def test_no_gain_under_uncorrelated_dephasing(n):
    """Huelga et al. 1997: product and GHZ states reach the same, n / (2 e gamma)."""
    for state in (states.ghz(n), states.plus(n)):
        found = sensing.ramsey(state, dephasing_rate=0.7)
        assert found.information_rate == pytest.approx(n / (2 * math.e * 0.7), rel=1e-12)
    assert sensing.ramsey(states.ghz(n), dephasing_rate=0.7).probe_time == pytest.approx(1 / (1.4 * n), rel=1e-12)


def test_the_gain_at_a_given_probe_time():
    times = {"probe_time": 0.01, "dead_time": 0.03}
    ghz, product = (sensing.ramsey(each, **times) for each in (states.ghz(10), states.plus(10)))
    assert product.uncertainty / ghz.uncertainty == pytest.approx(math.sqrt(10), rel=1e-12)
    assert ghz.uncertainty == pytest.approx(math.sqrt(0.04) / (2 * math.pi * 0.01 * 10), rel=1e-12)
    after = ghz.stability(4e14, [1.0, 100.0])
    assert after[0] / after[1] == pytest.approx(10) and after[0] == pytest.approx(float(ghz.uncertainty) / 4e14)


def test_states_made_by_a_circuit():
    """One-axis twisting of two qubits by RZZ(angle): against the density matrix after dephasing."""
    angle, gamma, time = 0.8, 0.3, 0.5
    plus = np.full(4, 0.5, complex)
    made = np.exp(-1j * angle / 2 * np.array([1, -1, -1, 1])) * plus
    matrix = oracle.through(np.outer(made, made.conj()), oracle.pauli(0, 0, (1 - math.exp(-gamma * time)) / 2))
    form = oracle.quantum_fisher(matrix, oracle.total(2, axis=oracle.X))
    state = states.from_amplitudes(made)
    found = sensing.ramsey(state, probe_time=time, dephasing_rate=gamma, generator="XX")
    assert found.angle_fisher == pytest.approx(form, abs=1e-11)


def rate(gamma, dead, state=None):
    return sensing.ramsey(states.plus(2) if state is None else state, dephasing_rate=gamma, dead_time=dead)


@pytest.mark.slow
def test_the_best_probe_time_of_any_state_and_its_slopes():
    """Two routes to the optimum of a product state: by its closed form, and searched."""
    best = sensing.best_exponential_time
    assert rate(0.5, 0.3).probe_time == pytest.approx(float(best(0.5, 0.3)), rel=1e-10)
    slope = jax.grad(lambda gamma: rate(gamma, 0.3).probe_time)(0.5)
    assert slope == pytest.approx(float(jax.grad(best)(0.5, 0.3)), rel=1e-8)
    step = 1e-5
    for number in (0, 1):
        value = lambda *x: rate(*x).information_rate  # noqa: E731
        sides = [value(*np.add((0.5, 0.3), sign * step * np.eye(2)[number])) for sign in (1, -1)]
        found = jax.grad(value, number)(0.5, 0.3)
        assert found == pytest.approx((float(sides[0]) - float(sides[1])) / (2 * step), rel=1e-7)


def test_the_best_probe_time_with_dead_time():
    gamma, dead, n = 0.4, 2.0, 7
    times = np.linspace(0.001, 3, 200_001)
    value = times**2 * np.exp(-2 * n * gamma * times) / (dead + times)
    found = sensing.ramsey(states.ghz(n), dephasing_rate=gamma, dead_time=dead)
    assert found.probe_time == pytest.approx(times[np.argmax(value)], abs=2e-5)
    assert found.information_rate == pytest.approx(n**2 * value.max(), rel=1e-9)
    assert np.isfinite(jax.grad(sensing.best_exponential_time, 1)(0.4, 0.0))


def test_weighted_sums_of_fields():
    weights = np.array([1.0, -0.5, 0.0, 2.0])
    pair = sensing.weighted_sum(states.ghz(4), weights)
    assert pair.variance_apart == pytest.approx(5.25) and pair.variance == pytest.approx(4, abs=1e-10)
    three = sensing.weighted_sum(states.ghz(3), weights[[0, 1, 3]])
    assert three.variance == pytest.approx(4, abs=1e-10)
    assert three.gain == pytest.approx(math.sqrt(5.25 / 4), abs=1e-10)
    alike = sensing.weighted_sum(states.plus(4), np.ones(4))
    assert alike.variance == pytest.approx(4, abs=1e-10) and alike.gain == pytest.approx(1, abs=1e-10)
    noisy = states.apply_each_site(states.to_mixed(states.ghz(3)), channels.dephasing(0.1).ptm())
    assert sensing.weighted_sum(noisy, np.ones(3)).variance == pytest.approx(0.8**-6, rel=1e-9)


def test_time_transfer():
    width = math.hypot(40e-12, 60e-12, 0.17 * 0.5e-9 * 0.2)
    numbers = {"dispersion": [0.17, -0.136], "bandwidth": 0.5e-9}
    found = sensing.time_transfer(2e4, [40e-12, 60e-12], **numbers)
    assert found.width == pytest.approx(width, rel=1e-12)
    assert found.uncertainty_after(100.0) == pytest.approx(width / math.sqrt(2 * 2e6), rel=1e-12)
    one_way = sensing.time_transfer(2e4, [40e-12, 60e-12], **numbers, both_ways=False)
    assert found.information_rate == pytest.approx(2 * float(one_way.information_rate))


def test_accidental_pairs_cost_information():
    """Against a sum over many narrow bins."""
    rate, width, flat = 1e3, 1e-10, 2e12
    bins = np.linspace(-1e-9, 1e-9, 20_001)
    peak = np.exp(-((bins / width) ** 2) / 2) / (width * math.sqrt(2 * math.pi))
    slope = -bins / width**2 * peak
    form = np.sum((rate * slope) ** 2 / (rate * peak + flat)) * (bins[1] - bins[0])
    make = lambda x: sensing.time_transfer(rate, [width, 0.0], accidental_rate=x, both_ways=False)  # noqa: E731
    assert make(flat).information_rate == pytest.approx(form, rel=1e-9)
    assert make(0.0).information_rate == pytest.approx(rate / width**2, rel=1e-12)
    assert np.isfinite(jax.grad(lambda x: make(x).information_rate)(0.0))


def test_delays_shift_the_clock():
    found = sensing.delay_attack([3e-9, 1e-9], 1e-9, p_false_alarm=0.05)
    assert found.bias == pytest.approx(1e-9)
    assert found.p_detected == pytest.approx(0.5 * math.erfc((1.6448536269514722 - 4) / math.sqrt(2)), abs=1e-12)
    largest = sensing.largest_hidden_bias(1e-9, p_false_alarm=0.05, p_missed=0.05)
    again = sensing.delay_attack(jnp.stack([2 * largest, 0.0]), 1e-9, p_false_alarm=0.05)
    assert again.bias == pytest.approx(float(largest)) and again.p_detected == pytest.approx(0.95, abs=1e-12)
    faster = sensing.largest_hidden_bias(0.0, length=1e4, index=1.468)
    assert faster == pytest.approx(0.468 * 1e4 / 299_792_458, rel=1e-12)
    assert sensing.delay_attack([faster, -faster], 1e-15).p_detected == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sensing.ramsey(states.ghz(3), probe_time=0.0), "`probe_time` must be positive and finite, but is 0.0"),
        (lambda: sensing.ramsey(states.ghz(3)), "`probe_time` must be given where `dephasing_rate` is 0"),
        (lambda: sensing.ramsey(states.cluster(9), dephasing_rate=1.0), "`probe_time` must be given for 9 qubits"),
        (lambda: sensing.ramsey(states.ghz(3), probe_time=1.0, dead_time=-1.0), "`dead_time` must be non-negative"),
        (lambda: sensing.clock_comparison(states.ghz(3)), "must be a state of two qubits, but has 3"),
        (lambda: sensing.clock_comparison([0.5, 0.5]), r"its Bell weights \(4,\) or its Pauli .* but has shape \(2,\)"),
        (lambda: sensing.weighted_sum(states.ghz(3), [0.0, 0.0, 0.0]), "a number that is not 0, but holds none"),
        (lambda: sensing.weighted_sum(states.ghz(8), [1.0] * 8), "at most 7 qubits, but has 8"),
        (lambda: sensing.weighted_sum(states.ghz(3), [1.0]), "one number for each of 3 sensors"),
        (lambda: sensing.time_transfer(1.0, 0.0), "`jitter` must be positive where nothing else widens the peak"),
        (lambda: sensing.time_transfer(0.0, 1.0), "`pair_rate` must be positive and finite, but is 0.0"),
        (lambda: sensing.delay_attack([1.0], 1.0), "two numbers, there and back"),
        (lambda: sensing.largest_hidden_bias(1.0, p_missed=0.0), r"`p_missed` must lie in \(0, 1\), but is 0.0"),
    ],
)
def test_what_is_wrong_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("dead", [0.0, 1e-9, 0.3, 0.5, 1.0, 40.0, 1e6, 1e10, 1e17])
def test_best_probe_time_after_long_waits(dead):
    """Against 60 digits: no difference of large numbers, and slopes at no wait."""
    with decimal.localcontext(prec=60):
        x = 2 * decimal.Decimal("0.5") * decimal.Decimal(dead)
        expected = float((1 - x + ((x - 1) ** 2 + 8 * x).sqrt()) / 2)
    assert sensing.best_exponential_time(0.5, dead) == pytest.approx(expected, rel=1e-14)
    slopes = jax.grad(sensing.best_exponential_time, argnums=(0, 1))(0.5, dead)
    assert slopes[0] < 0 <= slopes[1] <= 1


def test_numbers_of_any_size_are_no_nan():
    """Probes that outlast all coherence, dephasing that leaves no time."""
    one = jnp.ones(())
    for time, rate in ((1e300, 0.5), (1e-100, 0.5), (1e-100, 1e100)):

        def gain(x, time=time, rate=rate):
            kept = jnp.exp(-2 * rate * time * x)
            probe = sensing.Ramsey(probe_time=time * x, cycle_time=0.1 + time * x, angle_fisher=9 * kept**3)
            apart = sensing.Ramsey(probe_time=time * x, cycle_time=time * x, angle_fisher=3 * kept)
            found = sensing.Sensing(probe=probe, apart=apart, waiting_time=0.1 * one)
            return found.gain + probe.information_rate

        assert np.all(np.isfinite(jax.value_and_grad(gain)(1.0)))


def test_a_weighted_sum_has_slopes_where_eigenvalues_are_equal():
    """Qubits apart, F = (1 - 2p)^2 in every direction: variance sum of squares at equal turns."""

    def variance(p):
        state = states.apply_each_site(states.to_mixed(states.plus(3)), channels.dephasing(p).ptm())
        return sensing.weighted_sum(state, [1.0, -1.0, 1.0]).variance

    value, slope = jax.value_and_grad(variance)(0.1)
    assert value == pytest.approx(3 / 0.64, rel=1e-12)
    assert slope == pytest.approx(12 / 0.512, rel=1e-10)


def test_rare_alarms_and_no_pairs():
    assert sensing.delay_attack([0.0, 0.0], 1.0, p_false_alarm=1e-20).p_detected == pytest.approx(1e-20, rel=1e-6)
    with pytest.raises(ValueError, match="`bell_weights` must hold the weights of at least one pair"):
        sensing.fused_fisher([])


def test_probes_that_dephasing_does_not_harm_have_no_best_time():
    """Sum of X/2 turns |000> and |111> visibly whether they are coherent or not; nothing turns with no letters."""
    with pytest.raises(ValueError, match="`probe_time` must be given: dephasing does not take away"):
        sensing.ramsey(states.ghz(3), dephasing_rate=0.5, generator="XXX")
    assert sensing.ramsey(states.ghz(2), dephasing_rate=0.5, generator={}).information_rate == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((states.ghz(3), "ZZ"), "`generator` must have one letter for each of 3 sites, but is 'ZZ'"),
        ((states.ghz(3), {0: "Q"}), "`generator` must consist of I, X, Y, Z, but holds 'Q'"),
    ],
)
def test_mistakes_name_the_argument(arguments, message):
    with pytest.raises(ValueError, match=message):
        sensing.quantum_fisher(*arguments)
