import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.hardware.memory import PerfectMemory, dephasing_memory, depolarising_memory

CASES = {
    "perfect": (lambda: PerfectMemory(), [0, 0, 0]),
    "depolarising": (lambda: depolarising_memory(2.0), [0.5, 0.5, 0.5]),
    "dephasing": (lambda: dephasing_memory(4.0), [0.25, 0.25, 0]),
    "depolarising_for_ever": (lambda: depolarising_memory(jnp.inf), [0, 0, 0]),
    "dephasing_for_ever": (lambda: dephasing_memory(jnp.inf), [0, 0, 0]),
}


@pytest.mark.parametrize(("build", "rates"), CASES.values(), ids=CASES)
def test_pauli_rates(build, rates):
    np.testing.assert_array_equal(build().pauli_rates(), rates)


@pytest.mark.parametrize("build", [depolarising_memory, dephasing_memory])
def test_gradient_is_that_of_the_inverse(build):
    gradient = jax.grad(lambda t: build(t).pauli_rates()[0])
    assert gradient(2.0) == -0.25
    assert gradient(jnp.inf) == 0


@pytest.mark.parametrize("build", [depolarising_memory, dephasing_memory])
def test_vmap_is_loop(build):
    times = jnp.array([0.1, 1.0, jnp.inf])
    batch = jax.vmap(lambda t: build(t).pauli_rates())(times)
    np.testing.assert_array_equal(batch, [build(t).pauli_rates() for t in times])


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_time_constants_must_be_positive(value):
    with pytest.raises(ValueError, match=f"Argument `time_constant` must be positive, but is {value}"):
        depolarising_memory(value)
    with pytest.raises(ValueError, match=f"Argument `t2` must be positive, but is {value}"):
        dephasing_memory(value)
