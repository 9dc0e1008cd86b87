"""A few sites with much entanglement: the whole vector, d^n numbers, in place of a train."""

from collections.abc import Sequence

import numpy as np

from qtn.tensors.effort import EACH

MOST = 2**20
"""Largest vector that is written out."""
EACH_OPERATION = 2e-8
"""What one of d^n numbers costs in an operation [s], measured on one x86-64 core."""


def seconds(num_sites: int, d: int, num_operations: int) -> float:
    """Return how long operations on the vector take, and to make a train of it; inf where it does not fit."""
    if num_sites > np.log(MOST) / np.log(d):
        return np.inf
    half = float(d) ** (num_sites / 2)
    return num_operations * EACH_OPERATION * half**2 + 8 * EACH * (d * half) ** 3


def vector_of(sites: Sequence[np.ndarray]) -> np.ndarray:
    """Return the vector (d, ..., d) of a train whose outer bonds are 1."""
    found = sites[0]
    for site in sites[1:]:
        found = np.tensordot(found, site, 1)
    return found[0, ..., 0]


def applied(vector: np.ndarray, matrix: np.ndarray, first: int, second: int) -> np.ndarray:
    """Apply a matrix (d d, d d) to two sites of a vector."""
    d = vector.shape[0]
    moved = np.tensordot(matrix.reshape(d, d, d, d), vector, ([2, 3], [first, second]))
    return np.moveaxis(moved, (0, 1), (first, second))


def sites_of(vector: np.ndarray) -> list[np.ndarray]:
    """Return a train without loss, all sites but the last isometries."""
    d, rest, sites = vector.shape[0], vector.reshape(1, -1), []
    for _ in range(vector.ndim - 1):
        rows = len(rest) * d
        rest = rest.reshape(rows, -1)
        q = np.eye(rows, dtype=rest.dtype)
        if rows > rest.shape[1]:
            q, rest = np.linalg.qr(rest)
        sites.append(q.reshape(-1, d, q.shape[1]))
    return [*sites, rest.reshape(-1, d, 1)]
