"""The pair engine against closed forms, published numbers and brute-force sums."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from qtn import (
    BBPSSW,
    DEJMPS,
    Renewal,
    abstract_link,
    bb84_fraction,
    chain,
    dephasing_memory,
    depolarising_memory,
    distill,
    elementary,
    evaluate,
    gates,
    nested,
    node,
    secret_key_rate,
    sequential,
    swap,
    wait,
    waiting_time_quantiles,
)
from qtn.evaluators.fold import Fold
from qtn.evaluators.grid import TimeGrid
from qtn.steps.level import BELL_DIAGONAL
from tests.oracles import pmf, waiting


def line(num_links, p, w=0.98, a=1.0, coherence=np.inf, attempt_time=1.0, **options):
    """A homogeneous chain whose pairs decay with the time constant `coherence`."""
    return chain(
        abstract_link(p_success=p, attempt_time=attempt_time, werner=w),
        node(depolarising_memory(2 * coherence), p_swap=a, **options),
        num_links=num_links,
    )


def werner_of(outcome):
    return float((4 * outcome.bell_diagonal[0] - 1) / 3)


@pytest.mark.parametrize(("p", "a"), [(0.3, 1.0), (0.01, 0.5), (1.0, 0.7), (0.9, 0.1)])
def test_two_links(p, a):
    outcome = evaluate(line(2, p, a=a), nested(1))
    np.testing.assert_allclose(outcome.mean_time, waiting.two_links(p, a), rtol=1e-12)


@pytest.mark.parametrize("num_links", [1, 2, 3, 4, 5])
def test_deterministic_swaps_wait_for_the_slowest_link(num_links):
    outcome = evaluate(line(num_links, 0.2), sequential(num_links) if num_links > 1 else elementary(0))
    np.testing.assert_allclose(outcome.mean_time, waiting.mean_of_slowest(num_links, 0.2), rtol=1e-12)
    np.testing.assert_allclose(werner_of(outcome), 0.98**num_links, rtol=1e-12)


def test_nested_doubling():
    four, eight = (evaluate(line(2**n, 0.1, a=0.5), nested(n)).mean_time for n in (2, 3))
    np.testing.assert_allclose(four, 84.817580409732797671, rtol=1e-12)
    np.testing.assert_allclose(eight, 242.34837242251684, rtol=1e-12)


def test_published_cutoff():
    outcome = evaluate(line(2, 0.01, 0.98, 0.5, 300.0), nested(1, cutoff_times=[50.0]))
    np.testing.assert_allclose(
        outcome.mean_time, 449.9722293902, rtol=2e-12
    )  # its last digit is off: see the closed form
    np.testing.assert_allclose(werner_of(outcome), 0.890199116715, rtol=1e-12)


@pytest.mark.parametrize("tau", [0, 3, 50])
@pytest.mark.parametrize(("p", "a"), [(0.01, 0.5), (0.4, 1.0)])
def test_two_links_with_a_whole_cutoff(p, a, tau):
    z = np.exp(-1 / 300)
    outcome = evaluate(line(2, p, 0.98, a, 300.0), nested(1, cutoff_times=[float(tau)]))
    mean, kept = waiting.two_links_cutoff(p, a, tau, z)
    np.testing.assert_allclose(outcome.mean_time, mean, rtol=1e-12)
    np.testing.assert_allclose(werner_of(outcome), 0.98**2 * kept, rtol=1e-12)


def test_real_cutoff_is_the_mixture_of_its_neighbours():
    def ended(tau):
        fold = Fold(
            line(2, 0.1, a=0.5, coherence=30.0),
            nested(1, cutoff_times=[tau]),
            TimeGrid(ratio=1.0, num_steps=512),
            BELL_DIAGONAL,
        )
        return fold.attempt(fold.schedule.tree)

    low, high, between = ended(4.0), ended(5.0), ended(4.3)
    np.testing.assert_allclose(between.success, 0.7 * low.success + 0.3 * high.success, atol=1e-15)
    np.testing.assert_allclose(between.failure, 0.7 * low.failure + 0.3 * high.failure, atol=1e-15)


@pytest.mark.parametrize(
    ("tree", "published"),
    [
        ("swap(swap(distill(0), distill(1)), swap(distill(2), distill(3)))", 6.90238181e-5),
        ("swap(distill(swap(distill(0), distill(1))), distill(swap(distill(2), distill(3))))", 7.38337161e-5),
    ],
    ids=["links distilled", "swaps distilled too"],
)
@pytest.mark.parametrize("evaluator", [Renewal(), Renewal(step=1.0, num_steps=262144)], ids=["chosen", "attempts"])
def test_published_key_rates(tree, published, evaluator):
    """La Corte et al. 2025, arXiv:2502.08208: five nodes, p = 9.2e-4, a = 0.85, w = 0.952, T = 1.4e6 attempts."""
    from qtn import parse

    outcome = evaluate(line(4, 9.2e-4, 0.952, 0.85, 1.4e6), parse(tree), evaluator=evaluator)
    np.testing.assert_allclose(secret_key_rate(outcome, bb84_fraction), published, rtol=2e-9)
    assert float(outcome.info.grid_error) < 1e-6


def brute_force(num_steps):
    """Three unequal links, dephasing, distillation with a cut-off, noisy gates: a tree by double sums."""
    p, bell = (
        (0.5, 0.4, 0.6),
        [np.array(b) for b in ([0.9, 0.05, 0.03, 0.02], [0.85, 0.0, 0.05, 0.1], [0.95, 0.05, 0, 0])],
    )
    t = np.arange(num_steps)[:, None]
    x = [np.where(t > 0, q * (1 - q) ** (t - 1.0), 0) * (CH @ b) for q, b in zip(p, bell, strict=True)]
    rates = np.array([[0, 1 / t2, 1 / t2, 0] for t2 in (20.0, 30.0, 40.0, 25.0)])
    noisy = [node(dephasing_memory(t2), gates(0.97, 0.98), 0.8) for t2 in (20.0, 30.0, 40.0, 25.0)]
    maps = [
        np.asarray(BELL_DIAGONAL.distill(DEJMPS, noisy[0], noisy[1])),
        *(np.asarray(BELL_DIAGONAL.swap(n, n, n)) for n in noisy),
    ]

    def bilinear(step):
        return lambda first, second: np.einsum("kij,i,j->k", step, first, second)

    pair = rates[0] + rates[1]
    first = waiting.restart(*waiting.join_by_sums(x[0], x[0], bilinear(maps[0]), (pair, pair), [(0.6, 2), (0.4, 3)]))
    joined = waiting.join_by_sums(first, x[1], bilinear(maps[2]), (pair, rates[1] + rates[2]), [(1.0, 10**6)])
    second = waiting.restart(*joined)
    root = waiting.join_by_sums(second, x[2], bilinear(maps[3]), (rates[0] + rates[2], rates[2] + rates[3]), [(1.0, 4)])
    links = [abstract_link(p_success=q, attempt_time=1.0, bell_diagonal=b) for q, b in zip(p, bell, strict=True)]
    tree = swap(
        swap(distill(elementary(0), protocol=DEJMPS, cutoff_time=2.4), elementary(1)), elementary(2), cutoff_time=4.0
    )
    return root, chain(links, noisy), tree


CH = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])


def test_a_tree_equals_double_sums():
    (good, bad), hardware, schedule = brute_force(90)
    fold = Fold(
        hardware,
        schedule,
        TimeGrid(ratio=1.0, num_steps=512, attempts=(1.0,) * 3),
        BELL_DIAGONAL,
    )
    attempt = fold.attempt(schedule.tree)
    np.testing.assert_allclose(attempt.success[:, :90].T, good, atol=1e-14)
    np.testing.assert_allclose(attempt.failure[:85], bad[:85], atol=1e-14)
    outcome = evaluate(hardware, schedule)
    delivered = waiting.restart(good, bad)
    np.testing.assert_allclose(outcome.probability[:85], delivered[:85, 0], atol=1e-13)
    np.testing.assert_allclose(outcome.bell_weights[:85], delivered[:85] @ CH / 4, atol=1e-13)


def test_nested_swaps_equal_the_published_algorithm():
    num_steps = 1500  # what outlasts twice the grid wraps round in the Fourier transform of the oracle
    mass, werner = pmf.nested(3, 0.1, 0.98, 0.7, 300.0, num_steps)
    found = evaluate(line(8, 0.1, a=0.7, coherence=300.0), nested(3), evaluator=Renewal(step=1.0, num_steps=num_steps))
    np.testing.assert_allclose(found.probability, mass, atol=1e-12)
    x = np.asarray(found.states)[:, 1, 1]  # <XX> of each delivery, times its probability
    np.testing.assert_allclose(x, mass * werner, atol=1e-12)


def test_attempts_with_a_common_spacing_are_exact():
    """Attempts of 1.0 and 0.75 s: P(both by t) from the two geometric distributions."""
    links = [abstract_link(p_success=0.3, attempt_time=t, werner=1.0) for t in (1.0, 0.75)]
    outcome = evaluate(chain(links), nested(1))
    reached = [1 - 0.7 ** np.floor(outcome.times / t + 1e-9) for t in (1.0, 0.75)]
    np.testing.assert_allclose(jnp.cumsum(outcome.probability), reached[0] * reached[1], atol=1e-12)


def test_wait_delays_and_decays():
    hardware = line(2, 0.3, 0.9, 0.8, 20.0)
    late, early = (evaluate(hardware, tree) for tree in (wait(nested(1), 2.0), nested(1)))
    np.testing.assert_allclose(late.mean_time, early.mean_time + 2.0, rtol=1e-12)
    np.testing.assert_allclose(werner_of(late), werner_of(early) * np.exp(-2 / 20), rtol=1e-12)


def test_pumping_and_recurrence_differ():
    hardware = line(1, 0.2, 0.9)
    link = elementary(0)
    recurrence = evaluate(hardware, distill(distill(link)))
    pumping = evaluate(hardware, distill(distill(link), link))
    assert float(pumping.mean_time) < float(recurrence.mean_time)
    assert float(pumping.bell_diagonal[0]) < float(recurrence.bell_diagonal[0])


@pytest.mark.parametrize("attempt_time", [1e-6, 1.0, 3600.0])
def test_seconds_scale(attempt_time):
    outcome = evaluate(
        line(2, 0.1, 0.9, 0.5, 50 * attempt_time, attempt_time), nested(1, cutoff_times=[7 * attempt_time])
    )
    one = evaluate(line(2, 0.1, 0.9, 0.5, 50.0), nested(1, cutoff_times=[7.0]))
    np.testing.assert_allclose(outcome.mean_time / attempt_time, one.mean_time, rtol=1e-12)
    np.testing.assert_allclose(outcome.bell_diagonal, one.bell_diagonal, rtol=1e-12)


def test_distribution_sums_to_the_summary():
    outcome = evaluate(line(4, 0.2, 0.95, 0.6, 100.0), nested(2, rounds=[1, 0, 0]))
    np.testing.assert_allclose(outcome.probability.sum(), 1.0, atol=1e-6)
    np.testing.assert_allclose(outcome.bell_weights.sum(axis=1), outcome.probability, atol=1e-14)
    np.testing.assert_allclose(outcome.bell_weights.sum(axis=0), outcome.bell_diagonal, atol=1e-6)


@pytest.mark.parametrize("num_steps", [None, 64], ids=["chosen grid", "beyond a short grid"])
def test_quantiles_of_one_link(num_steps):
    """P(T <= k) = 1 - q^k; a grid that ends early is continued by its exponential tail."""
    outcome = evaluate(line(1, 0.05), elementary(0), evaluator=Renewal(step=1.0, num_steps=num_steps))
    levels = np.array([0.05, 0.5, 0.95, 0.999])
    exact = np.ceil(np.log(1 - levels) / np.log(0.95))
    np.testing.assert_allclose(waiting_time_quantiles(outcome, levels), exact, atol=1.0 if num_steps else 1e-9)


def test_quantiles_on_a_coarse_grid():
    outcome = evaluate(line(2, 1e-4, a=0.5), nested(1))
    fine = evaluate(line(2, 1e-4, a=0.5), nested(1), evaluator=Renewal(step=1.0))
    levels = np.array([0.05, 0.5, 0.95])
    assert outcome.info.num_grids > 1
    np.testing.assert_allclose(waiting_time_quantiles(outcome, levels), waiting_time_quantiles(fine, levels), rtol=2e-4)


def test_equal_segments_are_joined_once(monkeypatch):
    joins = []
    import qtn.evaluators.fold as fold

    real = fold.join
    monkeypatch.setattr(fold, "join", lambda *args: joins.append(1) or real(*args))
    hardware = line(8, 0.3)
    Fold(hardware, nested(3), TimeGrid(ratio=1.0, num_steps=64), BELL_DIAGONAL).attempt(nested(3).tree)
    assert len(joins) == 3


@pytest.mark.parametrize(("protocol", "w"), list(itertools.product([BBPSSW, DEJMPS], [0.0, 1.0])), ids=str)
def test_extreme_states(protocol, w):
    outcome = evaluate(line(2, 1.0, w), nested(1, rounds=[1, 1], protocol=protocol, cutoff_times=[0.0]))
    assert np.all(np.isfinite(outcome.bell_diagonal))
    np.testing.assert_allclose(outcome.bell_diagonal[0], (1 + 3 * w) / 4, atol=1e-14)
