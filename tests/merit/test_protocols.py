"""Key protocols with and without noisy preprocessing, bounds, merits in time, age at delivery."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

import qtn
from qtn import bb84_fraction, chsh_fraction, hashing_fraction, preprocessed, six_state_fraction
from qtn.merit.fidelity import qber_z
from qtn.merit.in_time import fidelity_by
from qtn.merit.preprocessing import best_noise
from qtn.states.pair import from_fidelity
from tests.oracles import keys

WEIGHTS = np.array([0.8, 0.07, 0.03, 0.1])
ALL = (bb84_fraction, six_state_fraction, hashing_fraction, chsh_fraction)


def with_qber(error):
    return from_fidelity(1 - 1.5 * error)


def threshold(fraction):
    return brentq(lambda error: float(fraction(with_qber(error))), 0.04, 0.2, xtol=1e-12)


PLAIN = [(bb84_fraction, 0.1100278644), (six_state_fraction, 0.1261930833), (chsh_fraction, 0.0714917588)]


@pytest.mark.parametrize(("fraction", "error"), PLAIN)
def test_thresholds(fraction, error):
    np.testing.assert_allclose(threshold(fraction), error, atol=1e-10)


FLIPPED = [(bb84_fraction, 0.1241), (six_state_fraction, 0.1411), (chsh_fraction, 0.0808)]


@pytest.mark.parametrize(("fraction", "error"), FLIPPED)
def test_thresholds_with_flips(fraction, error):
    """Published: 12.4 %, 14.1 % (Kraus, Gisin, Renner 2005), 8.08 % (Ho et al. 2020)."""
    np.testing.assert_allclose(threshold(jax.jit(preprocessed(fraction))), error, atol=6e-5)


def test_the_threshold_with_flips_is_that_of_flips_towards_one_half():
    """Key over (1/2 - q)^2 at q -> 1/2 is a multiple of r^3 - (1 - r^2) artanh(r) with r = 1 - 2 e."""
    visible = brentq(lambda r: r**3 - (1 - r * r) * np.arctanh(r), 0.5, 0.9, xtol=1e-14)
    np.testing.assert_allclose(threshold(jax.jit(preprocessed(bb84_fraction))), (1 - visible) / 2, atol=1e-8)


@pytest.mark.parametrize("error", [0.09, 0.115, 0.12])
def test_best_flips_are_stationary(error):
    """The slope of `one_way_key`, from h'(x) = log2[(1 - x) / x]."""

    def slope(noise):
        square = (1 - 2 * error) ** 2
        blurred = np.sqrt(1 - 4 * noise * (1 - noise) * (1 - square))
        known = np.log2((1 - blurred) / (1 + blurred)) / 4 / blurred * -4 * (1 - 2 * noise) * (1 - square)
        flipped = error + noise * (1 - 2 * error)
        return known - np.log2((1 - flipped) / flipped) * (1 - 2 * error)

    best = brentq(slope, 1e-6, 0.45, xtol=1e-14)
    np.testing.assert_allclose(best_noise(bb84_fraction, with_qber(error)), best, atol=1e-11)
    assert error != 0.115 or abs(best - 0.12644587651) < 1e-11


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.3, 0.49])
def test_known_pairs_agree_with_purification(noise):
    value = hashing_fraction(jnp.asarray(WEIGHTS), jnp.asarray(noise))
    np.testing.assert_allclose(value, keys.key(WEIGHTS, noise), atol=1e-13)
    value = six_state_fraction(jnp.asarray(WEIGHTS), jnp.asarray(noise))
    np.testing.assert_allclose(value, keys.key(np.asarray(from_fidelity(0.8)), noise), atol=1e-13)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.4])
def test_bb84_is_the_worst_pair_with_these_error_rates(noise):
    bit, phase = 0.08, 0.05
    value = bb84_fraction(jnp.array([0.87, 0.08, 0.0, 0.05]), jnp.asarray(noise))
    both = np.linspace(0, phase, 201)
    pairs = np.stack([1 - bit - phase + both, bit - both, both, phase - both], axis=1)
    worst = min(keys.key(pair, noise) for pair in pairs)
    np.testing.assert_allclose(value, worst, atol=1e-5)
    assert float(value) <= worst + 1e-12


