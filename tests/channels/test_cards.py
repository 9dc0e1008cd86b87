"""Every channel against its card: transfer matrix, Kraus operators, Bell weights, limits, gradients."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.channels import (
    amplitude_damping,
    correlated_dephasing,
    cptp_defect,
    dephasing,
    depolarising,
    erasure,
    generalised_damping,
    misread,
    over_rotation,
    pauli_noise,
    ptm_from_kraus,
    relaxation,
)
from tests.oracles import channels as oracle


def _two(p):
    return depolarising(p, 2)


def _shared(k):
    return lambda sigma: correlated_dephasing(sigma, k)


def _turn(axis):
    return lambda angle: over_rotation(angle, axis)


def _amplitude(g):
    return oracle.exchange_energy(1 - g, np.sqrt(1 - g))


def _thermal(g, n):
    return oracle.exchange_energy(1 - g, np.sqrt(1 - g), n)


def _storage(t, t1, t2):
    return oracle.exchange_energy(np.exp(-t / t1), np.exp(-t / t2))


CHANNELS = {  # builder, the same as a map of matrices, number of qubits, interior points, edges
    "depolarising": (depolarising, oracle.depolarise, 1, [(0.3,), (0.8,)], [(0.0,), (1.0,)]),
    "depolarising_two": (_two, oracle.depolarise, 2, [(0.3,)], [(0.0,), (1.0,)]),
    "pauli": (
        pauli_noise,
        oracle.pauli_errors,
        1,
        [(0.1, 0.25, 0.3)],
        [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.1, 0.2, 0.7)],
    ),
    "dephasing": (dephasing, oracle.flip_phase, 1, [(0.1,), (0.7,)], [(0.0,), (0.5,), (1.0,)]),
    "amplitude": (amplitude_damping, _amplitude, 1, [(0.2,), (0.9,)], [(0.0,), (1.0,)]),
    "generalised": (
        generalised_damping,
        _thermal,
        1,
        [(0.2, 0.3), (0.9, 0.8)],
        [(0.0, 0.3), (1.0, 0.3), (0.4, 0.0), (0.4, 1.0), (1.0, 1.0)],
    ),
    "relaxation": (
        relaxation,
        _storage,
        1,
        [(0.5, 2.0, 1.5), (3.0, 1.0, 0.2)],
        [(0.0, 2.0, 1.5), (0.5, np.inf, 1.5), (0.5, np.inf, np.inf), (0.0, np.inf, np.inf), (0.5, 2.0, 4.0)],
    ),
    "rotation_x": (_turn("X"), lambda a: oracle.rotate(a, "X"), 1, [(0.4,), (-2.0,)], [(0.0,), (np.pi,)]),
    "rotation_y": (_turn("Y"), lambda a: oracle.rotate(a, "Y"), 1, [(0.4,)], [(0.0,)]),
    "rotation_z": (_turn("Z"), lambda a: oracle.rotate(a, "Z"), 1, [(0.4,)], [(0.0,)]),
    "rotation_zz": (_turn("ZZ"), lambda a: oracle.rotate(a, "ZZ"), 2, [(0.4,)], [(0.0,)]),
    "rotation_iy": (_turn("IY"), lambda a: oracle.rotate(a, "IY"), 2, [(0.4,)], [(0.0,)]),
    "rotation_xy": (_turn("XY"), lambda a: oracle.rotate(a, "XY"), 2, [(0.4,)], [(0.0,)]),
    "erasure": (erasure, oracle.depolarise, 1, [(0.3,)], [(0.0,), (1.0,)]),
    "misread": (misread, oracle.store_wrongly, 1, [(0.1, 0.3)], [(0.0, 0.0), (1.0, 0.0), (0.5, 0.5), (0.25, 0.75)]),
    "shared_one": (_shared(1), lambda s: oracle.share_phase(s, 1), 1, [(0.6,)], [(0.0,), (9.0,)]),
    "shared_two": (_shared(2), lambda s: oracle.share_phase(s, 2), 2, [(0.1,), (0.6,)], [(0.0,), (9.0,)]),
    "shared_three": (_shared(3), lambda s: oracle.share_phase(s, 3), 3, [(0.6,)], [(0.0,)]),
}
POINTS = {
    f"{name}-{'_'.join(f'{x:.2g}' for x in point)}": (build, channel, n, point)
    for name, (build, channel, n, inner, edges) in CHANNELS.items()
    for point in inner + edges
}
INNER = {
    f"{name}-{k}": (build, point) for name, (build, _, _, inner, _) in CHANNELS.items() for k, point in enumerate(inner)
}
every_point = pytest.mark.parametrize(("build", "channel", "n", "point"), POINTS.values(), ids=POINTS)
every_inner = pytest.mark.parametrize(("build", "point"), INNER.values(), ids=INNER)


def cotangent(ptm):
    return np.random.default_rng(5).normal(size=ptm.shape[:2])


@functools.cache
def compiled(build):
    """The transfer matrix of a vector of numbers, its Jacobian, and the reverse gradient of one random sum."""

    def ptm(x):
        return build(*x).ptm()

    def total(x):
        matrix = ptm(x)
        return jnp.vdot(cotangent(matrix), matrix)

    return jax.jit(ptm), jax.jit(jax.jacfwd(ptm)), jax.jit(jax.grad(total))


@every_point
def test_ptm_is_that_of_the_map(build, channel, n, point):
    noise = build(*point)
    assert noise.num_qubits == n
    np.testing.assert_allclose(noise.ptm(), oracle.ptm_of_map(channel(*point), n), atol=2e-15 * 4**n)  # 4^n sums


@every_point
def test_kraus_operators_give_the_ptm(build, channel, n, point):
    noise = build(*point)
    kraus = np.asarray(noise.kraus())
    np.testing.assert_allclose(oracle.ptm_of_kraus(kraus), noise.ptm(), atol=1e-14 * 4**n)
    np.testing.assert_allclose(np.einsum("kji,kjl->il", kraus.conj(), kraus), np.eye(2**n), atol=1e-14)


@every_point
def test_is_a_channel(build, channel, n, point):
    trace, lowest = cptp_defect(build(*point).ptm())
    assert trace < 1e-15
    assert lowest > -1e-14 * 4**n


CARDS = {  # builder, point, Bell weights (or weights of the Pauli strings named) as the card says
    "depolarising": (depolarising, (0.4,), [0.7, 0.1, 0.1, 0.1]),
    "pauli": (pauli_noise, (0.1, 0.2, 0.3), [0.4, 0.1, 0.2, 0.3]),
    "dephasing": (dephasing, (0.3,), [0.7, 0, 0, 0.3]),
    "amplitude": (amplitude_damping, (0.36,), [0.81, 0.09, 0.09, 0.01]),
    "generalised": (generalised_damping, (0.36, 0.7), [0.81, 0.09, 0.09, 0.01]),
    "relaxation": (
        relaxation,
        (1.0, 1 / np.log(2), 1 / np.log(4)),
        [(1 + 1 / 2 + 2 / 4) / 4, 1 / 8, 1 / 8, (1 + 1 / 2 - 2 / 4) / 4],
    ),
    "rotation": (_turn("Y"), (2 * np.pi / 3,), [0.25, 0, 0.75, 0]),
    "erasure": (erasure, (0.4,), [0.7, 0.1, 0.1, 0.1]),
    "shared": (_shared(1), (np.sqrt(2 * np.log(2)),), [0.75, 0, 0, 0.25]),
}


@pytest.mark.parametrize(("build", "point", "weights"), CARDS.values(), ids=CARDS)
def test_effect_on_phi_plus(build, point, weights):
    kraus = np.asarray(build(*point).kraus())
    np.testing.assert_allclose(oracle.error_weights(oracle.apply_kraus(kraus)), weights, atol=1e-15)


def test_two_pairs_that_share_a_phase():
    v = np.exp(-(0.7**2) / 2)
    weights = oracle.error_weights(oracle.apply_kraus(np.asarray(correlated_dephasing(0.7, 2).kraus())), 2)
    both = [3 + 4 * v + v**4, 1 - v**4, 1 - v**4, 3 - 4 * v + v**4]
    np.testing.assert_allclose(weights[[0, 3, 12, 15]], np.array(both) / 8, atol=1e-15)
    np.testing.assert_allclose(weights.sum(), np.sum(both) / 8, atol=1e-15)


def test_two_letters_err_together():
    weights = oracle.error_weights(oracle.apply_kraus(np.asarray(over_rotation(0.4, "ZX").kraus())), 2)
    expected = np.zeros(16)
    expected[[0, 13]] = np.cos(0.2) ** 2, np.sin(0.2) ** 2
    np.testing.assert_allclose(weights, expected, atol=1e-15)


def test_damped_pairs_are_not_bell_diagonal():
    pair = oracle.choi_of_map(oracle.apply_kraus(np.asarray(amplitude_damping(0.3).kraus()))) / 2
    np.testing.assert_allclose(np.trace(pair @ np.kron(np.eye(2), oracle.PAULIS["Z"])), 0.3, atol=1e-15)


IDENTITY = {
    "depolarising": (depolarising, (0.0,)),
    "depolarising_two": (_two, (0.0,)),
    "pauli": (pauli_noise, (0.0, 0.0, 0.0)),
    "dephasing": (dephasing, (0.0,)),
    "amplitude": (amplitude_damping, (0.0,)),
    "generalised": (generalised_damping, (0.0, 0.3)),
    "no_time": (relaxation, (0.0, 2.0, 1.0)),
    "no_relaxation": (relaxation, (3.0, np.inf, np.inf)),
    "rotation": (_turn("XZ"), (0.0,)),
    "erasure": (erasure, (0.0,)),
    "shared": (_shared(3), (0.0,)),
}


@pytest.mark.parametrize(("build", "point"), IDENTITY.values(), ids=IDENTITY)
def test_identity_at_zero_strength(build, point):
    ptm = build(*point).ptm()
    np.testing.assert_allclose(ptm, np.eye(len(ptm)), atol=3e-16)


COMPOSED = {  # builder, first, second, both at once
    "depolarising": (depolarising, (0.2,), (0.5,), (0.6,)),
    "dephasing": (dephasing, (0.2,), (0.1,), (0.2 * 0.9 + 0.8 * 0.1,)),
    "amplitude": (amplitude_damping, (0.2,), (0.5,), (0.6,)),
    "generalised": (generalised_damping, (0.2, 0.3), (0.5, 0.3), (0.6, 0.3)),
    "relaxation": (relaxation, (0.3, 2.0, 1.0), (0.9, 2.0, 1.0), (1.2, 2.0, 1.0)),
    "rotation": (_turn("ZX"), (0.3,), (1.1,), (1.4,)),
    "erasure": (erasure, (0.2,), (0.5,), (0.6,)),
    "shared": (_shared(2), (0.3,), (0.4,), (0.5,)),
}


@pytest.mark.parametrize(("build", "first", "second", "both"), COMPOSED.values(), ids=COMPOSED)
def test_strengths_compose(build, first, second, both):
    np.testing.assert_allclose(build(*second).ptm() @ build(*first).ptm(), build(*both).ptm(), atol=2e-15)


SAME = {
    "quarter_paulis": (pauli_noise(0.25, 0.25, 0.25), depolarising(1.0)),
    "phase_only": (pauli_noise(0.0, 0.0, 0.2), dephasing(0.2)),
    "cold": (generalised_damping(0.3, 0.0), amplitude_damping(0.3)),
    "no_t1": (relaxation(0.5, np.inf, 2.0), dephasing((1 - np.exp(-0.25)) / 2)),
    "longest_t2": (relaxation(0.5, 2.0, 4.0), amplitude_damping(1 - np.exp(-0.25))),
    "half_turn": (over_rotation(np.pi, "X"), pauli_noise(1.0, 0.0, 0.0)),
    "alone": (correlated_dephasing(0.5, 1), dephasing((1 - np.exp(-0.125)) / 2)),
    "unread_flag": (erasure(0.3), depolarising(0.3)),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_limits_on_the_cards(one, other):
    np.testing.assert_allclose(one.ptm(), other.ptm(), atol=1e-15)


@every_inner
def test_gradients_match_differences(build, point):
    ptm, forward, backward = compiled(build)
    slope, step = forward(np.array(point)), 1e-5
    np.testing.assert_allclose(backward(np.array(point)), np.einsum("ab,abk->k", cotangent(slope), slope), atol=1e-12)
    for k, direction in enumerate(step * np.eye(len(point))):
        difference = (ptm(point + direction) - ptm(point - direction)) / (2 * step)
        np.testing.assert_allclose(slope[..., k], difference, atol=1e-7)  # step^2 times third derivatives up to 600


@every_inner
def test_gradients_of_kraus_match_those_of_the_ptm(build, point):
    def ptm(x):
        return ptm_from_kraus(build(*x).kraus())

    slope = jax.jit(jax.jacfwd(ptm))(np.array(point))
    np.testing.assert_allclose(slope, compiled(build)[1](np.array(point)), atol=1e-12)


@every_point
def test_gradients_are_finite_at_the_edges(build, channel, n, point):
    _, forward, backward = compiled(build)
    assert np.isfinite(forward(np.array(point))).all()
    assert np.isfinite(backward(np.array(point))).all()


EDGES = {  # builder, point, entry, derivative with respect to the first number
    "depolarising": (depolarising, (0.0,), (1, 1), -1.0),
    "dephasing": (dephasing, (1.0,), (1, 1), -2.0),
    "undamped": (amplitude_damping, (0.0,), (1, 1), -0.5),
    "damped": (amplitude_damping, (1.0,), (3, 0), 1.0),
    "damped_coherence": (amplitude_damping, (1.0,), (1, 1), 0.0),  # by convention, truly -inf
    "now": (relaxation, (0.0, 2.0, 4.0), (3, 3), -0.5),
    "for_ever": (relaxation, (1.0, np.inf, np.inf), (1, 1), 0.0),
    "sigma": (_shared(2), (0.0,), (1, 1), 0.0),
}


@pytest.mark.parametrize(("build", "point", "entry", "derivative"), EDGES.values(), ids=EDGES)
def test_values_of_gradients_at_the_edges(build, point, entry, derivative):
    np.testing.assert_allclose(jax.jit(jax.grad(lambda *x: build(*x).ptm()[entry]))(*point), derivative, atol=1e-15)


@every_inner
def test_vmap_is_loop(build, point):
    points = np.array(point) * np.linspace(0.9, 1.0, 3)[:, None]
    batch = jax.vmap(compiled(build)[0])(points)
    np.testing.assert_allclose(batch, [build(*x).ptm() for x in points], atol=1e-15)


@every_inner
def test_one_trace_for_many_numbers(build, point):
    traces = []

    @jax.jit
    def ptm(noise):
        traces.append(1)
        return noise.ptm()

    assert ptm(build(*point)).shape == ptm(build(*(0.9 * x for x in point))).shape
    assert len(traces) == 1


@every_inner
def test_numbers_are_leaves(build, point):
    noise = build(*point)
    assert [float(x) for x in jax.tree.leaves(noise)] == list(point)
    gradient = jax.jit(jax.grad(lambda record: record.ptm().sum()))(noise)
    assert type(gradient) is type(noise)
