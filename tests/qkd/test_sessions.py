"""Sessions that abort: published finite keys, exact tails, best tests, samples, gradients, messages."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.qkd import Assumptions, Authentication, Security, Tail, finite_key, highest_rate, intercept_resend, session
from tests.oracles import finite_keys as oracle

LOG_FAILURE = 2 * np.log(1e-10 / 4)
BLOCKS = [
    pytest.param(10_000, 0.01, 0.14548, 0.25327, 1.7, id="1e4"),
    pytest.param(100_000, 0.025, 0.22244, 0.30363, 1.35, id="1e5"),
    pytest.param(1_000_000, 0.05, 0.19213, 0.23004, 1.19, id="1e6"),
]


@pytest.mark.parametrize("raw, rate, serfling, exact, ratio", BLOCKS)
def test_exact_tails_beat_serfling_at_its_best(raw, rate, serfling, exact, ratio):
    old, new = (float(session(rate, raw, tail=tail).throughput) for tail in ("serfling", "exact"))
    assert (old, new) == (pytest.approx(serfling, abs=5e-6), pytest.approx(exact, abs=1e-5))
    assert new > ratio * old


def test_a_session_is_what_whole_numbers_give():
    found = session(0.01, 10_000)
    k, j = int(found.num_test), int(found.max_errors)
    rate = oracle.largest_rate(j, k, 10_000, LOG_FAILURE)
    assert found.phase_error == pytest.approx(rate, abs=1e-9)
    assert found.throughput == pytest.approx(oracle.throughput(j, k, 10_000, rate, 0.01, 1e-10, 1e-10), abs=1e-9)
    assert found.signals_to_key == pytest.approx(float(found.num_signals * (1 + found.restarts)), rel=1e-12)


def test_errors_are_whole():
    """A bound between two whole numbers of errors is that of the lower: .25342 is reached so, the smooth one is below."""
    best = 0.0
    for j in range(22, 29):
        for k in np.arange(int(66 * j), int(71 * j), 2):
            floored = np.floor(10_000 * oracle.largest_rate(j, k, 10_000, LOG_FAILURE) * (1 - 1e-12)) / 10_000
            best = max(best, oracle.throughput(j, k, 10_000, floored, 0.01, 1e-10, 1e-10))
    assert best == pytest.approx(0.25342, abs=5e-6)
    assert float(session(0.01, 10_000).throughput) < best < 1.001 * float(session(0.01, 10_000).throughput)


@pytest.mark.parametrize("tail", list(Tail)[:4])
def test_no_neighbour_is_better(tail):
    best = session(0.02, 20_000, tail=tail)
    for more in (-2, -1, 1, 2):
        for longer in (0.97, 0.99, 1.0, 1.01, 1.03):
            k, j = round(float(best.num_test) * longer), float(best.max_errors) + more
            assert session(0.02, 20_000, tail=tail, num_test=k, max_errors=j).throughput <= best.throughput + 1e-12


@pytest.mark.parametrize("sample", [(23, 1611, 10_000), (0, 300, 10_000), (155, 5_282, 100_000), (3, 40, 30)], ids=str)
def test_exact_tails(sample):
    assert highest_rate(*sample, 1e-9) == pytest.approx(oracle.largest_rate(*sample, np.log(1e-9)), abs=1e-9)


def test_long_tails_are_bounded_from_above():
    """Beyond 512 terms the remainder is a geometric series: never too small, and by less than 1 % of the probability."""
    from qtn.qkd.tails import exact

    j, k, n, total = 10**6, 10**8, 10**8, 2_019_000
    gap = float(exact(*(jnp.asarray(float(x)) for x in (j, k, n, total)))) - oracle.log_tail(j, k, n, total)
    assert -1e-5 < gap < 0.01


def test_bounds_are_ordered():
    rates = [float(highest_rate(30, 2_000, 10_000, 1e-10, tail=tail)) for tail in list(Tail)[:4]]
    exact, chernoff, hoeffding, serfling = rates
    assert exact < chernoff < serfling < hoeffding


@pytest.mark.parametrize("tail", list(Tail))
def test_the_true_rate_exceeds_its_bound_no_more_often_than_promised(tail):
    """1e5 blocks with the worst number of errors; the bound at each possible sample, exceeded with its probability."""
    random, k, n, promised = np.random.default_rng(3), 200, 800, 0.02
    bound = np.asarray(highest_rate(np.arange(k, dtype=float), float(k), float(n), promised, tail=tail))
    for total in (10, 50, 120):
        seen = random.hypergeometric(total, n + k - total, k, size=100_000)
        exceeded = np.mean((total - seen) / n > bound[seen] + 1e-12)
        assert exceeded < promised + 4 * np.sqrt(promised / 1e5)


def test_sampled_sessions_abort_and_give_as_often():
    found, random, num = session(0.02, 10_000), np.random.default_rng(1), 100_000
    accepted = random.binomial(int(found.num_test), 0.02, size=num) <= int(found.max_errors)
    p = float(found.p_abort)
    assert abs(1 - accepted.mean() - p) < 4 * np.sqrt(p * (1 - p) / num)
    used, made = num * float(found.num_signals), accepted.sum() * float(found.key_bits)
    spread = float(found.key_bits) * np.sqrt(p * (1 - p) / num) / float(found.num_signals)
    assert abs(made / used - float(found.throughput)) < 4 * spread


NUMBERS = {"error_rate": 0.02, "raw_bits": 20_000.0, "secrecy": 1e-8, "correctness": 1e-12, "correction": 1.15}


@pytest.mark.parametrize("tail", ["exact", "serfling"])
def test_gradients(tail):
    best = session(0.02, 20_000, tail=tail)
    test = {"num_test": float(best.num_test), "max_errors": float(best.max_errors)}

    def value(numbers):
        demand = Security(secrecy=numbers["secrecy"], correctness=numbers["correctness"])
        rest = {name: numbers[name] for name in ("error_rate", "raw_bits", "correction")}
        return session(**rest, security=demand, tail=tail, **test).throughput

    slopes = jax.grad(value)(NUMBERS)
    for name, x in NUMBERS.items():
        up, down = (float(value({**NUMBERS, name: x * (1 + s * 1e-4)})) for s in (1, -1))
        assert slopes[name] == pytest.approx((up - down) / (2e-4 * x), rel=1e-5), name


def test_the_best_test_has_the_slope_at_the_fixed_one():
    best = session(0.02, 20_000)
    fixed = {"num_test": float(best.num_test), "max_errors": float(best.max_errors)}
    moving, still = (jax.grad(lambda q, t=t: session(q, 20_000, **t).throughput)(0.02) for t in ({}, fixed))
    assert moving == pytest.approx(float(still), rel=1e-9)
    assert np.isfinite(jax.grad(lambda q: session(q, 20_000).throughput)(0.0))


def test_a_block_of_signals_is_that_of_its_raw_bits():
    whole = session(0.02, 20_000)
    same = session(0.02, signals=float(whole.num_signals))
    assert same.throughput >= whole.throughput - 1e-9
    assert same.num_raw + 2 * np.sqrt(same.num_raw * same.num_test) + same.num_test == pytest.approx(
        float(whole.num_signals)
    )


def test_the_attack_is_caught_in_plain_words():
    found = session(0.01, 10_000, attack=intercept_resend(0.4))
    seen = 0.01 + 0.1 - 2 * 0.01 * 0.1
    from scipy.stats import binom

    assert found.p_undetected == pytest.approx(binom.cdf(int(found.max_errors), int(found.num_test), seen), rel=1e-6)
    assert found.sentences()[0].startswith("At a threshold of 1.44 % this attack is caught")
    assert len(found.sentences()) == 5


def test_published_finite_key():
    """Tomamichel et al.: l = n [1 - h(Q + mu)] - 1.1 n h(Q) - log2(2/(eps_sec^2 eps_cor))."""
    key = finite_key(43.0, 3_147.0, 10_000.0, Security(), tail=Tail.SERFLING)
    phase = oracle.serfling_rate(43, 3_147, 10_000, 1e-10)
    expected = 10_000 * (1 - oracle.h(phase) - 1.1 * oracle.h(43 / 3_147)) - np.log2(2 / 1e-30)
    assert (key.phase_error, key.key_bits) == (pytest.approx(phase), pytest.approx(expected))


def test_assumptions_say_what_breaks():
    poor = Assumptions(pure_source=False, authentication="none")
    assert not poor.hold and Assumptions().hold
    assert sum(sentence.startswith("NOT SECURE") for sentence in poor.sentences()) == 2
    assert "post-quantum" in Assumptions(authentication=Authentication.POST_QUANTUM_SIGNATURE).sentences()[-1]


BAD = [
    ({"error_rate": 0.6}, r"`error_rate` must lie in \[0, 1/2\), but is 0.6"),
    ({"security": Security(secrecy=0.0)}, "`security.secrecy` must lie in .0, 1.; no key of finite length"),
    ({"raw_bits": 100, "signals": 100}, "must not both be given"),
    ({"num_test": 100}, "must be given together"),
    ({"num_test": 10, "max_errors": 10}, "`max_errors` must be below `num_test`"),
    ({"correction": 0.9}, "`correction` must be at least 1"),
    ({"tail": "gauss"}, "`tail` must be 'exact', "),
    ({"raw_bits": 200, "tail": "serfling"}, "no key remains at an error rate of 0.01: .* would do"),
    ({"error_rate": 0.12, "tail": "serfling"}, "no block is long enough"),
    ({"num_test": 50, "max_errors": 0}, "with this test: leave out"),
]


@pytest.mark.parametrize("arguments, message", BAD, ids=lambda x: "-".join(x) if isinstance(x, dict) else "")
def test_wrong_numbers_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        session(**arguments)
