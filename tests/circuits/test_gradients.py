"""Derivatives of circuits where others fail: degenerate spectra, noise zero, angle zero, truncation."""

import warnings
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import channels
from qtn.circuits import circuit, gate, measure, noise_model, run
from qtn.circuits.run import MissingSlopesWarning
from qtn.states import bell as bell_state
from qtn.states import (
    bell_diagonal_pair,
    bell_measure,
    cluster,
    discard,
    expect,
    fidelity_to,
    ghz,
    join,
    weight,
    werner_pair,
)
from tests.oracles import circuits as oracle

STEP = 1e-3


def remote(p, max_bond):
    """Two overlapping remote gates on four qubits, with depolarising noise p after every gate: <ZZ> of the ends."""
    line = circuit(4, [gate("H", 0), gate("CX", (0, 3)), gate("RY", 1, 0.3), gate("CX", (1, 2))])
    noise = noise_model(one_qubit=channels.depolarising(p), two_qubit=channels.depolarising(p, 2))
    return expect(run(line, noise, max_bond=max_bond)[0], "ZIIZ")


def test_slopes_that_cuts_hide_are_warned_of():
    """At zero noise a cut keeps singular values of 0, and what would raise them has no slope."""
    with pytest.warns(MissingSlopesWarning, match=r"`max_bond` until nothing is cut, or move off the special point"):
        jax.value_and_grad(remote)(0.0, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exact = jax.grad(remote)(0.0, 16)  # nothing is cut
        np.testing.assert_allclose(exact, -1.0, atol=1e-12)  # of (1 - p): one gate joins the ends
        remote(0.0, 4)  # without derivatives nothing is missing
        jax.jit(jax.grad(remote), static_argnums=1)(0.0, 4)  # numbers are not known


def slope(f, x):
    """Four-point differences of an oracle."""
    return (8 * (f(x + STEP) - f(x - STEP)) - (f(x + 2 * STEP) - f(x - 2 * STEP))) / (12 * STEP)


PREPARATIONS = {
    "bell": (2, [("H", 0), ("CX", (0, 1))], ghz(2)),
    "ghz": (4, [("H", 0), ("CX", (0, 1)), ("CX", (1, 2)), ("CX", (2, 3))], ghz(4)),
    "cluster": (
        4,
        [("H", 0), ("H", 1), ("H", 2), ("H", 3), ("CZ", (0, 1)), ("CZ", (1, 2)), ("CZ", (2, 3))],
        cluster(4),
    ),
}
NUMPY = {
    "H": np.array([[1, 1], [1, -1]]) / np.sqrt(2),
    "CX": np.eye(4)[[0, 1, 3, 2]],
    "CZ": np.diag([1.0, 1, 1, -1]),
    "SWAP": np.eye(4)[[0, 2, 1, 3]],
}


def prepare(name, p, angle):
    """The state after noisy gates, then a rotation and another noisy entangling gate."""
    n, gates, target = PREPARATIONS[name]
    ops = [gate(g, sites) for g, sites in gates] + [gate("RY", 1, angle), gate("RZZ", (0, 1), angle)]
    state, _ = run(circuit(n, ops), noise_model(two_qubit=channels.depolarising(p, 2)))
    return fidelity_to(state, target)


def prepare_dense(name, p, angle):
    n, gates, _ = PREPARATIONS[name]
    rho = oracle.zero(n)
    target = oracle.zero(n)
    for g, sites in gates:
        where = (sites,) if isinstance(sites, int) else sites
        rho, target = oracle.apply(rho, [NUMPY[g]], where), oracle.apply(target, [NUMPY[g]], where)
        if len(where) == 2:
            rho = (1 - p) * rho + p * replaced(rho, where)
    y, zz = oracle.PAULIS[2], np.diag([1.0, -1, -1, 1])
    rho = oracle.apply(rho, [np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * y], (1,))
    rho = oracle.apply(rho, [np.cos(angle / 2) * np.eye(4) - 1j * np.sin(angle / 2) * zz], (0, 1))
    rho = (1 - p) * rho + p * replaced(rho, (0, 1))
    return np.trace(target @ rho).real


def replaced(rho, sites):
    """Both qubits replaced by 1/4: linear in rho, so it may be continued to negative p."""
    return sum(oracle.apply(rho, [oracle.kron(a, b) / 4], sites) for a in oracle.PAULIS for b in oracle.PAULIS)


PREPARED = {name: jax.jit(jax.grad(partial(prepare, name), argnums=(0, 1))) for name in PREPARATIONS}
"""One program for all points."""


@pytest.mark.parametrize("point", [(0.0, 0.0), (0.0, 0.7), (0.05, 0.0), (0.1, -0.4)])
@pytest.mark.parametrize("name", PREPARATIONS)
def test_prepared_states_with_respect_to_noise_and_angles(name, point):
    found = PREPARED[name](*point)
    by_noise = slope(lambda p: prepare_dense(name, p, point[1]), point[0])
    by_angle = slope(lambda a: prepare_dense(name, point[0], a), point[1])
    np.testing.assert_allclose(found, [by_noise, by_angle], atol=1e-9)


def test_rzz_at_angle_zero_on_a_product_state():
    """The gate raises the rank: a split has no derivative here, factors have."""
    value = lambda g: expect(run(circuit(2, [gate("H", [0, 1]), gate("RZZ", (0, 1), g)]))[0], "YZ")  # noqa: E731
    np.testing.assert_allclose(jax.jit(jax.grad(value))(0.0), 1.0, atol=1e-14)


def test_all_angles_zero_in_a_deep_circuit():
    """A common starting point of optimisers: every gate is the identity, and every derivative is there."""

    def value(angles):
        ops = []
        for layer in range(2):
            ops += [gate("RY", range(4), angles[layer, :4]), gate("RZZ", [(0, 1), (2, 3), (1, 2)], angles[layer, 4:])]
        return expect(run(circuit(4, [gate("H", range(4)), *ops]))[0], "YZXX")

    def dense(angles):
        psi = np.full(16, 0.25, complex)
        zz = np.diag([1.0, -1, -1, 1])
        for layer in range(2):
            for q in range(4):
                a = angles[layer, q]
                psi = oracle.embed(np.cos(a / 2) * np.eye(2) - 1j * np.sin(a / 2) * oracle.PAULIS[2], (q,), 4) @ psi
            for k, sites in enumerate([(0, 1), (2, 3), (1, 2)]):
                a = angles[layer, 4 + k]
                psi = oracle.embed(np.cos(a / 2) * np.eye(4) - 1j * np.sin(a / 2) * zz, sites, 4) @ psi
        return (psi.conj() @ oracle.pauli_string("YZXX") @ psi).real

    found = np.asarray(jax.jit(jax.grad(value))(jnp.zeros((2, 7))))
    units = np.eye(14).reshape(14, 2, 7)
    expected = [slope(lambda x, unit=unit: dense(x * unit), 0.0) for unit in units]
    np.testing.assert_allclose(found.reshape(-1), expected, atol=1e-9)
    assert np.abs(found).max() > 0.5


def test_half_a_bell_pair_moved_by_swap_gates():
    @jax.jit
    @jax.value_and_grad
    def fidelity_and_slope(p):
        program = circuit(5, [gate("H", 0), gate("CX", (0, 1)), gate("SWAP", [(1, 2), (2, 3), (3, 4)])])
        state, _ = run(program, noise_model(by_name={"SWAP": channels.depolarising(p, 2)}))
        return fidelity_to(discard(state, (1, 2, 3)), bell_state())

    # each noisy SWAP keeps the pair with probability 1 - p, else the moved half is replaced: F = 1/4
    for p in (0.0, 0.03):
        found, slope = fidelity_and_slope(p)
        np.testing.assert_allclose(found, (1 - p) ** 3 * 0.75 + 0.25, atol=1e-13)
        np.testing.assert_allclose(slope, -2.25 * (1 - p) ** 2, atol=1e-12)


def test_entanglement_swap_by_a_circuit_with_feed_forward():
    """Bell measurement by CX and H, bits kept as classical qubits, controlled Paulis, then traced out."""

    @jax.jit
    @jax.value_and_grad
    def fidelity_and_slope(w):
        two = join(werner_pair(w), werner_pair(0.9))
        ops = [gate("CX", (1, 2)), gate("H", 1), measure([1, 2]), gate("CX", (2, 3)), gate("CZ", (1, 3))]
        return fidelity_to(discard(run(circuit(4, ops), state=two)[0], (1, 2)), bell_state())

    for w in (1.0, 0.8, 0.0):
        found, by_w = fidelity_and_slope(w)
        np.testing.assert_allclose(found, (1 + 3 * 0.9 * w) / 4, atol=1e-13)
        np.testing.assert_allclose(by_w, 0.675, atol=1e-12)
    direct = bell_measure(join(werner_pair(0.8), werner_pair(0.9)), 1, correct=3)
    np.testing.assert_allclose(fidelity_and_slope(0.8)[0], fidelity_to(direct, bell_state()), atol=1e-14)


def test_bell_weights_at_the_corner():
    def value(x):
        pair = bell_diagonal_pair(jnp.array([1 - x, x, 0.0, 0.0]))
        return fidelity_to(bell_measure(join(pair, bell_state()), 1, correct=3), bell_state())

    np.testing.assert_allclose(jax.jit(jax.grad(value))(0.0), -1.0, atol=1e-13)


def layered(angles, n, layers, max_bond, checkpoint=False):
    ops, k = [], 0
    even, odd = [(i, i + 1) for i in range(0, n - 1, 2)], [(i, i + 1) for i in range(1, n - 1, 2)]
    for _ in range(layers):
        for name, places in (("RY", range(n)), ("RZ", range(n)), ("RZZ", even), ("RZZ", odd)):
            ops.append(gate(name, places, angles[k : k + len(places)]))
            k += len(places)
    state, info = run(circuit(n, ops), max_bond=max_bond, checkpoint=checkpoint)
    return expect(state, {n // 2 - 1: "Z", n // 2: "Z"}) + 0.1 * weight(state), info


@pytest.mark.parametrize(
    ("n", "layers", "max_bond"),
    [
        pytest.param(8, 5, 8, marks=pytest.mark.slow),
        (8, 5, 4),
        pytest.param(10, 6, 16, marks=pytest.mark.slow),
    ],
)
def test_truncated_circuits_at_every_scale_of_singular_values(n, layers, max_bond):
    """Discarded weights from 1e-24 to 1e-3: the derivative is that of the truncated function."""
    rng = np.random.default_rng(n + max_bond)
    angles = jnp.asarray(rng.uniform(0, 2 * np.pi, layers * (3 * n - 1)))
    direction = jnp.asarray(rng.normal(size=angles.shape))
    value = jax.jit(jax.value_and_grad(lambda a: layered(a, n, layers, max_bond)[0]))
    _, found = value(angles)
    along = lambda x: float(value(angles + x * 0.1 * direction)[0])  # noqa: E731
    np.testing.assert_allclose(found @ direction * 0.1, slope(along, 0.0), atol=2e-9)
    assert np.isfinite(found).all()
    light = jax.jit(jax.grad(lambda a: layered(a, n, layers, max_bond, checkpoint=True)[0]))(angles)
    np.testing.assert_allclose(light, found, atol=1e-12)


@pytest.mark.slow
def test_forward_reverse_and_batches_agree():
    rng = np.random.default_rng(0)
    angles = jnp.asarray(rng.uniform(0, 2 * np.pi, (3, 3 * 17)))
    value = lambda a: layered(a, 6, 3, 3)[0]  # noqa: E731
    batch = jax.jit(jax.vmap(jax.value_and_grad(value)))(angles)
    alone = jax.jit(jax.value_and_grad(value))(angles[1])
    np.testing.assert_allclose(batch[0][1], alone[0], atol=1e-13)
    np.testing.assert_allclose(batch[1][1], alone[1], atol=1e-11)
    forward = jax.jit(lambda a, d: jax.jvp(value, (a,), (d,))[1])(angles[1], angles[0])
    np.testing.assert_allclose(forward, alone[1] @ angles[0], atol=1e-11)


def test_derivative_with_respect_to_a_noise_model_is_a_noise_model():
    program = circuit(3, [gate("H", 0), gate("CX", [(0, 1), (1, 2)])])
    model = noise_model(one_qubit=channels.dephasing(0.01), by_name={"CX": channels.depolarising(0.02, 2)})
    found = jax.jit(jax.grad(lambda m: fidelity_to(run(program, m)[0], ghz(3))))(model)
    assert type(found) is type(model)
    assert float(found.by_name["CX"].p) < 0 and float(found.one_qubit.p) < 0
