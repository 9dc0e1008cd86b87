"""Gates between two processors, and moves of qubits, through delivered pairs: exact maps for circuits."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array, library
from qtn._pytree import pytree, static
from qtn.dqc.copies import ZERO, both, closing, copying, ends_of, moving, pair_coefficients, telegate
from qtn.dqc.letters import letter_for, require_letter
from qtn.dqc.processes import gate_matrix
from qtn.hardware.node import Node
from qtn.states.basis import ptm

IN_PARTS = {
    "SWAP": (("CX", False, ()), ("CX", True, ()), ("CX", False, ())),
    "ISWAP": (("RXX", False, (-np.pi / 2,)), ("RYY", False, (-np.pi / 2,))),
}
"""Gates that are diagonal on no operand in a basis of Paulis, as gates that are: name, reversed or not, angles."""


@pytree
class RemoteGate:
    """A gate between two processors as a channel on its two qubits; built by `remote_gate`."""

    matrix: Float[Array, "16 16"]
    """Pauli transfer matrix."""
    num_pairs: int = static()
    """Pairs that it takes."""

    @property
    def num_qubits(self) -> int:
        """2."""
        return 2

    def ptm(self) -> Float[Array, "16 16"]:
        """Return the Pauli transfer matrix."""
        return self.matrix


def remote_gate(
    gate: Any,
    pair: Any,
    left: Node,
    right: Node,
    *angles: Any,
    copied: int = 0,
    letter: str | None = None,
    one_qubit: Any = 1.0,
    latency: Any = 0.0,
) -> RemoteGate:
    """Return the channel of a gate between two processors, done through delivered pairs (gate teleportation).

    The copied operand is copied through the pair in the basis in which the gate is diagonal on it (of CX: the control
    in Z, the target in X), the gate is done on the copy, the copy is measured; in Z:

        CX(q, eA); read eA; message; X on eB if 1; gate(eB, t); H on eB; read eB; message; Z on q if 1

    With perfect processors the process fidelity of CX, CY, CZ is the fidelity of the pair; small rotations do better.

    Args:
        gate: CX, CY, CZ, CP, CRZ, RXX, RYY or RZZ (one pair each), ISWAP (two), SWAP (three), or any (4, 4) unitary
            matrix that is diagonal on the copied operand in the basis of a Pauli, such as a controlled U (one).
        pair: (4, 4) Pauli coefficients, first index at `left`; (4,) Bell weights; or an `Outcome`, `Summary`.
        left: node of the first operand: its gates, readout and memory.
        right: node of the second operand.
        angles: of the gate [rad].
        copied: 0 or 1, the operand that is copied to the node of the other.
        letter: X, Y or Z, the basis in which a matrix is diagonal on that operand; needed where it is traced.
        one_qubit: p1 in [0, 1], each one-qubit gate of the protocol (H, and the corrections, whether they are needed or
            not) keeps its qubit with p1, else replaces it by 1/2; or (p1 of left, p1 of right).
        latency: time of a message [s]; both qubits and the half of the pair are stored for it and the readout.

    Returns:
        channel: for `qtn.circuits.channel`, or as noise of an operation.

    Raises:
        ValueError: if there is no such gate, the pair is no state, a number lies outside its range, or a matrix cannot
            go through a copy of that operand.

    Note:
        Exact for any state of the pair, linear in it, differentiable with respect to every number. Two-qubit gates are
        followed by the noise of their node, also the one within a processor. A gate of several pairs takes equal ones.

    References:
        Gottesman, Chuang 1999, Nature 402, 390, arXiv:quant-ph/9908010;
        Eisert, Jacobs, Papadopoulos, Plenio 2000, Phys. Rev. A 62, 052317, arXiv:quant-ph/0005101.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.dqc import process_fidelity
        >>> from qtn.hardware.node import node
        >>> from qtn.states.pair import werner
        >>> found = remote_gate("CX", werner(0.8), node(), node())  # a pair of fidelity (1 + 3 w) / 4
        >>> round(float(process_fidelity(found, "CX")), 12)
        0.85
    """
    if isinstance(copied, bool) or copied not in (0, 1):
        raise ValueError(f"Argument `copied` must be 0 or 1, but is {copied!r}.")
    p1 = both(one_qubit)
    state = pair_coefficients(pair)
    named = isinstance(gate, str)
    parts = IN_PARTS[gate] if named and gate in IN_PARTS and not angles else ((gate, False, angles),)
    found: Any = None
    for part, reverse, values in parts:
        unitary = gate_matrix(part, *values)
        if unitary.shape != (4, 4):
            raise ValueError(f"Argument `gate` must act on two qubits, but is {part if named else unitary.shape}.")
        operand = 1 - copied if reverse else copied
        if letter is not None:
            require_letter(letter, part, unitary, operand)
        basis = letter_for(part, unitary, operand) if letter is None else letter
        if not basis:
            raise ValueError(
                f"Argument `gate` must be diagonal on the copied operand {copied} in the basis of X, Y or Z, but "
                f"{gate if named else 'the matrix'} is not: copy the other operand, or move a qubit "
                "(`teledata`), do the gate there and move it back."
            )
        matrix = ptm(jnp.asarray(unitary, dtype=complex))
        matrix = exchanged(matrix) if reverse else matrix
        done = _through_copy(matrix, state, (left, right), p1, latency, copied, basis)
        found = done if found is None else done @ found
    return RemoteGate(matrix=found, num_pairs=len(parts))


def _through_copy(
    gate: Any, pair: Any, nodes: tuple[Node, Node], p1: Any, latency: Any, copied: int, letter: str
) -> Array:
    """Return the map of a gate on (left, right) with one operand copied."""
    left, right = nodes
    if not copied:
        return telegate(gate, pair, ends_of(left, right, p1, latency), letter)
    return exchanged(telegate(exchanged(gate), pair.T, ends_of(right, left, p1[::-1], latency), letter))


def exchanged(matrix: Float[Array, "*m 16 16"]) -> Float[Array, "*m 16 16"]:
    """Return a transfer matrix with its two qubits exchanged."""
    xp, lead = library(matrix), matrix.shape[:-2]
    return xp.einsum("...abcd->...badc", matrix.reshape(*lead, 4, 4, 4, 4)).reshape(*lead, 16, 16)


def open_copy(
    pair: Any, source: Node, target: Node, *, letter: str = "Z", one_qubit: Any = 1.0, latency: Any = 0.0
) -> Float[Array, "16 16"]:
    """Return the map on (qubit, slot) that copies a qubit through a pair to a slot of another processor.

        a|0> + b|1>  ->  a|00> + b|11>,   |0>, |1> the eigenstates of the letter, for the qubit and for the copy

    Every gate that is diagonal on the qubit in that basis may then act on the copy instead; several copies in several
    processors are a cat state. `close_copy` ends it.

    Args:
        pair: as in `remote_gate`, its first index at `source`.
        source: node of the qubit.
        target: node of the slot.
        letter: X, Y or Z.
        one_qubit: p1 of the correction at the target, or (p1 of source, p1 of target).
        latency: time of the message [s], in which qubit and copy are stored; other qubits are not seen here.

    Returns:
        matrix: what was in the slot is lost.

    References:
        Yimsiriwattana, Lomonaco 2004, arXiv:quant-ph/0402148 (cat-entangler and -disentangler).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.hardware.node import node
        >>> perfect = [1.0, 0.0, 0.0, 0.0]
        >>> there, back = open_copy(perfect, node(), node()), close_copy(node(), node())
        >>> bool(np.allclose((back @ there)[::4, ::4], np.eye(4)))
        True
    """
    found = copying(pair_coefficients(pair), ends_of(source, target, one_qubit, latency), letter)
    return (found[..., None] * np.eye(4)[0]).reshape(16, 16)


def close_copy(
    source: Node, target: Node, *, letter: str = "Z", one_qubit: Any = 1.0, latency: Any = 0.0
) -> Float[Array, "16 16"]:
    """Return the map on (qubit, slot) that measures a copy and corrects the qubit; the slot is left in |0>.

    Args: as in `open_copy`, without a pair.
    """
    found = closing(ends_of(source, target, one_qubit, latency), letter)
    return (found[:, None] * ZERO[:, None, None]).reshape(16, 16)


def teledata(pair: Any, source: Node, target: Node, *, one_qubit: Any = 1.0, latency: Any = 0.0) -> Float[Array, "4 4"]:
    """Return the map of a qubit that is teleported to another processor.

        CX(q, eA); H on q; read both; message; X and Z on eB as one correction

    Args:
        pair: as in `remote_gate`, its first index at `source`.
        source: node that sends: its gate, readouts.
        target: node that stores and corrects.
        one_qubit: p1 of H at the source and of the correction at the target, or one a node.
        latency: time of the message [s].

    Note:
        Exact, linear in the pair, differentiable. Only the diagonal of the pair matters while the half at the target
        does not relax (T1).

    References:
        Bennett et al. 1993, Phys. Rev. Lett. 70, 1895.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.hardware.node import node
        >>> bool(np.allclose(teledata([1.0, 0.0, 0.0, 0.0], node(), node()), np.eye(4)))
        True
    """
    return moving(pair_coefficients(pair), ends_of(source, target, one_qubit, latency))
