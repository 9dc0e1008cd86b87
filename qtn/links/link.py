"""The elementary link: entanglement that two neighbouring nodes herald attempt by attempt."""

import dataclasses
from typing import Protocol, runtime_checkable

import jax
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree, stack, static
from qtn.states.pair import bell_from_pauli


@pytree
class Heralded:
    """What a link offers to a schedule, whatever its physics; itself a link, whose pair is known already."""

    p_success: Float[Array, ""]
    """Probability that one attempt heralds a pair, in (0, 1]."""

    attempt_time: Float[Array, ""]
    """Duration of one attempt [s]; the k-th attempt delivers at k attempt_time."""

    state: Float[Array, "4 4"]
    """Pauli coefficients r[i, j] = tr(P_i x P_j rho) of the heralded pair, corrected to Phi+; r[0, 0] = 1."""

    held_left: Float[Array, ""] | None = dataclasses.field(default=None)
    """How long the memory of the left node has held its qubit at delivery [s], from when it emitted (or stored) its
    photon until both nodes know; it lies within the attempt. None = it did not."""

    held_right: Float[Array, ""] | None = dataclasses.field(default=None)
    """The same for the right node [s]."""

    right_flipped: bool = static(default=False)
    """Whether the right qubit is held before the X that brings it to `state`: it counts where a memory relaxes (T1)."""

    decayed: bool = static(default=False)
    """Whether `state` has decayed for that long already."""

    @property
    def bell_diagonal(self) -> Float[Array, "4"]:
        """Return the weights of Phi+, Psi+, Psi-, Phi- (errors I, X, Y, Z on Phi+), sum 1."""
        return bell_from_pauli(self.state)

    @property
    def holds(self) -> bool:
        """Return whether a memory has held its qubit."""
        return self.held_left is not None or self.held_right is not None

    @property
    def held(self) -> Float[Array, "2"]:
        """Return how long the left and the right memory have held their qubits [s]."""
        return stack([np.zeros(()) if time is None else time for time in (self.held_left, self.held_right)])

    def heralded(self) -> "Heralded":
        """Return this."""
        return self


@runtime_checkable
class Link(Protocol):
    """One heralding scheme with its parameters."""

    def heralded(self) -> Heralded:
        """Return success probability, attempt time and state of one attempt."""
        ...


@jax.jit
def herald(link: Link) -> Heralded:
    """Return what one attempt of a link heralds (compiled once per kind of link)."""
    return link.heralded()
