"""Qubits that are teleported from one end of a chain to the other, each through one delivered pair."""

from enum import StrEnum

import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.evaluators.outcome import Result, Summary
from qtn.links.chain import Chain
from qtn.steps.teleport import teleport, teleportation_fidelity

CLASSICAL_FIDELITY = 2 / 3
"""Best average fidelity of measuring a qubit and preparing it again, without any pair (Massar and Popescu 1995)."""


class Side(StrEnum):
    """An end of a chain."""

    LEFT = "left"
    RIGHT = "right"


@pytree
class Teleportation:
    """What teleportation through delivered pairs gives."""

    fidelity: Float[Array, ""]
    """Fidelity of a qubit that arrives, averaged over all pure qubits."""

    rate: Float[Array, ""]
    """Qubits that arrive per second [Hz]."""

    p_success: Float[Array, ""]
    """Probability that the Bell measurement of the sender succeeds."""


@pytree
class Teleporter:
    """Teleports a qubit through each pair; see `teleportation`."""

    sender: Side = static(default=Side.LEFT)

    def run(self, result: Result | Summary, chain: Chain) -> Teleportation:
        """Return what that gives."""
        return teleportation(result, chain, sender=self.sender)


def teleportation(result: Result | Summary, chain: Chain, *, sender: Side = Side.LEFT) -> Teleportation:
    """Teleport qubits through the pairs that a chain delivers, one qubit a pair.

        fidelity = 1/2 + sum_k T_kk / (6 T_00),   rate = T_00 / mean time,   T the map of (1, <X>, <Y>, <Z>)

    The sender measures its qubit and its half of the pair as it would for a swap: with its gate and readouts or its
    linear optics, and its `p_swap`. The receiver applies the Pauli correction, perfectly and without delay. With a
    perfect sender the fidelity is (2 F + 1) / 3 for a pair of fidelity F.

    Args:
        result: mean delivered pair and mean waiting time [s], of any evaluator.
        chain: where it was delivered; the end node of the sender counts.
        sender: the end that holds the qubit.

    Returns:
        found: fidelity, rate [Hz] and probability of success.

    Raises:
        ValueError: if `sender` is no end of a chain.

    Note:
        Exact for any pair state, differentiable. Where the success of the optics depends on the qubit, the average is
        over the qubits that arrive.

    References:
        Bennett et al., Phys. Rev. Lett. 70, 1895 (1993);
        Horodecki, Horodecki, Horodecki, Phys. Rev. A 60, 1888 (1999), arXiv:quant-ph/9807091.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn import abstract_link, chain, evaluate, nested
        >>> line = chain(abstract_link(p_success=0.5, attempt_time=1.0, fidelity=0.85), num_links=1)
        >>> found = teleportation(evaluate(line, nested(0)), line)
        >>> round(float(found.fidelity), 12), round(float(found.rate), 12)  # (2 F + 1) / 3, p / t
        (0.9, 0.5)
    """
    from_left = _checks.choice("sender", sender, Side) is Side.LEFT
    node = chain.node(0 if from_left else chain.num_links)
    pair = result.state if from_left else result.state.T
    p_success = teleport(jnp.array([1.0, 0.0, 0.0, 0.0]), pair, node)[0]
    return Teleportation(
        fidelity=teleportation_fidelity(pair, node), rate=p_success / result.mean_time, p_success=p_success
    )
