"""The elementary link: entanglement that two neighbouring nodes herald attempt by attempt."""

from typing import Protocol, runtime_checkable

from jaxtyping import Array, Float

from qtn._pytree import pytree


@pytree
class Heralded:
    """What a link offers to a schedule, whatever its physics."""

    p_success: Float[Array, ""]
    """Probability that one attempt heralds a pair, in (0, 1]."""

    attempt_time: Float[Array, ""]
    """Duration of one attempt [s]; the k-th attempt delivers at k attempt_time."""

    bell_diagonal: Float[Array, "4"]
    """Weights of Phi+, Psi+, Psi-, Phi- of the heralded pair (errors I, X, Y, Z on Phi+), sum 1."""


@runtime_checkable
class Link(Protocol):
    """One heralding scheme with its parameters."""

    def heralded(self) -> Heralded:
        """Return success probability, attempt time and state of one attempt."""
        ...
