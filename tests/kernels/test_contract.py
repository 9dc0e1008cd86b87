"""One contract for all kernels: cases from their specs, laws that each must obey, an oracle in NumPy."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from qtn_kernels import _launch
from qtn_kernels.chain_product import chain_product, dense, noise, noisy_rotation, specs
from qtn_kernels.chain_product.entries import pattern

from tests.oracles import products

WAYS = ("reference", "interpret")
slow = pytest.mark.slow
TOLERANCE = {"float64": 1e-13, "float32": 2e-5}  # sums of at most 9 x 4 rounded terms of size 1


@dataclass(frozen=True)
class Case:
    """An operation with its inputs and what it should return."""

    run: Any  # (inputs, *, implementation) -> output
    inputs: Any  # dtype -> array that ends with lanes
    oracle: Any  # NumPy array -> output


def chain_product_case(spec):
    matrix = {noise: products.noisy_rotation, noisy_rotation: products.noisy_rotation}.get(spec.build, products.dense)
    return Case(
        jax.jit(partial(chain_product, spec.build), static_argnames="implementation"),
        spec.parameters,
        lambda inputs: products.chain_product(matrix, inputs),
    )


CASES = {f"chain_product: {name}": chain_product_case(spec) for name, spec in specs.TESTS.items()}
QUICK = next(iter(CASES))
"""The default run takes this case forward and its gradient; all others and the other laws are slow."""


@pytest.fixture(params=[pytest.param(name, marks=() if name == QUICK else slow) for name in CASES], ids=CASES)
def case(request):
    return CASES[request.param]


def weighed(case, way, seed=1):
    """Return a scalar function of the inputs in which every entry of the output counts."""

    def value(inputs):
        out = case.run(inputs, implementation=way)
        return jnp.sum(jnp.asarray(np.random.default_rng(seed).normal(size=out.shape), out.dtype) * out)

    return value


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=slow)])
def test_forward_equals_the_oracle(case, way, dtype):
    inputs = case.inputs(dtype)
    out = case.run(inputs, implementation=way)
    assert out.dtype == dtype
    expected = case.oracle(np.asarray(inputs, float))
    np.testing.assert_allclose(out, expected, atol=TOLERANCE[dtype] * np.abs(expected).max(), rtol=0)


@pytest.mark.parametrize("way", WAYS)
def test_gradient_equals_finite_differences_of_the_oracle(case, way):
    inputs = np.asarray(case.inputs("float64"))
    weights = np.random.default_rng(1).normal(size=case.oracle(inputs).shape)
    towards = np.random.default_rng(2).normal(size=inputs.shape)
    step = 1e-5
    ends = [np.sum(weights * case.oracle(inputs + sign * step * towards)) for sign in (1, -1)]
    slope = np.sum(jax.jit(jax.grad(weighed(case, way)))(jnp.asarray(inputs)) * towards)
    np.testing.assert_allclose(slope, (ends[0] - ends[1]) / (2 * step), rtol=1e-6, atol=1e-8)


@slow
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_gradient_of_the_kernel_equals_that_of_the_reference(case, dtype):
    inputs = case.inputs(dtype)
    found, expected = (jax.jit(jax.grad(weighed(case, way)))(inputs) for way in ("interpret", "reference"))
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, atol=10 * TOLERANCE[dtype] * np.abs(expected).max(), rtol=0)


@slow
@pytest.mark.parametrize("way", WAYS)
def test_vmap_equals_the_loop(case, way):
    inputs = jnp.stack([case.inputs("float64", seed) for seed in range(3)])
    run = jax.jit(jax.value_and_grad(weighed(case, way)))
    values, slopes = jax.jit(jax.vmap(run))(inputs)
    for index, each in enumerate(inputs):
        value, slope = run(each)
        np.testing.assert_allclose(values[index], value, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(slopes[index], slope, rtol=0, atol=1e-12 * np.abs(slope).max())


@slow
def test_forward_mode_of_the_reference(case):
    inputs = case.inputs("float64")
    towards = jnp.asarray(np.random.default_rng(2).normal(size=inputs.shape))
    value = weighed(case, "reference")
    forward = jax.jit(lambda x: jax.jvp(value, (x,), (towards,))[1])(inputs)
    reverse = jnp.sum(jax.jit(jax.grad(value))(inputs) * towards)
    np.testing.assert_allclose(forward, reverse, rtol=1e-11, atol=1e-12)


@slow
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_value_and_gradient_lower_for_cuda(case, dtype):
    value = jax.jit(jax.value_and_grad(weighed(case, "triton")))
    text = value.trace(case.inputs(dtype)).lower(lowering_platforms=("cuda",)).as_text()
    assert text.count("custom_call @__gpu$xla.gpu.triton") == 2  # one kernel forward, one in reverse


@pytest.mark.gpu
@pytest.mark.skipif(jax.default_backend() != "gpu", reason="no GPU")
def test_kernel_equals_the_reference_on_the_device(case):
    inputs = case.inputs("float64")
    for way in (lambda way: case.run(inputs, implementation=way), lambda way: jax.grad(weighed(case, way))(inputs)):
        np.testing.assert_allclose(way("triton"), way("reference"), rtol=1e-11, atol=1e-12)


@slow
def test_reverse_memory_grows_as_the_root_of_the_links():
    def temporary(num_links):
        spec = specs.BENCHMARKS["rotations"].resized(num_links, 64)
        value = jax.jit(jax.grad(lambda x: jnp.sum(chain_product(spec.build, x, implementation="reference"))))
        analysis = value.lower(spec.parameters()).compile().memory_analysis()
        return analysis.temp_size_in_bytes - spec.parameters().nbytes

    assert temporary(1600) < 6 * temporary(100)  # 4 times by the root, 16 times if every product were stored


@pytest.mark.parametrize("build, number, expected", [(noise, 3, 4), (noisy_rotation, 6, 12), (dense(2), 4, 4)])
def test_only_entries_that_vary_are_carried(build, number, expected):
    assert sum(entry is None for row in pattern(build, number) for entry in row) == expected


def test_kernels_refuse_arrays_beyond_their_offsets():
    huge = jax.ShapeDtypeStruct((1000, 3, 1_000_000), "float64")
    with pytest.raises(ValueError, match="pass fewer chains at a time"):
        jax.eval_shape(lambda x: chain_product(noise, x, implementation="interpret"), huge)


@pytest.mark.parametrize(
    "error, message, call",
    [
        (ValueError, "none 0, but has", lambda: chain_product(noise, jnp.ones((0, 3, 2)))),
        (ValueError, r"must have shape \(links, parameters, chains\)", lambda: chain_product(noise, jnp.ones((3, 2)))),
        (TypeError, "must be real", lambda: chain_product(noise, jnp.ones((2, 3, 2), int))),
        (ValueError, "must return a square matrix", lambda: chain_product(lambda a: [[a, a]], jnp.ones((2, 1, 2)))),
        (ValueError, "must be one of auto", lambda: chain_product(dense(1), jnp.ones((2, 1, 2)), implementation="x")),
    ],
    ids=["empty", "axes", "type", "square", "implementation"],
)
def test_errors(error, message, call):
    with pytest.raises(error, match=message):
        call()


def test_auto_is_known_for_this_platform():
    assert _launch.choose("auto") in _launch.IMPLEMENTATIONS[1:]
