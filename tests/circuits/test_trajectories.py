"""Trajectories: their average is the mixed state, their errors are what they say, and keys are independent."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import channels
from qtn.circuits import channel, circuit, gate, measure, noise_model, project, reset, run, sampled_states, trajectories
from qtn.states import MPS, amplitudes, dense, expect, fidelity_to, ghz, to_mixed, weight

N = 4
PAIRS = [(k, k + 1) for k in range(N - 1)]
TURNS = np.linspace(0.3, 2.1, N)
LAYERS = [gate("RY", range(N), TURNS), gate("RZZ", PAIRS, 0.8), gate("RX", range(N), 0.5), gate("CX", PAIRS)]
STRINGS = ["ZIII", "IZII", "IIZI", "IIIZ", "XIII", "IYII", "ZZII", "IXXI", "IIYZ", "XXXX"]
PAULI = noise_model(one_qubit=channels.pauli_noise(0.02, 0.03, 0.05), two_qubit=channels.depolarising(0.1, 2))
DAMPED = noise_model(one_qubit=channels.relaxation(0.3, 1.0, 0.9), two_qubit=channels.amplitude_damping(0.2))
DYNAMIC = [
    *LAYERS,
    measure(1),
    gate("CX", (1, 3)),
    reset(0),
    gate("RY", 0, 0.6),
    gate("CX", (0, 2)),
    channel(channels.generalised_damping(0.4, 0.3), 2),
]
CASES = {
    "Pauli, drawn ahead": (circuit(N, LAYERS), PAULI),
    "Pauli twice on one bond": (circuit(N, [gate("CX", [(0, 1), (1, 0), (0, 1)]), *LAYERS]), PAULI),
    "damping": (circuit(N, LAYERS), DAMPED),
    "measure, reset, post-select, distant": (circuit(N, [*DYNAMIC, project(3, 0), project(1, 1)]), DAMPED),
}


def exact_values(program, noise):
    state, _ = run(program, noise, max_bond=256)
    return np.array([float(expect(state, paulis)) for paulis in STRINGS]), float(weight(state))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in ("damping", "Pauli twice on one bond") else ())
        for name in CASES
    ],
)
def test_means_agree_with_the_mixed_state_within_their_errors(name):
    """z = (mean - exact) / error over many strings: none beyond 4.5, and a mean square near 1 (fixed key)."""
    program, noise = CASES[name]
    exact, kept = exact_values(program, noise)
    found, info = trajectories(
        program, noise, observables=STRINGS, num_trajectories=1536, batch=512, key=jax.random.key(3)
    )
    sure = found.standard_error == 0  # every trajectory gives the same
    np.testing.assert_allclose(found.mean[sure], exact[sure], atol=1e-12)
    z = ((found.mean - exact) / found.standard_error)[~sure]
    assert np.max(np.abs(z)) < 4.5 and 0.1 < float(jnp.mean(z**2)) < 2.5
    assert float(info.worst_fidelity_estimate) > 1 - 1e-9
    assert abs(found.weight - kept) <= 4 * found.weight_error + 1e-12


def test_states_average_to_the_density_matrix():
    program, noise = CASES["damping"]
    states, weights = sampled_states(program, noise, num_trajectories=1024, batch=512, key=jax.random.key(0))
    vectors = jax.vmap(lambda train: amplitudes(MPS(train=train)))(states.train)
    np.testing.assert_allclose(jnp.sum(jnp.abs(vectors) ** 2, axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(weights, 1.0, atol=1e-12)
    mixed = dense(run(program, noise, max_bond=256)[0]).matrix
    assert np.abs(jnp.einsum("ki,kj->ij", vectors, vectors.conj()) / 1024 - mixed).max() < 5 / np.sqrt(1024) / 2


def test_without_noise_a_trajectory_is_the_circuit():
    ladder = circuit(6, [gate("H", 0), gate("CX", [(k, k + 1) for k in range(5)])])
    found, info = trajectories(
        ladder, observables=["X" * 6, {0: "Z", 5: "Z"}], num_trajectories=3, key=jax.random.key(0)
    )
    np.testing.assert_allclose(found.values, 1.0, atol=1e-12)
    assert bool(info.drawn_ahead)


def test_a_chain_that_mixed_trains_could_not_hold_keeps_bond_two():
    ladder = circuit(60, [gate("H", 0), gate("CX", [(k, k + 1) for k in range(59)])])
    noise = noise_model(by_name={"CX": channels.depolarising(0.01, 2)})
    states, _ = sampled_states(ladder, noise, num_trajectories=8, key=jax.random.key(0))
    assert states.train.shape == (8, 60, 2, 2, 2)


STRONG = noise_model(one_qubit=channels.pauli_noise(0.25, 0.25, 0.2))


@pytest.fixture(scope="module")
def values():
    """Values (1024, o) for two neighbouring keys; 36 strong errors each, so that no two trajectories are equal."""
    options = {"observables": STRINGS, "num_trajectories": 1024, "batch": 512}
    program = circuit(N, LAYERS * 3)
    return [trajectories(program, STRONG, key=jax.random.key(seed), **options)[0].values for seed in (0, 1)]


@pytest.mark.parametrize(("first", "second"), [((0, 0), (1, 0)), ((0, 0), (1, 1)), ((0, 0), (0, 1)), ((0, 0), (0, 7))])
def test_neighbouring_keys_and_indices_are_independent(values, first, second):
    """Correlations of (key, shift of the index) vanish within 4.5 / sqrt(number)."""
    one, two = (values[seed][shift : 1000 + shift] for seed, shift in (first, second))
    one, two = one - one.mean(0), two - two.mean(0)
    correlation = jnp.sum(one * two, axis=0) / jnp.sqrt(jnp.sum(one**2, axis=0) * jnp.sum(two**2, axis=0))
    assert np.max(np.abs(correlation)) < 4.5 / np.sqrt(1000)


def test_keys_share_no_trajectory(values):
    rows = np.round(np.concatenate(values), 9)
    assert len(np.unique(rows, axis=0)) == len(rows)


@pytest.mark.parametrize("name", ["Pauli, drawn ahead", pytest.param("damping", marks=pytest.mark.slow)])
def test_results_do_not_depend_on_the_batch_and_more_keep_those_before(name):
    program, noise = CASES[name]
    options = {"observables": STRINGS, "key": jax.random.key(5)}
    whole, _ = trajectories(program, noise, num_trajectories=40, batch=40, **options)
    parts, _ = trajectories(program, noise, num_trajectories=23, batch=5, **options)
    np.testing.assert_allclose(parts.values, whole.values[:23], atol=1e-12)


def test_both_ways_to_draw_agree_trajectory_by_trajectory():
    """A channel that hardly damps keeps the numbers, but sends the program through the canonical sweeps."""
    program, noise = CASES["Pauli, drawn ahead"]
    options = {"observables": STRINGS, "num_trajectories": 64, "key": jax.random.key(2)}
    ahead, info = trajectories(program, noise, **options)
    zero = circuit(N, [*program.operations, channel(channels.amplitude_damping(1e-12), 0)])
    inside, other = trajectories(zero, noise, **options)
    assert bool(info.drawn_ahead) and not bool(other.drawn_ahead)
    np.testing.assert_allclose(inside.values, ahead.values, atol=1e-10)


def test_cuts_are_reported_and_close_to_the_best():
    n, rng = 8, np.random.default_rng(0)
    pairs = [(k, k + 1) for k in range(n - 1)]
    steps = [op for _ in range(4) for op in (gate("RX", range(n), rng.uniform(0, 2, n)), gate("RZZ", pairs, 0.9))]
    options = {"observables": ["Z" + "I" * (n - 1)], "num_trajectories": 4, "max_bond": 3, "key": jax.random.key(0)}
    _, info = trajectories(circuit(n, steps), **options)
    _, best = run(circuit(n, steps), max_bond=3)
    assert float(info.fidelity_estimate) < 1 - 1e-4 and "increase `max_bond`" in " ".join(info.sentences())
    assert 1 - float(info.fidelity_estimate) < 2 * (1 - float(best.fidelity_estimate))


def test_one_qubit():
    program = circuit(1, [gate("RX", 0, 0.7), measure(0)])
    turned, _ = run(circuit(1, [gate("RX", 0, 0.7)]))
    options = {"observables": ["Z"], "num_trajectories": 2000, "target": turned, "key": jax.random.key(1)}
    found, _ = trajectories(program, **options)
    np.testing.assert_allclose(jnp.abs(found.values[:, 0]), 1.0, atol=1e-12)
    assert abs(found.mean[0] - np.cos(0.7)) < 4 * found.standard_error[0]
    kept = np.cos(0.35) ** 4 + np.sin(0.35) ** 4  # the fidelity of what was measured with what was not
    assert abs(found.mean[1] - kept) < 4 * found.standard_error[1] < 0.05


def test_fidelities_with_a_state():
    """Mean overlaps with a state of any norm are the fidelity of the mixed state."""
    program, noise = CASES["Pauli, drawn ahead"]
    target, _ = run(program)
    twice = MPS(train=2**0.25 * target.train)
    found, _ = trajectories(program, noise, observables=[], num_trajectories=1024, target=twice, key=jax.random.key(2))
    exact = fidelity_to(run(program, noise, max_bond=256)[0], target)
    assert abs(found.mean[0] - exact) < 4 * found.standard_error[0] < 0.06


@pytest.mark.parametrize("lost", [pytest.param(0.0, id="pure", marks=pytest.mark.slow), pytest.param(0.3, id="damped")])
def test_states_of_one_qubit(lost):
    program = circuit(1, [gate("RX", 0, 0.7), channel(channels.amplitude_damping(lost), 0), gate("H", 0)])
    states, _ = sampled_states(program, num_trajectories=4000, batch=500, key=jax.random.key(1))
    vectors = np.asarray(states.train)[:, 0, 0, :, 0]
    np.testing.assert_allclose(np.sum(np.abs(vectors) ** 2, axis=1), 1.0, atol=1e-12)
    right = dense(run(program)[0]).matrix
    found = np.einsum("ki,kj->ij", vectors, vectors.conj()) / len(vectors)
    np.testing.assert_allclose(found, right, atol=4 / np.sqrt(len(vectors)) if lost else 1e-12)


def test_one_trajectory_has_no_derivative():
    def mean(p):
        return trajectories(*pauli_loss(p), observables=["ZZI"], num_trajectories=1, key=jax.random.key(0))[0].mean[0]

    assert np.isnan(jax.jit(jax.grad(mean))(0.1))


@pytest.mark.slow
def test_the_weight_has_an_unbiased_derivative():
    """P(second qubit 0) after RY(0.9) and damping p is 1 - (1 - p) sin^2: its slope by p, from many pairs."""
    sites = [gate("RY", 1, 0.9), gate("CX", (1, 0))]
    slope = jax.jit(jax.grad(lambda p, key: weight_of(p, sites, key)))
    slopes = jnp.stack([slope(0.3, jax.random.key(seed)) for seed in range(400)])
    error = jnp.std(slopes) / np.sqrt(len(slopes))
    assert error > 0 and abs(jnp.mean(slopes) - np.sin(0.45) ** 2) < 4 * error


def weight_of(lost, steps, key):
    noise = noise_model(by_label={"decay": channels.amplitude_damping(lost)})
    decayed = [*steps, gate("I", 1, label="decay"), project(1, 0)]
    return trajectories(circuit(2, decayed), noise, observables=["ZI"], num_trajectories=2, key=key)[0].weight


def test_impossible_outcomes_are_said():
    program = circuit(2, [project(0, 1)])
    _, info = trajectories(program, observables=["ZI"], num_trajectories=3, key=jax.random.key(0))
    assert "No trajectory met what was post-selected" in info.sentences()[0]


def pauli_loss(number):
    noise = noise_model(two_qubit=channels.depolarising(number, 2))
    return circuit(3, [gate("RY", range(3), 0.9), gate("CX", [(0, 1), (1, 2)])]), noise


def damped_loss(number):
    """The number is an angle and a probability to decay, before and after a measurement."""
    steps = [gate("RY", range(3), 2 * number), gate("CX", [(0, 1), (1, 2)]), measure(1), gate("CX", (1, 0))]
    return circuit(3, steps), noise_model(two_qubit=channels.amplitude_damping(number))


@pytest.mark.parametrize(
    ("family", "number", "mode"),
    [
        pytest.param(pauli_loss, 0.2, jax.jacrev, id="probability, reverse"),
        pytest.param(damped_loss, 0.4, jax.jacfwd, id="angle and damping, forward", marks=pytest.mark.slow),
    ],
)
def test_gradients_are_unbiased(family, number, mode):
    """Mean of independent estimates against differences of the mixed state (error 1e-6), in standard errors."""
    strings = ["ZII", "IIZ", "XXI"]

    def sampled(x, seed):
        key = jax.random.fold_in(jax.random.key(11), seed)
        return trajectories(*family(x), observables=strings, num_trajectories=64, key=key)[0].mean

    found = jax.jit(jax.vmap(mode(sampled), (None, 0)))(number, jnp.arange(48))
    ends = [[float(expect(run(*family(x))[0], paulis)) for paulis in strings] for x in (number + 1e-3, number - 1e-3)]
    exact = (np.array(ends[0]) - np.array(ends[1])) / 2e-3
    error = jnp.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    assert np.all(np.isfinite(found)) and np.all(np.abs(found.mean(0) - exact) < 4 * error + 1e-5)
    assert np.max(np.abs(exact)) > 0.2  # there is something to find


def test_an_error_that_is_never_drawn_has_no_derivative():
    def mean(x):
        return trajectories(*pauli_loss(x), observables=["ZII"], num_trajectories=4, key=jax.random.key(0))[0].mean[0]

    value, slope = jax.jit(jax.value_and_grad(mean))(0.0)
    assert np.isnan(slope) and np.isfinite(value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_trajectories": 0}, "`num_trajectories` must be a whole number >= 1"),
        ({"batch": 0}, "`batch` must be a whole number >= 1"),
        ({"state": to_mixed(ghz(N))}, "must be an `MPS`, but is an `MPDO`"),
        ({"state": ghz(3)}, "`state` must have 4 sites"),
        ({"target": ghz(3)}, "`target` must be an `MPS` of 4 sites like the circuit, but is one of 3 sites"),
        ({"target": to_mixed(ghz(N))}, "`target` must be an `MPS` of 4 sites like the circuit, but is MPDO"),
        ({"state": ghz(N), "max_bond": 1}, "at least the bond 2 of the state"),
        ({"observables": ["ZZ"]}, "one letter for each of 4 sites"),
    ],
)
def test_bad_input(options, message):
    default = {"observables": ["ZZZZ"], "num_trajectories": 2, "key": jax.random.key(0)}
    with pytest.raises(ValueError, match=message):
        trajectories(circuit(N, LAYERS), PAULI, **{**default, **options})
