"""How close a channel is to the gate that it should be."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.channels.convert import require_unitary
from qtn.circuits.gates import GATES
from qtn.states.basis import ptm


def gate_matrix(gate: Any, *angles: Any) -> Array:
    """Return the matrix of a gate, given by name or as a matrix.

    Raises:
        ValueError: if there is no such gate, it takes other angles, or the matrix is not unitary.
    """
    if not isinstance(gate, str):
        if angles:
            raise ValueError("A gate that is given as a matrix takes no angles.")
        return require_unitary("gate", gate)
    if gate not in GATES:
        raise ValueError(f"Argument `gate` must be one of {', '.join(GATES)}, or a matrix, but is {gate!r}.")
    if len(angles) != GATES[gate].num_parameters:
        raise ValueError(f"Gate {gate} takes {GATES[gate].num_parameters} angles, but {len(angles)} are given.")
    return GATES[gate].matrix(*(jnp.asarray(_checks.real(angle)) for angle in angles))


def process_fidelity(channel: Any, gate: Any, *angles: Any) -> Float[Array, ""]:
    """Return the fidelity of a channel with a gate: that of their Choi states.

        F_pro = tr(R_U^T R) / D^2,   R the Pauli transfer matrix

    Args:
        channel: an object with `ptm()`, or a Pauli transfer matrix (4, 4) or (16, 16).
        gate: a name of `qtn.circuits.gates.GATES`, or a unitary matrix.
        angles: of a named gate [rad].

    Returns:
        fidelity: in [0, 1]; the fidelity averaged over all pure inputs is (D F_pro + 1) / (D + 1).

    Raises:
        ValueError: if the two act on different numbers of qubits.

    Note:
        Exact, differentiable.

    References:
        Nielsen, Phys. Lett. A 303, 249 (2002), arXiv:quant-ph/0205035.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.channels import depolarising
        >>> float(process_fidelity(depolarising(0.4), "I"))
        0.7
    """
    found = _checks.real(channel.ptm() if hasattr(channel, "ptm") else channel)
    ideal = ptm(gate_matrix(gate, *angles))
    if found.shape != ideal.shape:
        raise ValueError(
            f"Argument `channel` must act on as many qubits as the gate, but has a transfer matrix {found.shape} where "
            f"the gate has {ideal.shape}."
        )
    return jnp.sum(ideal * found) / len(ideal)


def average_fidelity(channel: Any, gate: Any, *angles: Any) -> Float[Array, ""]:
    """Return the fidelity with the outputs of a gate, averaged over all pure inputs: (D F_pro + 1) / (D + 1)."""
    size = np.sqrt(len(channel.ptm() if hasattr(channel, "ptm") else channel))
    return (size * process_fidelity(channel, gate, *angles) + 1) / (size + 1)
