"""How a network is joined: which link comes first at each node, where corrections go, which links close loops."""

import dataclasses
from collections import deque
from functools import lru_cache
from typing import Any

from qtn.networks.network import KEEP, MEASURE, SWAP, Name, Structure

Half = tuple[int, int]
"""A link and which of its ends."""


@dataclasses.dataclass(frozen=True)
class Site:
    """One qubit: of a node that joins its halves, or one half of a node that keeps them all."""

    label: Name
    node: int
    halves: tuple[Half, ...]
    kept: bool


@dataclasses.dataclass(frozen=True)
class Segment:
    """A link, or several joined by swaps, between two sites; its pair lies in the direction first -> second."""

    first: int
    second: int
    path: tuple[Half, ...]
    """Links along the way; end 0 = run through from its first to its second node."""

    swaps: tuple[int, ...]
    """Nodes that swap, along the way."""

    graph: bool
    """Whether it is an edge of a graph state."""

    tree: bool
    """Whether the second site is reached by it; else it closes a loop."""

    checked: bool


@dataclasses.dataclass(frozen=True)
class Layout:
    """A network as sites and segments."""

    sites: tuple[Site, ...]
    segments: tuple[Segment, ...]
    """Those of the spanning trees first, as they are reached; then those that close loops."""

    order: tuple[tuple[int, ...], ...]
    """Segments of each site as its qubit meets them; the first one brings the qubit."""

    receiver: tuple[int, ...]
    """Site that is corrected for a measured-out one; itself where the qubit is kept."""


def _sites(structure: Structure) -> list[Site]:
    """Return the qubits of all nodes that do not swap."""
    halves: list[list[Half]] = [[] for _ in structure.names]
    for link, ends in enumerate(structure.links):
        for end, node in enumerate(ends):
            halves[node].append((link, end))
    found = []
    for node, (name, own, operation) in enumerate(zip(structure.names, halves, structure.operations, strict=True)):
        if operation is SWAP and len(own) != 2:
            raise ValueError(f"Node {name!r} has {len(own)} links, but a swap joins two: let it fuse or keep.")
        if operation is KEEP and len(own) > 1:
            found += [Site(label=(name, half[0]), node=node, halves=(half,), kept=True) for half in own]
        elif operation is not SWAP:
            found.append(Site(label=name, node=node, halves=tuple(own), kept=operation is not MEASURE))
    return found


def _paths(structure: Structure, sites: list[Site]) -> list[dict[str, Any]]:
    """Follow the links from every site through swaps to the next site."""
    owner = {half: number for number, site in enumerate(sites) for half in site.halves}
    partner = {}
    for node, operation in enumerate(structure.operations):
        if operation is SWAP:
            one, other = ((k, e) for k, ends in enumerate(structure.links) for e in (0, 1) if ends[e] == node)
            partner |= {one: other, other: one}
    found, used = [], set()
    for half in sorted(owner):
        if half[0] in used:
            continue
        path, swaps = [half], []
        while (far := (path[-1][0], 1 - path[-1][1])) not in owner:
            swaps.append(structure.links[far[0]][far[1]])
            path.append(partner[far])
        used |= {link for link, _ in path}
        if owner[half] == owner[far]:
            label = sites[owner[far]].label
            raise ValueError(f"Swaps join node {label!r} with itself: let it keep its qubits, or fuse on the way.")
        found.append({"ends": (owner[half], owner[far]), "path": tuple(path), "swaps": tuple(swaps)})
    if len(used) < len(structure.links):
        lost = min(set(range(len(structure.links))) - used)
        raise ValueError(f"Link {lost} lies in a ring of swaps, where no qubit is kept: let one of its nodes keep.")
    return found


def _reversed(path: tuple[Half, ...]) -> tuple[Half, ...]:
    return tuple((link, 1 - end) for link, end in reversed(path))


@lru_cache(maxsize=256)
def layout(structure: Structure) -> Layout:
    """Grow the spanning trees and lay out all segments.

    Raises:
        ValueError: if a swap has not two links, the graph is not connected, nothing is kept in a part of it, the root
            keeps nothing, a measured-out node has no receiver, or a checked link closes no loop.
    """
    _require_connected(structure)
    sites = _sites(structure)
    segments, order = _grown(structure, sites, _paths(structure, sites))
    closing = {link for each in segments if not each.tree and not each.graph for link, _ in each.path}
    for link in sorted(structure.checked_links - closing):
        raise ValueError(
            f"Argument `checked_links` holds link {link}, which closes no loop of ordinary links; those that do: "
            f"{sorted(closing)}."
        )
    return Layout(
        sites=tuple(sites),
        segments=tuple(segments),
        order=tuple(tuple(own) for own in order),
        receiver=_receivers(sites, segments),
    )


