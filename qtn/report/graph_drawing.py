"""Draw the graph of a network file as inline SVG: who is joined by which links, and how many pairs take each.

filled circle      a user                                white circle    another node
line               a link, as wide as pairs of users take it; its length beside it where there is room
"""

import html
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from qtn.links.graph import Graph, Name
from qtn.report.figures import BLUE, GREY
from qtn.report.network_drawing import MOST_NAME, RADIUS, scaled, springs
from qtn.report.svg import INK, SMALL, clean, line_at, shortened, text_at, width_of

MOST_LENGTHS = 40
"""Links up to which each has its length beside it."""

NARROW, WIDE = 1.5, 7.0
"""Width of a link that no pair takes, and of the one that most take [px]."""


def draw_graph(
    graph: Graph, positions: Mapping[Name, tuple[float, float]] | None = None, users: Iterable[Name] = ()
) -> str:
    """Draw which nodes a graph joins.

    Args:
        graph: what to draw.
        positions: name -> (x, y) of every node, y upwards, any unit; by default as springs would have it.
        users: nodes that are filled.

    Returns:
        An SVG element with title and description, to stand alone or inside an HTML page. The same arguments give the
        same text.

    Raises:
        ValueError: if a position is missing.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn import abstract_link
        >>> from qtn.links.graph import graph
        >>> link = abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9)
        >>> draw_graph(graph({("ann", "hub"): link, ("bob", "hub"): link}), users=["ann", "bob"])[:40]
        '<svg xmlns="http://www.w3.org/2000/svg" '
    """
    for name in graph.names if positions is not None else ():
        if name not in positions:  # pyright: ignore[reportOperatorIssue]
            raise ValueError(f"Argument `positions` must place every node, but not node {name!r}.")
    wanted = set(users)
    lengths = graph.structure.lengths or (None,) * len(graph.links)
    nodes = [
        {"name": str(name), "at": None if positions is None else positions[name], "user": name in wanted}
        for name in graph.names
    ]
    links = [
        {
            "name": f"{left} - {right}",
            "between": [str(left), str(right)],
            "length_km": None if length is None else length / 1e3,
            "num_pairs": 0,
        }
        for (left, right), length in zip(graph.pairs, lengths, strict=True)
    ]
    return draw_rows({"nodes": nodes, "links": links})


def draw_rows(network: Mapping[str, Any]) -> str:
    """Draw the "network" of `qtn evaluate --json`, see `draw_graph`, by springs if a node has no place."""
    nodes, links = network["nodes"], network["links"]
    names = [node["name"] for node in nodes]
    ends = [tuple(names.index(name) for name in link["between"]) for link in links]
    given = {node["name"]: node["at"] for node in nodes}
    if any(place is None for place in given.values()):
        given = springs(names, [(first, second) for first, second in ends])
    places, width, height = scaled(np.array([given[name] for name in names], dtype=float))
    places, width = with_room_for_names(places, width, names)
    parts = [*_lines(links, ends, places), *_circles(nodes, places)]
    about = f"{len(nodes)} nodes, {len(links)} links, {sum(bool(node['user']) for node in nodes)} users"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.1f} {height:.1f}" role="img" font-family="sans-serif" font-size="10">'
    )
    return f"{head}<title>Network</title><desc>{html.escape(about)}</desc>{''.join(parts)}</svg>"


def with_room_for_names(places: np.ndarray, width: float, names: list[str]) -> tuple[np.ndarray, float]:
    """Return places and width such that names, which stand centred below their nodes, are not cut."""
    halves = np.array([width_of(shortened(name, MOST_NAME)) / 2 for name in names])
    left, right = min(0.0, float((places[:, 0] - halves).min())), max(width, float((places[:, 0] + halves).max()))
    return places - [left, 0.0], right - left


def _lines(links: Any, ends: list[Any], places: np.ndarray) -> list[str]:
    """Return the lines of all links, with lengths where there is room."""
    most, found = max([link["num_pairs"] for link in links] or [0]), []
    for link, (first, second) in zip(links, ends, strict=True):
        share = link.get("share", link["num_pairs"] / most if most else 0.0)
        about = clean(link["name"]) + ("" if link["length_km"] is None else f", {link['length_km']:.4g} km")
        told = f"{about}, taken by {link['num_pairs']} pairs" if most else about
        told = f"{about}, {link['told']}" if "told" in link else told
        look = f' stroke="{BLUE if share else GREY}" stroke-width="{NARROW + (WIDE - NARROW) * share:.1f}"'
        (x1, y1), (x2, y2) = places[first].tolist(), places[second].tolist()
        line = line_at(x1, y1, x2, y2, f'{look} stroke-opacity="0.6"')
        found.append(f"<g><title>{html.escape(told)}</title>{line}</g>")
        if len(links) <= MOST_LENGTHS and link["length_km"] is not None:
            found.append(
                text_at((x1 + x2) / 2, (y1 + y2 - SMALL) / 2, f"{link['length_km']:.4g} km", more=f' fill="{INK}"')
            )
    return found


def _circles(nodes: Any, places: np.ndarray) -> list[str]:
    """Return all nodes with their names."""
    radius, found = RADIUS if len(nodes) <= MOST_LENGTHS else RADIUS / 2, []
    for node, (x, y) in zip(nodes, places, strict=True):
        fill = BLUE if node["user"] else "#FFFFFF"
        shape = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}" stroke="{INK}"/>'
        found.append(f"<g><title>{html.escape(clean(node['name']))}</title>{shape}</g>")
        found.append(text_at(x, y + radius + SMALL, shortened(node["name"], MOST_NAME)))
    return found
