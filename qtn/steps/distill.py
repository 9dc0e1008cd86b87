"""Two-to-one entanglement distillation ("purification" in many papers) of Bell-diagonal pairs.

A protocol is two tables over the Bell indices of the kept and the consumed pair: `accepted` lists the
combinations that coincide when both readouts are right, `flipped` those that coincide when one of them is wrong.
With p2 = p2A p2B, mu = etaA etaB + (1 - etaA)(1 - etaB), nu = 1 - mu, the unnormalised output on acceptance is

    u_k = p2 (mu K_k(p, q) + nu L_k(p, q)) + (1 - p2)/8,      success probability sum_k u_k
"""

import dataclasses

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qtn.hardware.gates import Gates
from qtn.states.pair import BELL_FROM_CHARACTERS, CHARACTERS_FROM_BELL, PAULIS

Rows = tuple[str, str, str, str]


@dataclasses.dataclass(frozen=True)
class DistillationProtocol:
    """One protocol as data; static and hashable, so that schedules can hold it.

    Each row is a sum of products such as "II+YY": kept pair in Bell state I and consumed pair in I, or both in Y.
    """

    name: str
    accepted: Rows
    """K: what becomes Bell index I, X, Y, Z when the readouts are right."""
    flipped: Rows
    """L: the same when exactly one readout is wrong."""
    twirled: bool = False
    """Whether the output is twirled to a Werner state (X, Y, Z averaged)."""


DEJMPS = DistillationProtocol(
    name="dejmps",
    accepted=("II+YY", "XX+ZZ", "XZ+ZX", "IY+YI"),
    flipped=("IX+YZ", "XI+ZY", "XY+ZI", "IZ+YX"),
)
"""Deutsch et al., Phys. Rev. Lett. 77, 2818 (1996), arXiv:quant-ph/9604039."""

BBPSSW = DistillationProtocol(
    name="bbpssw",
    accepted=("II+ZZ", "XX+YY", "XY+YX", "IZ+ZI"),
    flipped=("IX+ZY", "XI+YZ", "XZ+YI", "IY+ZX"),
    twirled=True,
)
"""Bennett et al., Phys. Rev. Lett. 76, 722 (1996), arXiv:quant-ph/9511027: bilateral CNOT, then the twirl."""

PROTOCOLS = {protocol.name: protocol for protocol in (BBPSSW, DEJMPS)}


def _table(rows: Rows) -> np.ndarray:
    """Turn rows such as "II+YY" into a 0/1 tensor (output, kept, consumed)."""
    table = np.zeros((4, 4, 4))
    for k, row in enumerate(rows):
        for kept, consumed in row.split("+"):
            table[k, PAULIS.index(kept), PAULIS.index(consumed)] = 1.0
    return table


def distill_map(protocol: DistillationProtocol, left: Gates, right: Gates) -> Float[Array, "4 4 4"]:
    """Return the accepted branch as a bilinear map on Bell-diagonal characters.

        out_k = sum_ij map[k, i, j] kept_i consumed_j,      out_0 = probability of acceptance

    Args:
        protocol: which tables to use.
        left: gates of the left end node of both pairs.
        right: gates of the right end node.

    Note:
        Exact for Bell-diagonal pairs, differentiable.
    """
    p2 = left.two_qubit * right.two_qubit
    mu = left.readout * right.readout + (1 - left.readout) * (1 - right.readout)
    weights = p2 * (mu * _table(protocol.accepted) + (1 - mu) * _table(protocol.flipped)) + (1 - p2) / 8
    if protocol.twirled:
        twirl = np.zeros((4, 4))
        twirl[0, 0], twirl[1:, 1:] = 1.0, 1 / 3
        weights = jnp.einsum("ka,aij->kij", twirl, weights)
    # k [a] , a i' j' , i' i , j' j -> k i j
    return jnp.einsum("ka,abc,bi,cj->kij", CHARACTERS_FROM_BELL, weights, BELL_FROM_CHARACTERS, BELL_FROM_CHARACTERS)
