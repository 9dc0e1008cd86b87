import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.channels import (
    amplitude_damping,
    choi_from_ptm,
    compose,
    cptp_defect,
    dephasing,
    depolarising,
    kraus_from_ptm,
    over_rotation,
    pauli_strings,
    ptm_from_choi,
    ptm_from_kraus,
    ptm_from_unitary,
    require_cptp,
    require_kraus,
    require_unitary,
    tensor,
    twirl,
)
from tests.oracles import channels as oracle


def random_kraus(num_qubits, count, seed=3):
    """A random channel: the columns of an isometry, cut into blocks."""
    rng = np.random.default_rng(seed)
    size = 2**num_qubits
    block = rng.normal(size=(count * size, size)) + 1j * rng.normal(size=(count * size, size))
    return np.linalg.qr(block)[0].reshape(count, size, size)


RANDOM = {"unitary": (1, 1), "channel": (1, 3), "full_rank": (1, 4), "two_qubits": (2, 3), "three_qubits": (3, 2)}
every_random = pytest.mark.parametrize(("n", "count"), RANDOM.values(), ids=RANDOM)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_pauli_strings(n):
    np.testing.assert_array_equal(pauli_strings(n), oracle.strings(n))


@every_random
def test_ptm_from_kraus(n, count):
    kraus = random_kraus(n, count)
    np.testing.assert_allclose(ptm_from_kraus(kraus), oracle.ptm_of_kraus(kraus), atol=1e-14)


@every_random
def test_kraus_come_back(n, count):
    ptm = ptm_from_kraus(random_kraus(n, count))
    kraus = kraus_from_ptm(ptm)
    assert kraus.shape == (count, 2**n, 2**n)  # no more than needed
    np.testing.assert_allclose(ptm_from_kraus(kraus), ptm, atol=1e-13)
    norms = np.sum(np.abs(kraus) ** 2, axis=(1, 2))
    assert np.all(np.diff(norms) <= 1e-12)  # the largest first


@every_random
def test_choi_and_back(n, count):
    kraus = random_kraus(n, count)
    choi = choi_from_ptm(ptm_from_kraus(kraus))
    np.testing.assert_allclose(choi, oracle.choi_of_map(oracle.apply_kraus(kraus), n), atol=1e-14)
    np.testing.assert_allclose(ptm_from_choi(choi), ptm_from_kraus(kraus), atol=1e-14)


@pytest.mark.parametrize("n", [1, 2])
def test_batches_are_loops(n):
    batch = np.stack([random_kraus(n, 2, seed) for seed in range(2)])
    ptm = ptm_from_kraus(batch)
    np.testing.assert_allclose(ptm, [ptm_from_kraus(kraus) for kraus in batch], atol=1e-15)
    np.testing.assert_allclose(jax.vmap(ptm_from_kraus)(batch), ptm, atol=1e-15)
    np.testing.assert_allclose(choi_from_ptm(ptm), [choi_from_ptm(one) for one in ptm], atol=1e-15)
    np.testing.assert_allclose(ptm_from_choi(choi_from_ptm(ptm)), ptm, atol=1e-14)
    for defects in zip(cptp_defect(ptm), zip(*map(cptp_defect, ptm), strict=True), strict=True):
        np.testing.assert_allclose(*defects, atol=1e-14)


def test_known_gates():
    hadamard = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
    expected = [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, -1, 0], [0, 1, 0, 0]]
    np.testing.assert_allclose(ptm_from_unitary(hadamard), expected, atol=1e-15)
    cnot = ptm_from_unitary(np.eye(4)[[0, 1, 3, 2]])
    for start, end in {"XI": "XX", "IX": "IX", "ZI": "ZI", "IZ": "ZZ"}.items():
        place = [4 * "IXYZ".index(word[0]) + "IXYZ".index(word[1]) for word in (end, start)]
        assert cnot[tuple(place)] == 1


