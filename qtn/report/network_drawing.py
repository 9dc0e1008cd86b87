"""Draw a network as inline SVG: nodes where its graph puts them, links coloured by what they deliver.

filled circle      a node that keeps a qubit; two rings: the root     white circle   measured out
orange diamond     swap                                                cut circle     keeps every half
line               a link, from red (F = 1/2) to blue (F = 1)          dashed         edge of a graph state
arrow              where outcomes are sent: away from the root         none           the link closes a loop
"""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from qtn import _checks
from qtn.networks.layout import Layout, layout
from qtn.networks.network import KEEP, MEASURE, SWAP, Name, Network
from qtn.report.figures import BLUE, GREY
from qtn.report.svg import FONT, INK, clean, diamond, line_at, shortened, text_at, width_of
from qtn.states.pair import bell_from_pauli

MOST_NAME = 14
RADIUS, MARGIN, LEGEND_HEIGHT = 9.0, 44.0, 74.0
LOW, HIGH = np.array([0xD5, 0x5E, 0x00]), np.array([0x00, 0x72, 0xB2])


def draw_network(network: Network, positions: Mapping[Name, Any] | None = None) -> str:
    """Draw which nodes a network links, how good the links are, and what every node does.

    Args:
        network: what to draw; its numbers must be concrete.
        positions: name -> (x, y) of every node, y upwards, any unit; by default grids (names that are pairs of
            integers) lie on their grid, trees in rings around the root, cycles on a circle, all others as springs.

    Returns:
        An SVG element with title and description, to stand alone or inside an HTML page; it has no ids, styles,
        scripts or external fonts. The same arguments give the same text.

    Raises:
        ValueError: if numbers are traced, a position is missing, or the network cannot be laid out.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.networks import star, werner_links
        >>> draw_network(star(6, werner_links(0.9)))[:40]
        '<svg xmlns="http://www.w3.org/2000/svg" '
    """
    states = _checks.known(network.states)
    if states is None:
        raise ValueError("Argument `network` must hold concrete numbers, but its states are traced.")
    structure = network.structure
    plan = layout(structure)
    given = _positions(network, plan) if positions is None else positions
    for name in structure.names:
        if name not in given:
            raise ValueError(f"Argument `positions` must place every node, but not node {name!r}.")
    places, width, height = scaled(np.array([given[name] for name in structure.names], dtype=float))
    fidelities = np.asarray(bell_from_pauli(network.states))[:, 0]
    small = len(structure.names) > 40
    parts = [*_links(network, plan, places, fidelities), *_nodes(network, plan, places, small)]
    parts.append(_legend(fidelities, height, bool(structure.graph_links)))
    kept = sum(site.kept for site in plan.sites)
    about = f"{len(structure.names)} nodes, {len(structure.links)} links, {kept} qubits kept"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height + LEGEND_HEIGHT:.0f}" '
        f'viewBox="0 0 {width:.1f} {height + LEGEND_HEIGHT:.1f}" role="img" font-family="sans-serif" font-size="10">'
    )
    return f"{head}<title>Network</title><desc>{html.escape(about)}</desc>{''.join(parts)}</svg>"


def _positions(network: Network, plan: Layout) -> dict[Name, Any]:
    """Return where nodes lie by default."""
    names, links = network.structure.names, network.structure.links
    if all(isinstance(name, tuple) and len(name) == 2 and all(isinstance(k, int) for k in name) for name in names):
        return {name: (name[1], -name[0]) for name in names}  # pyright: ignore[reportIndexIssue]
    if len(links) < len(names):
        return _rings(network, plan)
    if len(links) == len(names) and all(sum(node in ends for ends in links) == 2 for node in range(len(names))):
        return _circle(network)
    return springs(names, links)


def _rings(network: Network, plan: Layout) -> dict[Name, Any]:
    """Place a tree in rings around its root; every subtree has a sector as wide as its leaves."""
    links = network.structure.links
    root = plan.sites[plan.segments[0].first].node
    line = all(sum(node in ends for ends in links) <= 2 for node in range(len(network.structure.names)))
    order, parent = [root], {root: -1}
    for node in order:
        for ends in links:
            if node in ends and sum(ends) - node not in parent:
                parent[sum(ends) - node] = node
                order.append(sum(ends) - node)
    leaves = dict.fromkeys(order, 0)
    for node in reversed(order):
        leaves[node] = max(1, leaves[node])
        if parent[node] >= 0:
            leaves[parent[node]] += leaves[node]
    start, depth, found = {root: 0.0}, {root: 0}, {}
    used = dict.fromkeys(order, 0)
    for node in order:
        if node != root:
            above = parent[node]
            start[node], depth[node] = start[above] + used[above], depth[above] + 1
            used[above] += leaves[node]
        angle = 2 * math.pi * (start[node] + leaves[node] / 2) / leaves[root]
        place = (depth[node] * math.cos(angle), depth[node] * math.sin(angle))
        found[network.structure.names[node]] = (order.index(node), 0.0) if line and leaves[root] == 1 else place
    return found


