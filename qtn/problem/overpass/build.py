"""Build what passes bring from the table [overpass], whose numbers may be traced."""

import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qtn import _budget, _checks
from qtn.hardware.background import background_rate, noise_probability
from qtn.hardware.earth import range_at, sine_at
from qtn.hardware.fibre import UnusualWarning
from qtn.hardware.free_space import free_space, transmissivity
from qtn.orbits import (
    Night,
    Orbit,
    Passes,
    Station,
    at_rest,
    find_windows,
    from_table,
    night,
    passes,
    revolutions,
    walker,
)
from qtn.orbits import orbit as one_orbit
from qtn.orbits import station as one_station
from qtn.problem.line.line import pulse_line
from qtn.problem.line.tables import Detector
from qtn.problem.number import DEG
from qtn.problem.overpass.tables import (
    SHAPE,
    Background,
    MeasuredTable,
    NightTable,
    Optics,
    OrbitTable,
    Place,
    StaticTable,
    numbers,
)
from qtn.problem.table import Document
from qtn.qkd.lines import light_line
from qtn.qkd.overpasses import LightPasses, Passed, Stations, along

MOST = _budget.Budget(3_000, "passes with a finite key each", "shorten duration_s, or take fewer satellites")

REVOLUTIONS = _budget.Budget(
    20_000, "revolutions of satellites to look at", "shorten duration_s, or take fewer satellites"
)
PERIOD = 5_000.0
"""Of the fastest satellite, about [s]."""

KEYS = {
    "`closest_range`": "geometry.closest_range_km",
    "`altitude`": "geometry.altitude_km",
    "`mask`": "mask_deg",
    "`duration`": "duration_s",
    "`num_nodes`": "the number of satellites",
    "`time`": "geometry.time_s",
    "`elevation`": "geometry.elevation_deg",
    "`slant_range`": "geometry.range_km",
    "`noise`": "background, with detector.dark_count_probability,",
}
"""Arguments of the library -> keys of the file, for messages."""


