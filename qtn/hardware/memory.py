"""Quantum memories: how fast each Pauli expectation value of a stored qubit decays.

A memory model answers two questions: `pauli_rates()`, the rates (rX, rY, rZ) [1/s] at which <X>, <Y>, <Z> of the
stored qubit decay, and `equilibrium()`, the value to which <Z> decays:

    x(t) = e^(-rX t) x,      y(t) = e^(-rY t) y,      z(t) = z_eq + e^(-rZ t) (z - z_eq)

Where the equilibrium is not 0 (relaxation, T1) a pair needs a larger state level than Bell-diagonal.
"""

from typing import Any, Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree


@runtime_checkable
class Memory(Protocol):
    """What the evaluators ask of a memory."""

    def pauli_rates(self) -> Float[Array, "3"]:
        """Return the decay rates (rX, rY, rZ) [1/s]."""
        ...

    def equilibrium(self) -> float:
        """Return the <Z> to which a stored qubit relaxes; a property of the model, not of its numbers."""
        ...


@pytree
class PerfectMemory:
    """A memory that keeps its qubit for ever."""

    def pauli_rates(self) -> Float[Array, "3"]:
        """Return (0, 0, 0)."""
        return jnp.zeros(3)

    def equilibrium(self) -> float:
        """Return 0."""
        return 0.0


@pytree
class DepolarisingMemory:
    """rho -> e^(-t/T) rho + (1 - e^(-t/T)) 1/2: all Paulis decay with the time constant T."""

    time_constant: Float[Array, ""]
    """T [s]; inf = perfect."""

    def pauli_rates(self) -> Float[Array, "3"]:
        """Return (1/T, 1/T, 1/T)."""
        return jnp.ones(3) / self.time_constant

    def equilibrium(self) -> float:
        """Return 0."""
        return 0.0


@pytree
class DephasingMemory:
    """<X> and <Y> decay as e^(-t/T2), <Z> is kept (T1 = inf)."""

    t2: Float[Array, ""]
    """Coherence time T2 [s]; inf = perfect."""

    def pauli_rates(self) -> Float[Array, "3"]:
        """Return (1/T2, 1/T2, 0)."""
        return jnp.array([1.0, 1.0, 0.0]) / self.t2

    def equilibrium(self) -> float:
        """Return 0."""
        return 0.0


@pytree
class RelaxingMemory:
    """Amplitude damping towards |0> with T1, and dephasing so that coherences decay with T2 <= 2 T1."""

    t1: Float[Array, ""]
    """Relaxation time T1 [s]; inf = none."""

    t2: Float[Array, ""]
    """Coherence time T2 [s]; inf = perfect."""

    def pauli_rates(self) -> Float[Array, "3"]:
        """Return (1/T2, 1/T2, 1/T1)."""
        return jnp.stack([1 / self.t2, 1 / self.t2, 1 / self.t1])

    def equilibrium(self) -> float:
        """Return 1: <Z> of |0>."""
        return 1.0


def depolarising_memory(time_constant: Any) -> DepolarisingMemory:
    """Build a depolarising memory with time constant `time_constant` [s]."""
    return DepolarisingMemory(time_constant=_checks.positive("time_constant", time_constant))


def dephasing_memory(t2: Any) -> DephasingMemory:
    """Build a dephasing memory with coherence time `t2` [s]."""
    return DephasingMemory(t2=_checks.positive("t2", t2))


def relaxing_memory(t1: Any, t2: Any) -> RelaxingMemory:
    """Build a memory with relaxation and dephasing.

    Args:
        t1: relaxation time T1 [s]; inf = none.
        t2: coherence time T2 [s], at most 2 T1.

    Raises:
        ValueError: if a time is not positive or T2 > 2 T1.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> [round(float(rate), 3) for rate in relaxing_memory(t1=2.0, t2=0.5).pauli_rates()]
        [2.0, 2.0, 0.5]
    """
    relaxation, coherence = _checks.positive("t1", t1), _checks.positive("t2", t2)
    known = _checks.known(relaxation), _checks.known(coherence)
    if known[0] is not None and known[1] is not None and not np.all(known[1] <= 2 * known[0] * (1 + 1e-12)):
        raise ValueError(
            f"Argument `t2` must be at most 2 `t1` = {2 * float(known[0]):g} s, but is {float(known[1]):g} s: "
            "relaxation destroys coherence as well. Lower t2, or raise t1."
        )
    return RelaxingMemory(t1=relaxation, t2=coherence)


def memory_matrices(durations: Array, rates: Array, equilibrium: Array) -> Float[Array, "m 4 4"]:
    """Return what stored qubits suffer, on Pauli coefficients (1, x, y, z).

        x -> exp(-rX t) x,    y -> exp(-rY t) y,    z -> z_eq + exp(-rZ t)(z - z_eq)

    Args:
        durations: (m,) [s].
        rates: (m, 3) [1/s].
        equilibrium: (m,).
    """
    kept = jnp.exp(-rates * durations[:, None])
    diagonal = jnp.concatenate([jnp.ones_like(kept[:, :1]), kept], axis=1)
    matrices = diagonal[:, :, None] * jnp.eye(4)
    return matrices.at[:, 3, 0].set(equilibrium * (1 - kept[:, 2]))
