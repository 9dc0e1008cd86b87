"""Gather a state of many users: arms deliver pairs at random times; a hub joins them when the last is there."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qtn import _checks
from qtn._array import Array
from qtn.evaluators.gather.held import Attempt, attempt_of, held_pairs, on_one_grid, require_memory
from qtn.evaluators.gather.joining import GhzJoining, GraphJoining, Joining, TreeJoining
from qtn.evaluators.gather.outcome import GroupOutcome, WaitingTime, require_max_bond
from qtn.evaluators.pairs import Pairs
from qtn.hardware.gates import gates
from qtn.hardware.memory import PerfectMemory
from qtn.hardware.node import Node
from qtn.schedules.policy import Ends
from qtn.tensors.recurrence import repeat_until_success

COARSER = "evaluate the arms with fewer or longer steps, `Renewal(step=..., num_steps=...)`"


def gather(
    arms: Sequence[Pairs],
    hub: Node | None = None,
    *,
    parents: Sequence[int] | None = None,
    edges: Sequence[tuple[int, int]] | None = None,
    cutoff_time: Any = None,
    ends: Ends | str = Ends.KEPT,
    max_bond: int = 64,
) -> GroupOutcome:
    """Gather a GHZ state, or a graph state, of the users at the ends of arms that meet at a hub.

        P(T <= t) = prod_i P(T_i <= t),      T = T_1 + ... if an attempt fails and all arms start again

    All arms start together. Pairs that are there wait in the memories of user and hub, until the last has come; then
    the hub joins its halves. For a GHZ state the half of the first arm meets each other one in a CNOT, which is
    measured in Z; it is measured in X itself: two arms are a swap. For a graph state halves meet in CZ gates along the
    edges, and all are measured in X.

    Messages of the hub take no time: users correct at once, and after a failure all arms start again at once. What the
    links and schedules of arms wait for counts. Along a tree every node waits for all arms, also those that end
    elsewhere. Joining as soon as its own are there would take as long (with p_swap = 1), but fewer halves would age:
    four users, p = .3 a step, T2 of 100 steps have <XXXX> = .64 here and .70 so.

    Args:
        arms: pairs of each user, 2 or more, from `pairs_of(evaluate(chain, schedule), chain)`: user left, hub right;
            all on one time grid. Arms that are the same object are computed once.
        hub: its memory holds the halves of all arms, its gates and readouts join them, each gate succeeding with
            `p_swap`; without it, the right memories of the arms and perfect gates.
        parents: of a tree: arm k joins node k + 1 (left) and this earlier node (right), 0 being the root; users are the
            nodes beyond which there is none, in order, and all others are hubs. None = all arms meet at one hub.
        edges: (user, user) of a graph state, users from 0 on, in the order of their gates; None = a GHZ state.
        cutoff_time: [s]; pairs that are not all there that long after the first are given up. None = never. Between
            two steps of the grid it is the mixture of both.
        ends: whether users keep their qubits until then, or measure them at once (`"measured"`).
        max_bond: largest bond of `GroupOutcome.state`; static.

    Returns:
        found: waiting time, mean state, mean values of Pauli strings.

    Raises:
        ValueError: if there are fewer than two arms, grids differ, the hub has linear optics, edges are not those of a
            graph over the users, or the cut-off is negative.

    Note:
        Exact on the grid of the arms: times, and Pauli strings of any number of users; T1 where arms hold the whole
        state. Differentiable in every number of arms, hub and cut-off. Arms of equal attempt times, or whole multiples,
        share an exact grid: `Renewal(step=..., num_steps=...)`.

    References:
        Avis, Rozpedek, Wehner, Phys. Rev. A 107, 012609 (2023), arXiv:2203.05517 (a factory node);
        Bugalho et al., Quantum 7, 920 (2023), arXiv:2103.14759 (distribution over networks).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn import abstract_link, chain, evaluate, nested
        >>> from qtn.evaluators.pairs import pairs_of
        >>> line = chain(abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9), num_links=1)
        >>> arm = pairs_of(evaluate(line, nested(0)), line)
        >>> found = gather([arm] * 3)
        >>> round(float(found.mean_time), 9), round(float(found.mean("XXX")), 9)  # 22/7, w^3
        (3.142857143, 0.729)
    """
    arms = list(arms)
    joining = _joining(len(arms), parents, edges)
    step = _one_step(arms)
    ends = _checks.choice("ends", ends, Ends)
    if hub is not None and hub.optics is not None:
        raise ValueError("Argument `hub` must join halves by gates and readouts, but has linear optics: leave it out.")
    users = joining.users(len(arms)) if ends is Ends.MEASURED else ()
    distinct, kinds = _kinds([(arm, place in users) for place, arm in enumerate(arms)])
    stored = on_one_grid([_stored(arm, hub, measured) for arm, measured in distinct])
    length = stored[0].states.shape[0]
    cutoff = _in_steps(cutoff_time, step, length)
    length *= 1 if cutoff is None else 2
    require_memory(4 * 16 * len(stored) * length, f"What {len(stored)} different arms hold at {length} times", COARSER)
    held = held_pairs(stored, cutoff)
    gate_set = gates() if hub is None else hub.gates
    works = 1.0 if hub is None else hub.p_swap ** joining.num_gates(len(arms))
    attempt = attempt_of(held, np.array(kinds), cutoff)
    time, p_success = _until_success(attempt, jnp.asarray(works, float), jnp.asarray(step, float))
    return GroupOutcome(
        time=time,
        p_success=p_success,
        held=held,
        gates=gate_set,
        kinds=tuple(kinds),
        joining=joining,
        max_bond=require_max_bond(max_bond),
    )


def _in_steps(cutoff_time: Any, step: Array, length: int) -> Array | None:
    """Return a cut-off in steps; None = never. Beyond the grid nothing is given up."""
    if cutoff_time is None:
        return None
    cutoff = _checks.non_negative("cutoff_time", cutoff_time) / step
    known = _checks.known(cutoff)
    if known is not None and known >= length:
        return None
    return jnp.minimum(jnp.asarray(cutoff, float), float(length))


@jax.jit
def _until_success(attempt: Attempt, works: Array, step: Array) -> tuple[WaitingTime, Array]:
    """Return the waiting time when every failure starts all arms again, and the success of one attempt."""
    complete = attempt.success.sum()
    p_success = complete * works
    total = complete + attempt.failure.sum()
    mean = attempt.duration / p_success
    success, failure = attempt.success * works, attempt.failure + attempt.success * (1 - works)
    again = repeat_until_success(success[None], failure, mean)[0]
    law = jnp.where(total - p_success > 0, again, success)
    return WaitingTime(probability=law, step=step, mean=mean * step), p_success


def _stored(arm: Pairs, hub: Node | None, measured: bool) -> Pairs:
    """Return an arm with the memories that hold its pairs; what is measured at once needs none."""
    user, near = arm.memories
    user = PerfectMemory() if measured else user
    return dataclasses.replace(arm, memories=(user, near if hub is None else hub.memory))


def _kinds(arms: Sequence[tuple[Pairs, bool]]) -> tuple[list[tuple[Pairs, bool]], list[int]]:
    """Return the different arms (and whether their users measure at once), and which of them each one is."""
    distinct: list[tuple[Pairs, bool]] = []
    kinds = []
    for arm, measured in arms:
        same = (k for k, (other, also) in enumerate(distinct) if other is arm and also == measured)
        place = next(same, len(distinct))
        kinds.append(place)
        if place == len(distinct):
            distinct.append((arm, measured))
    return distinct, kinds


def _one_step(arms: Sequence[Pairs]) -> Array:
    """Return the grid step of all arms [s]."""
    step = arms[0].step
    known = _checks.known(step)
    for place, arm in enumerate(arms):
        other = _checks.known(arm.step)
        if known is not None and other is not None and abs(other - known) > 1e-12 * known:
            raise ValueError(
                f"Argument `arms` must hold pairs on one time grid, but steps of arm 0 and {place} are "
                f"{float(known):g} s and {float(other):g} s: evaluate all with "
                "the same `Renewal(step=..., num_steps=...)`."
            )
    return step


def _joining(count: int, parents: Sequence[int] | None, edges: Sequence[tuple[int, int]] | None) -> Joining:
    """Return how the hub joins its halves."""
    if count < 2:
        raise ValueError(f"Argument `arms` must hold at least two arms, one for each user, but holds {count}.")
    if parents is not None:
        return _tree(count, parents, edges)
    return GhzJoining() if edges is None else _graph(count, edges)


def _tree(count: int, parents: Sequence[int], edges: Any) -> Joining:
    """Return the joining along a tree."""
    found = tuple(int(parent) for parent in parents)
    if edges is not None:
        raise ValueError("Arguments `parents` and `edges` are both given, but a graph state is joined at one hub.")
    if len(found) != count:
        raise ValueError(f"Argument `parents` must hold one node for each of {count} arms, but holds {len(found)}.")
    for arm, parent in enumerate(found):
        if not 0 <= parent <= arm:
            raise ValueError(
                f"Argument `parents` must name an earlier node, but that of node {arm + 1} (arm {arm}) is {parent}."
            )
    if found.count(0) < 2:
        raise ValueError("Argument `parents` must join at least two arms at node 0, the root, but joins one.")
    return TreeJoining(parents=found) if any(found) else GhzJoining()


def _graph(count: int, edges: Sequence[tuple[int, int]]) -> Joining:
    """Return the joining to a graph state."""
    found = tuple((int(one), int(other)) for one, other in edges)
    seen: set[frozenset[int]] = set()
    for edge in found:
        if edge[0] == edge[1] or not all(0 <= user < count for user in edge) or frozenset(edge) in seen:
            raise ValueError(
                f"Argument `edges` must join two different of the users 0 .. {count - 1}, each edge once, but "
                f"holds {edge}."
            )
        seen.add(frozenset(edge))
    if alone := sorted(set(range(count)) - {user for edge in found for user in edge}):
        raise ValueError(f"Argument `edges` must join all users, but leaves out user {alone[0]}.")
    return GraphJoining(edges=found)
