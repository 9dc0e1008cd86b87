"""How long a program takes is told first, and what is of no use ends early, with the numbers."""

import numpy as np
import pytest

from qtn.tensors.effort import Reached, travel, watch, work


def asked(rank=4):
    """Every two of 32 sites are joined twice."""
    return work(32, 2, [(a, b, rank) for a in range(32) for b in range(a + 1, 32)] * 2)


def looked_at(*given, **more):
    """What is told of a run at one place."""
    found = []
    watch(found.append)(asked(**more), Reached(*given))
    return found


def test_bonds_are_bounded_by_ranks_and_by_the_ends():
    np.testing.assert_allclose(work(4, 2, [(0, 3, 2), (1, 2, 4)]).needed, [1, 2, 1])
    bond, size = asked().widest()
    assert bond == 2**16 and size == pytest.approx(16 * 2 * sum(4.0 ** min(k, 31 - k) for k in range(32)) * 2, rel=0.5)


def test_short_runs_are_silent():
    assert looked_at(0, 10, 100, 1, 1.0) == looked_at(5, 10, 50, 16, 0.999) == []


def test_long_runs_are_announced_once():
    found = []
    look = watch(found.append)
    for done in (3, 4):
        look(asked(), Reached(done, 992, 5000, 64, 1.0))
    assert found == ["The circuit takes about 68 s: operation 3 of 992 on two sites has a bond of 64."]


def test_runs_that_lose_much_are_announced():
    (told,) = looked_at(40, 400, 100, 64, 0.3)
    assert "0.3 of the squared norm is left; about 6e-06 would be at the end. Without cuts bonds up to 65,536" in told


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((0, 10**5, 10**8, 1, 1.0), "at least about 2 h: 100,000 operations on two sites and the ways between them span"),
        ((50, 992, 5000, 512, 1.0), "has a bond of 512. Set `max_bond` to 128: the rest then takes about 9 min, and what"),
        ((50, 992, 5000, 512, 1.0), "would take about 10 h: operation 50 of 992"),
        ((100, 992, 500, 64, 9e-4), "0.0009 of the squared norm is left; about 6e-31 would be at the end, less than a"),
        ((100, 992, 500, 64, 9e-4), "Without cuts bonds up to 65,536 may be needed, 183 GB for all of them: use fewer"),
        ((100, 992, 500, 64, 0.0), "0 of the squared norm is left; about 0e+00 would be at the end"),
    ],
)  # fmt: skip
def test_what_is_refused(given, message):
    with pytest.raises(ValueError) as found:
        looked_at(*given)
    assert message in str(found.value)


def test_ways_are_counted():
    assert travel([]) == [0]
    assert travel([(0, 3), (3, 4), (40, 41)]) == [15, 12, 11, 0]
