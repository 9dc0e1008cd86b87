"""Entanglement swapping of two pairs, averaged over outcomes; and when its corrections are applied."""

import enum

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from qtn._array import Array
from qtn.hardware.node import Node
from qtn.states.basis import BELL_SIGNS


class Correction(enum.StrEnum):
    """When Pauli corrections of swaps are applied.

    It matters where memories relax (T1), and where linear optics, which tells two Bell states only, measures a qubit
    that is still to be corrected, of a pair that is not Bell-diagonal.
    """

    AT_SWAP = "at_swap"
    """At once, to the waiting qubit at the right end of the new pair."""

    TRACKED = "tracked"
    """At delivery; until then they are kept as classical bits."""


def gate_factors(two_qubit: Float[Array, "*n"], readout: Float[Array, "*n"]) -> Float[Array, "*n 4"]:
    """Return what a Bell measurement by a gate and two readouts leaves of each Pauli of the measured qubits.

    (1, p2 m_X, p2 m_Y, p2 m_Z),      m = (2 eta - 1, (2 eta - 1)^2, 2 eta - 1)
    """
    bit = 2 * readout - 1
    kept = two_qubit[..., None] * jnp.stack([bit, bit**2, bit], axis=-1)
    return jnp.concatenate([jnp.ones_like(kept[..., :1]), kept], axis=-1)


def swap_factors(node: Node) -> Float[Array, "4"]:
    """Return f_k, what a swap at `node` leaves of the k-th Pauli of the measured qubits, success included.

    Args:
        node: its `p_swap` times `gate_factors`, or times the factors of its linear optics.

    References:
        Briegel, Duer, Cirac, Zoller, Phys. Rev. Lett. 81, 5932 (1998), arXiv:quant-ph/9803056.
    """
    if node.optics is not None:
        return node.p_swap * node.optics.factors()
    return node.p_swap * gate_factors(node.gates.two_qubit, node.gates.readout)


@jax.jit
def swap_success(node: Node) -> Float[Array, ""]:
    """Return f_0, the probability that a swap at `node` succeeds for maximally mixed qubits (one compiled program)."""
    return swap_factors(node)[0]


PARTNER = np.array([3, 2, 1, 0])
"""Linear optics tells two Bell states from each other: Pauli j of the measured qubits reaches Pauli j and its partner
of the new pair, with these signs."""
PARTNER_SIGNS = np.array([-1.0, -1.0, 1.0, -1.0])


def swap_table(factors: Float[Array, "*n 4"], optical: Bool[np.ndarray, "*n"]) -> Float[Array, "*n 4 4"]:
    """Return T[k, j]: how Pauli j of both measured qubits reaches Pauli k of the qubit that is corrected.

        T[k, k] = f_k S_k,      S = (1, 1, -1, 1)

    for the Bell measurement averaged over outcomes. Linear optics has two outcomes, Psi+ and Psi-, which adds

        T[k, j] = f_j P_j,      j the partner of k (I with Z, X with Y),  P = (-1, -1, 1, -1)

    Args:
        factors: f of `swap_factors`.
        optical: whether linear optics measures.
    """
    k = np.arange(4)
    table = jnp.zeros((*factors.shape, 4)).at[..., k, k].set(factors * BELL_SIGNS)
    return table.at[..., PARTNER[k], k].set(factors * PARTNER_SIGNS * optical[..., None])


def swap_map(node: Node) -> Float[Array, "4 4 4 4 4 4"]:
    """Return the successful branch of a swap at `node` as a bilinear map on Pauli coefficients.

        out[i, k] = sum_j T[k, j] left[i, j] right[j, k]

    with T of `swap_table`: the Bell measurement joins the pairs, and the Pauli correction is applied at the right end.
    out[0, 0] is the probability of success.

    Returns:
        (4, 4, 4, 4, 4, 4): Pauli indices of the new pair, of the left pair and of the right pair.

    Note:
        Exact for all pairs, differentiable. For Bell-diagonal pairs it does not matter which end is corrected.
    """
    i, k, j = np.indices((4, 4, 4))
    table = swap_table(swap_factors(node), np.array(node.optics is not None))
    return jnp.zeros((4,) * 6).at[i, k, i, j, j, k].set(jnp.broadcast_to(table, (4, 4, 4)))
