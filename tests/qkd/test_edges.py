"""Numbers at the ends of their ranges, and hostile ones: finite values and slopes, or a message."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.qkd import (
    Security,
    decoy_key,
    entangled_light,
    exact_bits,
    expected_counts,
    finite_key,
    highest_rate,
    intercept_resend,
    pulses,
    rate_without_decoys,
    receiver,
    sequential_test,
    session,
)
from qtn.qkd.blocks import shortest_block
from qtn.qkd.lines import Light, light_line

SENT = pulses([0.48, 0.12, 2e-4], [0.6, 0.3, 0.1], 0.9)


def test_huge_blocks_keep_a_bound():
    """Above 1e11 bits log-gamma is off by more than the tail; the bound still falls with the block."""
    rates = [float(highest_rate(0.02 * k, k, 10 * k, 1e-10)) for k in (1e8, 1e10, 1e12, 1e14)]
    assert all(0.02 < after < before for before, after in itertools.pairwise(rates))
    assert float(highest_rate(2e10, 1e12, 1e13, 1e-10)) == pytest.approx(
        float(highest_rate(2e10, 1e12, 1e13, 1e-10, tail="chernoff")), rel=1e-8
    )


@pytest.mark.parametrize("block, longest", [(1.0, np.inf), (1.0, np.nan), (np.nan, 1e9), (np.inf, 1e9), (1.0, 1e9)])
def test_a_block_that_never_does_is_given_up(block, longest):
    assert shortest_block(lambda block: False, block, longest) is None


def test_the_shortest_block_is_found():
    assert 700 <= shortest_block(lambda block: block >= 700, 3.0) <= 770


def test_no_click_has_finite_rates_and_slopes():
    line = receiver(10.0, 0.0)
    value, slope = jax.value_and_grad(lambda mu: rate_without_decoys(line, mu))(0.1)
    assert (float(value), np.isfinite(slope)) == (0.0, True)
    counts = expected_counts(SENT, line, 1e9)
    assert decoy_key(SENT, counts).key_bits < 0


@pytest.mark.parametrize(
    "test",
    [
        pytest.param({"test_fraction": 0.1}, id="fraction"),
        pytest.param({}, id="best", marks=pytest.mark.slow),
        pytest.param({"abort_above": 0.06}, id="threshold", marks=pytest.mark.slow),
    ],
)
def test_a_session_traced_is_the_session(test):
    """jit and vmap give what known numbers give, also where the test is given in part."""
    of = lambda q: session(q, signals=20_000.0, **test).throughput  # noqa: E731
    rates = jnp.array([0.005, 0.02, 0.04])
    known = [float(of(float(q))) for q in rates]
    np.testing.assert_allclose(jax.jit(jax.vmap(of))(rates), known, rtol=1e-12)


@pytest.mark.parametrize("test", [{"test_fraction": 0.12}, {"abort_above": 0.04}], ids=["fraction", "threshold"])
def test_half_a_given_test_is_completed_at_its_best(test):
    """No whole neighbour of the free number gives more; the given one is kept."""
    found = session(0.02, 20_000, **test)
    k, j = float(found.num_test), float(found.max_errors)
    if "test_fraction" in test:
        assert k == np.floor(0.12 / 0.88 * 20_000)
        others = [(k, j + d) for d in (-3, -2, -1, 1, 2, 3)]
    else:
        assert np.floor(0.04 * k) == j
        others = [(k + d, np.floor(0.04 * (k + d))) for d in (-400, -25, -5, -1, 1, 5, 25, 400)]
    values = [float(session(0.02, 20_000, num_test=k, max_errors=j).throughput) for k, j in others]
    assert max(values) <= float(found.throughput) + 1e-12
    assert float(found.throughput) <= float(session(0.02, 20_000).throughput) + 1e-12


def test_both_rates_of_a_test_are_kept():
    found = session(0.02, signals=40_000, test_fraction=0.2, abort_above=0.035)
    k, n = float(found.num_test), float(found.num_raw)
    assert k / (n + k) == pytest.approx(0.2, abs=1e-4) and float(found.max_errors) == np.floor(0.035 * k)
    same = session(0.02, signals=40_000, num_test=k, max_errors=float(found.max_errors))
    assert found.throughput == pytest.approx(float(same.throughput), rel=1e-12)


def test_slopes_are_finite_where_nothing_is_accepted():
    def parts(q):
        found = session(q, 10_000, num_test=2_000, max_errors=1)
        return jnp.stack([found.restarts, found.throughput, found.p_undetected])

    for q in (0.0, 0.3, 0.499):
        assert all(np.isfinite(x).all() for x in (jax.jit(parts)(q), jax.jit(jax.jacfwd(parts))(q)))


def test_crowded_windows_are_told():
    line = light_line(1e9, (0.5, 0.5), window=1e-9)
    (warning,) = Light().evaluate(line).info.warnings()
    assert warning.startswith("A party has 0.5 clicks in one coincidence window")
    assert np.isfinite(float(entangled_light(1e9, (0.5, 0.5), window=1e-9).rate))


BAD = [
    (lambda: finite_key(1.0, 0.0, 100.0, Security()), "`num_test` must be positive"),
    (lambda: finite_key(1.0, 10.0, np.nan, Security()), "`num_raw` must be positive"),
    (lambda: finite_key(1.0, 10.0, 100.0, Security(secrecy=2.0)), "`security.secrecy` must lie in"),
    (lambda: session(0.01, 1e4, correction=np.inf), "`correction` must be at least 1 and finite"),
    (lambda: session(0.01, 1e4, test_fraction=1.0), r"`test_fraction` must lie in \(0, 1\)"),
    (lambda: session(0.01, 1e4, abort_above=0.5), r"`abort_above` must lie in \[0, 1/2\)"),
    (lambda: session(0.01, 1e4, num_test=9, max_errors=1, abort_above=0.1), "say what `test_fraction` and"),
    (lambda: session(0.01, 1e4, abort_above=0.2), "no block is long enough with this test: leave out `test_fraction`"),
    (lambda: session(np.nan, 1e4), r"`error_rate` must lie in \[0, 1/2\)"),
    (lambda: expected_counts(SENT, receiver(1.0), -1.0), "`num_pulses` must be non-negative"),
    (lambda: receiver(1.0, dark_count_probability=0.4), "two dark counts in one pulse are left out"),
    (lambda: decoy_key(pulses([0.5, 0.1, 0.0], [0.7, 0.3, 0.0]), expected_counts(SENT, receiver(1.0), 1e6)),
     "three positive probabilities, .* what is never sent bounds nothing"),
    (lambda: exact_bits(sequential_test(0.03, 0.25), 0.0, 0.25, 0.1), "`honest` must lie in"),
    (lambda: exact_bits(sequential_test(0.03, 0.0303), 0.03, 0.0303, 0.03), "goes on for more than 32768 bits"),
    (lambda: intercept_resend(np.nan), r"`fraction` must lie in \[0, 1\]"),
]  # fmt: skip


@pytest.mark.parametrize("call, message", BAD, ids=[message[:24] for _, message in BAD])
def test_wrong_numbers_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
