"""Ways to serve demands over a graph of links: which paths, with how much distillation, and what they deliver."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import yen

from qtn._array import Array, library
from qtn._budget import Budget
from qtn._pytree import stack
from qtn.evaluators.evaluate import Evaluator
from qtn.evaluators.paths import delivering_graph
from qtn.links.chain import Chain
from qtn.links.graph import Graph, Name, place_of
from qtn.merit.fidelity import fidelity
from qtn.merit.key_rate import Fraction, secret_key_rate
from qtn.schedules.tree import Elementary, Schedule, Swap, Tree, recurrence
from qtn.services.demands import Demand, Kind
from qtn.steps.distill import DistillationProtocol

WAYS = Budget(50_000, "ways to serve demands", "ask for fewer paths or rounds of distillation")

Segment = tuple[tuple[Name, ...], int, Kind]
"""Nodes of a part of a path between two trusted ones, rounds of distillation, and what is made of its pairs."""


@dataclasses.dataclass(frozen=True)
class Way:
    """One way to serve a demand."""

    demand: int
    path: tuple[Name, ...]
    rounds: int
    """Of distillation, of the pairs of each link."""
    segments: tuple[int, ...]
    """Which segments it is made of."""


def ways_of(
    graph: Graph, demands: Sequence[Demand], trusted: frozenset[Name]
) -> tuple[tuple[Way, ...], tuple[Segment, ...]]:
    """Return all ways to serve demands, and the segments that they are made of, each once.

    Raises:
        ValueError: if users are not connected, or there are too many ways.
    """
    WAYS.require(sum(each.num_paths * (each.rounds + 1) for each in demands))
    known: dict[Segment, int] = {}
    found = []
    for place, each in enumerate(demands):
        for path in shortest_paths(graph, each, place):
            stops = trusted if each.kind is Kind.KEY else frozenset()
            parts = split(path, stops)
            for rounds in range(each.rounds + 1):
                segments = [(part if _forward(part) else part[::-1], rounds, each.kind) for part in parts]
                numbers = tuple(known.setdefault(segment, len(known)) for segment in segments)
                found.append(Way(demand=place, path=path, rounds=rounds, segments=numbers))
    return tuple(found), tuple(known)


def _forward(part: tuple[Name, ...]) -> bool:
    """Whether a part is written in the direction in which it is evaluated."""
    return str(part[0]) <= str(part[-1])


def split(path: tuple[Name, ...], stops: frozenset[Name]) -> list[tuple[Name, ...]]:
    """Return the parts of a path between nodes that relay keys."""
    cuts = [0, *(i for i in range(1, len(path) - 1) if path[i] in stops), len(path) - 1]
    return [path[first : last + 1] for first, last in itertools.pairwise(cuts)]


def shortest_paths(graph: Graph, demand: Demand, place: int) -> list[tuple[Name, ...]]:
    """Return the shortest paths between the users of a demand, at most as many as it asks for.

    Raises:
        ValueError: if there is none.
    """
    ends = np.asarray(graph.structure.ends)
    lengths = graph.structure.lengths
    ways = np.ones(len(ends)) if lengths is None else np.maximum(np.asarray(lengths), 1e-9 * max(*lengths, 1.0))
    joined = csr_array(
        (np.tile(ways, 2), np.concatenate([ends, ends[:, ::-1]]).astype(np.int32).T), shape=(len(graph.names),) * 2
    )
    source, sink = (place_of(graph.structure, user) for user in demand.users)
    far, before = yen(joined, source, sink, demand.num_paths, return_predecessors=True)
    if len(far) == 0:
        raise ValueError(f"Demand {place}: no path joins {demand.title}. Add a link between their parts.")
    found = []
    for row in np.atleast_2d(before):
        nodes = [sink]
        while nodes[-1] != source:
            nodes.append(int(row[nodes[-1]]))
        found.append(tuple(graph.names[node] for node in reversed(nodes)))
    return found


def delivered_by(
    graph: Graph,
    segments: Sequence[Segment],
    schedule: Callable[[Chain], Schedule],
    evaluator: Evaluator[Any],
    fraction: Fraction,
    protocol: DistillationProtocol,
) -> tuple[Array, Array]:
    """Return what each segment makes if it has its links for itself.

    Returns:
        rates: (segments,), pairs or secret bits [1/s].
        fidelities: (segments,), of its pairs.
    """
    ready = delivering_graph(graph)
    pairs: dict[tuple[tuple[Name, ...], int], tuple[Any, Any, Any]] = {}
    for path, rounds, _ in segments:
        if (path, rounds) not in pairs:
            along = ready.chain(path)
            tree = schedule(along)
            if rounds:
                tree = dataclasses.replace(tree, tree=distilled_links(tree.tree, rounds, protocol))
            found = evaluator.summarise(along, tree)
            key = secret_key_rate(found, fraction)
            pairs[path, rounds] = (1 / found.mean_time, key, fidelity(found.state))
    rates = stack([pairs[path, rounds][kind is Kind.KEY] for path, rounds, kind in segments])
    return rates, stack([pairs[path, rounds][2] for path, rounds, _ in segments])


def distilled_links(tree: Tree, rounds: int, protocol: DistillationProtocol) -> Tree:
    """Return a tree whose links are distilled before they are joined.

    Raises:
        ValueError: if the tree does more than join links.
    """
    if isinstance(tree, Elementary):
        return recurrence(tree, rounds, protocol)
    if not isinstance(tree, Swap):
        raise ValueError("Argument `schedule` must only join links where demands ask for rounds of distillation.")
    parts = (distilled_links(part, rounds, protocol) for part in (tree.left, tree.right))
    return dataclasses.replace(tree, left=next(parts), right=next(parts))


def fidelities_of(ways: Sequence[Way], fidelities: Array) -> Array:
    """Return the lowest fidelity along each way."""
    found = [fidelities[np.asarray(each.segments)].min() for each in ways]
    return library(fidelities).stack(found) if found else jnp.zeros(0)
