import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.links.double_click import double_click
from tests.oracles import fock

BASE = {"length_left": 10e3, "length_right": 14e3, "loss_left": 2.0, "loss_right": 3.0}

OPTICS = {
    "ideal": {"loss_left": 0.0, "loss_right": 0.0},
    "asymmetric": {"loss_left": 1.0, "loss_right": 7.0},
    "everything": {"efficiency": 0.6, "visibility": 0.85, "dark_count_probability": 0.03},
    "distinguishable": {"visibility": 0.0, "dark_count_probability": 1e-3},
    "no_light": {"efficiency": 0.0, "dark_count_probability": 0.5},
    "mostly_dark": {"loss_left": 30.0, "loss_right": 25.0, "dark_count_probability": 0.01},
}

SMOOTH = OPTICS["everything"] | {"num_modes": 5.0, "emission_time": 1e-4}


def oracle(link, phase_std):
    eta = [float(link.efficiency * 10 ** (-loss / 10)) for loss in (link.loss_left, link.loss_right)]
    return fock.double_click(
        phase_std=phase_std,
        eta_left=eta[0],
        eta_right=eta[1],
        visibility=float(link.visibility),
        dark=float(link.dark_count_probability),
    )


def outputs(link):
    heralded = link.heralded()
    return jnp.concatenate([heralded.bell_diagonal, jnp.stack([heralded.p_success, heralded.attempt_time * 1e3])])


@pytest.mark.parametrize("phase_std", [0.0, 1.0], ids=["stable", "phase_noise"])
@pytest.mark.parametrize("case", OPTICS.values(), ids=OPTICS)
def test_agrees_with_fock_space(case, phase_std):
    link = double_click(**BASE | case)
    heralded = link.heralded()
    probability, state = oracle(link, phase_std)
    np.testing.assert_allclose(heralded.p_success, probability, atol=1e-12)
    np.testing.assert_allclose(
        np.diag(heralded.bell_diagonal), fock.BELL @ state @ fock.BELL.T, atol=1e-12
    )  # the state is Bell-diagonal, nothing is dropped


@pytest.mark.parametrize("visibility", [0.0, 0.5, 0.9, 1.0])
def test_without_dark_counts(visibility):
    heralded = double_click(**BASE, visibility=visibility).heralded()
    fidelity = (1 + visibility) / 2
    np.testing.assert_allclose(heralded.p_success, 10**-0.5 / 2, rtol=1e-14)
    np.testing.assert_allclose(heralded.bell_diagonal, [fidelity, 0, 0, 1 - fidelity], atol=1e-15)


@pytest.mark.parametrize("case", OPTICS.values(), ids=OPTICS)
def test_is_a_state(case):
    weights = double_click(**BASE | case).heralded().bell_diagonal
    assert jnp.all(weights >= -1e-16)  # rounding of the characters
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-15)


def test_attempt_time_and_modes():
    link = double_click(**BASE, num_modes=10, emission_time=2e-6)
    heralded, one = link.heralded(), double_click(**BASE, attempt_time=1.0).heralded()
    np.testing.assert_allclose(heralded.attempt_time, 2e-6 + 2 * 14e3 * 1.468 / 299_792_458, rtol=1e-14)
    np.testing.assert_allclose(heralded.p_success, 1 - (1 - one.p_success) ** 10, rtol=1e-13)
    assert one.attempt_time == 1


def test_jvp_matches_differences():
    leaves, build = jax.tree.flatten(double_click(**BASE | SMOOTH))
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


@pytest.mark.parametrize("case", (OPTICS | {"smooth": SMOOTH}).values(), ids=[*OPTICS, "smooth"])
def test_gradients_are_finite_and_agree(case):
    forward, backward = map(jax.tree.leaves, jacobians(double_click(**BASE | case)))
    for a, b in zip(forward, backward, strict=True):
        assert jnp.all(jnp.isfinite(a))
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_vmap_is_loop():
    def build(loss):
        return outputs(double_click(**BASE | {"loss_left": loss, "dark_count_probability": 0.01}))

    losses = jnp.array([0.0, 3.0, 40.0])
    np.testing.assert_allclose(jax.vmap(build)(losses), [build(loss) for loss in losses], rtol=1e-14, atol=1e-16)


ERRORS = {
    "length": ({"length_left": -1.0}, "Argument `length_left` must be non-negative and finite, but is -1.0."),
    "efficiency": ({"efficiency": 1.3}, "Argument `efficiency` must lie in [0, 1], but is 1.3."),
    "no_duration": ({"length_left": 0, "length_right": 0}, "Give `emission_time` or `attempt_time`."),
    "no_light": ({"efficiency": 0.0}, "The success probability must be positive, but is 0"),
}


@pytest.mark.parametrize(("arguments", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(arguments, message):
    with pytest.raises(ValueError) as error:
        double_click(**BASE | arguments)
    assert message in str(error.value)
