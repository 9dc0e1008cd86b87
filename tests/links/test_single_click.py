import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.links.midpoint import multiplexed
from qtn.links.single_click import safe_sqrt, single_click, single_click_state
from tests.oracles import fock

BASE = {"length_left": 10e3, "length_right": 14e3, "loss_left": 2.0, "loss_right": 3.0, "bright_state": 0.1}

OPTICS = {
    "ideal": {"loss_left": 0.0, "loss_right": 0.0},
    "asymmetric": {"bright_state": (0.2, 0.35), "loss_left": 1.0, "loss_right": 7.0},
    "everything": {
        "bright_state": (0.15, 0.4),
        "efficiency": 0.6,
        "visibility": 0.85,
        "dark_count_probability": 0.03,
        "phase_std": 0.7,
    },
    "distinguishable": {"visibility": 0.0, "dark_count_probability": 1e-3},
    "strong_phase_noise": {"phase_std": 2.0},
    "phase_offset": {"phase_offset": 0.9, "phase_std": 0.3, "bright_state": (0.2, 0.3), "dark_count_probability": 0.01},
    "always_bright": {"bright_state": 1.0, "dark_count_probability": 0.1},
    "never_bright": {"bright_state": 0.0, "dark_count_probability": 0.1},
    "one_side_bright": {"bright_state": (1.0, 0.0), "loss_left": 0.0},
    "no_light": {"efficiency": 0.0, "dark_count_probability": 0.5},
}

SMOOTH = OPTICS["everything"] | {"num_modes": 5.0, "emission_time": 1e-4}

EDGES = {
    name: case for name, case in OPTICS.items() if name not in ("asymmetric", "everything", "strong_phase_noise")
} | {"certain_with_many_modes": OPTICS["one_side_bright"] | {"num_modes": 3}}


def oracle(link):
    eta = [float(link.efficiency * 10 ** (-loss / 10)) for loss in (link.loss_left, link.loss_right)]
    return fock.single_click(
        bright_left=float(link.bright_state[0]),
        bright_right=float(link.bright_state[1]),
        phase_std=float(link.phase_std),
        phase_offset=float(link.phase_offset),
        eta_left=eta[0],
        eta_right=eta[1],
        visibility=float(link.visibility),
        dark=float(link.dark_count_probability),
    )


def outputs(link):
    heralded = link.heralded()
    return jnp.concatenate([heralded.bell_diagonal, jnp.stack([heralded.p_success, heralded.attempt_time * 1e3])])


@pytest.mark.parametrize("case", OPTICS.values(), ids=OPTICS)
def test_agrees_with_fock_space(case):
    link = single_click(**BASE | case)
    heralded = link.heralded()
    probability, state = oracle(link)
    np.testing.assert_allclose(heralded.p_success, probability, atol=1e-12)
    np.testing.assert_allclose(heralded.bell_diagonal, fock.bell_weights(state), atol=1e-12)


@pytest.mark.parametrize("case", OPTICS.values(), ids=OPTICS)
def test_whole_state_agrees_with_fock_space(case):
    link = single_click(**BASE | case)
    probability, state = oracle(link)
    np.testing.assert_allclose(single_click_state(link), probability * fock.pauli_coefficients(state), atol=1e-12)


def test_unequal_arms_leave_local_polarisation():
    state = single_click_state(single_click(**BASE | OPTICS["asymmetric"]))
    assert abs(state[3, 0]) > 0.05 * state[0, 0]
    assert abs(state[0, 3]) > 0.05 * state[0, 0]


@pytest.mark.parametrize("case", OPTICS.values(), ids=OPTICS)
def test_is_a_state(case):
    weights = single_click(**BASE | case).heralded().bell_diagonal
    assert jnp.all(weights >= -1e-16)  # rounding of the characters
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-15)