@pytest.mark.parametrize("fraction", ALL)
def test_best_flips_beat_a_fine_grid(fraction):
    pair = jnp.asarray(WEIGHTS) * 0.6 + 0.4 * from_fidelity(1.0)
    grid = jax.jit(jax.vmap(lambda q: fraction(pair, q)))(jnp.linspace(0.0, 0.4999, 2001))
    best = jax.jit(preprocessed(fraction))(pair)
    assert float(best) >= float(jnp.max(grid)) - 1e-12
    np.testing.assert_allclose(best, jnp.max(grid), atol=1e-6)


@functools.cache
def with_flips(fraction):
    """The protocol with the best flips by the fidelity, and its slope."""
    return jax.jit(jax.value_and_grad(lambda fidelity: preprocessed(fraction)(from_fidelity(fidelity))))


@pytest.mark.parametrize("fidelity", [1.0, 0.93, 0.8, 0.5, 0.25])
@pytest.mark.parametrize("fraction", ALL)
def test_derivatives_with_flips(fraction, fidelity):
    protocol = with_flips(fraction)
    _, slope = protocol(fidelity)
    assert np.isfinite(slope)
    if 0.5 <= fidelity < 1:
        finite = (protocol(fidelity + 1e-5)[0] - protocol(fidelity - 1e-5)[0]) / 2e-5
        np.testing.assert_allclose(slope, finite, rtol=1e-5, atol=1e-9)


def test_slope_leads_to_a_violation():
    slope = jax.jit(jax.grad(lambda f: chsh_fraction(from_fidelity(f))))
    assert all(float(slope(f)) > 0.1 for f in (0.4, 0.6, 0.75))  # S < 2


def test_protocols_of_users_are_any_functions():
    class Threshold:
        __hash__ = None  # as a dataclass that compares its fields

        def __call__(self, pair):
            return max(0.0, 1 - 4 * float(qber_z(pair)))

    link = qtn.abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9)
    found = qtn.evaluate(qtn.chain(link, num_links=1), qtn.parse("0"))
    assert float(qtn.secret_fraction(found, Threshold())) == pytest.approx(1 - 4 * 0.05, rel=1e-12)
    assert float(qtn.secret_key_rate(found, lambda pair: max(0.0, 1 - 4 * float(qber_z(pair))))) == pytest.approx(0.4)


def test_fixed_flips():
    np.testing.assert_allclose(
        preprocessed(bb84_fraction, 0.1)(jnp.asarray(WEIGHTS)), bb84_fraction(jnp.asarray(WEIGHTS), 0.1)
    )
    np.testing.assert_allclose(best_noise(bb84_fraction, from_fidelity(1.0)), 0.0, atol=1e-12)
    with pytest.raises(ValueError, match=r"Argument `noise` must lie in \[0, 1/2\), but is 0.5"):
        preprocessed(bb84_fraction, 0.5)


def test_repeater_bounds():
    np.testing.assert_allclose(
        qtn.repeater_rate(0.3, 0, 1e6), qtn.plob_rate(jnp.asarray(0.3), jnp.asarray(1e6)), rtol=1e-14
    )
    np.testing.assert_allclose(qtn.repeater_rate(1e-8, 3, 1.0), -np.log2(1 - 1e-2), rtol=1e-13)
    np.testing.assert_allclose(qtn.chain_rate([0.5, 0.25, 0.5], 1.0), -np.log2(0.75), rtol=1e-14)
    assert jax.grad(qtn.repeater_rate)(0.0, 2.0, 1.0) == 0
    with pytest.raises(ValueError, match=r"`transmissivity` must lie in \[0, 1\), but is 1.0"):
        qtn.repeater_rate(1.0, 1, 1.0)


P, T = 0.3, 5.0


@pytest.fixture(scope="module")
def outcome():
    link = qtn.abstract_link(p_success=P, attempt_time=1.0, werner=1.0)
    return qtn.evaluate(qtn.chain(link, qtn.node(qtn.depolarising_memory(T)), num_links=2), qtn.nested(1))


