"""Between the forms of a channel: Pauli transfer matrix (PTM), Kraus operators, unitary, Choi matrix.

    E(rho) = sum_k K_k rho K_k^H,   R_ij = tr(P_i E(P_j)) / D,   C = sum_ij |i><j| x E(|i><j|),   D = 2^n

The Choi matrix has the input first and trace D. Leading axes `...` are batches. All maps here are linear in the channel
and apply to trace-decreasing (heralded) maps too; only the `require_...` functions ask for a channel.

References:
    Greenbaum 2015, arXiv:1509.02921 (PTM). Choi 1975, Linear Algebra Appl. 10, 285.
"""

from functools import reduce
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float

from qtn import _checks
from qtn._array import Array
from qtn.states.basis import PAULI_MATRICES

TOLERANCE = 1e-9
"""How far from exact the `require_...` functions allow."""


def pauli_strings(num_qubits: int) -> np.ndarray:
    """Return all Pauli strings as a (4^n, 2^n, 2^n) constant, row-major in I, X, Y, Z."""
    return reduce(
        lambda a, b: np.einsum("aij,bkl->abikjl", a, b).reshape(-1, *2 * [2 * a.shape[1]]),
        [PAULI_MATRICES] * num_qubits,
    )


def _square(name: str, matrix: Any, base: int) -> int:
    """Return n of a (..., base^n, base^n) array."""
    shape = tuple(matrix.shape)
    n = round(np.log(max(shape[-1], 1)) / np.log(base)) if len(shape) >= 2 else 0
    if n < 1 or shape[-2:] != (base**n, base**n):
        raise ValueError(f"Argument `{name}` must end in a {base}^n x {base}^n matrix, n >= 1, but has shape {shape}.")
    return n


def _complex(matrix: Any) -> Array:
    """Convert to double-precision complex."""
    _checks.require_double_precision()
    return jnp.asarray(matrix, dtype=jnp.complex128)


def ptm_from_kraus(kraus: Any) -> Float[Array, "... d d"]:
    """Return R_ij = sum_k tr(P_i K_k P_j K_k^H) / 2^n.

    Args:
        kraus: (..., k, 2^n, 2^n), any number k of operators.

    Note:
        Exact and differentiable, double precision.

    Example:
        >>> ptm_from_kraus([[[0, 1], [1, 0]]]).diagonal().tolist()  # X
        [1.0, 1.0, -1.0, -1.0]
    """
    kraus = _complex(kraus)
    n = _square("kraus", kraus, 2)
    if kraus.ndim < 3:
        raise ValueError(f"Argument `kraus` must be a stack of matrices, but has shape {kraus.shape}.")
    paulis = pauli_strings(n)
    moved = jnp.einsum("...kij,bjl,...kml->...bim", kraus, paulis, jnp.conj(kraus))
    return jnp.real(jnp.einsum("aij,...bji->...ab", paulis, moved)) / 2**n


def ptm_from_unitary(unitary: Any) -> Float[Array, "... d d"]:
    """Return R_ij = tr(P_i U P_j U^H) / 2^n, (..., 2^n, 2^n) -> (..., 4^n, 4^n).

    Note:
        Exact and differentiable; U need not be unitary (one Kraus operator).

    Example:
        >>> ptm_from_unitary([[1, 0], [0, 1j]])[1:3, 1:3].tolist()  # S: X -> Y, Y -> -X
        [[0.0, -1.0], [1.0, 0.0]]
    """
    unitary = _complex(unitary)
    _square("unitary", unitary, 2)
    return ptm_from_kraus(unitary[..., None, :, :])


def _choi(ptm: Any, xp: Any) -> Any:
    """C = 2^-n sum_mn R_mn P_n^T x P_m, with numpy or jax.numpy."""
    n = _square("ptm", ptm, 4)
    paulis = pauli_strings(n)
    choi = xp.einsum("...mn,nji,mab->...iajb", ptm, paulis, paulis, optimize=True) / 2**n
    return choi.reshape(*ptm.shape[:-2], 4**n, 4**n)


def choi_from_ptm(ptm: Any) -> Complex[Array, "... d d"]:
    """Return the Choi matrix C = 2^-n sum_mn R_mn P_n^T x P_m: input first, trace 2^n for a channel.

    Note:
        Exact and differentiable; the inverse is `ptm_from_choi`.
    """
    return _choi(_checks.real(ptm), jnp)


def ptm_from_choi(choi: Any) -> Float[Array, "... d d"]:
    """Return R_mn = tr(C (P_n^T x P_m)) / 2^n (real part), the inverse of `choi_from_ptm`."""
    choi = _complex(choi)
    n = _square("choi", choi, 4)
    paulis = pauli_strings(n)
    legs = choi.reshape(*choi.shape[:-2], *4 * [2**n])  # input a, output b, input c, output d
    return jnp.real(jnp.einsum("...iajb,nij,mba->...mn", legs, paulis, paulis)) / 2**n


def kraus_from_ptm(ptm: Any) -> Complex[Array, "k d d"]:
    """Return as few Kraus operators as possible, the largest first: eigenvectors of the Choi matrix.

    Args:
        ptm: (4^n, 4^n), concrete and completely positive; it may decrease the trace.

    Note:
        NumPy inside, neither differentiable nor for `jit` (their number depends on the values). Eigenvalues below
        1e-14 of the largest are dropped.
    """
    concrete = _checks.known(_checks.real(ptm))
    if concrete is None:
        raise ValueError(
            "Argument `ptm` must be concrete, but is traced: call `kraus_from_ptm` outside transformations."
        )
    if concrete.ndim != 2:
        raise ValueError(f"Argument `ptm` must be one matrix, but has shape {concrete.shape}.")
    return _complex(known_kraus(concrete))


