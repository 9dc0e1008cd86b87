"""Weak pulses: published rates and distances, finite blocks by hand, gradients by every number, samples, messages."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from qtn.planning.pulses import best_pulses
from qtn.qkd import Security, Tail, pulses, receiver, sampled_counts
from qtn.qkd.decoy_key import decoy_key
from qtn.qkd.decoys import (
    asymptotic_rate,
    rate_without_decoys,
    single_photons,
    splitting_limit,
    vacuum_and_weak,
)
from qtn.qkd.fluctuations import interval
from qtn.qkd.pulses import expected_counts, gains


def h(x):
    return -x * np.log2(x) - (1 - x) * np.log2(1 - x)


def gys(length):
    """Gobby, Yuan, Shields 2004, as in Ma et al. 2005."""
    return receiver(0.21 * length, 0.045, 0.85e-6, 0.033)


def lim(length=100.0):
    """Table of Lim et al. 2014."""
    return receiver(0.2 * length, 0.1, 6e-7, 5e-3, 0.04)


SENT = pulses([0.48, 0.12, 2e-4], [0.6, 0.3, 0.1], 0.9)
STRICT = Security(secrecy=1e-9, correctness=1e-15)


def test_published_rates_without_end():
    ideal = lambda length, mu=0.48: float(asymptotic_rate(gys(length), mu, single_photons(gys(length))))  # noqa: E731
    assert ideal(100.0) == pytest.approx(1.718444e-5, abs=5e-12)
    assert brentq(ideal, 100, 160) == pytest.approx(142.0145, abs=5e-5)
    weak = lambda x: float(asymptotic_rate(gys(x), 0.48, vacuum_and_weak(gys(x), 0.48, 0.05)))  # noqa: E731
    assert brentq(weak, 100, 160) == pytest.approx(140.619, abs=5e-4)
    best = brentq(lambda mu: (1 - mu) * np.exp(-mu) - 1.22 * h(0.033) / (1 - h(0.033)), 0.1, 0.9)
    assert best == pytest.approx(0.4789227, abs=5e-8)


def test_the_best_intensity_is_where_the_slope_vanishes():
    """Far from dark counts and at small transmissivity the optimum of Ma et al. is that of the rate."""
    far = receiver(40.0, 0.045, 0.0, 0.033)
    slope = jax.grad(lambda mu: asymptotic_rate(far, mu, single_photons(far)) * 1e6)
    assert brentq(lambda mu: float(slope(mu)), 0.3, 0.7) == pytest.approx(0.4789227, abs=1e-5)


def by_hand(sent, counts, secrecy, correctness):
    """Lim et al. 2014, Eqs. (1) to (5), as printed."""
    mu, p = np.asarray(sent.intensities), np.asarray(sent.probabilities)
    tau = [np.sum(p * np.exp(-mu) * mu**k) for k in (0, 1)]

    def limits(n):
        spread = np.sqrt(n.sum() / 2 * np.log(21 / secrecy))
        return np.exp(mu) / p * (n - spread), np.exp(mu) / p * (n + spread)

    def one(n):
        low, high = limits(n)
        none = max(tau[0] * (mu[1] * low[2] - mu[2] * high[1]) / (mu[1] - mu[2]), 0)
        bracket = low[1] - high[2] - (mu[1] ** 2 - mu[2] ** 2) / mu[0] ** 2 * (high[0] - none / tau[0])
        return none, tau[1] * mu[0] * bracket / (mu[0] * (mu[1] - mu[2]) - mu[1] ** 2 + mu[2] ** 2)

    x, wrong_x, z, wrong_z = (np.asarray(v) for v in vars(counts).values())
    (s0, s1), (_, c) = one(x), one(z)
    low, high = limits(wrong_z)
    b = tau[1] * (high[1] - low[2]) / (mu[1] - mu[2]) / c
    inner = (c + s1) / (c * s1 * (1 - b) * b) * (21 / secrecy) ** 2
    phase = b + np.sqrt((c + s1) * (1 - b) * b / (c * s1 * np.log(2)) * np.log2(inner))
    leak = 1.16 * x.sum() * h(wrong_x.sum() / x.sum())
    return s0 + s1 * (1 - h(phase)) - leak - 6 * np.log2(21 / secrecy) - np.log2(2 / correctness)


def test_a_published_block_is_as_printed():
    counts = expected_counts(SENT, lim(), 1e11)
    found = decoy_key(SENT, counts, STRICT, tail=Tail.FUNG)
    assert found.key_bits == pytest.approx(by_hand(SENT, counts, 1e-9, 1e-15), rel=1e-9)


def test_counts_are_sums_over_photon_numbers():
    """Click and wrong click of n photons, averaged over a Poisson distribution; dark counts to first order."""
    line, mu = lim(60.0), 0.48
    n = np.arange(30)
    weights = np.exp(-mu) * np.cumprod(np.r_[1, mu / n[1:]])
    eta = float(line.transmissivity)
    clicks = 1 - (1 - 2 * 6e-7) * np.sum(weights * (1 - eta) ** n)
    assert gains(line, jnp.array([mu]))[0][0] == pytest.approx(clicks * 1.04, rel=1e-10)


def test_dead_time_takes_what_it_should():
    blind = receiver(0.0, 1.0, 0.0, 0.0, dead_pulses=10.0)
    counts = expected_counts(SENT, blind, 1e6)
    clicks = float(jnp.sum(SENT.probabilities * (1 - jnp.exp(-SENT.intensities))))
    total = float(jnp.sum(counts.key_detections)) / 0.81
    assert total == pytest.approx(1e6 * clicks / (1 + 10 * clicks), rel=1e-12)


def block(mu1, mu2, mu3, p1, p2, q, loss, efficiency, dark, wrong, after, tail):
    line = receiver(loss, efficiency, dark, wrong, after, 2.0)
    sent = pulses(jnp.stack([mu1, mu2, mu3]), jnp.stack([p1, p2, 1 - p1 - p2]), q)
    return decoy_key(sent, expected_counts(sent, line, 1e10), STRICT, tail=tail).key_bits / 1e5


NUMBERS = {"mu1": 0.5, "mu2": 0.1, "mu3": 2e-3, "p1": 0.6, "p2": 0.3, "q": 0.85}
NUMBERS |= {"loss": 14.0, "efficiency": 0.1, "dark": 6e-7, "wrong": 5e-3, "after": 0.04}


@pytest.mark.parametrize("tail", ["exact", "fung"])
def test_gradients_by_every_number(tail):
    value = jax.jit(lambda numbers: block(**numbers, tail=tail))
    numbers = {name: jnp.asarray(x) for name, x in NUMBERS.items()}
    slopes = jax.jit(jax.grad(lambda numbers: block(**numbers, tail=tail)))(numbers)
    assert float(value(numbers)) > 0
    for name, x in NUMBERS.items():
        up, down = (float(value({**numbers, name: jnp.asarray(x * (1 + s * 1e-5))})) for s in (1, -1))
        assert slopes[name] == pytest.approx((up - down) / (2e-5 * x), rel=2e-4, abs=1e-3), name
    dark = jax.jit(jax.grad(lambda loss: block(**{**numbers, "loss": loss}, tail=tail)))(80.0)
    assert np.isfinite(dark)


def test_intervals_fail_as_seldom_as_promised():
    random, promised = np.random.default_rng(4), 0.01
    for mean in (5.0, 200.0):
        seen = np.arange(0.0, mean + 40 * np.sqrt(mean))
        low, high = (np.asarray(x) for x in interval(jnp.asarray(seen), jnp.log(promised), Tail.CHERNOFF))
        draws = random.poisson(mean, 100_000)
        for missed in (low[draws] > mean, high[draws] < mean):
            assert missed.mean() < promised + 4 * np.sqrt(promised / 1e5)


def test_sampled_blocks_scatter_around_the_expected_one():
    expected = expected_counts(SENT, lim(50.0), 1e9)
    drawn = jax.jit(jax.vmap(lambda key: sampled_counts(expected, key)))(jax.random.split(jax.random.key(0), 400))
    for name in vars(expected):
        mean, all_drawn = np.asarray(getattr(expected, name)), np.asarray(getattr(drawn, name))
        assert np.all(np.abs(all_drawn.mean(axis=0) - mean) < 4 * np.sqrt(mean / 400) + 1e-9), name
    keys = jax.jit(jax.vmap(lambda counts: decoy_key(SENT, counts, STRICT).key_bits))(drawn)
    typical = float(decoy_key(SENT, expected, STRICT).key_bits)
    assert abs(np.mean(keys) - typical) < 4 * np.std(keys) / 20 + 0.002 * typical


def test_splitting_breaks_pulses_without_decoys():
    mu = 0.1
    limit = float(splitting_limit(mu))
    below, above = (receiver(-10 * np.log10(limit * s), 1.0, 0.0, 0.0) for s in (0.5, 2.0))
    assert float(rate_without_decoys(below, mu)) <= 0 < float(rate_without_decoys(above, mu))


def test_joint_optimisation_is_fast_and_no_grid_is_better():
    line = lim()
    best_pulses(line, 1e11, STRICT)
    start = time.process_time()
    best = best_pulses(line, 1e11, STRICT)
    assert time.process_time() - start < 2.0
    ends = {"mu1": (0.2, 0.9), "mu2": (0.02, 0.3), "p1": (0.2, 0.9), "share": (0.3, 0.95), "q": (0.6, 0.99)}
    grids = jnp.meshgrid(*[jnp.linspace(*end, 8) for end in ends.values()], indexing="ij")

    def value(mu1, mu2, p1, share, q):
        p2 = (1 - p1) * share
        sent = pulses(jnp.stack([mu1, mu2, jnp.asarray(2e-4)]), jnp.stack([p1, p2, 1 - p1 - p2]), q)
        bits = decoy_key(sent, expected_counts(sent, line, 1e11), STRICT, tail="chernoff").key_bits
        return jnp.where(mu1 > mu2 + 2e-4, bits, -jnp.inf)

    values = jax.jit(lambda *x: jax.lax.map(lambda one: value(*one), x, batch_size=2048))(*[g.ravel() for g in grids])
    found = decoy_key(best, expected_counts(best, line, 1e11), STRICT, tail="chernoff").key_bits
    assert float(found) >= float(jnp.max(values))


COUNTS = expected_counts(SENT, lim(), 1e10)


@pytest.mark.parametrize("tail, expected", [("fung", 1307.41), ("exact", 2147.61)])
def test_short_blocks_have_keys(tail, expected):
    """1e5 detections at no distance: 4,000 random settings reach 1,196 and 2,094 bits per million pulses."""
    demand = Security(secrecy=1e-12, correctness=1e-15)
    line = lim(0.0)
    best = best_pulses(line, security=demand, key_detections=1e5, tail=tail)
    num_pulses = 1e5 / float(jnp.sum(expected_counts(best, line, 1.0).key_detections))
    bits = decoy_key(best, expected_counts(best, line, num_pulses), demand, tail=tail).key_bits
    assert float(bits) / num_pulses * 1e6 == pytest.approx(expected, rel=0.1)


def test_ten_and_a_thousand_million_detections():
    """Published: about 1.75 times the rate for 1e9 detections, as for 1e7, at 100 km, secrecy 1e-15 a bit."""
    rates = []
    for detections, bits in ((1e9, 3.3e8), (1e7, 2.2e6)):
        demand = Security(secrecy=1e-15 * bits, correctness=1e-15)
        best = best_pulses(lim(), security=demand, key_detections=detections, tail="fung")
        num_pulses = detections / float(jnp.sum(expected_counts(best, lim(), 1.0).key_detections))
        key = decoy_key(best, expected_counts(best, lim(), num_pulses), demand, tail="fung").key_bits
        rates.append(float(key) / num_pulses)
    assert rates[0] / rates[1] == pytest.approx(1.79, abs=0.01)


BAD = [
    (lambda: best_pulses(lim()), "One of the arguments `num_pulses` and `key_detections`"),
    (lambda: pulses([0.1, 0.5, 0.0], [0.5, 0.3, 0.2]), "`intensities` must fall .* sort them"),
    (lambda: pulses([0.5, 0.1, 0.0], [0.5, 0.3, 0.3]), "`probabilities` must sum to 1, but .* sums to 1.1"),
    (lambda: pulses([0.5, 0.1], [0.5, 0.3, 0.2]), "must be of one length"),
    (lambda: pulses([0.5, 0.1], [0.5, 0.5], 1.0), "`p_key_basis` must lie in"),
    (lambda: receiver(10.0, 1.2), "`efficiency` must lie in"),
    (lambda: receiver(10.0, misalignment=0.6), "`misalignment` must lie in"),
    (lambda: vacuum_and_weak(gys(10.0), 0.1, 0.2), "`decoy` must be weaker"),
    (lambda: decoy_key(pulses([0.5, 0.1], [0.5, 0.5]), COUNTS), "must have three intensities"),
    (lambda: decoy_key(pulses([0.5, 0.4, 0.2], [0.4, 0.3, 0.3]), COUNTS), "above the sum .* weaken the decoys"),
]


@pytest.mark.parametrize("call, message", BAD, ids=[message[:24] for _, message in BAD])
def test_wrong_numbers_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
