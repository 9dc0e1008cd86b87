"""The two train states: `MPS` (pure, complex amplitudes) and `MPDO` (mixed, real Pauli coefficients).

|psi> = sum_i A1[i1] ... An[in] |i1..in>                 d = 2, complex
rho   = 2^-n sum_a R1[a1] ... Rn[an] P_a1 x ... x P_an   d = 4, real, order I, X, Y, Z
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.states.basis import PAULI_MATRICES, TRACE, pauli_vector
from qtn.tensors import train as tt
from qtn.tensors.contract import evaluate, overlap
from qtn.tensors.split import SplitInfo, Truncation, truncation


@pytree
class MPS:
    """A pure state of n qubits; need not be normalised (`weight` is its norm squared)."""

    train: Complex[Array, "n chi 2 chi"]

    @property
    def num_sites(self) -> int:
        """Number of qubits."""
        return self.train.shape[0]

    @property
    def bond(self) -> int:
        """Padded bond dimension."""
        return self.train.shape[1]


@pytree
class MPDO:
    """A mixed state of n qubits in the Pauli basis; need not be normalised (`weight` is its trace)."""

    train: Float[Array, "n chi 4 chi"]

    @property
    def num_sites(self) -> int:
        """Number of qubits."""
        return self.train.shape[0]

    @property
    def bond(self) -> int:
        """Padded bond dimension."""
        return self.train.shape[1]


TrainState = MPS | MPDO


def mps(sites: Sequence[Any]) -> MPS:
    """Build a pure state from one tensor (left, 2, right) per qubit, ends of bond 1."""
    _checks.require_double_precision()
    train = tt.from_sites([jnp.asarray(site, dtype=complex) for site in sites])
    _require_dimension(train, 2)
    return MPS(train=train)


def mpdo(sites: Sequence[Any]) -> MPDO:
    """Build a mixed state from one real tensor (left, 4, right) per qubit, ends of bond 1."""
    _checks.require_double_precision()
    train = tt.from_sites([_checks.real(site) for site in sites])
    _require_dimension(train, 4)
    return MPDO(train=train)


def _require_dimension(train: Array, d: int) -> None:
    if train.shape[2] != d:
        raise ValueError(f"Argument `sites` must have physical dimension {d}, but has {train.shape[2]}.")


def product_state(vectors: Any) -> MPS:
    """Return the product of one normalised amplitude vector per qubit, (n, 2)."""
    _checks.require_double_precision()
    vectors = jnp.asarray(vectors, dtype=complex)
    if vectors.ndim != 2 or vectors.shape[1] != 2 or vectors.shape[0] < 1:
        raise ValueError(f"Argument `vectors` must have shape (n, 2), but has {vectors.shape}.")
    return MPS(train=tt.product(vectors))


def zeros(num_sites: int) -> MPS:
    """Return |0...0>."""
    return product_state(jnp.tile(jnp.array([1.0, 0.0]), (require_count("num_sites", num_sites), 1)))


def require_count(name: str, value: Any, least: int = 1) -> int:
    """Return a static whole number >= `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"Argument `{name}` must be a whole number >= {least}, but is {value!r}.")
    return value


def product_mixed(matrices: Any) -> MPDO:
    """Return the product of one density matrix per qubit, (n, 2, 2)."""
    _checks.require_double_precision()
    matrices = jnp.asarray(matrices, dtype=complex)
    vectors = jnp.real(jnp.einsum("nij,aji->na", matrices, PAULI_MATRICES))
    return MPDO(train=tt.product(vectors))


@jax.jit
def weight(state: TrainState) -> Float[Array, ""]:
    """Return the norm squared of an `MPS`, the trace of an `MPDO`: 1 unless truncated or post-selected."""
    if isinstance(state, MPS):
        return jnp.real(overlap(state.train, state.train))
    return evaluate(state.train, jnp.broadcast_to(TRACE, (state.num_sites, 4)))


def normalise(state: TrainState) -> TrainState:
    """Return the state divided by its norm or trace."""
    total = weight(state)
    factor = 1 / jnp.sqrt(total) if isinstance(state, MPS) else 1 / total
    return type(state)(train=tt.scale(state.train, factor))


def to_mixed(state: TrainState) -> MPDO:
    """Return |psi><psi| as an `MPDO` of bond chi^2; an `MPDO` as it is.

    Note:
        Real by a Hermitian basis of the doubled bond. Exact and differentiable.
    """
    if isinstance(state, MPDO):
        return state
    chi, n = state.bond, state.num_sites
    hermitian = _hermitian_basis(chi)
    doubled = jnp.einsum("naib,pji,ncjd->nacpbd", state.train, PAULI_MATRICES, jnp.conj(state.train), optimize=True)
    doubled = doubled.reshape(n, chi * chi, 4, chi * chi)
    real = jnp.einsum("xa,napb,yb->nxpy", jnp.conj(hermitian), doubled, hermitian, optimize=True)
    return MPDO(train=jnp.real(real))


@cache
def _hermitian_basis(chi: int) -> np.ndarray:
    """Return orthonormal Hermitian matrices as rows, (chi^2, chi^2); the first is E_00."""
    rows = []
    for a in range(chi):
        for b in range(chi):
            unit = np.zeros((chi, chi), complex)
            unit[a, b] = 1.0 if a == b else 2**-0.5 if a < b else 1j * 2**-0.5
            unit[b, a] = np.conj(unit[a, b])
            rows.append(unit)
    return np.stack(rows).reshape(chi * chi, chi * chi)


def join(first: TrainState, second: TrainState) -> TrainState:
    """Return the two registers side by side; mixed if one of them is."""
    if type(first) is not type(second):
        first, second = to_mixed(first), to_mixed(second)
    bond = max(first.bond, second.bond)
    return type(first)(train=jnp.concatenate([tt.widen(first.train, bond), tt.widen(second.train, bond)]))


def add(first: TrainState, second: TrainState) -> TrainState:
    """Return the sum of amplitudes (`MPS`) or of operators (`MPDO`), unnormalised."""
    if type(first) is not type(second):
        raise ValueError("Arguments `first` and `second` must be of one kind: use `to_mixed`.")
    if first.num_sites != second.num_sites:
        raise ValueError(
            f"Argument `second` must have {first.num_sites} sites like `first`, but has {second.num_sites}."
        )
    return type(first)(train=tt.add(first.train, second.train))


def compress(state: TrainState, rule: Truncation | int) -> tuple[TrainState, SplitInfo]:
    """Return the state at a smaller bond, and what was discarded at each bond (n - 1,).

    The 2-norm is that of amplitudes, or of the operator rho (orthonormal Paulis); nothing is rescaled.
    """
    rule = truncation(rule) if isinstance(rule, int) else rule
    if isinstance(state, MPS):
        train, info = tt.compress(state.train, rule)
        return MPS(train=train), info
    train, info = tt.compress(state.train * ORTHONORMAL, rule)
    return MPDO(train=train / ORTHONORMAL), info


ORTHONORMAL = 2**-0.5
"""Per site: the norm of the train is then the Hilbert-Schmidt norm of rho."""


def insert(state: TrainState, place: int, new: TrainState) -> TrainState:
    """Insert a product register (bond 1) so that its first qubit becomes site `place`."""
    if new.bond != 1:
        raise ValueError(f"Argument `new` must be a product register of bond 1, but has bond {new.bond}: use `join`.")
    if type(state) is not type(new):
        state, new = to_mixed(state), to_mixed(new)
    return type(state)(train=tt.insert(state.train, place, new.train[:, 0, :, 0]))


def discard(state: TrainState, sites: Sequence[int]) -> MPDO:
    """Trace out `sites` (static)."""
    mixed = to_mixed(state)
    return MPDO(train=tt.remove(mixed.train, sites, jnp.tile(TRACE, (len(sites), 1))))


def from_pauli_array(vector: Any, rule: Truncation | int) -> MPDO:
    """Return the train of Pauli coefficients r_a, (4,) * n."""
    rule = truncation(rule) if isinstance(rule, int) else rule
    return MPDO(train=tt.from_dense(_checks.real(vector), rule)[0])


def from_density_matrix(matrix: Any, rule: Truncation | int = 4096) -> MPDO:
    """Return a density matrix (2^n, 2^n) as an `MPDO`."""
    return from_pauli_array(jnp.real(pauli_vector(jnp.asarray(matrix))), rule)
