"""A graph of links and nodes, and the chains that paths through it are."""

import dataclasses
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from qtn import _text
from qtn._pytree import pytree, static
from qtn.hardware.node import Node
from qtn.hardware.node import node as perfect_node
from qtn.links.chain import Chain, chain
from qtn.links.link import Link
from qtn.links.mirrored import mirrored

Name: TypeAlias = Any
"""Of a node: any hashable value."""


@dataclasses.dataclass(frozen=True)
class GraphStructure:
    """Everything about a graph that is no number for derivatives; hashable."""

    names: tuple[Name, ...]
    """Of the nodes, in order."""

    ends: tuple[tuple[int, int], ...]
    """Positions of the nodes of each link: its left node first."""

    lengths: tuple[float, ...] | None = None
    """Way along each link [m]: they decide which path is the shortest, and nothing else; None = all alike."""

    herald_decay: bool = True
    """See `qtn.chain`."""


@pytree
class Graph:
    """Links and nodes of any graph, with memories and time: each path through it is a `Chain`."""

    links: tuple[Link, ...]
    """In the order of `structure.ends`."""

    nodes: tuple[Node, ...]
    """In the order of `structure.names`, or the one node that all share."""

    structure: GraphStructure = static()

    @property
    def names(self) -> tuple[Name, ...]:
        """Return the names of the nodes, in order."""
        return self.structure.names

    @property
    def pairs(self) -> tuple[tuple[Name, Name], ...]:
        """Return the names of both nodes of each link, in order."""
        return tuple((self.names[a], self.names[b]) for a, b in self.structure.ends)

    def node(self, name: Name) -> Node:
        """Return a node by its name."""
        place = place_of(self.structure, name)
        return self.nodes[place if len(self.nodes) > 1 else 0]

    def link(self, left: Name, right: Name) -> Link:
        """Return the link between two nodes, as it is seen with `left` on its left."""
        (position, backwards), *_ = steps(self.structure, (left, right))
        return mirrored(self.links[position]) if backwards else self.links[position]

    def path(self, left: Name, right: Name) -> tuple[Name, ...]:
        """Return the nodes of `shortest_path`, both ends included."""
        return shortest_path(self.structure, left, right)

    def positions(self, path: Sequence[Name]) -> tuple[int, ...]:
        """Return which links a path takes, by their positions in `links`."""
        return tuple(position for position, _ in steps(self.structure, path))

    def chain(self, path: Sequence[Name]) -> Chain:
        """Return the chain along a path, `path[0]` on its left; see `chain_along`."""
        return chain_along(self, path)


def graph(
    links: Mapping[Any, Link],
    nodes: Node | Mapping[Name, Node] | None = None,
    *,
    lengths: Mapping[Any, float] | None = None,
    herald_decay: bool = True,
) -> Graph:
    """Build a graph of links.

    Args:
        links: (left node, right node) -> link; names are any hashable values.
        nodes: one node for all, or nodes by name, those left out being perfect; perfect nodes by default.
        lengths: way along each link [m], by the same keys; without them all links count alike in `Graph.path`.
        herald_decay: whether memories decay while their own pair is heralded, see `qtn.chain`.

    Returns:
        graph: a pytree whose leaves are numbers; `Graph.chain(path)` is what schedules and evaluators take. Nodes are
            in the order in which links name them.

    Raises:
        ValueError: if there is no link, a link joins a node with itself, two links join the same nodes, or nodes or
            lengths are of a node or a link that is not there.

    Note:
        `Graph` has memories and time. `qtn.Network` is the timeless one: it joins states that are there already, and
        with it nodes hold GHZ and graph states.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn import abstract_link, evaluate, nested
        >>> link = abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9)
        >>> star = graph({("ann", "hub"): link, ("bob", "hub"): link, ("eve", "hub"): link})
        >>> star.path("ann", "bob")
        ('ann', 'hub', 'bob')
        >>> print(f"{evaluate(star.chain(star.path('ann', 'bob')), nested(1)).mean_time:.9f}")
        2.666666667
    """
    if not links:
        raise ValueError("Argument `links` must hold at least one link, but is empty.")
    names = tuple(dict.fromkeys(name for pair in links for name in _two_nodes(pair)))
    places = {name: place for place, name in enumerate(names)}
    ends = tuple((places[left], places[right]) for left, right in links)
    known: dict[frozenset[int], tuple[Name, Name]] = {}
    for pair, both in zip(links, map(frozenset, ends), strict=True):
        if both in known:
            raise ValueError(
                f"Argument `links` must hold one link between two nodes, but holds {known[both]!r} and {pair!r}: give "
                "one link of several memories in their place (`multiplexed_link`)."
            )
        known[both] = pair
    way = None if lengths is None else tuple(_lengths(lengths, links))
    return Graph(
        links=tuple(links.values()),
        nodes=_nodes(nodes, names),
        structure=GraphStructure(names=names, ends=ends, lengths=way, herald_decay=herald_decay),
    )


def _two_nodes(pair: tuple[Name, Name]) -> tuple[Name, Name]:
    """Return the nodes of a link, which are two."""
    if not isinstance(pair, tuple) or len(pair) != 2 or pair[0] == pair[1]:
        raise ValueError(f"Argument `links` must join two different nodes, but holds {_text.echoed(pair)}.")
    return pair


