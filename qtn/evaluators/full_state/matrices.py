"""The circuits of repeaters as linear maps on Pauli coefficients: noisy gates, measurement, averaged feed-forward."""

import itertools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn.hardware.gates import Gates
from qtn.states.basis import BELL_SIGNS
from qtn.steps.distill import DistillationProtocol, local_tensor, twirl

Z_BIT, X_BIT = np.array([0, 1, 1, 0]), np.array([0, 0, 1, 1])
"""Whether Z^z (X^x) changes the sign of I, X, Y, Z."""
_ALL = tuple(a + b for a, b in itertools.product("IXYZ", repeat=2))


def swap_matrix(table: Float[Array, "4 4"]) -> Float[Array, "4 64"]:
    """Return the swap of (left, right, corrected) -> (corrected): Z^z X^x at once, averaged over outcomes.

    Args:
        table: T[k, j] of `qtn.steps.swap.swap_table`, success included.
    """
    return jnp.einsum("ki,ij,kl->kijl", table, jnp.eye(4), jnp.eye(4)).reshape(4, 64)


def tracked_matrix(table: Float[Array, "4 4"], num_frames: int) -> Float[Array, "16 ..."]:
    """Return the swap of (left, right, old bits) -> new bits (z, x): the sums of all bits modulo 2, uncorrected.

    A bit is a qubit with the Paulis I and Z only; <Z> of a sum is the product. Row k of T is the expectation value of
    the sign that the correction gives to Pauli k, so it is <Z> of the bits that change this sign.
    """
    rows = jnp.einsum("ki,ij->kij", table, jnp.eye(4))
    out = jnp.zeros((4, 4, 4, 4)).at[3 * Z_BIT, 3 * X_BIT].set(rows)  # z, x, i, j
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
