"""A satellite link of a chain whose satellite moves: orbit and stations, and what the chain delivers along passes."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from qtn import _checks
from qtn import _ranges as within
from qtn.evaluators.along import along
from qtn.links.satellite import Satellite
from qtn.merit.fidelity import fidelity, qber_x, qber_z
from qtn.orbits import Passes, orbit, passes, station
from qtn.problem import number as unit
from qtn.problem.chain.code_rows import chance
from qtn.problem.number import Number
from qtn.problem.table import Table

TURN = within.Range(-360.0, 360.0)
Latitude = Annotated[float, Number("North positive", within.Range(-90.0, 90.0), unit=unit.DEG, traced=False)]
Longitude = Annotated[float, Number("East positive", TURN, unit=unit.DEG, traced=False)]

KEYS = {"`num_nodes`": "num_slices", "`mask`": "minimum_elevation_deg", "`altitude`": "altitude_km"}
"""Arguments of the library -> keys of the file, for messages."""


class ChainOverpass(Table):
    """Passes of the satellite of a link over both ends, above its minimum elevation; evaluated slice by slice."""

    inclination_deg: Annotated[
        float,
        Number("Between the planes of orbit and equator", within.Range(0.0, 180.0), unit=unit.DEG, traced=False),
    ]
    raan_deg: Annotated[
        float, Number("Longitude of the ascending node at t = 0", TURN, unit=unit.DEG, traced=False)
    ] = 0.0
    phase_deg: Annotated[
        float, Number("From the node to the satellite at t = 0", TURN, unit=unit.DEG, traced=False)
    ] = 0.0
    latitude_left_deg: Latitude
    longitude_left_deg: Longitude = 0.0
    latitude_right_deg: Latitude
    longitude_right_deg: Longitude = 0.0
    start_s: Annotated[
        float, Number("When it is looked for passes first", within.Range(-1e9, 1e9), unit=unit.S, traced=False)
    ] = 0.0
    duration_s: Annotated[
        float, Number("How long it is looked for passes", within.Range(1.0, 1e7), unit=unit.S, traced=False)
    ] = 86_400.0
    num_slices: Annotated[int, Number("Slices of each pass", within.Range(1.0, 1000.0), traced=False)] = 8


def require_sight(table: Mapping[str, Any], link: Any) -> None:
    """Raise if either end of a link never sees its satellite; nothing where numbers are traced.

    Raises:
        ValueError: with keys of the file.
    """
    if all(_checks.known(each) is not None for each in (link.altitude, link.minimum_elevation)):
        passes_of({**table, "duration_s": 1.0}, link)


def passes_of(table: Mapping[str, Any], link: Satellite) -> Passes:
    """Return the passes that both ends of a link see.

    Args:
        table: of the passes.
        link: whose altitude and minimum elevation count.

    Raises:
        ValueError: with keys of the file, if there can be none.
    """
    given = ChainOverpass.in_si(
        {**{name: field.default for name, field in ChainOverpass.model_fields.items()}, **table}
    )
    ends = [station(given[f"latitude_{side}"], given[f"longitude_{side}"]) for side in ("left", "right")]
    path = orbit(link.altitude, given["inclination"], raan=given["raan"], phase=given["phase"])
    try:
        return passes(
            path, ends, given["start"], given["duration"], link.minimum_elevation, num_nodes=given["num_slices"]
        )
    except ValueError as error:
        raise ValueError(in_keys(error)) from None


def in_keys(error: ValueError) -> str:
    """Return a message in words of the file."""
    said = str(error)
    for argument, key in KEYS.items():
        said = said.replace(argument, key)
    return said.replace("the mask", "the minimum elevation")


def overpass_rows(evaluation: Any, link_tables: list[tuple[Any, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return what a chain delivers along the passes of its satellite; {} where none moves.

    Args:
        evaluation: of a problem whose root is a chain.
        link_tables: class and table of each link, as they were evaluated.

    Returns:
        {"link_passes": rows of {"link": position, "rise_s", "set_s", "highest_elevation_deg": of the lower end,
            "num_pairs", "fidelity", "qber_x", "qber_z" of all pairs of the pass, "largest_ratio" of a mean waiting time
            to its slice}}

    Raises:
        ValueError: if the satellite moves on before a pair is there.
    """
    chain, schedule = evaluation.system
    rows = []
    for position, (_, table) in enumerate(link_tables):
        if "overpass" not in table:
            continue
        seen = passes_of(table["overpass"], chain.link(position))
        try:
            found = along(chain, position, seen, schedule, evaluator=evaluation.evaluator)
        except ValueError as error:
            own = f"links.{position}" if "links" in evaluation.table else "link"
            raise ValueError(f"chain.{own}.overpass: {in_keys(error)}") from None
        pairs, states, ratio = np.asarray(found.num_pairs), found.pair_state, np.asarray(found.ratio)
        lowest = np.degrees(np.min(np.asarray(seen.elevation), axis=0))
        for number in range(seen.num_passes):
            pair: Any = np.asarray(states[number])
            rows.append(
                {
                    "link": position,
                    "rise_s": float(seen.rise[number]),
                    "set_s": float(seen.set[number]),
                    "highest_elevation_deg": float(np.max(lowest[number])),
                    "num_pairs": float(pairs[number]),
                    "fidelity": float(fidelity(pair)),
                    "qber_x": chance(qber_x(pair)),
                    "qber_z": chance(qber_z(pair)),
                    "largest_ratio": float(np.max(ratio[number])),
                }
            )
    return {"link_passes": rows} if any("overpass" in table for _, table in link_tables) else {}
