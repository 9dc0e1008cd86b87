"""Links of which photons arrive at the nodes: one-pair sources, direct transmission, entangled light, satellites."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.hardware.earth import EARTH_RADIUS
from qtn.links.direct_transmission import direct_transmission
from qtn.links.midpoint_source import midpoint_source
from qtn.links.satellite import downlinks, satellite
from qtn.links.spdc_source import spdc_source
from tests.oracles import two_arms
from tests.oracles.fock import BELL, pauli_coefficients

C = 299_792_458.0
ARMS = {"length_left": 10e3, "length_right": 14e3, "loss_left": 2.0, "loss_right": 3.0}
FIBRE = {"loss_left": 2.0, "loss_right": 3.0, "repetition_rate": 1e6}
SKY = {
    "distance_left": 400e3,
    "distance_right": 700e3,
    "altitude": 500e3,
    "beam_waist": 0.1,
    "receiver_radius": 0.5,
    "wavelength": 810e-9,
    "zenith_transmissivity": 0.6,
    "repetition_rate": 1e6,
}
WEIGHTS = [0.7, 0.05, 0.15, 0.1]

CASES = {
    "midpoint_ideal": (midpoint_source, ARMS),
    "midpoint_dark": (
        midpoint_source,
        ARMS | {"p_source": 0.4, "bell_diagonal": WEIGHTS, "dark_count_probability": 0.03},
    ),
    "midpoint_werner": (midpoint_source, ARMS | {"p_source": 0.5, "fidelity": 0.9, "efficiency": 0.3}),
    "midpoint_only_dark": (midpoint_source, ARMS | {"efficiency": 0.0, "dark_count_probability": 0.5}),
    "direct_ideal": (direct_transmission, {"length": 20e3, "loss": 4.0}),
    "direct_dark": (
        direct_transmission,
        {"length": 20e3, "loss": 4.0, "bell_diagonal": WEIGHTS, "efficiency": 0.5, "dark_count_probability": 0.02},
    ),
    "spdc_weak": (spdc_source, FIBRE | {"mean_pairs": 0.01}),
    "spdc_bright": (spdc_source, FIBRE | {"mean_pairs": 0.08, "efficiency": 0.7, "dark_count_probability": 0.04}),
    "spdc_without_loss": (spdc_source, FIBRE | {"mean_pairs": 0.05, "loss_left": 0.0, "loss_right": 0.0}),
    "spdc_no_light": (spdc_source, FIBRE | {"mean_pairs": 0.0, "dark_count_probability": 0.1}),
    "satellite_one_pair": (satellite, SKY | {"p_source": 0.5, "fidelity": 0.95, "dark_count_probability": 1e-3}),
    "satellite_light": (satellite, SKY | {"mean_pairs": 0.05, "dark_count_probability": 1e-3, "efficiency": 0.6}),
}
BELL_STATES = np.array([np.outer(vector, vector) for vector in BELL])


def outputs(link):
    pair = link.heralded()
    return jnp.concatenate([pair.bell_diagonal, jnp.stack([jnp.log(pair.p_success), pair.attempt_time * 1e3])])


def transmissivities(link):
    """(etaA, etaB) by the formulas of the field, in NumPy."""
    if hasattr(link, "altitude"):
        return [float(link.efficiency) * sky(link, float(s)) for s in (link.distance_left, link.distance_right)]
    if hasattr(link, "loss"):
        return [1.0, float(link.efficiency) * 10 ** (-float(link.loss) / 10)]
    return [float(link.efficiency) * 10 ** (-float(loss) / 10) for loss in (link.loss_left, link.loss_right)]


def sky(link, s):
    """Transmissivity of one downlink from vectors: the station at the pole, the satellite at the angle s/R."""
    h, w0, lam = float(link.altitude), float(link.beam_waist), float(link.wavelength)
    angle = s / EARTH_RADIUS
    ray = (EARTH_RADIUS + h) * np.array([np.sin(angle), np.cos(angle)]) - np.array([0, EARTH_RADIUS])
    length = np.linalg.norm(ray)
    width = w0 * np.sqrt(1 + (length * lam / (np.pi * w0**2)) ** 2)
    caught = 1 - np.exp(-2 * float(link.receiver_radius) ** 2 / width**2)
    return caught * float(link.zenith_transmissivity) ** (length / ray[1])


def oracle(link):
    """(probability, normalised Pauli coefficients) from photon counting in Fock space."""
    dark = float(link.dark_count_probability)
    light = getattr(link, "mean_pairs", None)
    if light is not None:
        most = 8
        source = two_arms.entangled_light(float(light), most)
    else:
        most, p_source = 1, getattr(link, "p_source", 1.0)
        source = two_arms.one_pair(float(p_source), np.asarray(link.source_state))
    eta = transmissivities(link)
    both, correlations = two_arms.detected(
        source,
        eta_left=eta[0],
        eta_right=eta[1],
        dark_left=0.0 if hasattr(link, "loss") else dark,
        dark_right=dark,
        most=most,
    )
    return both, correlations / both


@pytest.mark.parametrize(("build", "arguments"), CASES.values(), ids=CASES)
def test_agrees_with_photon_counting(build, arguments):
    link = build(**arguments)
    pair = link.heralded()
    probability, correlations = oracle(link)
    np.testing.assert_allclose(pair.p_success, probability, rtol=1e-10, atol=1e-12)
    state = pauli_coefficients(np.einsum("k,kij->ij", pair.bell_diagonal, BELL_STATES))
    np.testing.assert_allclose(state[1:, 1:], correlations, atol=1e-10)  # eight photons leave 1e-11 of the light


LIMITS = {
    "midpoint": (midpoint_source, ARMS | {"p_source": 0.4, "fidelity": 0.93}, 0.4 * 10**-0.5, 0.93),
    "direct": (
        direct_transmission,
        {"length": 0.0, "loss": 7.0, "fidelity": 0.8, "emission_time": 1e-6},
        10**-0.7,
        0.8,
    ),
    "few_pairs": (spdc_source, FIBRE | {"mean_pairs": 1e-7, "visibility": 0.9}, 1e-7 * 10**-0.5, 0.925),
}


@pytest.mark.parametrize(("build", "arguments", "p_success", "fidelity"), LIMITS.values(), ids=LIMITS)
def test_closed_forms(build, arguments, p_success, fidelity):
    pair = build(**arguments).heralded()
    np.testing.assert_allclose(pair.p_success, p_success, rtol=1e-6)
    np.testing.assert_allclose(pair.bell_diagonal[0], fidelity, rtol=1e-6)


def test_weak_light_through_strong_loss_keeps_all_digits():
    one, other = (
        spdc_source(**FIBRE | {"mean_pairs": mu, "loss_left": 70.0, "loss_right": 80.0}).heralded()
        for mu in (1e-6, 2e-6)
    )
    np.testing.assert_allclose(one.p_success, 1e-6 * 1e-15 * (1 + 1.5e-6), rtol=1e-11)
    np.testing.assert_allclose(other.p_success / one.p_success, 2 * (1 + 1.5e-6), rtol=1e-9)


TIMES = {
    "midpoint": (midpoint_source, ARMS | {"emission_time": 1e-3}, 1e-3 + (14e3 + 10e3 + 14e3) * 1.468 / C),
    "direct": (direct_transmission, {"length": 20e3, "loss": 1.0}, 40e3 * 1.468 / C),
    "spdc": (spdc_source, FIBRE | {"mean_pairs": 0.1}, 1e-6),
    "spdc_given": (spdc_source, FIBRE | {"mean_pairs": 0.1, "repetition_rate": None, "attempt_time": 5e-5}, 5e-5),
    "satellite": (satellite, SKY | {"p_source": 1.0}, 1e-6),
    "given": (direct_transmission, {"length": 20e3, "loss": 1.0, "attempt_time": 2e-3}, 2e-3),
}


@pytest.mark.parametrize(("build", "arguments", "expected"), TIMES.values(), ids=TIMES)
def test_attempt_time(build, arguments, expected):
    np.testing.assert_allclose(build(**arguments).heralded().attempt_time, expected, rtol=1e-14)


@pytest.mark.parametrize("name", ["midpoint_dark", "direct_dark", "spdc_bright", "satellite_light"])
def test_modes_change_only_the_probability(name):
    build, arguments = CASES[name]
    one, many = (build(**arguments, num_modes=m).heralded() for m in (1, 20))
    np.testing.assert_allclose(many.p_success, 1 - (1 - one.p_success) ** 20, rtol=1e-11)
    np.testing.assert_array_equal(many.bell_diagonal, one.bell_diagonal)


EDGES = ["midpoint_ideal", "midpoint_only_dark", "direct_ideal", "spdc_no_light", "spdc_without_loss"]
SMOOTH = ["midpoint_dark", "direct_dark", "spdc_bright", "satellite_one_pair", "satellite_light"]


@jax.jit
def jacobians(link):
    """Derivatives of the outputs by every number, forward and reverse."""
    return jax.jacfwd(outputs)(link), jax.jacrev(outputs)(link)


@pytest.mark.parametrize("name", EDGES + SMOOTH)
def test_gradients_are_finite_and_agree(name):
    build, arguments = CASES[name]
    forward, backward = map(jax.tree.leaves, jacobians(build(**arguments)))
    for a, b in zip(forward, backward, strict=True):
        assert jnp.all(jnp.isfinite(a))
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", SMOOTH)
def test_jvp_matches_differences(name):
    build, arguments = CASES[name]
    leaves, structure = jax.tree.flatten(build(**arguments))
    run = jax.jit(lambda leaves: outputs(structure.unflatten(leaves)))
    slopes = jax.jit(jax.jacfwd(lambda leaves: outputs(structure.unflatten(leaves))))(leaves)
    for k, (leaf, slope) in enumerate(zip(leaves, slopes, strict=True)):
        if leaf.ndim:
            continue
        step = 1e-5 * jnp.maximum(jnp.abs(leaf), 1e-6)
        moved = [run([*leaves[:k], leaf + sign * step, *leaves[k + 1 :]]) for sign in (1, -1)]
        np.testing.assert_allclose(slope * step, (moved[0] - moved[1]) / 2, atol=5e-14, rtol=1e-5)


def test_below_the_horizon_is_dark_when_traced():
    def p_success(distance):
        return satellite(**SKY | {"p_source": 1.0, "distance_left": distance}).heralded().p_success

    value, slope = jax.jit(jax.value_and_grad(p_success))(4e6)
    assert (value, slope) == (0, 0)


def test_zenith_and_horizon():
    link = satellite(**SKY | {"p_source": 1.0, "distance_left": 0.0, "minimum_elevation": 0.1})
    np.testing.assert_allclose(downlinks(link)[0], sky(link, 0.0), rtol=1e-13)


BAD = {
    "fidelity": (midpoint_source, ARMS | {"fidelity": 1.2}, "`fidelity` must lie in [0, 1], but is 1.2"),
    "two_states": (midpoint_source, ARMS | {"fidelity": 1.0, "bell_diagonal": WEIGHTS}, "must not both be given"),
    "p_source": (midpoint_source, ARMS | {"p_source": 0.0}, "`p_source` must lie in (0, 1], but is 0.0"),
    "dark": (midpoint_source, ARMS | {"dark_count_probability": 1.0}, "must lie in [0, 1), but is 1.0"),
    "never": (midpoint_source, ARMS | {"efficiency": 0.0}, "The success probability must be positive, but is 0"),
    "shape": (direct_transmission, {"length": [1.0, 2.0], "loss": 1.0}, "`length` must be a single number"),
    "negative": (direct_transmission, {"length": -1.0, "loss": 1.0}, "be non-negative and finite, but is -1.0"),
    "no_time": (direct_transmission, {"length": 0.0, "loss": 1.0}, "Give `emission_time` or `attempt_time`"),
    "no_time_midpoint": (
        midpoint_source,
        ARMS | {"length_left": 0, "length_right": 0},
        "Give `emission_time` or `attempt_time`",
    ),
    "period": (
        spdc_source,
        FIBRE | {"mean_pairs": 0.1, "attempt_time": 1.0},
        "Exactly one of the arguments `repetition_rate`",
    ),
    "no_period": (spdc_source, {"loss_left": 1, "loss_right": 1, "mean_pairs": 1}, "Exactly one of the arguments"),
    "no_light": (spdc_source, FIBRE | {"mean_pairs": 0.0}, "The success probability must be positive, but is 0"),
    "rate": (spdc_source, FIBRE | {"mean_pairs": 1, "repetition_rate": 0.0}, "`repetition_rate` must be positive"),
    "no_source": (satellite, SKY, "Exactly one of the arguments `mean_pairs`"),
    "both_sources": (
        satellite,
        SKY | {"mean_pairs": 0.1, "p_source": 0.1},
        "Exactly one of the arguments `mean_pairs`",
    ),
    "light_fidelity": (satellite, SKY | {"mean_pairs": 0.1, "fidelity": 0.9}, "give `visibility` instead"),
    "pair_visibility": (satellite, SKY | {"p_source": 1.0, "visibility": 0.9}, "give `fidelity` instead"),
    "horizon": (satellite, SKY | {"p_source": 1.0, "distance_right": 4e6}, "below the horizon. Shorten the distance"),
    "low": (satellite, SKY | {"p_source": 1.0, "minimum_elevation": 0.7}, "below the minimum of 40.11 degrees"),
    "far_side": (satellite, SKY | {"p_source": 1.0, "distance_left": 39e6}, "half the circumference of the earth"),
    "right_angle": (satellite, SKY | {"p_source": 1.0, "minimum_elevation": 1.6}, "lie in [0, pi/2) (radians)"),
    "altitude": (satellite, SKY | {"p_source": 1.0, "altitude": 0.0}, "`altitude` must be positive and finite"),
}


@pytest.mark.parametrize(("build", "arguments", "message"), BAD.values(), ids=BAD)
def test_errors(build, arguments, message):
    with pytest.raises(ValueError) as error:
        build(**arguments)
    assert message in str(error.value)
