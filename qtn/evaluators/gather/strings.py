"""Pauli strings of a gathered state: each is one sum over the times at which the last pair comes."""

import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from qtn._array import Array
from qtn.evaluators.gather.held import Held
from qtn.evaluators.gather.joining import Measured
from qtn.hardware.gates import Gates

TOGETHER = 2**22
"""Numbers that strings side by side take."""


@jax.jit
def string_means(held: Held, gate_set: Gates, kinds: Int[Array, "arms"], measured: Measured) -> Float[Array, "s"]:
    """Return the means of Pauli strings, times the probability that an attempt succeeds.

        f(u) sum_q w_q { prod_i now_i(q)[far_i, near_i] - prod_i before_i(q)[far_i, near_i] }

    Args:
        held: what is held of each kind of arm.
        gate_set: of the hub.
        kinds: (arms,), kind of each arm.
        measured: what the strings become at the hub.

    Note:
        Exact, differentiable: O(n q) a string.
    """

    def mean(entries: Array) -> Array:
        def add(carry: tuple[Array, Array], where: tuple[Array, Array]) -> tuple[tuple[Array, Array], None]:
            before, complete = carry
            now, new = held.now[where], held.new[where]
            return (before * (now - new), complete * now + before * new), None

        start = jnp.ones_like(held.weight), jnp.zeros_like(held.weight)
        return held.weight @ jax.lax.scan(add, start, (jnp.asarray(kinds), entries))[0][1]

    batch = max(1, TOGETHER // held.weight.size)
    entries = 4 * jnp.asarray(measured.far) + jnp.asarray(measured.near)
    sums = jax.lax.map(mean, entries, batch_size=min(batch, len(entries)))
    return sums * _factor(gate_set, measured)


def _factor(gate_set: Gates, measured: Measured) -> Float[Array, "s"]:
    """Return sign p2^gates (2 eta - 1)^bits."""
    noise = jnp.asarray(gate_set.two_qubit) ** jnp.asarray(measured.gates, int)
    return (
        jnp.asarray(measured.sign) * noise * (2 * jnp.asarray(gate_set.readout) - 1) ** jnp.asarray(measured.bits, int)
    )
