import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.links.abstract import abstract_link

STATES = {
    "werner": ({"werner": 0.8}, [0.85, 0.05, 0.05, 0.05]),
    "fidelity": ({"fidelity": 0.7}, [0.7, 0.1, 0.1, 0.1]),
    "bell_diagonal": ({"bell_diagonal": [0.6, 0.3, 0.1, 0.0]}, [0.6, 0.3, 0.1, 0.0]),
    "mixed": ({"werner": 0.0}, [0.25] * 4),
    "no_phi_plus": ({"werner": -1 / 3}, [0, 1 / 3, 1 / 3, 1 / 3]),
}


@pytest.mark.parametrize(("state", "weights"), STATES.values(), ids=STATES)
def test_offers_its_numbers(state, weights):
    heralded = abstract_link(p_success=0.1, attempt_time=1e-3, **state).heralded()
    assert (heralded.p_success, heralded.attempt_time) == (0.1, 1e-3)
    np.testing.assert_allclose(heralded.bell_diagonal, weights, atol=1e-16)


ERRORS = {
    "no_state": ({}, "`werner`, `fidelity` and `bell_diagonal` must be given, but given are: none."),
    "two_states": ({"werner": 1, "fidelity": 1}, "but given are: werner, fidelity."),
    "never": ({"werner": 1, "p_success": 0.0}, "`p_success` must lie in (0, 1], but is 0.0."),
    "too_often": ({"werner": 1, "p_success": 1.5}, "`p_success` must lie in (0, 1], but is 1.5."),
    "instant": (
        {"werner": 1, "attempt_time": 0.0},
        "`attempt_time` must be positive and finite, but is 0.0.",
    ),
    "for_ever": ({"werner": 1, "attempt_time": np.inf}, "`attempt_time` must be positive and finite"),
    "werner": ({"werner": 1.1}, "`werner` must lie in [-1/3, 1], but is 1.1."),
    "fidelity": ({"fidelity": -0.1}, "`fidelity` must lie in [0, 1], but is -0.1."),
    "negative": ({"bell_diagonal": [1.5, -0.5, 0, 0]}, "`bell_diagonal` must lie in [0, 1]"),
    "sum": ({"bell_diagonal": [0.5, 0.1, 0, 0]}, "`bell_diagonal` must sum to 1, but sums to 0.6."),
    "shape": ({"bell_diagonal": [0.5, 0.5]}, "`bell_diagonal` must hold 4 weights, but has shape (2,)."),
}


@pytest.mark.parametrize(("arguments", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(arguments, message):
    with pytest.raises(ValueError) as error:
        abstract_link(**{"p_success": 0.1, "attempt_time": 1.0} | arguments)
    assert message in str(error.value)


def test_gradient_has_the_fields_of_the_link():
    link = abstract_link(p_success=0.1, attempt_time=2.0, werner=0.8)
    gradient = jax.grad(lambda link: link.heralded().attempt_time / link.heralded().p_success)(link)
    np.testing.assert_allclose([gradient.p_success, gradient.attempt_time], [-200, 10], rtol=1e-14)
    np.testing.assert_array_equal(gradient.bell_diagonal, np.zeros(4))


def test_vmap_is_loop():
    def build(w):
        return abstract_link(p_success=0.1, attempt_time=1.0, werner=w).heralded().bell_diagonal

    parameters = jnp.array([-0.2, 0.5, 1.0])
    np.testing.assert_allclose(jax.vmap(build)(parameters), [build(w) for w in parameters], atol=1e-15)
