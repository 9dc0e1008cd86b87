"""Trains: layout, canonical forms, compression, sums, insertion and removal, against dense arrays."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.tensors import train as tt
from qtn.tensors.contract import evaluate, overlap, reduce_to
from qtn.tensors.split import truncation


def random_train(n=5, chi=4, d=2, seed=0, dtype=complex):
    rng = np.random.default_rng(seed)
    bonds = [1, *[min(chi, d ** min(k, n - k)) for k in range(1, n)], 1]
    draw = lambda *s: rng.normal(size=s) + (1j * rng.normal(size=s) if dtype is complex else 0)  # noqa: E731
    return tt.from_sites([draw(a, d, b) for a, b in pairwise(bonds)])


@pytest.mark.parametrize("form", [tt.left_canonical, tt.right_canonical])
def test_canonical_forms_keep_the_state_and_are_isometric(form):
    train = random_train()
    out = form(train)
    np.testing.assert_allclose(tt.to_dense(out), tt.to_dense(train), atol=1e-12)
    for site in out[1:] if form is tt.right_canonical else out[:-1]:
        legs = ([1, 2], [1, 2]) if form is tt.right_canonical else ([0, 1], [0, 1])
        np.testing.assert_allclose(np.tensordot(site.conj(), site, legs), np.eye(4), atol=1e-12)


def test_compress_loses_exactly_what_it_reports_on_one_bond():
    train = random_train(n=2, chi=4, d=4)
    out, info = tt.compress(train, truncation(2))
    matrix = np.asarray(tt.to_dense(train))
    s = np.linalg.svd(matrix, compute_uv=False)
    np.testing.assert_allclose(info.discarded_weight, [sum(s[2:] ** 2)], atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(matrix - tt.to_dense(out)) ** 2, sum(s[2:] ** 2), atol=1e-12)


def test_compress_obeys_the_error_bound_and_is_exact_where_the_bond_suffices():
    train = random_train(n=6, chi=8)
    dense = np.asarray(tt.to_dense(train))
    for bond in (8, 5, 2):
        out, info = tt.compress(train, truncation(bond))
        assert out.shape[1] == bond
        error = np.linalg.norm(dense - tt.to_dense(out)) ** 2
        assert error <= float(info.discarded_weight.sum()) * (1 + 1e-9) + 1e-20 * np.linalg.norm(dense) ** 2
        np.testing.assert_allclose(
            np.vdot(dense, tt.to_dense(out)).real, np.linalg.norm(tt.to_dense(out)) ** 2, rtol=1e-12
        )


def test_schmidt_values():
    train = random_train()
    dense = np.asarray(tt.to_dense(train))
    found = tt.schmidt_values(train)
    for bond in range(4):
        s = np.linalg.svd(dense.reshape(2 ** (bond + 1), -1), compute_uv=False)
        np.testing.assert_allclose(found[bond, : len(s)], s[:4], atol=1e-12)


def test_sum_overlap_and_scale():
    a, b = random_train(seed=1), random_train(seed=2, chi=3)
    np.testing.assert_allclose(tt.to_dense(tt.add(a, b)), tt.to_dense(a) + tt.to_dense(b), atol=1e-13)
    np.testing.assert_allclose(tt.to_dense(tt.scale(a, 2j)), 2j * tt.to_dense(a), atol=1e-13)
    np.testing.assert_allclose(overlap(a, b), np.vdot(tt.to_dense(a), tt.to_dense(b)), rtol=1e-12)


def test_mirror_and_widen():
    train = random_train()
    np.testing.assert_allclose(tt.to_dense(tt.mirror(train)), np.asarray(tt.to_dense(train)).transpose(4, 3, 2, 1, 0))
    np.testing.assert_allclose(tt.to_dense(tt.widen(tt.widen(train, 9), 4)), tt.to_dense(train))


@pytest.mark.parametrize("place", [0, 2, 5])
def test_insert_then_remove(place):
    train, new = random_train(), jnp.array([[0.6, 0.8j], [1.0, 0.0]])
    wide = tt.insert(train, place, new)
    dense = np.moveaxis(
        np.multiply.outer(np.multiply.outer(new[0], new[1]), tt.to_dense(train)), [0, 1], [place, place + 1]
    )
    np.testing.assert_allclose(tt.to_dense(wide), dense, atol=1e-13)
    back = tt.remove(wide, [place, place + 1], jnp.conj(new))
    np.testing.assert_allclose(tt.to_dense(back), tt.to_dense(train), atol=1e-12)


def test_evaluate_and_reduce():
    train = random_train(dtype=float)
    vectors = jnp.asarray(np.random.default_rng(5).normal(size=(5, 2)))
    dense = np.asarray(tt.to_dense(train))
    np.testing.assert_allclose(evaluate(train, vectors), np.einsum("abcde,a,b,c,d,e", dense, *vectors), rtol=1e-12)
    np.testing.assert_allclose(
        reduce_to(train, (3, 1), vectors), np.einsum("abcde,a,c,e->db", dense, *vectors[::2]), rtol=1e-12
    )


def test_from_dense():
    dense = np.random.default_rng(0).normal(size=(3,) * 4)
    np.testing.assert_allclose(tt.to_dense(tt.from_dense(jnp.asarray(dense), truncation(9))[0]), dense, atol=1e-13)


def test_gradient_of_compression_against_differences():
    train, other, e = random_train(n=4, seed=3), random_train(n=4, seed=4), 1e-4
    number = jax.jit(lambda x: jnp.real(overlap(other, tt.compress(train + x * other, truncation(2))[0])))
    slope = (8 * (number(e) - number(-e)) - (number(2 * e) - number(-2 * e))) / (12 * e)
    np.testing.assert_allclose(jax.jit(jax.grad(number))(0.0), slope, rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tt.from_sites([]), "must hold at least one tensor"),
        (lambda: tt.from_sites([np.ones((1, 2, 3)), np.ones((2, 2, 1))]), "sites 0 and 1 have shapes"),
        (lambda: tt.from_sites([np.ones((1, 2, 2)), np.ones((2, 2, 2))]), "end in bonds of 1, but they are 1 and 2"),
        (lambda: tt.insert(random_train(), 6, jnp.ones((1, 2))), r"must lie in 0..5, but is 6"),
        (lambda: tt.remove(random_train(), [0, 0], jnp.ones((2, 2))), "some, but not all, of 5 sites once"),
        (lambda: tt.remove(random_train(), [7], jnp.ones((1, 2))), r"must lie in 0..4, but is 7"),
        (lambda: reduce_to(random_train(), (1, 1), jnp.ones((5, 2))), "name each site once"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
