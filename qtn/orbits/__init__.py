"""Satellites: orbits over a turning earth, passes over stations, nights.

orbit, station -> passes (time, elevation, distance, dwell) -> channel (`qtn.hardware.free_space`) -> links, keys
"""

from qtn.orbits.coverage import Buffer, Coverage, buffer, coverage
from qtn.orbits.night import Night, night
from qtn.orbits.orbit import EARTH_ROTATION, Orbit, Station, orbit, station, walker
from qtn.orbits.passes import Passes, Windows, at_rest, find_windows, passes
from qtn.orbits.revolutions import revolutions
from qtn.orbits.sight import Sight, sight
from qtn.orbits.table import from_table, read_pass

__all__ = [
    "EARTH_ROTATION",
    "Buffer",
    "Coverage",
    "Night",
    "Orbit",
    "Passes",
    "Sight",
    "Station",
    "Windows",
    "at_rest",
    "buffer",
    "coverage",
    "find_windows",
    "from_table",
    "night",
    "orbit",
    "passes",
    "read_pass",
    "revolutions",
    "sight",
    "station",
    "walker",
]
