"""Keys over passes: counts that add up, one block a pass, relay, weather, and what a pass without a key says."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.hardware.free_space import free_space, transmissivity
from qtn.orbits import at_rest, from_table
from qtn.qkd import (
    Keys,
    LightPasses,
    PulseLine,
    PulsePasses,
    Security,
    Stations,
    along,
    decoy_key,
    light_line,
    nightly,
    pair_key,
    pulse_key,
    pulses,
    receiver,
    relayed,
    yearly,
)
from qtn.qkd.overpasses import Nights, in_stretches
from qtn.qkd.pulses import expected_counts
from qtn.qkd.tails import Tail

SENT = pulses([0.6, 0.15, 0.0], [0.6, 0.25, 0.15], 0.8)
LINE = PulseLine(sent=SENT, receive=receiver(0.0, 0.1, 1e-7, 0.01), pulse_rate=np.asarray(1e8))
ETA = np.array([[1e-3, 4e-3, 2e-3], [1e-4, 2e-4, 1e-4], [0.0, 0.0, 0.0]])
DWELL = np.array([[60.0, 120.0, 60.0], [20.0, 40.0, 20.0], [0.0, 0.0, 0.0]])
DEMAND = Security(secrecy=1e-9, correctness=1e-12)
KEYS = Keys(security=DEMAND, tail=Tail.HOEFFDING, abort_above=0.02)


def passed() -> PulsePasses:
    return along(LINE, ETA, DWELL)


def seen(place: float = 0.0):
    """Return where three passes take place; only their times matter."""
    one = from_table([0.0, 1.0, 2.0], [1.0, 1.0, 1.0], [1e6, 1e6, 1e6])
    three = jax.tree.map(lambda leaf: np.concatenate([leaf] * 3), one)
    shift = np.array([1e4, 4e4, 8e4]) + place
    moved = {name: getattr(three, name) + (shift if name != "time" else shift[:, None]) for name in ("rise", "set")}
    return dataclasses.replace(three, **moved, time=three.time + shift[:, None], satellite=(0, 0, 0))


def stations(*each, clear=1.0) -> Stations:
    where = tuple(seen(1e3 * i) for i in range(len(each)))
    share = jnp.full(len(each), clear)
    return Stations(passes=each, clear=share, seen=where, start=0.0, span=86_400.0)


def by_hand(eta, dwell):
    """Return detections of the key basis and wrong ones, stretch by stretch in NumPy."""
    mu, share = np.array([0.6, 0.15, 0.0]), np.array([0.6, 0.25, 0.15])
    total = np.zeros((2, 3))
    for each, time in zip(eta, dwell, strict=True):
        lit = 1 - np.exp(-0.1 * each * mu)
        click = 1 - (1 - 2e-7) * np.exp(-0.1 * each * mu)
        total += 1e8 * time * share * 0.8**2 * np.array([click, 1e-7 + 0.01 * lit])
    return total


@pytest.mark.parametrize("place", [0, 1, 2])
def test_counts_of_a_pass_are_those_of_its_stretches(place):
    counts = passed().counts()
    expected = by_hand(ETA[place], DWELL[place])
    np.testing.assert_allclose(counts.key_detections[place], expected[0], rtol=1e-9)
    np.testing.assert_allclose(counts.key_errors[place], expected[1], rtol=1e-9)


def test_a_line_is_a_pass_of_one_stretch():
    line = dataclasses.replace(LINE, receive=receiver(20.0, 0.1, 1e-7, 0.01))
    given = dict(security=DEMAND, tail="hoeffding", abort_above=0.02)
    alone = pulse_key(line.sent, line.receive, 1e8, seconds=100.0, **given)
    stretches = along(LINE, [[0.01, 0.01]], [[30.0, 70.0]])
    found = nightly(KEYS, stations(stretches)).each[0]
    assert found.session.key_bits[0] == pytest.approx(float(alone.session.key_bits), rel=1e-12)
    assert found.rate[0] == pytest.approx(float(alone.rate), rel=1e-12)


def test_one_pass_is_one_block():
    night = nightly(KEYS, stations(passed()))
    bits, counts = night.each[0].session.key_bits, passed().counts()
    honest = jax.tree.map(lambda leaf: leaf[0], counts)
    wrong = float(jnp.sum(honest.test_errors) / jnp.sum(honest.test_detections))
    raised = 0.02 - wrong
    higher = dataclasses.replace(
        honest,
        key_errors=jnp.minimum(honest.key_errors + raised * honest.key_detections, honest.key_detections / 2),
        test_errors=jnp.minimum(honest.test_errors + raised * honest.test_detections, honest.test_detections / 2),
    )
    assert bits[0] == pytest.approx(float(decoy_key(SENT, higher, DEMAND, tail="hoeffding").key_bits), rel=1e-6)
    assert bits[1] < 0 and bits[2] == 0  # short, and none at all
    expected = float(bits[0] * (1 - night.each[0].session.p_abort[0]))
    assert night.total_bits == pytest.approx(expected)
    assert night.yearly_bits == pytest.approx(365.25 * expected)


def test_varying_loss_is_not_its_mean():
    mean = np.sum(ETA[0] * DWELL[0]) / np.sum(DWELL[0])
    apart = dataclasses.replace(LINE.receive, transmissivity=0.1 * mean, dead_pulses=np.asarray(1e3))
    whole = expected_counts(SENT, apart, 1e8 * 240.0)
    varied = dataclasses.replace(
        passed(), receive=dataclasses.replace(passed().receive, dead_pulses=np.full((3, 3), 1e3))
    )
    assert float(varied.counts().key_detections[0, 0] / whole.key_detections[0]) < 0.99


def test_weather_counts_as_a_probability():
    clear, cloudy = nightly(KEYS, stations(passed())), nightly(KEYS, stations(passed(), clear=0.3))
    assert cloudy.total_bits == pytest.approx(0.3 * float(clear.total_bits))
    never = nightly(KEYS, stations(passed(), clear=0.0))
    assert float(never.total_bits) <= 0 and np.isfinite(never.total_bits)


def test_relay_gives_the_shorter_key():
    weaker = along(LINE, 0.9 * ETA, DWELL)
    both = nightly(KEYS, stations(passed(), weaker))
    alone = [float(nightly(KEYS, stations(each)).total_bits) for each in (passed(), weaker)]
    assert alone[0] > alone[1] > 0
    assert both.total_bits == pytest.approx(alone[1])
    assert float(relayed(3.0, -1.0)) == 0.0
    assert any("relays" in said for said in both.sentences())
    # the second station gets its key 1,000 s later, after which both have it; then it is used until the end
    assert both.buffer().capacity == pytest.approx(alone[1], rel=1e-3)
    assert both.buffer().needed_at_start == pytest.approx(alone[1] * 1.1002e4 / 86_400.0, rel=1e-3)


def test_xor_of_both_keys_gives_one_to_the_other():
    first, second = np.random.default_rng(7).integers(0, 2, (2, 64))
    told = first ^ second  # what the satellite announces
    assert np.array_equal(told ^ second, first)


def test_entangled_light_over_a_pass_is_a_block_of_its_pairs():
    eta = np.array([[0.01, 0.02, 0.01]])
    line = light_line(1e6, (eta, eta), window=1e-9, dark_count_rate=100.0, polarisation_error=0.02)
    light = LightPasses(line=line, dwell=np.array([[50.0, 100.0, 50.0]]))
    pairs = light.sifted()[0]
    rates = 1e6 * eta[0] ** 2 + (1e6 * eta[0] + 100) ** 2 * 1e-9
    assert pairs[0] == pytest.approx(np.sum(rates * [50.0, 100.0, 50.0]), rel=1e-9)
    keys = Keys(security=DEMAND, tail=Tail.SERFLING, test_fraction=0.3, abort_above=0.06)
    where = stations(light)
    night = nightly(keys, dataclasses.replace(where, seen=(jax.tree.map(lambda leaf: leaf[:1], where.seen[0]),)))
    means = Nights().evaluate(where)
    found = pair_key(
        means.summary, signals=pairs[0], security=DEMAND, tail="serfling", test_fraction=0.3, abort_above=0.06
    )
    assert night.each[0].session.key_bits[0] == pytest.approx(float(found.session.key_bits), rel=1e-9)


def test_gradients_by_loss_and_dwell_agree_with_differences():
    def total(numbers):
        eta, dwell = ETA * numbers[0], DWELL * numbers[1]
        sent = pulses([0.6, 0.15, 0.0], [0.6, 0.25, 0.15], 0.8)
        sent = dataclasses.replace(sent, intensities=sent.intensities * jnp.stack([numbers[2], numbers[3], numbers[0]]))
        passes = along(dataclasses.replace(LINE, sent=sent), eta, dwell)
        return nightly(KEYS, stations(passes)).total_bits

    start = jnp.ones(4)
    slope = jax.grad(total)(start)
    step = 1e-5
    for i in range(4):
        moved = np.eye(4)[i] * step
        expected = (total(start + moved) - total(start - moved)) / (2 * step)
        assert slope[i] == pytest.approx(float(expected), rel=2e-4)


@pytest.mark.parametrize("scale", [1e-3, 0.0])
def test_no_key_has_a_finite_value_and_slope(scale):
    def total(x):
        return nightly(KEYS, stations(along(LINE, ETA * x, DWELL))).total_bits

    value, slope = jax.value_and_grad(total)(scale)
    assert float(value) < 0 and np.isfinite(value) and np.isfinite(slope)


def test_a_pass_without_key_says_which_would_do():
    weak = stations(along(LINE, ETA[1:2], DWELL[1:2]))
    (said,) = nightly(
        KEYS, dataclasses.replace(weak, seen=(jax.tree.map(lambda leaf: leaf[:1], weak.seen[0]),))
    ).warnings()
    times = float(said.split("but with ")[1].split(" times")[0])
    more = stations(along(LINE, ETA[1:2], DWELL[1:2] * times * 1.01))
    assert float(nightly(KEYS, more).total_bits) > 0
    nothing = nightly(KEYS, stations(along(LINE, ETA[2:], DWELL[2:]))).warnings()
    assert "no pass in this time" in nothing[0]


def test_first_bits_come_in_the_first_pass():
    times = Nights().evaluate(stations(passed())).quantiles(jnp.array([0.05, 0.95]))
    assert np.all((times >= 1e4) & (times <= 1e4 + 2))
    assert in_stretches(passed()).sifted()[0].shape == (9,)
    assert np.isinf(Nights().evaluate(stations(along(LINE, ETA * 0, DWELL * 0))).mean_time)


def test_micius_from_its_optics():
    optics = free_space(receiver_radius=0.5, wavelength=850e-9, divergence=7.4066e-6, zenith_transmissivity=10**-0.3402)
    track = at_rest(500e3, 645e3, duration=273.0)
    sent = pulses([0.8, 0.1, 0.0], [0.5, 0.25, 0.25])
    line = PulseLine(sent=sent, receive=receiver(0.0, 0.16 * 0.5 * 2 * 0.470575), pulse_rate=np.asarray(1e8))
    down = along(line, transmissivity(optics, track.slant_range, track.elevation), track.dwell)
    assert 2 * float(down.sifted()[0][0]) == pytest.approx(1.684e6, rel=1e-3)


def test_a_year_is_many_spans():
    assert float(yearly(10.0, 86_400.0, days=100.0)) == 1000.0


@pytest.mark.parametrize(
    ("eta", "dwell", "noise", "said"),
    [
        ([[1.5]], [[1.0]], None, "transmissivity"),
        ([[0.5]], [[-1.0]], None, "dwell"),
        ([0.5], [1.0], None, "one shape"),
        ([[0.5]], [[1.0]], 0.2, "noise"),
    ],
)
def test_wrong_numbers_are_named(eta, dwell, noise, said):
    with pytest.raises(ValueError, match=said):
        along(LINE, eta, dwell, noise=noise)
