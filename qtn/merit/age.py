"""How long the qubits of a delivered pair have been stored: its age at delivery, node by node."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.evaluators.evaluate import Evaluator
from qtn.evaluators.levels import states_decide
from qtn.evaluators.outcome import Result
from qtn.evaluators.renewal import Renewal
from qtn.hardware.gates import gates
from qtn.hardware.node import Node
from qtn.links.chain import Chain
from qtn.links.link import Heralded, herald
from qtn.schedules.tree import Distill, Schedule, subtrees
from qtn.states.pair import pauli_from_bell, werner
from qtn.steps.swap import swap_success


@pytree
class ProbeMemory:
    """A memory that depolarises at a rate, 0 included: the probe of storage times."""

    rate: Float[Array, ""]
    """[1/s]."""

    def pauli_rates(self) -> Float[Array, "3"]:
        """Return the rate three times."""
        return jnp.ones(3) * self.rate

    def equilibrium(self) -> float:
        """Return 0: no relaxation."""
        return 0.0


def storage_times(chain: Chain, schedule: Schedule, *, evaluator: Evaluator[Result] = Renewal()) -> Float[Array, "n"]:
    """Return how long the qubits of the delivered pair have been stored at each node, on average.

    Of all attempts only those count that end in the pair that is delivered: time that was spent on discarded pairs is
    no age, but the time for which memories hold qubits while their own pair is heralded does (`Chain.herald_decay`).
    Let every memory depolarise at a small rate r_i and all else be perfect: then <ZZ> at delivery is
    E[exp(-sum_i r_i A_i)], with A_i the time that qubits waited at node i (at inner nodes the sum over both), and

        E[A_i] = -d <ZZ> / d r_i at r = 0

    Args:
        chain: its success probabilities, attempt times and what memories hold while links herald count; states and
            gates do not, nor how good memories are.
        schedule: a tree of swaps and waits.
        evaluator: as in `qtn.evaluate`.

    Returns:
        times: (num_links + 1,), E[A_i] [s]; their sum is the mean age of the pair at delivery.

    Raises:
        ValueError: if the schedule distils: which of two pairs the age of one is, has no answer; if linear optics
            swaps pairs that are not Bell-diagonal.

    Note:
        Exact up to the grid error of the evaluator; differentiable once more.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> import qtn
        >>> line = qtn.chain(qtn.abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9), num_links=2)
        >>> [round(float(t), 9) for t in storage_times(line, qtn.nested(1))]  # E|T1 - T2| = 2 q / (p (2 - p))
        [0.666666667, 1.333333333, 0.666666667]
    """
    if any(isinstance(part, Distill) for part in subtrees(schedule.tree)):
        raise ValueError("Argument `schedule` must consist of swaps and waits for an age, but distils.")
    if states_decide(chain, schedule):
        raise ValueError(
            "Argument `chain` must swap pairs of links that are Bell-diagonal, in memories without T1, where linear "
            "optics swaps: else how often it succeeds depends on states, which do not count here."
        )
    links = []
    for link in chain.links:
        pair = link if isinstance(link, Heralded) else herald(link)
        links.append(dataclasses.replace(pair, state=pauli_from_bell(werner(1.0)), decayed=False))
    count = chain.num_links + 1

    def correlation(rates: Float[Array, "n"]) -> Float[Array, ""]:
        nodes = tuple(
            Node(memory=ProbeMemory(rate=rates[i]), gates=gates(), p_swap=swap_success(chain.node(i)))
            for i in range(count)
        )
        probed = dataclasses.replace(chain, links=tuple(links), nodes=nodes)
        weights = evaluator.summarise(probed, schedule).bell_diagonal
        return 1 - 2 * (weights[1] + weights[2])

    return -jax.grad(correlation)(jnp.zeros(count))