def stations_of(table: Document) -> Stations:
    """Build stations and what they share with satellites.

    Raises:
        ValueError: with the key, if numbers do not go together.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnusualWarning)  # a file names its units
            return _stations(table)
    except ValueError as error:
        said = str(error)
        for argument, key in KEYS.items():
            said = said.replace(f"Argument {argument}", key).replace(argument, key)
        raise ValueError(said) from None


def _stations(table: Document) -> Stations:
    """Build them."""
    seen = geometry_of(table)
    clear = _checks.real(table["clear_probability"])
    if table["source"]["model"] == "weak_pulses":
        passed: tuple[Passed, ...] = tuple(_pulses(table, each) for each in seen)
        shares = [clear] * len(seen)
    else:
        passed, shares = (_light(table, seen[0]),), [clear**2]
    return Stations(
        passes=passed,
        clear=jnp.stack([jnp.asarray(x) for x in shares]),
        seen=seen,
        start=float(table["start_s"]),
        span=float(table["duration_s"]),
    )


def geometry_of(table: Document) -> tuple[Passes, ...]:
    """Return the passes of each station; of entangled light, those that both stations see."""
    geometry, mask = table["geometry"], table["mask_deg"] * DEG.factor
    if geometry["model"] == "static":
        given = numbers(geometry, StaticTable)
        return (at_rest(given["altitude"], given["closest_range"], mask=mask, duration=geometry.get("pass_s")),)
    if geometry["model"] == "table":
        given = numbers(geometry, MeasuredTable)
        return (from_table(given["time"], given["elevation"], given["range"]),)
    orbits, dark = orbit_of(table), night_of(table)
    places = [one_station(**Place.in_si(place)) for place in table["stations"]]
    groups = [[each] for each in places] if table["source"]["model"] == "weak_pulses" else [places]
    return tuple(_seen(orbits, group, table, mask, dark) for group in groups)


def highest_mask(table: Document) -> float:
    """Return the highest elevation at which satellites may stand above all stations [deg], of known numbers."""
    geometry = table["geometry"]
    if geometry["model"] == "table":
        return 90.0
    given = numbers(geometry, StaticTable if geometry["model"] == "static" else OrbitTable)
    if geometry["model"] == "static":
        nearest = given["closest_range"]
    else:
        tilt = min(given["inclination"], np.pi - given["inclination"])
        aside = max(max(abs(Place.in_si(each)["latitude"]) - tilt, 0.0) for each in table["stations"])
        nearest = float(range_at(np.sin(aside / 2) ** 2, given["altitude"]))
    sine = min(float(sine_at(nearest, given["altitude"])), 1.0)
    return float(np.degrees(np.arcsin(sine)))


def orbit_of(table: Document) -> Orbit:
    """Return the orbits of a table."""
    given, shape = numbers(table["geometry"], OrbitTable), {**SHAPE, **table["geometry"]}
    if shape["num_satellites"] == 1:
        return one_orbit(**given)
    return walker(**given, **{key: shape[key] for key in SHAPE})


def night_of(table: Document) -> Night | None:
    """Return what is asked of the sun."""
    return night(**NightTable.in_si(table["night"])) if "night" in table else None


def _seen(orbits: Orbit, group: list[Station], table: Document, mask: Any, dark: Night | None) -> Passes:
    """Return the passes of a group of stations: those that there are, or where numbers are unknown, may be."""
    place = group[0] if len(group) == 1 else group
    start, span = table["start_s"], table["duration_s"]
    many = np.size(np.zeros(np.shape(orbits.altitude)))
    REVOLUTIONS.require(int(many * span / PERIOD))
    known = _checks.constant((orbits, group, mask, dark))
    if all(_checks.known(leaf) is not None for leaf in jax.tree.leaves(known)):
        within = find_windows(orbits, place, start, span, mask, night=dark)
    else:
        within = revolutions(orbits, place, start, span, night=dark)
    MOST.require(len(within.satellite))
    if not within.satellite:
        nothing = np.full((len(group) * (1 if dark is None else 2), 1), start)
        within = type(within)(lower=nothing, upper=nothing, satellite=(0,))
    return passes(orbits, place, start, span, mask, night=dark, within=within)


def _pulses(table: Document, seen: Passes) -> Passed:
    """Return the weak pulses that come down over one station."""
    detector = Detector.in_si(table["detector"])
    line = pulse_line(table["source"], 0.0, detector)
    optics = free_space(**Optics.in_si(table["optics"]))
    arrive = transmissivity(optics, seen.slant_range, seen.elevation)
    sky = table.get("background")
    noise = None
    if sky is not None:
        noise = noise_probability(_collected(table, sky) * detector["efficiency"] / 2, Background.in_si(sky)["gate"])
    return along(line, jnp.minimum(arrive, 1.0), seen.dwell, noise=noise)


def _light(table: Document, seen: Passes) -> LightPasses:
    """Return the entangled light that comes down to two stations."""
    detector = Detector.in_si(table["detector"])
    optics = free_space(**Optics.in_si(table["optics"]))
    arrive = transmissivity(optics, seen.slant_range, seen.elevation) * detector["efficiency"]
    sky = table.get("background")
    dark = detector.get("dark_count_rate", 0.0)
    if sky is not None:
        dark = dark + _collected(table, sky) * detector["efficiency"]
    line = light_line(
        table["source"]["pair_rate_hz"],
        (arrive[0], arrive[1]),
        window=detector["window"],
        jitter=detector.get("jitter", 0.0),
        dark_count_rate=dark,
        dead_time=detector["dead_time"],
        polarisation_error=detector["misalignment"],
    )
    return LightPasses(line=line, dwell=jnp.asarray(seen.dwell))


def _collected(table: Document, sky: Document) -> Any:
    """Return the photons of the sky in a telescope [1/s]."""
    given, optics = Background.in_si(sky), Optics.in_si(table["optics"])
    return background_rate(
        radiance=1e6 * given["radiance"],
        field_of_view=given["field_of_view"],
        bandwidth=given["bandwidth"],
        receiver_radius=optics["receiver_radius"],
        wavelength=optics["wavelength"],
    )
