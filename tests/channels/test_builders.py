"""What the builders refuse, and how they say so."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.channels import (
    amplitude_damping,
    correlated_dephasing,
    dephasing,
    depolarising,
    erasure,
    generalised_damping,
    over_rotation,
    pauli_noise,
    readout_error,
    relaxation,
)

PROBABILITIES = {
    "depolarising": ("p", depolarising),
    "dephasing": ("p", dephasing),
    "erasure": ("p", erasure),
    "px": ("px", lambda v: pauli_noise(v, 0, 0)),
    "py": ("py", lambda v: pauli_noise(0, v, 0)),
    "pz": ("pz", lambda v: pauli_noise(0, 0, v)),
    "amplitude": ("gamma", amplitude_damping),
    "generalised": ("gamma", lambda v: generalised_damping(v, 0)),
    "excited": ("excited", lambda v: generalised_damping(0, v)),
    "eta0": ("eta0", readout_error),
    "eta1": ("eta1", lambda v: readout_error(1, v)),
}


@pytest.mark.parametrize(("name", "build"), PROBABILITIES.values(), ids=PROBABILITIES)
@pytest.mark.parametrize("value", [-0.1, 1.3, np.nan])
def test_probabilities_are_checked(name, build, value):
    with pytest.raises(ValueError) as error:
        build(value)
    assert str(error.value) == f"Argument `{name}` must lie in [0, 1], but is {value}."


AXES = "Argument `axis` must be 1 or 2 letters of I, X, Y, Z, not all I, but is"
ERRORS = {
    "three_qubits": (lambda: depolarising(0.1, 3), "Argument `num_qubits` must be 1 or 2, but is 3."),
    "sum": (
        lambda: pauli_noise(0.5, 0.5, 0.3),
        "Arguments `px`, `py` and `pz` must sum to at most 1, but sum to 1.3.",
    ),
    "negative_duration": (
        lambda: relaxation(-1.0, 1.0, 1.0),
        "Argument `duration` must be non-negative and finite, but is -1.0.",
    ),
    "endless_duration": (
        lambda: relaxation(np.inf, 1.0, 1.0),
        "Argument `duration` must be non-negative and finite, but is inf.",
    ),
    "no_t1": (lambda: relaxation(1.0, 0.0, 1.0), "Argument `t1` must be positive, but is 0.0."),
    "no_t2": (lambda: relaxation(1.0, 1.0, -2.0), "Argument `t2` must be positive, but is -2.0."),
    "long_t2": (lambda: relaxation(1.0, 1.0, 2.5), "Argument `t2` must be at most 2 `t1` = 2 s, but is 2.5 s."),
    "endless_t2": (lambda: relaxation(1.0, 1.0, np.inf), "Argument `t2` must be at most 2 `t1` = 2 s, but is inf s."),
    "endless_angle": (lambda: over_rotation(np.inf), "Argument `angle` must be finite, but is inf."),
    "no_axis": (lambda: over_rotation(0.1, ""), f"{AXES} ''."),
    "identity_axis": (lambda: over_rotation(0.1, "II"), f"{AXES} 'II'."),
    "small_axis": (lambda: over_rotation(0.1, "z"), f"{AXES} 'z'."),
    "long_axis": (lambda: over_rotation(0.1, "XYZ"), f"{AXES} 'XYZ'."),
    "negative_sigma": (
        lambda: correlated_dephasing(-0.1),
        "Argument `sigma` must be non-negative and finite, but is -0.1.",
    ),
    "endless_sigma": (
        lambda: correlated_dephasing(np.inf),
        "Argument `sigma` must be non-negative and finite, but is inf.",
    ),
    "no_qubits": (
        lambda: correlated_dephasing(0.1, 0),
        "Argument `num_qubits` must be a positive integer, but is 0.",
    ),
    "dense": (
        lambda: correlated_dephasing(0.1, 6).ptm(),
        "Argument `num_qubits` must be at most 5 for a dense `ptm`, but is 6: use `mpo`.",
    ),
}


@pytest.mark.parametrize(("call", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(call, message):
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value) == message


def test_rounding_is_forgiven():
    assert np.isfinite(pauli_noise(0.7, 0.2, 0.1 + 1e-16).kraus()).all()
    assert np.isfinite(relaxation(1.0, 0.1, 0.2 * (1 + 1e-15)).kraus()).all()


TRACED = {
    "depolarising": (depolarising, (2.0,)),
    "pauli": (pauli_noise, (0.5, 0.5, 0.5)),
    "relaxation": (relaxation, (1.0, 1.0, 3.0)),
    "rotation": (over_rotation, (np.inf,)),
    "shared": (correlated_dephasing, (-1.0,)),
}


@pytest.mark.parametrize(("build", "point"), TRACED.values(), ids=TRACED)
def test_traced_values_pass(build, point):
    assert jax.jit(lambda *x: build(*x).ptm())(*map(jnp.float64, point)).ndim == 2
