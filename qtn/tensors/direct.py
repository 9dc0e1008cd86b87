"""Run a program whose numbers are known, operation by operation, in NumPy: nothing is compiled, bonds fit.

The train has one centre: all sites left of it are isometries on one side, all right of it on the other. An operation
on two sites, neighbours or not, is an operator of small bond (its operator-Schmidt rank r, 2 for CX and all controlled
phases): it multiplies the bonds between them by r, from one end to the other, each site made an isometry on the way;
on the way back every bond is cut to what the rule keeps, which is optimal because the centre is there.

    bond b  ->  b r  ->  rank of what is there,       r QR and r SVD of sites between the two, and none elsewhere
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import scipy.linalg

from qtn import _budget
from qtn.tensors import dense
from qtn.tensors.effort import Reached, Work, travel, work
from qtn.tensors.joined import Joined, joined_operations, near_each_other, schmidt_factors
from qtn.tensors.program import Operation
from qtn.tensors.split import Truncation
from qtn.tensors.subspace import ZERO
from qtn.tensors.sweep import CutInfo

WORTH_TELLING = 1e-14
"""Fraction of the weight below which what operations discard is told together, not one by one."""


class Direct(NamedTuple):
    """A train after a program, and what was cut: a row for each operation that lost something."""

    train: Any
    cuts: CutInfo
    weight: Any


def run_direct(
    train: Any,
    operations: Sequence[Operation],
    ones: Any,
    twos: Any,
    rule: Truncation,
    watch: Callable[[Work, Reached], None] | None = None,
) -> Direct:
    """Apply operations in time order.

    Args:
        train: (n, chi, d, chi).
        operations: which matrix acts where.
        ones: (k, d, d), one-site matrices.
        twos: (m, d d, d d), two-site matrices.
        rule: what is kept of each bond.
        watch: sees what the program asks for and where it stands, before and after each operation; may raise.

    Raises:
        ValueError: if the train does not fit into memory at the bond that is reached, with the number.
    """
    train, ones, twos = (np.asarray(each) for each in (train, ones, twos))
    dtype = np.result_type(train, ones, twos)
    joined, before, d = joined_operations(operations, ones, twos, train.shape[0])
    state = _Train([site.astype(dtype) for site in train], rule)
    for site, matrix in before.items():
        state.one(site, matrix)
    state.make_canonical()
    left = _run(state, near_each_other(joined), d, watch)
    if left:
        state.through_vector(left)
    return state.result()


def _run(state: "_Train", joined: list[Joined], d: int, watch: Callable[[Work, Reached], None] | None) -> list[Joined]:
    """Apply operations; return those that are left where going on with the whole vector is faster."""
    known: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}
    for each in joined:
        key = each.matrix[0].tobytes()
        if key not in known:
            known[key] = schmidt_factors(each.matrix[0], d)
    factors = [known[each.matrix[0].tobytes()] for each in joined]
    num_sites, total = len(state.sites), len(joined)
    asked = work(num_sites, d, [(at.first, at.second, len(own[0])) for at, own in zip(joined, factors, strict=True)])
    left, bond = travel([(each.first, each.second) for each in joined]), 1
    for done, (each, own) in enumerate(zip(joined, factors, strict=True)):
        if asked.seconds(left[done], bond) > dense.seconds(num_sites, d, total - done):
            return joined[done:]
        if watch is not None:
            watch(asked, Reached(done, total, left[done], bond, math.exp(state.log_kept)))
        state.two(each.first, each.second, *own)
        bond = max(state.sites[site].shape[2] for site in range(each.first, each.second))
    return []


class _Train:
    """A train with a centre; bonds are as wide as needed."""

    def __init__(self, sites: list[np.ndarray], rule: Truncation) -> None:
        self.sites = sites
        self.sites[0], self.sites[-1] = sites[0][:1], self.sites[-1][..., :1]
        self.centre = 0
        self.max_bond, self.relative, self.absolute = rule.max_bond, float(rule.relative), float(rule.absolute)
        self.rows: list[tuple[dict[int, float], float]] = []
        self.small: dict[int, float] = {}
        self.flags: dict[int, tuple[bool, bool]] = {}
        self.log_kept = 0.0

    def one(self, site: int, matrix: np.ndarray) -> None:
        """Apply a matrix to one site."""
        self.sites[site] = np.matmul(matrix, self.sites[site])

    def make_canonical(self) -> None:
        """Bring the centre to site 0, all others to isometries, without loss."""
        self.centre = len(self.sites) - 1
        for site in range(len(self.sites) - 1):
            self._pass(site, site + 1)
        self.move(0)

    def move(self, to: int) -> None:
        """Move the centre to a site."""
        while self.centre != to:
            after = self.centre + (1 if to > self.centre else -1)
            self._pass(self.centre, after)
            self.centre = after

    def _pass(self, site: int, to: int) -> None:
        """Make a site an isometry, the rest of it going to its neighbour."""
        forward = to > site
        here = _seen(self.sites[site], forward)
        q, rest = np.linalg.qr(here.reshape(-1, here.shape[2]))
        self.sites[site] = _seen(q.reshape(*here.shape[:2], -1), forward)
        there = _seen(self.sites[to], forward)
        self.sites[to] = _seen(np.tensordot(rest, there, 1), forward)

    def two(self, first: int, second: int, lefts: np.ndarray, rights: np.ndarray) -> None:
        """Apply sum_k L_k x R_k, then cut the bonds between the two sites."""
        forward = abs(self.centre - first) <= abs(self.centre - second)
        path = list(range(first, second + 1)) if forward else list(range(second, first - 1, -1))
        near, far = (lefts, rights) if forward else (rights, lefts)
        self.move(path[0])
        here = _seen(self.sites[path[0]], forward)
        grown = np.einsum("kij,ajb->aibk", near, here)
        for place, site in enumerate(path[:-1]):
            a, d, b, rank = grown.shape
            q, rest = np.linalg.qr(grown.reshape(a * d, b * rank))
            self.sites[site] = _seen(q.reshape(a, d, -1), forward)
            rest = rest.reshape(-1, b, rank)
            there = _seen(self.sites[path[place + 1]], forward)
            if place + 2 < len(path):
                grown = np.tensordot(rest, there, ([1], [0])).transpose(0, 2, 3, 1)
            else:
                turned = np.tensordot(far, there, ([2], [1]))  # k i b c
                self.sites[path[-1]] = _seen(np.tensordot(rest, turned, ([1, 2], [2, 0])), forward)
        self.centre = path[-1]
        self._cut(path[::-1], not forward)

    def _cut(self, path: list[int], forward: bool) -> None:
        """Cut the bonds along a path that starts at the centre, which goes to its end."""
        lost: dict[int, float] = {}
        for site, to in pairwise(path):
            here = _seen(self.sites[site], forward)
            u, s, vh = _svd(here.reshape(-1, here.shape[2]))
            kept = max(min(int(np.sum(s > max(self.relative * s[0], self.absolute))), self.max_bond), 1)
            bond = min(site, to)
            if kept < len(s):
                lost[bond] = float(np.sum(s[kept:] ** 2))
                zero = ZERO * s[0]
                capped = kept == self.max_bond and s[kept] > max(zero, self.relative * s[0], self.absolute)
                if capped:
                    old = self.flags.get(bond, (False, False))
                    self.flags[bond] = True, old[1] or bool(s[kept - 1] - s[kept] <= zero)
            self.sites[site] = _seen(u[:, :kept].reshape(*here.shape[:2], -1), forward)
            there = _seen(self.sites[to], forward)
            self.sites[to] = _seen(np.tensordot(s[:kept, None] * vh[:kept], there, 1), forward)
        self.centre = path[-1]
        self._note(lost)

    def _note(self, lost: dict[int, float]) -> None:
        """Remember what an operation has lost."""
        if not lost:
            return
        weight = self.weight()
        self.log_kept += math.log(weight / (weight + sum(lost.values()))) if weight > 0 else 0.0
        if sum(lost.values()) > WORTH_TELLING * weight:
            self.rows.append((lost, weight))
        else:
            for bond, each in lost.items():
                self.small[bond] = self.small.get(bond, 0.0) + each

    def through_vector(self, joined: list[Joined]) -> None:
        """Apply operations to the whole vector, and cut its train once."""
        vector = dense.vector_of(self.sites)
        for each in joined:
            vector = dense.applied(vector, each.matrix[0], each.first, each.second)
        self.sites, self.centre = dense.sites_of(vector), len(self.sites) - 1
        self._cut(list(range(len(self.sites)))[::-1], False)

    def weight(self) -> float:
        """Return the sum of the squares of all amplitudes."""
        return float(np.linalg.norm(self.sites[self.centre]) ** 2)

    def result(self) -> Direct:
        """Return the train, padded to one bond, and what was cut."""
        n, bond = len(self.sites), _padded(max(site.shape[0] for site in self.sites), self.max_bond)
        d, dtype = self.sites[0].shape[1], self.sites[0].dtype
        if said := _budget.excess_bytes(n * bond**2 * d * dtype.itemsize, "lower `max_bond`"):
            raise ValueError(f"A train of {n:,} sites with a bond of {bond:,} {said}.")
        train = np.zeros((n, bond, d, bond), dtype)
        for place, site in enumerate(self.sites):
            train[place, : site.shape[0], :, : site.shape[2]] = site
        rows = [*self.rows, *([(self.small, self.weight())] if self.small else [])]
        shape = len(rows), n - 1
        discarded, flags = np.zeros(shape), np.zeros((2, *shape), bool)
        for row, (lost, _) in enumerate(rows):
            for place, each in lost.items():
                discarded[row, place] = each
                flags[:, row, place] = self.flags.get(place, (False, False))
        rank = np.broadcast_to([site.shape[2] for site in self.sites[:-1]], shape).astype(int)
        none = jnp.zeros(shape, bool)
        cuts = CutInfo(jnp.asarray(discarded), jnp.asarray(rank), jnp.asarray(flags[0]), jnp.asarray(flags[1]), none)
        return Direct(jnp.asarray(train), cuts, jnp.asarray([weight for _, weight in rows], dtype=float))


def _seen(site: np.ndarray, forward: bool) -> np.ndarray:
    """Return a site with the bond that is met first in front."""
    return site if forward else site.transpose(2, 1, 0)


def _svd(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the singular value decomposition; where the fast algorithm fails, by the other one."""
    try:
        return np.linalg.svd(matrix, full_matrices=False)
    except np.linalg.LinAlgError:
        return scipy.linalg.svd(matrix, full_matrices=False, lapack_driver="gesvd")


def _padded(bond: int, most: int) -> int:
    """Return the next of 1, 2, 3, 4, 6, 8, 12, ...: few shapes for what is compiled afterwards."""
    sizes = sorted({step * 2**k for k in range(40) for step in (1, 3)} | {1, 2})
    return min(next(size for size in sizes if size >= bond), max(most, bond))
