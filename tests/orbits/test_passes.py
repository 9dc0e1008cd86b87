"""Passes against propagation by vectors, gradients against differences, and what cannot be seen."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.hardware.fibre import UnusualWarning
from qtn.orbits import Windows, at_rest, find_windows, night, orbit, passes, sight, station, walker
from tests.oracles import orbits as oracle

RAD = np.pi / 180
DAY = 86_400.0
CASES = {
    "polar": (500e3, 97.4, 0.0, 0.0, 48.0, 0.0, 10.0),
    "inclined": (700e3, 51.6, 40.0, 20.0, -33.0, 151.0, 25.0),
    "equatorial": (400e3, 0.0, 0.0, 0.0, 5.0, 10.0, 5.0),
    "retrograde": (1200e3, 120.0, 200.0, 300.0, 60.0, -100.0, 0.0),
    "high": (20_000e3, 55.0, 10.0, 0.0, 48.0, 16.0, 15.0),
}
NAMES = ("altitude", "inclination", "raan", "phase", "latitude", "longitude")


def split(case):
    altitude, *angles, mask = case
    values = dict(zip(NAMES, [altitude, *(np.radians(angle) for angle in angles)], strict=True))
    place = {name: values[name] for name in ("latitude", "longitude")}
    path = {name: values[name] for name in ("altitude", "inclination", "raan", "phase")}
    return orbit(**path), station(**place), np.radians(mask), values


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_passes_are_those_of_propagation(case):
    path, place, mask, numbers = split(case)
    seen = passes(path, place, 500.0, DAY, mask)
    found = oracle.seen_intervals(0.1, 500.0, 500.0 + DAY, mask, **numbers)
    np.testing.assert_allclose(seen.rise, found[:, 0], atol=1e-5)  # 0.1 s of lines instead of curves
    np.testing.assert_allclose(seen.set, found[:, 1], atol=1e-5)
    elevation, distance = oracle.look(np.ravel(seen.time), **numbers)
    np.testing.assert_allclose(np.ravel(seen.elevation), elevation, atol=1e-11)
    np.testing.assert_allclose(np.ravel(seen.slant_range), distance, rtol=1e-11)
    np.testing.assert_allclose(np.sum(seen.dwell, -1), seen.duration, rtol=1e-14)


def test_dwell_is_that_of_propagation_in_steps_of_a_hundredth_of_a_second():
    path, place, mask, numbers = split(CASES["polar"])
    seen = passes(path, place, 0.0, 7000.0, mask)
    found = oracle.seen_intervals(0.01, 0.0, 7000.0, mask, **numbers)
    assert seen.num_passes == len(found) == 1
    np.testing.assert_allclose(np.sum(seen.dwell), found[0, 1] - found[0, 0], rtol=1e-9)


def test_passes_that_are_cut_off_end_with_the_search():
    path, place, mask, _ = split(CASES["polar"])
    whole = passes(path, place, 0.0, DAY, mask)
    middle = float(whole.rise[1]) + 100.0
    np.testing.assert_allclose(passes(path, place, middle, 1000.0, mask).rise[0], middle)
    np.testing.assert_allclose(passes(path, place, middle - 200.0, 200.0, mask).set, [middle])
    assert passes(path, place, float(whole.set[0]) + 1, 60.0, mask).time.shape == (0, 32)


def test_a_satellite_that_stands_still_is_always_seen():
    still = orbit(42_164_172.4 - 6_371_000, 0.0)
    seen = passes(still, station(0.3), 0.0, DAY, 0.1)
    np.testing.assert_allclose(seen.dwell.sum(), DAY)
    assert np.ptp(seen.elevation) < 1e-4


def test_integrals_along_a_pass_converge():
    path, place, mask, _ = split(CASES["polar"])
    few, many = (passes(path, place, 0.0, DAY, mask, num_nodes=num) for num in (16, 64))
    for of in (lambda p: 1 / p.slant_range**2, lambda p: 0.7 ** (1 / jnp.sin(p.elevation))):
        np.testing.assert_allclose(jnp.sum(few.dwell * of(few), -1), jnp.sum(many.dwell * of(many), -1), rtol=2e-5)


def test_short_passes_are_not_missed():
    path, place, _, numbers = split(CASES["polar"])
    top = passes(path, place, 0.0, 7000.0, 0.1, num_nodes=401)
    highest = float(jnp.max(top.elevation))
    grazing = passes(path, place, 0.0, 7000.0, highest - 1e-9)
    assert 0 < float(grazing.duration[0]) < 0.5
    np.testing.assert_allclose(oracle.look(np.asarray(grazing.time[0, :1]), **numbers)[0], highest, atol=1e-8)


def total(x, place, within, dark=None):
    path = orbit(x[0] * 1e5, x[1], raan=x[2], phase=x[3])
    seen = passes(path, station(x[4], place), 0.0, DAY, x[5], within=within, night=dark)
    return jnp.stack([jnp.sum(seen.duration), jnp.sum(seen.dwell * (1e6 / seen.slant_range) ** 2)])


def test_gradients():
    x = jnp.array([5.0, 97.4 * RAD, 0.3, 0.2, 48 * RAD, 10 * RAD])
    within = find_windows(orbit(5e5, x[1], raan=x[2], phase=x[3]), station(x[4], 0.1), 0.0, DAY, x[5])
    of = jax.jit(lambda x: total(x, 0.1, within))
    forward, backward = jax.jit(jax.jacfwd(of))(x), jax.jit(jax.jacrev(of))(x)
    np.testing.assert_allclose(forward, backward, rtol=1e-9, atol=1e-9)
    step = 1e-5
    differences = jnp.stack([(of(x + step * e) - of(x - step * e)) / (2 * step) for e in np.eye(6)], -1)
    np.testing.assert_allclose(forward, differences, rtol=1e-6, atol=1e-5)


def test_passes_are_found_again_when_numbers_move():
    x = jnp.array([5.0, 97.4 * RAD, 0.3, 0.2, 48 * RAD, 10 * RAD])
    within = find_windows(orbit(5e5, x[1], raan=x[2], phase=x[3]), station(x[4], 0.1), 0.0, DAY, x[5])
    moved = x + jnp.array([0.02, 0.01, 0.01, 0.01, 0.01, 0.03])
    fresh = find_windows(
        orbit(moved[0] * 1e5, moved[1], raan=moved[2], phase=moved[3]), station(moved[4], 0.1), 0.0, DAY, moved[5]
    )
    np.testing.assert_allclose(total(moved, 0.1, within), total(moved, 0.1, fresh), rtol=1e-10)


def test_gradients_without_a_plan_are_those_with_one():
    path, place, mask, _ = split(CASES["polar"])
    of = jax.grad(lambda low: jnp.sum(passes(path, place, 0.0, DAY, low).duration))
    within = find_windows(path, place, 0.0, DAY, mask)
    planned = jax.jit(jax.grad(lambda low: jnp.sum(passes(path, place, 0.0, DAY, low, within=within).duration)))
    np.testing.assert_allclose(of(mask), planned(mask), rtol=1e-12)
    assert np.isfinite(planned(1.2))  # above every culmination
    assert float(planned(1.2)) == 0.0


def test_a_pass_through_the_zenith_has_finite_gradients():
    place = station(0.0, 0.0)
    seen, slope = jax.value_and_grad(
        lambda h: jnp.sum(passes(orbit(h, 0.0), place, -300.0, 600.0, 0.2, num_nodes=33, rotation=0.0).elevation)
    )(500e3)
    assert np.isfinite(seen) and np.isfinite(slope)


def test_several_stations_see_the_satellite_at_once():
    path = orbit(1200e3, 97 * RAD)
    left, right, low = station(47 * RAD, 11 * RAD), station(52 * RAD, 1 * RAD), 20 * RAD
    both = passes(path, [left, right], 0.0, DAY, low)
    alone = [passes(path, each, 0.0, DAY, low) for each in (left, right)]
    met = [
        (max(a, c), min(b, d))
        for a, b in zip(alone[0].rise, alone[0].set, strict=True)
        for c, d in zip(alone[1].rise, alone[1].set, strict=True)
        if max(a, c) < min(b, d)
    ]
    np.testing.assert_allclose(np.stack([both.rise, both.set], -1), met, atol=1e-9)
    assert both.elevation.shape == (2, len(met), 32)
    assert np.min(both.elevation) >= low - 1e-9


def test_nights():
    path, place, mask, numbers = split(CASES["polar"])
    dark = night(10 * RAD, season=4.0, time_of_day=30_000.0)
    seen = passes(path, place, 0.0, 2 * DAY, mask, night=dark)
    place_of = {name: numbers[name] for name in ("latitude", "longitude")}
    sun = oracle.sun_elevation(np.ravel(seen.time), season=4.0, time_of_day=30_000.0, **place_of)
    assert seen.num_passes and np.max(sun) <= -10 * RAD
    every = passes(path, place, 0.0, 2 * DAY, mask)
    left_out = set(np.round(every.rise, 6)) - set(np.round(seen.rise, 6))
    middles = [float(t) for t, rise in zip(every.time[:, 16], every.rise, strict=True) if round(rise, 6) in left_out]
    assert min(oracle.sun_elevation(middles, season=4.0, time_of_day=30_000.0, **place_of)) > -10.5 * RAD


@pytest.mark.parametrize(
    ("season", "hour", "height"),
    [(0.0, 12.0, 42.0), (np.pi / 2, 12.0, 65.4393), (1.5 * np.pi, 12.0, 18.5607), (np.pi / 2, 0.0, -18.5607)],
)
def test_the_sun_stands_where_it_should(season, hour, height):
    found = oracle.sun_elevation(0.0, 48 * RAD, 0.0, season, hour * 3600)
    np.testing.assert_allclose(found / RAD, height, atol=1e-9)


def test_a_dusk_that_cuts_a_pass_has_its_gradient():
    place = station(48 * RAD)
    path = orbit(1200e3, 97.4 * RAD, phase=1.9)

    def length(below, path=path):
        dark = night(below, season=1.0, time_of_day=67_200.0)
        return jnp.sum(passes(path, place, 0.0, DAY, 10 * RAD, night=dark).duration)

    slopes = []
    for low in np.radians([4.6, 5.0, 5.4, 5.8, 6.2]):
        slopes.append(float(jax.grad(length)(low)))
        np.testing.assert_allclose(slopes[-1], (length(low + 1e-6) - length(low - 1e-6)) / 2e-6, rtol=1e-3, atol=0.1)
    assert any(slope < -100 for slope in slopes)  # in some of them the night cuts a pass


def test_walker_constellations():
    sky = walker(500e3, 0.9, num_satellites=12, num_planes=3, phasing=1, raan=0.1, phase=0.2)
    np.testing.assert_allclose(np.degrees(sky.raan - 0.1), np.repeat([0, 120, 240], 4))
    np.testing.assert_allclose(np.degrees(sky.phase - 0.2)[:5], [0, 90, 180, 270, 30])
    seen = passes(sky, station(0.8), 0.0, 20_000.0, 0.2)
    alone = passes(orbit(500e3, 0.9, raan=float(sky.raan[5]), phase=float(sky.phase[5])), station(0.8), 0.0, 2e4, 0.2)
    mine = np.array(seen.satellite) == 5
    np.testing.assert_allclose(np.asarray(seen.rise)[mine], alone.rise, atol=1e-9)
    assert np.all(np.diff(seen.rise) >= 0)


def test_at_rest():
    seen = at_rest(500e3, 645e3, duration=273.0, num_nodes=33)
    np.testing.assert_allclose(seen.slant_range[0, 16], 645e3, rtol=1e-12)
    np.testing.assert_allclose(seen.slant_range[0], seen.slant_range[0, ::-1], rtol=1e-9)
    np.testing.assert_allclose(np.sum(seen.dwell), 273.0)
    turn = np.sqrt(oracle.GRAVITY / (oracle.RADIUS + 500e3) ** 3) * np.asarray(seen.time[0])
    r, near = oracle.RADIUS + 500e3, 645e3
    angle = (oracle.RADIUS**2 + r**2 - near**2) / (2 * oracle.RADIUS * r) * np.cos(turn)
    np.testing.assert_allclose(seen.slant_range[0], np.sqrt(oracle.RADIUS**2 + r**2 - 2 * oracle.RADIUS * r * angle))


def test_directions_are_those_of_vectors():
    path, place, _, numbers = split(CASES["inclined"])
    time = np.linspace(0, 6000, 50)
    seen = sight(path, place, time)
    elevation, distance = oracle.look(time, **numbers)
    np.testing.assert_allclose(seen.elevation, elevation, atol=1e-11)
    np.testing.assert_allclose(seen.slant_range, distance, rtol=1e-11)
    np.testing.assert_allclose(np.exp(1j * seen.azimuth), np.exp(1j * oracle.azimuth(time, **numbers)), atol=1e-9)


BAD = {
    "inside": (lambda: orbit(-1e3, 1.0), "inside the earth"),
    "centre": (lambda: orbit(0.0, 1.0), "Count it from the ground"),
    "degrees": (lambda: orbit(500e3, 97.4), "numpy.radians"),
    "latitude": (lambda: station(48.0), "numpy.radians"),
    "mask_of_90": (lambda: passes(orbit(5e5, 1.0), station(0.8), 0.0, DAY, np.pi / 2), "[0, pi/2) (radians)"),
    "never": (lambda: passes(orbit(5e5, 20 * RAD), station(48 * RAD), 0.0, DAY, 10 * RAD), "more than 33.94 degrees"),
    "never_retrograde": (lambda: passes(orbit(5e5, 3.0), station(-1.0), 0.0, DAY, 0.2), "never sees"),
    "long": (lambda: passes(orbit(5e5, 1.0), station(0.8), 0.0, 1e15), "at most 5,000,000 are allowed"),
    "backwards": (lambda: passes(orbit(5e5, 1.0), station(0.8), 0.0, -1.0), "`duration` must be positive"),
    "nan": (lambda: passes(orbit(5e5, 1.0), station(0.8), np.nan, 1.0), "`start`"),
    "nodes": (lambda: passes(orbit(5e5, 1.0), station(0.8), 0.0, DAY, num_nodes=0), "`num_nodes`"),
    "points": (lambda: passes(orbit(5e5, 1.0), station(0.8), 0.0, DAY, num_nodes=10**8), "from 1 to 2,000"),
    "moon": (lambda: orbit(1e300, 1.0), "at most 1e+09 m"),
    "far_future": (lambda: passes(orbit(5e5, 1.0), station(0.8), 1e18, 1.0), "`start` must be one number"),
    "spread": (lambda: walker(5e5, 1.0, num_satellites=2, num_planes=1, spread=np.nan), "`spread`"),
    "planes": (lambda: walker(5e5, 1.0, num_satellites=12, num_planes=5), "5 does not divide 12"),
    "phasing": (lambda: walker(5e5, 1.0, num_satellites=12, num_planes=3, phasing=3), "0 to num_planes - 1 = 2"),
    "many": (lambda: walker(5e5, 1.0, num_satellites=10**9, num_planes=1), "10,000"),
    "too_near": (lambda: at_rest(500e3, 400e3), "at least `altitude` = 500 km"),
    "too_far": (lambda: at_rest(500e3, 5000e3), "less than 2573"),
    "no_time": (lambda: at_rest(500e3, 645e3, duration=np.nan), "`duration` must be positive and finite"),
    "sun": (lambda: night(2.0), "below the horizon"),
}


@pytest.mark.parametrize(("build", "message"), BAD.values(), ids=BAD)
def test_errors(build, message):
    with pytest.raises(ValueError) as error:
        build()
    assert message in str(error.value)


def test_points_are_counted_first():
    sky = walker(500e3, 1.0, num_satellites=400, num_planes=20)
    with pytest.raises(ValueError, match="points of passes, but at most"):
        passes(sky, station(0.8), 0.0, 7000.0, num_nodes=2000, within=many_windows(20_000))


def many_windows(count):
    none = np.zeros((1, count))
    return Windows(lower=none, upper=none, satellite=(0,) * count)


def test_masks_side_by_side_are_masks_one_by_one():
    path, place, mask, _ = split(CASES["polar"])
    within = find_windows(path, place, 0.0, DAY, mask)

    def of(low):
        return passes(path, place, 0.0, DAY, low, within=within).duration

    lows = mask + np.array([0.0, 0.1, 0.3])
    np.testing.assert_allclose(jax.vmap(of)(lows), np.stack([of(low) for low in lows]), atol=1e-9)


def test_unknown_numbers_need_a_plan():
    with pytest.raises(TypeError, match="`find_windows` outside"):
        jax.jit(lambda h: passes(orbit(h, 1.0), station(0.8), 0.0, DAY).duration)(5e5)
    with pytest.raises(TypeError, match=r"qtn\.orbits\.station"):
        passes(orbit(5e5, 1.0), [], 0.0, DAY)


def test_altitudes_in_kilometres_get_a_hint():
    with pytest.warns(UnusualWarning, match="Altitudes are in metres"):
        orbit(500.0, 1.0)
