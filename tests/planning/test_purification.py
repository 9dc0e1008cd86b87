"""Variational purification: published optima, the circuit engine as an oracle, gradients and limits."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.channels import amplitude_damping, ptm_from_unitary
from qtn.circuits import circuit, project, run, unitary
from qtn.planning.purification import PurificationCircuit, purify, train_purification
from qtn.planning.su4 import su4
from qtn.states import apply_each_site, bell, join, pair_of, pairs, random_mpdo, to_mixed, weight, werner_pair

KEY = jax.random.key(0)


def werner_inputs(fidelity, num_pairs):
    return pairs(werner_pair((4 * fidelity - 1) / 3), num_pairs)


def best_clifford(fidelity, num_pairs):
    """Best bilocal Clifford circuit on Werner pairs: (fidelity A / B, success probability F^n B)."""
    z = (1 - fidelity) / (3 * fidelity)
    a, b = {
        2: ((1, 0, 1), (1, 2, 5)),
        3: ((1, 0, 1, 2), (1, 1, 7, 7)),
        4: ((1, 0, 0, 4, 3), (1, 0, 6, 16, 9)),
    }[num_pairs]
    a, b = np.polynomial.Polynomial(a)(z), np.polynomial.Polynomial(b)(z)
    return a / b, fidelity**num_pairs * b


def damped_inputs():
    damped = apply_each_site(to_mixed(bell()), amplitude_damping(0.3).ptm())
    return join(damped, damped)


def random_angles(shape_of, seed=1):
    return jax.random.uniform(jax.random.key(seed), shape_of.angles_shape, minval=-3.0, maxval=3.0)


@pytest.mark.parametrize(
    "num_pairs, fidelity, bob, num_starts",
    [
        (2, 0.6, "independent", 16),
        (2, 0.95, "independent", 16),
        pytest.param(3, 0.9, "independent", 16, marks=pytest.mark.slow),
        pytest.param(4, 0.8, "independent", 16, marks=pytest.mark.slow),
        pytest.param(4, 0.7, "conjugate", 4, marks=pytest.mark.slow),
        pytest.param(4, 0.95, "conjugate", 4, marks=pytest.mark.slow),
    ],
)
def test_werner_pairs_reach_the_best_clifford_circuit(num_pairs, fidelity, bob, num_starts):
    shape = PurificationCircuit(num_pairs, bob=bob)
    trained = train_purification(shape, werner_inputs(fidelity, num_pairs), num_starts=num_starts, key=KEY)
    best, probability = best_clifford(fidelity, num_pairs)
    assert float(trained.fidelity) == pytest.approx(best, abs=1e-8)  # reached, and not exceeded
    assert float(trained.success_probability) == pytest.approx(probability, abs=1e-4)  # flat optimum: error ~ sqrt


def test_damped_pairs_gain_from_one_accepted_outcome():
    trained = train_purification(PurificationCircuit(2, accept="one"), damped_inputs(), key=KEY)
    assert float(trained.fidelity) >= 0.8855
    assert float(trained.success_probability) == pytest.approx(0.2891, abs=1e-3)
    coincidence = train_purification(PurificationCircuit(2), damped_inputs(), key=KEY)
    assert float(coincidence.fidelity) < 0.84


def test_a_minimum_probability_moves_along_the_trade_off():
    """Between DEJMPS and no gates (p = (1 + w)/2) the best p F is linear in p."""
    f, minimum, inputs = 0.8, 0.82, werner_inputs(0.8, 2)
    (dejmps, rare), often = best_clifford(f, 2), (1 + (4 * f - 1) / 3) / 2
    line = np.interp(minimum, [rare, often], [rare * dejmps, often * f]) / minimum
    trained = train_purification(PurificationCircuit(2), inputs, minimum_probability=minimum, key=KEY)
    assert float(trained.fidelity) == pytest.approx(line, abs=1e-6)
    assert minimum <= float(trained.success_probability) <= minimum + 1e-5


def correlated(num_pairs):
    return random_mpdo(2 * num_pairs, 2, key=jax.random.key(5))


def by_the_circuit_engine(shape, angles, inputs):
    """The same circuit, gate by gate on the whole train: unnormalised correlations of the kept pair."""
    n, total = shape.num_pairs, jnp.zeros((4, 4))
    sides = [angles[0], angles[1] if shape.bob == "independent" else angles[0]]
    gates = []
    for side, layer in enumerate(sides):
        for sites, t in zip(shape.gate_sites, layer, strict=True):
            matrix = jnp.conj(su4(t)) if side and shape.bob == "conjugate" else su4(t)
            gates.append(unitary(matrix, tuple(2 * site + side for site in sites)))
    for outcome in range(shape.num_outcomes):
        bits = np.repeat([outcome >> k & 1 for k in range(n - 1)], 2)
        final, _ = run(circuit(2 * n, [*gates, project(range(2, 2 * n), bits)]), state=inputs, max_bond=4**n)
        total = total + pair_of(final, 0, 1).correlations * weight(final)
    return total


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(PurificationCircuit(3), id="three pairs", marks=pytest.mark.slow),
        pytest.param(PurificationCircuit(2, 2, "one"), id="one outcome of two layers", marks=pytest.mark.slow),
        pytest.param(PurificationCircuit(2, bob="conjugate"), id="conjugate"),
    ],
)
def test_correlated_inputs_agree_with_the_circuit_engine(shape):
    inputs = correlated(shape.num_pairs)
    angles = random_angles(shape)
    purified = purify(shape, angles, inputs)
    expected = by_the_circuit_engine(shape, angles, inputs)
    np.testing.assert_allclose(purified.state.correlations, expected, atol=1e-12)
    assert float(purified.success_probability) == pytest.approx(float(expected[0, 0]), abs=1e-12)


def test_all_su4_gates_are_reached():
    """Full rank of the derivative: the gates of 15 angles fill the 15 dimensions of SU(4)."""
    angles = jax.random.uniform(jax.random.key(2), (15,))
    matrix = su4(angles)
    np.testing.assert_allclose(matrix @ matrix.conj().T, np.eye(4), atol=1e-14)
    moves = jax.jacfwd(lambda t: ptm_from_unitary(su4(t)).ravel())(angles)  # free of the global phase
    assert np.linalg.matrix_rank(moves, tol=1e-6) == 15


@pytest.mark.parametrize("num_pairs, accept", [(2, "one"), pytest.param(3, "coincidence", marks=pytest.mark.slow)])
def test_gradients_are_finite_differences(num_pairs, accept):
    shape = PurificationCircuit(num_pairs, accept=accept)
    angles, inputs = random_angles(shape), correlated(num_pairs)
    direction = jax.random.normal(jax.random.key(3), angles.shape)

    @jax.jit
    def numbers(angles):
        purified = purify(shape, angles, inputs)
        return jnp.stack([purified.fidelity, purified.success_probability])

    slopes, h = jax.jit(jax.jacrev(numbers))(angles), 1e-5
    ahead, behind = (numbers(angles + sign * h * direction) for sign in (1, -1))
    for slope, numeric in zip(slopes, (ahead - behind) / (2 * h), strict=True):
        assert float(jnp.vdot(slope, direction)) == pytest.approx(float(numeric), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("fidelity", [1.0, 0.25], ids=["perfect", "mixed"])
@pytest.mark.parametrize("accept", ["coincidence", "one"])
def test_limits_are_reached_without_nan(fidelity, accept):
    trained = train_purification(
        PurificationCircuit(2, accept=accept), werner_inputs(fidelity, 2), num_starts=4, num_steps=200, key=KEY
    )
    assert np.isfinite(trained.history).all() and np.isfinite(trained.angles).all()
    assert float(trained.fidelity) == pytest.approx(fidelity, abs=1e-6)


def test_an_outcome_that_never_occurs_has_fidelity_and_gradient_zero():
    shape, inputs = PurificationCircuit(2, accept="one"), join(bell(), bell("Psi+"))  # Psi+ never reads 00
    value, slope = jax.jit(jax.value_and_grad(lambda t: purify(shape, t, inputs).fidelity))(jnp.zeros((2, 1, 15)))
    assert float(value) == 0 and not slope.any()


def test_without_gates_the_kept_pair_stays_as_it_was():
    kept = to_mixed(bell("Psi+"))
    purified = purify(PurificationCircuit(2, accept="one"), jnp.zeros((2, 1, 15)), join(kept, bell()))
    np.testing.assert_allclose(purified.state.correlations, pair_of(kept, 0, 1).correlations / 2, atol=1e-14)


def test_vmap_is_the_loop_and_unequal_pairs_are_accepted():
    shape = PurificationCircuit(2)
    inputs = join(werner_pair(0.9), werner_pair(0.6))
    many = jnp.stack([random_angles(shape, seed) for seed in range(3)])
    batched = jax.vmap(lambda t: purify(shape, t, inputs).fidelity)(many)
    np.testing.assert_allclose(batched, [purify(shape, t, inputs).fidelity for t in many], atol=1e-14)


def test_the_key_decides():
    train = functools.partial(
        train_purification, PurificationCircuit(2), werner_inputs(0.8, 2), num_starts=2, num_steps=3
    )
    first, again, other = train(key=KEY), train(key=KEY), train(key=jax.random.key(9))
    assert (first.angles == again.angles).all() and (first.angles != other.angles).any()
    assert first.history.shape == (3, 2)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: PurificationCircuit(1), "`num_pairs` must be a whole number >= 2, but is 1"),
        (lambda: PurificationCircuit(7), "`num_pairs` must be at most 6, but is 7: purify in several rounds"),
        (lambda: PurificationCircuit(2, 0), "`num_layers` must be a whole number >= 1, but is 0"),
        (lambda: PurificationCircuit(2, accept="all"), "`accept` must be 'coincidence' .* or 'one' .*, but is 'all'"),
        (lambda: PurificationCircuit(2, bob="same"), "`bob` must be 'independent' .* 'conjugate' .*, but is 'same'"),
        (lambda: purify(PurificationCircuit(2), jnp.zeros((1, 1, 15)), bell()), r"`angles` must have shape \(2, 1, 15\)"),
        (lambda: purify(PurificationCircuit(2), jnp.zeros((2, 1, 15)), bell()), "`inputs` must have 4 sites .* use `pairs"),
        (lambda: su4(jnp.zeros(14)), r"`angles` must have shape \(15,\), but has \(14,\)"),
    ],
)  # fmt: skip
def test_errors_name_the_argument_and_the_cure(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"num_starts": 0}, "`num_starts` must be a whole number >= 1"),
        ({"num_steps": 0}, "`num_steps` must be a whole number >= 1"),
        ({"minimum_probability": 0.0}, r"`minimum_probability` must lie in \(0, 1\], but is 0.0"),
        (
            {"minimum_probability": 0.99, "num_steps": 20},
            "`minimum_probability` must be within reach, but is 0.99.* Lower",
        ),
    ],
)
def test_training_says_what_it_cannot_do(options, message):
    with pytest.raises(ValueError, match=message):
        train_purification(PurificationCircuit(2), werner_inputs(0.8, 2), key=KEY, **{"num_starts": 2, **options})
