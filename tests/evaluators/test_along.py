"""Chains with a satellite link along a pass: slices, their ratio to the waiting time, gradients, refusals."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.evaluators.along import along, at
from qtn.evaluators.evaluate import evaluate
from qtn.hardware.free_space import free_space, transmissivity
from qtn.links.abstract import abstract_link
from qtn.links.chain import chain
from qtn.links.satellite import satellite
from qtn.orbits import orbit, passes, station
from qtn.schedules.builders import elementary
from qtn.schedules.families import nested

RAD = np.pi / 180
LEFT, RIGHT = station(48.2 * RAD, 16.4 * RAD), station(48.1 * RAD, 11.6 * RAD)
BEAM = {"receiver_radius": 0.5, "wavelength": 850e-9, "divergence": 1e-5, "zenith_transmissivity": 0.6}
SKY = satellite(distance_left=0.0, distance_right=0.0, altitude=500e3, p_source=0.5, repetition_rate=1e7, **BEAM)
SEEN = passes(orbit(500e3, 97.4 * RAD), (LEFT, RIGHT), 30e3, 20e3, 10 * RAD, num_nodes=4)
GROUND = abstract_link(p_success=0.5, attempt_time=1e-3, werner=0.95)


def test_one_link_delivers_at_its_rate():
    found = along(chain([SKY]), 0, SEEN, elementary(0))
    arrive = transmissivity(free_space(**BEAM), SEEN.slant_range, SEEN.elevation)
    rate = 0.5 * arrive[0] * arrive[1] * 1e7
    np.testing.assert_allclose(found.mean_time, 1 / rate, rtol=1e-6)
    np.testing.assert_allclose(found.num_pairs, np.sum(SEEN.dwell * rate, -1), rtol=1e-6)
    np.testing.assert_allclose(found.ratio * found.dwell, found.mean_time)
    np.testing.assert_allclose(found.pair_state[:, 3, 3], 1.0)


def test_a_slice_is_the_chain_at_its_place():
    line = chain([GROUND, SKY])
    seen = dataclasses.replace(
        SEEN, **{name: getattr(SEEN, name)[..., 1:2] for name in ("time", "elevation", "slant_range", "dwell")}
    )
    found = along(line, 1, seen, nested(1))
    there = evaluate(at(line, 1, SEEN.slant_range[:, 0, 1], SEEN.elevation[:, 0, 1]), nested(1))
    np.testing.assert_allclose(found.mean_time[0, 0], there.mean_time)
    np.testing.assert_allclose(found.state[0, 0], there.state)


def test_gradients():
    def pairs(divergence):
        return along(
            chain([dataclasses.replace(SKY, divergence=jnp.asarray(divergence))]), 0, SEEN, elementary(0)
        ).num_pairs.sum()

    numeric = (pairs(1.0001e-5) - pairs(0.9999e-5)) / 2e-9
    np.testing.assert_allclose(jax.grad(pairs)(np.array(1e-5)), numeric, rtol=1e-6)


def test_without_passes_there_are_no_pairs():
    none = passes(orbit(500e3, 97.4 * RAD), (LEFT, RIGHT), 0.0, 60.0, 10 * RAD)
    assert along(chain([SKY]), 0, none, elementary(0)).num_pairs.shape == (0,)


def test_a_satellite_that_moves_on_is_refused():
    slow = dataclasses.replace(SKY, attempt_time=np.array(1e-3))
    with pytest.raises(ValueError, match=r"(?s)A pair takes .* in a slice of .* the satellite moves on meanwhile"):
        along(chain([slow]), 0, SEEN, elementary(0))
    assert np.max(along(chain([slow]), 0, SEEN, elementary(0), most_ratio=1000.0).ratio) > 0.1


def test_errors():
    with pytest.raises(ValueError, match="link 0 is a AbstractLink"):
        along(chain([GROUND, SKY]), 0, SEEN, nested(1))
    alone = passes(orbit(500e3, 97.4 * RAD), LEFT, 30e3, 20e3, 10 * RAD)
    with pytest.raises(ValueError, match="two stations see at once"):
        along(chain([SKY]), 0, alone, elementary(0))