def _circle(network: Network) -> dict[Name, Any]:
    """Place a cycle on a circle, in the order of the cycle."""
    links, order = network.structure.links, [0]
    while len(order) < len(links):
        near = [sum(ends) - order[-1] for ends in links if order[-1] in ends]
        order.append(next((node for node in near if node not in order), order[0]))
    count = len(order)
    angles = [math.pi / 2 - 2 * math.pi * k / count for k in range(count)]
    radius = count / 5
    return {
        network.structure.names[n]: (radius * math.cos(a), radius * math.sin(a))
        for n, a in zip(order, angles, strict=True)
    }


def springs(names: Sequence[Name], links: Iterable[tuple[int, int]]) -> dict[Name, Any]:
    """Place any graph by stress: distances on paper follow numbers of links, from a fixed start.

    Args:
        names: of the nodes.
        links: positions of both nodes of each link.
    """
    count = len(names)
    distance = np.full((count, count), np.inf)
    np.fill_diagonal(distance, 0)
    for first, second in links:
        distance[first, second] = distance[second, first] = 1
    for middle in range(count):
        distance = np.minimum(distance, distance[:, middle, None] + distance[None, middle])
    distance = np.minimum(distance, count)  # of parts that no link joins
    turn = 2 * np.pi * np.arange(count) / count
    places = np.stack([np.cos(turn), np.sin(turn)], axis=1) * count / 5
    weights = 1 / np.maximum(distance, 1) ** 2
    np.fill_diagonal(weights, 0)
    for _ in range(300):  # each node to the mean of where the others want it
        apart = places[:, None] - places[None]
        length = np.maximum(np.linalg.norm(apart, axis=2), 1e-9)
        wanted = places[None] + apart * (distance / length)[..., None]
        places = (weights[..., None] * wanted).sum(1) / weights.sum(1)[:, None]
    return {name: tuple(place) for name, place in zip(names, places, strict=True)}


