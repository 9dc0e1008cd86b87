"""Trees are static values: equal by content, hashable and printable at any size."""

import pickle

import jax
import pytest

from qtn.schedules.builders import distill, elementary, swap, wait
from qtn.schedules.families import nested, sequential
from qtn.schedules.tree import Distill, Elementary, Schedule, Swap, Tree, Wait, recurrence, shifted, subtrees
from qtn.steps.distill import BBPSSW, DEJMPS

LINK = Elementary(0)
JOINED = Swap(LINK, Elementary(1))
DIFFERENT = {
    "position": (LINK, Elementary(1)),
    "cutoff": (JOINED, Swap(LINK, Elementary(1), 0)),
    "slot": (Swap(LINK, Elementary(1), 0), Swap(LINK, Elementary(1), 1)),
    "protocol": (Distill(LINK, LINK, BBPSSW), Distill(LINK, LINK, DEJMPS)),
    "rounds": (recurrence(LINK, 2, BBPSSW), recurrence(LINK, 3, BBPSSW)),
    "duration": (Wait(LINK, 0), Wait(LINK, 1)),
    "kind": (LINK, Wait(LINK, 0)),
    "roles": (Distill(LINK, Wait(LINK, 0), BBPSSW), Distill(Wait(LINK, 0), LINK, BBPSSW)),
}


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_different_trees_differ(one: Tree, other: Tree):
    assert one != other
    assert len({one, other}) == 2


@pytest.mark.parametrize("tree", [tree for pair in DIFFERENT.values() for tree in pair])
def test_equality_is_by_content(tree: Tree):
    copy = pickle.loads(pickle.dumps(tree))
    assert copy == tree and hash(copy) == hash(tree) and copy is not tree
    assert (copy.first, copy.last) == (tree.first, tree.last)


@pytest.mark.parametrize(
    ("tree", "ends"),
    [
        (Elementary(3), (3, 3)),
        (Swap(JOINED, Elementary(2)), (0, 2)),
        (Distill(JOINED, JOINED, BBPSSW), (0, 1)),
        (Wait(JOINED, 0), (0, 1)),
    ],
    ids=["elementary", "swap", "distill", "wait"],
)
def test_ends_of_a_segment(tree: Tree, ends: tuple[int, int]):
    assert (tree.first, tree.last) == ends


def test_shared_and_deep_trees_cost_little():
    shared, deep = recurrence(LINK, 400, BBPSSW), sequential(3000).tree
    assert shared == recurrence(Elementary(0), 400, BBPSSW)
    assert len(subtrees(shared)) == 401
    assert len(subtrees(deep)) == 5999
    assert len(repr(shared)) < 100 and len(repr(deep)) < 100


def test_subtrees_meets_children_first_and_each_once():
    parts = subtrees(nested(3, (1, 0, 2, 1)).tree)
    place = {part: i for i, part in enumerate(parts)}
    assert len(place) == len(parts)
    assert all(place[child] < place[part] for part in parts for child in part.children)


def test_shifted_moves_all_slots():
    tree = Distill(Wait(Swap(LINK, Elementary(1), 0), 1), JOINED, DEJMPS, 2)
    moved = Distill(Wait(Swap(LINK, Elementary(1), 10), 101), JOINED, DEJMPS, 12)
    assert shifted(tree, {"cutoff_times": 10, "wait_times": 100}) == moved


def test_gradient_is_a_schedule():
    schedule = wait(distill(swap(elementary(0), elementary(1), cutoff_time=2.0), cutoff_time=3.0), 5.0)
    gradient = jax.grad(lambda s: s.cutoff_times[0] * s.cutoff_times[1] * s.wait_times[0])(schedule)
    assert isinstance(gradient, Schedule) and gradient.tree == schedule.tree
    assert gradient.cutoff_times.tolist() == [15.0, 10.0] and gradient.wait_times.tolist() == [6.0]


def test_one_trace_for_many_numbers():
    traces = []

    @jax.jit
    def total(schedule: Schedule):
        traces.append(schedule.tree)
        return schedule.cutoff_times.sum()

    totals = [float(total(sequential(3, cutoff_time=time))) for time in (1.0, 2.0, 3.0)]
    assert totals == [2.0, 4.0, 6.0] and len(traces) == 1
