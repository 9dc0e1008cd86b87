"""Tuning by gradients: cut-offs against brute force, constraints against closed forms."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qtn
from qtn.evaluators.extrapolate import summarise_on
from qtn.evaluators.plan import TooLongError
from qtn.evaluators.scales import time_scales
from qtn.optimisation.bounded import Interval
from qtn.planning.grids import search_plans
from qtn.planning.lattice import on_lattice, polish_on_lattice
from qtn.planning.objective import Objective
from qtn.planning.starts import agreement
from qtn.planning.tune import tune
from qtn.planning.tuning import Tuned, Tuning
from qtn.schedules.tree import Elementary, Schedule, Swap
from qtn.steps.level import BELL_DIAGONAL


def nested_tree(first, num_links):
    """Balanced tree whose swaps share one cut-off on each level."""
    if num_links == 1:
        return Elementary(first)
    half = num_links // 2
    return Swap(nested_tree(first, half), nested_tree(first + half, half), num_links.bit_length() - 2)


def doubling(levels, p, memory):
    link = qtn.abstract_link(p_success=p, attempt_time=1.0, werner=0.98)
    chain = qtn.chain(link, qtn.node(qtn.depolarising_memory(memory), p_swap=0.5), num_links=2**levels)
    names = [f"tau_{level}" for level in range(levels)]

    def system(numbers):
        times = jnp.stack([jnp.asarray(numbers[name], dtype=float) for name in names])
        return chain, Schedule(tree=nested_tree(0, 2**levels), cutoff_times=times, wait_times=jnp.zeros(0))

    return Tuning(
        system,
        dict.fromkeys(names, Interval(1.0, 1000.0)),
        Objective(),
        log=names,
        lattice=dict.fromkeys(names, 1.0),
    )


@pytest.mark.parametrize("start", [(30.0, 60.0), pytest.param((2.0, 3.0), marks=pytest.mark.slow)])
def test_cutoffs_of_two_levels_are_those_of_brute_force(start):
    tuning = doubling(2, p=0.3, memory=150.0)
    plan = search_plans([tuning.system({"tau_0": 2.0, "tau_1": 3.0})], BELL_DIAGONAL)[0]
    rate = jax.jit(
        lambda a, b: tuning.value({}, summarise_on(plan, *tuning.system({"tau_0": a, "tau_1": b}), BELL_DIAGONAL), 1.0)
    )
    pairs = list(itertools.product(range(1, 16), range(1, 26)))
    best = max(pairs, key=lambda pair: float(rate(*map(jnp.asarray, map(float, pair)))))
    found = tune(tuning, {"tau_0": start[0], "tau_1": start[1]})
    assert tuple(found.parameters.values()) == best
    assert found.num_gradients <= 100
    assert found.value == pytest.approx(float(rate(*map(jnp.asarray, found.parameters.values()))), rel=1e-9)


@pytest.mark.slow
def test_published_cutoffs_of_three_levels():
    found = tune(doubling(3, p=0.1, memory=800.0), {"tau_0": 17.0, "tau_1": 32.0, "tau_2": 56.0})
    assert tuple(found.parameters.values()) == (5.0, 10.0, 14.0)
    assert found.value == pytest.approx(8.804544548e-6, rel=1e-9)
    assert found.num_gradients <= 100


def single_click(minimum=None, maximise="rate_hz", cost=None):
    """Two click links: bright states trade rate for fidelity."""

    def system(numbers):
        link = qtn.single_click(
            length_left=10e3, length_right=10e3, loss_left=2.0, loss_right=2.0, efficiency=numbers["efficiency"],
            bright_state=numbers["bright"],
        )  # fmt: skip
        return qtn.chain(link, qtn.node(qtn.dephasing_memory(10.0)), num_links=2), qtn.parse("swap(0, 1)")

    bounds = {"bright": Interval(1e-3, 0.5), "efficiency": Interval(0.2, 0.9)}
    return Tuning(system, bounds, Objective(maximise, minimum=minimum or {}), cost=cost, log=["bright"])


@pytest.mark.slow
def test_fidelity_at_a_minimum_rate_binds_and_its_multiplier_is_the_slope():
    def solved(limit):
        return tune(single_click({"rate_hz": limit}, "fidelity"), {"bright": 0.1, "efficiency": 0.5})

    found, step = solved(700.0), 10.0
    assert found.merits["rate_hz"] == pytest.approx(700.0, rel=1e-6) and found.violation <= 1e-6
    assert found.parameters["efficiency"] == pytest.approx(0.9, rel=1e-6)
    slope = (solved(700.0 - step).value - solved(700.0 + step).value) / (2 * step)
    assert found.multipliers["rate_hz"] == pytest.approx(slope, rel=1e-3)
    assert found.converged and found.kkt_residual < 1e-6


def test_least_cost_meets_its_targets_and_no_more():
    def cost(numbers):
        return jnp.log(0.3) / jnp.log(numbers["efficiency"])

    found = tune(single_click({"rate_hz": 200.0, "fidelity": 0.93}, cost=cost), {"bright": 0.05, "efficiency": 0.3})
    assert found.violation <= 1e-6 and found.kkt_residual < 1e-6
    assert found.merits["rate_hz"] == pytest.approx(200.0, rel=1e-5)
    assert found.merits["fidelity"] == pytest.approx(0.93, rel=1e-5)
    assert found.value == pytest.approx(float(cost({"efficiency": found.parameters["efficiency"]})), rel=1e-12)


@pytest.mark.slow
def test_targets_that_contradict_each_other_give_the_closest_point():
    found = tune(single_click({"rate_hz": 5e4, "fidelity": 0.99}), {"bright": 0.05, "efficiency": 0.3})
    assert found.violation > 0.1 and "No feasible point" in found.status


@dataclasses.dataclass(frozen=True)
class WithoutGrids(Tuning):
    """No time grid holds what is too efficient."""

    def evaluated(self, numbers):
        if numbers["efficiency"] > 0.5:
            raise TooLongError("No affordable time grid resolves this.")
        return super().evaluated(numbers)


def test_a_climb_to_where_no_grid_is_affordable_keeps_what_was_found():
    start = {"bright": 0.05, "efficiency": 0.3}
    tuning = WithoutGrids(**vars(single_click({"fidelity": 0.8})))
    found = tune(tuning, start, num_starts=2)
    assert 0.3 < found.parameters["efficiency"] <= 0.5
    assert found.value > tuning.evaluated(start).value and found.violation == 0
    assert "It led on to where no time grid is affordable: No affordable" in found.status


def test_gradient_of_the_relaxed_cutoffs_is_that_of_finite_differences():
    tuning = doubling(2, p=0.3, memory=150.0)
    start = {"tau_0": 4.3, "tau_1": 7.6}
    plan = search_plans([tuning.system(start)], BELL_DIAGONAL)[0]

    def rate(numbers):
        return tuning.value(numbers, summarise_on(plan, *tuning.system(numbers), BELL_DIAGONAL), 1.0)

    slopes = jax.grad(rate)(start)
    for name in start:
        up, down = ({**start, name: start[name] + sign * 1e-5} for sign in (1, -1))
        assert float(slopes[name]) == pytest.approx(float(rate(up) - rate(down)) / 2e-5, rel=1e-6)


def test_plans_of_an_optimisation_share_their_shape():
    systems = [doubling(2, p, 150.0).system({"tau_0": 4.0, "tau_1": 8.0}) for p in (0.3, 0.1)]
    plans = search_plans(systems, BELL_DIAGONAL)
    assert jax.tree.structure(plans[0]) == jax.tree.structure(plans[1])
    assert plans[0].finest.num_steps >= 36 * max(time_scales(*system).lifetimes[0] for system in systems)


def test_lattice_polish_crosses_a_ridge_in_pairs():
    def ridge(x):
        return -((x["a"] - x["b"]) ** 2) * 10 - (x["a"] + x["b"] - 20) ** 2

    point, score, _ = polish_on_lattice(ridge, {"a": 4.0, "b": 4.0, "c": 0.5}, {"a": 1.0, "b": 1.0})
    assert point == {"a": 10.0, "b": 10.0, "c": 0.5} and score == 0


def test_an_interrupt_keeps_the_best_so_far():
    calls = itertools.count()

    def stop(progress):
        if next(calls) == 8:
            raise KeyboardInterrupt

    found = tune(single_click({"rate_hz": 100.0}, "fidelity"), {"bright": 0.1, "efficiency": 0.5}, report=stop)
    assert found.interrupted and np.isfinite(found.value)
    assert dataclasses.asdict(found)["parameters"].keys() == {"bright", "efficiency"}


@pytest.mark.parametrize("start", [0.1, 0.3])
def test_a_bright_state_without_key_or_beside_the_best_goes_on_to_it(start):
    """From 0.3 there is no key; from 0.1 the first step leads to the dark end, which is stationary and keyless."""

    def system(numbers):
        link = qtn.single_click(
            length_left=10e3, length_right=10e3, loss_left=2.0, loss_right=2.0, efficiency=0.5,
            bright_state=numbers["bright"], dark_count_probability=1e-8,
        )  # fmt: skip
        return qtn.chain(link, qtn.node(qtn.dephasing_memory(10.0)), num_links=1), qtn.parse("0")

    tuning = Tuning(system, {"bright": Interval(0.0, 1.0)}, Objective())
    found = tune(tuning, {"bright": start})

    def rate(bright):
        return tuning.evaluated({"bright": bright}).score

    assert found.converged and found.kkt_residual < 1e-6
    best = found.parameters["bright"]
    assert rate(best) > 0 and rate(best) >= max(rate(best * 0.999), rate(best * 1.001), rate(start))


def test_several_starts_are_told_apart_and_told_in_order():
    told = []
    tuning = dataclasses.replace(single_click(), objective=Objective())
    found = tune(tuning, {"bright": 0.3, "efficiency": 0.5}, num_starts=3, report=lambda p: told.append(p.value))
    assert "All 3 starts agree to 1e-06." in found.status and len(found.start_scores) == 3
    assert "At the end of its range: efficiency." in found.status
    assert found.score == max(found.start_scores)
    assert np.all(np.diff(told) >= 0) and len(told) == found.num_gradients


def test_the_polish_stays_inside_the_bounds():
    score = lambda x: -x["a"]  # noqa: E731
    bounds = {"a": Interval(1.0, 10.0)}
    assert polish_on_lattice(score, {"a": 3.0}, {"a": 1 / 49}, bounds)[0] == {"a": 1.0}
    assert polish_on_lattice(lambda x: x["a"], {"a": 9.0}, {"a": 4.0}, bounds)[0] == {"a": 8.0}
    assert on_lattice(0.2, 1 / 49, bounds["a"]) == 1.0 and on_lattice(30.0, 4.0, bounds["a"]) == 8.0


def test_starts_that_miss_limits_are_counted_apart():
    rest = {"parameters": {}, "value": 0.0, "merits": {}, "grid_error": 0.0, "multipliers": {}, "kkt_residual": 0.0}
    rest |= {"converged": True, "num_gradients": 1, "num_evaluations": 0, "status": ""}
    ends = [Tuned(score=s, violation=v, **rest) for s, v in ((0.04, 0.0), (0.04, 0.0), (-10.3, 0.3))]
    assert agreement(ends) == "The other 2 agree to 1e-06. 1 of 3 starts end where limits are missed."
    assert agreement(ends[:2]) == "All 2 starts agree to 1e-06."
    assert agreement(ends[:1]) == "" and agreement(ends[2:] * 2) == ""