def scaled(places: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return places on paper (y downwards), width and height."""
    places = places * [1, -1]
    low, span = places.min(0), np.ptp(places, axis=0)
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2) + np.where(np.eye(len(places)), np.inf, 0)
    scale = min(90 / max(gaps.min(), 1e-9), 900 / max(span.max(), 1e-9))
    inner = span * scale
    width = max(inner[0] + 2 * MARGIN, 520.0)
    offset = np.array([(width - inner[0]) / 2, MARGIN])
    return (places - low) * scale + offset, width, inner[1] + 2 * MARGIN


def _colour(fidelity: float) -> str:
    """Return the colour of a link: red-orange at F <= 1/2, blue at 1."""
    share = min(1.0, max(0.0, 2 * fidelity - 1))
    return "#" + "".join(f"{round(value):02X}" for value in LOW + share * (HIGH - LOW))


def _links(network: Network, plan: Layout, places: np.ndarray, fidelities: np.ndarray) -> list[str]:
    """Return the lines of all links, parallel ones bent apart, with arrows along the spanning tree."""
    links, found = network.structure.links, []
    direction = {link: end for each in plan.segments if each.tree for link, end in each.path}
    for position, ends in enumerate(links):
        twins = [k for k, other in enumerate(links) if set(other) == set(ends)]
        bend = 16.0 * (twins.index(position) - (len(twins) - 1) / 2)
        start, stop = places[list(ends)] if direction.get(position, 0) == 0 else places[list(ends[::-1])]
        side = np.array([start[1] - stop[1], stop[0] - start[0]]) / max(np.linalg.norm(stop - start), 1e-9)
        if ends[0] > ends[1]:
            side = -side
        if position in direction and direction[position] == 1:
            side = -side
        middle = (start + stop) / 2 + bend * side
        control = 2 * middle - (start + stop) / 2
        dash = ' stroke-dasharray="6 3"' if position in network.structure.graph_links else ""
        names = " – ".join(clean(str(network.structure.names[node])) for node in ends)
        what = "" if position in direction else ", closes a loop"
        what += ", checked" if position in network.structure.checked_links else ""
        tooltip = f"link {position}: {names}, F = {fidelities[position]:.4g}{what}"
        path = f'd="M{start[0]:.1f},{start[1]:.1f}Q{control[0]:.1f},{control[1]:.1f} {stop[0]:.1f},{stop[1]:.1f}"'
        colour = _colour(float(fidelities[position]))
        found.append(
            f'<path class="link" {path} fill="none" stroke="{colour}" stroke-width="3"{dash}>'
            f"<title>{html.escape(tooltip)}</title></path>"
        )
        if position in direction and np.linalg.norm(stop - start) > 4 * RADIUS:
            found.append(_arrow(middle, stop - start, colour))
    return found


def _arrow(place: np.ndarray, along: np.ndarray, colour: str) -> str:
    """Return an arrow head."""
    unit = along / np.linalg.norm(along)
    across = np.array([-unit[1], unit[0]])
    points = [place + 6 * unit, place - 4 * unit + 5 * across, place - 4 * unit - 5 * across]
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polygon class="arrow" points="{text}" fill="{colour}"/>'


def _nodes(network: Network, plan: Layout, places: np.ndarray, small: bool) -> list[str]:
    """Return the marks and names of all nodes."""
    found, roots = [], {plan.sites[plan.segments[0].first].node}
    radius = 0.55 * RADIUS if small else RADIUS
    size = 7.0 if small else FONT
    for node, (name, operation) in enumerate(zip(network.structure.names, network.structure.operations, strict=True)):
        x, y = places[node]
        label = shortened(str(name), MOST_NAME)
        found.append(f'<g class="{operation.value}">{_mark(operation, x, y, radius, node in roots)}</g>')
        found.append(text_at(x + radius + 3, y - radius - 2, label, "start", size, f' fill="{INK}" class="name"'))
    return found


def _mark(operation: Any, x: float, y: float, radius: float, root: bool) -> str:
    """Return the mark of a node."""
    if operation is SWAP:
        return diamond(x, y, "swap")
    fill, edge = ("white", GREY) if operation is MEASURE else (BLUE, "white")
    place = f'<circle cx="{x:.1f}" cy="{y:.1f}"'
    title = {"keep": "keeps all halves", "fuse": "fuses, keeps one qubit", "measure": "fuses, measured out in X"}
    circle = (
        f'{place} r="{radius:g}" fill="{fill}" stroke="{edge}" stroke-width="1.6">'
        f"<title>{title[operation.value]}</title></circle>"
    )
    if operation is KEEP:
        circle += line_at(x, y - radius, x, y + radius, ' stroke="white" stroke-width="1.6"')
    if root:
        circle += (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius + 3.5:g}" fill="none" stroke="{BLUE}" stroke-width="1.4"/>'
        )
    return circle


def _legend(fidelities: np.ndarray, top: float, graph: bool) -> str:
    """Return what the marks mean."""
    x, parts = 16.0, []
    for operation, root, text in (
        ("fuse", False, "keeps a qubit"),
        ("fuse", True, "root"),
        ("keep", False, "keeps all halves"),
        ("measure", False, "measured out"),
        ("swap", False, "swap"),
    ):
        parts.append(_mark(_OPERATIONS[operation], x, top + 14, 6.0, root))
        parts.append(text_at(x + 12, top + 14, text, "start"))
        x += 24 + width_of(text)
    x = 16.0
    for step in range(24):
        colour = _colour(0.5 + step / 46)
        parts.append(f'<rect x="{x + 4 * step:.1f}" y="{top + 32:.1f}" width="4.2" height="8" fill="{colour}"/>')
    parts.append(
        text_at(x + 104, top + 36, f"fidelity 0.5 to 1; here {fidelities.min():.3g} to {fidelities.max():.3g}", "start")
    )
    parts.append(line_at(x, top + 56, x + 26, top + 56, f' stroke="{BLUE}" stroke-width="3"'))
    parts.append(_arrow(np.array([x + 13, top + 56]), np.array([1.0, 0.0]), BLUE))
    note = "outcomes sent along the arrow; no arrow: closes a loop" + (
        "; dashed: edge of a graph state" if graph else ""
    )
    parts.append(text_at(x + 34, top + 56, note, "start"))
    return f'<g class="legend" fill="{INK}">{"".join(parts)}</g>'


_OPERATIONS = {operation.value: operation for operation in type(KEEP)}
