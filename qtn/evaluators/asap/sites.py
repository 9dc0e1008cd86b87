"""The chain as a tensor network: what each link and swap does to the bond, in grid steps."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.evaluators.asap.line import Line
from qtn.schedules.policy import Ends
from qtn.states.basis import BELL_SIGNS
from qtn.steps.swap import gate_factors

END_LABELS = (0, 1, 2, 3, 3)
"""Paulis of the labels of the first qubit: I, X, Y, Z - z_eq, z_eq."""


@pytree
class Sites:
    """Tensors of the chain; a label of the bond is a Pauli, Z being two labels where memories relax."""

    p_success: Float[Array, "n"]

    attempt_steps: Float[Array, "n"]
    """Attempt time in units of the step."""

    matrix: Float[Array, "n k k"]
    """Link j and the swap at its left node: label of its left half from label of its right half; [0] is not used."""

    rates: Float[Array, "n k"]
    """Decay per step of each label at the left node of link j; [0] is not used."""

    first: Float[Array, "5 k"]
    """Link 0: label of the first qubit from label of the right half."""

    alone: Float[Array, "5"]
    """Link 0 without its right half: label of the first qubit."""

    first_rates: Float[Array, "5"]
    """Decay per step of the first qubit."""

    last_rates: Float[Array, "k"]
    """Decay per step of the last qubit."""

    labels: tuple[int, ...] = static()
    """Pauli of each label of the bond."""

    @property
    def doubled(self) -> bool:
        """Whether Z is two labels."""
        return len(set(self.labels)) < len(self.labels)


def same_pauli(labels: tuple[int, ...], others: tuple[int, ...]) -> Float[Array, "k l"]:
    """Return the matrix that is 1 where two labels belong to the same Pauli."""
    return jnp.asarray((np.array(labels)[:, None] == np.array(others)).astype(float))


def halves(labels: tuple[int, ...], equilibrium: np.ndarray) -> np.ndarray:
    """Return B (m, k, 4): how the labels of a qubit in the memory of each node follow from its Paulis I, X, Y, Z.

    The second label of Z is z_eq <I>, which stays, the first is <Z> - z_eq <I>, which decays. Their sum is <Z>.
    """
    found = np.zeros((equilibrium.size, len(labels), 4))
    for row, label in enumerate(labels):
        if label == 3 and row > labels.index(3):
            found[:, row, 0] = equilibrium
        else:
            found[:, row, label] = 1.0
    if labels.count(3) == 2:
        found[:, labels.index(3), 0] = -equilibrium
    return found


def label_rates(labels: tuple[int, ...], rates: Float[Array, "m 3"]) -> Float[Array, "m k"]:
    """Return the decay rate of each label at each node."""
    padded = jnp.pad(rates, ((0, 0), (1, 0)))
    kept = [0 if label == 3 and row > labels.index(3) else label for row, label in enumerate(labels)]
    return padded[:, np.array(kept)]


def swap_signs(line: Line) -> Float[Array, "nodes 4"]:
    """Return S_k f_k of a swap at each node, see `swap_table`, without the success probability."""
    return jnp.asarray(BELL_SIGNS) * gate_factors(line.two_qubit, line.readout)


def sites_of(line: Line, step: Float[Array, ""], ends: Ends, *, mass: bool) -> Sites:
    """Return the tensors of a chain on a grid.

    Args:
        line: the chain.
        step: grid step [s].
        ends: what the end nodes do; measured qubits do not decay.
        mass: whether the bond also carries the identity.
    """
    equilibrium, rates = np.array(line.equilibrium), line.rates * step
    if ends is Ends.MEASURED:
        equilibrium[[0, -1]] = 0.0
        rates = rates.at[np.array([0, -1])].set(0.0)
    labels = (0,) * mass + ((1, 2, 3, 3) if equilibrium.any() else (1, 2, 3))
    basis = halves(labels, equilibrium)
    rows = np.array(labels)
    joined = jnp.einsum("nai,nij,nbj->nab", basis[:-1], line.state, basis[1:])
    matrix = joined * same_pauli(labels, labels) * swap_signs(line)[:-1, rows, None]
    beginning = halves(END_LABELS, equilibrium[:1])[0] @ line.state[0]
    by_label = label_rates(labels, rates)
    return Sites(
        p_success=line.p_success,
        attempt_steps=line.attempt_time / step,
        matrix=matrix,
        rates=by_label[:-1],
        first=beginning @ basis[1].T,
        alone=beginning[:, 0],
        first_rates=label_rates(END_LABELS, rates[:1])[0],
        last_rates=by_label[-1],
        labels=labels,
    )
