"""What annotations call an array: one of JAX, traced or not, or one of NumPy.

Numbers that are known are NumPy until they meet a compiled function: what JAX does with them one by one before that, it
compiles one by one.
"""

from types import ModuleType
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

if TYPE_CHECKING:
    from jax import Array  # one class is enough for type checkers: what is used, both have
else:
    Array = jax.Array | np.ndarray | np.float64

__all__ = ["Array", "library"]


def library(*values: Any) -> ModuleType:
    """Return the functions for numbers: those of NumPy, or those of `jax.numpy` if any of them is an array of JAX."""
    return jnp if any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(values)) else np
