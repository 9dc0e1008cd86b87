"""Relaxing memories, limits of steps and levels in whole schedules, against dense matrices and Markov chains."""

import jax
import numpy as np
import pytest

from qtn.evaluators.levels import choose_level
from qtn.evaluators.renewal import Renewal
from qtn.hardware.gates import gates
from qtn.hardware.linear_optics import linear_optics
from qtn.hardware.memory import depolarising_memory, relaxing_memory
from qtn.hardware.node import node
from qtn.links.abstract import abstract_link
from qtn.links.chain import chain
from qtn.links.single_click import single_click
from qtn.schedules.builders import distill, elementary, pump, swap
from qtn.schedules.latency import with_latencies
from qtn.schedules.text import parse, to_text
from qtn.steps.distill import CODE_4, CODE_5, EPL
from qtn.steps.level import BELL_DIAGONAL, PAULI, X_TYPE
from qtn.steps.swap import Correction
from tests.oracles import density, markov

TIMES = [(9.0, 7.0), (6.0, 11.0), (14.0, 5.0)]
"""T1 and T2 of the three nodes [attempts]."""


def relaxing_chain(p=(0.4, 0.3), a=0.8, t1_scale=1.0):
    links = [abstract_link(p_success=each, attempt_time=1.0, fidelity=0.94) for each in p]
    nodes = [node(relaxing_memory(t1=t1_scale * t1, t2=t2), gates(0.97, 0.98), a) for t1, t2 in TIMES]
    return chain(links, nodes)


def stored(rho, ends, age):
    for site, (t1, t2) in enumerate(ends):
        gamma = 1 - np.exp(-age / t1)
        rho = density.damp(rho, site, gamma, np.exp(-age / t2) / np.sqrt(1 - gamma))
    return rho


def test_two_relaxing_links_equal_dense_sums():
    p, pair = (0.4, 0.3), density.bell_diagonal([0.94, 0.02, 0.02, 0.02])
    total, n = 0, 70
    first, second = ([q * (1 - q) ** (t - 1) for t in range(1, n)] for q in p)
    for late in range(1 - n, n):  # of the second link
        chance = sum(first[s] * second[s + late] for s in range(n - 1) if 0 <= s + late < n - 1)
        left, right = stored(pair, TIMES[:2], max(late, 0)), stored(pair, TIMES[1:], max(-late, 0))
        total = total + chance * density.swap(left, right, 0.97, 0.98)
    found = Renewal(step=1.0, num_steps=128).summarise(relaxing_chain(), parse("swap(0, 1)"))
    np.testing.assert_allclose(found.state, density.coefficients(total), atol=1e-10)
    assert abs(found.state[3, 0]) > 0.05  # relaxation leaves a coefficient that no Bell-diagonal pair has


def test_levels_agree_where_both_are_exact():
    schedule = parse("swap(distill(0, protocol='cnot'), 1, cutoff_time=3)")
    results = [
        Renewal(step=1.0, num_steps=256, level=level).summarise(relaxing_chain(), schedule) for level in (X_TYPE, PAULI)
    ]
    np.testing.assert_allclose(results[0].state, results[1].state, atol=1e-12)
    np.testing.assert_allclose(results[0].mean_time, results[1].mean_time, rtol=1e-12)


def test_slow_relaxation_is_dephasing():
    schedule = parse("swap(distill(0), 1, cutoff_time=4)")
    relaxing = Renewal(step=1.0, num_steps=256, level=X_TYPE).summarise(relaxing_chain(t1_scale=1e9), schedule)
    plain = Renewal(step=1.0, num_steps=256).summarise(relaxing_chain(t1_scale=np.inf), schedule)
    assert choose_level(relaxing_chain(t1_scale=np.inf), schedule) == BELL_DIAGONAL
    np.testing.assert_allclose(relaxing.state, plain.state, atol=1e-7)