def known_kraus(ptm: np.ndarray) -> np.ndarray:
    """Return the same as `kraus_from_ptm` as an array of NumPy."""
    weights, vectors = np.linalg.eigh(_choi(ptm, np))
    if weights[0] < -TOLERANCE:
        raise ValueError(_not_positive("ptm", weights[0]))
    size = round(np.sqrt(len(weights)))
    kept = [k for k in reversed(range(len(weights))) if weights[k] > 1e-14 * weights[-1]]
    operators = [np.sqrt(weights[k]) * vectors[:, k].reshape(size, size).T for k in kept]
    return np.array(operators, dtype=complex).reshape(-1, size, size)


def compose(first: Any, *later: Any) -> Float[Array, "... d d"]:
    """Return the PTM of channels in time order: R_last ... R_second R_first."""
    return reduce(lambda done, ptm: _checks.real(ptm) @ done, later, _checks.real(first))


def tensor(a: Any, b: Any) -> Float[Array, "... d d"]:
    """Return the PTM of a on the first qubits and b on the following ones: the Kronecker product."""
    a, b = _checks.real(a), _checks.real(b)
    both = jnp.einsum("...ij,...kl->...ikjl", a, b)
    size = a.shape[-1] * b.shape[-1]
    return both.reshape(*both.shape[:-4], size, size)


def twirl(ptm: Any) -> Float[Array, "... d d"]:
    """Return the Pauli twirl 4^-n sum_a P_a E(P_a rho P_a) P_a: the diagonal of the PTM.

    References:
        Emerson et al. 2007, Science 317, 1893, arXiv:0707.0685.
    """
    ptm = _checks.real(ptm)
    _square("ptm", ptm, 4)
    return ptm * jnp.eye(ptm.shape[-1])


def _defect(ptm: Any, xp: Any) -> tuple[Any, Any]:
    choi = _choi(ptm, xp)
    trace = xp.max(xp.abs(ptm[..., 0, :] - xp.eye(ptm.shape[-1])[0]), axis=-1)
    return trace, xp.linalg.eigvalsh(choi)[..., 0]


def cptp_defect(ptm: Any) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Measure how far a map is from a channel.

    Returns:
        trace_defect: largest entry of |(first row of R) - (1, 0, ..., 0)|; 0 if the trace is preserved.
        most_negative_choi_eigenvalue: lowest eigenvalue of the Choi matrix of trace 2^n; >= 0 if completely positive.

    Example:
        >>> [float(x) for x in cptp_defect(jnp.diag(jnp.array([1.0, 1.0, 1.0, -1.0])))]  # a reflection is no channel
        [0.0, -1.0]
    """
    return _defect(_checks.real(ptm), jnp)


def _not_positive(name: str, eigenvalue: Any) -> str:
    return f"Argument `{name}` must be completely positive, but its lowest Choi eigenvalue is {eigenvalue:.3g}."


def require_cptp(name: str, ptm: Any) -> Float[Array, "... d d"]:
    """Return the PTM (or a batch), checked to preserve the trace and to be completely positive when concrete."""
    array = _checks.real(ptm)
    _square(name, array, 4)
    concrete = _checks.known(array)
    if concrete is not None:
        if not np.all(np.isfinite(concrete)):
            raise ValueError(f"Argument `{name}` must be finite, but holds nan or inf.")
        trace, lowest = (np.ravel(x) for x in _defect(concrete, np))
        if not np.all(trace <= TOLERANCE):
            raise ValueError(f"Argument `{name}` must preserve the trace, but its trace defect is {max(trace):.3g}.")
        if not np.all(lowest >= -TOLERANCE):
            raise ValueError(_not_positive(name, min(lowest)))
    return array


def require_kraus(name: str, kraus: Any) -> Complex[Array, "... k d d"]:
    """Return the Kraus operators (..., k, 2^n, 2^n), checked to obey sum_k K_k^H K_k = 1 when concrete."""
    array = _complex(kraus)
    _square(name, array, 2)
    if array.ndim < 3:
        raise ValueError(f"Argument `{name}` must be a stack of matrices, but has shape {array.shape}.")
    concrete = _checks.known(array)
    if concrete is not None:
        total = np.einsum("...kji,...kjl->...il", concrete.conj(), concrete)
        distance = np.max(np.abs(total - np.eye(total.shape[-1])), initial=0.0)
        if not distance <= TOLERANCE:
            raise ValueError(f"Argument `{name}` must obey sum K^H K = 1, but the largest deviation is {distance:.3g}.")
    return array


def require_unitary(name: str, matrix: Any) -> Complex[Array, "... d d"]:
    """Return the matrix (or a batch), checked to obey U^H U = 1 when concrete."""
    array = _complex(matrix)
    _square(name, array, 2)
    concrete = _checks.known(array)
    if concrete is not None:
        product = np.swapaxes(concrete.conj(), -1, -2) @ concrete
        distance = np.max(np.abs(product - np.eye(product.shape[-1])), initial=0.0)
        if not distance <= TOLERANCE:
            raise ValueError(
                f"Argument `{name}` must be unitary, but the largest deviation of U^H U is {distance:.3g}."
            )
    return array
