"""The full state against `Renewal()` averaged over timelines, against plain recurrences, and against finite differences."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qtn
from qtn.evaluators.asap import Asap
from qtn.evaluators.full_state import FullState, timeline_of
from qtn.evaluators.renewal import Renewal
from qtn.hardware.memory import relaxing_memory
from qtn.schedules.policy import Ends, swap_asap
from qtn.schedules.tree import Elementary
from qtn.states.basis import BELL_SIGNS
from qtn.steps.level import PAULI
from qtn.steps.protocol import EPL
from tests.evaluators.full_state.test_schedules import delivered, line


def runner(timeline, max_bond=256):
    """Return the probability times the Pauli coefficients (4, 4) of the delivered pair, as a function."""
    ends = delivered(timeline)

    def run(chain, times):
        outcome = FullState(max_bond).run(chain, dataclasses.replace(timeline, times=times))
        return outcome.probability * outcome.correlations(ends)

    return jax.jit(run)


def averaged(chain, schedule, arrivals, weight, tracked=False):
    """Sum over the grid of `arrivals` (one (m,) vector of steps each, all in one order of events)."""
    timelines = [timeline_of(schedule, row, tracked=tracked) for row in arrivals]
    assert len({timeline.events for timeline in timelines}) == 1
    times = jnp.stack([timeline.times for timeline in timelines])
    states = jax.vmap(runner(timelines[0]), (None, 0))(chain, times)
    return np.tensordot(weight, states, 1)


@pytest.mark.parametrize(
    "schedule",
    [
        pytest.param(qtn.nested(1), id="swap", marks=pytest.mark.slow),
        pytest.param(qtn.distill(qtn.elementary(0), protocol=EPL), id="distill", marks=pytest.mark.slow),
    ],
)
def test_average_over_all_timelines_is_renewal(schedule):
    chain = line(schedule.tree.last + 1, p_success=0.6)
    ages = np.arange(70)
    same_age = 0.6**2 * 0.4**ages / (1 - 0.4**2)  # P(T1 - T2 = age)
    late = np.stack([ages, 0 * ages], axis=1)
    total = averaged(chain, schedule, late[1:], same_age[1:]) + averaged(chain, schedule, late[:, ::-1], same_age)
    summary = Renewal(step=1.0, num_steps=256).summarise(chain, schedule)
    np.testing.assert_allclose(total / total[0, 0], summary.state, atol=1e-10)


@pytest.mark.slow
def test_average_over_all_timelines_is_asap():
    chain, schedule = line(2, p_success=0.6, p_swap=1.0), qtn.nested(1)
    ages = np.arange(70)
    weight = 0.6**2 * 0.4**ages / (1 - 0.4**2)
    late = np.stack([ages, 0 * ages], axis=1)
    total = averaged(chain, schedule, late[1:], weight[1:], True) + averaged(
        chain, schedule, late[:, ::-1], weight, True
    )
    summary = Asap(step=1.0, num_steps=256).evaluate(chain, swap_asap(ends=Ends.KEPT))
    np.testing.assert_allclose(total, summary.state, atol=1e-10)


def pair_recurrence(chain, part, arrivals):
    """Time and vector of a tree of swaps by the step maps of `Renewal()`."""
    if isinstance(part, Elementary):
        ends = chain.node(part.first), chain.node(part.last + 1)
        state = chain.link(part.position).heralded().state
        return arrivals[part.position], np.asarray(PAULI.from_pauli(state, *ends))
    found = [pair_recurrence(chain, child, arrivals) for child in part.children]
    time, vectors = max(t for t, _ in found), []
    for child, (t, vector) in zip(part.children, found, strict=True):
        rates = np.asarray(PAULI.decay_rates(chain.node(child.first), chain.node(child.last + 1)))
        vectors.append(vector * np.exp(-rates * (time - t)))
    nodes = part.first, part.right.first, part.last + 1
    step = np.asarray(PAULI.swap(*[chain.node(node) for node in nodes]))
    return time, np.einsum("cab,a,b->c", step, *vectors)


def tracked_recurrence(chain, arrivals):
    """Swap as soon as possible, corrected at the end: R[i, k] of the first link times all other R[k, k]."""
    n, end = chain.num_links, max(arrivals)
    swaps = [0.0] + [max(arrivals[k - 1 : k + 1]) for k in range(1, n)] + [0.0]
    swaps[0] = swaps[n] = end
    total = np.ones((4, 4))
    for k in range(n):
        ends = chain.node(k), chain.node(k + 1)
        r = np.asarray(chain.link(k).heralded().state)
        for side, node in enumerate(ends):
            rates = np.asarray(node.memory.pauli_rates())
            decay = np.diag([1, *np.exp(-rates * (swaps[k + side] - arrivals[k]))])
            decay[3, 0] = node.memory.equilibrium() * (1 - decay[3, 3])
            r = decay @ r if side == 0 else r @ decay.T
        total = total * (r if k == 0 else np.diag(r)[None, :])
        if k:
            bit, p2 = 2 * float(ends[0].gates.readout) - 1, float(ends[0].gates.two_qubit)
            factors = np.array([1, p2 * bit, p2 * bit**2, p2 * bit]) * BELL_SIGNS * float(ends[0].p_swap)
            total = total * factors
    return total


@pytest.mark.parametrize("tracked", [False, True])
def test_agrees_with_plain_recurrences(tracked):
    chain, arrivals = line(4), [3.0, 1.0, 7.0, 2.0]
    schedule = qtn.nested(2)
    timeline = timeline_of(schedule, arrivals, tracked=tracked)
    found = runner(timeline)(chain, timeline.times)
    if tracked:
        expected = tracked_recurrence(chain, arrivals)
    else:
        ends = chain.node(0), chain.node(4)
        expected = PAULI.to_pauli(jnp.asarray(pair_recurrence(chain, schedule.tree, arrivals)[1]), *ends)
    np.testing.assert_allclose(found, expected, atol=1e-13)


@pytest.fixture(scope="module")
def distil_and_swap():
    schedule = qtn.swap(qtn.distill(qtn.elementary(0), protocol=qtn.DEJMPS), qtn.elementary(1))
    timeline = timeline_of(schedule, [1.0, 2.0, 5.0])
    run = runner(timeline)
    weights = jnp.asarray(np.random.default_rng(0).normal(size=(4, 4)))
    function = lambda chain, times: jnp.sum(weights * run(chain, times))  # noqa: E731
    return timeline, jax.jit(function), jax.jit(jax.grad(function, (0, 1)))


def test_gradient_with_respect_to_everything(distil_and_swap):
    timeline, function, gradient = distil_and_swap
    point = line(2), timeline.times
    slopes = gradient(*point)
    rng = np.random.default_rng(1)
    for _ in range(3):
        direction = jax.tree.map(lambda leaf: rng.normal(size=np.shape(leaf)), point)
        moved = [jax.tree.map(lambda x, d, s=s: x + s * d, point, direction) for s in (1e-5, -1e-5)]
        difference = (function(*moved[0]) - function(*moved[1])) / 2e-5
        slope = sum(jnp.sum(a * b) for a, b in zip(*map(jax.tree.leaves, (slopes, direction)), strict=True))
        np.testing.assert_allclose(slope, difference, rtol=1e-6, atol=1e-9)


def test_gradient_is_finite_where_all_is_perfect(distil_and_swap):
    timeline, _, gradient = distil_and_swap
    link = qtn.abstract_link(p_success=1.0, attempt_time=1.0, werner=1.0)
    node = qtn.node(relaxing_memory(np.inf, np.inf))
    slopes = gradient(qtn.chain([link] * 2, [node] * 3), 0 * timeline.times)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(slopes))
