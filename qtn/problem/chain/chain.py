"""The root of a chain: links and nodes in a line."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from qtn.hardware.fibre import travel_time
from qtn.links import chain as lines
from qtn.problem import number as unit
from qtn.problem import ranges as within
from qtn.problem.chain.links import Link
from qtn.problem.chain.node import Node
from qtn.problem.number import Number
from qtn.problem.table import Document, Table


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


class Chain(Table):
    """Links and nodes in a line: one for all positions, or one table each."""

    rules = (shared_or_listed,)
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
        found = cls.link_tables(table)
        if any(kind.way is None for kind, _ in found):
            raise ValueError(
                'schedule.latency: "messages" needs the length of each link, and an abstract link has none'
            )
        return [travel_time(kind.way(each) * unit.KM.factor) for kind, each in found]