def _nodes(nodes: Node | Mapping[Name, Node] | None, names: tuple[Name, ...]) -> tuple[Node, ...]:
    """Return the nodes in the order of their names."""
    if nodes is None or isinstance(nodes, Node):
        return (perfect_node() if nodes is None else nodes,)
    if alone := [name for name in nodes if name not in names]:
        raise ValueError(f"Argument `nodes` names {alone[0]!r}, which no link joins: add its link, or leave it out.")
    perfect = perfect_node()
    return tuple(nodes.get(name, perfect) for name in names)


def _lengths(lengths: Mapping[tuple[Name, Name], float], links: Iterable[tuple[Name, Name]]) -> Iterable[float]:
    """Return the length of each link [m]."""
    if strange := [pair for pair in lengths if pair not in set(links)]:
        raise ValueError(f"Argument `lengths` names the link {strange[0]!r}, which is not in `links`.")
    for pair in links:
        if pair not in lengths:
            raise ValueError(f"Argument `lengths` must hold the length of each link, but lacks that of {pair!r}.")
        length = float(lengths[pair])
        if not (length >= 0 and math.isfinite(length)):
            raise ValueError(f"Argument `lengths` must hold lengths from 0 on, but that of {pair!r} is {length}.")
        yield length


def place_of(structure: GraphStructure, name: Name) -> int:
    """Return the position of a node.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in structure.names:
        known = ", ".join(map(repr, structure.names[:10])) + (", ..." if len(structure.names) > 10 else "")
        raise ValueError(f"There is no node {_text.echoed(name)}; nodes are {known}.")
    return structure.names.index(name)


def steps(structure: GraphStructure, path: Sequence[Name]) -> tuple[tuple[int, bool], ...]:
    """Return the links that a path takes.

    Args:
        structure: of a graph.
        path: names of nodes, both ends included, no node twice.

    Returns:
        steps: (position of the link, whether the path runs from its right node to its left one) of each step.

    Raises:
        ValueError: if it has fewer than two nodes, one twice, one that is not there, or two that no link joins.
    """
    places = [place_of(structure, name) for name in path]
    if len(places) < 2 or len(set(places)) < len(places):
        raise ValueError(
            f"Argument `path` must lead through two or more nodes, each once, but is {_text.echoed(tuple(path))}."
        )
    known = {both: position for position, both in enumerate(structure.ends)}
    found = []
    for here, there in itertools.pairwise(places):
        if (here, there) not in known and (there, here) not in known:
            names = structure.names[here], structure.names[there]
            raise ValueError(
                f"Argument `path` goes from {names[0]!r} to {names[1]!r}, but no link joins them: add a link, or go "
                "another way."
            )
        backwards = (here, there) not in known
        found.append((known[(there, here) if backwards else (here, there)], backwards))
    return tuple(found)


def shortest_path(structure: GraphStructure, left: Name, right: Name) -> tuple[Name, ...]:
    """Return the path between two nodes that is the shortest by length, or by number of links without lengths.

    Of several the result is always the same one, and the way back is the same as the way there.

    Raises:
        ValueError: if a node is not there, both are the same, or no path joins them.
    """
    start, stop = place_of(structure, left), place_of(structure, right)
    if start == stop:
        raise ValueError(f"A path joins two different nodes, but both of its ends are {left!r}.")
    found = _path(structure, min(start, stop), max(start, stop))
    if not found:
        raise ValueError(f"No path joins {left!r} and {right!r}: add a link, or remove one of them.")
    return tuple(structure.names[place] for place in (found if start < stop else found[::-1]))


def _path(structure: GraphStructure, start: int, stop: int) -> list[int]:
    """Return the places along the shortest path; none where there is none."""
    count, ends = len(structure.names), np.array(structure.ends)
    ways = np.ones(len(ends)) if structure.lengths is None else np.array(structure.lengths)
    ways = np.maximum(ways, 1e-9 * max(ways.max(), 1.0))  # of lengths 0, fewer links; no way counts as no link
    joined = csr_array((ways, (ends[:, 0], ends[:, 1])), shape=(count, count))
    before = dijkstra(joined, directed=False, indices=start, return_predecessors=True)[1]
    found = [stop]
    while found[-1] != start:
        if before[found[-1]] < 0:
            return []
        found.append(int(before[found[-1]]))
    return found[::-1]


def chain_along(graph: Graph, path: Sequence[Name]) -> Chain:
    """Return the chain along a path: links that it takes backwards are mirrored.

    Args:
        graph: links and nodes.
        path: names of nodes, both ends included; `path[0]` is the left end.

    Raises:
        ValueError: if it is no path of the graph; see `steps`.

    Note:
        Structure only: works under any JAX transformation, and `jax.grad` goes back to the graph.
    """
    along = steps(graph.structure, path)
    links = [mirrored(graph.links[position]) if back else graph.links[position] for position, back in along]
    nodes = graph.nodes[0] if len(graph.nodes) == 1 else [graph.node(name) for name in path]
    return chain(links, nodes, herald_decay=graph.structure.herald_decay)
