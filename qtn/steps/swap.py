"""Entanglement swapping of two pairs, averaged over outcomes, corrected at the right end when it happens."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qtn.hardware.node import Node
from qtn.states.basis import BELL_SIGNS


def swap_factors(node: Node) -> Float[Array, "4"]:
    """Return f_k, what a swap at `node` leaves of the k-th Pauli of the measured qubits, success included.

        f = a (1, p2 m_X, p2 m_Y, p2 m_Z),      m = (2 eta - 1, (2 eta - 1)^2, 2 eta - 1)

    or a times the factors of its linear optics.

    Args:
        node: its `p_swap` is a, its gates give p2 and eta.

    References:
        Briegel, Duer, Cirac, Zoller, Phys. Rev. Lett. 81, 5932 (1998), arXiv:quant-ph/9803056.
    """
    if node.optics is not None:
        return node.p_swap * node.optics.factors()
    bit = 2 * node.gates.readout - 1
    kept = node.gates.two_qubit * jnp.stack([bit, bit**2, bit])
    return node.p_swap * jnp.concatenate([jnp.ones(1), kept])


@jax.jit
def swap_success(node: Node) -> Float[Array, ""]:
    """Return f_0, the probability that a swap at `node` succeeds for maximally mixed qubits (one compiled program)."""
    return swap_factors(node)[0]


PARTNER = np.array([3, 2, 1, 0])
"""Linear optics tells two Bell states from each other: Pauli j of the measured qubits reaches Pauli j and its partner
of the new pair, with these signs."""
PARTNER_SIGNS = np.array([-1.0, -1.0, 1.0, -1.0])


def swap_map(node: Node) -> Float[Array, "4 4 4 4 4 4"]:
    """Return the successful branch of a swap at `node` as a bilinear map on Pauli coefficients.

        out[i, k] = f_k S_k left[i, k] right[k, k],      S = (1, 1, -1, 1)

    with f of `swap_factors`: the Bell measurement joins the pairs, and the Pauli correction at the right end, averaged
    over outcomes, leaves only the diagonal of the right pair. Linear optics has two outcomes, Psi+ and Psi-, which adds

        out[i, k] += f_j P_j left[i, j] right[j, k],   j the partner of k (I with Z, X with Y),  P = (-1, -1, 1, -1)

    out[0, 0] is the probability of success.

    Returns:
        (4, 4, 4, 4, 4, 4): Pauli indices of the new pair, of the left pair and of the right pair.

    Note:
        Exact for all pairs, differentiable. For Bell-diagonal pairs it does not matter which end is corrected.
    """
    i, k = np.indices((4, 4))
    factors = swap_factors(node)
    found = jnp.zeros((4,) * 6).at[i, k, i, k, k, k].set(jnp.broadcast_to(factors * BELL_SIGNS, (4, 4)))
    if node.optics is None:
        return found
    return found.at[i, PARTNER[k], i, k, k, PARTNER[k]].set(jnp.broadcast_to(factors * PARTNER_SIGNS, (4, 4)))
