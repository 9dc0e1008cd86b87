"""`MPS` and `MPDO` to and from quimb (which is imported when one of these is called)."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from qtn._array import Array
from qtn.states.basis import PAULI_MATRICES
from qtn.states.trains import MPDO, MPS, ORTHONORMAL, TrainState, compress
from qtn.tensors.split import truncation
from qtn.tensors.train import left_canonical


def to_quimb(state: TrainState) -> Any:
    """Return an `MPS` as quimb's MatrixProductState, an `MPDO` as the MatrixProductOperator of rho (2 or more sites).

    Example:
        >>> from qtn.states import ghz
        >>> round(float(to_quimb(ghz(4)).entropy(2)), 12)  # quimb, in bits
        1.0
    """
    from qtn.tensors.quimb_io import operator_to_quimb, train_to_quimb

    if isinstance(state, MPS):
        return train_to_quimb(state.train)
    return operator_to_quimb(np.einsum("napb,pij->naijb", np.asarray(state.train), PAULI_MATRICES / 2))


def from_quimb(network: Any) -> TrainState:
    """Return quimb's MatrixProductState as an `MPS`, its MatrixProductOperator (a Hermitian rho) as an `MPDO`."""
    from qtn.tensors.quimb_io import operator_from_quimb, train_from_quimb

    kind = type(network).__name__
    if kind == "MatrixProductState":
        return MPS(train=train_from_quimb(network).astype(complex))
    if kind != "MatrixProductOperator":
        raise ValueError(f"Argument `network` must be a MatrixProductState or MatrixProductOperator, but is a {kind}.")
    return _real(jnp.einsum("naijb,pji->napb", operator_from_quimb(network), PAULI_MATRICES))


def _real(train: Array) -> MPDO:
    """Return the real train of a product that is real, whatever the gauge of its complex tensors."""
    chi = train.shape[1]
    plus, minus = np.real(train), np.imag(train)
    rows = np.stack([np.stack([plus, -minus], axis=-2), np.stack([minus, plus], axis=-2)], axis=1)  # n c a p C b
    wide = rows.reshape(len(plus), 2 * chi, 4, 2 * chi)
    other = wide[-1, :, :, chi].copy()  # leaving by the other component gives the imaginary part
    wide[0, 1:], wide[-1, :, :, 1:] = 0.0, 0.0
    whole, imaginary = MPDO(train=jnp.asarray(wide)), wide.copy()
    imaginary[-1, :, :, 0] = other
    size, rest = (float(jnp.linalg.norm(left_canonical(jnp.asarray(t) * ORTHONORMAL)[-1])) for t in (wide, imaginary))
    if rest > 1e-9 * size:
        raise ValueError("Argument `network` must be Hermitian, but its Pauli coefficients are not real.")
    state = compress(whole, truncation(chi, relative=1e-15))[0]
    return MPDO(train=state.train)
