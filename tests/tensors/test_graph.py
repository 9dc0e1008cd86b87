"""Graphs of tensors against NumPy's einsum: any indices, slices, memory, derivatives, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.tensors.graph import contraction

SIZES = dict(zip("abcdefgh", (2, 3, 4, 2, 3, 2, 4, 3), strict=True))
GRAPHS = {
    "one tensor": ("ab", "ba"),
    "one number": ("a", ""),
    "product": ("ab,bc", "ac"),
    "outer": ("ab,cd", "dabc"),
    "triangle": ("ab,bc,ca", ""),
    "shared index": ("ab,ac,ad", "bcd"),
    "shared and open": ("ab,ac,ad", "abcd"),
    "diagonal": ("aab,bcc", "c"),
    "summed alone": ("ab,bcd,e", ""),
    "ring": ("ab,bc,cd,de,ef,fg,gh,ha", ""),
    "wheel": ("abx,bcx,cdx,dex,eax", "x"),
}


def case(name):
    terms, output = GRAPHS[name]
    sizes = SIZES | {"x": 3}
    rng = np.random.default_rng(0)
    return (
        terms.split(","),
        output,
        sizes,
        [jnp.asarray(rng.normal(size=[sizes[i] for i in t])) for t in terms.split(",")],
    )


@pytest.mark.parametrize("name", GRAPHS)
def test_every_graph_is_its_einsum(name):
    terms, output, sizes, arrays = case(name)
    found = contraction(terms, output, sizes)(arrays)
    np.testing.assert_allclose(found, np.einsum("->".join(GRAPHS[name]), *arrays), rtol=1e-12)


def grid(size, bond=3):
    """A square grid of tensors."""
    legs = lambda r, c: [f"h{r}{c}", f"h{r}{c + 1}", f"v{r}{c}", f"v{r + 1}{c}"]  # noqa: E731
    terms = [legs(r, c) for r in range(size) for c in range(size)]
    inner = [[i for i in t if sum(i in other for other in terms) > 1] for t in terms]
    keys = jax.random.split(jax.random.key(0), len(inner))
    arrays = [jax.random.normal(key, [bond] * len(t)) for key, t in zip(keys, inner, strict=True)]
    return inner, dict.fromkeys((i for t in inner for i in t), bond), arrays


@pytest.mark.parametrize("share", [0.95, 0.85])
def test_slices_fit_the_memory_and_change_nothing(share):
    terms, sizes, arrays = grid(4)
    whole = contraction(terms, (), sizes)
    limit = share * whole.cost.peak_bytes
    sliced = contraction(terms, (), sizes, memory_limit=limit)
    assert sliced.cost.num_slices > 1 and sliced.cost.peak_bytes <= limit
    np.testing.assert_allclose(sliced(arrays), whole(arrays), rtol=1e-12)
    for one, other in zip(jax.grad(sliced)(arrays), jax.grad(whole)(arrays), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


@pytest.mark.parametrize("limit", [np.inf, 300000.0], ids=["whole", "sliced"])
def test_estimates_are_what_the_compiler_allocates(limit):
    """Within a factor of two either way, value and gradient."""
    terms, sizes, arrays = grid(4, bond=8)
    plan = contraction(terms, (), sizes, memory_limit=limit)
    for function, estimate in ((plan, plan.cost.peak_bytes), (jax.grad(plan), plan.cost.gradient_bytes)):
        found = jax.jit(lambda arrays, function=function: function(arrays)).lower(arrays).compile().memory_analysis()
        taken = found.temp_size_in_bytes + found.argument_size_in_bytes + found.output_size_in_bytes
        assert 0.5 < estimate / taken < 2


def test_batches_equal_loops_and_derivatives_differences():
    terms, sizes, arrays = grid(3)
    plan = contraction(terms, (), sizes)
    batch = jnp.stack([arrays[4], 2 * arrays[4], -arrays[4]])
    value = lambda middle: plan([*arrays[:4], middle, *arrays[5:]])  # noqa: E731
    np.testing.assert_allclose(jax.vmap(value)(batch), [value(one) for one in batch], rtol=1e-12)
    slope = jnp.vdot(jax.grad(value)(arrays[4]), arrays[4])
    np.testing.assert_allclose(slope, value(arrays[4]), rtol=1e-12)  # linear in each tensor


@pytest.mark.parametrize("count", [700])
def test_long_graphs_are_no_deeper_than_the_stack(count):
    hub = [(f"{k}", f"{k + 1}", "x") for k in range(count)]
    assert len(contraction(hub, ("x",), dict.fromkeys([*map(str, range(count + 1)), "x"], 2)).steps) == count - 1


def test_the_order_is_found_the_same_each_time():
    terms, sizes, _ = grid(5)
    assert contraction(terms, (), sizes).steps == contraction(terms, (), sizes).steps


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda: contraction(["ab"], "c", SIZES), "must hold indices of the inputs, but holds 'c'"),
        (
            lambda: contraction(["ab", "cd"], "abcd", SIZES, memory_limit=100.0),
            "about .* bytes at once and .* is 100 bytes",
        ),
        (lambda: contraction(["ab", "bc"], "ac", SIZES)([jnp.ones((2, 3)), jnp.ones((2, 4))]), r"Tensor 1 .* \(3, 4\)"),
    ],
    ids=["output", "memory", "shape"],
)
def test_refusals_hold_the_numbers(build, words):
    with pytest.raises(ValueError, match=words):
        build()
