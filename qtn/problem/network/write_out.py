"""Short forms of a [network] table, written out before it is checked.

[network.link]                              [network.links.ab]
attenuation_db_per_km = 0.2          ->     attenuation_db_per_km = 0.2     (keys that are given stay)
[network.links.ab]                          between = ["a", "b"]
between = ["a", "b"]

Each number then has a name, and a derivative, of its own.
"""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qtn.problem.network.rules import NAME, strings, tables_of
from qtn.problem.route import write_out_preset

Document = dict[str, Any]


def write_out(table: Document, key: str, folder: Path) -> list[str]:
    """Replace the short forms in a [network] table; return one sentence for each that cannot be."""
    errors = list(read_topology_into(table, key, folder))
    if isinstance(table.get("links"), dict) and "nodes" not in table:
        ends = (name for link in tables_of(table, "links").values() for name in strings(link.get("between")))
        table["nodes"] = {name: {} for name in ends}
    for shared, listed in (("link", "links"), ("node", "nodes")):
        if isinstance(table.get(shared), dict):
            errors.extend(share(table, key, shared, listed))
        for name, each in tables_of(table, listed).items():
            if "preset" in each:
                errors.extend(write_out_preset(f"{key}.{listed}.{name}", dict_of(each)))
    return errors


def dict_of(table: Any) -> Document:
    """Return a table that may be changed in place."""
    assert isinstance(table, dict)
    return table


def share(table: Document, key: str, shared: str, listed: str) -> Iterator[str]:
    """Write what links or nodes share into each of them that does not say otherwise."""
    given, taken = table.pop(shared), set()
    for each in tables_of(table, listed).values():
        for name in given:
            if name not in each:
                taken.add(name)
                dict_of(each)[name] = copy.deepcopy(given[name])
    for name in given if tables_of(table, listed) else ():
        if name not in taken:
            yield (
                f"{key}.{shared}.{name}: is not used, as each of [{key}.{listed}] has its own; remove it, or set "
                f"{key}.{listed}.NAME.{name}"
            )


def read_topology_into(table: Document, key: str, folder: Path) -> Iterator[str]:
    """Write the nodes and links of a topology into a [network] table; tables that it has stay, and add to these."""
    source = table.pop("topology", None)
    if source is None:
        return
    if not isinstance(source, str):
        yield f"{key}.topology: must be a string"
        return
    from qtn.networks.topology import read_topology

    try:
        found = read_topology(source, folder)
    except ValueError as error:
        yield f"{key}.topology: {error}"
        return
    names = {name: plain_name(name) for name in found.names}
    if len(set(names.values())) < len(names):
        yield f"{key}.topology: holds names that are alike without dots, quotes and spaces; rename nodes in the file"
        return
    nodes, links = table.setdefault("nodes", {}), table.setdefault("links", {})
    for name, plain in names.items() if isinstance(nodes, dict) else ():
        own = nodes.setdefault(plain, {})
        if isinstance(own, dict) and name in found.places:
            own.setdefault("at", list(found.places[name]))
    for (left, right), length in found.lengths.items() if isinstance(links, dict) else ():
        own = links.setdefault(f"{names[left]}_{names[right]}", {})
        if isinstance(own, dict):
            own.setdefault("between", [names[left], names[right]])
            if length is not None:
                own.setdefault("length_km", length / 1e3)


def plain_name(name: str) -> str:
    """Return a name as it can stand in a dotted key."""
    return "_".join(NAME.findall(name)) or "_"
