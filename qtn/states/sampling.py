"""Draw measurement outcomes of all qubits, exactly."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Int

from qtn._array import Array
from qtn.states.local import AXES, EIGENVECTORS
from qtn.states.trains import MPS, TrainState, require_count
from qtn.tensors.train import apply_each, right_canonical


def sample(state: TrainState, num_samples: int, *, key: Array, axes: str | None = None) -> Int[Array, "samples n"]:
    """Draw outcomes (0 or 1) of measuring every qubit, exactly: no Markov chain, no rejection.

    Args:
        state: any train state; need not be normalised.
        num_samples: static.
        axes: one letter X, Y or Z per qubit; Z for all if not given.
        key: sample i uses `fold_in(key, i)`, whatever the batch.
    """
    n = state.num_sites
    axes = "Z" * n if axes is None else axes
    if len(axes) != n:
        raise ValueError(f"Argument `axes` must have one letter for each of {n} sites, but is {axes!r}.")
    keys = jax.vmap(lambda i: jax.random.fold_in(key, i))(jnp.arange(require_count("num_samples", num_samples)))
    if set(axes) - set(AXES):
        raise ValueError(f"Argument `axes` must consist of X, Y and Z, but is {axes!r}.")
    letters = [AXES[axis] for axis in axes]
    if isinstance(state, MPS):
        bases = np.stack([EIGENVECTORS[axis].conj() for axis in axes])
        train = right_canonical(apply_each(state.train, jnp.asarray(bases)))
        return jax.vmap(lambda k: _sample_pure(train, k))(keys)
    signed = jnp.zeros((n, 2, 4)).at[:, :, 0].set(0.5)
    signed = signed.at[jnp.arange(n), :, jnp.asarray(letters)].set(jnp.array([0.5, -0.5]))
    matrices = jnp.einsum("noi,naib->noab", signed, state.train)
    total = matrices.sum(1)
    end = jnp.zeros(state.bond).at[0].set(1.0)
    rights = lax.scan(lambda v, m: (m @ v, v), end, total[::-1])[1][::-1]
    return jax.vmap(lambda k: _sample_mixed(matrices, rights, k))(keys)


def _draw(weights: Array, uniform: Array) -> Array:
    """Return outcome 0 or 1 from two unnormalised probabilities."""
    return (uniform * jnp.sum(weights) >= weights[0]).astype(int)


@jax.jit
def _sample_pure(train: Array, key: Array) -> Array:
    """Draw from a right-canonical state vector train."""
    uniforms = jax.random.uniform(key, (train.shape[0],))
    start = jnp.zeros(train.shape[1], train.dtype).at[0].set(1.0)

    def step(left: Array, there: tuple[Array, Array]) -> tuple[Array, Array]:
        site, uniform = there
        branches = jnp.einsum("a,aib->ib", left, site)
        weights = jnp.sum(jnp.abs(branches) ** 2, axis=1)
        outcome = _draw(weights, uniform)
        return branches[outcome] / jnp.sqrt(weights[outcome]), outcome

    return lax.scan(step, start, (train, uniforms))[1]


@jax.jit
def _sample_mixed(matrices: Array, rights: Array, key: Array) -> Array:
    """Draw from branch matrices (n, 2, chi, chi) and the vectors of all that follows."""
    uniforms = jax.random.uniform(key, (matrices.shape[0],))
    start = jnp.zeros(matrices.shape[2]).at[0].set(1.0)

    def step(left: Array, there: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        site, right, uniform = there
        branches = jnp.einsum("a,oab->ob", left, site)
        weights = jnp.maximum(branches @ right, 0.0)
        outcome = _draw(weights, uniform)
        return branches[outcome] / weights[outcome], outcome

    return lax.scan(step, start, (matrices, rights, uniforms))[1]
