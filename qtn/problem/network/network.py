"""The root of a network: links and nodes of any graph; what is evaluated is the path between two users."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from qtn.links import chain as lines
from qtn.links.graph import Graph, GraphStructure, graph, shortest_path, steps
from qtn.links.mirrored import mirrored
from qtn.problem import number as unit
from qtn.problem.chain.chain import travel_times
from qtn.problem.chain.link_table import STATIONS
from qtn.problem.chain.links import Link
from qtn.problem.chain.node import Node
from qtn.problem.choices import Swaps
from qtn.problem.network.rules import links_join_nodes, links_store, names_are_keys, paths_lead, users_are_joined
from qtn.problem.network.schedules import schedule_of
from qtn.problem.network.write_out import write_out
from qtn.problem.number import Number
from qtn.problem.root import Root
from qtn.problem.table import Choice, Document

Coordinate = Annotated[float, Number("Where it is drawn, in any unit: x, or y upwards", traced=False)]
Names = Annotated[list[str], Field(min_length=2)]


class Place(Node):
    """A node of a network."""

    at: Annotated[list[Coordinate], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="Coordinates, for drawings"
    )


class Network(Root):
    """Links and nodes by name, users, and which two of them quantities are about."""

    scheduled = ordered = routed = True
    rules = (names_are_keys, links_join_nodes, users_are_joined, paths_lead, links_store)

    users: Names | None = Field(default=None, description="Names of nodes that want pairs; all of them by default")
    pair: Annotated[list[str], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="The two users that quantities are about; the first two by default"
    )
    swaps: Choice[Swaps] = Field(
        default=Swaps.NESTED, description="In which order links of a path are joined, besides schedule.tree of the pair"
    )
    paths: list[Names] = Field(
        default=[], description="Names of nodes along a path, of each pair of users that does not take the shortest one"
    )
    topology: str | None = Field(
        default=None, description="A file (.graphml or .json) or topohub:NAME, whose nodes and links are written out"
    )
    link: dict[str, Any] | None = Field(default=None, description="What all links share unless they say otherwise")
    node: dict[str, Any] | None = Field(default=None, description="What all nodes share unless they say otherwise")
    nodes: Annotated[dict[str, Place], Field(min_length=2)] = Field(description="One table for each node, by its name")
    links: Annotated[dict[str, Link], Field(min_length=1)] = Field(description="One table for each link, by its name")

    @classmethod
    def complete(cls, table: dict[str, Any], key: str, folder: Path) -> list[str]:
        """Write out a topology, what links and nodes share, and presets."""
        return write_out(table, key, folder)

    @classmethod
    def build(cls, table: Document) -> lines.Chain:
        """Build the chain between the two users, from a table without None, whose numbers may be traced."""
        route = cls.route(table)
        along = zip(steps(structure_of(table, by_length=False), route), cls.link_tables(table), strict=True)
        links = [mirrored(kind.build(each)) if back else kind.build(each) for (_, back), (kind, each) in along]
        return lines.chain(links, [Place.build(table["nodes"][name]) for name in route])

    @classmethod
    def laid(cls, table: dict[str, Any], given: Document) -> dict[str, Any]:
        """Return a table with the path between the two users that the numbers of the file choose."""
        return table | {"route": cls.route(given)}

    @classmethod
    def rerouted(cls, table: Document) -> str:
        """Return that another path is the shortest here."""
        there = cls.route({key: value for key, value in table.items() if key != "route"})
        if there == table["route"]:
            return ""
        file, here = (" - ".join(path) for path in (table["route"], there))
        return f"the shortest path is {here} here, but {file} in the file: declare one of them in network.paths"

    @classmethod
    def route(cls, table: Document) -> tuple[str, ...]:
        """Return the nodes along the path between the two users: that of `laid`, else as the known numbers choose."""
        return tuple(table["route"]) if "route" in table else path_of(table, pair_of(table))

    @classmethod
    def schedule(cls, problem: Any) -> Any:
        """Return the tree of the file, or that which `swaps` names, along the path between the two users."""
        return schedule_of(problem)

    @classmethod
    def title(cls, table: Document) -> str:
        """Return what there is, and the path, in words."""
        counts = f"{len(table['nodes'])} nodes, {len(table['links'])} links, {len(users_of(table))} users"
        return f"{counts}, path {' - '.join(cls.route(table))}"

    @classmethod
    def rows(cls, evaluation: Any) -> dict[str, Any]:
        """Return what there is along the path, and what each pair of users gets."""
        from qtn.problem.network.rows import network_rows  # (it needs the schema of the whole file)

        return network_rows(evaluation)

    @classmethod
    def highest(cls, table: Document, name: str) -> float | None:
        """Return the length of a link for its stations."""
        first, *parts = name.split(".")
        return table["links"][parts[0]]["length_km"] if first == "links" and STATIONS in parts else None

    @classmethod
    def link_tables(cls, table: Document) -> list[tuple[Any, Document]]:
        """Return the class and the table of each link along the path."""
        return [(cls.part("links", each), each) for each in (table["links"][name] for name in cls.link_names(table))]

    @classmethod
    def link_names(cls, table: Document) -> list[str]:
        """Return the name of each link along the path."""
        names = list(table["links"])
        return [names[position] for position, _ in steps(structure_of(table, by_length=False), cls.route(table))]

    @classmethod
    def message_times(cls, table: Document) -> list[Any]:
        """Return how long a classical message over each link of the path takes [s]; see `Chain.message_times`."""
        return travel_times(cls.link_tables(table))

    @classmethod
    def graph(cls, table: Document, *, herald_decay: bool, given: Document | None = None) -> Graph:
        """Build all of it; lengths of ways are those of a table whose numbers are known, `given` or the same."""
        nodes = {name: Place.build(each) for name, each in table["nodes"].items()}
        links = {tuple(each["between"]): cls.part("links", each).build(each) for each in table["links"].values()}
        lengths = lengths_of(table if given is None else given)
        ways = None if lengths is None else dict(zip(links, lengths, strict=True))
        return graph(links, nodes, lengths=ways, herald_decay=herald_decay)


def structure_of(table: Document, *, by_length: bool = True) -> GraphStructure:
    """Return which links join which nodes; lengths must be known where paths go by them."""
    places = {name: place for place, name in enumerate(table["nodes"])}
    ends = tuple((places[left], places[right]) for left, right in (each["between"] for each in table["links"].values()))
    lengths = lengths_of(table) if by_length else None
    return GraphStructure(names=tuple(places), ends=ends, lengths=lengths)


def lengths_of(table: Document) -> tuple[float, ...] | None:
    """Return the length of each link [m]; None where one has none, so that all count alike."""
    kinds = [(Network.part("links", each), each) for each in table["links"].values()]
    if any(kind.way is None for kind, _ in kinds):
        return None
    return tuple(float(kind.way(each)) * unit.KM.factor for kind, each in kinds)


def users_of(table: Document) -> list[str]:
    """Return the names of the users."""
    return list(table.get("users", table["nodes"]))


def pair_of(table: Document) -> tuple[str, str]:
    """Return the two users that quantities are about."""
    left, right = table.get("pair", users_of(table)[:2])
    return left, right


def path_of(table: Document, pair: tuple[str, str]) -> tuple[str, ...]:
    """Return the path between two users: as declared, else the shortest."""
    for path in table.get("paths", ()):
        if {path[0], path[-1]} == set(pair):
            return tuple(path if path[0] == pair[0] else path[::-1])
    found: Any = shortest_path(structure_of(table), *pair)
    return found
