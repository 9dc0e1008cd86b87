"""Bond on demand: run a program in segments of sweeps, and rerun those that discard more than their share."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from qtn._array import Array
from qtn.tensors.execute import Executed, begin, finish, make_canonical, run_operations
from qtn.tensors.program import Operation, edge_bonds, lossy_kinds, plan
from qtn.tensors.split import Truncation
from qtn.tensors.sweep import CUT, IDLE, CutInfo, Layers, lossy_sweeps


class Segment(NamedTuple):
    """What became of one segment."""

    bond: int
    """Padding of the run that was accepted."""
    lost: float
    """-log of the fraction of the squared 2-norm that it kept."""
    share: float
    """What it was allowed to lose."""
    reruns: int
    """Runs that were thrown away."""


def run_segments(
    train: Array,
    operations: Sequence[Operation],
    ones: Array,
    twos: Array,
    rule: Truncation,
    *,
    start_bond: int,
    budget: float,
    length: int,
) -> tuple[Executed, list[Segment]]:
    """Run a program whose cuts may lose `budget` in all.

    Args:
        train: (n, chi, d, chi).
        operations: as in `run_operations`.
        ones: one-site matrices.
        twos: two-site matrices.
        rule: `rule.max_bond` is the last resort; its thresholds decide what is not worth keeping at any bond.
        start_bond: exact below it, and the first bond that is tried.
        budget: largest sum over segments of -log of the kept fraction.
        length: sweeps a segment.

    Returns:
        executed: as from `run_operations`.
        segments: of the lossy sweeps, in order.
    """
    n, chi, d = train.shape[:3]
    arranged = plan(n, d, operations, min(start_bond, rule.max_bond), [chi] * (n - 1))
    num_exact, num_sweeps = arranged.num_exact, len(arranged.ranks)
    if n == 1 or num_exact == num_sweeps:
        return run_operations(train, operations, ones, twos, replace(rule, max_bond=max(start_bond, chi))), []
    sizes = _sizes(start_bond, rule.max_bond)
    train, layers, after = begin(train, ones, twos, arranged[2:], num_exact, arranged.exact_bond)
    size = _fitting(sizes, train.shape[1])
    train = make_canonical(train, size)
    bonds, found, segments = np.full(n - 1, size), [], []
    firsts = range(num_exact, num_sweeps, length)
    before = float(jnp.sum(jnp.abs(train[0]) ** 2))
    for number, first in enumerate(firsts):
        share = max(budget - sum(segment.lost for segment in segments), 0.0) / (len(firsts) - number)
        end, reruns = min(first + length, num_sweeps), 0
        while True:
            kinds = lossy_kinds(arranged.ranks[first:end], d, size)
            out, cuts, weight = _run_segment(train, layers, first, end - first, kinds, replace(rule, max_bond=size))
            lost = _lost(before, cuts, weight)
            if lost <= share or size == sizes[-1]:
                break
            size, reruns = sizes[sizes.index(size) + 1], reruns + 1
        segments.append(Segment(size, lost, share, reruns))
        train, before = out, float(weight[-1])
        found.append((cuts, weight))
        for kind, rank in zip(kinds, np.asarray(cuts.rank), strict=True):
            ends = np.minimum(edge_bonds(n - 1, d), size)
            bonds = np.select([kind == IDLE, kind == CUT], [np.minimum(bonds, size), rank], ends)[::-1]
        size = _fitting(sizes, int(bonds.max()))
    return finish(train, after, found, num_sweeps, num_exact), segments


def _sizes(start_bond: int, max_bond: int) -> list[int]:
    """Return the bonds to try: start_bond times 1, 1.5, 2, 3, 4, ... up to max_bond."""
    ladder = dict.fromkeys([start_bond] + [start_bond * 2**k * step // 2 for k in range(40) for step in (3, 4)])
    return [bond for bond in ladder if bond < max_bond] + [max_bond]


def _fitting(sizes: list[int], bond: int) -> int:
    """Return the smallest size that holds `bond`, or the last."""
    return next((size for size in sizes if size >= bond), sizes[-1])


def _lost(before: float, cuts: CutInfo, weight: Array) -> float:
    """Return -log of the fraction of the squared 2-norm that survives the cuts."""
    dropped, after = np.asarray(jnp.sum(cuts.discarded_weight, axis=1)), np.asarray(weight)
    if before == 0.0:
        return 0.0
    return float(-np.sum(np.log1p(-dropped / np.maximum(after + dropped, np.finfo(float).tiny))))


@partial(jax.jit, static_argnames="length")
def _run_segment(
    train: Array, layers: Layers, first: Any, length: int, kinds: Any, rule: Truncation
) -> tuple[Array, CutInfo, Array]:
    """Run some lossy sweeps at one bond."""
    here = Layers(*(jax.lax.dynamic_slice_in_dim(field, first, length) for field in layers))._replace(kinds=kinds)
    return lossy_sweeps(train, here, rule)
