"""Declare the immutable records of the library: frozen, keyword-only dataclasses known to JAX."""

import dataclasses
from collections.abc import Iterable
from typing import Any, TypeVar, dataclass_transform

import jax

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
