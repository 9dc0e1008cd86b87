"""`split`: the best approximation of a rank, its derivative where the textbook fails, and what it reports."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from qtn.tensors.split import keep_right, split, truncation
from qtn.tensors.subspace import dagger, dominant_basis, isometry

SHAPES = {
    "square": (6, 6, 3),
    "wide": (4, 9, 3),
    "tall": (9, 4, 3),
    "tall lossless": (9, 4, 4),
    "wide lossless": (4, 9, 4),
    "square lossless": (6, 6, 6),
}
SPECTRA = {
    "generic": lambda s, k: s,
    "degenerate kept": lambda s, k: np.r_[np.full(k, 2.0), np.linspace(1, 0.5, len(s) - k)],
    "degenerate discarded": lambda s, k: np.r_[np.linspace(3, 2, k), np.full(len(s) - k, 0.5)],
    "rank two": lambda s, k: np.r_[1.0, 1.0, np.zeros(len(s) - 2)],
    "tiny kept": lambda s, k: np.r_[10.0 ** -np.linspace(0, 12, k), 1e-13 * np.ones(len(s) - k)],
}


def truncated(matrix, k):
    u, s, vh = np.linalg.svd(matrix)
    return (u[:, :k] * s[:k]) @ vh[:k]


def curve(shape, spectrum, dtype, seed=3):
    """A matrix theta(x) = e^(x A) theta e^(x B) of fixed singular values; its Taylor coefficients; weights."""
    rng, (m, n, k) = np.random.default_rng(seed), SHAPES[shape]
    draw = lambda *s: rng.normal(size=s) + (1j * rng.normal(size=s) if dtype == "complex" else 0)  # noqa: E731
    u, s, vh = np.linalg.svd(draw(m, n), full_matrices=False)
    theta = (u * SPECTRA[spectrum](s, k)) @ vh
    a, b = draw(m, m) / 4, draw(n, n) / 4
    first = a @ theta + theta @ b
    second = a @ a @ theta + 2 * a @ theta @ b + theta @ b @ b
    return lambda x: expm(x * a) @ theta @ expm(x * b), (theta, first, second / 2), draw(m, n)


def product(theta, k):
    left, centre, right, _ = split(theta, truncation(k))
    return left @ centre @ right


def along(x, taylor, weights, k):
    theta = taylor[0] + x * taylor[1] + x**2 * taylor[2]
    return jnp.real(jnp.sum(jnp.conj(weights) * product(theta, k)))


@partial(jax.jit, static_argnums=2)
def all_at_once(taylor, weights, k):
    value, forward = jax.jvp(lambda t: product(t, k), taylor[:1], taylor[1:2])
    return value, forward, jax.grad(along)(0.0, taylor, weights, k)


COMPLEX_AND_ONE_REAL = [
    pytest.param(shape, dtype, marks=pytest.mark.slow if dtype == "real" and shape != "square" else ())
    for shape in SHAPES
    for dtype in ("real", "complex")
]


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize(("shape", "dtype"), COMPLEX_AND_ONE_REAL)
def test_value_and_both_derivatives(shape, spectrum, dtype):
    theta, taylor, weights = curve(shape, spectrum, dtype)
    k, e = SHAPES[shape][2], 1e-3
    oracle = lambda x: truncated(theta(x), k)  # noqa: E731
    slope = (8 * (oracle(e) - oracle(-e)) - (oracle(2 * e) - oracle(-2 * e))) / (12 * e)
    value, forward, reverse = all_at_once(taylor, weights, k)
    np.testing.assert_allclose(value, oracle(0), atol=1e-13)
    np.testing.assert_allclose(forward, slope, atol=1e-9)  # what four-point differences of step 1e-3 resolve
    np.testing.assert_allclose(reverse, np.real(np.sum(np.conj(weights) * np.asarray(forward))), atol=1e-12)


@partial(jax.jit, static_argnums=2)
def second_derivatives(taylor, weights, k):
    number = lambda x: along(x, taylor, weights, k)  # noqa: E731
    forward, reverse = (lambda f: lambda x: jax.jvp(f, (x,), (1.0,))[1]), jax.grad
    return jnp.stack([second(first(number))(0.0) for first in (forward, reverse) for second in (forward, reverse)])


@pytest.mark.parametrize("spectrum", ["generic", "degenerate kept", "rank two"])
@pytest.mark.parametrize("shape", ["square", pytest.param("tall lossless", marks=pytest.mark.slow)])
def test_second_derivatives_in_all_orders_also_where_something_is_discarded(shape, spectrum):
    theta, taylor, weights = curve(shape, spectrum, "complex")
    k, e = SHAPES[shape][2], 1e-3
    oracle = lambda x: np.real(np.sum(np.conj(weights) * truncated(theta(x), k)))  # noqa: E731
    bend = (-oracle(2 * e) + 16 * oracle(e) - 30 * oracle(0) + 16 * oracle(-e) - oracle(-2 * e)) / (12 * e**2)
    np.testing.assert_allclose(second_derivatives(taylor, weights, k), bend, rtol=1e-6, atol=1e-6)  # noise 1e-16 / e^2


def test_derivative_at_a_bell_state_where_the_svd_has_none():
    turn = lambda x: jnp.array([[jnp.cos(x), jnp.sin(x)], [-jnp.sin(x), jnp.cos(x)]]) / jnp.sqrt(2.0)  # noqa: E731
    slope = jax.jit(jax.jacobian(lambda x: product(turn(x), 2)))(0.0)
    np.testing.assert_allclose(slope, np.array([[0, 1], [-1, 0]]) / np.sqrt(2), atol=1e-15)


def test_batches_equal_the_loop():
    thetas = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3, 5, 4)))
    left, centre, right, info = split(thetas, truncation(2))
    alone = split(thetas[1, 2], truncation(2))
    np.testing.assert_allclose((left @ centre @ right)[1, 2], alone[0] @ alone[1] @ alone[2], atol=1e-14)
    assert info.discarded_weight.shape == (2, 3)


@pytest.mark.parametrize(
    ("rule", "rank"),
    [
        ({"max_bond": 6}, 5),
        ({"max_bond": 3}, 3),
        ({"max_bond": 6, "relative": 0.05}, 2),
        ({"max_bond": 6, "absolute": 0.03}, 3),
        ({"max_bond": 1, "relative": 0.5}, 1),
    ],
)
def test_rules_for_the_rank(rule, rank):
    rng = np.random.default_rng(1)
    u, v = np.linalg.qr(rng.normal(size=(8, 8)))[0], np.linalg.qr(rng.normal(size=(8, 8)))[0]
    s = np.array([2.0, 0.2, 0.04, 0.02, 0.01, 0, 0, 0])
    left, centre, right, info = split(jnp.asarray((u * s) @ v), truncation(**rule))
    assert int(info.rank) == rank
    np.testing.assert_allclose(left @ centre @ right, (u[:, :rank] * s[:rank]) @ v[:rank], atol=1e-14)
    np.testing.assert_allclose(
        [info.discarded_weight, info.kept_weight], [sum(s[rank:] ** 2), sum(s[:rank] ** 2)], atol=1e-14
    )


def test_a_changed_threshold_compiles_nothing():
    count = []

    @jax.jit
    def cut(theta, rule):
        count.append(1)
        return split(theta, rule)[1]

    theta = jnp.asarray(np.random.default_rng(0).normal(size=(6, 6)))
    for relative in (0.0, 0.1, 0.2):
        cut(theta, truncation(3, relative=relative))
    assert len(count) == 1


SLOPE = jax.jit(jax.grad(lambda t: jnp.sum(jnp.sin(product(t, 2)))))
CASES = {
    "gap": ([3, 2, 1, 0.5], 2, (True, False, False)),
    "through a multiplet": ([3, 1, 1, 0.5], 2, (True, True, False)),
    "nothing but zeros lost": ([3, 2, 0, 0], 2, (False, False, False)),
    "zeros kept": ([3, 0, 0, 0], 2, (False, False, True)),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_reported(case):
    s, k, expected = CASES[case]
    _, _, _, info = split(jnp.diag(jnp.asarray(s, dtype=float)), truncation(k))
    assert (bool(info.capped), bool(info.degenerate), bool(info.rank_deficient)) == expected


@pytest.mark.parametrize("values", [*(s for s, _, _ in CASES.values()), [0, 0, 0, 0], [1, 1, 1, 1], [1, 1e-300, 0, 0]])
def test_no_nan_whatever_the_spectrum(values):
    assert np.isfinite(SLOPE(jnp.diag(jnp.asarray(values, dtype=float)))).all()


@pytest.mark.parametrize("shape", [(6, 3), (3, 6), (4, 4)])
def test_isometry(shape):
    theta = jnp.asarray(np.random.default_rng(0).normal(size=shape))
    q = isometry(theta)
    np.testing.assert_allclose(dagger(q) @ q, np.eye(q.shape[1]), atol=1e-14)
    np.testing.assert_allclose(q @ (dagger(q) @ theta), theta, atol=1e-14)


def test_keep_right_needs_no_decomposition_where_nothing_is_lost():
    theta = jnp.asarray(np.random.default_rng(0).normal(size=(5, 3)))
    assert "lapack" not in jax.jit(lambda t: keep_right(t, truncation(4))[:2]).lower(theta).as_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_bond": 0}, r"`max_bond` must be a whole number >= 1, but is 0"),
        ({"max_bond": True}, r"`max_bond` must be a whole number >= 1, but is True"),
        ({"max_bond": 2, "relative": 1.0}, r"`relative` must lie in \[0, 1\), but is 1.0"),
        ({"max_bond": 2, "absolute": -1.0}, r"`absolute` must be non-negative, but is -1.0"),
    ],
)
def test_bad_rules(arguments, message):
    with pytest.raises(ValueError, match=message):
        truncation(**arguments)


def test_matrices_side_by_side_are_decomposed_as_one_by_one():
    """One spectrum for the Gram matrix and one that needs singular values: each takes its own way."""
    rng = np.random.default_rng(5)
    left, right = (np.linalg.qr(rng.normal(size=(6, 6)))[0] for _ in range(2))
    spectra = np.array([[1, 0.8, 0.5, 0.3, 0.2, 0.1], [1, 0.5, 1e-4, 1e-9, 1e-10, 1e-11]])
    thetas = jnp.asarray(left * spectra[:, None, :] @ right)

    def kept(theta):
        _, image, kept = dominant_basis(theta, 3, jnp.asarray(0.0), jnp.asarray(0.0))
        return jnp.sum(jnp.sin(image @ jnp.diag(kept) @ dagger(image)))

    for function in map(jax.jit, (kept, jax.grad(kept), jax.jacfwd(kept))):
        together = jax.jit(jax.vmap(function))(thetas)
        np.testing.assert_allclose(together, jnp.stack([function(t) for t in thetas]), atol=1e-14)
    program = str(jax.make_jaxpr(jax.vmap(kept))(thetas))
    assert "scan[" in program, "one after the other on a CPU"
    assert "cond[" in program, "with the choice kept"
