"""Combinations of whole numbers spread over all that may be chosen, at the best of which moves begin."""

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from qtn.codes.search import Entry

MOST_FIRST = 2000
"""Combinations that are evaluated before the first move."""

MOST_LISTED = 1 << 16
"""Combinations that are listed for that, before those with too many photons are left out."""

STATIONS = ".num_stations"
"""How names of numbers of stations end."""

SPACINGS_KM = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Fibre between stations in these combinations, besides that of the file."""


def spread_out(document: Any, numbers: Mapping[str, int], limit: int) -> list[Entry]:
    """Return combinations of sizes of codes and spacings of stations, spread over all that may be chosen.

    Args:
        document: of the problem.
        numbers: those that are chosen, as in the document, by dotted name.
        limit: most photons of a code.
    """
    stations = [name.endswith(STATIONS) for name in numbers]
    few = limit ** stations.count(False) <= MOST_FIRST
    sizes = list(range(1, limit + 1)) if few else [1 << level for level in range(limit.bit_length())]
    choices = [
        stations_of(document, name, number) if station else sizes
        for (name, number), station in zip(numbers.items(), stations, strict=True)
    ]
    if math.prod(map(len, choices)) <= MOST_LISTED:
        every = itertools.product(*choices)
    else:
        drawn = np.random.default_rng(0)
        every = map(tuple, np.column_stack([drawn.choice(each, MOST_LISTED) for each in choices]).tolist())
    fitting = [entry for entry in every if fewest_photons(numbers, entry) <= limit]
    return fitting[:: max(1, math.ceil(len(fitting) / MOST_FIRST))]


def fewest_photons(names: Iterable[str], entry: Entry) -> int:
    """Return the photons that the largest code has at least: the product of its numbers."""
    products: dict[str, int] = {}
    for name, number in zip(names, entry, strict=True):
        code, inside, _ = name.partition(".code.")
        if inside:
            products[code] = products.get(code, 1) * number
    return max(products.values(), default=0)


def stations_of(document: Any, name: str, number: int) -> list[int]:
    """Return numbers of stations with which spacings are of all lengths."""
    length = table_at(document, name.removesuffix(STATIONS))["length_km"]
    return sorted({number, *(max(1, round(length / spacing)) for spacing in SPACINGS_KM)})


def table_at(document: Any, name: str) -> Any:
    """Return the table of a document with a dotted name."""
    for part in name.split("."):
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document