def two_links(deadline):
    """P(T <= n) and E[F | T <= n] of two links by summing over both arrivals."""
    arrivals = np.arange(1, deadline + 1)
    mass = P * (1 - P) ** (arrivals - 1)
    apart = np.abs(arrivals[:, None] - arrivals)
    joint = np.outer(mass, mass)
    return joint.sum(), np.sum(joint * (1 + 3 * np.exp(-2 * apart / T)) / 4) / joint.sum()


@pytest.mark.parametrize("deadline", [1, 2, 5, 40])
def test_pairs_by_a_deadline(outcome, deadline):
    probability, fidelity = two_links(deadline)
    np.testing.assert_allclose(qtn.delivered_by(outcome, float(deadline))[1], probability, rtol=1e-12)
    np.testing.assert_allclose(fidelity_by(outcome, float(deadline)), fidelity, rtol=1e-12)


def test_fidelity_in_time(outcome):
    found = qtn.fidelity_in_time(outcome)
    assert np.isnan(found[0])
    before, at = two_links(4), two_links(5)
    expected = (at[0] * at[1] - before[0] * before[1]) / (at[0] - before[0])
    index = int(np.argmin(np.abs(np.asarray(outcome.times) - 5.0)))
    np.testing.assert_allclose(found[index], expected, rtol=1e-11)


@pytest.mark.parametrize(
    ("deadline", "message"), [(-1.0, "must be non-negative"), (1e9, "must not lie beyond the time grid")]
)
def test_bad_deadlines(outcome, deadline, message):
    with pytest.raises(ValueError, match=message):
        qtn.delivered_by(outcome, deadline)


def test_nothing_yet(outcome):
    pair, probability = qtn.delivered_by(outcome, 0.0)
    assert abs(float(probability)) < 1e-15
    np.testing.assert_array_equal(pair, np.diag([1.0, 0, 0, 0]))


def test_storage_times():
    """Only pairs that end up delivered count: with a cut-off the mean is conditional."""
    p = 0.2
    line = qtn.chain(qtn.abstract_link(p_success=p, attempt_time=1.0, werner=0.8), num_links=2)
    tau, q = 3, 1 - p
    gaps = np.arange(1, tau + 1)
    weights = 2 * p**2 * q**gaps / (1 - q**2)
    expected = np.sum(weights * gaps) / (weights.sum() + p**2 / (1 - q**2))
    found = qtn.storage_times(line, qtn.parse("swap(0, 1, cutoff_time=3.0)"))
    np.testing.assert_allclose(found, expected * np.array([1, 2, 1]) / 2 * 2 / 2, rtol=1e-10)


def test_waits_are_stored():
    line = qtn.chain(qtn.abstract_link(p_success=1.0, attempt_time=1.0, werner=0.8), num_links=1)
    np.testing.assert_allclose(qtn.storage_times(line, qtn.parse("wait(0, 2.0)")), [2.0, 2.0], rtol=1e-10)


def test_distilled_pairs_have_no_age():
    line = qtn.chain(qtn.abstract_link(p_success=1.0, attempt_time=1.0, werner=0.8), num_links=1)
    with pytest.raises(ValueError, match="must consist of swaps and waits for an age, but distils"):
        qtn.storage_times(line, qtn.parse("distill(0)"))


def test_any_function_of_the_outcome():
    """The derivative of a user's own merit: ebits per second."""
    line = qtn.chain(qtn.abstract_link(p_success=0.5, attempt_time=1.0, werner=0.95), num_links=2)

    def ebit_rate(summary):
        return qtn.log_negativity(summary.bell_diagonal) / summary.mean_time

    found = qtn.gradient(line, qtn.nested(1), of=ebit_rate)
    mean, fidelity = 8 / 3, (1 + 3 * 0.95**2) / 4
    np.testing.assert_allclose(found.value, np.log2(2 * fidelity) / mean, rtol=1e-9)
    slope = -np.log2(2 * fidelity) / mean**2 * (-6.222222222222222)
    np.testing.assert_allclose(found.chain.links[0].p_success, slope, rtol=1e-8)
