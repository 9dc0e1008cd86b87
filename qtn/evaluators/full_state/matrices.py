"""The circuits of repeaters as linear maps on Pauli coefficients: noisy gates, measurement, averaged feed-forward."""

import itertools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qtn.circuits.gates import GATES
from qtn.hardware.gates import Gates
from qtn.states.basis import BELL_SIGNS, TRACE, ptm
from qtn.steps.distill import DistillationProtocol, local_tensor, twirl

Z_BIT, X_BIT = np.array([0, 1, 1, 0]), np.array([0, 0, 1, 1])
"""Whether Z^z (X^x) changes the sign of I, X, Y, Z."""
_CX, _H = (np.asarray(ptm(np.asarray(GATES[name].matrix()))) for name in ("CX", "H"))
_ALL = tuple(a + b for a, b in itertools.product("IXYZ", repeat=2))


def bell_rows(two_qubit: Array, readout: Array) -> Float[Array, "2 2 4 4"]:
    """Return E[(-1)^(a z + b x)] of a noisy Bell measurement as rows over the Paulis of the measured qubits.

    CX (then two-qubit depolarising), H on the first, readouts z and x, each right with probability `readout`.

    Returns:
        (a, b, first qubit, second qubit).
    """
    lost = np.zeros((16, 16))
    lost[0, 0] = 1.0
    circuit = np.kron(_H, np.eye(4)) @ (two_qubit * _CX + (1 - two_qubit) * lost)
    effects = jnp.stack([jnp.asarray(TRACE), jnp.array([0.0, 0.0, 0.0, 1.0]) * (2 * readout - 1)])
    return (jnp.einsum("ai,bj->abij", effects, effects).reshape(4, 16) @ circuit).reshape(2, 2, 4, 4)


def swap_matrix(two_qubit: Array, readout: Array, p_swap: Array) -> Float[Array, "4 64"]:
    """Return the swap of (left, right, corrected) -> (corrected): Z^z X^x at once, averaged over outcomes."""
    chosen = bell_rows(two_qubit, readout)[Z_BIT, X_BIT]  # k, i, j
    return p_swap * jnp.einsum("kij,kl->kijl", chosen, jnp.eye(4)).reshape(4, 64)


def tracked_matrix(two_qubit: Array, readout: Array, p_swap: Array, num_frames: int) -> Float[Array, "16 ..."]:
    """Return the swap of (left, right, old bits) -> new bits (z, x): the sums of all bits modulo 2, uncorrected.

    A bit is a qubit with the Paulis I and Z only; <Z> of a sum is the product.
    """
    rows = jnp.zeros((4, 4, 4, 4)).at[np.ix_([0, 3], [0, 3])].set(bell_rows(two_qubit, readout))
    out = p_swap * rows  # z, x, i, j
    copies = np.einsum("zi,xj->zxij", np.eye(4), np.eye(4))
    for _ in range(num_frames // 2):
        out = jnp.einsum("zx...,zxij->zx...ij", out, copies)
    return out.reshape(16, -1)


def correct_matrix() -> np.ndarray:
    """Return (z, x, corrected) -> (corrected): Z^z X^x controlled by two bits, which are dropped."""
    matrix = np.zeros((4, 4, 4, 4))
    matrix[range(4), 3 * Z_BIT, 3 * X_BIT, range(4)] = 1.0
    return matrix.reshape(4, 64)


def distill_factors(
    protocol: DistillationProtocol, left: Gates, right: Gates
) -> tuple[Float[Array, "o 4 ..."], Float[Array, "o 4 ..."]]:
    """Return what the left and what the right node do for every accepted pair of readouts, (o, 4, 4^n) each.

    The right node runs the complex conjugate of the circuit.
    """
    n = protocol.num_pairs
    first, second = local_tensor(protocol, left), local_tensor(protocol, right)
    for axis in range(1, n + 2):
        second = second * BELL_SIGNS.reshape([4 if place == axis else 1 for place in range(n + 2)])
    if protocol.accepted is not None:
        readouts: list[tuple[int, ...]] = list(itertools.product((0, 1), repeat=n - 1))
        chosen = np.array([readouts.index(bits) for bits in protocol.accepted])
        first, second = first[chosen], second[chosen]
    return first.reshape(-1, 4, 4**n), second.reshape(-1, 4, 4**n)


def twirl_matrix() -> np.ndarray:
    """Return the twirl of a pair to a Werner state, (16, 16)."""
    return twirl(_ALL)


def memory_matrices(durations: Array, rates: Array, equilibrium: Array) -> Float[Array, "m 4 4"]:
    """Return the decay of slots: z -> z_eq + exp(-rZ t)(z - z_eq), x and y -> exp(-r t) x, y.

    Args:
        durations: (m,) [s].
        rates: (m, 3) [1/s].
        equilibrium: (m,).
    """
    kept = jnp.exp(-rates * durations[:, None])
    diagonal = jnp.concatenate([jnp.ones_like(kept[:, :1]), kept], axis=1)
    matrices = diagonal[:, :, None] * jnp.eye(4)
    return matrices.at[:, 3, 0].set(equilibrium * (1 - kept[:, 2]))
