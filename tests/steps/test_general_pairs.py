"""Steps on arbitrary pairs against dense density matrices, and distillation against published values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.hardware.gates import gates
from qtn.hardware.linear_optics import linear_optics
from qtn.hardware.node import node
from qtn.states.basis import BELL_SIGNS
from qtn.steps.distill import BBPSSW, CNOT, CODE_3, CODE_4, CODE_5, DEJMPS, DOUBLE_SELECTION, EPL
from qtn.steps.fusion import fuse, ghz_fidelity, ghz_state, measure_out
from qtn.steps.level import BELL_DIAGONAL, PAULI, X_TYPE, carries
from qtn.steps.swap import swap_map
from qtn.steps.teleport import teleport, teleportation_fidelity
from tests.oracles import density

RNG = np.random.default_rng(5)
STATES = [density.random_state(RNG) for _ in range(3)]
NOISY = (gates(two_qubit=0.93, readout=0.97), gates(two_qubit=0.9, readout=0.95))
LEFT, MIDDLE, RIGHT = node(gate_set=NOISY[0]), node(gate_set=NOISY[1], p_swap=0.7), node(gate_set=NOISY[1])
PERFECT = node()


def vector(level, rho):
    return level.from_pauli(jnp.asarray(density.coefficients(rho)), PERFECT, PERFECT)


def applied(level, step_map, *pairs):
    for pair in pairs:  # the first input is the first axis after the output
        step_map = jnp.tensordot(step_map, vector(level, pair), axes=(1, 0))
    return level.to_pauli(step_map, PERFECT, PERFECT)


def werner(f):
    return density.bell_diagonal([f, (1 - f) / 3, (1 - f) / 3, (1 - f) / 3])


def test_swap_of_any_pairs():
    found = applied(PAULI, PAULI.swap(LEFT, MIDDLE, RIGHT), *STATES[:2])
    dense = density.swap(*STATES[:2], NOISY[1].two_qubit, NOISY[1].readout)
    np.testing.assert_allclose(found, 0.7 * density.coefficients(dense), atol=1e-12)


@pytest.mark.parametrize("optics", [linear_optics(), linear_optics(0.8, 0.9, 1e-3)])
def test_swap_by_linear_optics(optics):
    middle = node(p_swap=0.9, optics=optics)
    found = applied(PAULI, PAULI.swap(LEFT, middle, RIGHT), *STATES[:2])
    dense = density.optical_swap(*STATES[:2], np.asarray(optics.factors()))
    np.testing.assert_allclose(found, 0.9 * density.coefficients(dense), atol=1e-12)
    pair = werner(0.9)
    weights = applied(BELL_DIAGONAL, BELL_DIAGONAL.swap(LEFT, middle, RIGHT), pair, pair)
    np.testing.assert_allclose(weights[0, 0], 0.9 * optics.factors()[0], atol=1e-15)


def test_optics_factors_are_those_of_double_click():
    """What the optics leave of a qubit is what they herald from two perfect memory-photon pairs."""
    from qtn.links.double_click import double_click

    link = double_click(
        length_left=0, length_right=0, loss_left=0, loss_right=0, efficiency=0.7, visibility=0.9,
        dark_count_probability=1e-2, emission_time=1.0,
    ).heralded()  # fmt: skip
    expected = link.p_success * jnp.diagonal(link.state) * BELL_SIGNS
    np.testing.assert_allclose(linear_optics(0.7, 0.9, 1e-2).factors(), expected, atol=1e-14)


@pytest.mark.parametrize("protocol", [CNOT, EPL, DEJMPS])
def test_distillation_of_any_pairs(protocol):
    found = applied(PAULI, PAULI.distill(protocol, LEFT, RIGHT), *STATES[:2])
    p2, eta = ([float(getattr(each, name)) for each in NOISY] for name in ("two_qubit", "readout"))
    dense = density.distill(*STATES[:2], protocol.name, p2, eta)
    np.testing.assert_allclose(found, density.coefficients(dense), atol=1e-12)


@pytest.mark.parametrize(
    ("protocol", "fidelity", "probability"), [(DEJMPS, 0.7598, 0.745), (CNOT, 0.8337, 0.668), (EPL, 0.8856, 0.289)]
)
def test_distillation_of_damped_pairs(protocol, fidelity, probability):
    """Amplitude damping 0.3 on both halves of both pairs; the one accepted outcome is 11."""
    damped = density.damp(density.damp(density.bell_diagonal([1, 0, 0, 0]), 0, 0.3), 1, 0.3)
    for level in (PAULI, X_TYPE):
        found = applied(level, level.distill(protocol, PERFECT, PERFECT), damped, damped)
        weights = np.array(found)[range(4), range(4)] * BELL_SIGNS
        assert found[0, 0] == pytest.approx(probability, abs=5e-4)
        assert weights.sum() / 4 / found[0, 0] == pytest.approx(fidelity, abs=5e-5)


@pytest.mark.parametrize("bright", [0.1, 0.35])
def test_epl_makes_perfect_pairs_of_single_click_pairs(bright):
    """(1 - a) Psi+ + a |11><11|, corrected to Phi+ by X at the right node: |11> becomes |10>."""
    psi = np.array([1, 0, 0, 1]) / np.sqrt(2)
    pair = (1 - bright) * np.outer(psi, psi) + bright * np.diag([0, 0, 1.0, 0])
    flipped = np.kron(np.eye(2), density.X)
    pair = flipped @ pair @ flipped  # EPL works on the pairs as they are heralded
    found = applied(X_TYPE, X_TYPE.distill(EPL, PERFECT, PERFECT), pair, pair)
    assert found[0, 0] == pytest.approx((1 - bright) ** 2 / 2, abs=1e-14)
    np.testing.assert_allclose(np.abs(np.diagonal(found)) / found[0, 0], 1.0, atol=1e-12)


def best_known(n, f):
    z = (1 - f) / (3 * f)
    top, bottom = {
        2: (1 + z**2, 1 + 2 * z + 5 * z**2),
        3: (1 + z**2 + 2 * z**3, 1 + z + 7 * z**2 + 7 * z**3),
        4: (1 + 4 * z**3 + 3 * z**4, 1 + 6 * z**2 + 16 * z**3 + 9 * z**4),
        5: (1 + 15 * z**4, 1 + 30 * z**3 + 15 * z**4 + 18 * z**5),
    }[n]
    return top / bottom, f**n * bottom


@pytest.mark.parametrize("protocol", [BBPSSW, DEJMPS, CODE_3, CODE_4, CODE_5])
def test_codes_reach_the_best_clifford_protocols(protocol):
    for f in (0.6, 0.85, 1.0):
        pairs = [werner(f)] * protocol.num_pairs
        found = applied(BELL_DIAGONAL, BELL_DIAGONAL.distill(protocol, PERFECT, PERFECT), *pairs)
        fidelity = np.sum(np.diagonal(found) * BELL_SIGNS) / 4 / found[0, 0]
        np.testing.assert_allclose((fidelity, found[0, 0]), best_known(protocol.num_pairs, f), atol=1e-13)


def test_double_selection():
    """Sum over errors (x_i, z_i) of three pairs with x0 + x1 + x2 = 0 and z1 + z2 = 0, output (x0, z0 + z1)."""
    weights = [RNG.dirichlet([4, 1, 1, 1]) for _ in range(3)]
    bits = [(0, 0), (1, 0), (1, 1), (0, 1)]  # (x, z) of I, X, Y, Z
    expected = np.zeros(4)
    for index in np.ndindex(4, 4, 4):
        (x0, z0), (x1, z1), (x2, z2) = (bits[i] for i in index)
        if (x0 + x1 + x2) % 2 == 0 and (z1 + z2) % 2 == 0:
            expected[bits.index((x0, (z0 + z1) % 2))] += np.prod([w[i] for w, i in zip(weights, index, strict=True)])
    pairs = [density.bell_diagonal(each) for each in weights]
    found = applied(BELL_DIAGONAL, BELL_DIAGONAL.distill(DOUBLE_SELECTION, PERFECT, PERFECT), *pairs)
    characters = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])
    np.testing.assert_allclose(np.diagonal(found) * BELL_SIGNS, characters @ expected, atol=1e-13)


def test_what_levels_carry():
    assert all(carries(BELL_DIAGONAL, each) for each in (BBPSSW, DEJMPS, CNOT, DOUBLE_SELECTION, CODE_5))
    assert not carries(BELL_DIAGONAL, EPL)
    assert all(carries(X_TYPE, each) for each in (CNOT, EPL, BBPSSW))
    assert all(carries(PAULI, each) for each in (CNOT, EPL, DEJMPS, CODE_3))
    assert not carries(PAULI, CODE_5)


@pytest.mark.parametrize("protocol", [each for each in (CNOT, EPL, DEJMPS, BBPSSW) if carries(X_TYPE, each)])
def test_small_levels_see_what_large_ones_do(protocol):
    kept = np.zeros((4, 4))
    kept[X_TYPE.indices] = 1.0
    states = [vector(PAULI, each) for each in STATES[:2]]
    x_states = [PAULI.from_pauli(PAULI.to_pauli(each, PERFECT, PERFECT) * kept, PERFECT, PERFECT) for each in states]
    full = jnp.einsum("cab,a,b->c", PAULI.distill(protocol, LEFT, RIGHT), *x_states)
    small = jnp.einsum("cab,a,b->c", X_TYPE.distill(protocol, LEFT, RIGHT), *[vector(X_TYPE, s) for s in STATES[:2]])
    full, small = (lvl.to_pauli(v, PERFECT, PERFECT) for lvl, v in ((PAULI, full), (X_TYPE, small)))
    np.testing.assert_allclose(full, small, atol=1e-13)


def test_teleportation():
    pair, qubit = jnp.asarray(density.coefficients(STATES[0])), density.random_state(RNG, 1)
    dense = density.swap(np.kron(np.eye(2) / 2, qubit), STATES[0], 0.93, 0.97)  # the left half carries nothing
    sent = teleport(jnp.asarray(density.coefficients(qubit)), pair, LEFT)
    np.testing.assert_allclose(sent, density.coefficients(density.partial_trace(dense, [1])), atol=1e-12)
    werner_pair = jnp.asarray(density.coefficients(werner(0.85)))
    assert teleportation_fidelity(werner_pair, PERFECT) == pytest.approx((2 * 0.85 + 1) / 3, abs=1e-14)
    slope = jax.grad(lambda p: teleportation_fidelity(p, PERFECT))(werner_pair)
    assert np.all(np.isfinite(slope))


def test_fusion_makes_ghz_states():
    perfect = jnp.asarray(density.coefficients(density.bell_diagonal([1, 0, 0, 0])))
    state = perfect
    for n in (3, 4):
        state = fuse(state, perfect, gates())
        np.testing.assert_allclose(state, density.coefficients(density.ghz(n)), atol=1e-14)
        np.testing.assert_allclose(state, ghz_state(n), atol=1e-14)
    np.testing.assert_allclose(measure_out(state, gates()), ghz_state(3), atol=1e-14)


def test_noisy_fusion_equals_dense_simulation():
    """Qubits A, C and C', B: CNOT from C to C', which is measured; X on B, then C is measured in X, Z on A."""
    p2, eta = 0.93, 0.97
    rho = np.kron(STATES[0], STATES[1])
    gate = density.embed(density.CNOT, [1, 2], 4)
    rho = density.depolarise(gate @ rho @ gate.T, [1, 2], p2)
    out = 0
    for m in (0, 1):
        kept = density.partial_trace(density.embed(density.readout(m, eta), [2], 4) @ rho, [0, 3, 1])
        fix = density.embed(np.linalg.matrix_power(density.X, m), [1], 3)
        out = out + fix @ kept @ fix.T
    found = fuse(*(jnp.asarray(density.coefficients(each)) for each in STATES[:2]), NOISY[0])
    np.testing.assert_allclose(found, density.coefficients(out), atol=1e-12)
    turned = density.embed(density.H, [2], 3) @ out @ density.embed(density.H, [2], 3)
    pair = 0
    for m in (0, 1):
        kept = density.partial_trace(density.embed(density.readout(m, eta), [2], 3) @ turned, [0, 1])
        fix = density.embed(np.linalg.matrix_power(density.Z, m), [0], 2)
        pair = pair + fix @ kept @ fix.T
    np.testing.assert_allclose(measure_out(found, NOISY[0]), density.coefficients(pair), atol=1e-12)
    dense = np.real(np.trace(density.ghz(3) @ out))
    assert ghz_fidelity(found) == pytest.approx(dense, abs=1e-12)


def test_fusion_of_too_many():
    with pytest.raises(ValueError, match="11 qubits does not fit"):
        fuse(jnp.zeros((4,) * 10), jnp.zeros((4, 4)), gates())


DEVICE = jnp.array([0.8, 0.9, 1e-2, 0.95, 0.97])
"""Efficiency, visibility and dark counts of optics; p2 and eta of gates."""


def through_devices(numbers):
    """All steps that these numbers enter besides swaps and distillation, as one value."""
    pair = jnp.asarray(density.coefficients(STATES[0]))
    optical = node(optics=linear_optics(*numbers[:3]))
    noisy = gates(*numbers[3:])
    fused = measure_out(fuse(fuse(pair, pair, noisy), pair, noisy), noisy)
    swapped = swap_map(optical)[3, 3]
    return (
        teleportation_fidelity(pair, optical)
        + teleportation_fidelity(pair, node(gate_set=noisy))
        + ghz_fidelity(fused)
        + jnp.einsum("abcd,ab,cd->", swapped, pair, pair)
    )


def test_gradients_of_devices():
    both = jax.jit(jax.value_and_grad(through_devices))
    _, slopes = both(DEVICE)
    for i in range(DEVICE.size):
        step = 1e-6 * jnp.eye(DEVICE.size)[i]
        numeric = float(both(DEVICE + step)[0] - both(DEVICE - step)[0]) / 2e-6
        assert float(slopes[i]) == pytest.approx(numeric, rel=1e-6, abs=1e-8)
    perfect = jnp.array([1.0, 1.0, 0.0, 1.0, 1.0])
    assert np.all(np.isfinite(both(perfect)[1]))