def test_level_is_chosen_and_refused():
    schedule = parse("swap(0, 1)")
    assert choose_level(relaxing_chain(), schedule) == X_TYPE
    with pytest.raises(ValueError, match="'bell_diagonal' is not exact here: a memory relaxes"):
        Renewal(level=BELL_DIAGONAL).summarise(relaxing_chain(), schedule)
    clicks = single_click(length_left=1e3, length_right=1e3, loss_left=1, loss_right=1, bright_state=0.1)
    line = chain(clicks, num_links=2)
    assert choose_level(line, schedule) == BELL_DIAGONAL
    assert choose_level(line, swap(distill(elementary(0), protocol=EPL), elementary(1))) == X_TYPE
    optical = chain(clicks, node(optics=linear_optics()), num_links=2)
    assert choose_level(optical, schedule) == X_TYPE
    with pytest.raises(ValueError, match="linear optics mixes other Pauli coefficients"):
        Renewal(level=BELL_DIAGONAL).summarise(optical, schedule)
    with pytest.raises(ValueError, match="code5 joins 5 pairs, and it holds at most"):
        choose_level(relaxing_chain(), swap(distill(elementary(0), protocol=CODE_5), elementary(1)))


def test_tracked_corrections_are_refused_where_they_differ():
    with pytest.raises(ValueError, match=r"tracked.*relaxes.*at_swap.*Asap\(\)"):
        Renewal(correction=Correction.TRACKED).summarise(relaxing_chain(), parse("swap(0, 1)"))
    found = Renewal(step=1.0, num_steps=128, correction=Correction.TRACKED).summarise(
        relaxing_chain(t1_scale=np.inf), parse("swap(0, 1)")
    )
    assert np.isfinite(float(found.mean_time))


TREES = {"swap(0, 1, cutoff_time=2)": (0, 1, 2), "swap(swap(0, 1, cutoff_time=1), 2, cutoff_time=2)": ((0, 1, 1), 2, 2)}


@pytest.mark.parametrize("text", TREES)
def test_cutoffs_equal_a_markov_chain(text):
    p, a, w, coherence = (0.5, 0.4, 0.6), 0.7, 0.95, 8.0
    tree = TREES[text]
    count = 2 if isinstance(tree[0], int) else 3
    links = [abstract_link(p_success=each, attempt_time=1.0, werner=w) for each in p[:count]]
    line = chain(links, node(depolarising_memory(2 * coherence), p_swap=a))
    found = Renewal(step=1.0, num_steps=2048).summarise(line, parse(text))
    mean, quality = markov.moments(tree, p, a, np.exp(-1 / coherence))
    time, state = markov.dense(mean, quality, count, w)
    np.testing.assert_allclose(found.mean_time, time, rtol=1e-12)
    np.testing.assert_allclose(found.state, density.coefficients(state), atol=1e-12)


def test_many_pairs_equal_sums():
    """Four pairs that start together, with a cut-off, summed over all arrival times."""
    p, tau, coherence = 0.6, 2, 5.0
    line = chain(
        abstract_link(p_success=p, attempt_time=1.0, werner=0.9), node(depolarising_memory(2 * coherence)), num_links=1
    )
    schedule = distill(elementary(0), protocol=CODE_4, cutoff_time=float(tau))
    found = Renewal(step=1.0, num_steps=512).summarise(line, schedule)
    step_map = np.array(BELL_DIAGONAL.distill(CODE_4, node(), node()))
    pair = np.array([1, 0.9, 0.9, 0.9])
    success, ended, mean = np.zeros(4), 0.0, 0.0
    for times in np.ndindex(*[26] * 4):
        chance = np.prod([p * (1 - p) ** t for t in times])
        last, first = max(times), min(times)
        if last - first > tau:
            mean += chance * (first + tau + 1)
            continue
        mean += chance * (last + 1)
        aged = [pair * np.where(np.arange(4) > 0, np.exp(-(last - t) / coherence), 1) for t in times]
        success += chance * np.einsum("cabde,a,b,d,e->c", step_map, *aged)
        ended += chance
    np.testing.assert_allclose(found.mean_time, mean / success[0], rtol=1e-8)
    np.testing.assert_allclose(np.diagonal(found.state)[1] * success[0], success[1], atol=1e-9)


