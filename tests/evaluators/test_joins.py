"""Soft, faithful and sequential joins, run times and latencies against sums over all arrival times."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.evaluators.cutoffs import survival
from qtn.evaluators.faithful import join_faithful
from qtn.evaluators.join import join, join_soft, late, truncated
from qtn.evaluators.pump import pumped, pumped_soft
from qtn.steps.step_map import StepMap
from tests.oracles import joins as oracle

K, N = 4, 40
RNG = np.random.default_rng(3)
RATES = np.array([[0.0, 0.02, 0.03, 0.05], [0.0, 0.04, 0.01, 0.02]])
MAP = np.zeros((K, K, K))
MAP[0, 0, 0] = 0.8
for _i in range(1, K):
    MAP[_i, _i, _i] = 0.7
STEP = StepMap(entries=jnp.asarray(MAP))
ONE = jnp.asarray(1.0)


def arrivals(p: float, first: int = 1) -> np.ndarray:
    """All mass within the grid: geometric until the middle, then the rest at once."""
    mass = np.zeros(N)
    mass[first : N // 2] = p * (1 - p) ** np.arange(N // 2 - first)
    mass[N // 2] = 1 - mass.sum()
    states = 1 - np.array([0, 0.1, 0.15, 0.05])[:, None] * (1 + np.arange(N) / N)
    states[0] = 1.0
    return states * mass


X, Y = arrivals(0.15), arrivals(0.1, 2)


def check(attempt, sums, atol=1e-12):
    np.testing.assert_allclose(attempt.success, sums.success, atol=atol)
    np.testing.assert_allclose(attempt.failure, sums.failure, atol=atol)


def integral(cutoff: float, width: float, low: float, high: float) -> float:
    ages = np.linspace(low, high, 20001)
    values = (1 + np.exp(-cutoff / width)) / (1 + np.exp((ages - cutoff) / width))
    return float(np.trapezoid(values, ages))


PLACES = ((0, 0, 0), (0, 1, 3), (1, 1, 1), (1, 2, 0), (3, 0, 1), (3, 1, 3))


@pytest.mark.parametrize(
    "cutoff", [pytest.param(None, marks=pytest.mark.slow), pytest.param(np.inf, marks=pytest.mark.slow), 7.0]
)
def test_few_terms_are_all_terms(cutoff):
    """Values, and derivatives by all that is not zero; component 2 has no term at all."""
    limit, wide, lattice = jnp.asarray(cutoff or np.inf), jnp.asarray(1.7), jnp.asarray(1.0)
    rows = jnp.ones((2, K)) / 4
    entries = np.zeros((K, K, K))
    index = tuple(np.transpose(PLACES))
    entries[index] = RNG.uniform(0.1, 0.9, len(PLACES))
    sharp = () if cutoff is None else (limit, lattice)
    weights = RNG.normal(size=(K + 1, N))

    def total(values, first, second, piece, others, places):
        attempt = piece(
            first, second, StepMap(entries=jnp.zeros(entries.shape).at[index].set(values), places=places), *others
        )
        return jnp.sum(weights[:K] * attempt.success) + jnp.sum(weights[K] * attempt.failure)

    for piece, others in ((join, sharp), (join_soft, (limit, wide)), (join_faithful, (rows, 0.9, lattice))):
        few, every = (
            piece(X, Y, StepMap(entries=jnp.asarray(entries), places=places), RATES, *others)
            for places in (PLACES, None)
        )
        check(few, every, atol=1e-15)
        slopes = [
            jax.grad(total, argnums=(0, 1, 2))(
                entries[index], jnp.asarray(X), jnp.asarray(Y), piece, (RATES, *others), places
            )
            for places in (PLACES, None)
        ]
        jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-13), *slopes)

        def forward(places, piece=piece, others=others):
            def of(values):
                return total(values, jnp.asarray(X), jnp.asarray(Y), piece, (RATES, *others), places)

            return jax.jacfwd(of)(entries[index])

        np.testing.assert_allclose(forward(PLACES), slopes[0][0], atol=1e-13)


def test_no_cutoff_is_an_infinite_one():
    check(join(X, Y, STEP, RATES), join(X, Y, STEP, RATES, jnp.asarray(np.inf), ONE), atol=1e-16)


@pytest.mark.parametrize(("cutoff", "width"), [(6.3, 1.7), (4.0, 0.2), (np.inf, 3.0)])
def test_soft(cutoff, width):
    def survive(age):
        return 1.0 if np.isinf(cutoff) else (1 + np.exp(-cutoff / width)) / (1 + np.exp((age - cutoff) / width))

    @functools.cache
    def mean_age(age):
        gone = survive(age - 1) - survive(age)
        return age - 1 + (integral(cutoff, width, age - 1, age) - survive(age)) / gone if gone > 1e-9 else age - 0.5

    found = join_soft(X, Y, STEP, RATES, jnp.asarray(cutoff), jnp.asarray(width))
    check(found, oracle.join_soft(X, Y, MAP, RATES, survive, mean_age), atol=1e-9)
    assert found.success[0].sum() + found.failure.sum() == pytest.approx(1, abs=1e-12)

    def fail_ages(u):
        return [(survive(a - 1) - survive(a), mean_age(a)) for a in range(1, u + 1)]

    found = pumped_soft(X, Y, MAP, RATES[0], jnp.asarray(cutoff), jnp.asarray(width))
    check(found, oracle.pump(X, Y, MAP, RATES[0], survive, fail_ages), atol=1e-9)


def test_narrow_soft_cutoff_is_sharp():
    """Just above a whole age, where a sharp cut-off keeps what is that old."""
    sharp = join(X, Y, STEP, RATES, jnp.asarray(5.0), ONE)
    soft = join_soft(X, Y, STEP, RATES, jnp.asarray(5.02), jnp.asarray(1e-3))
    np.testing.assert_allclose(soft.success, sharp.success, atol=1e-8)
    np.testing.assert_allclose(soft.failure.sum(), sharp.failure.sum(), atol=1e-8)


@pytest.mark.parametrize("cutoff", [0.0, 7.0, np.inf])
def test_pump(cutoff):
    found = pumped(X, Y, MAP, RATES[0], jnp.asarray(cutoff), ONE)
    sums = oracle.pump(
        X, Y, MAP, RATES[0], lambda u: float(u <= cutoff), lambda u: [(1.0, cutoff)] if u > cutoff else []
    )
    check(found, sums)


def test_pump_between_two_ages_is_their_mixture():
    found = [pumped(X, Y, MAP, RATES[0], jnp.asarray(age), ONE) for age in (7.0, 7.3, 8.0)]
    for one, between, other in zip(*(jax.tree.leaves(each) for each in found), strict=True):
        np.testing.assert_allclose(between, 0.7 * one + 0.3 * other, atol=1e-14)


@pytest.mark.parametrize("minimum", [0.0, 0.8, 0.9, 0.93, 0.97])
def test_faithful(minimum):
    rows = np.full((2, K), 0.25)
    found = join_faithful(X, Y, STEP, RATES, rows, jnp.asarray(minimum), ONE)
    sums = oracle.join_faithful(X, Y, MAP, RATES, rows, minimum)
    assert found.success[0].sum() + found.failure.sum() == pytest.approx(1, abs=1e-12)
    # A real age is the mixture of two whole ones: bounded by the whole one below and the next above.
    assert sums.success[0].sum() <= found.success[0].sum() + 1e-12


def test_faithful_at_whole_ages():
    """States and rates for which the fidelity falls below the minimum right after the age 6."""
    rates = np.array([[0.0, 0.05, 0.05, 0.05]] * 2)
    flat = np.ones((K, 1)) * np.array([1.0, 0.9, 0.9, 0.9])[:, None]
    x, y = flat * X[0], flat * Y[0]
    minimum = 0.25 + 0.75 * 0.9 * np.exp(-0.05 * 6)
    found = join_faithful(x, y, STEP, rates, np.full((2, K), 0.25), jnp.asarray(minimum), ONE)
    check(found, oracle.join_faithful(x, y, MAP, rates, np.full((2, K), 0.25), minimum - 1e-9))
    same = join(x, y, STEP, rates, jnp.asarray(6.0), ONE)
    np.testing.assert_allclose(found.success, same.success, atol=1e-12)


def test_pairs_below_the_minimum_end_the_attempt():
    bad = X.copy()
    bad[1:, ::2] *= 0.3
    rates = 0 * RATES
    found = join_faithful(bad, Y, STEP, rates, np.full((2, K), 0.25), jnp.asarray(0.7), ONE)
    check(found, oracle.join_faithful(bad, Y, MAP, rates, np.full((2, K), 0.25), 0.7))


def test_run_time_and_latency():
    whole = join(X, Y, STEP, RATES, jnp.asarray(9.0), ONE)
    plain = oracle.Sums(K, N)
    plain.success, plain.failure = np.array(whole.success), np.array(whole.failure)
    for limit in (0, 11, N + 3):
        check(truncated(whole, jnp.asarray(float(limit)), ONE), whole if limit > N else oracle.within(plain, limit))
        plain.success, plain.failure = np.array(whole.success), np.array(whole.failure)
    delayed = late(whole, jnp.asarray(RATES[:1]), jnp.asarray(3.0))
    faded = np.exp(-3 * RATES[0])[:, None] * np.array(whole.success)
    np.testing.assert_allclose(delayed.success[:, 3:], faded[:, :-3], atol=1e-15)
    np.testing.assert_allclose(delayed.failure[3:], whole.failure[:-3], atol=1e-15)


SCALARS = {
    "soft": lambda v: join_soft(X, Y, STEP, RATES, v[0], v[1]),
    "pump": lambda v: pumped(X, Y, MAP, v[1] * RATES[0], v[0], ONE),
    "pump soft": lambda v: pumped_soft(X, Y, MAP, RATES[0], v[0], v[1]),
    "faithful": lambda v: join_faithful(X, Y, STEP, v[1] * RATES, np.full((2, K), 0.25), 0.5 + v[0] / 20, ONE),
    "run time": lambda v: truncated(join(X, Y, STEP, v[1] * RATES, 50 * ONE, ONE), v[0], ONE),
    "latency": lambda v: late(join(X, Y, STEP, RATES, 50 * ONE, ONE), v[1] * jnp.asarray(RATES[:1]), v[0]),
}


@pytest.mark.parametrize("name", SCALARS)
def test_gradients(name):
    weights = jnp.asarray(RNG.normal(size=(K + 1, N)))

    def value(v):
        found = SCALARS[name](v)
        return jnp.sum(weights[:K] * found.success) + jnp.sum(weights[K] * found.failure)

    point = jnp.asarray([6.37, 1.21])
    gradient = jax.grad(value)(point)
    for i in range(2):
        step = 1e-6 * np.eye(2)[i]
        numeric = float(value(point + step) - value(point - step)) / 2e-6
        assert gradient[i] == pytest.approx(numeric, rel=1e-5, abs=1e-7)


def test_survival_of_a_far_cutoff_is_certain():
    kernel = survival(jnp.asarray(jnp.inf), jnp.asarray(2.0), 50)
    np.testing.assert_allclose(kernel.left, 1.0, atol=1e-12)
    assert np.all(np.isfinite(jax.grad(lambda c: survival(c, jnp.asarray(2.0), 50).left.sum())(jnp.asarray(jnp.inf))))
