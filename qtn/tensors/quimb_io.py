"""To and from quimb: matrix product states, operators and density trains. The only importer of quimb and cotengra.

quimb is the eager oracle, has the operator algebra and draws networks; inside jitted code use this package. Orders of
contraction come from cotengra, its path finder.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
import quimb.tensor as qtensor

from qtn import _checks
from qtn._array import Array
from qtn.tensors.train import Train, from_sites


def _ragged(train: np.ndarray) -> list[np.ndarray]:
    """Cut the boundary bonds of a padded train to what they are."""
    sites = list(np.asarray(train))
    sites[0] = sites[0][:1]
    sites[-1] = sites[-1][..., :1]
    return sites


def train_to_quimb(train: Train) -> "qtensor.MatrixProductState":
    """Return a state vector train (any physical dimension) as a quimb MPS with indices k0, k1, ..."""
    sites = _ragged(np.asarray(train))
    arrays = [np.transpose(site, (0, 2, 1)) for site in sites]  # quimb: left, right, physical
    arrays[0] = arrays[0][0]
    arrays[-1] = arrays[-1][:, 0] if len(arrays) > 1 else arrays[-1][0]
    return qtensor.MatrixProductState(arrays, shape="lrp")


def train_from_quimb(state: "qtensor.MatrixProductState") -> Train:
    """Return a quimb MPS (open boundary) as a padded train."""
    _checks.require_double_precision()
    state = state.copy()
    state.permute_arrays("lrp")
    arrays = [np.asarray(array) for array in state.arrays]
    if len(arrays) == 1:
        return from_sites([arrays[0].reshape(1, -1, 1)])
    first, *inner, last = arrays
    sites = [first[None], *inner, last[:, None]]
    return from_sites([np.transpose(site, (0, 2, 1)) for site in sites])


def operator_to_quimb(operator: Any) -> "qtensor.MatrixProductOperator":
    """Return an operator train (n, w, d, d, w), legs (left, out, in, right), as a quimb MPO."""
    sites = list(np.asarray(operator))
    arrays = [np.transpose(site, (0, 3, 1, 2)) for site in sites]  # left, right, up (out), down (in)
    arrays[0] = arrays[0][0]
    arrays[-1] = arrays[-1][:, 0]
    return qtensor.MatrixProductOperator(arrays, shape="lrud")


def operator_from_quimb(operator: "qtensor.MatrixProductOperator") -> Array:
    """Return a quimb MPO (open boundary) as an operator train (n, w, d, d, w)."""
    _checks.require_double_precision()
    operator = operator.copy()
    operator.permute_arrays("lrud")
    first, *inner, last = [np.asarray(array) for array in operator.arrays]
    sites = [first[None], *inner, last[:, None]]
    d = sites[0].shape[2]
    merged = [np.transpose(s, (0, 2, 3, 1)).reshape(s.shape[0], d * d, s.shape[1]) for s in sites]
    train = from_sites(merged)
    return jnp.asarray(train).reshape(train.shape[0], train.shape[1], d, d, train.shape[3])


def contraction_path(
    inputs: Sequence[Sequence[str]], output: Sequence[str], sizes: Mapping[str, int]
) -> list[tuple[int, int]]:
    """Return a cheap order of contraction: positions of two tensors in the growing list; the search is deterministic.

    Random greedy orders, the best of which is improved part by part.
    """
    import cotengra

    if len(inputs) == 1:
        return []
    options: dict[str, Any] = {"max_repeats": 32, "seed": 0, "accel": False, "parallel": False}
    tree = cotengra.RandomGreedyOptimizer(**options).search(inputs, output, dict(sizes))
    for parent, _, _ in tree.traverse():  # from the leaves: cotengra would recurse as deep as the tree
        tree.get_legs(parent)
    tree.subtree_reconfigure_(seed=0, maxiter=100)
    tree.reorder_for_peak_size()
    return [(first, second) for first, second in tree.get_ssa_path()]