def _require_connected(structure: Structure) -> None:
    """Raise unless every node can be reached from the first."""
    reached, front = {0}, [0]
    while front:
        node = front.pop()
        for ends in structure.links:
            if node in ends:
                new = set(ends) - reached
                reached |= new
                front += new
    if len(reached) < len(structure.names):
        lost = min(set(range(len(structure.names))) - reached)
        raise ValueError(
            f"Node {structure.names[lost]!r} cannot be reached from node {structure.names[0]!r}: the network must be "
            "connected; evaluate its parts one by one."
        )


def _roots(structure: Structure, sites: list[Site]) -> list[int]:
    """Return where trees may start, the wanted root first."""
    kept = [number for number, site in enumerate(sites) if site.kept]
    if structure.root < 0:
        return kept
    wanted = [number for number in kept if sites[number].node == structure.root]
    if not wanted:
        raise ValueError(f"Argument `root` must keep a qubit, but node {structure.names[structure.root]!r} does not.")
    return wanted + [number for number in kept if number not in wanted]


def _grown(
    structure: Structure, sites: list[Site], paths: list[dict[str, Any]]
) -> tuple[list[Segment], list[list[int]]]:
    """Grow the trees breadth first, through ordinary links before those of graph states."""
    graph = [sum(link in structure.graph_links for link, _ in each["path"]) % 2 == 1 for each in paths]
    checked = [any(link in structure.checked_links for link, _ in each["path"]) for each in paths]
    at = [[k for k, each in enumerate(paths) if number in each["ends"]] for number in range(len(sites))]
    tree, closing, reached, done = [], [], {}, set()

    def segment(k: int, start: int, is_tree: bool) -> Segment:
        forward = paths[k]["ends"][0] == start
        return Segment(
            first=start,
            second=paths[k]["ends"][1 if forward else 0],
            path=paths[k]["path"] if forward else _reversed(paths[k]["path"]),
            swaps=paths[k]["swaps"] if forward else paths[k]["swaps"][::-1],
            graph=graph[k],
            tree=is_tree,
            checked=checked[k],
        )

    for root in _roots(structure, sites):
        if root in reached:
            continue
        reached[root] = None
        fronts = (deque(), deque())
        visit = [root]
        while visit or any(fronts):
            for site in visit:
                for k in at[site]:
                    fronts[graph[k]].append((k, site))
            visit = []
            if not any(fronts):
                break
            k, start = (fronts[0] or fronts[1]).popleft()
            if k in done:
                continue
            done.add(k)
            other = sum(paths[k]["ends"]) - start
            if other in reached:
                closing.append((k, segment(k, start, False)))
            else:
                reached[other] = k
                if reached[start] is None:
                    reached[start] = k
                tree.append((k, segment(k, start, True)))
                visit = [other]
    for number, site in enumerate(sites):
        if number not in reached:
            raise ValueError(
                f"Node {structure.names[site.node]!r} lies in a part where no qubit is kept: let one fuse."
            )
    place = {k: position for position, (k, _) in enumerate(tree + closing)}
    order = [[place[k] for k in sorted(at[n], key=lambda k, n=n: (k != reached[n], k))] for n in range(len(sites))]
    return [each for _, each in tree + closing], order


def _receivers(sites: list[Site], segments: list[Segment]) -> tuple[int, ...]:
    """Return for each site the first kept one (as the trees reach them) that ordinary links join with it."""
    reached = list(dict.fromkeys(end for each in segments for end in (each.first, each.second)))
    group = list(range(len(sites)))
    for each in segments:
        if not each.graph:
            one, other = group[each.first], group[each.second]
            group = [one if own == other else own for own in group]
    found = []
    for number, site in enumerate(sites):
        able = [other for other in reached if sites[other].kept and group[other] == group[number]]
        if not site.kept and not able:
            raise ValueError(
                f"Node {site.label!r} is measured out, but no kept node is joined with it by ordinary links that could "
                "be corrected: let it fuse."
            )
        found.append(number if site.kept else able[0])
    return tuple(found)


def kept_sites(structure: Structure) -> dict[Name, int]:
    """Return label -> site of every kept qubit, in the order of the nodes."""
    return {site.label: number for number, site in enumerate(layout(structure).sites) if site.kept}
