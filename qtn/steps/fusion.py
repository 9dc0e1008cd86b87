"""Fusion of pairs that share a node into a GHZ state of many nodes, as a tensor of Pauli coefficients.

A state of n qubits is r[i1 .. in] = tr(P_i1 x .. x P_in rho), r[0 .. 0] its trace: 4^n numbers, for up to about ten
qubits. Larger states are matrix product operators: see `qtn.states`.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn.hardware.gates import Gates
from qtn.states.basis import ptm

_CNOT = np.asarray(ptm(np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], dtype=complex)))
MOST_QUBITS = 10


def fuse(state: Float[Array, "..."], pair: Float[Array, "4 4"], gate_set: Gates) -> Float[Array, "..."]:
    """Add the far end of a pair to a GHZ state whose last qubit lies at the same node as the pair's first one.

    CNOT from the last qubit of the state to the near half of the pair, which is measured in Z; the far half is
    corrected by X. Two pairs give the three-qubit GHZ state of both ends and the node.

    Args:
        state: (4,) * n, Pauli coefficients; a pair for n = 2.
        pair: (4, 4), first index at the node.
        gate_set: p2 and eta of the node.

    Returns:
        (4,) * (n + 1): qubits of the state without the node's own, then the far end, the node's qubit last.

    Raises:
        ValueError: if the state would have more than 10 qubits.

    Note:
        Exact, differentiable; averaged over outcomes.
    """
    if state.ndim + 1 > MOST_QUBITS:
        raise ValueError(
            f"A GHZ state of {state.ndim + 1} qubits does not fit: `fuse` holds up to {MOST_QUBITS}; use an MPDO."
        )
    lost = np.zeros((16, 16))
    lost[0, 0] = 1.0
    gate = gate_set.two_qubit * jnp.asarray(_CNOT) + (1 - gate_set.two_qubit) * lost
    joined = jnp.einsum("abcd,...c,df->...abf", gate.reshape(4, 4, 4, 4), state, pair)
    bit = 2 * gate_set.readout - 1
    same, flipped = joined[..., 0, :], bit * joined[..., 3, :]
    corrected = jnp.where(jnp.array([True, True, False, False]), same, flipped)  # X flips Y and Z
    return jnp.swapaxes(corrected, -1, -2)


def measure_out(state: Float[Array, "..."], gate_set: Gates) -> Float[Array, "..."]:
    """Measure the last qubit of a GHZ state in X, and correct the first one by Z: the others keep their GHZ state.

    Args:
        state: (4,) * n, n >= 2.
        gate_set: eta of the node that measures.

    Returns:
        (4,) * (n - 1).
    """
    bit = 2 * gate_set.readout - 1
    kept = jnp.array([True, False, False, True]).reshape(4, *[1] * (state.ndim - 2))
    return jnp.where(kept, state[..., 0], bit * state[..., 1])  # Z flips X and Y


def ghz_state(num_qubits: int) -> Float[Array, "..."]:
    """Return the Pauli coefficients (4,) * n of (|0..0> + |1..1>) / sqrt 2."""
    zero, one, flip = np.array([1, 0, 0, 1]), np.array([1, 0, 0, -1]), np.array([0, 1, 1j, 0])

    def power(vector: np.ndarray) -> np.ndarray:
        found = np.ones(())
        for _ in range(num_qubits):
            found = np.multiply.outer(found, vector)
        return found

    return jnp.asarray(np.real(power(zero) + power(one) + 2 * np.real(power(flip))) / 2)


def ghz_fidelity(state: Float[Array, "..."]) -> Float[Array, ""]:
    """Return <GHZ| rho |GHZ> / tr rho of Pauli coefficients (4,) * n."""
    return jnp.vdot(ghz_state(state.ndim), state) / (2**state.ndim * state[(0,) * state.ndim])
