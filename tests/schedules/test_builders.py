"""Builders compose trees and number their times in the order of the text."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.schedules.arguments import require_protocol, tree_of, whole
from qtn.schedules.builders import Number, check_spans, distill, elementary, swap, wait
from qtn.schedules.families import nested, sequential
from qtn.schedules.text import to_text
from qtn.schedules.tree import Distill, Elementary, Schedule, Swap, subtrees
from qtn.steps.distill import BBPSSW, DEJMPS


def joined(time: Number | None = None, first: int = 0) -> Schedule:
    return swap(elementary(first), elementary(first + 1), cutoff_time=time)


SHAPES = {
    "one link": (nested(0), "0"),
    "one link, distilled": (nested(0, (2,)), "distill(0, rounds=2)"),
    "two levels": (nested(2), "swap(swap(0, 1), swap(2, 3))"),
    "levels, rounds": (
        nested(2, (1, 0, 2)),
        "distill(swap(swap(distill(0), distill(1)), swap(distill(2), distill(3))), rounds=2)",
    ),
    "levels, cut-offs": (
        nested(2, cutoff_times=(0.5, 2.0)),
        "swap(swap(0, 1, cutoff_time=0.5), swap(2, 3, cutoff_time=0.5), cutoff_time=2.0)",
    ),
    "middle rounds, cut-offs": (
        nested(2, (0, 1, 0), protocol=DEJMPS, cutoff_times=(0.5, 2.0)),
        'swap(distill(swap(0, 1, cutoff_time=0.5), protocol="dejmps"), '
        'distill(swap(2, 3, cutoff_time=0.5), protocol="dejmps"), cutoff_time=2.0)',
    ),
    "sequential, one link": (sequential(1), "0"),
    "sequential": (sequential(4), "swap(swap(swap(0, 1), 2), 3)"),
    "sequential, cut-off": (
        sequential(3, cutoff_time=0.1),
        "swap(swap(0, 1, cutoff_time=0.1), 2, cutoff_time=0.1)",
    ),
    "no cut-offs at level 0": (nested(0, cutoff_times=()), "0"),
}


@pytest.mark.parametrize(("schedule", "text"), SHAPES.values(), ids=SHAPES)
def test_shapes(schedule: Schedule, text: str):
    assert to_text(schedule) == text


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_nested_is_the_composition_of_swaps(levels: int):
    def composed(level: int, first: int) -> Schedule:
        if level == 0:
            return elementary(first)
        left, right = composed(level - 1, first), composed(level - 1, first + 2 ** (level - 1))
        return swap(left, right, cutoff_time=float(level))

    direct, expected = nested(levels, cutoff_times=np.arange(1.0, levels + 1).tolist()), composed(levels, 0)
    assert direct.tree == expected.tree
    assert direct.cutoff_times.tolist() == expected.cutoff_times.tolist()


def test_slots_follow_the_text():
    left = wait(distill(joined(1.0), cutoff_time=2.0), 0.1)
    right = wait(distill(wait(joined(3.0, 2), 0.2), joined(4.0, 2), cutoff_time=5.0), 0.3)
    schedule = swap(left, right, cutoff_time=6.0)
    assert schedule.cutoff_times.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert schedule.wait_times.tolist() == [0.1, 0.2, 0.3]
    slots = [part.cutoff for part in subtrees(schedule.tree) if isinstance(part, Swap | Distill)]
    assert slots == [0, 1, 2, 3, 4, 5]


def test_one_operand_keeps_its_slots_once():
    schedule = distill(joined(1.0), rounds=3, cutoff_time=2.0)
    assert schedule.cutoff_times.tolist() == [1.0, 2.0]
    assert {part.cutoff for part in subtrees(schedule.tree) if isinstance(part, Distill)} == {1}


def test_two_operands_have_slots_of_their_own():
    schedule = distill(joined(1.0), joined(1.0))
    assert isinstance(schedule.tree, Distill) and schedule.tree.kept != schedule.tree.consumed
    assert schedule.cutoff_times.shape == (2,)


def test_infinite_cutoff_is_a_slot():
    assert joined(jnp.inf).cutoff_times.tolist() == [np.inf]


GRADIENTS = {
    "swap": (lambda t: joined(t).cutoff_times, 1.0),
    "shared by hand": (lambda t: swap(joined(t), elementary(2), cutoff_time=2 * t).cutoff_times, 3.0),
    "distill": (lambda t: distill(elementary(0), rounds=2, cutoff_time=t).cutoff_times, 1.0),
    "wait": (lambda t: wait(wait(elementary(0), t), t**2).wait_times, 5.0),
    "nested": (lambda t: nested(2, cutoff_times=(t, 3 * t)).cutoff_times, 5.0),
    "nested, array": (lambda t: nested(2, cutoff_times=jnp.stack([t, t])).cutoff_times, 3.0),
    "sequential": (lambda t: sequential(5, cutoff_time=t).cutoff_times, 4.0),
}


@pytest.mark.parametrize(("times", "slope"), GRADIENTS.values(), ids=GRADIENTS)
def test_gradients_flow_through_builders(times, slope: float):
    assert float(jax.grad(lambda t: times(t).sum())(2.0)) == slope
    assert float(jax.jit(jax.grad(lambda t: times(t).sum()))(2.0)) == slope


def test_vmap_equals_the_loop():
    times = jnp.array([1.0, 2.0, 3.0])
    batch = jax.vmap(lambda t: swap(joined(t), elementary(2), cutoff_time=2 * t))(times)
    loop = [swap(joined(t), elementary(2), cutoff_time=2 * t).cutoff_times for t in times]
    assert batch.cutoff_times.tolist() == jnp.stack(loop).tolist()


two = joined()
ERRORS = {
    "not neighbours": (
        lambda: swap(elementary(0), elementary(2)),
        "`right` must start with link 1.*with link 2",
    ),
    "overlap": (lambda: swap(two, elementary(1)), "`right` must start with link 2"),
    "different segments": (lambda: distill(two, elementary(1)), "must span links 0 to 1 .* but spans link 1"),
    "negative cut-off": (lambda: joined(-1.0), "`cutoff_time` must be non-negative, but is -1.0"),
    "not a number": (lambda: joined(float("nan")), "`cutoff_time` must be non-negative, but is nan"),
    "cut-offs": (lambda: joined(jnp.ones(2)), r"`cutoff_time` must be one number, but has shape \(2,\)"),
    "negative wait": (lambda: wait(two, -0.1), "`duration` must be non-negative and finite, but is -0.1"),
    "infinite wait": (
        lambda: wait(two, float("inf")),
        "`duration` must be non-negative and finite, but is inf",
    ),
    "no rounds": (lambda: distill(two, rounds=0), "`rounds` must be from 1 to 100, but is 0"),
    "many rounds": (lambda: distill(two, rounds=101), "`rounds` must be from 1 to 100, but is 101"),
    "rounds of two": (lambda: distill(two, two, rounds=2), "`rounds` must be 1 when `consumed` is given"),
    "negative link": (lambda: elementary(-1), "`position` must be at least 0, but is -1"),
    "negative levels": (lambda: nested(-1), "`levels` must be at least 0, but is -1"),
    "few rounds": (lambda: nested(2, (1, 1)), "`rounds` must hold levels [+] 1 = 3 numbers, but holds 2"),
    "negative rounds": (lambda: nested(1, (0, -1)), r"`rounds\[1\]` must be from 0 to 100, but is -1"),
    "few cut-offs": (lambda: nested(2, cutoff_times=(1.0,)), "`cutoff_times` must hold 2 times, but holds 1"),
    "negative cut-offs": (lambda: nested(1, cutoff_times=(-1.0,)), "`cutoff_times` must be non-negative"),
    "no links": (lambda: sequential(0), "`num_links` must be at least 1, but is 0"),
    "short": (
        lambda: check_spans(two, 3),
        "must span links 0 to 2, .* num_links = 3, but spans links 0 to 1",
    ),
    "long": (lambda: check_spans(two, 1), "must span link 0, as the chain"),
    "late": (lambda: check_spans(elementary(1), 1), "but spans link 1"),
}


@pytest.mark.parametrize(("build", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(build, message: str):
    with pytest.raises(ValueError, match=message):
        build()


TYPE_ERRORS = {
    "number": (lambda: tree_of("left", 0), r"`left` must be a Schedule, but is 0: use `elementary\(0\)`"),
    "name": (
        lambda: require_protocol("dejmps"),
        "must be a DistillationProtocol, but is 'dejmps': use `qtn.BBPSSW`",
    ),
    "fraction": (lambda: whole("rounds", 1.5, 1), "`rounds` must be a whole number, but is 1.5"),
}


@pytest.mark.parametrize(("check", "message"), TYPE_ERRORS.values(), ids=TYPE_ERRORS)
def test_type_errors(check, message: str):
    with pytest.raises(TypeError, match=message):
        check()


def test_check_spans_accepts_the_whole_chain():
    check_spans(nested(2), 4)


def test_elementary_is_a_link_without_times():
    schedule = elementary(4)
    assert schedule.tree == Elementary(4)
    assert schedule.cutoff_times.shape == schedule.wait_times.shape == (0,)
    assert distill(schedule).tree == Distill(Elementary(4), Elementary(4), BBPSSW)
