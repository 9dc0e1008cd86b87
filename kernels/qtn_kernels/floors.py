"""What this device can do at best, measured: the floors of benchmarks."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def best_seconds(runs: int, *cases: tuple[Any, ...]) -> list[float]:
    """Return the least seconds of each case (function and arguments), run in turn after a warm-up."""
    compiled = [(jax.jit(function), arguments) for function, *arguments in cases]
    best = [float("inf")] * len(compiled)
    for run in range(runs + 1):
        for index, (function, arguments) in enumerate(compiled):
            began = time.perf_counter()
            jax.block_until_ready(function(*arguments))
            if run:
                best[index] = min(best[index], time.perf_counter() - began)
    return best


def copy_rate(runs: int, dtype: str = "float64") -> float:
    """Return bytes read and written per second by an elementwise pass over an array beyond any cache."""
    array = jnp.ones(2**25, dtype)
    (seconds,) = best_seconds(runs, (lambda x: x + 1, array))
    return 2 * array.nbytes / seconds


def matrix_rate(runs: int, dtype: str = "float64", size: int = 1024) -> float:
    """Return operations per second of the product of two large matrices."""
    matrix = jnp.ones((size, size), dtype)
    (seconds,) = best_seconds(runs, (lambda x: jnp.matmul(x, x, precision="highest"), matrix))
    return 2 * size**3 / seconds


def operations(function: Callable[..., Any], *arguments: Any) -> int:
    """Return how many elementwise operations one call traces, arrays of one element."""
    arithmetic = {"add", "sub", "mul", "div", "neg", "sqrt", "exp", "max", "min", "integer_pow", "square"}

    def count(jaxpr: Any) -> int:
        inner = [each.jaxpr for eqn in jaxpr.eqns for each in eqn.params.values() if hasattr(each, "jaxpr")]
        return sum(eqn.primitive.name in arithmetic for eqn in jaxpr.eqns) + sum(map(count, inner))

    return count(jax.make_jaxpr(function)(*arguments).jaxpr)
