"""The root of a chain: links and nodes in a line."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from qtn import _ranges as within
from qtn.hardware.fibre import travel_time
from qtn.links import chain as lines
from qtn.links.encoded import Ends
from qtn.problem import number as unit
from qtn.problem import placement
from qtn.problem.chain.link_table import STATIONS
from qtn.problem.chain.links import Link
from qtn.problem.chain.node import Node
from qtn.problem.chain.rows import chain_rows
from qtn.problem.number import Number
from qtn.problem.root import Root
from qtn.problem.route import write_out
from qtn.problem.table import Document, Table, part_of


def shared_or_listed(chain: Document) -> Iterator[tuple[str, str]]:
    """One link or a list of them, the same for nodes, and counts that fit."""
    num_links, links, nodes = chain.get("num_links"), chain.get("links"), chain.get("nodes")
    for name in ("link", "node"):
        if name in chain and f"{name}s" in chain:
            yield f"{name}s", f"both [chain.{name}] and [[chain.{name}s]] are given; keep one of them"
    if "link" not in chain and "links" not in chain:
        yield "link", "is missing; add [chain.link], or one [[chain.links]] table per link"
    if "link" in chain and "links" not in chain and "num_links" not in chain:
        yield "num_links", "is missing; add `num_links = ...`, or one [[chain.links]] table per link"
    if isinstance(links, list) and isinstance(num_links, int) and len(links) != num_links:
        yield "links", f"must hold num_links = {num_links} tables, but holds {len(links)}"
    count = num_links_of(chain)
    if isinstance(nodes, list) and count is not None and len(nodes) != count + 1:
        yield "nodes", f"must hold num_links + 1 = {count + 1} tables, but holds {len(nodes)}"


def nodes_are_neighbours(chain: Document) -> Iterator[tuple[str, str]]:
    """Links of a chain join neighbours: only those of networks name their nodes."""
    for name, table in [("link", chain.get("link")), *enumerated("links", chain)]:
        if isinstance(table, dict) and "between" in table:
            yield f"{name}.between", "names nodes of a [network], but those of a [chain] stand in a row; remove it"


def enumerated(key: str, chain: Document) -> list[tuple[str, Any]]:
    """Return the entries of a list of a table that is not checked yet, with their keys."""
    listed = chain.get(key)
    return [(f"{key}.{place}", each) for place, each in enumerate(listed)] if isinstance(listed, list) else []


def inner_nodes_store(chain: Document) -> Iterator[tuple[str, str]]:
    """Nodes between links hold qubits, also those of links of codes."""
    count = num_links_of(chain)
    links = chain["links"] if isinstance(chain.get("links"), list) else [chain.get("link")]
    for position, link in enumerate(links if count is not None and count > 1 else ()):
        if not isinstance(link, dict):
            continue
        model = link.get("model")
        kind = part_of(Chain, "link", model) if isinstance(model, str) else None
        if kind is not None and "ends" in kind.model_fields and link.get("ends") != Ends.STORED:
            name = f"links.{position}" if "links" in chain else "link"
            yield f"{name}.ends", f'must be "{Ends.STORED}", because nodes between links hold qubits; add it'


def one_satellite_moves(chain: Document) -> Iterator[tuple[str, str]]:
    """At most one link has passes, and that link is its own."""
    shared, listed = chain.get("link"), chain.get("links")
    if isinstance(shared, dict) and "overpass" in shared and num_links_of(chain) not in (1, None):
        yield "link.overpass", "is for a satellite of its own; write one [[chain.links]] table per link"
    moving = (
        [i for i, each in enumerate(listed) if isinstance(each, dict) and "overpass" in each]
        if isinstance(listed, list)
        else []
    )
    if len(moving) > 1:
        yield f"links.{moving[1]}.overpass", f"link {moving[0]} has passes already, and only one satellite may move"


def num_links_of(chain: Any) -> int | None:
    """Return the number of links of a [chain] table that is not checked yet, if it is known."""
    if not isinstance(chain, dict):
        return None
    links = chain.get("links")
    count = len(links) if isinstance(links, list) else chain.get("num_links")
    return count if isinstance(count, int) else None


class Positions(Table):
    """Numbers of a chain that follow from others."""

    positions_km: list[
        Annotated[float, Number("Way from node 0 to each inner node", within.NON_NEGATIVE, unit=unit.KM)]
    ]


class Chain(Root):
    """Links and nodes in a line: one for all positions, or one table each."""

    scheduled = True
    rules = (shared_or_listed, nodes_are_neighbours, inner_nodes_store, one_satellite_moves)
    named = (Positions,)

    num_links: Annotated[int, Number("Number of links", within.COUNT, traced=False)] | None = None
    link: Link | None = Field(default=None, description="One link for all positions")
    links: Annotated[list[Link], Field(min_length=1)] | None = Field(
        default=None, description="One table for each link, from left to right"
    )
    node: Node | None = Field(default=None, description="One node for all positions")
    nodes: Annotated[list[Node], Field(min_length=2)] | None = Field(
        default=None, description="One table for each node, from left to right, both ends included"
    )

    @classmethod
    def build(cls, table: Document) -> lines.Chain:
        """Build a chain from a table without None, whose numbers may be traced."""

        def built(key: str) -> Any:
            if f"{key}s" in table:
                return [cls.part(f"{key}s", each).build(each) for each in table[f"{key}s"]]
            return cls.part(key, table.get(key, {})).build(table.get(key, {}))

        return lines.chain(built("link"), built("node"), num_links=table.get("num_links"))

    @classmethod
    def complete(cls, table: dict[str, Any], key: str, folder: Path) -> list[str]:
        """Write out lengths of a route and presets, and the perfect node, so that its numbers have derivatives."""
        errors = write_out(table)
        if "node" not in table and "nodes" not in table:
            table["node"] = {}
        return errors

    @classmethod
    def title(cls, table: Document) -> str:
        """Return the number of links in words."""
        return f"{len(cls.link_tables(table))} links"

    @classmethod
    def rows(cls, evaluation: Any) -> dict[str, Any]:
        """Return links, joins, bounds, deadline and ages."""
        return chain_rows(evaluation, cls.link_tables(evaluation.table))

    @classmethod
    def derived(cls, table: Document) -> dict[str, float]:
        """Return the positions of the inner nodes."""
        return placement.positions(table)

    @classmethod
    def settle(cls, table: dict[str, Any], given: Document, values: Mapping[str, Any]) -> None:
        """Let positions decide on lengths."""
        for link, length in zip(table["links"], placement.lengths(given, values), strict=True):
            link["length_km"] = length

    @classmethod
    def highest(cls, table: Document, name: str) -> float | None:
        """Return the length of the route for positions of nodes, that of a link for its stations."""
        if name.startswith(placement.KEY):
            return placement.route_length(table)
        first, *parts = name.split(".")
        if STATIONS not in parts:
            return None
        return (table["links"][int(parts[0])] if first == "links" else table["link"])["length_km"]

    @classmethod
    def forms(cls, table: Document, pattern: str) -> list[str]:
        """Return what a pattern means where all positions share one link or node."""
        shared = [name for name in ("link", "node") if name in table]
        return [pattern.replace(f"chain.{name}s.*.", f"chain.{name}.", 1) for name in shared]

    @classmethod
    def misplaced(cls, table: Document, parts: list[str]) -> str | None:
        """Return chain.link.x for chain.links.2.x where one link is shared, and the other way round."""
        own, other = parts[0], parts[0][:-1] if parts[0].endswith("s") else f"{parts[0]}s"
        if own.removesuffix("s") not in ("link", "node") or own in table or other not in table:
            return None
        return ".".join(["chain", other, *(parts[2:] if own.endswith("s") else ["0", *parts[1:]])])

    @classmethod
    def link_tables(cls, table: Document) -> list[tuple[Any, Document]]:
        """Return the class and the table of each link, from left to right."""
        listed = table["links"] if "links" in table else [table["link"]] * table["num_links"]
        return [(cls.part("links", each), each) for each in listed]

    @classmethod
    def message_times(cls, table: Document) -> list[Any]:
        """Return how long a classical message over each link takes [s], by fibre along its length.

        Raises:
            ValueError: if a link has no length.
        """
        return travel_times(cls.link_tables(table))


def travel_times(links: list[tuple[Any, Document]]) -> list[Any]:
    """Return how long a classical message over each link takes [s], of the class and the table of each.

    Raises:
        ValueError: if a link has no length.
    """
    if any(kind.way is None for kind, _ in links):
        raise ValueError('schedule.latency: "messages" needs the length of each link, and an abstract link has none')
    return [travel_time(kind.way(each) * unit.KM.factor) for kind, each in links]
