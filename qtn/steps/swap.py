"""Entanglement swapping of Bell-diagonal pairs, averaged over outcomes, corrected when it happens."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from qtn.hardware.node import Node


def swap_map(node: Node) -> Float[Array, "4 4 4"]:
    """Return the successful branch of a swap at `node` as a bilinear map on characters.

        out_0 = a c_0 d_0,      out_k = a p2 m_k c_k d_k,      m = (2 eta - 1, (2 eta - 1)^2, 2 eta - 1) for X, Y, Z

    Args:
        node: its `p_swap` is a, its gates give p2 and eta.

    Returns:
        (4, 4, 4): output index, left pair, right pair; out_0 is the probability of success.

    Note:
        Exact for Bell-diagonal pairs, differentiable.

    References:
        Briegel, Duer, Cirac, Zoller, Phys. Rev. Lett. 81, 5932 (1998), arXiv:quant-ph/9803056.
    """
    bit = 2 * node.gates.readout - 1
    kept = node.gates.two_qubit * jnp.stack([bit, bit**2, bit])
    diagonal = node.p_swap * jnp.concatenate([jnp.ones(1), kept])
    index = jnp.arange(4)
    return jnp.zeros((4, 4, 4)).at[index, index, index].set(diagonal)
