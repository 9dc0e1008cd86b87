"""Gathering against sums over all arrival times, dense matrices, swaps and closed forms."""

import itertools

import numpy as np
import pytest

from qtn import gather, networks, pairs_of
from qtn.evaluators.evaluate import evaluate
from qtn.evaluators.pairs import Pairs
from qtn.evaluators.renewal import Renewal
from qtn.hardware.gates import gates
from qtn.hardware.memory import PerfectMemory, dephasing_memory, relaxing_memory
from qtn.hardware.node import node
from qtn.links.abstract import abstract_link
from qtn.links.chain import chain
from qtn.schedules.families import nested
from qtn.schedules.text import parse
from qtn.states import expect
from qtn.states.dense import dense
from tests.oracles import density
from tests.oracles import gather as oracle
from tests.oracles.network import pauli_coefficients
from tests.oracles.register import from_pauli

LETTERS = "IXYZ"
LEVELS = np.array([0.1, 0.5, 0.99])
PERFECT = (PerfectMemory(), PerfectMemory())


def geometric(p, steps):
    law = p * (1 - p) ** np.arange(-1.0, steps - 1)
    law[0] = 0.0
    return law / law.sum()


def bell_arm(law, weights, memories=PERFECT):
    return Pairs(
        states=law[:, None, None] * density.coefficients(density.bell_diagonal(weights)),
        step=np.array(1.0),
        memories=memories,
    )


def random_arm(seed, steps=4, memories=PERFECT):
    rng = np.random.default_rng(seed)
    law = rng.uniform(0.2, 1.0, steps)
    states = [density.coefficients(density.random_state(rng)) for _ in range(steps)]
    return Pairs(states=(law / law.sum())[:, None, None] * np.array(states), step=np.array(1.0), memories=memories)


def link_arm(p=0.3, w=1.0, t2=np.inf, step=1.0, num_steps=256):
    line = chain(abstract_link(p_success=p, attempt_time=1.0, werner=w), [node(), node(dephasing_memory(t2))], 1)
    return pairs_of(evaluate(line, nested(0), evaluator=Renewal(step=step, num_steps=num_steps)), line)