@pytest.mark.parametrize("bright", [0.01, 0.1, 0.4])
def test_weak_light_limit(bright):
    loss = 80.0  # eta = 1e-8: corrections are of that order
    heralded = single_click(**BASE | {"loss_left": loss, "loss_right": loss, "bright_state": bright}).heralded()
    np.testing.assert_allclose(heralded.bell_diagonal[0], 1 - bright, rtol=1e-7)
    np.testing.assert_allclose(heralded.p_success, 2 * bright * 1e-8, rtol=1e-7)


TIMES = {
    "travel": ({}, 2 * 14e3 * 1.468 / 299_792_458),
    "emission": ({"emission_time": 1e-3}, 1e-3 + 2 * 14e3 * 1.468 / 299_792_458),
    "vacuum": ({"refractive_index": 1.0, "length_left": 30e3}, 2 * 30e3 / 299_792_458),
    "given": ({"attempt_time": 5e-6, "emission_time": 1.0}, 5e-6),
    "local": ({"length_left": 0, "length_right": 0, "emission_time": 1e-6}, 1e-6),
}


@pytest.mark.parametrize(("case", "expected"), TIMES.values(), ids=TIMES)
def test_attempt_time(case, expected):
    np.testing.assert_allclose(single_click(**BASE | case).heralded().attempt_time, expected, rtol=1e-14)


@pytest.mark.parametrize("num_modes", [1, 2, 1000])
def test_modes_change_only_the_probability(num_modes):
    one, many = (single_click(**BASE, num_modes=m).heralded() for m in (1, num_modes))
    np.testing.assert_allclose(many.p_success, 1 - (1 - one.p_success) ** num_modes, rtol=1e-13)
    np.testing.assert_array_equal(many.bell_diagonal, one.bell_diagonal)


def test_rare_success_is_not_lost_to_rounding():
    np.testing.assert_allclose(multiplexed(jnp.array(1e-18), 1000.0), 1e-15, rtol=1e-14)


@pytest.mark.parametrize(("p", "m", "slope"), [(1.0, 1.0, 1.0), (1.0, 2.0, 0.0), (0.0, 7.0, 7.0), (0.5, 2.0, 1.0)])
def test_slope_of_multiplexing(p, m, slope):
    value, gradient = jax.value_and_grad(multiplexed, argnums=(0, 1))(p, m)
    np.testing.assert_allclose(value, 1 - (1 - p) ** m, rtol=1e-14)
    np.testing.assert_allclose(gradient[0], slope, rtol=1e-14)
    assert np.isfinite(gradient[1])


def test_jvp_matches_differences():
    leaves, build = jax.tree.flatten(single_click(**BASE | SMOOTH))
    for k, leaf in enumerate(leaves):
        step = 1e-5 * jnp.maximum(jnp.abs(leaf), 1e-3)  # balances truncation and rounding

        def moved(t, k=k, step=step):
            return outputs(build.unflatten([*leaves[:k], leaves[k] + t * step, *leaves[k + 1 :]]))

        slope = jax.jvp(moved, (0.0,), (1.0,))[1]
        np.testing.assert_allclose(slope, (moved(1.0) - moved(-1.0)) / 2, atol=2e-14, rtol=1e-6)


@jax.jit
def jacobians(link):
    """Derivatives of the outputs by every number, forward and reverse."""
    return jax.jacfwd(outputs)(link), jax.jacrev(outputs)(link)


@pytest.mark.parametrize("case", (EDGES | {"smooth": SMOOTH}).values(), ids=[*EDGES, "smooth"])
def test_gradients_are_finite_and_agree(case):
    forward, backward = map(jax.tree.leaves, jacobians(single_click(**BASE | case)))
    for a, b in zip(forward, backward, strict=True):
        assert jnp.all(jnp.isfinite(a))
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_clipped_rounding_keeps_the_slope():
    def weight(visibility):
        return single_click(**BASE | {"visibility": visibility}).heralded().bell_diagonal[3]

    one_sided = (weight(1.0 - 1e-6) - weight(1.0)) / -1e-6
    np.testing.assert_allclose(jax.grad(weight)(1.0), one_sided, rtol=1e-6)


