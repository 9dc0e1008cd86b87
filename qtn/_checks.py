"""Check arguments where objects are built: structure always, values when they are concrete."""

import enum
from collections.abc import Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from qtn._array import Array, library

E = TypeVar("E", bound=enum.StrEnum)

X64_CURE = 'call `jax.config.update("jax_enable_x64", True)` first, or set JAX_ENABLE_X64=1'


def require_double_precision() -> None:
    """Raise unless JAX computes in double precision."""
    if jnp.result_type(float) != jnp.float64:
        raise RuntimeError(f"qtn computes in double precision, but JAX is set to single: {X64_CURE}.")


def real(value: Any) -> Array:
    """Convert a number or array (concrete or traced) to double precision; NumPy unless it holds an array of JAX."""
    require_double_precision()
    if library(value) is np and (given := np.asarray(value)).dtype.kind in "biuf":
        copy: Any = np.array(given, dtype=np.float64)  # what records hold does not change
        return copy
    return jnp.asarray(value, dtype=jnp.float64)


def known(value: Any) -> np.ndarray | None:
    """Return the concrete value, or None under a JAX transformation."""
    return None if isinstance(value, Tracer) else np.asarray(value)


def at_hand(tree: Any) -> Any:
    """Return numbers as arrays of NumPy where they are known."""
    return jax.tree.map(lambda x: x if isinstance(x, Tracer) else np.asarray(x), tree)


def constant(tree: Any) -> Any:
    """Return numbers without their derivatives, and as arrays of NumPy where they are known."""
    return at_hand(jax.tree.map(lambda x: jax.lax.stop_gradient(x) if isinstance(x, Tracer) else x, tree))


def largest(values: Sequence[Any]) -> Array:
    """Return the largest of some numbers, without derivative."""
    found = constant(list(values))
    return jnp.max(jnp.stack(found)) if library(found) is jnp else np.max(found)


def require(name: str, value: Any, ok: Any, rule: str) -> Array:
    array = real(value)
    concrete = known(array)
    if concrete is not None and not np.all(ok(concrete)):
        raise ValueError(f"Argument `{name}` must {rule}, but is {concrete.tolist()}.")
    return array


def probability(name: str, value: Any) -> Array:
    """Check that all values lie in [0, 1]."""
    return require(name, value, lambda v: (v >= 0) & (v <= 1), "lie in [0, 1]")


def positive_probability(name: str, value: Any) -> Array:
    """Check that all values lie in (0, 1]."""
    return require(name, value, lambda v: (v > 0) & (v <= 1), "lie in (0, 1]")


def positive(name: str, value: Any) -> Array:
    """Check that all values are > 0; infinity is allowed."""
    return require(name, value, lambda v: v > 0, "be positive")


def positive_finite(name: str, value: Any) -> Array:
    """Check that all values are > 0 and finite."""
    return require(name, value, lambda v: (v > 0) & np.isfinite(v), "be positive and finite")


def at_least_one(name: str, value: Any) -> Array:
    """Check that all values are >= 1 and finite."""
    return require(name, value, lambda v: (v >= 1) & np.isfinite(v), "be at least 1 and finite")


def non_negative_finite(name: str, value: Any) -> Array:
    """Check that all values are >= 0 and finite."""
    return require(name, value, lambda v: (v >= 0) & np.isfinite(v), "be non-negative and finite")


def non_negative(name: str, value: Any) -> Array:
    """Check that all values are >= 0; infinity is allowed."""
    return require(name, value, lambda v: v >= 0, "be non-negative")


def choice(name: str, value: Any, kind: type[E]) -> E:
    """Return the member of a closed set of choices that is given, or named by its word."""
    try:
        return kind(value)
    except ValueError:
        *first, last = (repr(member.value) for member in kind)
        raise ValueError(f"Argument `{name}` must be {', '.join(first)} or {last}, but is {value!r}.") from None
