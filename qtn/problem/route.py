"""Short forms of a [chain] table, written out before it is checked: lengths of a route, and presets of hardware.

[chain]                              [[chain.links]]
lengths_km = [40.0, 60.0]     ->     length_km = 40.0 ...   (one table per length, with the keys of [chain.link])

[chain.node]                         [chain.node]
preset = "trapped_ion_2023"   ->     memory = {...}, gates = {...}   (keys that are given stay)
"""

import copy
from collections.abc import Iterator
from typing import Any

from qtn import _text
from qtn.hardware.presets import PRESETS, Preset
from qtn.problem.chain.links import ClickLink, Link
from qtn.problem.chain.node import Gates
from qtn.problem.table import Table, models_of, number_of, tables_in

Document = dict[str, Any]


def write_out(chain: Document) -> list[str]:
    """Replace the short forms in a [chain] table; return one sentence for each that cannot be."""
    errors = list(write_out_lengths(chain))
    for name in ("link", "node"):
        listed = chain.get(f"{name}s")
        entries = [(f"chain.{name}", chain.get(name))]
        entries += [(f"chain.{name}s.{i}", entry) for i, entry in enumerate(listed if isinstance(listed, list) else [])]
        for key, table in entries:
            if isinstance(table, dict) and "preset" in table:
                errors.extend(write_out_preset(key, table))
    return errors


def write_out_lengths(chain: Document) -> Iterator[str]:
    """Turn `lengths_km` and one [chain.link] into one table per link."""
    if "lengths_km" not in chain:
        return
    lengths, link = chain.pop("lengths_km"), chain.get("link")
    if not isinstance(lengths, list) or not lengths:
        yield "chain.lengths_km: must be an array of at least one length"
    elif not isinstance(link, dict) or "links" in chain:
        yield "chain.lengths_km: needs one [chain.link] table for all links, and no [[chain.links]]"
    elif [key for key in link if key.startswith(("length", "loss", "distance"))]:
        key = next(key for key in link if key.startswith(("length", "loss", "distance")))
        yield f"chain.lengths_km: gives the lengths, so leave chain.link.{key} out (and use attenuation_db_per_km)"
    else:
        del chain["link"]
        chain["links"] = [copy.deepcopy(link) | {"length_km": length} for length in lengths]


def write_out_preset(key: str, table: Document) -> Iterator[str]:
    """Fill in what a preset knows and the table does not say."""
    name = table.pop("preset")
    if not isinstance(name, str) or name not in PRESETS:
        yield f"{key}.preset: must be one of {', '.join(PRESETS)}, but is {_text.echoed(name)}"
        return
    preset = PRESETS[name]
    if key.split(".")[1].startswith("node"):
        table.setdefault("memory", {"model": "dephasing", "t2_s": preset.coherence_time.value})
        given = table.setdefault("gates", {})
        if isinstance(given, dict):
            fill_in(given, Gates, preset)
        return
    takes = {name: kind for kind in tables_in(Link) if issubclass(kind, ClickLink) for name in models_of(kind)}
    model = table.get("model")
    if model not in list(takes):
        yield f"{key}.preset: belongs to links of model {' or '.join(takes)}, but the model is {_text.echoed(model)}"
        return
    fill_in(table, takes[model], preset)


def fill_in(table: Document, kind: type[Table], preset: Preset) -> None:
    """Give a table the numbers that a preset knows under their names in the library, unless it has them."""
    for key in kind.model_fields:
        number = number_of(kind, key)
        quantity = None if number is None else getattr(preset, number.name(key), None)
        if quantity is not None:
            table.setdefault(key, quantity.value)