def test_nothing_clicks_is_harmless_when_traced():
    def fidelity(bright):
        return single_click(**BASE | {"bright_state": bright}).heralded().bell_diagonal[0]

    value, slope = jax.jit(jax.value_and_grad(fidelity))(0.0)
    assert (value, slope) == (0.25, 0)


@pytest.mark.parametrize(("x", "root", "slope"), [(4.0, 2, 0.25), (0.0, 0, 0), (-1e-18, 0, 0)])
def test_safe_sqrt(x, root, slope):
    assert jax.value_and_grad(safe_sqrt)(x) == (root, slope)


def test_vmap_is_loop():
    def build(bright, visibility):
        return outputs(single_click(**BASE | {"bright_state": bright, "visibility": visibility}))

    grid = jnp.array(list(itertools.product([0.05, 0.5, 1.0], [0.0, 0.9, 1.0])))
    batch = jax.vmap(build)(*grid.T)
    np.testing.assert_allclose(batch, [build(*point) for point in grid], rtol=1e-14, atol=1e-16)


def test_vmap_over_links():
    links = jax.vmap(lambda a: single_click(**BASE | {"bright_state": a}))(jnp.array([0.1, 0.2]))
    loop = [outputs(single_click(**BASE | {"bright_state": a})) for a in (0.1, 0.2)]
    np.testing.assert_allclose(jax.vmap(outputs)(links), loop, rtol=1e-14)


def test_one_trace_for_many_numbers():
    traces = []

    @jax.jit
    def run(link):
        traces.append(1)
        return outputs(link)

    for case in ({}, {"bright_state": 0.3, "num_modes": 9}, {"loss_left": 0.0}):
        run(single_click(**BASE | case))
    assert len(traces) == 1


NON_NEGATIVE = ["length_left", "length_right", "loss_left", "loss_right", "phase_std", "emission_time"]
ERRORS = {
    **{
        f"{name}_{value}": (
            {name: value},
            f"Argument `{name}` must be non-negative and finite, but is {value}.",
        )
        for name in NON_NEGATIVE
        for value in (-1.0, np.inf)
    },
    **{
        f"{name}_{value}": ({name: value}, f"Argument `{name}` must lie in [0, 1], but is {value}.")
        for name in ("bright_state", "efficiency", "visibility")
        for value in (-0.1, 1.3)
    },
    "dark_one": ({"dark_count_probability": 1.0}, "`dark_count_probability` must lie in [0, 1), but is 1.0."),
    "modes": ({"num_modes": 0.0}, "`num_modes` must be at least 1 and finite, but is 0.0."),
    "index": ({"refractive_index": 0.9}, "`refractive_index` must be at least 1 and finite, but is 0.9."),
    "instant": ({"attempt_time": 0.0}, "`attempt_time` must be positive and finite, but is 0.0."),
    "no_duration": ({"length_left": 0, "length_right": 0}, "Give `emission_time` or `attempt_time`."),
    "three_populations": ({"bright_state": [0.1] * 3}, "`bright_state` must be one number or two, but has"),
    "shape": ({"loss_left": [1.0, 2.0]}, "`loss_left` must be a single number, but has shape (2,)."),
    "offset": ({"phase_offset": np.inf}, "Argument `phase_offset` must be finite, but is inf."),
    "offset_shape": ({"phase_offset": [1.0]}, "`phase_offset` must be a single number, but has shape (1,)."),
    "phase_shape": ({"phase_std": [1.0]}, "`phase_std` must be a single number, but has shape (1,)."),
    "time_shape": ({"attempt_time": [1.0]}, "`attempt_time` must be a single number, but has shape (1,)."),
    "no_light": ({"bright_state": 0.0}, "The success probability must be positive, but is 0"),
}


@pytest.mark.parametrize(("arguments", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(arguments, message):
    with pytest.raises(ValueError) as error:
        single_click(**BASE | arguments)
    assert message in str(error.value)
