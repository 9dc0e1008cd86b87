"""Buffers of key, what a key rate is good for, and users who ask at random times."""

import json
import math

import jax
import numpy as np
import pytest

from qtn.services import buffer_for, key_budget, load, outage, sampled_load, secrecy, stock


def long_run(block, p_block, consume, buffer):
    """Return the outage by averaging over very many periods of the whole chain, and the mean level."""
    chain = np.zeros((buffer + 1, buffer + 1))
    short = np.zeros(buffer + 1)
    for level in range(buffer + 1):
        for added, chance in ((block, p_block), (0, 1 - p_block)):
            filled = min(level + added, buffer)
            short[level] += chance * (filled < consume)
            chain[level, filled - consume if filled >= consume else filled] += chance
    mean = (np.eye(buffer + 1) + chain) / 2  # without periods
    for _ in range(16):
        mean = mean @ mean
    return mean[0] @ short, mean[0] @ np.arange(buffer + 1)


@pytest.mark.parametrize("buffer, published", [(8, 0.0561151), (20, 0.0060306), (40, 0.00033426)])
def test_outages_of_section_7(buffer, published):
    assert float(outage(block=4, p_block=0.8, consume=3, buffer=buffer)) == pytest.approx(published, abs=5e-8)


@pytest.mark.parametrize("setting", [(4, 0.8, 3, 8), (5, 0.3, 3, 6), (2, 0.9, 4, 7), (7, 0.5, 2, 3), (4, 1.0, 3, 8)])
def test_outage_is_the_long_run(setting):
    found = stock(*setting)
    assert (float(found.p_outage), float(found.mean)) == pytest.approx(long_run(*setting), abs=1e-9)
    assert float(found.p_outage) >= 1 - setting[1] * setting[0] / setting[2] - 1e-12


@pytest.mark.parametrize("buffer", [4, 8, 20])
def test_outage_has_derivatives_up_to_certainty(buffer):
    slope = jax.grad(lambda p: outage(p_block=p, buffer=buffer))
    there = (float(outage(p_block=0.8 + 1e-5, buffer=buffer)) - float(outage(p_block=0.8 - 1e-5, buffer=buffer))) / 2e-5
    assert float(slope(0.8)) == pytest.approx(there, rel=1e-6)
    end = -float(outage(p_block=1 - 1e-6, buffer=buffer)) / 1e-6
    assert float(slope(1.0)) == pytest.approx(end, abs=1e-4)
    assert float(outage(p_block=1.0, buffer=buffer)) == pytest.approx(0.0, abs=1e-12)


