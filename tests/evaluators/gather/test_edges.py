"""Gathering many users: long trains, slopes, edges of ranges, samples, wrong arguments."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import gather, pairs_of
from qtn.evaluators.evaluate import evaluate
from qtn.evaluators.full_state import FullState
from qtn.evaluators.renewal import Renewal
from qtn.evaluators.sampled.evaluator import Sampled
from qtn.hardware.gates import gates
from qtn.hardware.linear_optics import linear_optics
from qtn.hardware.memory import dephasing_memory, depolarising_memory, relaxing_memory
from qtn.hardware.node import node
from qtn.links.abstract import abstract_link
from qtn.links.chain import chain
from qtn.schedules.families import nested
from qtn.schedules.text import parse
from qtn.states import expect, fidelity_to, ghz
from tests.evaluators.gather.test_gather import bell_arm, geometric, link_arm, random_arm

HUB = node(depolarising_memory(30.0), gates(0.995, 0.998))


@pytest.mark.parametrize(("n", "bound"), [(9, 1e-9), pytest.param(100, 1e-6, marks=pytest.mark.slow)])
def test_train_of_many_users(n, bound):
    """Different arms; what the train says of strings and of the GHZ state against sums without cuts."""
    arms = [bell_arm(geometric(0.2 + 0.6 * k / n, 40), [0.998, 0.0005, 0.0005, 0.001]) for k in range(n)]
    found = gather(arms, HUB)
    state, lost = found.compressed()
    assert state.train.shape == (n, 64, 4, 64)
    assert lost < bound
    strings = ["X" * n, {0: "Z", n - 1: "Z"}, "Y" * 4 + "X" * (n - 4), {0: "X"}]
    np.testing.assert_allclose([expect(state, each) for each in strings], found.means(strings), atol=1e-10)
    np.testing.assert_allclose(fidelity_to(state, ghz(n)), found.fidelity(), atol=1e-10)


def test_mean_time_of_a_hundred_users():
    found = gather([link_arm(p=0.1, num_steps=1024)] * 100)
    reached = (1 - 0.9 ** np.arange(1000)) ** 100
    np.testing.assert_allclose(found.mean_time, np.sum(1 - reached), rtol=1e-10)
    median = np.flatnonzero(reached >= 0.5)[0]
    np.testing.assert_allclose(found.quantiles(np.array([0.5])), [median])


LINE = chain(abstract_link(p_success=0.4, attempt_time=1.0, werner=0.9), [node(), node(dephasing_memory(9.0))], 1)
ON_GRID = Renewal(step=1.0, num_steps=64).planned(LINE, nested(0))


def keyish(x):
    """A function of everything: p, w, T2, p2, eta, p_swap, cut-off."""
    p, w, t2, p2, eta, p_swap, cutoff = x
    line = chain(abstract_link(p_success=p, attempt_time=1.0, werner=w), [node(), node(dephasing_memory(t2))], 1)
    arm = pairs_of(evaluate(line, nested(0), evaluator=ON_GRID), line)
    found = gather([arm] * 3, node(dephasing_memory(t2), gates(p2, eta), p_swap), cutoff_time=cutoff)
    return (found.fidelity() + found.mean("XXX")) / found.mean_time


BOTH = jax.jit(jax.value_and_grad(keyish))


def test_slopes_by_every_number():
    x, h = jnp.array([0.4, 0.95, 20.0, 0.97, 0.98, 0.9, 2.4]), 1e-6
    slope = BOTH(x)[1]
    differences = [(BOTH(x.at[k].add(h))[0] - BOTH(x.at[k].add(-h))[0]) / (2 * h) for k in range(len(x))]
    np.testing.assert_allclose(slope, differences, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    "x", [[1.0, 1.0, np.inf, 1.0, 1.0, 1.0, 3.0], [0.3, 0.0, 5.0, 0.0, 0.5, 0.5, 0.0]], ids=["perfect", "hopeless"]
)
def test_slopes_at_the_ends_of_ranges(x):
    value, slope = BOTH(jnp.array(x))
    assert np.isfinite(value)
    assert np.all(np.isfinite(slope))


def test_slope_of_the_state_where_noise_begins():
    """The train of seven users at no noise at all: the derivative is that of the sums."""

    def coherence(p2, read):
        found = gather([bell_arm(geometric(0.5, 4), [1.0, 0, 0, 0])] * 7, node(gate_set=gates(p2)))
        return read(found)

    by_train = jax.grad(coherence)(1.0, lambda found: expect(found.state, "XXYYXYY"))
    by_sums = jax.grad(coherence)(1.0, lambda found: found.mean("XXYYXYY"))
    np.testing.assert_allclose(by_train, by_sums, rtol=1e-10)


def test_two_arms_through_sampled_and_full_state():
    users, hub = node(relaxing_memory(40.0, 30.0)), node(relaxing_memory(25.0, 30.0), gates(0.97, 0.98))
    link = abstract_link(p_success=0.3, attempt_time=1.0, fidelity=0.94)
    line, schedule = chain([link, link], [users, hub, users]), parse("swap(0, 1, cutoff_time=4)")
    half = chain([link], [users, hub])
    found = gather(
        [pairs_of(Renewal(step=1.0, num_steps=256, whole_state=True).evaluate(half, nested(0)), half)] * 2,
        hub,
        cutoff_time=4,
    )
    for evaluator in (Sampled(num_samples=4000, seed=1), FullState(num_samples=60, seed=2)):
        drawn = evaluator.evaluate(line, schedule)
        errors = [drawn.standard_error(of) for of in (lambda each: each.mean_time, lambda each: each.state[1, 1])]
        assert abs(drawn.mean_time - found.mean_time) < 4 * errors[0]
        assert abs(drawn.state[1, 1] - found.mean("XX")) < 4 * errors[1]


def test_four_arms_of_sampled_deliveries():
    """Each arm, a chain of two links with a cut-off, is sampled; the slowest of four samples ends the wait."""
    link = abstract_link(p_success=0.5, attempt_time=1.0, fidelity=0.96)
    line, schedule = chain(link, node(dephasing_memory(60.0), gates(0.99)), 2), parse("swap(0, 1, cutoff_time=3)")
    arm = pairs_of(Renewal(step=1.0, num_steps=256).evaluate(line, schedule), line)
    found = gather([arm] * 4, node(dephasing_memory(60.0)))
    drawn = [Sampled(num_samples=4000, seed=seed).samples(line, schedule) for seed in range(4)]
    times = np.stack([np.asarray(each.times) for each in drawn])
    longest = times.max(axis=0)
    assert abs(longest.mean() - found.mean_time) < 4 * longest.std() / np.sqrt(4000)
    xx = np.prod([np.asarray(each.states[:, 1, 1]) for each in drawn], axis=0)
    fades = np.prod(np.exp(-2 * (longest - times) / 60.0), axis=0)
    held = xx * fades
    assert abs(held.mean() - found.mean("XXXX")) < 4 * held.std() / np.sqrt(4000)


def test_arms_of_different_lengths_and_equal_ones():
    """A longer distribution continues the shorter one; equal arms as one object or as copies."""
    short, long = random_arm(1, steps=3), random_arm(2, steps=6)
    padded = dataclasses.replace(short, states=np.pad(short.states, ((0, 3), (0, 0), (0, 0))))
    np.testing.assert_allclose(gather([short, long]).means(["XX", "ZY"]), gather([padded, long]).means(["XX", "ZY"]))
    once, copies = gather([short] * 3), gather([dataclasses.replace(short) for _ in range(3)])
    assert (once.kinds, copies.kinds) == ((0, 0, 0), (0, 1, 2))
    np.testing.assert_allclose(once.mean("XYZ"), copies.mean("XYZ"), rtol=1e-12)


def test_a_cut_off_that_never_comes():
    """Known or traced, infinite or beyond the grid: as without one."""
    arms = [random_arm(k, memories=(dephasing_memory(5.0),) * 2) for k in range(3)]

    def numbers(cutoff):
        found = gather(arms, HUB, cutoff_time=cutoff)
        return jnp.stack([found.mean_time, found.mean("XXX"), found.mean("ZZI")])

    for cutoff in (np.inf, 50.0):
        np.testing.assert_allclose(numbers(cutoff), numbers(None), rtol=1e-12)
        np.testing.assert_allclose(jax.jit(numbers)(cutoff), numbers(None), rtol=1e-12)


def test_a_whole_cut_off_is_whole_to_rounding():
    arms = [
        dataclasses.replace(random_arm(k, memories=(dephasing_memory(5.0),) * 2), step=np.array(0.1)) for k in range(3)
    ]

    def time(cutoff):
        return gather(arms, cutoff_time=cutoff).mean_time

    assert 0.1 * 3 != 0.3
    np.testing.assert_allclose(jax.grad(time)(0.1 * 3), jax.grad(time)(0.3), rtol=1e-9)  # both the right one
    np.testing.assert_allclose(jax.grad(time)(0.2), (time(0.201) - time(0.2)) / 0.001, rtol=1e-2)


def test_users_who_measure_at_once_do_not_wait():
    arm = random_arm(3, memories=(dephasing_memory(2.0), dephasing_memory(5.0)))
    kept = dataclasses.replace(arm, memories=(dephasing_memory(np.inf), dephasing_memory(5.0)))
    measured = gather([arm] * 3, ends="measured")
    np.testing.assert_allclose(measured.mean("XXX"), gather([kept] * 3).mean("XXX"), rtol=1e-12)
    assert abs(gather([arm] * 3).mean("XXX")) < abs(measured.mean("XXX"))


ARM = bell_arm(geometric(0.5, 4), [0.9, 0.1, 0, 0])
WRONG = {
    "one user": (lambda: gather([ARM]), "`arms` must hold at least two arms, one for each user, but holds 1"),
    "grids": (
        lambda: gather([ARM, dataclasses.replace(ARM, step=np.array(0.5))]),
        "steps of arm 0 and 1 are 1 s and 0.5 s: evaluate all with the same",
    ),
    "optics": (lambda: gather([ARM] * 2, node(optics=linear_optics(1.0))), "has linear optics"),
    "cut-off": (lambda: gather([ARM] * 2, cutoff_time=-1.0), "`cutoff_time` must be non-negative, but is -1.0"),
    "ends": (lambda: gather([ARM] * 2, ends="lost"), "`ends` must be 'measured' or 'kept'"),
    "bond": (lambda: gather([ARM] * 2, max_bond=2), "`max_bond` must be a whole number of at least 4, but is 2"),
    "loop": (
        lambda: gather([ARM] * 2, edges=((0, 0),)),
        r"two different of the users 0 .. 1, each edge once, but holds \(0, 0\)",
    ),
    "twice": (lambda: gather([ARM] * 2, edges=((0, 1), (1, 0))), r"holds \(1, 0\)"),
    "nobody": (lambda: gather([ARM] * 2, edges=((0, 5),)), r"holds \(0, 5\)"),
    "alone": (lambda: gather([ARM] * 3, edges=((0, 1),)), "leaves out user 2"),
    "late parent": (lambda: gather([ARM] * 3, parents=(0, 2, 0)), r"that of node 2 \(arm 1\) is 2"),
    "few parents": (lambda: gather([ARM] * 3, parents=(0, 0)), "one node for each of 3 arms, but holds 2"),
    "thin root": (lambda: gather([ARM] * 3, parents=(0, 1, 1)), "at least two arms at node 0"),
    "tree and graph": (
        lambda: gather([ARM] * 2, parents=(0, 0), edges=((0, 1),)),
        "a graph state is joined at one hub",
    ),
    "products": (lambda: gather([ARM] * 4, parents=(0, 0, 1, 1)).products(np.zeros((1, 3, 4))), "are for one hub"),
    "letters": (lambda: gather([ARM] * 2).mean("XQ"), "must consist of I, X, Y, Z"),
    "user": (lambda: gather([ARM] * 2).mean({4: "X"}), "4"),
    "graph": (lambda: gather([ARM] * 3, edges=((0, 1), (1, 2))).products(np.zeros((1, 3, 4))), "a GHZ state is needed"),
    "long graph": (
        lambda: gather([ARM] * 8, edges=[(k, k + 1) for k in range(7)]).state,
        "up to 7 users are written out",
    ),
    "many in a graph": (
        lambda: gather([ARM] * 13, edges=[(k, k + 1) for k in range(12)]).fidelity(),
        "up to 12 users are summed",
    ),
    "cut": (lambda: gather([link_arm(num_steps=64)] * 8, HUB, max_bond=4).state, "raise `max_bond`, take it as it is"),
}


def test_memory_is_counted_before_it_is_taken(monkeypatch):
    arms = [bell_arm(geometric(0.5, 40), [0.9, 0.1, 0, 0]) for _ in range(9)]
    found = gather(arms, HUB)
    monkeypatch.setattr("qtn.evaluators.gather.held.MEMORY_LIMIT", 1e5)
    with pytest.raises(ValueError, match=r"What 9 different arms hold at 40 times takes 0.000172 GiB, above the limit"):
        gather(arms, HUB)
    with pytest.raises(ValueError, match=r"A cut of the state with `max_bond` = 64 takes .* lower `max_bond`"):
        found.compressed()


@pytest.mark.parametrize(("call", "message"), WRONG.values(), ids=WRONG)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_quantiles_of_a_sure_delivery_have_slopes():
    law = jnp.zeros(16).at[1].set(1.0)

    def quantile(law, step):
        arm = dataclasses.replace(bell_arm(law, [1.0, 0, 0, 0]), step=step)
        return gather([arm] * 2).quantiles(np.array([0.95]))[0]

    value, slopes = jax.value_and_grad(quantile, argnums=(0, 1))(law, 2.0)
    assert (value, slopes[1]) == (2.0, 1.0)
    assert np.all(np.isfinite(slopes[0]))