def test_compose_is_in_time_order():
    damp, turn = amplitude_damping(0.4), over_rotation(0.7, "X")
    kraus = [b @ a for a in np.asarray(damp.kraus()) for b in np.asarray(turn.kraus())]
    np.testing.assert_allclose(compose(damp.ptm(), turn.ptm()), oracle.ptm_of_kraus(kraus), atol=1e-15)
    np.testing.assert_allclose(compose(damp.ptm()), damp.ptm())
    twice = compose(damp.ptm(), turn.ptm(), damp.ptm())
    np.testing.assert_allclose(twice, damp.ptm() @ turn.ptm() @ damp.ptm(), atol=1e-15)


def test_tensor_is_kronecker():
    a, b = amplitude_damping(0.4), over_rotation(0.7, "XZ")
    kraus = [np.kron(x, y) for x in np.asarray(a.kraus()) for y in np.asarray(b.kraus())]
    np.testing.assert_allclose(tensor(a.ptm(), b.ptm()), oracle.ptm_of_kraus(kraus), atol=2e-15)
    batch = jnp.stack([a.ptm(), jnp.eye(4)])
    np.testing.assert_allclose(tensor(batch, batch)[1], np.eye(16))


@every_random
def test_twirl_averages_over_paulis(n, count):
    kraus = random_kraus(n, count)
    twirled = [p @ k @ p / 2**n for p in oracle.strings(n) for k in kraus] if n < 3 else None
    ptm = twirl(ptm_from_kraus(kraus))
    np.testing.assert_allclose(ptm, np.diag(np.diag(ptm)))
    assert cptp_defect(ptm)[1] > -1e-14
    if twirled:
        np.testing.assert_allclose(ptm, oracle.ptm_of_kraus(twirled), atol=1e-14)


def test_defects():
    trace, lowest = cptp_defect(jnp.diag(jnp.array([0.75, 1.0, 1.0, 1.0])))
    np.testing.assert_allclose([trace, lowest], [0.25, -0.125], atol=1e-15)
    np.testing.assert_allclose(cptp_defect(depolarising(1.0).ptm()), [0.0, 0.5], atol=1e-15)


def rotation(angle):
    return jnp.array([[jnp.exp(-0.5j * angle), 0], [0, jnp.exp(0.5j * angle)]])


DIFFERENTIABLE = {
    "unitary": lambda x: ptm_from_unitary(rotation(x))[2, 1],
    "kraus": lambda x: ptm_from_kraus(jnp.sqrt(0.5) * jnp.stack([rotation(x), rotation(2 * x)]))[2, 1],
    "choi": lambda x: jnp.real(choi_from_ptm(dephasing(x).ptm())[0, 3]),
    "from_choi": lambda x: ptm_from_choi(choi_from_ptm(amplitude_damping(x).ptm()))[1, 1],
    "lowest": lambda x: cptp_defect(depolarising(x).ptm())[1],
    "composed": lambda x: compose(amplitude_damping(x).ptm(), dephasing(x).ptm())[1, 1],
    "tensor": lambda x: tensor(dephasing(x).ptm(), dephasing(x).ptm())[5, 5],
    "twirl": lambda x: twirl(over_rotation(x, "Z").ptm())[1, 1],
}


@pytest.mark.parametrize("function", DIFFERENTIABLE.values(), ids=DIFFERENTIABLE)
def test_gradients_match_differences(function):
    value = jax.jit(function)
    difference = (value(0.3 + 1e-5) - value(0.3 - 1e-5)) / 2e-5
    np.testing.assert_allclose(jax.jit(jax.grad(function))(0.3), difference, atol=1e-8)  # step^2 and rounding / step
    np.testing.assert_allclose(jax.jit(jax.jacfwd(function))(0.3), difference, atol=1e-8)


def test_vmap_is_loop():
    angles = jnp.array([0.0, 0.4, 2.0])
    batch = jax.vmap(lambda x: ptm_from_unitary(rotation(x)))(angles)
    np.testing.assert_allclose(batch, [ptm_from_unitary(rotation(x)) for x in angles], atol=1e-15)


