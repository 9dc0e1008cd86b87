"""Teleportation of a qubit through a delivered pair."""

import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn.hardware.node import Node
from qtn.steps.swap import swap_map


def teleport(qubit: Float[Array, "4"], pair: Float[Array, "4 4"], sender: Node) -> Float[Array, "4"]:
    """Return what arrives when a qubit is teleported through a pair, averaged over outcomes, corrected at the receiver.

        out[k] = f_k S_k qubit[k] pair[k, k]   (with gates; with linear optics, given that it succeeds)

    Args:
        qubit: (4,), Pauli coefficients (1, <X>, <Y>, <Z>); with 1 in place of a trace smaller than 1.
        pair: (4, 4), Pauli coefficients of the pair, first index at the sender, such as `Outcome.state`.
        sender: node that measures; its gates or optics.

    Returns:
        (4,): out[0] is the probability of success, relative to qubit[0].

    Note:
        Exact, differentiable.

    References:
        Bennett, Brassard, Crepeau, Jozsa, Peres, Wootters, Phys. Rev. Lett. 70, 1895 (1993).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.hardware.node import node
        >>> perfect = jnp.diag(jnp.array([1.0, 1.0, -1.0, 1.0]))
        >>> teleport(jnp.array([1.0, 0.6, 0.0, 0.8]), perfect, node()).tolist()
        [1.0, 0.6, 0.0, 0.8]
    """
    left = jnp.zeros((4, 4)).at[0].set(qubit)  # a pair whose left half carries nothing
    return jnp.einsum("kabcd,ab,cd->k", swap_map(sender)[0], left, pair)


def teleportation_fidelity(pair: Float[Array, "4 4"], sender: Node) -> Float[Array, ""]:
    """Return the fidelity of teleportation, averaged over all pure qubits (given success).

        F = 1/2 + sum_k T_kk / (6 T_00),   T the map of (1, <X>, <Y>, <Z>)

    With a perfect sender it is (2 F_pair + 1) / 3.

    Args:
        pair: (4, 4), Pauli coefficients of the pair.
        sender: node that measures.

    Note:
        Exact, differentiable. Where success depends on the qubit (linear optics, pairs whose halves are not maximally
        mixed) the average is over the qubits that arrive.

    References:
        Horodecki, Horodecki, Horodecki, Phys. Rev. A 60, 1888 (1999), arXiv:quant-ph/9807091.
    """
    images = jnp.stack([teleport(jnp.eye(4)[k], pair, sender) for k in range(4)])
    return 0.5 + jnp.trace(images[1:, 1:]) / (6 * images[0, 0])
