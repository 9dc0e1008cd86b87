"""Read which nodes a network has, where they lie and how long its links are: GraphML, node-link JSON, TopoHub."""

import dataclasses
import importlib.util
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from qtn import _budget, _text

EARTH = 6371.0
"""Mean radius [km]."""

HUB = "topohub:"
"""How the name of a topology of the package `topohub` begins."""

LENGTHS = ("length_km", "dist", "distance", "length")
"""Attributes of a link that say its length [km], the first that is there."""

PLACES = (("Longitude", "Latitude"), ("longitude", "latitude"), ("lon", "lat"), ("x", "y"))
"""Attributes of a node that say where it lies; all but the last are degrees on the Earth."""

LABELS = ("name", "label")
"""Attributes of a node that name it."""

INSTALL = 'pip install "qtn[topology]"'


@dataclasses.dataclass(frozen=True)
class Topology:
    """Nodes and links, without hardware."""

    names: tuple[str, ...]
    """Of the nodes: their labels, or their ids where labels are absent or not different."""

    places: Mapping[str, tuple[float, float]]
    """Name -> (x, y) or (longitude, latitude) [degrees], of the nodes that say it."""

    lengths: Mapping[tuple[str, str], float | None]
    """Names of both nodes of a link -> its length [m]; None where it is not known."""


def read_topology(source: str, folder: str | Path = ".") -> Topology:
    """Read a topology.

    Args:
        source: path of a file that ends in .graphml (also .xml), or in .json for node-link data, as `networkx` and D3
            write it; or "topohub:" and a name such as "sndlib/germany50" or "topozoo/Abilene" of the package `topohub`.
        folder: where relative paths begin.

    Returns:
        topology: lengths are those of the links ("dist", "length", "length_km", "distance", in kilometres), else the
            great circle between nodes whose longitude and latitude are known, else None. Of parallel links the
            shortest one counts.

    Raises:
        ValueError: if the file cannot be read, a package is missing, a link joins a node with itself or with none, or a
            length is negative.

    References:
        Orlowski, Pioro, Tomaszewski, Wessaely, Networks 55, 276 (2010) (SNDlib); Knight et al., IEEE J. Sel. Areas
        Commun. 29, 1765 (2011) (Topology Zoo); Jurkiewicz, SoftwareX 23, 101533 (2023) (TopoHub).

    Example:
        >>> found = from_node_link({"nodes": [{"id": 0, "name": "a"}, {"id": 1, "name": "b"}],
        ...                         "edges": [{"source": 0, "target": 1, "dist": 61.63}]})
        >>> found.names, found.lengths
        (('a', 'b'), {('a', 'b'): 61630.0})
    """
    if source.startswith(HUB):
        return from_node_link(_of_hub(source.removeprefix(HUB)))
    path = Path(folder) / source
    text = _text_of(path)
    if path.suffix == ".json":
        try:
            return from_node_link(json.loads(text))
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"{path.name} is not valid JSON: {error}") from None
    if path.suffix in (".graphml", ".xml"):
        return from_node_link(_graphml(text, path.name))
    raise ValueError(f'{path.name} must end in .graphml or .json, or be "{HUB}NAME"')


def from_node_link(data: Any) -> Topology:
    """Return the topology of node-link data: {"nodes": [{"id", ...}], "edges" or "links": [{"source", "target", ...}]}.

    Raises:
        ValueError: see `read_topology`.
    """
    nodes, links = _rows(data, "nodes"), _rows(data, "edges") or _rows(data, "links")
    if not nodes or not links:
        raise ValueError('must hold a list "nodes" and a list "edges" (or "links"), neither of them empty')
    ids = [node.get("id", position) for position, node in enumerate(nodes)]
    names = dict(zip(map(_key, ids), _names(nodes, ids), strict=True))
    if len(names) < len(ids):
        raise ValueError("holds two nodes of the same id")
    found = {name: _place(node) for name, node in zip(names.values(), nodes, strict=True)}
    places = {name: (place[0], place[1]) for name, place in found.items() if place is not None}
    degrees = {name for name, place in found.items() if place is not None and place[2]}
    lengths: dict[tuple[str, str], float | None] = {}
    for link in links:
        left, right = (names.get(_key(link.get(end))) for end in ("source", "target"))
        if left is None or right is None or left == right:
            ends = _text.echoed((link.get("source"), link.get("target")))
            raise ValueError(f"holds a link between {ends}, which are not two of its nodes")
        pair = (right, left) if (right, left) in lengths else (left, right)
        length = _length(link, pair, places if {left, right} <= degrees else {})
        known = lengths.get(pair)
        lengths[pair] = length if known is None or (length is not None and length < known) else known
    return Topology(names=tuple(names.values()), places=places, lengths=lengths)


