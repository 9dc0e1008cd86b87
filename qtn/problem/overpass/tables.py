"""The tables below [overpass]: how satellites pass, optics, sky, night."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from qtn import _ranges as within
from qtn.problem import number as unit
from qtn.problem.number import LARGER, SMALLER, TOWARDS_ONE, URAD, Number
from qtn.problem.table import Document, Table
from qtn.problem.together import exactly_one

SUN_HEIGHT = within.Range(0.0, 90.0, upper_closed=False)
TURN = within.Range(-360.0, 360.0)

Altitude = Annotated[float, Number("Of the satellite, above the ground", within.Range(100.0, 10_000.0), unit=unit.KM)]
Count = within.Range(1.0, 10_000.0)


def planes_hold_as_many(orbit: Document) -> Iterator[tuple[str, str]]:
    """Planes divide satellites, and the phasing is below their number."""
    total, planes, phasing = (orbit.get(key, usual) for key, usual in SHAPE.items())
    if not all(type(each) is int for each in (total, planes, phasing)) or min(total, planes) < 1:
        return
    if total % planes:
        yield "num_planes", f"must divide num_satellites = {total}, but is {planes}: every plane holds as many"
    if not 0 <= phasing < planes:
        yield "phasing", f"must lie from 0 to num_planes - 1 = {planes - 1}, but is {phasing}"


SHAPE = {"num_satellites": 1, "num_planes": 1, "phasing": 0}
"""Keys of a constellation, with what they are where they are absent."""


class OrbitTable(Table):
    """Circular orbits over an earth that turns: one satellite, or a Walker constellation."""

    rules = (planes_hold_as_many,)

    model: Literal["orbit"]
    altitude_km: Altitude
    inclination_deg: Annotated[
        float, Number("Between the planes of orbit and equator", within.Range(0.0, 180.0), unit=unit.DEG)
    ]
    raan_deg: Annotated[float, Number("Longitude of the ascending node at t = 0", TURN, unit=unit.DEG)] = 0.0
    phase_deg: Annotated[float, Number("From the node to the (first) satellite at t = 0", TURN, unit=unit.DEG)] = 0.0
    num_satellites: Annotated[int, Number("Satellites in all planes together", Count, traced=False)] = 1
    num_planes: Annotated[int, Number("Planes, spread evenly", Count, traced=False)] = 1
    phasing: Annotated[
        int, Number("Shift of neighbouring planes, in parts of a turn", within.Range(0.0, 9_999.0), traced=False)
    ] = 0


class StaticTable(Table):
    """One pass over an earth at rest, of which the shortest distance is known."""

    model: Literal["static"]
    altitude_km: Altitude
    closest_range_km: Annotated[
        float, Number("Distance to the station when the satellite culminates", within.POSITIVE, unit=unit.KM)
    ]
    pass_s: (
        Annotated[
            float,
            Number("Part of the pass that is used, around its middle", within.POSITIVE, unit=unit.S, traced=False),
        ]
        | None
    ) = None


Time = Annotated[float, Number("Times along the pass, in order", unit=unit.S, traced=False)]
Elevation = Annotated[
    float, Number("Elevations of the satellite at these", within.Range(0.0, 90.0), unit=unit.DEG, traced=False)
]
Distance = Annotated[float, Number("Distances of the satellite at these", within.POSITIVE, unit=unit.KM, traced=False)]


class MeasuredTable(Table):
    """One pass as a table of times, elevations and distances, written here or read from a file."""

    model: Literal["table"]
    time_s: list[Time]
    elevation_deg: list[Elevation]
    range_km: list[Distance]


class Place(Table):
    """A station."""

    latitude_deg: Annotated[float, Number("North positive", within.Range(-90.0, 90.0), unit=unit.DEG)]
    longitude_deg: Annotated[float, Number("East positive", TURN, unit=unit.DEG)] = 0.0


class Optics(Table):
    """Telescopes and air between satellite and ground."""

    rules = (exactly_one("divergence_urad", "beam_waist_m"),)

    divergence_urad: (
        Annotated[
            float, Number("Half-angle of the beam, at 1/e^2 of its power", within.Range(1e-3, 1e5), SMALLER, URAD)
        ]
        | None
    ) = None
    beam_waist_m: (
        Annotated[float, Number("Radius of the beam where it leaves, at 1/e^2", within.POSITIVE, LARGER, unit.M)] | None
    ) = None
    receiver_radius_m: Annotated[float, Number("Of the telescope on the ground", within.POSITIVE, LARGER, unit.M)]
    wavelength_nm: Annotated[float, Number("Of the light", within.Range(100.0, 20_000.0), unit=unit.NM)]
    zenith_transmissivity: Annotated[
        float, Number("Of the air, straight up", within.POSITIVE_PROBABILITY, TOWARDS_ONE)
    ] = 1.0
    pointing_jitter_urad: Annotated[
        float, Number("Standard deviation of the direction about either axis", within.Range(0.0, 1e5), SMALLER, URAD)
    ] = 0.0


class Background(Table):
    """The sky in the telescope."""

    radiance: Annotated[
        float, Number("Of the sky [W m^-2 sr^-1 um^-1]: 1.5e-5 without moon, 1e-3 with", within.NON_NEGATIVE)
    ]
    field_of_view_urad: Annotated[float, Number("Full angle", within.Range(0.0, 1e6), SMALLER, URAD)]
    bandwidth_nm: Annotated[float, Number("Of the filter", within.NON_NEGATIVE, SMALLER, unit.NM)]
    gate_s: (
        Annotated[float, Number("In which a pulse may click, for weak pulses", within.NON_NEGATIVE, SMALLER, unit.S)]
        | None
    ) = None


class NightTable(Table):
    """When it is dark."""

    below_deg: Annotated[float, Number("How far the sun is below the horizon", SUN_HEIGHT, unit=unit.DEG)] = 0.0
    season_deg: Annotated[
        float, Number("Longitude of the sun at t = 0: 0 in March, 90 in June, 270 in December", TURN, unit=unit.DEG)
    ] = 0.0
    time_of_day_s: Annotated[
        float, Number("Sun time in Greenwich at t = 0; 43,200 at noon", within.Range(-86_400.0, 86_400.0), unit=unit.S)
    ] = 0.0


Geometry = Annotated[OrbitTable | StaticTable | MeasuredTable, Field(discriminator="model")]


def numbers(table: Document, kind: type[Table]) -> dict[str, Any]:
    """Return the numbers of a table by name, in SI, without those of a shape."""
    return {name: value for name, value in kind.in_si(table).items() if name not in SHAPE}
