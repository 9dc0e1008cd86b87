"""Train states against dense matrices: conversions, numbers, local operations, named states."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import channels
from qtn import states as qs
from qtn.states.basis import PAULI_MATRICES, from_pauli_vector, pauli_vector, ptm
from qtn.states.quimb_io import from_quimb, to_quimb
from tests.oracles import circuits as oracle

KEY = jax.random.key(7)
PURE = {"w": lambda: qs.w(4), "random": lambda: qs.random_mps(4, 3, key=KEY)}
MIXED = {
    "werner": lambda: qs.werner_pair(0.7),
    "random": lambda: qs.random_mpdo(4, 2, key=KEY),
    "joined": lambda: qs.join(qs.bell("Psi-"), qs.werner_pair(0.4)),
}
ALL = {**{f"pure {k}": v for k, v in PURE.items()}, **{f"mixed {k}": v for k, v in MIXED.items()}}
QUICK = ("pure random", "mixed random", "mixed werner")
every_state = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in ALL]
)


def matrix(state):
    return np.asarray(qs.dense(state).matrix)


def vector(name, n):
    """Named states by their definitions."""
    basis = np.eye(2**n)
    if name == "ghz":
        return (basis[0] + basis[-1]) / np.sqrt(2)
    if name == "w":
        return sum(basis[2**k] for k in range(n)) / np.sqrt(n)
    bits = (np.arange(2**n)[:, None] >> np.arange(n)[::-1]) & 1
    return (-1.0) ** (bits[:, :-1] * bits[:, 1:]).sum(1) / np.sqrt(2**n)


@pytest.mark.parametrize("n", [2, 3, 6])
@pytest.mark.parametrize("name", ["ghz", "w", "cluster"])
def test_named_states(name, n):
    state = getattr(qs, name)(n)
    assert state.bond == 2
    np.testing.assert_allclose(qs.amplitudes(state), vector(name, n), atol=1e-14)


@pytest.mark.parametrize(("label", "error"), [("Phi+", 0), ("Psi+", 1), ("Psi-", 2), ("Phi-", 3)])
def test_bell_states_are_errors_on_phi_plus(label, error):
    phi = np.array([1, 0, 0, 1]) / np.sqrt(2)
    rho = oracle.apply(np.outer(phi, phi), [PAULI_MATRICES[error]], (1,))
    np.testing.assert_allclose(matrix(qs.bell(label)), rho, atol=1e-14)
    np.testing.assert_allclose(matrix(qs.bell_diagonal_pair(np.eye(4)[error])), rho, atol=1e-14)


def test_graph_state_of_a_ring():
    n, ring = 6, np.roll(np.eye(6), 1, 0) + np.roll(np.eye(6), -1, 0)
    state = qs.graph(ring)
    for vertex in range(n):  # stabilisers X_v Z_neighbours
        letters = {int(v): "Z" for v in np.nonzero(ring[vertex])[0]} | {vertex: "X"}
        np.testing.assert_allclose(qs.expect(state, letters), 1.0, atol=1e-13)
    np.testing.assert_allclose(qs.weight(state), 1.0, atol=1e-13)


@every_state
def test_pauli_form_is_the_density_matrix(name):
    state, mixed = ALL[name](), qs.to_mixed(ALL[name]())
    assert mixed.train.dtype == jnp.float64
    np.testing.assert_allclose(matrix(mixed), matrix(state), atol=1e-13)
    np.testing.assert_allclose(qs.weight(mixed), 1.0, atol=1e-13)


def test_pauli_vector_round_trip():
    rho = matrix(qs.random_mpdo(3, 2, key=KEY))
    np.testing.assert_allclose(from_pauli_vector(jnp.real(pauli_vector(rho))), rho, atol=1e-14)
    np.testing.assert_allclose(pauli_vector(rho)[1, 2, 3], np.trace(oracle.pauli_string("XYZ") @ rho), atol=1e-14)


@every_state
def test_expectation_values(name):
    state, rho = ALL[name](), matrix(ALL[name]())
    n = state.num_sites
    terms = ["Z" * n, "XY" + "I" * (n - 2), {n - 1: "Z", 0: "X"}]
    strings = [terms[0], terms[1], "X" + "I" * (n - 2) + "Z"]
    values = [np.trace(oracle.pauli_string(s) @ rho).real for s in strings]
    np.testing.assert_allclose([qs.expect(state, t) for t in terms], values, atol=1e-13)
    np.testing.assert_allclose(qs.expect_sum(state, terms, [0.3, -1.0, 2.0]), np.dot([0.3, -1, 2], values), atol=1e-13)
    shifted = type(state)(train=state.train.at[0].multiply(0.5))  # what is not normalised is normalised
    np.testing.assert_allclose(qs.expect(shifted, terms[0]), values[0], atol=1e-13)


@every_state
def test_expectation_of_an_operator_train(name):
    state = ALL[name]()
    n, rng = state.num_sites, np.random.default_rng(0)
    sites = rng.normal(size=(n, 2, 2, 2, 2)) + 1j * rng.normal(size=(n, 2, 2, 2, 2))
    sites[0, 1:], sites[-1, ..., 1] = 0, 0
    dense = sites[0][0]
    for site in sites[1:]:
        dense = np.einsum("ijw,wklv->ikjlv", dense.reshape(len(dense), -1, 2), site).reshape(2 * len(dense), -1, 2)
    full = dense[..., 0]
    found = qs.expect_mpo(state, jnp.asarray(sites))
    np.testing.assert_allclose(found, np.trace(full @ matrix(state)).real, atol=1e-11)


@every_state
def test_fidelity_purity_and_reduced_states(name):
    state, rho = ALL[name](), matrix(ALL[name]())
    n = state.num_sites
    target = qs.random_mps(n, 2, key=jax.random.key(3))
    psi = np.asarray(qs.amplitudes(target))
    np.testing.assert_allclose(qs.fidelity_to(state, target), (psi.conj() @ rho @ psi).real, atol=1e-13)
    np.testing.assert_allclose(qs.purity(state), np.trace(rho @ rho).real, atol=1e-13)
    np.testing.assert_allclose(qs.hilbert_schmidt(state, target), (psi.conj() @ rho @ psi).real, atol=1e-13)
    kept = (n - 1, 0)
    expected = oracle.trace_out(rho, [q for q in range(n) if q not in kept]) if n > 2 else rho
    swapped = expected.reshape(2, 2, 2, 2).transpose(1, 0, 3, 2).reshape(4, 4)
    np.testing.assert_allclose(qs.reduced(state, kept).matrix, swapped, atol=1e-13)


def test_entanglement_across_cuts():
    state = qs.random_mps(6, 4, key=KEY)
    psi = np.asarray(qs.amplitudes(state))
    np.testing.assert_allclose(
        qs.entanglement_entropy(state), [oracle.entropy(psi, k) for k in range(1, 6)], atol=1e-12
    )
    rho = np.outer(psi, psi.conj())
    np.testing.assert_allclose(
        qs.pure_log_negativity(state), [oracle.log_negativity(rho, k) for k in range(1, 6)], atol=1e-9
    )
    pair = qs.dense(qs.werner_pair(0.8))
    np.testing.assert_allclose(qs.log_negativity(pair, [0]), np.log2((1 + 3 * 0.8) / 2), atol=1e-13)


@every_state
def test_compression_of_a_state_that_fits_is_exact(name):
    state = ALL[name]()
    out, info = qs.compress(state, 16)
    np.testing.assert_allclose(matrix(out), matrix(state), atol=1e-13)
    np.testing.assert_allclose(info.discarded_weight, 0.0, atol=1e-25)


@pytest.mark.parametrize("axis", ["X", "Y", "Z"])
@pytest.mark.parametrize("name", ["pure random", "mixed random"])
def test_post_selection(name, axis):
    state, rho = ALL[name](), matrix(ALL[name]())
    pauli = PAULI_MATRICES["IXYZ".index(axis)]
    total = 0.0
    for outcome in (0, 1):
        after = oracle.apply(rho, [(np.eye(2) + (1 - 2 * outcome) * pauli) / 2], (1,))
        found, probability = qs.post_select(state, 1, outcome, axis=axis)
        np.testing.assert_allclose(probability, np.trace(after).real, atol=1e-13)
        if probability > 1e-9:
            np.testing.assert_allclose(matrix(found), after / np.trace(after), atol=1e-12)
        total += float(probability)
    assert total == pytest.approx(1.0, abs=1e-12)


def test_an_impossible_outcome_gives_zero_not_nan():
    state, probability = qs.post_select(qs.ghz(3), 0, 1)
    state, probability = qs.post_select(state, 2, 0)
    assert float(probability) == pytest.approx(0.0, abs=1e-30)
    assert np.isfinite(state.train).all()


@pytest.mark.parametrize("name", MIXED)
def test_dephase_reset_discard_and_local_channels(name):
    state, rho = MIXED[name](), matrix(MIXED[name]())
    zero, one = np.diag([1.0, 0]), np.diag([0, 1.0])
    np.testing.assert_allclose(matrix(qs.dephase(state, 1)), oracle.apply(rho, [zero, one], (1,)), atol=1e-13)
    lower = np.array([[0, 1.0], [0, 0]])
    np.testing.assert_allclose(matrix(qs.reset(state, 0)), oracle.apply(rho, [zero, lower], (0,)), atol=1e-13)
    u = oracle.haar(np.random.default_rng(0), 2)
    np.testing.assert_allclose(matrix(qs.apply_local(state, 1, ptm(u))), oracle.apply(rho, [u], (1,)), atol=1e-13)
    np.testing.assert_allclose(matrix(qs.discard(state, (0,))), oracle.trace_out(rho, [0]), atol=1e-13)


@pytest.mark.parametrize("sites", [(0,), (3,), (0, 1), (2, 3), (0, 2), (1, 3, 0)])
def test_discard_any_sites(sites):
    state = qs.random_mpdo(4, 2, key=KEY)
    np.testing.assert_allclose(
        matrix(qs.discard(state, sites)), oracle.trace_out(matrix(state), list(sites)), atol=1e-13
    )


@pytest.mark.parametrize("first", [0, 1])
def test_operators_on_several_sites(first):
    state, noise = qs.random_mpdo(4, 2, key=KEY), channels.correlated_dephasing(0.7, 3)
    out = qs.apply_mpo(state, noise.mpo(), first)
    three = np.asarray(noise.ptm()).reshape((4,) * 6)
    vector = np.asarray(pauli_vector(matrix(state))).real
    moved = np.moveaxis(
        np.tensordot(three, vector, [[3, 4, 5], [first, first + 1, first + 2]]),
        [0, 1, 2],
        [first, first + 1, first + 2],
    )
    np.testing.assert_allclose(matrix(out), from_pauli_vector(moved), atol=1e-13)
    np.testing.assert_allclose(matrix(qs.compress(out, 16)[0]), matrix(out), atol=1e-13)


def test_pairs_between_trains_and_bell_weights():
    weights = np.array([0.6, 0.1, 0.05, 0.25])
    state = qs.join(qs.plus(1), qs.bell_diagonal_pair(weights))
    np.testing.assert_allclose(qs.bell_weights(qs.pair_of(state, 1, 2)), weights, atol=1e-14)
    np.testing.assert_allclose(qs.bell_weights(qs.pair_of(qs.bell("Psi-"), 0, 1)), [0, 0, 1, 0], atol=1e-14)
    np.testing.assert_allclose(
        qs.pair_from_weights(weights).correlations, qs.pair_of(state, 1, 2).correlations, atol=1e-14
    )
    whole = qs.random_mpdo(4, 2, key=KEY)
    back = matrix(qs.pair_to_mixed(qs.pair_of(whole, 3, 1)))
    np.testing.assert_allclose(back, np.asarray(qs.reduced(whole, (3, 1)).matrix), atol=1e-13)


@pytest.mark.parametrize(
    ("site", "correct"),
    [
        (1, 3),
        (3, 0),
        (0, 2),
        (4, 1),
        *(pytest.param(*at, marks=pytest.mark.slow) for at in ((2, 0), (1, 5), (4, 3), (2, 4))),
    ],
)
def test_bell_measurement_with_feed_forward_anywhere(site, correct):
    state = qs.random_mpdo(6, 2, key=KEY)
    found = qs.bell_measure(state, site, correct=correct)
    np.testing.assert_allclose(matrix(found), oracle.bell_measure(matrix(state), site, site + 1, correct), atol=1e-13)


def test_bell_measurement_with_wrong_bits_is_a_pauli_channel():
    links, e1, e2 = qs.pairs(qs.werner_pair(1.0), 2), 0.9, 0.8
    found = qs.bell_measure(links, 1, correct=3, readout=(e1, e2))
    weights = [e1 * e2, e1 * (1 - e2), (1 - e1) * (1 - e2), (1 - e1) * e2]  # PHYSICS: order I, X, Y, Z
    np.testing.assert_allclose(matrix(found), matrix(qs.bell_diagonal_pair(np.array(weights))), atol=1e-14)


@pytest.mark.parametrize("num_links", [1, 2, 3, 2000])
def test_swapping_werner_links(num_links):
    w = 0.999
    chain = qs.pairs(qs.werner_pair(w), num_links)
    fidelity = qs.fidelity_to(qs.swap_all(chain), qs.bell())
    np.testing.assert_allclose(fidelity, (1 + 3 * w**num_links) / 4, atol=1e-12)
    value = lambda x: qs.fidelity_to(qs.swap_all(qs.pairs(qs.werner_pair(x), num_links)), qs.bell())  # noqa: E731
    slope = jax.jit(jax.grad(value))(w)
    np.testing.assert_allclose(slope, 3 * num_links * w ** (num_links - 1) / 4, rtol=1e-11)


def test_swapping_all_equals_swapping_one_by_one():
    chain = qs.random_mpdo(6, 2, key=KEY)
    one_by_one = qs.bell_measure(qs.bell_measure(chain, 1, correct=5), 1, correct=3)
    np.testing.assert_allclose(matrix(qs.swap_all(chain)), matrix(one_by_one), atol=1e-13)


@every_state
def test_permutations(name):
    state, rho = ALL[name](), matrix(ALL[name]())
    n = state.num_sites
    order = tuple(int(k) for k in np.random.default_rng(n).permutation(n))
    expected = rho.reshape((2,) * (2 * n)).transpose(*order, *(n + k for k in order)).reshape(rho.shape)
    np.testing.assert_allclose(matrix(qs.permute(state, order)), expected, atol=1e-12)


def test_insert_add_and_normalise():
    state = qs.insert(qs.ghz(2), 1, qs.plus(1))
    plus = np.full((2, 2), 0.5)
    ghz = matrix(qs.ghz(2)).reshape(2, 2, 2, 2)
    expected = np.einsum("acbd,xy->axcbyd", ghz, plus).reshape(8, 8)
    np.testing.assert_allclose(matrix(state), expected, atol=1e-14)
    both = qs.add(qs.to_mixed(qs.ghz(2)), qs.werner_pair(0.3))
    np.testing.assert_allclose(
        matrix(qs.normalise(both)), (matrix(qs.ghz(2)) + matrix(qs.werner_pair(0.3))) / 2, atol=1e-14
    )


@pytest.mark.parametrize("axes", [None, "XYZX"])
@pytest.mark.parametrize("mixed", [False, True])
def test_samples_follow_the_distribution(mixed, axes):
    state = qs.random_mpdo(4, 2, key=KEY) if mixed else qs.random_mps(4, 3, key=KEY)
    rho = matrix(state)
    for site, axis in enumerate(axes or "ZZZZ"):
        h = {"Z": np.eye(2), "X": np.array([[1, 1], [1, -1]]) / 2**0.5, "Y": np.array([[1, -1j], [1, 1j]]) / 2**0.5}[
            axis
        ]
        rho = oracle.apply(rho, [h], (site,))
    expected = 4000 * np.diag(rho).real
    drawn = np.asarray(qs.sample(state, 4000, key=jax.random.key(1), axes=axes)) @ np.array([8, 4, 2, 1])
    chi_square = np.sum((np.bincount(drawn, minlength=16) - expected) ** 2 / expected)
    assert chi_square < 37.7  # 15 degrees of freedom, probability 1e-3; the key is fixed


def test_samples_do_not_depend_on_their_number():
    state = qs.random_mps(4, 3, key=KEY)
    few, many = (np.asarray(qs.sample(state, k, key=KEY)) for k in (5, 50))
    np.testing.assert_array_equal(few, many[:5])


def test_measurement_in_the_middle():
    state = qs.ghz(4)
    after, outcome, probability = qs.measure(state, 2, key=KEY)
    assert float(probability) == pytest.approx(0.5)
    np.testing.assert_allclose(qs.expect(after, {0: "Z"}), 1 - 2 * int(outcome), atol=1e-13)


@every_state
def test_quimb_round_trip(name):
    state = ALL[name]()
    network = to_quimb(state)
    dense = np.asarray(network.to_dense())
    expected = matrix(state) if state.train.dtype == float else np.asarray(qs.amplitudes(state)).reshape(-1, 1)
    np.testing.assert_allclose(dense.reshape(expected.shape), expected, atol=1e-13)
    np.testing.assert_allclose(matrix(from_quimb(network)), matrix(state), atol=1e-12)


def test_quimb_operators_in_any_gauge():
    network = to_quimb(qs.random_mpdo(4, 2, key=KEY))
    rng = np.random.default_rng(0)
    scrambled = network.copy()
    left, right = scrambled[1], scrambled[2]
    (index,) = set(left.inds) & set(right.inds)
    gauge = rng.normal(size=(left.ind_size(index),) * 2) + 1j * rng.normal(size=(left.ind_size(index),) * 2)
    left.gate_(gauge, index)
    right.gate_(np.linalg.inv(gauge).T, index)
    np.testing.assert_allclose(matrix(from_quimb(scrambled)), np.asarray(network.to_dense()), atol=1e-10)


def test_positivity_probe():
    assert float(qs.positivity_probe(qs.werner_pair(0.5))) == pytest.approx(0.125)
    broken = qs.MPDO(train=qs.werner_pair(0.9).train.at[1].multiply(jnp.array([1.0, 1.3, 1.3, 1.3])[None, :, None]))
    assert float(qs.positivity_probe(broken)) < 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: qs.bell("phi"), "`label` must be one of Phi"),
        (lambda: qs.ghz(1), "`num_sites` must be a whole number >= 2, but is 1"),
        (lambda: qs.graph(np.ones((3, 3))), "zero diagonal, but is not"),
        (lambda: qs.graph(np.ones(3)), "square matrix of 2 or more"),
        (lambda: qs.graph(np.kron([[0, 1], [1, 0]], np.ones((20, 20)))), "reorder them"),
        (lambda: qs.expect(qs.ghz(3), "ZZ"), "one letter for each of 3 sites, but is 'ZZ'"),
        (lambda: qs.expect(qs.ghz(3), {3: "Z"}), r"`site` must lie in 0..2, but is 3"),
        (lambda: qs.expect(qs.ghz(3), {0: "Q"}), "must consist of I, X, Y, Z, but holds 'Q'"),
        (lambda: qs.expect_product(qs.ghz(3), np.eye(2)), r"must have shape \(3, 2, 2\)"),
        (lambda: qs.fidelity_to(qs.ghz(3), qs.ghz(2)), "`target` must have 3 sites, but has 2"),
        (lambda: qs.post_select(qs.ghz(3), 0, 2), "`outcome` must be 0 or 1, but is 2"),
        (lambda: qs.post_select(qs.ghz(3), 0, 0, axis="A"), "`axis` must be X, Y or Z, but is 'A'"),
        (lambda: qs.bell_measure(qs.ghz(3), 0, correct=1), "must be a third site, but is 1"),
        (lambda: qs.swap_all(qs.to_mixed(qs.ghz(3))), "even number of sites, but has 3"),
        (lambda: qs.permute(qs.ghz(3), (0, 1, 1)), "each of 3 sites once"),
        (lambda: qs.sample(qs.ghz(3), 0, key=KEY), "`num_samples` must be a whole number >= 1"),
        (lambda: qs.sample(qs.ghz(3), 1, key=KEY, axes="ZZ"), "one letter for each of 3 sites"),
        (lambda: qs.dense(qs.ghz(20)), "at most 12 sites, but has 20"),
        (lambda: qs.reduced(qs.ghz(20), range(13)), "at most 12 sites, but names 13"),
        (lambda: qs.density_matrix(np.diag([0.5, 0.6])), "must have trace 1, but has 1.1"),
        (lambda: qs.density_matrix(np.diag([1.5, -0.5])), "must be non-negative, but has the eigenvalue -0.5"),
        (lambda: qs.density_matrix(np.array([[1, 1], [0, 0]])), "must be Hermitian"),
        (lambda: qs.product_state(np.ones((2, 3))), r"must have shape \(n, 2\)"),
        (lambda: qs.mps([np.ones((1, 3, 1))]), "must have physical dimension 2, but has 3"),
        (lambda: qs.add(qs.ghz(2), qs.ghz(3)), "must have 2 sites like `first`, but has 3"),
        (lambda: qs.insert(qs.ghz(2), 0, qs.ghz(2)), "product register of bond 1, but has bond 2"),
        (lambda: qs.apply_mpo(qs.ghz(3), np.ones((2, 1, 4, 4, 1))), r"must have shape \(k, w, 2, 2, w\)"),
        (lambda: qs.apply_mpo(qs.ghz(3), np.ones((2, 1, 2, 2, 1)), 2), "acts on sites 2..3, but sites are 0..2"),
        (lambda: from_quimb(3), "MatrixProductState or MatrixProductOperator, but is a int"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
