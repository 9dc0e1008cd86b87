"""Tree codes, parity codes and repeater graph states against enumeration of every loss and error."""

import itertools
import math
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import codes
from qtn.codes.logical import vote
from tests.oracles import codes as oracle

NO_ERROR, ERRORS = (1.0, 0.0, 0.0, 0.0), (0.9, 0.03, 0.02, 0.05)
TREES = {
    "one_level": [3],
    "two": [2, 2],
    "wide": [2, 3],
    "thin": [1, 2, 2],
    "three": [2, 1, 1],
    "three_wide": [2, 2, 1],
    "many": [3, 3],
    "four": [1, 1, 2, 1],
    "deep": [1, 1, 1, 1, 1],
}
LOSSES = (0.0, 0.1, 0.45, 1.0)


def by_enumeration(decode, num_photons, loss, pauli):
    return oracle.logical_channel(decode, num_photons, loss, pauli)


@pytest.mark.parametrize("choice", ["blind", "adaptive"])
@pytest.mark.parametrize("branching", TREES.values(), ids=TREES)
def test_trees_lose_what_enumeration_loses(branching, choice):
    code = codes.tree_code(branching, choice=choice)
    assert code.num_photons <= 12
    decode = oracle.tree_decoder(branching, choice == "adaptive")
    for loss in (0.1, 0.45):
        expected, _ = by_enumeration(decode, code.num_photons, loss, NO_ERROR)
        assert abs(code.logical(loss=loss).p_success - expected) < 1e-12


@pytest.mark.parametrize("branching", TREES.values(), ids=TREES)
def test_adaptive_is_optimal_and_blind_is_not_better(branching):
    best = oracle.optimal_p_success(oracle.tree_generators(branching), 0.3)
    adaptive, blind = (codes.tree_code(branching, choice=rule).logical(loss=0.3) for rule in ("adaptive", "blind"))
    assert abs(adaptive.p_success - best) < 1e-12
    assert blind.p_success <= best + 1e-12


@pytest.mark.parametrize("choice", ["blind", "adaptive"])
@pytest.mark.parametrize(
    "branching",
    [[2, 2], [3, 1], [1, 2, 1], [2, 1, 1], [1, 3, 1], pytest.param([2, 3], marks=pytest.mark.slow)],
    ids=str,
)
def test_errors_of_trees_are_those_of_enumeration(branching, choice):
    code = codes.tree_code(branching, choice=choice)
    pauli = ERRORS if code.num_photons < 7 else (0.9, 0.04, 0.0, 0.06)
    decode = oracle.tree_decoder(branching, choice == "adaptive")
    p_success, weights = by_enumeration(decode, code.num_photons, 0.2, pauli)
    found = code.logical(loss=0.2, pauli=pauli)
    np.testing.assert_allclose(found.p_success, p_success, atol=1e-12)
    np.testing.assert_allclose(found.weights, weights, atol=1e-12)


@pytest.mark.parametrize(("n", "m"), [*itertools.product((1, 2, 3), repeat=2)])
def test_parity_codes_lose_what_enumeration_loses(n, m):
    for loss in (0.1, 0.45):
        expected, _ = by_enumeration(oracle.parity_decoder(n, m), n * m, loss, NO_ERROR)
        assert abs(codes.parity_code(n, m).logical(loss=loss).p_success - expected) < 1e-12


def parity_generators(n, m):
    inner = [[b * m + i, b * m + i + 1] for b in range(n) for i in range(m - 1)]
    outer = [[*range(b * m, (b + 2) * m)] for b in range(n - 1)]
    where = [("Z", each) for each in inner] + [("X", each) for each in outer]
    return ["".join(letter if i in each else "I" for i in range(n * m)) for letter, each in where]


@pytest.mark.parametrize(("n", "m"), [(1, 3), (3, 1), (2, 2), (2, 3), (3, 3)])
def test_parity_codes_undo_what_can_be_undone(n, m):
    best = oracle.optimal_p_success(parity_generators(n, m), 0.3)
    assert abs(codes.parity_code(n, m).logical(loss=0.3).p_success - best) < 1e-12


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 4), (4, 1), (2, 2), (2, 3), (3, 2)])
def test_errors_of_parity_codes_are_those_of_enumeration(n, m):
    p_success, weights = by_enumeration(oracle.parity_decoder(n, m), n * m, 0.2, ERRORS)
    found = codes.parity_code(n, m).logical(loss=0.2, pauli=ERRORS)
    np.testing.assert_allclose(found.p_success, p_success, atol=1e-12)
    np.testing.assert_allclose(found.weights, weights, atol=1e-12)


@pytest.mark.parametrize("num_arms", [1, 2])
def test_errors_of_plain_graph_states_are_those_of_enumeration(num_arms):
    x, z, y = oracle.graph_state_characters(num_arms, ERRORS)
    expected = np.array([1, x, y, z]) @ oracle.CHARACTERS / 4
    found = codes.repeater_graph_state(num_arms).logical(loss=0.1, pauli=ERRORS)
    np.testing.assert_allclose(found.weights, expected, atol=1e-12)
    np.testing.assert_allclose(found.p_success, 0.9 ** (2 * num_arms), atol=1e-12)