def test_latencies_of_gates_and_messages():
    timed = gates(two_qubit_time=2.0, readout_time=1.0)
    line = chain(
        abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9), node(depolarising_memory(50.0), timed), num_links=3
    )
    schedule = with_latencies(parse("swap(distill(0), swap(1, 2))"), line, [3.0, 4.0, 5.0])
    assert to_text(schedule) == "swap(distill(0, latency=6.0), swap(1, 2, latency=8.0), latency=12.0)"
    alone = with_latencies(parse("swap(0, 1)"), chain(line.links[0], line.nodes[0], 2), [3.0, 4.0])
    plain, late = (Renewal().summarise(chain(line.links[0], line.nodes[0], 2), s) for s in (parse("swap(0, 1)"), alone))
    assert float(late.mean_time - plain.mean_time) == pytest.approx(7.0, abs=1e-9)
    assert float(late.state[1, 1] / plain.state[1, 1]) == pytest.approx(np.exp(-2 * 7.0 / 50), abs=1e-12)
    slope = jax.grad(
        lambda time: with_latencies(parse("swap(0, 1)"), chain(line.links[0], line.nodes[0], 2), time).wait_times[0]
    )
    assert [float(each) for each in slope([3.0, 4.0])] == [0.0, 1.0]  # the longer message counts
    with pytest.raises(ValueError, match="must hold 3 times, one for each link, but holds 2"):
        with_latencies(schedule, line, [1.0, 2.0])


def test_pump_takes_its_time():
    """Two links' worth of attempts one after the other; a pair of the pump decays while the next one is made."""
    line = chain(abstract_link(p_success=0.25, attempt_time=1.0, werner=1.0), node(), num_links=1)
    found = Renewal(step=1.0, num_steps=1024).summarise(line, pump(elementary(0), rounds=2))
    assert found.mean_time == pytest.approx(12.0, rel=1e-12)


def test_a_run_time_is_a_deadline():
    """Restarted after 3 attempts: E = E[min(T, 3)] / P(T <= 3) with T the later of two geometric times."""
    p, limit = 0.3, 3
    line = chain(abstract_link(p_success=p, attempt_time=1.0, werner=1.0), node(), num_links=2)
    found = Renewal(step=1.0, num_steps=1024).summarise(line, parse("swap(0, 1, run_time=3)"))
    done = [(1 - (1 - p) ** t) ** 2 for t in range(limit + 1)]
    assert found.mean_time == pytest.approx(sum(1 - done[t] for t in range(limit)) / done[limit], rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "swap(0, 1, cutoff_time=3.3, cutoff_width=0.7)",
        pytest.param("swap(0, 1, min_fidelity=0.71)", marks=pytest.mark.slow),
        pytest.param("swap(pump(0, protocol='cnot', cutoff_time=4.2), 1, run_time=9.4)", marks=pytest.mark.slow),
        pytest.param("swap(distill(0, protocol='epl', latency=0.437), 1)", marks=pytest.mark.slow),
    ],
)
def test_gradients_of_whole_schedules(text):
    schedule = parse(text)
    evaluator = Renewal(rtol=1e-6).planned(relaxing_chain(), schedule)

    def value(t1, p, a, numbers):
        line = relaxing_chain((p, 0.3), a, t1)
        found = evaluator.summarise(line, type(schedule)(tree=schedule.tree, **numbers))
        return found.state[3, 3] + found.state[1, 1] + 0.01 * found.mean_time

    point = 1.3, 0.4, 0.8, schedule.numbers
    slopes = jax.grad(value, argnums=(0, 1, 2, 3))(*point)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(slopes))
    for i in range(3):
        moved = [list(point), list(point)]
        moved[0][i], moved[1][i] = point[i] + 1e-5, point[i] - 1e-5
        assert float(slopes[i]) == pytest.approx(float(value(*moved[0]) - value(*moved[1])) / 2e-5, rel=2e-4, abs=1e-7)
    for name, array in schedule.numbers.items():
        for j in range(array.size):
            step = 1e-6 * (np.arange(array.size) == j)
            up, down = (point[3] | {name: array + sign * step} for sign in (1, -1))
            numeric = float(value(*point[:3], up) - value(*point[:3], down)) / 2e-6
            assert float(slopes[3][name][j]) == pytest.approx(numeric, rel=1e-3, abs=1e-6)


def test_joins_end_with_the_whole():
    line, schedule = relaxing_chain(), parse("swap(distill(0, protocol='cnot'), 1, cutoff_time=3)")
    evaluator = Renewal(step=1.0, num_steps=512)
    found, whole = evaluator.joins(line, schedule), evaluator.summarise(line, schedule)
    assert [type(join.step).__name__ for join in found] == ["Distill", "Swap"]
    assert found[-1].mean_time == pytest.approx(float(whole.mean_time), rel=1e-12)
    np.testing.assert_allclose(found[-1].state, whole.state, atol=1e-12)
    assert 0 < float(found[0].p_success) < 1
