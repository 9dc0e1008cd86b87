"""Positions of the repeaters along a route, in place of the lengths of its links."""

import itertools
from collections.abc import Mapping
from typing import Any

KEY = "positions_km"
"""Of the positions of the inner nodes, numbered from 1, measured from node 0."""

SHORTEST = 1e-3
"""Least length of a link in an optimisation, as a fraction of the route."""


def positions(chain: Mapping[str, Any]) -> dict[str, float]:
    """Return the positions [km] of the inner nodes of a [chain] table, by name below it.

    Raises:
        ValueError: if the lengths of the links are not given one by one.
    """
    links = chain.get("links")
    if links is None:
        raise ValueError(f"`chain.{KEY}` needs one [[chain.links]] table per link, because lengths will differ")
    place, found = 0.0, {}
    for index, link in enumerate(links):
        if "length_km" not in link:
            raise ValueError(f"`chain.{KEY}` needs length_km in every link, but chain.links.{index} has none")
        if index:
            found[f"{KEY}.{index}"] = place
        place += link["length_km"]
    return found


def route_length(chain: Mapping[str, Any]) -> float:
    """Return the length of the route [km]."""
    return sum(link["length_km"] for link in chain["links"])


def lengths(chain: Mapping[str, Any], numbers: Mapping[str, Any]) -> list[Any]:
    """Return the length of each link [km] with some positions replaced."""
    places = positions(chain) | {name: value for name, value in numbers.items() if name.startswith(KEY)}
    stops = [0.0, *places.values(), route_length(chain)]
    return [after - before for before, after in itertools.pairwise(stops)]


def room(chain: Mapping[str, Any], numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return by how much each link is longer than the shortest allowed one, as a fraction of the route."""
    moved = {name.removeprefix("chain."): value for name, value in numbers.items() if name.startswith(f"chain.{KEY}")}
    total = route_length(chain) if moved else 1.0
    found = enumerate(lengths(chain, moved) if moved else ())
    return {f"length of link {i}": each / total - SHORTEST for i, each in found}
