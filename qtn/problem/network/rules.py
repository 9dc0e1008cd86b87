"""What must be true of a [network] table: checked before it is built, with the key and the cure."""

import difflib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from qtn import _budget, _text
from qtn.links.encoded import Ends
from qtn.problem.table import Document

NAME = re.compile(r"[^\s.\"'=*\[\]]+")
"""Names that can stand between the dots of a dotted key."""

Wrong = Iterator[tuple[str, str]]


def names_are_keys(table: Document) -> Wrong:
    """Names stand in dotted keys."""
    for key in ("nodes", "links"):
        for name in tables_of(table, key):
            if not NAME.fullmatch(name) or _text.CONTROL.search(name):
                yield (
                    key,
                    f"names {_text.echoed(name)}, which no dotted key holds: leave dots, quotes, = and spaces out",
                )


def links_join_nodes(table: Document) -> Wrong:
    """Each link joins two nodes that are there, each two of them at most one link, and no node is left out."""
    known: dict[frozenset[str], str] = {}
    nodes, joined = tables_of(table, "nodes"), set()
    for name, link in tables_of(table, "links").items():
        if "between" not in link:
            yield f"links.{name}.between", 'is missing; add the names of its nodes, such as `between = ["a", "b"]`'
        ends = strings(link.get("between"))
        if len(ends) != 2:
            continue
        joined |= set(ends)
        for end in ends if nodes else ():
            if end not in nodes:
                yield f"links.{name}.between", unknown(end, nodes)
        if ends[0] == ends[1]:
            yield f"links.{name}.between", f"joins {ends[0]!r} with itself; name two different nodes"
        elif (other := known.setdefault(frozenset(ends), name)) != name:
            yield (
                f"links.{name}.between",
                f"joins {ends[0]!r} and {ends[1]!r}, as links.{other} does; keep one of them, with "
                "`num_memories = ...` for pairs side by side",
            )
    for name in nodes:
        if joined and name not in joined:
            yield f"nodes.{name}", "is joined by no link; add one, or remove the node"


def users_are_joined(table: Document) -> Wrong:
    """Users are nodes, each once, and paths join them; so are the two that quantities are about."""
    nodes = tables_of(table, "nodes")
    users = strings(table.get("users")) if "users" in table else list(nodes)
    for key, names in (("users", users), ("pair", strings(table.get("pair")))):
        for position, name in enumerate(names if nodes else ()):
            if name not in nodes:
                yield f"{key}.{position}", unknown(name, nodes)
            elif name in names[:position]:
                yield f"{key}.{position}", f"names {name!r} twice; name it once"
            elif name not in users:
                yield f"{key}.{position}", f"{name!r} is no user; add it to network.users, or name two of them"
    if said := _budget.PAIRS.excess(len(users) * (len(users) - 1) // 2):
        yield "users", said
    parts = components(nodes, (strings(link.get("between")) for link in tables_of(table, "links").values()))
    apart = [name for name in users if name in parts and parts[name] != parts.get(users[0])]
    if apart and users[0] in parts:
        yield (
            "users",
            f"no path joins {users[0]!r} and {apart[0]!r}; add a link, or name users of one part of the network",
        )


def paths_lead(table: Document) -> Wrong:
    """Declared paths go from link to link, each once, and no two have the same ends."""
    nodes, paths = tables_of(table, "nodes"), table.get("paths")
    joined = {frozenset(strings(link.get("between"))) for link in tables_of(table, "links").values()}
    known: set[frozenset[str]] = set()
    for position, path in enumerate(map(strings, paths if isinstance(paths, list) else ())):
        key = f"paths.{position}"
        if missing := [name for name in path if nodes and name not in nodes]:
            yield key, unknown(missing[0], nodes)
            continue
        if len(set(path)) < len(path):
            yield key, "leads through a node twice; name each once"
        for pair in itertools.pairwise(path):
            if frozenset(pair) not in joined and pair[0] != pair[1]:
                yield key, f"goes from {pair[0]!r} to {pair[1]!r}, but no link joins them; add one, or go another way"
        ends = frozenset((path[0], path[-1])) if path else frozenset()
        if ends in known:
            yield key, f"is the second path between {path[0]!r} and {path[-1]!r}; keep one of them"
        known.add(ends)


def links_store(table: Document) -> Wrong:
    """Nodes hold the qubits of all their links, also those of links of codes."""
    for name, link in tables_of(table, "links").items():
        if link.get("model") in ("one_way", "graph_state") and link.get("ends") != Ends.STORED:
            yield f"links.{name}.ends", f'must be "{Ends.STORED}", because nodes of a network hold qubits; add it'


def tables_of(table: Document, key: str) -> dict[str, Mapping[str, Any]]:
    """Return the tables under a key by name, as far as they are tables."""
    found = table.get(key)
    return {name: each for name, each in found.items() if isinstance(each, dict)} if isinstance(found, dict) else {}


def strings(value: Any) -> list[str]:
    """Return a list of texts, or [] where it is something else."""
    return value if isinstance(value, list) and all(isinstance(each, str) for each in value) else []


def unknown(name: str, nodes: Iterable[str]) -> str:
    """Say that there is no such node, and which there are."""
    nodes = list(nodes)
    close = difflib.get_close_matches(name, nodes, n=1)
    many = ", ..." if len(nodes) > 10 else ""
    cure = f"did you mean {close[0]!r}?" if close else f"nodes are {', '.join(map(repr, nodes[:10]))}{many}"
    return f"there is no node {_text.echoed(name)}; {cure}"


def components(nodes: Iterable[str], links: Iterable[list[str]]) -> dict[str, int]:
    """Return which part of the network each node belongs to."""
    places = {name: place for place, name in enumerate(nodes)}
    ends = [[places[name] for name in each] for each in links if len(each) == 2 and set(each) <= places.keys()]
    if not ends:
        return {}
    one, other = np.array(ends).T
    joined = csr_array((np.ones(len(ends)), (one, other)), shape=(len(places), len(places)))
    labels = connected_components(joined, directed=False)[1]
    return dict(zip(places, map(int, labels), strict=True))
