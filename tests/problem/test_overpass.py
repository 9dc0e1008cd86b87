"""The root [overpass]: what files say, what they get wrong, and the numbers that come of them."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

from qtn.orbits import at_rest, night, orbit, passes, revolutions, station
from qtn.problem.evaluation import evaluated, merits
from qtn.problem.load import load, loads
from qtn.problem.messages import ProblemError
from qtn.problem.names import bounds, system_with
from qtn.problem.run import differentiate, report_numbers
from qtn.report.passes import passes_part

STATIC = '{ model = "static", altitude_km = 500.0, closest_range_km = 645.0, pass_s = 273.0 }'
ORBIT = '{ model = "orbit", altitude_km = 500.0, inclination_deg = 97.4 }'
TABLE = '{ model = "table", file = "pass.csv" }'
OPTICS = "divergence_urad = 7.4066, receiver_radius_m = 0.5, wavelength_nm = 850.0, zenith_transmissivity = 0.4569"
PULSES = """
model = "weak_pulses"
pulse_rate_hz = 1e8
intensities = [0.6, 0.15, 0.0]
probabilities = [0.6, 0.25, 0.15]
p_key_basis = 0.8
"""
PAIRS = 'model = "entangled_light"\npair_rate_hz = 5.9e6'
KEY = '[application]\nmodel = "key"\nabort_above = 0.02\ntail = "hoeffding"'


def text(
    geometry=STATIC, *, more="", places=(), source=PULSES, detector="efficiency = 0.08, misalignment = 0.01", use=KEY
) -> str:
    """Return a problem file."""
    stations = "".join(f"[[overpass.stations]]\n{each}\n" for each in places)
    return (
        f"schema = 1\n[overpass]\n{more}\ngeometry = {geometry}\noptics = {{ {OPTICS} }}\n"
        f"detector = {{ {detector} }}\n{stations}[overpass.source]\n{source}\n{use}\n"
    )


def one(**changed) -> str:
    return text(ORBIT, places=["latitude_deg = 48.0"], **changed)


def errors(document: str) -> str:
    with pytest.raises(ProblemError) as caught:
        loads(document)
    return str(caught.value)


BAD = {
    "inside the earth": (text(STATIC.replace("500.0", "-500.0")), "geometry.altitude_km", "-500"),
    "mask of 90": (text(more="mask_deg = 90.0"), "overpass.mask_deg", "[0, 90), but is 90"),
    "never seen": (
        text(ORBIT.replace("97.4", "10.0"), places=["latitude_deg = 60.0"]),
        "incline the orbit by more than",
        "geometry.altitude_km, or lower mask_deg",
    ),
    "too near": (text(STATIC.replace("645.0", "400.0")), "geometry.closest_range_km", "400"),
    "no station": (text(ORBIT), "overpass.stations", "[[overpass.stations]]"),
    "three stations": (text(ORBIT, places=["latitude_deg = 4.0"] * 3), "overpass.stations", "3"),
    "station of a static pass": (text(places=["latitude_deg = 4.0"]), "overpass.stations", "remove it"),
    "night of a static pass": (text(more="night = { below_deg = 18.0 }"), "overpass.night", "remove it"),
    "latitude": (text(ORBIT, places=["latitude_deg = 148.0"]), "overpass.stations.0.latitude_deg", "148"),
    "block": (text(use=KEY + "\nblock = { seconds = 10.0 }"), "application.block", "one pass is one block"),
    "pairs to one station": (one(source=PAIRS, detector="window_s = 1e-9"), "overpass.stations", "two"),
    "pairs of a static pass": (text(source=PAIRS, detector="window_s = 1e-9"), "overpass.source.model", "orbit"),
    "pairs without window": (
        text(ORBIT, places=["latitude_deg = 48.0"] * 2, source=PAIRS, detector="efficiency = 0.5"),
        "overpass.detector.window_s",
        "is missing",
    ),
    "window of pulses": (text(detector="window_s = 1e-9"), "overpass.detector.window_s", "remove it"),
    "both beams": (
        text().replace("receiver_radius_m", "beam_waist_m = 0.1, receiver_radius_m"),
        "overpass.optics",
        "exactly one of divergence_urad, beam_waist_m",
    ),
    "planes": (
        text(ORBIT.replace("}", ", num_satellites = 5, num_planes = 2 }"), places=["latitude_deg = 48.0"]),
        "geometry.num_planes",
        "must divide num_satellites = 5",
    ),
    "too many passes": (
        text(
            ORBIT.replace("}", ", num_satellites = 500, num_planes = 5 }"),
            places=["latitude_deg = 48.0"],
            more="duration_s = 1e7",
        ),
        "overpass",
        "at most",
    ),
    "very long": (one(more="duration_s = 1e9"), "overpass", "duration_s"),
    "sky without gate": (
        text(more="background = { radiance = 1e-5, field_of_view_urad = 100.0, bandwidth_nm = 1.0 }"),
        "overpass.background.gate_s",
        "is missing",
    ),
    "bright sky": (
        text(more="background = { radiance = 1e3, field_of_view_urad = 100.0, bandwidth_nm = 1.0, gate_s = 1e-6 }"),
        "overpass",
        "background",
    ),
    "weather": (text(more="clear_probability = 1.2"), "overpass.clear_probability", "1.2"),
    "unknown key": (text(more="clouds = 1.0"), "overpass.clouds", ""),
    "two roots": (text() + '[chain]\nnum_links = 1\n[chain.link]\nmodel = "abstract"\n', "chain", "one of them"),
    "table that is missing": (text(TABLE), "geometry.file", "cannot be read"),
    "mask of a table": (
        text(
            '{ model = "table", time_s = [0.0, 1.0], elevation_deg = [50.0, 50.0], range_km = [600.0, 600.0] }',
            more="mask_deg = 20.0",
        ),
        "overpass.mask_deg",
        "leave out points",
    ),
    "times out of order": (
        text('{ model = "table", time_s = [1.0, 0.0], elevation_deg = [50.0, 50.0], range_km = [600.0, 600.0] }'),
        "geometry.time_s",
        "in order",
    ),
    "file of an orbit": (text(ORBIT.replace("}", ', file = "a.csv" }')), "geometry.file", "remove it"),
    "teleportation": (text(use='[application]\nmodel = "teleportation"'), "application", "overpass"),
    "schedule": (text() + '[schedule]\ntree = "0"\n', "schedule", "remove it"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_say_key_value_and_cure(name):
    document, key, cure = BAD[name]
    said = errors(document)
    assert key in said and cure in said
    assert "Argument" not in said and "`mask`" not in said


def test_a_static_pass_of_micius():
    problem = loads(text())
    found = merits(problem, evaluated(problem).result, clip=True)
    track = at_rest(500e3, 645e3, duration=273.0)
    height = np.asarray(track.elevation)
    part = 1 - np.exp(-2 * 0.25 / (7.4066e-6 * np.asarray(track.slant_range)) ** 2)
    eta = 0.08 * part * 0.4569 ** (1 / np.sin(height))
    mu, share = np.array([0.6, 0.15, 0.0]), np.array([0.6, 0.25, 0.15])
    sifted = 1e8 * 0.64 * np.sum(np.asarray(track.dwell)[..., None] * share * -np.expm1(-eta[..., None] * mu))
    assert found["sifted_bits"] == pytest.approx(sifted, rel=1e-9)
    assert found["rate_hz"] == pytest.approx(sifted / 86_400.0, rel=1e-9)
    assert found["num_passes"] == 1 and found["contact_time_s"] == pytest.approx(273.0)
    assert found["qber_x"] == pytest.approx(0.01, rel=1e-6)
    assert 0 < found["total_key_bits"] < sifted
    assert found["yearly_key_bits"] == pytest.approx(365.25 * float(found["total_key_bits"]))


def test_gradients_agree_with_differences():
    problem = loads(text())
    found = differentiate(problem, "total_key_bits")[0]["gradient"]
    for name in ("overpass.optics.divergence_urad", "overpass.geometry.altitude_km", "overpass.source.intensity"):
        value = problem.document["overpass"]
        for part in name.split(".")[1:]:
            value = value[part]

        def at(number, name=name):
            result = evaluated(problem, {name: number}).result
            return float(merits(problem, result, {name: number}, ["total_key_bits"], clip=False)["total_key_bits"])

        step = 1e-4 * value
        assert found[name] == pytest.approx((at(value + step) - at(value - step)) / (2 * step), rel=1e-4)


@pytest.mark.parametrize(("document", "most"), [(text(), 49.03), (one(), 90.0)], ids=["static", "orbit"])
def test_masks_stay_below_the_highest_elevation(document, most):
    assert bounds(loads(document), "overpass.mask_deg").upper == pytest.approx(most, abs=0.02)


def test_a_pass_from_a_file(tmp_path: Path):
    track = at_rest(500e3, 645e3, duration=273.0)
    rows = zip(track.time[0], np.degrees(track.elevation[0]), track.slant_range[0] / 1e3, strict=True)
    lines = ["time_s,elevation_deg,range_km", *(f"{t},{e},{d}" for t, e, d in rows)]
    (tmp_path / "pass.csv").write_text("\n".join(lines))
    (tmp_path / "problem.toml").write_text(text(TABLE))
    seen = system_with(load(tmp_path / "problem.toml"), {})[0]
    whole = system_with(loads(text()), {})[0]
    assert float(seen.passes[0].sifted()[0][0]) == pytest.approx(float(whole.passes[0].sifted()[0][0]), rel=5e-3)


def test_report_shows_passes():
    numbers = report_numbers(
        evaluated(loads(one(more="duration_s = 45000.0", detector="efficiency = 0.5, misalignment = 0.005")))
    )
    json.dumps(numbers, allow_nan=False)
    assert [row["station"] for row in numbers["passes"]] == [0, 0]
    assert max(numbers["best_pass"]["elevation_deg"]) == pytest.approx(
        max(row["highest_elevation_deg"] for row in numbers["passes"] if row["key_bits"]), abs=5
    )
    page = passes_part(numbers)
    assert "sky track" in page and page.count("<svg") == 4


@pytest.mark.parametrize("kind", ["plain", "night", "two stations"])
def test_windows_of_revolutions_find_the_same_passes(kind):
    around, places = orbit(500e3, 1.7, raan=1.0, phase=2.0), [station(0.8, 0.3), station(0.75, 0.45)]
    over = places if kind == "two stations" else places[0]
    dark = night(0.1, season=4.0, time_of_day=3e4) if kind == "night" else None
    known = passes(around, over, 500.0, 86_400.0, 0.17, night=dark)

    @jax.jit
    def traced(orbits):
        within = revolutions(orbits, over, 500.0, 86_400.0, night=dark)
        found = passes(orbits, over, 500.0, 86_400.0, 0.17, night=dark, within=within)
        return found.rise, found.set

    rise, fall = (np.asarray(x) for x in traced(around))
    there = fall > rise
    assert known.num_passes == there.sum() > 0
    np.testing.assert_allclose(rise[there], known.rise, atol=1e-5)
    np.testing.assert_allclose(fall[there], known.set, atol=1e-5)
