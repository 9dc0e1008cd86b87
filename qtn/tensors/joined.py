"""Operations whose numbers are known: multiplied where nothing is in between, in an order of short ways."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from qtn.tensors.effort import travel
from qtn.tensors.program import Operation

WORTH_REORDERING = 0.5
"""Operations change their order where less than this fraction of the way is left."""


class Joined(NamedTuple):
    """Operations on the same two sites with nothing in between: first < second."""

    first: int
    second: int
    matrix: list[np.ndarray]


def joined_operations(
    operations: Sequence[Operation], ones: np.ndarray, twos: np.ndarray, num_sites: int
) -> tuple[list[Joined], dict[int, np.ndarray], int]:
    """Multiply what acts on the same two sites; return that, and what acts on single sites before all of it."""
    d = ones.shape[-1]
    eye = np.eye(d)
    last: dict[int, Joined] = {}
    before: dict[int, np.ndarray] = {}
    found: list[Joined] = []
    for op in operations:
        if len(op.sites) == 1:
            (site,), matrix = op.sites, ones[op.index]
            if site in last:
                slot = last[site]
                lifted = np.kron(matrix, eye) if site == slot.first else np.kron(eye, matrix)
                slot.matrix[0] = lifted @ slot.matrix[0]
            else:
                before[site] = matrix @ before.get(site, eye)
            continue
        first, second = sorted(op.sites)
        matrix = twos[op.index]
        if op.sites[0] > op.sites[1]:
            matrix = matrix.reshape(d, d, d, d).transpose(1, 0, 3, 2).reshape(d * d, d * d)
        here = last.get(first)
        if here is not None and here is last.get(second) and (here.first, here.second) == (first, second):
            here.matrix[0] = matrix @ here.matrix[0]
        else:
            slot = Joined(first, second, [matrix])
            found.append(slot)
            last[first] = last[second] = slot
    return found, before, d


def near_each_other(joined: list[Joined]) -> list[Joined]:
    """Return operations in another order, where the centre then travels far less: layer by layer, to and fro."""
    last: dict[int, int] = {}
    keys = []
    for each in joined:
        layer = 1 + max(last.get(each.first, 0), last.get(each.second, 0))
        last[each.first] = last[each.second] = layer
        keys.append((layer, each.first if layer % 2 else -each.first))
    layered = [joined[place] for place in sorted(range(len(joined)), key=keys.__getitem__)]
    plain, other = (travel([(each.first, each.second) for each in order])[0] for order in (joined, layered))
    return layered if other < WORTH_REORDERING * plain else joined


def schmidt_factors(matrix: np.ndarray, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Return L (r, d, d) and R (r, d, d) with sum_k L_k x R_k = matrix."""
    grouped = matrix.reshape(d, d, d, d).transpose(0, 2, 1, 3).reshape(d * d, d * d)
    u, s, vh = np.linalg.svd(grouped)
    rank = max(int(np.sum(s > 1e-15 * s[0])), 1)
    root = np.sqrt(s[:rank])
    return (u[:, :rank] * root).T.reshape(rank, d, d), (root[:, None] * vh[:rank]).reshape(rank, d, d)
