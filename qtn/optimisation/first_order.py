"""First-order steps: Adam on an augmented Lagrangian, for noisy objectives, circuits, and many parameters."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Float, Int

from qtn._array import Array

Number = float | Float[Array, ""]

State = tuple[Any, Float[Array, "m"]]
"""Of Adam, and the multipliers of the slacks."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Adam:
    """Steps that maximise f(x) where g(x) >= 0; the learning rate falls as a cosine.

    Each step goes along the gradient of f + pressure . g, pressure = max(multiplier - stiffness g, 0). All numbers
    may be traced: other lengths and rates compile nothing.
    """

    num_steps: int | Int[Array, ""]
    learning_rate: Number
    stiffness: Number = 10.0
    multiplier_rate: Number = 0.5

    @property
    def _optimiser(self) -> optax.GradientTransformation:
        def rate(count: Any) -> Any:
            return 0.5 * self.learning_rate * (1 + jnp.cos(jnp.pi * jnp.minimum(count / self.num_steps, 1.0)))

        return optax.chain(optax.zero_nans(), optax.adam(rate, b1=0.8, b2=0.95))

    def begin(self, x: Any, num_slacks: int) -> State:
        """Return the state at the start."""
        return self._optimiser.init(jnp.asarray(x)), jnp.zeros(num_slacks)

    def pressure(self, state: State, slacks: Any) -> Float[Array, "m"]:
        """Return how strongly each slack is pushed up."""
        return jnp.maximum(state[1] - self.stiffness * slacks, 0.0)

    def moved(self, x: Any, state: State, gradient: Any, slacks: Any) -> tuple[Any, State]:
        """Return (x, state) after one step along the gradient of f + pressure . g."""
        updates, inner = self._optimiser.update(-gradient, state[0])
        return x + updates, (inner, jnp.maximum(state[1] - self.multiplier_rate * slacks, 0.0))

    @jax.jit
    def step(self, x: Any, state: State, jacobian: Any, slacks: Any) -> tuple[Any, State]:
        """Return (x, state) after one step, given the gradients (1 + m, n) of f and all g."""
        return self.moved(x, state, jacobian[0] + self.pressure(state, slacks) @ jacobian[1:], slacks)
