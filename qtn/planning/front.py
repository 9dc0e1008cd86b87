"""Choose which candidates of a segment go on: the epsilon-Pareto front, or a beam with diversity."""

import numpy as np
from jaxtyping import Float

FIRST_EPSILON = 1e-4
"""Finest boxes: relative in the mean time, absolute in the characters."""


def losses(mean_times: np.ndarray, characters: np.ndarray) -> Float[np.ndarray, "n 4"]:
    """Return what is to be small: log mean time, and minus each character.

    Args:
        mean_times: (n,), [s].
        characters: (n, 4), of the mean delivered states, the trace 1 first.
    """
    return np.column_stack([np.log(mean_times), -characters[:, 1:]])


def pareto(points: Float[np.ndarray, "n d"]) -> np.ndarray:
    """Return the indices of the points that no other one equals or beats in all coordinates, sorted.

    Of equal points the first is kept.

    Example:
        >>> pareto(np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])).tolist()
        [0, 1]
    """
    order = np.lexsort(points.T[::-1])
    kept = np.empty((0, points.shape[1]))
    found: list[int] = []
    for index in order:  # a point can only be beaten by one that comes before it
        if not found or not np.any(np.all(kept[: len(found)] <= points[index], axis=1)):
            if len(found) == len(kept):
                kept = np.concatenate([kept, np.empty((max(64, len(kept)), points.shape[1]))])
            kept[len(found)] = points[index]
            found.append(int(index))
    return np.sort(np.array(found, dtype=int))


def epsilon_front(points: Float[np.ndarray, "n d"], width: int) -> tuple[np.ndarray, float]:
    """Return at most `width` points such that every point is beaten up to epsilon, and the epsilon that took.

    The front is laid on boxes of side epsilon, each represented by the point with the least sum; epsilon grows
    from 0 until few enough are left (Laumanns et al., Evol. Comput. 10, 263 (2002)).

    Args:
        points: (n, d), all coordinates to be small.
        width: most points to keep.

    Returns:
        (indices, epsilon): sorted indices; every point exceeds one of them by at most epsilon in every coordinate.

    Example:
        >>> epsilon_front(np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]), 5)
        (array([0, 1]), 0.0)
    """
    front = pareto(points)
    epsilon = 0.0
    while len(front) > width:
        epsilon = max(FIRST_EPSILON, 1.5 * epsilon)
        boxes = np.floor(points[front] / epsilon)
        best = np.argsort(points[front].sum(axis=1), kind="stable")
        _, chosen = np.unique(boxes[best], axis=0, return_index=True)
        front_boxes = pareto(boxes[best][np.sort(chosen)])
        smaller = np.sort(front[best][np.sort(chosen)][front_boxes])
        if len(smaller) <= width:
            return smaller, epsilon
    return front, epsilon


def beam(scores: np.ndarray, mean_times: np.ndarray, width: int) -> np.ndarray:
    """Return the indices of `width` candidates: the best of each octave of mean time in turn, sorted.

    Args:
        scores: (n,), larger is better.
        mean_times: (n,), [s]; candidates of very different speed do not compete.
        width: most candidates to keep.
    """
    octaves = np.floor(np.log2(mean_times / mean_times.min())).astype(int)
    best = np.argsort(-scores, kind="stable")
    rank = np.empty(len(scores), dtype=int)
    for octave in np.unique(octaves):
        members = best[octaves[best] == octave]
        rank[members] = np.arange(len(members))
    turn = np.lexsort((-scores, rank))
    return np.sort(turn[:width])
