"""Quantum memories: how fast each Pauli expectation value of a stored qubit decays.

A memory model answers one question, `pauli_rates()`: the rates (rX, rY, rZ) [1/s] at which
<X>, <Y>, <Z> of the stored qubit decay. Only unital, diagonal models are here: relaxation (finite T1)
moves <Z> towards +1 and needs a larger state level.
"""

from typing import Any, Protocol, runtime_checkable

import jax.numpy as jnp
from jaxtyping import Array, Float

from qtn import _checks
from qtn._pytree import pytree


@runtime_checkable
class Memory(Protocol):
    """What the evaluators ask of a memory."""

    def pauli_rates(self) -> Float[Array, "3"]:
        """Return the decay rates (rX, rY, rZ) [1/s]."""
        ...


@pytree
class PerfectMemory:
    """A memory that keeps its qubit for ever."""

    def pauli_rates(self) -> Float[Array, "3"]:
        """Return (0, 0, 0)."""
        return jnp.zeros(3)


@pytree
class DepolarisingMemory:
    """rho -> e^(-t/T) rho + (1 - e^(-t/T)) 1/2: all Paulis decay with the time constant T."""

    time_constant: Float[Array, ""]
    """T [s]; inf = perfect."""

    def pauli_rates(self) -> Float[Array, "3"]:
        """Return (1/T, 1/T, 1/T)."""
        return jnp.ones(3) / self.time_constant


@pytree
class DephasingMemory:
    """<X> and <Y> decay as e^(-t/T2), <Z> is kept (T1 = inf)."""

    t2: Float[Array, ""]
    """Coherence time T2 [s]; inf = perfect."""

    def pauli_rates(self) -> Float[Array, "3"]:
        """Return (1/T2, 1/T2, 0)."""
        return jnp.array([1.0, 1.0, 0.0]) / self.t2


def depolarising_memory(time_constant: Any) -> DepolarisingMemory:
    """Build a depolarising memory with time constant `time_constant` [s]."""
    return DepolarisingMemory(time_constant=_checks.positive("time_constant", time_constant))


def dephasing_memory(t2: Any) -> DephasingMemory:
    """Build a dephasing memory with coherence time `t2` [s]."""
    return DephasingMemory(t2=_checks.positive("t2", t2))
