"""Local operations on a train: apply, measure in the middle, post-select, dephase, reset, reorder.

Everything here touches only the sites it names; nothing is truncated unless a bond is given.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from qtn import _checks
from qtn._array import Array
from qtn.states.basis import TRACE
from qtn.states.trains import MPDO, MPS, TrainState, to_mixed, weight
from qtn.tensors.contract import apply_operator
from qtn.tensors.execute import run_operations
from qtn.tensors.program import Operation
from qtn.tensors.split import truncation
from qtn.tensors.train import apply_each, check_site, widen

AXES = {"X": 1, "Y": 2, "Z": 3}
EIGENVECTORS = {
    "Z": np.eye(2, dtype=complex),
    "X": np.array([[1, 1], [1, -1]]) / np.sqrt(2),
    "Y": np.array([[1, 1j], [1, -1j]]) / np.sqrt(2),
}
"""Rows: eigenvectors of the outcomes 0 (+1) and 1 (-1)."""


def apply_local(state: TrainState, site: int, matrix: Any) -> TrainState:
    """Apply one matrix to one site: (2, 2) for an `MPS`, a Pauli transfer matrix (4, 4) for an `MPDO`."""
    place = check_site(site, state.num_sites)
    matrix = jnp.asarray(matrix, dtype=state.train.dtype)
    if matrix.shape != (state.train.shape[2],) * 2:
        raise ValueError(
            f"Argument `matrix` must have shape {(state.train.shape[2],) * 2} for this state, but has {matrix.shape}."
        )
    return type(state)(train=state.train.at[place].set(jnp.einsum("ij,ajb->aib", matrix, state.train[place])))


def apply_mpo(state: TrainState, operator: Any, first: int = 0) -> TrainState:
    """Apply a k-site operator given as a train to sites `first`, ..., `first` + k - 1, exactly.

    Args:
        state: any train state.
        operator: (k, w, d, d, w), legs (left, out, in, right), d = 2 for an `MPS`, 4 (transfer matrices) for an
            `MPDO`, such as `CorrelatedDephasing.mpo()`; the outer bonds use index 0.
        first: static.

    Returns:
        state: bonds between the sites are multiplied by w; `compress` it to go back.
    """
    tensors = jnp.asarray(operator, dtype=state.train.dtype)
    n, chi, d = state.train.shape[:3]
    if tensors.ndim != 5 or tensors.shape[2:4] != (d, d):
        raise ValueError(f"Argument `operator` must have shape (k, w, {d}, {d}, w), but has {tensors.shape}.")
    last = first + len(tensors) - 1
    check_site(first, n)
    if last >= n:
        raise ValueError(f"Argument `operator` acts on sites {first}..{last}, but sites are 0..{n - 1}.")
    bond = chi * tensors.shape[1]
    inside = apply_operator(tensors, state.train[first : last + 1])
    return type(state)(
        train=jnp.concatenate([widen(state.train[:first], bond), inside, widen(state.train[last + 1 :], bond)])
    )


def apply_each_site(state: TrainState, matrices: Any) -> TrainState:
    """Apply one matrix per site, or one for all."""
    return type(state)(train=apply_each(state.train, jnp.asarray(matrices, dtype=state.train.dtype)))


def _axis(axis: str) -> int:
    if axis not in AXES:
        raise ValueError(f"Argument `axis` must be X, Y or Z, but is {axis!r}.")
    return AXES[axis]


def outcome_row(outcome: Any, axis: str = "Z", readout: Any = 1.0) -> Float[Array, "4"]:
    """Return the row vector of an outcome (0 or 1) in the Pauli basis: readout |o><o| + (1 - readout) |1-o><1-o|."""
    row = jnp.zeros(4).at[0].set(0.5)
    return row.at[_axis(axis)].set(
        (1 - 2 * jnp.asarray(outcome)) * (2 * _checks.probability("readout", readout) - 1) / 2
    )


def post_select(state: TrainState, site: int, outcome: int, *, axis: str = "Z") -> tuple[TrainState, Float[Array, ""]]:
    """Project `site` on an outcome and keep it.

    Returns:
        state: normalised; where the probability is 0 the unnormalised zero.
        probability: of the outcome, given `state`.
    """
    _axis(axis)
    if outcome not in (0, 1):
        raise ValueError(f"Argument `outcome` must be 0 or 1, but is {outcome!r}.")
    vector = EIGENVECTORS[axis][outcome]
    projector = np.outer(vector, vector.conj())
    if isinstance(state, MPS):
        after = apply_local(state, site, projector)
    else:
        signs = np.real(np.eye(4)[0]) / 2, np.eye(4)[AXES[axis]] * (1 - 2 * outcome) / 2
        row = signs[0] + signs[1]
        after = apply_local(state, site, 2 * np.outer(row, row))
    kept = weight(after)
    probability = kept / weight(state)
    norm = jnp.sqrt(kept) if isinstance(state, MPS) else kept
    factor = jnp.where(kept > 0, 1 / jnp.where(kept > 0, norm, 1.0), 0.0)
    return type(state)(train=after.train.at[0].multiply(factor)), probability


def measure(state: TrainState, site: int, *, axis: str = "Z", key: Array) -> tuple[TrainState, Int[Array, ""], Array]:
    """Measure `site` in the middle of a computation and keep it.

    Returns:
        state: normalised, after the outcome.
        outcome: 0 or 1.
        probability: of that outcome.
    """
    options = [post_select(state, site, outcome, axis=axis) for outcome in (0, 1)]
    outcome = (jax.random.uniform(key) >= options[0][1]).astype(int)
    after, probability = jax.tree.map(lambda a, b: jnp.where(outcome == 0, a, b), *options)
    return after, outcome, probability


def dephase(state: TrainState, site: int, *, axis: str = "Z") -> MPDO:
    """Measure `site` and forget the outcome: the site keeps it as a classical bit."""
    return apply_local(to_mixed(state), site, np.diag(TRACE + np.eye(4)[_axis(axis)]))  # pyright: ignore


def reset(state: TrainState, site: int) -> MPDO:
    """Replace `site` by |0>."""
    return apply_local(to_mixed(state), site, np.outer([1.0, 0, 0, 1.0], TRACE))  # pyright: ignore


def permute(state: TrainState, order: Sequence[int], max_bond: int | None = None) -> TrainState:
    """Reorder the qubits: new site k is old site order[k].

    Args:
        state: any train state.
        order: static, a permutation of all sites.
        max_bond: refuse to be exact above this bond and truncate instead; by default exact.

    Note:
        Runs a network of SWAP gates between neighbours through the circuit engine.
    """
    if sorted(order) != list(range(state.num_sites)):
        raise ValueError(f"Argument `order` must name each of {state.num_sites} sites once, but is {list(order)}.")
    position, swaps = list(order), []
    for _ in range(len(position)):
        for start in (0, 1):
            for k in range(start, len(position) - 1, 2):
                if position[k] > position[k + 1]:
                    position[k], position[k + 1] = position[k + 1], position[k]
                    swaps.append((k, k + 1))
    operations = [Operation((a, b), 0) for a, b in reversed(swaps)]
    d = state.train.shape[2]
    swap = jnp.eye(d * d).reshape(d, d, d, d).transpose(1, 0, 2, 3).reshape(1, d * d, d * d)
    dtype = state.train.dtype
    out = run_operations(
        state.train, operations, jnp.zeros((0, d, d), dtype), swap.astype(dtype), truncation(max_bond or 2**30)
    )
    return type(state)(train=out.train)
