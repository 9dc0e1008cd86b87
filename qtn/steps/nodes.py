"""Many nodes as arrays: the one place where the numbers of nodes are stacked, so that no consumer forgets one."""

from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn._checks import real
from qtn._pytree import pytree, stack, static, together
from qtn.hardware.memory import Memory
from qtn.hardware.node import Node
from qtn.steps.swap import gate_factors, swap_table


@pytree
class Nodes:
    """The numbers of n nodes, one array each."""

    rates: Float[Array, "n 3"]
    """Decay rates of X, Y, Z in the memories [1/s]."""

    two_qubit: Float[Array, "n"]
    """p2 of the gates."""

    readout: Float[Array, "n"]
    """eta of the readouts."""

    p_swap: Float[Array, "n"]
    """Success probability of a swap, that of the optics apart."""

    optics: Float[Array, "optical 4"]
    """Factors of the linear optics of those nodes that have it, see `LinearOptics.factors`."""

    optical: tuple[int, ...] = static()
    """Which nodes swap by linear optics; a consumer that swaps by gates only must refuse them."""

    equilibrium: tuple[float, ...] = static()
    """<Z> to which the memories relax."""

    @property
    def swaps(self) -> Float[Array, "n 4 4"]:
        """Return what a swap at each node does, see `swap_table`, success included."""
        factors = gate_factors(self.two_qubit, self.readout)
        by_optics = np.zeros(len(self.equilibrium), bool)
        if self.optical:
            by_optics[list(self.optical)] = True
            factors = factors.at[np.array(self.optical)].set(self.optics)
        return swap_table(self.p_swap[:, None] * factors, by_optics)


@jax.jit
def _rates(memory: Memory) -> Float[Array, "3"]:
    """Return the decay rates of a memory [1/s]."""
    return memory.pauli_rates()


def stacked_nodes(nodes: Sequence[Node]) -> Nodes:
    """Return nodes as arrays.

    Note:
        Exact, differentiable.
    """
    optical = tuple(place for place, node in enumerate(nodes) if node.optics is not None)
    optics = [node.optics.factors() for node in nodes if node.optics is not None]
    return Nodes(
        rates=together(_rates, [node.memory for node in nodes]),
        two_qubit=stack([node.gates.two_qubit for node in nodes]),
        readout=stack([node.gates.readout for node in nodes]),
        p_swap=stack([node.p_swap for node in nodes]),
        optics=stack(optics) if optics else real(np.zeros((0, 4))),
        optical=optical,
        equilibrium=tuple(float(node.memory.equilibrium()) for node in nodes),
    )