@pytest.mark.parametrize(
    "branching",
    [[3], pytest.param([2, 2], marks=pytest.mark.slow), pytest.param([2, 1, 1], marks=pytest.mark.slow)],
    ids=str,
)
def test_encoded_graph_states_read_as_enumeration_does(branching):
    count = codes.tree_code(branching).num_photons
    (p_x, x), (p_z, z) = (by_enumeration(oracle.tree_reader(branching, basis), count, 0.2, ERRORS) for basis in "XZ")
    s_x, s_z = x[:2].sum() - x[2:].sum(), z[:2].sum() - z[2:].sum()
    found = codes.repeater_graph_state(2, branching).logical(loss=0.2, pauli=ERRORS)
    np.testing.assert_allclose(found.p_success, p_x**2 * p_z**2, atol=1e-12)
    one = s_x * s_z**2
    np.testing.assert_allclose(found.weights, np.array([1, one, s_x**2, one]) @ oracle.CHARACTERS / 4, atol=1e-12)


EVERY_KIND = {
    "tree": codes.tree_code([2, 3, 2]),
    "adaptive": codes.tree_code([2, 3, 2], choice="adaptive"),
    "parity": codes.parity_code(3, 4),
    "graph_state": codes.repeater_graph_state(2),
    "encoded_graph_state": codes.repeater_graph_state(2, [2, 2]),
    "five_qubit": codes.FIVE_QUBIT,
    "shor": codes.SHOR,
    "plain": codes.PLAIN,
}


@pytest.mark.parametrize("code", EVERY_KIND.values(), ids=EVERY_KIND)
def test_limits(code):
    assert isinstance(code, codes.Code)
    perfect, lost = code.logical(), code.logical(loss=1.0, pauli=ERRORS)
    np.testing.assert_allclose([perfect.p_success, *perfect.weights], [1, 1, 0, 0, 0], atol=1e-14)
    np.testing.assert_allclose([lost.p_success, *lost.weights], [0, 0.25, 0.25, 0.25, 0.25], atol=1e-14)
    noisy = code.logical(loss=0.2, pauli=[0.25] * 4)
    np.testing.assert_allclose(noisy.weights, [0.25] * 4, atol=1e-12)
    assert code.generation_time(1e-9, 1e-7) > 0


@pytest.mark.parametrize("code", EVERY_KIND.values(), ids=EVERY_KIND)
def test_gradients(code):
    """Inside the ranges against central differences, at their ends against differences into them; none is NaN."""

    def numbers(point):
        found = code.logical(loss=point[0], pauli=jnp.stack([1 - point[1:].sum(), *point[1:]]))
        return jnp.array([found.p_success, *found.weights])

    def plain(point):
        found = code.logical(loss=point[0], pauli=[1 - sum(point[1:]), *point[1:]])
        return np.array([found.p_success, *found.weights])

    slopes = jax.jit(jax.jacfwd(numbers))
    competing = isinstance(code, codes.StabiliserCode) and code.num_photons > 1
    inward = [np.eye(4)[0], np.array([0.0, 1.0, 1.0, 1.0])] if competing else list(np.eye(4))
    for point, ways, steps in (
        ([0.2, 0.02, 0.03, 0.04], list(np.eye(4)), (-1, 0, 1)),
        ([0.0] * 4, inward, (0, 1, 2)),
        ([0.0, 0.0, 0.0, 0.05], inward, (0, 1, 2)),
    ):
        found, step = slopes(jnp.array(point)), 1e-6
        for way in ways:
            a, b, c = (plain(np.array(point) + step * k * way) for k in steps)
            expected = (c - a) / (2 * step) if steps[0] else (-3 * a + 4 * b - c) / (2 * step)
            np.testing.assert_allclose(found @ way, expected, atol=3e-7, rtol=1e-5)
    assert np.isfinite(slopes(jnp.array([1.0, 0.1, 0.0, 0.0]))).all()


@pytest.mark.slow
def test_reverse_mode_agrees_with_forward_mode():
    def fidelity(loss, error):
        found = codes.tree_code([2, 2, 2]).logical(
            loss=loss, pauli=jnp.stack([1 - error, error / 2, 0 * error, error / 2])
        )
        return found.p_success * found.weights[0]

    for point in ((0.1, 0.02), (0.0, 0.0)):
        forward, reverse = (mode(fidelity, argnums=(0, 1))(*point) for mode in (jax.jacfwd, jax.jacrev))
        np.testing.assert_allclose(forward, reverse, rtol=1e-12, atol=1e-14)


LARGE = {
    "children": codes.tree_code([500]),
    "grandchildren": codes.tree_code([2, 500]),
    "levels": codes.tree_code([1] * 20),
    "blocks": codes.parity_code(500, 20),
    "block": codes.parity_code(20, 500),
    "arms": codes.repeater_graph_state(2, [1, 500]),
}


