"""Declare the immutable records of the library: frozen, keyword-only dataclasses known to JAX; stack many of them."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, dataclass_transform

import jax
import jax.numpy as jnp
import numpy as np

from qtn import _checks
from qtn._array import Array, library

T = TypeVar("T")


def static(**options: Any) -> Any:
    """Mark a field as structure: hashable, fixed at trace time, not differentiated."""
    return dataclasses.field(metadata={"static": True}, **options)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(static, dataclasses.field))
def pytree(cls: type[T]) -> type[T]:
    """Turn a class of annotated fields into a frozen dataclass whose numbers are JAX leaves."""
    data = dataclasses.dataclass(frozen=True, kw_only=True)(cls)
    fields = dataclasses.fields(data)  # pyright: ignore[reportArgumentType]
    meta = [field.name for field in fields if field.metadata.get("static", False)]
    leaves = [field.name for field in fields if field.name not in meta]

    def flatten_with_keys(record: T) -> tuple[list[tuple[Any, Any]], tuple[Any, ...]]:
        numbers = [(jax.tree_util.GetAttrKey(name), getattr(record, name)) for name in leaves]
        return numbers, tuple(getattr(record, name) for name in meta)

    def unflatten(structure: tuple[Any, ...], numbers: Iterable[Any]) -> T:
        record = object.__new__(data)  # past __init__, whose type checks know nothing of JAX's placeholders
        for name, value in (*zip(meta, structure, strict=True), *zip(leaves, numbers, strict=True)):
            object.__setattr__(record, name, value)
        return record

    def flatten(record: T) -> tuple[list[Any], tuple[Any, ...]]:
        return [getattr(record, name) for name in leaves], tuple(getattr(record, name) for name in meta)

    jax.tree_util.register_pytree_with_keys(data, flatten_with_keys, unflatten, flatten)
    return data


def stack(leaves: Sequence[Any]) -> Array:
    """Stack arrays of one shape in double precision; thousands of concrete numbers without thousands of operations."""
    if all(_checks.known(leaf) is not None for leaf in leaves):
        stacked: Any = np.stack([np.asarray(leaf) for leaf in leaves]).astype(np.float64)
        return stacked
    return jnp.stack([_checks.real(leaf) for leaf in leaves])


def together(function: Callable[[Any], Any], records: Sequence[Any]) -> Any:
    """Return the results of a function of a record, stacked; records of one kind are evaluated in one batch."""
    kinds: dict[Any, list[int]] = {}
    for position, record in enumerate(records):
        leaves, structure = jax.tree.flatten(record)
        kinds.setdefault((structure, tuple(np.shape(leaf) for leaf in leaves)), []).append(position)
    batches, order = [], []
    for members in kinds.values():
        side_by_side = jax.tree.map(lambda *leaves: stack(leaves), *[records[i] for i in members])
        batch = jax.vmap(function, axis_size=len(members))(side_by_side)
        batches.append(_checks.at_hand(batch))
        order += members
    joined = jax.tree.map(lambda *x: library(x).concatenate(x), *batches) if len(batches) > 1 else batches[0]
    if order == sorted(order):
        return joined
    place = np.argsort(order)
    return jax.tree.map(lambda array: array[place], joined)