def test_good_objects_pass():
    kraus = random_kraus(2, 3)
    np.testing.assert_array_equal(require_kraus("kraus", kraus), kraus)
    np.testing.assert_array_equal(require_unitary("gate", kraus[:0]), kraus[:0])
    np.testing.assert_array_equal(require_unitary("gate", 1j * np.eye(2)), 1j * np.eye(2))
    ptm = ptm_from_kraus(kraus)
    np.testing.assert_array_equal(require_cptp("noise", ptm), ptm)
    np.testing.assert_array_equal(require_cptp("noise", jnp.stack([ptm, ptm]))[1], ptm)


CHECKS = {
    "cptp": (require_cptp, 2 * np.eye(4)),
    "kraus": (require_kraus, np.ones((1, 2, 2))),
    "unitary": (require_unitary, np.ones((2, 2))),
}


@pytest.mark.parametrize(("check", "bad"), CHECKS.values(), ids=CHECKS)
def test_traced_values_pass(check, bad):
    np.testing.assert_array_equal(jax.jit(lambda x: check("x", x))(bad), bad)


X = np.array([[0, 1], [1, 0]])
ERRORS = {
    "trace": (
        lambda: require_cptp("noise", np.diag([0.87, 0, 0, 0])),
        "Argument `noise` must preserve the trace, but its trace defect is 0.13.",
    ),
    "positivity": (
        lambda: require_cptp("noise", np.diag([1, 1, 1, 0.74])),
        "Argument `noise` must be completely positive, but its lowest Choi eigenvalue is -0.13.",
    ),
    "one_of_a_batch": (
        lambda: require_cptp("noise", np.stack([np.eye(4), np.diag([1, 1, 1, -1])])),
        "Argument `noise` must be completely positive, but its lowest Choi eigenvalue is -1.",
    ),
    "not_a_number": (
        lambda: require_cptp("noise", np.full((4, 4), np.nan)),
        "Argument `noise` must be finite, but holds nan or inf.",
    ),
    "ptm_shape": (
        lambda: require_cptp("noise", np.eye(3)),
        "Argument `noise` must end in a 4^n x 4^n matrix, n >= 1, but has shape (3, 3).",
    ),
    "kraus": (
        lambda: require_kraus("kraus", [1.1 * X]),
        "Argument `kraus` must obey sum K^H K = 1, but the largest deviation is 0.21.",
    ),
    "kraus_shape": (
        lambda: require_kraus("kraus", X),
        "Argument `kraus` must be a stack of matrices, but has shape (2, 2).",
    ),
    "kraus_stack": (
        lambda: ptm_from_kraus(X),
        "Argument `kraus` must be a stack of matrices, but has shape (2, 2).",
    ),
    "unitary": (
        lambda: require_unitary("matrix", 1.1 * X),
        "Argument `matrix` must be unitary, but the largest deviation of U^H U is 0.21.",
    ),
    "unitary_shape": (
        lambda: require_unitary("matrix", [1.0, 0.0]),
        "Argument `matrix` must end in a 2^n x 2^n matrix, n >= 1, but has shape (2,).",
    ),
    "one_by_one": (
        lambda: ptm_from_unitary([[1.0]]),
        "Argument `unitary` must end in a 2^n x 2^n matrix, n >= 1, but has shape (1, 1).",
    ),
    "choi_shape": (
        lambda: ptm_from_choi(np.eye(2)),
        "Argument `choi` must end in a 4^n x 4^n matrix, n >= 1, but has shape (2, 2).",
    ),
    "no_kraus": (
        lambda: kraus_from_ptm(np.diag([1, 1, 1, -1])),
        "Argument `ptm` must be completely positive, but its lowest Choi eigenvalue is -1.",
    ),
    "kraus_of_a_batch": (
        lambda: kraus_from_ptm(np.ones((2, 4, 4))),
        "Argument `ptm` must be one matrix, but has shape (2, 4, 4).",
    ),
    "traced_kraus": (
        lambda: jax.jit(kraus_from_ptm)(np.eye(4)),
        "Argument `ptm` must be concrete, but is traced: call `kraus_from_ptm` outside transformations.",
    ),
}


@pytest.mark.parametrize(("call", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(call, message):
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value) == message


def test_single_precision_is_refused():
    with jax.enable_x64(False), pytest.raises(RuntimeError, match="double precision"):
        ptm_from_unitary(np.eye(2))
