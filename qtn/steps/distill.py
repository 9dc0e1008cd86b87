"""n-to-1 entanglement distillation ("purification" in many papers) with noisy gates and readout, of any pairs.

The two nodes act apart, so a protocol is one local tensor per node, T[o, k, i1 .. in]: what Pauli k of the kept qubit
and readout o become in terms of the Paulis of the n qubits before the circuit. The accepted branch joins both:

    map[k, l; i1 j1 .. in jn] = sum over accepted o of T_left[o, k, i1 .. in] T_right[o, l, j1 .. jn]
"""

import itertools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn.hardware.gates import Gates
from qtn.states.basis import BELL_SIGNS, ptm
from qtn.states.pair import PAULIS
from qtn.steps.protocol import BBPSSW, CNOT, CODE_3, CODE_4, CODE_5, DEJMPS, DOUBLE_SELECTION, EPL, DistillationProtocol

__all__ = [
    "BBPSSW",
    "CNOT",
    "CODE_3",
    "CODE_4",
    "CODE_5",
    "DEJMPS",
    "DOUBLE_SELECTION",
    "EPL",
    "PROTOCOLS",
    "DistillationProtocol",
    "distill_map",
    "local_tensor",
    "twirl",
]

PROTOCOLS = {p.name: p for p in (BBPSSW, DEJMPS, CNOT, EPL, DOUBLE_SELECTION, CODE_3, CODE_4, CODE_5)}
"""Protocols by name."""

_I, _X, _Y, _Z = np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1.0])
_UNITARIES = {
    "h": (_X + _Z) / np.sqrt(2),
    "s": np.diag([1, 1j]),
    "sx": (_I - 1j * _X) / np.sqrt(2),
    "cx": np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]),
    "cz": np.diag([1, 1, 1, -1]),
}
_PTMS = {name: ptm(np.asarray(unitary, dtype=complex)) for name, unitary in _UNITARIES.items()}


def local_tensor(protocol: DistillationProtocol, gate_set: Gates) -> Float[Array, "o 4 ..."]:
    """Return T[o, k, i1 .. in] of the left node: o over the 2^(n-1) readouts, first measured qubit slowest.

    Args:
        protocol: which circuit.
        gate_set: p2 after every two-qubit gate, eta of every readout.

    Note:
        Exact, differentiable. Built backwards, from the readouts to the pairs: 2^(n-1) 4^(n+1) numbers.
    """
    n = protocol.num_pairs
    bit = 2 * gate_set.readout - 1
    rows = jnp.stack([jnp.stack([1.0, 0.0, 0.0, sign * bit]) / 2 for sign in (1.0, -1.0)])
    tensor = jnp.eye(4)[None]
    for _ in range(n - 1):  # o k i.. , p j -> (o p) k i.. j
        tensor = jnp.moveaxis(jnp.tensordot(tensor, rows, axes=0), -2, 1)
        tensor = tensor.reshape(-1, *tensor.shape[2:])
    for word in reversed(protocol.circuit):
        name, *qubits = word.split()
        sites = [int(qubit) for qubit in qubits]
        matrix = jnp.asarray(_PTMS[name])
        if len(sites) == 2:
            lost = np.zeros((16, 16))
            lost[0, 0] = 1.0
            matrix = gate_set.two_qubit * matrix + (1 - gate_set.two_qubit) * lost
        axes = [2 + site for site in sites]
        moved = jnp.tensordot(tensor, matrix.reshape((4,) * (2 * len(sites))), axes=(axes, list(range(len(sites)))))
        tensor = jnp.moveaxis(moved, range(moved.ndim - len(sites), moved.ndim), axes)
    return tensor


def distill_map(
    protocol: DistillationProtocol, left: Gates, right: Gates, labels: tuple[str, ...]
) -> Float[Array, "c ..."]:
    """Return the accepted branch as a multilinear map on some of the Pauli coefficients of n pairs.

        out[c] = sum map[c, a1 .. an] kept[a1] consumed[a2] .. consumed[an]

    Args:
        protocol: which.
        left: gates of the left end node of all pairs.
        right: gates of the right end node.
        labels: m pairs of letters such as "XX": the coefficients, of inputs and output alike.

    Returns:
        (m,) * (n + 1); the coefficient "II" is the probability.

    Note:
        Exact for pairs that have no other coefficients, differentiable.
    """
    n = protocol.num_pairs
    sides = [np.array([PAULIS.index(label[side]) for label in labels]) for side in (0, 1)]
    left_tensor, right_tensor = local_tensor(protocol, left), local_tensor(protocol, right)
    if protocol.accepted is not None:
        readouts: list[tuple[int, ...]] = list(itertools.product((0, 1), repeat=n - 1))
        chosen = np.array([readouts.index(bits) for bits in protocol.accepted])
        left_tensor, right_tensor = left_tensor[chosen], right_tensor[chosen]
    for axis in range(1, n + 2):  # the complex conjugate circuit
        right_tensor = right_tensor * BELL_SIGNS.reshape([4 if i == axis else 1 for i in range(n + 2)])
    pick = [np.ix_(*[side] * (n + 1)) for side in sides]
    found = jnp.sum(left_tensor[(slice(None), *pick[0])] * right_tensor[(slice(None), *pick[1])], axis=0)
    return jnp.tensordot(twirl(labels), found, 1) if protocol.twirled else found


def twirl(labels: tuple[str, ...]) -> np.ndarray:
    """Return the map (m, m) that keeps "II" and averages <XX>, -<YY>, <ZZ>: the twirl to a Werner state."""
    matrix = np.zeros((len(labels), len(labels)))
    matrix[labels.index("II"), labels.index("II")] = 1.0
    equal = [labels.index(label) for label in ("XX", "YY", "ZZ")]
    signs = BELL_SIGNS[1:]
    matrix[np.ix_(equal, equal)] = np.outer(signs, signs) / 3
    return matrix
