"""Twelve satellites over three stations for a day: key, gaps, buffer, and the gradient by ten numbers, timed."""

import dataclasses
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from day import DAY, block_keys, optics

from qtn import orbits
from qtn.hardware.free_space import transmissivity

NAMES = (
    "altitude_100km",
    "inclination",
    "raan",
    "mask",
    "divergence_10urad",
    "receiver_radius",
    "zenith_transmissivity",
    "latitude_0",
    "latitude_1",
    "latitude_2",
)
START = np.array([5.0, np.radians(53.0), 0.0, np.radians(8.0), 0.8, 0.5, 10**-0.15, *np.radians([48.2, 44.0, 40.4])])
LONGITUDES = np.radians([16.4, 5.0, -3.7])


def sky(x: Any) -> orbits.Orbit:
    """Return twelve satellites in three planes."""
    return orbits.walker(x[0] * 1e5, x[1], num_satellites=12, num_planes=3, phasing=1, raan=x[2])


def found(x: Any, within: Any, number: int) -> orbits.Passes:
    """Return the passes over one station."""
    place = orbits.station(x[7 + number], LONGITUDES[number])
    return orbits.passes(sky(x), place, 0.0, DAY, x[3], within=None if within is None else within[number])


def day_keys(x: Any, within: Any, number: int) -> Any:
    """Return the key of each pass over one station [bit]."""
    seen = found(x, within, number)
    beam = dataclasses.replace(optics(), divergence=x[4] * 1e-5, receiver_radius=x[5], zenith_transmissivity=x[6])
    return block_keys(transmissivity(beam, seen.slant_range, seen.elevation), seen.dwell)


def constellation() -> dict[str, Any]:
    """Return the results, with the time of finding all passes anew and of key and gradient, warm."""

    def windows() -> list[orbits.Windows]:
        sites = [orbits.station(START[7 + i], LONGITUDES[i]) for i in range(3)]
        return [orbits.find_windows(sky(START), site, 0.0, DAY, START[3]) for site in sites]

    within = windows()
    compiled = jax.jit(jax.value_and_grad(lambda x: sum(jnp.sum(day_keys(x, within, i)) for i in range(3)) / 1e6))
    jax.block_until_ready(compiled(START))
    begin = time.perf_counter()
    windows()
    value, slope = jax.block_until_ready(compiled(START))
    seconds = time.perf_counter() - begin
    passes = [found(START, within, i) for i in range(3)]
    covered = [orbits.coverage(each, 0.0, DAY) for each in passes]
    stores = [orbits.buffer(each, day_keys(START, within, i), 0.0, DAY) for i, each in enumerate(passes)]
    return {
        "constellation_num_passes": [each.num_passes for each in passes],
        "constellation_key_mbit": float(value),
        "constellation_gradient": dict(zip(NAMES, np.round(np.asarray(slope), 6).tolist(), strict=True)),
        "constellation_seconds_warm": round(seconds, 2),
        "longest_gaps_h": [round(float(each.longest_gap) / 3600, 3) for each in covered],
        "buffers_mbit": [round(float(each.capacity) / 1e6, 4) for each in stores],
    }
