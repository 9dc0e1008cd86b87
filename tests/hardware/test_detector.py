import jax
import numpy as np
import pytest

from qtn.hardware.detector import p_click_one, p_click_two, p_click_zero
from tests.oracles import fock

CASES = {  # eta left, eta right, visibility, dark counts
    "ideal": (1.0, 1.0, 1.0, 0.0),
    "lossy": (0.3, 0.8, 0.9, 0.0),
    "distinguishable": (0.6, 0.5, 0.0, 0.01),
    "dark": (0.05, 0.02, 0.7, 0.2),
    "blocked": (0.0, 0.0, 0.5, 0.1),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_fock_space(case):
    left, right, visibility, dark = case
    arms = {"eta_left": left, "eta_right": right, "visibility": visibility, "dark": dark}
    state = fock.window(np.eye(4), **arms, detector=1, phase=0.3)
    diagonal = np.real(np.diag(state))
    expected = [
        p_click_zero(dark),
        p_click_one(right, dark),
        p_click_one(left, dark),
        p_click_two(left, right, visibility, dark),
    ]
    np.testing.assert_allclose(diagonal, expected, atol=1e-14)  # rounding of sums of order one


@pytest.mark.parametrize("dark", [0.0, 0.3])
def test_fewer_photons_are_limits(dark):
    np.testing.assert_allclose(p_click_one(0.0, dark), p_click_zero(dark), rtol=1e-15)
    np.testing.assert_allclose(p_click_two(0.4, 0.0, 0.9, dark), p_click_one(0.4, dark), rtol=1e-15)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_gradients_match_differences(case):
    gradient = jax.jacfwd(lambda x: p_click_two(*x))(np.array(case))
    backward = jax.jacrev(lambda x: p_click_two(*x))(np.array(case))
    np.testing.assert_allclose(gradient, backward, atol=1e-15)
    step = 1e-5  # a polynomial of degree 3 in pd at most: central differences err by 1e-10
    for k, direction in enumerate(np.eye(4)):
        ahead, behind = (p_click_two(*(np.array(case) + sign * step * direction)) for sign in (1, -1))
        np.testing.assert_allclose(gradient[k], (ahead - behind) / (2 * step), atol=1e-9)
