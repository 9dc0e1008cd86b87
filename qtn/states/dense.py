"""Dense states: slow, small and obvious; the oracle inside the library."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.states.basis import from_pauli_vector
from qtn.states.trains import MPDO, MPS, TrainState, from_density_matrix
from qtn.tensors.contract import doubled, reduce_to
from qtn.tensors.split import Truncation, truncation
from qtn.tensors.train import from_dense, to_dense

MAX_DENSE_SITES = 12
"""A density matrix of 12 qubits takes 268 MB."""


@pytree
class DensityMatrix:
    """A density matrix of a few qubits, first qubit slowest."""

    matrix: Complex[Array, "N N"]

    @property
    def num_sites(self) -> int:
        """Number of qubits."""
        return int(np.log2(self.matrix.shape[0]))


def density_matrix(matrix: Any) -> DensityMatrix:
    """Build a checked density matrix: Hermitian, non-negative, trace 1."""
    _checks.require_double_precision()
    matrix = jnp.asarray(matrix, dtype=complex)
    n = matrix.shape[0].bit_length() - 1
    if matrix.ndim != 2 or matrix.shape != (2**n, 2**n):
        raise ValueError(f"Argument `matrix` must have shape (2^n, 2^n), but has {matrix.shape}.")
    concrete = _checks.known(matrix)
    if concrete is not None:
        if not np.allclose(concrete, concrete.conj().T, atol=1e-9):
            raise ValueError("Argument `matrix` must be Hermitian, but is not.")
        if abs(np.trace(concrete) - 1) > 1e-9:
            raise ValueError(f"Argument `matrix` must have trace 1, but has {np.trace(concrete).real:.12g}.")
        if np.linalg.eigvalsh(concrete)[0] < -1e-9:
            raise ValueError(
                f"Argument `matrix` must be non-negative, but has the eigenvalue {np.linalg.eigvalsh(concrete)[0]:.3g}."
            )
    return DensityMatrix(matrix=matrix)


def reduced(state: TrainState, sites: Sequence[int]) -> DensityMatrix:
    """Return the (unnormalised) state of `sites`, in that order, all others traced out.

    Args:
        state: any train state.
        sites: static, distinct, at most 12.

    Note:
        Exact and differentiable. Its trace is the weight of the whole state.
    """
    if len(sites) > MAX_DENSE_SITES:
        raise ValueError(f"Argument `sites` must name at most {MAX_DENSE_SITES} sites, but names {len(sites)}.")
    if isinstance(state, MPS):
        return DensityMatrix(matrix=doubled(state.train, sites))
    trace = jnp.zeros((state.num_sites, 4)).at[:, 0].set(1.0)
    return DensityMatrix(matrix=from_pauli_vector(reduce_to(state.train, sites, trace)))


def dense(state: TrainState) -> DensityMatrix:
    """Return the whole state as a density matrix (at most 12 qubits)."""
    if state.num_sites > MAX_DENSE_SITES:
        raise ValueError(f"Argument `state` must have at most {MAX_DENSE_SITES} sites, but has {state.num_sites}.")
    if isinstance(state, MPS):
        vector = to_dense(state.train).reshape(-1)
        return DensityMatrix(matrix=jnp.outer(vector, jnp.conj(vector)))
    return DensityMatrix(matrix=from_pauli_vector(to_dense(state.train)))


def amplitudes(state: MPS) -> Complex[Array, "N"]:
    """Return all 2^n amplitudes, first qubit slowest."""
    return to_dense(state.train).reshape(-1)


def from_amplitudes(vector: Any, rule: Truncation | int = 4096) -> MPS:
    """Return a state vector (2^n,) as an `MPS`."""
    _checks.require_double_precision()
    vector = jnp.asarray(vector, dtype=complex)
    n = vector.shape[0].bit_length() - 1
    if vector.shape != (2**n,):
        raise ValueError(f"Argument `vector` must have 2^n entries, but has shape {vector.shape}.")
    rule = truncation(rule) if isinstance(rule, int) else rule
    return MPS(train=from_dense(vector.reshape((2,) * n), rule)[0])


def to_train(state: DensityMatrix, rule: Truncation | int = 4096) -> MPDO:
    """Return a dense state as an `MPDO`."""
    return from_density_matrix(state.matrix, rule)


def log_negativity(state: DensityMatrix, left: Sequence[int]) -> Float[Array, ""]:
    """Return log2 ||rho^(T_left)||_1 of the normalised state [ebit].

    Args:
        state: use `reduced` for a few sites of a long train.
        left: the sites that are transposed, static.

    Note:
        Exact; differentiable away from zero eigenvalues of the partial transpose (there the one-sided mean).

    References:
        Vidal and Werner 2002, arXiv:quant-ph/0102117, eq. 1.
    """
    n = state.num_sites
    tensor = state.matrix.reshape((2,) * (2 * n))
    order = [n + k if k in left else k for k in range(n)] + [k if k in left else n + k for k in range(n)]
    moved = jnp.transpose(tensor, order).reshape(state.matrix.shape)
    return jnp.log2(jnp.sum(jnp.abs(jnp.linalg.eigvalsh(moved))) / jnp.real(jnp.trace(state.matrix)))
