"""Contract a graph of small tensors: the order is found once, its cost is known before it starts, slices fit memory.

An index may stand in any number of tensors (a shared index is multiplied elementwise and summed at its last use), more
than once in one tensor (its diagonal) and in the output.
"""

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from string import ascii_letters
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from qtn._array import Array
from qtn.tensors.quimb_io import contraction_path

Indices = tuple[str, ...]
MOST_SLICES = 4096


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a contraction takes, for numbers of one point."""

    flops: int
    """Multiplications and additions of all slices (twice the products)."""

    largest: int
    """Entries of the largest tensor that is ever held."""

    peak_bytes: int
    """Estimate of the memory of the value: inputs, output and the tensors held at the worst moment [bytes]."""

    gradient_bytes: int
    """Estimate of the memory of value and gradient: what the reverse pass must keep comes on top [bytes]."""

    num_slices: int
    """Number of parts that are contracted one after the other; 1 = all at once."""


@dataclasses.dataclass(frozen=True, eq=False)
class Contraction:
    """A contraction with its order; equal only to itself, so that compiled programs are found by identity."""

    inputs: tuple[Indices, ...]
    output: Indices
    sizes: Mapping[str, int]
    sliced: Indices
    """Indices that are fixed slice by slice."""

    steps: tuple[tuple[int, int, str], ...]
    """Positions of two tensors in the growing list, and their einsum; empty for one tensor."""

    widest: Indices
    """Indices of the largest tensor."""

    cost: Cost

    def __call__(self, arrays: Sequence[Array]) -> Array:
        """Contract arrays whose axes are `inputs`, -> axes `output`; compiled once per contraction."""
        return _contract(self, tuple(arrays))


def contraction(
    inputs: Sequence[Sequence[str]],
    output: Sequence[str],
    sizes: Mapping[str, int],
    *,
    memory_limit: float = math.inf,
    item_bytes: int = 8,
) -> Contraction:
    """Find the order in which to contract tensors, and slice it until it fits the memory.

    Args:
        inputs: indices of each tensor.
        output: indices of the result, in this order.
        sizes: size of every index.
        memory_limit: largest estimated memory of the value [bytes]; indices are sliced until it is met.
        item_bytes: of one number: 8 real, 16 complex.

    Returns:
        contraction: to be called with the arrays.

    Raises:
        ValueError: if an output index is in no tensor, or nothing that fits is found with at most 4,096 slices; the
            message holds the numbers.

    Note:
        Exact, differentiable in both modes, batched by `vmap` (each point of a batch takes the memory of one). The
        search is deterministic. A slice is recomputed in the reverse pass, so the memory of a gradient is that of one
        slice too.

    References:
        Gray, Kourtis, Quantum 5, 410 (2021), arXiv:2002.01935.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> import jax.numpy as jnp
        >>> trace = contraction([("a", "b"), ("b", "c"), ("c", "a")], (), {"a": 3, "b": 3, "c": 3})
        >>> float(trace([2 * jnp.eye(3)] * 3)), trace.cost.num_slices
        (24.0, 1)
    """
    given, wanted = tuple(map(tuple, inputs)), tuple(output)
    unknown = sorted(set(wanted) - {index for each in given for index in each})
    if unknown:
        raise ValueError(f"Argument `output` must hold indices of the inputs, but holds {unknown[0]!r}.")
    reduced = [_reduced(each, given, wanted) for each in given]
    plan = partial(_planned, given, wanted, sizes, item_bytes, contraction_path(reduced, wanted, sizes))
    found = plan(())
    while found.cost.peak_bytes > memory_limit and found.cost.num_slices < MOST_SLICES:
        able = [index for index in found.widest if index not in wanted]
        tried = [plan((*found.sliced, index)) for index in able]
        if not tried:
            break
        found = min(tried, key=lambda one: (one.cost.peak_bytes, one.cost.flops))
    if found.cost.peak_bytes > memory_limit:
        whole = plan(()).cost
        raise ValueError(
            f"This contraction of {len(given)} tensors needs about {_readable(float(whole.peak_bytes))} at once and "
            f"{_readable(float(found.cost.peak_bytes))} in {found.cost.num_slices} slices, but `memory_limit` is "
            f"{_readable(memory_limit)}: raise it, or ask for fewer open indices or a smaller graph."
        )
    return found


def _readable(count: float) -> str:
    """Return a number of bytes for people."""
    power = min(4, max(0, int(math.log(max(count, 1), 1024))))
    return f"{count / 1024**power:.4g} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"


def _reduced(own: Indices, inputs: Sequence[Indices], output: Indices) -> Indices:
    """Return the indices of a tensor once each, without those that only it has."""
    uses = Counter(index for each in inputs for index in set(each))
    return tuple(index for index in dict.fromkeys(own) if uses[index] > 1 or index in output)


def _einsum(terms: Sequence[Indices], result: Indices) -> str:
    """Return an einsum of any indices in letters."""
    letters = dict(zip(dict.fromkeys(index for each in terms for index in each), ascii_letters, strict=False))
    return ",".join("".join(letters[i] for i in each) for each in terms) + "->" + "".join(letters[i] for i in result)


def _planned(
    inputs: tuple[Indices, ...],
    output: Indices,
    sizes: Mapping[str, int],
    item_bytes: int,
    path: Sequence[tuple[int, int]],
    sliced: Indices,
) -> Contraction:
    """Write out the steps of a path without the sliced indices, and add up what they take."""
    present = [tuple(i for i in _reduced(each, inputs, output) if i not in sliced) for each in inputs]
    uses = Counter(index for each in present for index in each) + Counter(output)

    def size(indices: Sequence[str]) -> int:
        return math.prod(sizes[index] for index in indices)

    held = sum(map(size, present))
    steps, flops, widest, peak, written = [], 0, max(present, key=size), held, 0
    for left, right in path:
        first, second = present[left], present[right]
        uses.subtract([*first, *second])
        union = tuple(dict.fromkeys((*first, *second)))
        result = tuple(i for i in union if uses[i] > 0)
        if len(steps) == len(path) - 1:
            result = output
        uses.update(result)
        steps.append((left, right, _einsum((first, second), result)))
        present.append(result)
        flops += 2 * size(union)
        widest, written = max(widest, result, key=size), written + size(result)
        peak = max(peak, held + size(result))
        held += size(result) - size(first) - size(second)
    count = size(sliced)
    whole = sum(size(tuple(dict.fromkeys(each))) for each in inputs) + (size(output) if sliced else 0)
    cost = Cost(
        flops=count * flops,
        largest=size(widest),
        peak_bytes=item_bytes * (peak + whole),
        gradient_bytes=item_bytes * ((3 if sliced else 2) * whole + written + peak),
        num_slices=count,
    )
    return Contraction(
        inputs=inputs,
        output=output,
        sizes=dict(sizes),
        sliced=sliced,
        steps=tuple(steps),
        widest=widest,
        cost=cost,
    )


@partial(jax.jit, static_argnums=0)
def _contract(plan: Contraction, arrays: tuple[Array, ...]) -> Array:
    """Contract all slices and add them up."""
    for position, (indices, array) in enumerate(zip(plan.inputs, arrays, strict=True)):
        expected = tuple(plan.sizes[index] for index in indices)
        if array.shape != expected:
            raise ValueError(f"Tensor {position} must have shape {expected}, but has shape {array.shape}.")
    reduced = [_reduced(each, plan.inputs, plan.output) for each in plan.inputs]
    parts = tuple(
        jnp.einsum(_einsum([own], kept), array) for own, kept, array in zip(plan.inputs, reduced, arrays, strict=True)
    )
    if not plan.sliced:
        return _one_slice(plan, reduced, parts, None)
    start = jnp.zeros([plan.sizes[index] for index in plan.output], jnp.result_type(*parts))

    @jax.checkpoint
    def add(total: Array, number: Array) -> tuple[Array, None]:
        return total + _one_slice(plan, reduced, parts, number), None

    return lax.scan(add, start, jnp.arange(plan.cost.num_slices))[0]


def _one_slice(plan: Contraction, reduced: Sequence[Indices], parts: Sequence[Array], number: Any) -> Array:
    """Contract one slice, whose number counts through the sliced indices."""
    held: list[Any] = list(parts)
    for index in reversed(plan.sliced):
        number, value = jnp.divmod(number, plan.sizes[index])
        for place, indices in enumerate(reduced):
            if index in indices:
                remaining = [i for i in indices if i == index or i not in plan.sliced[plan.sliced.index(index) + 1 :]]
                held[place] = lax.dynamic_index_in_dim(held[place], value, remaining.index(index), keepdims=False)
    for left, right, equation in plan.steps:
        held.append(jnp.einsum(equation, held[left], held[right]))
        held[left] = held[right] = None
    if not plan.steps:
        return jnp.einsum(_einsum([reduced[0]], plan.output), held[0])
    return held[-1]