def _rows(data: Any, key: str) -> list[dict[str, Any]]:
    """Return the tables of a list."""
    found = data.get(key) if isinstance(data, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _key(name: Any) -> str:
    """Return an id by which nodes are found: 1 and "1" are alike."""
    return str(name)


def _names(nodes: Iterable[Mapping[str, Any]], ids: list[Any]) -> list[str]:
    """Return labels, or ids where some nodes have none or the same."""
    labels = [next((str(node[key]) for key in LABELS if node.get(key) not in (None, "")), None) for node in nodes]
    known = [label for label in labels if label is not None]
    return known if len(set(known)) == len(ids) else [str(each) for each in ids]


def _place(node: Mapping[str, Any]) -> tuple[float, float, bool] | None:
    """Return where a node lies, and whether that is longitude and latitude; `pos` of TopoHub is."""
    own: Any = node.get("pos")
    pairs = [(own, True)] if isinstance(own, list | tuple) else []
    pairs += [((node.get(x), node.get(y)), x != "x") for x, y in PLACES]
    for place, degrees in pairs:
        if len(place) == 2 and all(_is_number(each) for each in place):
            return float(place[0]), float(place[1]), degrees
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _length(link: Mapping[str, Any], pair: tuple[str, str], places: Mapping[str, tuple[float, float]]) -> float | None:
    """Return the length of a link [m]: its own, else the great circle between nodes whose places are given."""
    own = next((link[key] for key in LENGTHS if _is_number(link.get(key))), None)
    if own is not None and own < 0:
        raise ValueError(f"holds a link of {own:g} km between {pair[0]} and {pair[1]}; lengths are 0 or more")
    if own is None:
        return great_circle(*(places[name] for name in pair)) * 1e3 if places else None
    return float(own) * 1e3


def great_circle(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the distance of two points on the Earth [km].

        2 R arcsin sqrt(sin^2(dlat/2) + cos lat1 cos lat2 sin^2(dlon/2))

    Args:
        one: longitude and latitude [degrees].
        other: likewise.

    Example:
        >>> round(great_circle((0.0, 0.0), (0.0, 90.0)), 3)  # a quarter of the circumference
        10007.543
    """
    (lon1, lat1), (lon2, lat2) = (map(math.radians, place) for place in (one, other))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH * math.asin(min(1.0, math.sqrt(half)))


def _text_of(path: Path) -> str:
    """Return the text of a file that is not too long."""
    try:
        if said := _budget.CHARACTERS.excess(path.stat().st_size):
            raise ValueError(said)
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise ValueError(f"there is no file {_text.one_line(str(path))}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from None


def _of_hub(name: str) -> Any:
    """Return the data of a topology of TopoHub."""
    if importlib.util.find_spec("topohub") is None:
        raise ValueError(f'"{HUB}{_text.one_line(name)}" needs the package topohub: {INSTALL}')
    import topohub  # pyright: ignore[reportMissingImports]

    try:
        return topohub.get(name)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"topohub has no topology {_text.echoed(name)}: {_text.shortened(str(error))}") from None


def _graphml(text: str, name: str) -> Any:
    """Return GraphML as node-link data."""
    if importlib.util.find_spec("networkx") is None:
        raise ValueError(f"GraphML needs the package networkx: {INSTALL}")
    import networkx

    try:
        found: Any = networkx.parse_graphml(text)
        nodes = [dict(data) | {"id": node} for node, data in found.nodes(data=True)]
        edges = [dict(data) | {"source": left, "target": right} for left, right, data in found.edges(data=True)]
    except Exception as error:  # of XML, of types, of networkx
        raise ValueError(f"{name} is no GraphML: {_text.shortened(str(error) or type(error).__name__)}") from None
    return {"nodes": nodes, "edges": edges}
