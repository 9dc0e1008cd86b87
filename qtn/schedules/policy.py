"""Swap as soon as possible, as data: a closed-loop rule instead of a tree, for chains of any length.

Every link is generated independently of all others, and a node swaps in the very moment in which it holds a pair on
both sides. What is left to choose: when links start anew, after which age a memory gives its qubit up, and what the
end nodes do with their qubits.

    policy in the literature                                            here
    every state from scratch: all links start anew together             swap_asap()
    links start anew at once, residual entanglement carries over        swap_asap(restart=Restart.CARRY_OVER)
    cut-offs at the nodes, only the segments concerned start anew       swap_asap(cutoff_times=...), any restart
"""

import enum
from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.schedules.tree import Distill, Elementary, Schedule, Swap, Wait


class Restart(enum.StrEnum):
    """When the links of a chain start anew after a delivery.

    A swap that fails and a pair that grows too old are no deliveries: under either rule only the links under the pair
    or pairs that were lost start anew, at once.
    """

    TOGETHER = "together"
    """After each delivery everything that is left is discarded, and all links start anew in the same moment: states
    are independent and identically distributed, and a link that has delivered rests until then."""

    CARRY_OVER = "carry_over"
    """A link starts anew as soon as both its memories are free, whatever the rest of the chain does: entanglement
    that is left at a delivery carries over to the next state, and successive states are correlated."""


class Ends(enum.StrEnum):
    """What the two end nodes do with their qubits while the rest of the chain is not ready."""

    MEASURED = "measured"
    """They measure at once, in the moment in which their link delivers: no memory, no decay from then on (key
    distribution). While the link heralds they hold their qubits as any memory does."""

    KEPT = "kept"
    """They store them until the state is delivered, with the decay of their memories."""


@pytree
class SwapAsap:
    """Swap as soon as possible; `jax.grad` with respect to it returns a `SwapAsap`.

    Hashable without cut-offs; with them its numbers are leaves, like those of a `Schedule`.
    """

    restart: Restart = static(default=Restart.TOGETHER)
    """When links start anew after a delivery."""

    ends: Ends = static(default=Ends.MEASURED)
    """What the end nodes do with their qubits."""

    cutoff_times: Float[Array, " n"] | None = None
    """Age at which a memory of each node gives its qubit up [s], (1,) for all nodes or (num_links + 1,) from left to
    right, inf = never; None = no cut-offs. The age counts from the delivery of the link that made the qubit, not from
    the emission of its photon, and swaps at other nodes do not reset it. The whole pair to which the qubit then belongs
    is lost."""


def swap_asap(
    *, restart: Restart | str = Restart.TOGETHER, ends: Ends | str = Ends.MEASURED, cutoff_times: Any = None
) -> SwapAsap:
    """Return the policy that swaps as soon as possible.

    Args:
        restart: `Restart.TOGETHER` ("together"), every state from scratch, or `Restart.CARRY_OVER` ("carry_over").
        ends: `Ends.MEASURED` ("measured"), the end nodes measure at once, or `Ends.KEPT` ("kept"), they store until
            delivery.
        cutoff_times: longest ages of stored qubits [s]: one for all nodes, or one for each node of the chain from left
            to right (end nodes included), inf = never; None = no cut-offs. May be traced.

    Raises:
        ValueError: if `restart` or `ends` is something else, a cut-off is negative, or they are not one number or one
            row of numbers.

    Example:
        >>> swap_asap() == SwapAsap()
        True
        >>> swap_asap(ends="kept") == swap_asap(ends=Ends.KEPT)
        True
    """
    restart, ends = _checks.choice("restart", restart, Restart), _checks.choice("ends", ends, Ends)
    if cutoff_times is None:
        return SwapAsap(restart=restart, ends=ends)
    times = jnp.atleast_1d(_checks.non_negative("cutoff_times", cutoff_times))
    if times.ndim != 1 or times.size == 0:
        raise ValueError(f"Argument `cutoff_times` must be one time or one for each node, but has shape {times.shape}.")
    return SwapAsap(restart=restart, ends=ends, cutoff_times=times)


def require_schedule(schedule: Any) -> None:
    """Raise unless this is a schedule, a tree or a policy.

    Raises:
        TypeError: with the function that makes one of it.
    """
    if isinstance(schedule, str):
        raise TypeError(f"Argument `schedule` must be a Schedule, but is a text: use parse({schedule!r:.80}).")
    if not isinstance(schedule, Schedule | SwapAsap):
        cure = "Schedule(tree=...)" if isinstance(schedule, Elementary | Swap | Distill | Wait) else "parse(...)"
        raise TypeError(
            f"Argument `schedule` must be a Schedule or swap_asap(), but is of {type(schedule).__name__}: use {cure}."
        )


def require_tree(evaluator: str, schedule: Schedule | SwapAsap) -> Schedule:
    """Return a schedule if it is a tree, the only kind that an evaluator takes.

    Raises:
        TypeError: with the evaluators of the policy.
    """
    require_schedule(schedule)
    if isinstance(schedule, SwapAsap):
        raise TypeError(f"{evaluator} evaluates trees, not the policy swap_asap(): use Asap() or Sampled().")
    return schedule


def cutoff_of_nodes(policy: SwapAsap, num_links: int) -> Float[Array, " num_nodes"]:
    """Return the cut-off of each node of a chain [s], (num_links + 1,), inf where there is none.

    Raises:
        ValueError: if the policy holds another number of cut-offs.
    """
    if policy.cutoff_times is None:
        return jnp.full(num_links + 1, jnp.inf)
    count = policy.cutoff_times.shape[0]
    if count not in (1, num_links + 1):
        raise ValueError(
            f"The policy holds {count} cut-offs, but the chain has num_links = {num_links}: give one for all nodes, or "
            f"{num_links + 1}."
        )
    return jnp.broadcast_to(policy.cutoff_times, (num_links + 1,))
