"""The proportional optimum: a primal-dual interior-point method for a sum of logarithms over a polytope."""

from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import splu

GAP = 1e-10
"""Mean of the products x z from which the routes in use are known, of numbers of order 1."""
MOST_STEPS = 200
FIRM = 1e-9
"""Makes linear systems of the last steps regular, of numbers of order 1; repeated steps take it out again."""
MOST_POLISHING = 30


class Point:
    """A point inside: routes x, rates r, slacks s > 0; duals y of the rates, p > 0 of the rows, z > 0 of the routes."""

    def __init__(self, rows: Any, rates: sparse.csr_array, most: np.ndarray, weights: np.ndarray):
        per_row = np.maximum(np.asarray(rows.sum(axis=1)).ravel(), 1e-300)
        tightest = np.full(rows.shape[1], np.inf)
        for row, start, end in zip(range(len(most)), rows.indptr, rows.indptr[1:], strict=False):
            columns = rows.indices[start:end]
            tightest[columns] = np.minimum(tightest[columns], most[row] / per_row[row])
        self.x = 0.5 * tightest
        self.r = rates @ self.x
        self.s = np.maximum(most - rows @ self.x, 1e-3 * most)
        self.y = weights / self.r
        self.p = 1 / self.s / len(self.s)
        self.z = np.maximum(rows.T @ self.p - rates.T @ self.y, 1 / self.x / len(self.x))

    @property
    def gap(self) -> float:
        """Return the mean complementarity."""
        return float((self.x @ self.z + self.s @ self.p) / (len(self.x) + len(self.s)))


def proportional(
    rows: sparse.csr_array, rates: sparse.csr_array, most: np.ndarray, weights: np.ndarray, *, disjoint: int
) -> tuple[np.ndarray, np.ndarray]:
    """Maximise sum_d w_d log(r_d) with r = rates x, rows x <= most, x >= 0.

    Args:
        rows: (rows, routes), >= 0; every route is in a row.
        rates: (demands, routes), 1 where a route serves a demand; each has one.
        most: (rows,), > 0 and of order 1.
        weights: (demands,), > 0, of sum 1.
        disjoint: how many of the first rows hold the routes of one demand each, and nothing else.

    Returns:
        x: (routes,).
        prices: (rows,), dual.

    Note:
        Newton's method on the conditions of Karush, Kuhn and Tucker with products x z = mu, mu -> 0; the linear systems
        are positive definite; rows of demands are diagonal in them, and are eliminated first. Then the conditions are
        solved for the routes in use alone.

    References:
        Kelly, Maulloo, Tan, J. Oper. Res. Soc. 49, 237 (1998); Wright, Primal-Dual Interior-Point Methods (1997).
    """
    at = Point(rows, rates, most, weights)
    both: Any = sparse.vstack([rates, -rows]).tocsr()
    for _ in range(MOST_STEPS):
        broken = [
            at.y - weights / at.r,
            rows.T @ at.p - rates.T @ at.y - at.z,
            at.r - rates @ at.x,
            rows @ at.x + at.s - most,
        ]
        if at.gap < GAP / len(at.x) and max(float(np.abs(each).max()) for each in broken) < GAP:
            break
        if not _step(at, both, weights, broken, (len(weights), disjoint)):
            break
    _polished(at, rates, rows, most, weights)
    return at.x, at.p


