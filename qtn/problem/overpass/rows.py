"""What `qtn evaluate --json`, text and report show of passes: one row each, and the course of the best one."""

import math
from typing import Any

import numpy as np

from qtn.orbits import sight
from qtn.orbits import station as one_station
from qtn.problem.overpass.build import orbit_of
from qtn.problem.overpass.tables import Place
from qtn.qkd.overpasses import Passed, Stations, in_stretches


def pass_rows(evaluation: Any) -> dict[str, Any]:
    """Return the passes in their order, and elevation, azimuth, loss and sifted rate along that with most key.

    Args:
        evaluation: a `qtn.problem.evaluation.Evaluation`.
    """
    from qtn.problem.names import setting_with  # which knows the classes of all roots

    stations: Stations = evaluation.system[0]
    setting = setting_with(evaluation.problem, evaluation.values)
    use = None if setting.application is None else setting.application.run(evaluation.result, stations)
    rows = []
    for place, (passed, seen) in enumerate(zip(stations.passes, stations.seen, strict=True)):
        number, wrong = (np.asarray(each) for each in passed.sifted())
        bits = None if use is None else np.asarray(use.pass_bits[place])
        heights = np.degrees(np.max(_lowest(seen.elevation), -1))
        for i in np.flatnonzero(np.asarray(passed.dwell).sum(-1) > 0):
            rows.append(
                {
                    "station": place,
                    "satellite": seen.satellite[i],
                    "place": int(i),
                    "rise_s": float(seen.rise[i]),
                    "set_s": float(seen.set[i]),
                    "highest_elevation_deg": float(heights[i]),
                    "least_loss_db": _loss(np.max(np.asarray(passed.reaching)[i])),
                    "sifted_bits": float(number[i]),
                    "qber": float(wrong[i] / number[i]) if number[i] > 0 else None,
                    "key_bits": None if bits is None else float(bits[i]),
                }
            )
    rows.sort(key=lambda row: row["rise_s"])
    if not rows:
        return {"passes": []}
    best = max(rows, key=lambda row: (row["key_bits"] or 0.0, row["sifted_bits"]))
    return {"passes": rows, "best_pass": _course(evaluation.table, stations, best)}


def _course(table: Any, stations: Stations, row: dict[str, Any]) -> dict[str, Any]:
    """Return numbers along one pass."""
    place, i = row["station"], row["place"]
    seen, passed = stations.seen[place], stations.passes[place]
    time = np.asarray(seen.time[i])
    rate = sifted_rate(passed, i)
    found = {
        "time_s": time.tolist(),
        "elevation_deg": np.degrees(_lowest(seen.elevation)[i]).tolist(),
        "loss_db": [_loss(each) for each in np.asarray(passed.reaching)[i]],
        "sifted_rate_hz": rate.tolist(),
        "azimuth_deg": None,
    }
    if row["key_bits"]:
        share = row["key_bits"] / row["sifted_bits"]
        found["key_rate_hz"] = (rate * share).tolist()
    if table["geometry"]["model"] == "orbit":
        orbits = orbit_of(table)
        if np.ndim(orbits.altitude):
            names = ("altitude", "inclination", "raan", "phase")
            orbits = type(orbits)(**{name: getattr(orbits, name)[row["satellite"]] for name in names})
        home = one_station(**Place.in_si(table["stations"][place]))
        found["azimuth_deg"] = np.degrees(np.asarray(sight(orbits, home, time).azimuth)).tolist()
        found["elevation_deg"] = np.degrees(np.asarray(sight(orbits, home, time).elevation)).tolist()
    return found


def sifted_rate(passed: Passed, place: int) -> np.ndarray:
    """Return sifted bits, or pairs, by time along one pass [Hz]."""
    dwell = np.asarray(passed.dwell)
    number = np.asarray(in_stretches(passed).sifted()[0]).reshape(dwell.shape)
    return number[place] / np.where(dwell[place] > 0, dwell[place], 1.0)


def _lowest(elevation: Any) -> np.ndarray:
    """Return the elevation (k, q) at the station that sees the satellite lowest."""
    array = np.asarray(elevation)
    return array.min(0) if array.ndim == 3 else array


def _loss(part: Any) -> float | None:
    """Return a transmitted part as a loss [dB]; None where nothing arrives."""
    return -10 * math.log10(float(part)) if part > 0 else None
