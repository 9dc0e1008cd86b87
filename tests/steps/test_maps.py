"""Swap and distillation maps against dense density matrices, and their laws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import BBPSSW, DEJMPS, depolarising_memory, gates, linear_optics, node, relaxing_memory
from qtn.evaluators.fold import distill_step, swap_step
from qtn.states.pair import BELL_FROM_CHARACTERS, CHARACTERS_FROM_BELL, from_fidelity, werner
from qtn.steps.distill import PROTOCOLS
from qtn.steps.level import BELL_DIAGONAL, LEVELS
from qtn.steps.step_map import map_of
from tests.oracles import density

PAIRS = {
    "werner": ([0.91, 0.03, 0.03, 0.03], [0.82, 0.06, 0.06, 0.06]),
    "dephased": ([0.9, 0.0, 0.0, 0.1], [0.8, 0.0, 0.0, 0.2]),
    "skewed": ([0.7, 0.15, 0.1, 0.05], [0.6, 0.05, 0.3, 0.05]),
}
NOISE = {"perfect": (1.0, 1.0, 1.0, 1.0), "gates": (0.98, 0.95, 1.0, 1.0), "all": (0.97, 0.99, 0.96, 0.98)}


MEMORIES = {"decays": depolarising_memory(10.0), "relaxes": relaxing_memory(10.0, 8.0)}


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("level", LEVELS.values(), ids=lambda level: level.name)
def test_nothing_lies_outside_the_known_places(level, memory, noise):
    p2, _, eta, _ = NOISE[noise]
    end = node(MEMORIES[memory], gates(two_qubit=p2, readout=eta))
    optical = node(MEMORIES[memory], optics=linear_optics(efficiency=eta, visibility=p2))
    steps = [(swap_step, (level,), (end, middle, node())) for middle in (end, optical)]
    steps += [
        (distill_step, (level, protocol), (end, end)) for protocol in PROTOCOLS.values() if protocol.num_pairs == 2
    ]
    known = 0
    for step, kind, nodes in steps:
        found = map_of(step, kind, nodes)
        outside = np.array(found.entries)
        if found.places is not None:
            known += 1
            outside[tuple(np.transpose(found.places))] = 0
            assert np.abs(outside).max() < 1e-15
    assert known >= 2, "swaps have few terms at every level"


def test_places_are_few_where_the_physics_says_so():
    noisy = node(gate_set=gates(two_qubit=0.9, readout=0.95))
    assert map_of(swap_step, (BELL_DIAGONAL,), (noisy,) * 3).places == tuple((i, i, i) for i in range(4))
    assert len(map_of(distill_step, (BELL_DIAGONAL, DEJMPS), (noisy,) * 2).places or ()) == 8
    assert map_of(distill_step, (BELL_DIAGONAL, PROTOCOLS["code3"]), (noisy,) * 2).places is None


def test_places_are_found_within_a_compiled_function():
    noisy = node(gate_set=gates(two_qubit=0.9, readout=0.95))
    seen = []
    jax.jit(lambda nodes: seen.append(map_of(swap_step, (LEVELS["pauli"],), nodes)) or 0.0)((noisy,) * 3)
    assert len(seen[0].places) == 16


def swap_map(middle):
    return BELL_DIAGONAL.swap(node(), middle, node())


def distill_map(protocol, left, right):
    return BELL_DIAGONAL.distill(protocol, node(gate_set=left), node(gate_set=right))


def apply(step_map, first, second):
    out = jnp.einsum(
        "kij,i,j->k", step_map, CHARACTERS_FROM_BELL @ np.array(first), CHARACTERS_FROM_BELL @ np.array(second)
    )
    return BELL_FROM_CHARACTERS @ out


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("noise", NOISE)
def test_swap_equals_dense_simulation(pair, noise):
    p2, _, eta, _ = NOISE[noise]
    first, second = PAIRS[pair]
    found = apply(swap_map(node(gate_set=gates(p2, eta), p_swap=0.7)), first, second)
    dense = density.swap(density.bell_diagonal(first), density.bell_diagonal(second), p2, eta)
    np.testing.assert_allclose(found.sum(), 0.7, atol=1e-14)
    np.testing.assert_allclose(found / 0.7, density.bell_weights(dense), atol=1e-14)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("protocol", [DEJMPS, BBPSSW], ids=lambda p: p.name)
def test_distillation_equals_dense_simulation(pair, noise, protocol):
    p2a, p2b, etaa, etab = NOISE[noise]
    first, second = PAIRS[pair]
    found = apply(distill_map(protocol, gates(p2a, etaa), gates(p2b, etab)), first, second)
    dense = density.distill(
        density.bell_diagonal(first), density.bell_diagonal(second), protocol.name, (p2a, p2b), (etaa, etab)
    )
    expected = density.bell_weights(dense)
    if protocol.twirled:
        expected[1:] = expected[1:].mean()
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_bbpssw_on_werner_pairs_is_the_published_map():
    w1, w2 = 0.9, 0.8
    found = CHARACTERS_FROM_BELL @ apply(distill_map(BBPSSW, gates(), gates()), werner(w1), werner(w2))
    np.testing.assert_allclose(found[0], (1 + w1 * w2) / 2, atol=1e-15)
    np.testing.assert_allclose(found[1:], (w1 + w2 + 4 * w1 * w2) / 6, atol=1e-15)


def test_ideal_dejmps_in_characters():
    c, d = (CHARACTERS_FROM_BELL @ np.array(p) for p in PAIRS["skewed"])
    found = CHARACTERS_FROM_BELL @ apply(distill_map(DEJMPS, gates(), gates()), *PAIRS["skewed"])
    expected = [
        c[0] * d[0] + c[2] * d[2],
        c[1] * d[1] + c[3] * d[3],
        c[1] * d[3] + c[3] * d[1],
        c[0] * d[2] + c[2] * d[0],
    ]
    np.testing.assert_allclose(found, np.array(expected) / 2, atol=1e-15)


def test_noisy_dejmps_recurrence_converges_to_its_fixed_point():
    step = distill_map(DEJMPS, gates(0.99, 0.99), gates(0.99, 0.99))
    for fidelity, target in ((0.53, (0.985962, 0.002755, 0.002836, 0.008447)), (0.52, (0.25, 0.25, 0.25, 0.25))):
        state = from_fidelity(fidelity)
        for _ in range(200):
            state = apply(step, state, state)
            state = state / state.sum()
        np.testing.assert_allclose(state, target, atol=1e-6)


def test_swap_is_associative():
    pairs = [np.array(p) for p in (*PAIRS["skewed"], PAIRS["werner"][0])]
    step = swap_map(node(gate_set=gates(0.95, 0.9)))
    left = apply(step, apply(step, pairs[0], pairs[1]), pairs[2])
    right = apply(step, pairs[0], apply(step, pairs[1], pairs[2]))
    np.testing.assert_allclose(left, right, atol=1e-15)


@pytest.mark.parametrize("num_links", [2, 3, 5])
def test_werner_line_has_the_closed_form(num_links):
    w, p2, eta = 0.96, 0.98, 0.97
    state = werner(w)
    for _ in range(num_links - 1):
        state = apply(swap_map(node(gate_set=gates(p2, eta))), state, werner(w))
    bit = 2 * eta - 1
    expected = (
        0.25 + w**num_links * p2 ** (num_links - 1) * (2 * bit ** (num_links - 1) + bit ** (2 * num_links - 2)) / 4
    )
    np.testing.assert_allclose(state[0], expected, atol=1e-15)


@pytest.mark.parametrize("protocol", [DEJMPS, BBPSSW], ids=lambda p: p.name)
@pytest.mark.parametrize("state", [[1, 0, 0, 0], [0.25] * 4, [0, 0, 0, 1]], ids=["perfect", "mixed", "orthogonal"])
def test_gradients_are_finite_at_the_edges(protocol, state):
    def fidelity(p2, eta):
        out = apply(BELL_DIAGONAL.distill(protocol, node(gate_set=gates(p2, eta)), node()), state, state)
        return out[0]

    assert np.all(np.isfinite(jax.grad(fidelity, (0, 1))(1.0, 1.0)))