def _step(
    at: Point, both: sparse.csr_array, weights: np.ndarray, broken: list[np.ndarray], diagonal: tuple[int, ...]
) -> bool:
    """Go one step; return whether there is one."""
    of_y, of_x, of_r, of_s = broken
    mu = 0.1 * at.gap
    theta, push = at.x / at.z, -of_x + mu / at.x - at.z
    curved = at.r**2 / weights
    matrix = (both * theta) @ both.T + sparse.diags_array(np.concatenate([curved, at.s / at.p]))
    right = np.concatenate([of_r - curved * of_y, of_s + mu / at.p - at.s]) - both @ (theta * push)
    try:
        solved = _solution(sparse.csr_array(matrix), right, diagonal)
    except linalg.LinAlgError:
        return False
    dy, dp = solved[: len(at.y)], solved[len(at.y) :]
    dx = theta * (both.T @ solved + push)
    dz = mu / at.x - at.z - dx / theta
    ds = mu / at.p - at.s - at.s / at.p * dp
    dr = -curved * (dy + of_y)
    inside = ((at.x, dx), (at.s, ds), (at.p, dp), (at.z, dz), (at.r, dr))
    if not all(np.isfinite(step).all() for _, step in inside):
        return False
    ratio = min(float(np.min(np.where(step < 0, -value / np.minimum(step, -1e-300), np.inf))) for value, step in inside)
    far = min(1.0, 0.995 * ratio)
    at.x, at.s, at.p, at.z, at.r, at.y = (
        at.x + far * dx,
        at.s + far * ds,
        at.p + far * dp,
        at.z + far * dz,
        at.r + far * dr,
        at.y + far * dy,
    )
    return far > 1e-12


def _polished(
    at: Point, rates: sparse.csr_array, rows: sparse.csr_array, most: np.ndarray, weights: np.ndarray
) -> None:
    """Solve the conditions of the optimum for the routes in use and the rows that are full; keep what gets better."""
    on, full = np.flatnonzero(at.x > at.z), np.flatnonzero(at.p > at.s)
    serves, uses = rates[:, on], rows[full][:, on]
    x, p = at.x[on], at.p[full]
    best, least = None, _error(rows, rates, most, weights, at.x, at.p)
    for _ in range(MOST_POLISHING):
        r = serves @ x
        if not (r > 0).all():
            break
        wrong = np.concatenate([uses.T @ p - serves.T @ (weights / r), uses @ x - most[full]])
        bent = serves.T @ sparse.diags_array(weights / r**2) @ serves + FIRM * sparse.eye_array(len(on))
        matrix = sparse.block_array([[bent, uses.T], [uses, -FIRM * sparse.eye_array(len(full))]])
        step = splu(sparse.csc_matrix(matrix)).solve(-wrong)
        x, p = x + step[: len(on)], p + step[len(on) :]
        whole_x, whole_p = np.zeros_like(at.x), np.zeros_like(at.p)
        whole_x[on], whole_p[full] = np.maximum(x, 0.0), np.maximum(p, 0.0)
        error = _error(rows, rates, most, weights, whole_x, whole_p)
        if error < least:
            best, least = (whole_x, whole_p), error
        elif error < 1e-14 or best is None:
            break
    if best is not None:
        at.x, at.p = best


def _error(
    rows: sparse.csr_array, rates: sparse.csr_array, most: np.ndarray, weights: np.ndarray, x: np.ndarray, p: np.ndarray
) -> float:
    """Return by how much flows and prices miss the conditions of the optimum."""
    r, left = rates @ x, most - rows @ x
    if not (r > 0).all():
        return np.inf
    excess = rows.T @ p - rates.T @ (weights / r)
    parts = np.minimum(left, 0.0), np.minimum(excess, 0.0), left * p, excess * x
    return max(float(np.abs(part).max(initial=0.0)) for part in parts)


def _solution(matrix: sparse.csr_array, right: np.ndarray, diagonal: tuple[int, ...]) -> np.ndarray:
    """Solve a positive definite system by Cholesky's method; the first blocks are diagonal when they are reached."""
    if not diagonal:
        return linalg.cho_solve(linalg.cho_factor(matrix.toarray()), right)
    size, *rest = diagonal
    if size == 0:
        return _solution(matrix, right, tuple(rest))
    inverse = 1 / matrix.diagonal()[:size]
    across = matrix[:size, size:]
    scaled = sparse.csr_array((across.T * inverse).T)
    later = _solution(
        sparse.csr_array(matrix[size:, size:] - across.T @ scaled), right[size:] - scaled.T @ right[:size], tuple(rest)
    )
    return np.concatenate([inverse * right[:size] - scaled @ later, later])