@pytest.mark.parametrize("cutoff", [np.inf, 2], ids=["waiting", "cut-off"])
@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_arms_against_sums_over_all_arrivals(n, cutoff):
    laws = [geometric(p, 5) for p in (0.3, 0.5, 0.4, 0.7, 0.2, 0.6)[:n]]
    kept = np.exp(-1 / np.array([3.0, 9.0, 5.0, 7.0, 4.0, 11.0])[:n])
    pairs = [[0.9, 0.04, 0.01, 0.05], [0.8, 0.1, 0.05, 0.05], [0.95, 0.02, 0.02, 0.01]] * 2
    arms = [
        bell_arm(law, weights, (PerfectMemory(), dephasing_memory(-1 / np.log(each))))
        for law, weights, each in zip(laws, pairs, kept, strict=False)
    ]
    found = gather(arms, cutoff_time=cutoff)
    np.testing.assert_allclose(found.mean_time, oracle.mean_time(laws, cutoff), rtol=1e-12)
    xx, zz = ([sign @ np.array(weights) for weights in pairs[:n]] for sign in ([1, 1, -1, -1], [1, -1, -1, 1]))
    np.testing.assert_allclose(
        found.mean("X" * n), np.prod(xx) * oracle.products(laws, kept, cutoff), rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(found.mean({0: "Z", n - 1: "Z"}), zz[0] * zz[n - 1], rtol=1e-12)


CASES = {
    "ghz": (None, None),
    "cut-off": (2, None),
    "line": (None, ((0, 1), (1, 2))),
    "triangle": (1, ((0, 1), (0, 2), (2, 1))),
}


@pytest.mark.parametrize(("cutoff", "edges"), CASES.values(), ids=CASES)
def test_state_equals_dense_matrices(cutoff, edges):
    """Any pairs, memories that relax, noisy gates and readouts."""
    times = [((8.0, 7.0), (5.0, 6.0)), ((9.0, 3.0), (5.0, 6.0)), ((4.0, 6.0), (5.0, 6.0))]
    arms = [random_arm(k, memories=tuple(relaxing_memory(*each) for each in times[k])) for k in range(3)]
    hub = node(relaxing_memory(5.0, 6.0), gates(0.93, 0.96))
    found = gather(arms, hub, cutoff_time=cutoff, edges=edges)
    expected = oracle.mean_state(
        [arm.states for arm in arms], times, 0.93, 0.96, np.inf if cutoff is None else cutoff, edges
    )
    strings = ["".join(each) for each in itertools.product(LETTERS, repeat=3)]
    np.testing.assert_allclose(found.means(strings), expected.ravel(), atol=1e-12)
    means = [float(expect(found.state, each)) for each in strings]
    np.testing.assert_allclose(means, expected.ravel(), atol=1e-12)
    assert np.linalg.eigvalsh(dense(found.state).matrix)[0] > -1e-12
    np.testing.assert_allclose(
        found.mean_time, oracle.mean_time([a.states[:, 0, 0] for a in arms], np.inf if cutoff is None else cutoff)
    )


def test_ring_of_four_users():
    arms = [random_arm(k, steps=1 + (k == 2)) for k in range(4)]
    edges = ((0, 1), (1, 2), (2, 3), (0, 3))
    found = gather(arms, node(gate_set=gates(0.93, 0.96)), edges=edges)
    expected = oracle.mean_state([arm.states for arm in arms], [((np.inf, np.inf),) * 2] * 4, 0.93, 0.96, edges=edges)
    strings = ["".join(each) for each in itertools.product(LETTERS, repeat=4)]
    np.testing.assert_allclose(found.means(strings), expected.ravel(), atol=1e-12)


def test_three_arms_that_lose_a_twentieth_a_step():
    arm = link_arm(t2=-1 / np.log(0.95))
    found = gather([arm] * 3)
    np.testing.assert_allclose(found.mean("XXX"), 0.7283775801, atol=5e-11)
    np.testing.assert_allclose(found.mean_time, 3 / 0.3 - 3 / 0.51 + 1 / 0.657, rtol=1e-12)


SWAPS = {"plain": (None, 1.0), "cut-off": (3, 1.0), "between steps": (2.4, 1.0), "swaps fail": (4, 0.6)}


@pytest.mark.parametrize(("cutoff", "p_swap"), SWAPS.values(), ids=SWAPS)
def test_two_arms_are_a_swap(cutoff, p_swap):
    """In time and state, with T1 at all three nodes."""
    users = [node(relaxing_memory(9.0, 7.0)), node(relaxing_memory(14.0, 5.0))]
    hub = node(relaxing_memory(6.0, 11.0), gates(0.97, 0.98), p_swap)
    links = [abstract_link(p_success=p, attempt_time=1.0, fidelity=0.94) for p in (0.4, 0.3)]
    grid = Renewal(step=1.0, num_steps=512, whole_state=True)
    text = "swap(0, 1)" if cutoff is None else f"swap(0, 1, cutoff_time={cutoff})"
    swapped = grid.evaluate(chain(links, [users[0], hub, users[1]]), parse(text))
    arms = []
    for link, user in zip(links, users, strict=True):
        line = chain([link], [user, hub])
        arms.append(pairs_of(grid.evaluate(line, nested(0)), line))
    found = gather(arms, hub, cutoff_time=cutoff)
    np.testing.assert_allclose(found.mean_time, swapped.mean_time, rtol=1e-12)
    np.testing.assert_allclose(found.time.probability, swapped.probability, atol=1e-14)
    strings = ["".join(each) for each in itertools.product(LETTERS, repeat=2)]
    np.testing.assert_allclose(found.means(strings), np.asarray(swapped.state).ravel(), atol=1e-12)
    np.testing.assert_allclose(found.quantiles(LEVELS), swapped.quantiles(LEVELS))


def test_hub_of_a_network_that_is_measured_out():
    """Bell-diagonal pairs that come at once: what a star of the timeless networks delivers."""
    weights = [[0.9, 0.04, 0.01, 0.05], [0.8, 0.1, 0.05, 0.05], [0.95, 0.02, 0.02, 0.01], [0.85, 0.05, 0.04, 0.06]]
    hub = node(gate_set=gates(0.93, 0.96))
    found = gather([bell_arm(np.array([0.0, 1.0]), each) for each in weights], hub)
    star = networks.star(
        4, networks.bell_diagonal_links(weights), [hub] + [node()] * 4, operations={0: networks.MEASURE}
    )
    expected = networks.reduced_state(star, [1, 2, 3, 4])
    strings = ["".join(each) for each in itertools.product(LETTERS, repeat=4)]
    np.testing.assert_allclose(found.means(strings), np.asarray(expected).ravel(), atol=1e-12)


@pytest.mark.parametrize("n", [2, 5, 40, 100])
def test_fidelity_of_independent_errors(n):
    """1/2 sum of four products, through the stabilisers I or Z (even) and X or Y."""
    rng = np.random.default_rng(n)
    weights = rng.dirichlet([40 * n, 1, 1, 1], n)
    arms = [bell_arm(np.array([0.0, 1.0]), each) for each in weights]
    found = gather(arms).fidelity()
    i, x, y, z = weights.T
    expected = sum(np.prod(each) for each in (i + z, i - z, x + y, x - y)) / 2
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("parents", [(0, 0, 1, 1, 2), (0, 0, 0, 1, 1), (0, 0, 1, 2)], ids=["tree", "uneven", "swaps"])
def test_tree_equals_dense_matrices(parents):
    """Any pairs, noisy nodes."""
    arms = [random_arm(k, steps=1) for k in range(len(parents))]
    found = gather(arms, node(gate_set=gates(0.93, 0.96)), parents=parents)
    expected = oracle.joined_along(parents, [from_pauli(np.asarray(arm.states[0])) for arm in arms], 0.93, 0.96)
    strings = ["".join(each) for each in itertools.product(LETTERS, repeat=found.num_users)]
    np.testing.assert_allclose(found.means(strings), expected.ravel(), atol=1e-12)
    overlap = np.vdot(pauli_coefficients(density.ghz(found.num_users)), expected) / 2**found.num_users
    np.testing.assert_allclose(found.fidelity(), overlap, rtol=1e-12)
    np.testing.assert_allclose(expect(found.state, strings[-1]), expected.flat[-1], atol=1e-12)


def test_tree_waits_for_all_of_its_arms():
    """Memories that relax at all nodes, a cut-off."""
    parents, laws = (0, 0, 1, 1), [geometric(p, 3) for p in (0.3, 0.5, 0.4, 0.7)]
    arms = [bell_arm(law, [0.9, 0.04, 0.01, 0.05], (relaxing_memory(9.0, 7.0),) * 2) for law in laws]
    found = gather(arms, node(relaxing_memory(9.0, 7.0), gates(0.93, 0.96)), parents=parents, cutoff_time=1)
    np.testing.assert_allclose(found.mean_time, oracle.mean_time(laws, 1), rtol=1e-12)
    total = 0
    for chance, times, end, in_time in oracle.attempts(laws, 1):
        if in_time:
            pair = density.bell_diagonal([0.9, 0.04, 0.01, 0.05])
            aged = [oracle.stored(pair, end - t, ((9.0, 7.0),) * 2) for t in times]
            total = total + chance * oracle.joined_along(parents, aged, 0.93, 0.96)
    strings = ["".join(each) for each in itertools.product(LETTERS, repeat=3)]
    np.testing.assert_allclose(found.means(strings), total.ravel() / total.flat[0], atol=1e-12)