def test_the_smallest_buffer_is_enough():
    size = buffer_for(0.01)
    assert float(outage(buffer=size)) <= 0.01 < float(outage(buffer=size - 1))


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: outage(block=0), "`block` must be a positive whole number, but is 0"),
        (lambda: outage(buffer=True), "`buffer` must be a positive whole number"),
        (lambda: outage(p_block=0.0), r"`p_block` must lie in \(0, 1\]"),
        (lambda: outage(buffer=10**9), "at most 2,000"),
        (lambda: buffer_for(0.01, p_block=0.5), "blocks bring 2 units a period and users take 3"),
        (lambda: buffer_for(1e-9, most=10), "even|still leaves"),
        (lambda: key_budget(-1.0), "`rate` must be non-negative"),
        (lambda: key_budget(1.0, channels=0), "`channels` must be a positive whole number"),
        (lambda: key_budget(1.0, consume_rate=0.5), "`block_time` must be given"),
        (lambda: key_budget(1.0, block_time=1.0, consume_rate=1.5), "users take less than there is"),
        (lambda: key_budget(0.0, block_time=1.0, consume_rate=1.5), "users take less than there is"),
        (lambda: secrecy(kem="ML-KEM-768"), "`kem` and `kem_years` must be given together"),
        (lambda: load(0.0, 1.0, buffer=1), "`request_rate` must be positive"),
        (lambda: load(1.0, 1.0), "nobody would ever be served"),
        (lambda: load(1.0, 1.0, buffer=10**9), "at most 1,000,000"),
        (lambda: load(1.0, 1.0, buffer=-1), "whole number >= 0"),
        (lambda: sampled_load(1.0, 1e-9, buffer=1, cutoff_time=1e-9), "at most 10,000,000"),
        (lambda: sampled_load(1.0, 1.0), "nobody would ever be served"),
        (lambda: sampled_load(1.0, 1.0, buffer=1, num_requests=10), "from 1,000"),
    ],
)
def test_wrong_numbers_say_so(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_channels_of_the_published_rate():
    found = key_budget(66.16e3)
    assert found.num_channels == 258
    assert float(found.rekey_interval) == pytest.approx(256 / 66160)
    assert float(found.pad_rate) == 66160.0


def test_the_budget_has_the_buffer_of_its_blocks():
    found = key_budget(3.2, block_time=1.0, p_abort=0.2, consume_rate=3.0, wanted_outage=0.01)
    assert float(found.buffer_bits) == buffer_for(0.01, 4, 0.8, 3) == 17
    assert float(found.p_outage) == float(outage(4, 0.8, 3, 17))
    assert float(found.first_key_time) == pytest.approx(64 / 0.8)  # 64 blocks of 4 bits that are not aborted


def test_a_buffer_for_blocks_of_any_size():
    found = key_budget(1000.0, block_time=60.0, p_abort=0.1, consume_rate=617.3, wanted_outage=1e-4)
    assert float(found.p_outage) <= 1e-4
    rng, level, missed = np.random.default_rng(0), 0.0, 0
    for arrives in rng.random(200_000) < 0.9:  # the real block, not the one in whole units
        level = min(level + 1000 * 60 / 0.9 * arrives, float(found.buffer_bits))
        missed, level = (missed, level - 617.3 * 60) if level >= 617.3 * 60 else (missed + 1, level)
    assert missed / 200_000 <= 1.5e-4


def test_no_rate_is_no_key_and_no_nan():
    found = key_budget(0.0, block_time=1.0)
    assert (found.num_channels, math.isinf(float(found.rekey_interval)), math.isinf(float(found.first_key_time))) == (
        0,
        True,
        True,
    )
    assert found.sentences()


def test_the_budget_has_derivatives():
    slope = jax.grad(lambda rate: key_budget(rate, channels=4).rekey_interval)(512.0)
    assert float(slope) == pytest.approx(-4 * 256 / 512**2)


def test_fields_of_the_interface():
    found = key_budget(3200.0, block_time=1.0, p_abort=0.2, consume_rate=3000.0, wanted_outage=0.01)
    told = json.loads(json.dumps(found.key_delivery("bank", "hospital")))
    assert (told["source_KME_ID"], told["target_KME_ID"], told["key_size"]) == ("bank", "hospital", 256)
    assert told["max_key_count"] == 17000 // 256
    assert 0 < told["stored_key_count"] <= told["max_key_count"]
    assert told["status_extension"]["key_rate_bit_per_s"] == 3200.0


@pytest.mark.parametrize(
    "options, years",
    [
        ({}, math.inf),
        ({"cipher_years": 30.0}, 30.0),
        ({"cipher": "one_time_pad", "cipher_years": 30.0}, math.inf),
        ({"relays": ("hub",), "relay_years": 5.0}, 5.0),
        ({"relays": ("hub",), "relay_years": 5.0, "kem": "ML-KEM-768", "kem_years": 20.0}, 20.0),
        ({"relays": ("hub",), "relay_years": 25.0, "kem": "ML-KEM-768", "kem_years": 20.0}, 25.0),
        ({"relay_years": 5.0}, math.inf),  # nobody relays
    ],
)
def test_secret_if_either_holds(options, years):
    found = secrecy(**options, wanted_years=10.0)
    assert found.years == years
    assert found.suffices == (years >= 10)
    text = " ".join(found.sentences())
    assert ("secret if either holds" in text) == ("kem" in options)
    assert ("hub" in text) == ("relays" in options)
    assert ("NOT long enough" in text) == (years < 10)


def balance(asked, made, buffer, queue):
    """Return blocking, waiting time, age and kept part from the balance equations and sums over who is ahead."""
    states = range(-queue, buffer + 1)
    rates = np.zeros((len(states), len(states)))
    for i in range(len(states) - 1):
        rates[i, i + 1], rates[i + 1, i] = made, asked
    rates -= np.diag(rates.sum(axis=1))
    p = np.linalg.lstsq(np.vstack([rates.T, np.ones(len(states))]), np.append(np.zeros(len(states)), 1.0), rcond=None)[
        0
    ]
    accepted = asked * (1 - p[0])
    waits, ages = (sum(p[i] * max(sign * n, 0) for i, n in enumerate(states)) / accepted for sign in (-1, 1))  # Little
    born = made * p[:-1] / accepted
    kept = sum(born[i] * (asked / (asked + 1 / 3)) ** max(n + 1, 0) for i, n in enumerate(states) if n < buffer)
    return p[0], waits, ages, kept


@pytest.mark.parametrize("setting", [(1.0, 2.0, 2, 1), (1.0, 0.5, 3, 4), (2.0, 2.0, 5, 0), (1.0, 3.0, 0, 3)])
def test_load_is_the_balance_of_its_chain(setting):
    asked, made, buffer, queue = setting
    found = load(asked, made, buffer=buffer, queue=queue)
    numbers = found.p_blocked, found.waiting_time, found.age, found.kept(3.0)
    assert [float(x) for x in numbers] == pytest.approx(balance(*setting), abs=1e-12)


def test_load_has_derivatives():
    def waits(made):
        return load(1.0, made, buffer=3, queue=4).waiting_time

    assert float(jax.grad(waits)(0.7)) == pytest.approx(float((waits(0.7 + 1e-6) - waits(0.7 - 1e-6)) / 2e-6), rel=1e-7)
    assert np.isfinite(float(jax.grad(lambda made: load(1.0, made, buffer=2).kept(math.inf))(1.0)))
    for made in (1e-300, 1e300):
        extreme = load(1.0, made, buffer=500, queue=500)
        assert np.isfinite([extreme.p_blocked, extreme.waiting_time, extreme.age, extreme.kept(1.0)]).all()


def test_samples_agree_with_the_chain():
    times = np.random.default_rng(5).exponential(1 / 1.5, 20_000)
    drawn = sampled_load(1.0, times, buffer=2, queue=2, num_requests=20_000, key=1)
    exact = load(1.0, 1 / times.mean(), buffer=2, queue=2)
    for name in ("p_blocked", "waiting_time", "age", "p_at_once"):
        assert abs(getattr(drawn, name) - float(getattr(exact, name))) < 4 * drawn.errors[name] + 1e-3, name
    assert drawn.p_expired == 0


def test_units_that_expire_are_younger():
    limited = sampled_load(0.2, 0.5, buffer=2, queue=1, cutoff_time=1.0, num_requests=3_000)
    assert limited.age < 1.0 < sampled_load(0.2, 0.5, buffer=2, queue=1, num_requests=3_000).age
    assert limited.p_expired > 0
