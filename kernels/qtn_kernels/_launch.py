"""How kernels are started: the one file that depends on versions of JAX and on the platform.

Kernels are written for Pallas and lowered through Triton. Its lowering is marked as deprecated in JAX; a successor
is adopted here, and nowhere else.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton as pallas_triton
from jaxtyping import Array, Bool

IMPLEMENTATIONS = ("auto", "reference", "triton", "interpret")

DEFAULT = {"cpu": "reference", "gpu": "reference", "tpu": "reference"}
"""What "auto" means; a kernel replaces the reference on a platform where `bench` shows that it wins."""

MOST_ELEMENTS = 2**31 - 1
"""Offsets inside a kernel are 32-bit integers."""


def choose(implementation: str) -> str:
    """Return "reference", "triton" or "interpret" for the device on which JAX runs.

    Raises:
        ValueError: if there is no such implementation.
    """
    if implementation not in IMPLEMENTATIONS:
        known = ", ".join(IMPLEMENTATIONS)
        raise ValueError(f"Argument `implementation` must be one of {known}, but is {implementation!r}.")
    return DEFAULT.get(jax.default_backend(), "reference") if implementation == "auto" else implementation


def launch(
    kernel: Callable[..., None],
    out_shape: Sequence[jax.ShapeDtypeStruct],
    *arrays: Array,
    programs: int,
    warps: int,
    interpret: bool,
) -> tuple[Array, ...]:
    """Run `kernel(*inputs, *outputs)` as so many programs, each with references to whole arrays.

    Args:
        kernel: reads inputs and writes outputs by `load` and `store`.
        out_shape: shapes of the outputs.
        *arrays: inputs.
        programs: number of programs; each knows its own by `program_index`.
        warps: groups of 32 threads in a program.
        interpret: whether to run on any platform, operation by operation, in place of compiling for a GPU.

    Raises:
        ValueError: if an array is too large for 32-bit offsets.
    """
    for each in (*arrays, *out_shape):
        if each.size > MOST_ELEMENTS:
            raise ValueError(
                f"A kernel addresses at most {MOST_ELEMENTS:,} elements, but an array has {each.size:,}: "
                "pass fewer chains at a time."
            )
    options: dict[str, Any] = {"interpret": True}
    if not interpret:
        options = {"compiler_params": pallas_triton.CompilerParams(num_warps=warps, num_stages=1)}
    return tuple(pl.pallas_call(kernel, out_shape=tuple(out_shape), grid=(programs,), **options)(*arrays))


def program_index() -> Array:
    """Return the number of the program that runs, inside a kernel."""
    return pl.program_id(0)


def _lanes(ref: Any, index: Any) -> Any:
    """Return a reference to the lanes `index[-1]` = (start, number) of a row."""
    return ref.at[(*(jnp.asarray(each, jnp.int32) for each in index[:-1]), pl.ds(*index[-1]))]


def load(ref: Any, index: Any, mask: Bool[Array, "lanes"], other: float = 0.0) -> Array:
    """Read the lanes `index[-1]` = (start, number) of a row; masked ones read `other`."""
    return pallas_triton.load(_lanes(ref, index), mask=mask, other=other)


def store(ref: Any, index: Any, value: Array, mask: Bool[Array, "lanes"]) -> None:
    """Write the lanes `index[-1]` = (start, number) of a row; masked ones stay as they are."""
    pallas_triton.store(_lanes(ref, index), value, mask=mask)


def batched_over_lanes(function: Callable[..., tuple[Array, ...]]) -> Callable[..., tuple[Array, ...]]:
    """Return a function of arrays that end with lanes, whose `vmap` is one call with more lanes."""
    wrapped = custom_vmap(function)

    @wrapped.def_vmap
    def rule(axis_size: int, in_batched: list[bool], *arrays: Array) -> tuple[tuple[Array, ...], tuple[bool, ...]]:
        def merge(array: Array, batched: bool) -> Array:
            if not batched:
                array = jnp.broadcast_to(array, (axis_size, *array.shape))
            return jnp.moveaxis(array, 0, -2).reshape(*array.shape[1:-1], -1)

        def part(array: Array) -> Array:
            return jnp.moveaxis(array.reshape(*array.shape[:-1], axis_size, -1), -2, 0)

        out = wrapped(*(merge(*each) for each in zip(arrays, in_batched, strict=True)))
        return tuple(part(each) for each in out), (True,) * len(out)

    return wrapped
