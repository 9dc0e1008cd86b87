"""Fronts and beams against their definitions."""

import numpy as np
import pytest

from qtn.planning.front import beam, epsilon_front, losses, pareto


@pytest.mark.parametrize("seed", range(5))
def test_pareto_front_is_what_nothing_beats(seed):
    points = np.random.default_rng(seed).integers(0, 6, (80, 3)).astype(float)
    front = pareto(points)
    for i, point in enumerate(points):
        others = np.delete(points, i, axis=0)
        beaten = np.any(np.all(others <= point, axis=1) & np.any(others < point, axis=1))
        assert (point.tolist() in points[front].tolist()) == (not beaten)
    assert len({tuple(p) for p in points[front]}) == len(front)


@pytest.mark.parametrize("width", [1, 3, 10, 30])
def test_epsilon_front_covers_all_points_within_its_epsilon(width):
    points = np.random.default_rng(1).normal(size=(500, 4))
    chosen, epsilon = epsilon_front(points, width)
    assert 0 < len(chosen) <= width and epsilon > 0
    excess = np.min(np.max(points[chosen][None] - points[:, None], axis=2), axis=1)
    assert np.max(excess) <= epsilon + 1e-12


def test_epsilon_front_is_exact_where_there_is_room():
    points = np.random.default_rng(2).normal(size=(100, 2))
    chosen, epsilon = epsilon_front(points, 100)
    assert epsilon == 0 and chosen.tolist() == pareto(points).tolist()


def test_losses_are_small_for_fast_and_pure():
    found = losses(np.array([1.0, np.e]), np.array([[1.0, 0.9, 0.8, 0.7], [1.0, 1.0, 1.0, 1.0]]))
    assert found.tolist() == [[0.0, -0.9, -0.8, -0.7], [1.0, -1.0, -1.0, -1.0]]


def test_beam_keeps_the_best_of_every_octave_of_time():
    times = np.array([1.0, 1.1, 1.2, 5.0, 40.0])
    scores = np.array([3.0, 2.9, 2.8, 1.0, 0.5])
    assert beam(scores, times, 3).tolist() == [0, 3, 4]
    assert beam(scores, times, 9).tolist() == [0, 1, 2, 3, 4]
