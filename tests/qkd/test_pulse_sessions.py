"""Sessions with weak pulses: a threshold by hand, the best one, attacks, samples, gradients, messages."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import binom

from qtn.channels import depolarising
from qtn.qkd import Assumptions, Security, decoy_key, entangling_probe, intercept_resend, pulse_key, pulses, receiver
from qtn.qkd.attacks import require_attack
from qtn.qkd.detection import p_below
from qtn.qkd.pulses import expected_counts

SENT = pulses([0.48, 0.12, 2e-4], [0.6, 0.3, 0.1], 0.9)
LINE = receiver(10.0, 0.1, 6e-7, 5e-3, 0.04)
LONG = {"seconds": 10.0}


def test_a_given_threshold_by_hand():
    """The key is that of counts whose error rates are higher by what the threshold allows; P(accept) is binomial."""
    found = pulse_key(SENT, LINE, 1e8, **LONG, abort_above=0.03).session
    counts = expected_counts(SENT, LINE, 1e9)
    tested, wrong = float(jnp.sum(counts.test_detections)), float(jnp.sum(counts.test_errors))
    more = 0.03 - wrong / tested
    higher = dataclasses.replace(
        counts,
        key_errors=counts.key_errors + more * counts.key_detections,
        test_errors=counts.test_errors + more * counts.test_detections,
    )
    assert found.key_bits == pytest.approx(float(decoy_key(SENT, higher).key_bits), rel=1e-9)
    assert found.leak_bits == pytest.approx(float(decoy_key(SENT, higher).leak_bits), rel=1e-12)
    k = round(tested)
    sides = [binom.sf(np.floor(0.03 * k) + d, k, wrong / tested) for d in (-1, 1)]
    assert min(sides) <= float(found.p_abort) <= max(sides)
    assert found.num_test == pytest.approx(tested) and found.max_errors == pytest.approx(0.03 * tested)


def test_no_threshold_is_better_than_the_best():
    best = pulse_key(SENT, LINE, 1e8, **LONG)
    threshold = float(best.session.max_errors / best.session.num_test)
    counts = expected_counts(SENT, LINE, 1e9)
    honest = float(jnp.sum(counts.test_errors) / jnp.sum(counts.test_detections))
    assert honest < threshold < honest + 0.01
    for other in (honest, threshold - 1e-3, threshold - 1e-5, threshold + 1e-5, threshold + 1e-3, 0.03):
        assert pulse_key(SENT, LINE, 1e8, **LONG, abort_above=other).rate <= best.rate * (1 + 1e-6)


def test_time_is_that_of_blocks_and_restarts():
    found = pulse_key(SENT, LINE, 1e8, num_pulses=1e9)
    assert found.session_time == pytest.approx(10.0)
    assert found.time_to_key == pytest.approx(10.0 * (1 + float(found.session.restarts)), rel=1e-12)
    accepted = 1 - float(found.session.p_abort)
    assert found.rate == pytest.approx(accepted * float(found.session.key_bits) / 10.0, rel=1e-9)


def test_intercepted_pulses_show_the_errors_of_single_qubits():
    """Clicks of light are wrong with e + p/4 (1 - 2 e); whatever is random stays so."""
    found = pulse_key(SENT, LINE, 1e8, **LONG, attack=intercept_resend(0.02)).session
    spied = receiver(10.0, 0.1, 6e-7, 5e-3 + 0.005 * 0.99, 0.04)
    counts = expected_counts(SENT, spied, 1e9)
    tested, wrong = float(jnp.sum(counts.test_detections)), float(jnp.sum(counts.test_errors))
    k, j = round(tested), round(float(found.max_errors))
    sides = [binom.cdf(j + d, k, wrong / tested) for d in (-2, 2)]
    assert min(sides) <= float(found.p_undetected) <= max(sides)
    assert "this attack is caught" in found.sentences()[0]
    assert "without an attack are aborted" in pulse_key(SENT, LINE, 1e8, **LONG).sentences()[0]


def test_sampled_blocks_abort_as_often():
    found = pulse_key(SENT, LINE, 1e8, **LONG, abort_above=0.0265).session
    counts = expected_counts(SENT, LINE, 1e9)
    random, num = np.random.default_rng(5), 50_000
    tested, wrong = (np.asarray(x) for x in (counts.test_detections, counts.test_errors))
    wrongs = random.poisson(wrong.sum(), num)
    rights = random.poisson((tested - wrong).sum(), num)
    aborted = np.mean(wrongs > 0.0265 * (wrongs + rights))
    assert 0.001 < aborted < 0.9
    assert abs(aborted - float(found.p_abort)) < 4 * np.sqrt(aborted / num) + 0.02 * aborted


NUMBERS = {"signal": 0.48, "decoy": 0.12, "first": 0.6, "q": 0.9, "loss": 10.0, "wrong": 5e-3, "after": 0.04}
NUMBERS |= {"seconds": 10.0, "dark": 6e-7, "secrecy": 1e-9, "strength": 0.015}


def parts(numbers):
    """Return everything that a session of these numbers says, of order 1; the threshold is given."""
    first = numbers["first"]
    sent = pulses(
        jnp.stack([numbers["signal"], numbers["decoy"], jnp.asarray(2e-4)]),
        jnp.stack([first, 0.3, 0.7 - first]),
        numbers["q"],
    )
    line = receiver(numbers["loss"], 0.1, numbers["dark"], numbers["wrong"], numbers["after"])
    demand = Security(secrecy=numbers["secrecy"], correctness=1e-12)
    found = pulse_key(
        sent,
        line,
        1e7,
        seconds=numbers["seconds"],
        security=demand,
        abort_above=0.027,
        attack=intercept_resend(numbers["strength"]),
    )
    s = found.session
    return jnp.stack(
        [found.rate / 1e4, s.p_abort * 10, s.p_undetected * 10, s.phase_error * 10, found.time_to_key / 10]
    )


def test_gradients_by_every_number():
    numbers = {name: jnp.asarray(x) for name, x in NUMBERS.items()}
    value, slopes = jax.jit(parts), jax.jit(jax.jacrev(parts))(numbers)
    for name, x in NUMBERS.items():
        up, down = (np.asarray(value({**numbers, name: jnp.asarray(x * (1 + s * 1e-5))})) for s in (1, -1))
        np.testing.assert_allclose(slopes[name] * x, (up - down) / 2e-5, rtol=2e-3, atol=2e-4, err_msg=name)


def test_a_best_threshold_is_constant_for_slopes():
    best = pulse_key(SENT, LINE, 1e8, **LONG).session
    threshold = float(best.max_errors / best.num_test)
    slopes = [
        jax.jit(jax.grad(lambda s, a=a: pulse_key(SENT, LINE, 1e8, seconds=s, abort_above=a).rate))(10.0)
        for a in (None, threshold)
    ]
    assert slopes[0] == pytest.approx(float(slopes[1]), rel=1e-6)


@pytest.mark.parametrize("rate, threshold", [(0.0, 0.01), (0.0, 0.0), (0.02, 0.0), (0.5, 0.2), (0.02, 0.499)])
def test_the_test_has_slopes_at_its_edges(rate, threshold):
    of = lambda q, k, a: p_below(q, k, a)  # noqa: E731
    value, slopes = jax.value_and_grad(of, (0, 1, 2))(rate, 1000.5, threshold)
    assert 0 <= float(value) <= 1 and all(np.isfinite(x) for x in slopes)


EDGES = {
    "no light": receiver(300.0, 0.1),
    "no errors": receiver(0.0, 1.0),
    "random": receiver(0.0, 1.0, 0.0, 0.5),
    "dark": receiver(0.0, 1.0, 0.1),
    "blind": receiver(0.0, 0.0),
}


def test_rates_and_slopes_are_finite_at_edges():
    of = jax.jit(jax.value_and_grad(lambda line, seconds: pulse_key(SENT, line, 1e6, seconds=seconds).rate, (0, 1)))
    for name, line in EDGES.items():
        line = jax.tree.map(lambda x: jnp.asarray(x, float), line)
        assert all(np.isfinite(x).all() for x in jax.tree.leaves(of(line, 1.0))), name


BAD = [
    ({}, "One of the arguments `num_pulses` and `seconds`"),
    ({"seconds": 1.0, "num_pulses": 1e6}, "One of the arguments `num_pulses` and `seconds`"),
    ({"seconds": 1e-3}, "of which no key remains: .* would do"),
    ({"seconds": 1.0, "abort_above": 0.3}, "no block is long enough: the errors leave no key"),
    ({"seconds": 1.0, "abort_above": 0.5}, r"`abort_above` must lie in \[0, 1/2\)"),
    ({"seconds": 1.0, "attack": entangling_probe(0.1)}, "is a EntanglingProbe: that acts on one qubit"),
    ({"seconds": 1.0, "security": Security(secrecy=0.0)}, "no key of finite length reaches 0"),
    ({"seconds": 1.0, "correction": 0.5}, "`correction` must be at least 1"),
    ({"seconds": 1.0, "tail": "normal"}, "`tail` must be"),
]


@pytest.mark.parametrize("arguments, message", BAD, ids=[message[:24] for _, message in BAD])
def test_wrong_numbers_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        pulse_key(SENT, LINE, 1e8, **arguments)


def test_what_is_no_attack_is_refused():
    for other in ("all", depolarising(0.9)):
        with pytest.raises(ValueError, match=r"must be an attack on one qubit on its way, such as .* but is a"):
            require_attack(other)


def test_the_block_that_would_do_does():
    with pytest.raises(ValueError, match="would do") as raised:
        pulse_key(SENT, LINE, 1e8, seconds=1e-3)
    block = float(str(raised.value).split(": ")[-1].split(" would")[0].replace(",", ""))
    assert pulse_key(SENT, LINE, 1e8, num_pulses=block * 1.0001).rate > 0
    with pytest.raises(ValueError, match="would do"):
        pulse_key(SENT, LINE, 1e8, num_pulses=block / 1.2)


def test_assumptions_travel_with_the_key():
    poor = Assumptions(pure_source=False)
    found = decoy_key(SENT, expected_counts(SENT, LINE, 1e10), assumptions=poor)
    assert found.assumptions == poor and "NOT SECURE" in found.sentences()[2]
    assert float(found.security.total) == pytest.approx(2e-10)
    assert pulse_key(SENT, LINE, 1e8, **LONG, assumptions=poor).session.assumptions == poor