@pytest.mark.parametrize("code", LARGE.values(), ids=LARGE)
def test_the_largest_codes_are_quick(code):
    began = time.process_time()
    found = code.logical(loss=0.01, pauli=[0.99, 0.003, 0.003, 0.004])
    assert time.process_time() - began < 5
    assert np.isfinite(found.weights).all() and (found.weights > -1e-12).all()
    assert found.p_success == pytest.approx(float(code.logical(loss=0.01).p_success), rel=1e-12)


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_votes_are_sums_over_binomial_coefficients(count):
    right, wrong, failed = 0.5, 0.3, 0.2
    expected = sum(
        math.comb(count, a) * math.comb(count - a, b) * right**a * wrong**b * failed ** (count - a - b) * np.sign(a - b)
        for a in range(count + 1)
        for b in range(count - a + 1)
    )
    assert vote(count, right, wrong, failed) == pytest.approx(expected, rel=1e-12)


def test_many_trees_at_once_are_the_same_trees():
    table = np.array([[2, 3, 1], [4, 14, 4], [1, 1, 1]])
    for rule in codes.Choice:
        at_once = codes.tree_success(list(table.T), np.array([0.1, 0.2, 0.3]), rule)
        single = [
            codes.tree_code(row.tolist(), choice=rule).logical(loss=loss).p_success
            for row, loss in zip(table, (0.1, 0.2, 0.3), strict=True)
        ]
        np.testing.assert_allclose(at_once, single, rtol=1e-14)


def test_generation_times():
    assert codes.tree_code([4, 14, 4]).generation_time(1e-9, 1e-7) == pytest.approx(4 * (1e-7 * 17 + 1e-9 * 170))
    assert codes.tree_code([2, 3]).generation_time(1.0, 0.0) == 2 * 103
    assert codes.tree_code([2, 3, 4, 5]).generation_time(0.0, 1.0) == 2 * (3 + 3 * (1 + 4))
    assert codes.parity_code(3, 4).generation_time(1.0, 10.0) == 3 * 4 + 2 * 10
    assert codes.parity_code(1, 1).generation_time(1.0, 10.0) == codes.PLAIN.generation_time(1.0, 10.0) == 1
    assert codes.FIVE_QUBIT.generation_time(1.0, 100.0) == 5 + 4 * 3 * 100
    assert codes.repeater_graph_state(2).generation_time(1.0, 100.0) == 4 * (2 + 100)
    assert codes.repeater_graph_state(2, [2, 3]).generation_time(1.0, 100.0) == 4 * (9 + 100 * 3)


ERRORS_OF_ARGUMENTS = {
    "zero_inside": (
        lambda: codes.tree_code([4, 0, 4]),
        "`branching[1]` must be a whole number of at least 1, but is 0.",
    ),
    "no_levels": (lambda: codes.tree_code([]), "`branching` must list at least one number, but is []."),
    "text": (lambda: codes.tree_code("444"), "`branching` must list at least one number, but is '444'."),
    "fraction": (lambda: codes.tree_code([2.0]), "`branching[0]` must be a whole number of at least 1, but is 2.0."),
    "many_children": (lambda: codes.tree_code([2, 700]), "`branching[1]` must be at most 500, but is 700:"),
    "many_levels": (lambda: codes.tree_code([1] * 3000), "`branching` may list at most 20 levels, but lists 3,000."),
    "many_below_arms": (lambda: codes.repeater_graph_state(1, [1, 4000]), "`branching[1]` must be at most 500"),
    "many_blocks": (lambda: codes.parity_code(1000, 2), "`num_blocks` must be at most 500, but is 1,000:"),
    "long_blocks": (lambda: codes.parity_code(2, 1000), "`block_size` must be at most 500, but is 1,000:"),
    "too_many": (lambda: codes.tree_code([100, 100, 1]), "at most 10,000 photons, but has 20,100."),
    "rule": (lambda: codes.tree_code([2], choice="best"), "`choice` must be 'blind' or 'adaptive', but is 'best'."),
    "no_blocks": (lambda: codes.parity_code(0, 2), "`num_blocks` must be a whole number of at least 1, but is 0."),
    "true": (lambda: codes.parity_code(2, True), "`block_size` must be a whole number of at least 1, but is True."),
    "large_blocks": (lambda: codes.parity_code(101, 100), "at most 10,000 photons, but has 10,100."),
    "no_arms": (lambda: codes.repeater_graph_state(0), "`num_arms` must be a whole number of at least 1, but is 0."),
    "loss": (lambda: codes.FIVE_QUBIT.logical(loss=1.5), "`loss` must lie in [0, 1], but is 1.5."),
    "losses": (lambda: codes.FIVE_QUBIT.logical(loss=[0.1]), "`loss` must be a single number, but has shape (1,)."),
    "sum": (lambda: codes.FIVE_QUBIT.logical(pauli=[0.1] * 4), "`pauli` must sum to 1, but sums to 0.4"),
    "three": (lambda: codes.FIVE_QUBIT.logical(pauli=[1.0, 0, 0]), "has shape (3,)."),
}


@pytest.mark.parametrize(("build", "message"), ERRORS_OF_ARGUMENTS.values(), ids=ERRORS_OF_ARGUMENTS)
def test_errors(build, message):
    with pytest.raises(ValueError) as error:
        build()
    assert message in str(error.value)
