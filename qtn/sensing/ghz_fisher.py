"""Exact Fisher information of states that are GHZ states up to flips, damping and loss of coherence, of any size.

    rho = sum_x p_x |x><x| + c_x |x><1-x|   (c_(1-x) = conj c_x)

Local Pauli noise, amplitude damping and Bell measurements keep a GHZ state of this form; each |x> meets one partner
only, so that rho falls into 2 x 2 blocks:

    F = 1/2 sum_x (h_x - h_(1-x))^2 4 |c_x|^2 / (p_x + p_(1-x)),   h_x = <x|H|x>

Where all users are alike p_x and c_x depend on the number of ones alone: n + 1 numbers each, whatever n.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Complex, Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.sensing.generator import Generator
from qtn.states.measures import purity
from qtn.states.trains import MPDO, weight
from qtn.tensors.train import apply_each, to_dense

POPULATION = np.array([[1, 0, 0, 1], [1, 0, 0, -1]]) / 2
"""Rows of <0|rho|0> and <1|rho|1>."""

COHERENCE = np.array([[0, 1, -1j, 0], [0, 1, 1j, 0]]) / 2
"""Rows of <0|rho|1> and <1|rho|0>."""

MOST_PATTERNS = 16
"""Qubits up to which every pattern of flips is written out."""

ROUNDING = 1e-12
"""Part of tr(rho^2) that may lie outside of the form."""


@pytree
class Blocks:
    """The 2 x 2 blocks of a state: of all patterns x, or of one pattern for each number of ones."""

    count: Float[Array, "b"]
    """Patterns that each entry stands for; the sum is 2^n."""

    population: Float[Array, "b"]
    """p_x."""

    coherence: Complex[Array, "b"]
    """c_x."""

    signs: Float[Array, "b m"]
    """(b, n): z_k = +-1 of every pattern; (b, 2): mean of z_k^2, z_k z_l over all patterns of a number."""


@jax.jit
def patterns(state: MPDO) -> Blocks:
    """Return the blocks of all 2^n patterns."""
    n = state.num_sites
    bits = (np.arange(2**n)[:, None] >> np.arange(n)[::-1]) & 1
    population = to_dense(apply_each(state.train, jnp.asarray(POPULATION))).reshape(-1)
    coherence = to_dense(apply_each(state.train, jnp.asarray(COHERENCE))).reshape(-1)
    total = weight(state)
    signs = jnp.asarray(1.0 - 2 * bits)
    return Blocks(count=jnp.ones(2**n), population=population / total, coherence=coherence / total, signs=signs)


@jax.jit
def numbers_of_ones(state: MPDO) -> Blocks:
    """Return the blocks of 1..10..0 for each number of ones, which stand for all patterns of users that are alike."""
    n, total = state.num_sites, weight(state)
    ones = np.arange(n + 1)
    pairs = ((n - 2 * ones) ** 2 - n) / max(n * (n - 1), 1)
    return Blocks(
        count=jnp.asarray([float(math.comb(n, j)) for j in ones]),
        population=_by_ones(state.train, POPULATION) / total,
        coherence=_by_ones(state.train, COHERENCE) / total,
        signs=jnp.asarray(np.stack([np.ones(n + 1), pairs], axis=1)),
    )


def _by_ones(train: Array, rows: np.ndarray) -> Array:
    """Contract the first j sites with row 1 and the others with row 0, for all j: (n + 1,)."""
    zero, one = (jnp.einsum("naib,i->nab", train, jnp.asarray(row)) for row in rows)
    start = jnp.zeros(train.shape[1], zero.dtype).at[0].set(1.0)
    last, before = lax.scan(lambda v, m: (v @ m, v), start, one)
    first, after = lax.scan(lambda v, m: (m @ v, v), start, zero, reverse=True)
    lefts, rights = jnp.concatenate([before, last[None]]), jnp.concatenate([first[None], after])
    return jnp.sum(lefts * rights, axis=1)


@jax.jit
def _sums_by_ones(train: Array, rows: Any) -> Array:
    """Return the sums over all patterns of each number of ones, (n + 1,), by a Fourier transform."""
    n = train.shape[0]
    zero, one = (jnp.einsum("naib,i->nab", train, jnp.asarray(row)) for row in rows)
    roots = jnp.exp(2j * jnp.pi * jnp.arange(n + 1) / (n + 1))
    start = jnp.zeros((n + 1, train.shape[1]), complex).at[:, 0].set(1.0)
    step = lambda v, m: (v @ m[0] + roots[:, None] * (v @ m[1]), None)  # noqa: E731
    return jnp.fft.fft(lax.scan(step, start, (zero, one))[0][:, 0]) / (n + 1)


def outside(state: MPDO, blocks: Blocks) -> float:
    """Return |rho - sigma|^2 / tr rho^2 in the 2-norm, sigma the state of the form that has these blocks.

    Args:
        state: concrete.
        blocks: of this state.
    """
    count, total = blocks.count, weight(state)
    population, coherence = blocks.population, blocks.coherence
    if len(count) == state.num_sites + 1 and state.num_sites > 1:
        sums = [_sums_by_ones(state.train, rows) / total for rows in (POPULATION, COHERENCE)]
    else:
        sums = [population, coherence]
    inner = jnp.real(jnp.sum(population * sums[0]) + jnp.sum(jnp.conj(coherence) * sums[1]))
    own = jnp.sum(count * (population**2 + jnp.abs(coherence) ** 2))
    whole = float(purity(state))
    return max(whole - 2 * float(inner) + float(own), 0.0) / whole


def ghz_blocks(state: MPDO) -> Blocks | None:
    """Return the blocks of a state of the form; None for others, and where its numbers cannot be seen (under `jit`).

    Args:
        state: of users that are alike, any number of them, or of up to 16 qubits.
    """
    fixed = _checks.constant(state)
    if _checks.known(fixed.train) is None:
        return None
    fixed = MPDO(train=jnp.asarray(fixed.train))
    if outside(fixed, numbers_of_ones(fixed)) < ROUNDING:
        return numbers_of_ones(state)
    if state.num_sites <= MOST_PATTERNS and outside(fixed, patterns(fixed)) < ROUNDING:
        return patterns(state)
    return None


def turns_about_z(turn: Generator) -> bool:
    """Whether a generator is diagonal in the basis of the patterns."""
    sideways = _checks.known(turn.axes)
    return sideways is not None and not np.any(sideways[:, :2])


@jax.jit
def blocks_fisher(blocks: Blocks, turn: Generator) -> Float[Array, ""]:
    """Return the quantum Fisher information of a state of the form for a generator along Z.

    Args:
        blocks: from `patterns` or `numbers_of_ones`.
        turn: only its Z part counts.

    Note:
        Exact, differentiable; blocks without weight count nothing, and have slope 0.
    """
    weights = turn.axes[:, 2]
    squares = jnp.sum(weights**2)
    by_ones = blocks.signs.shape == (len(weights) + 1, 2)
    means = jnp.stack([squares, jnp.sum(weights) ** 2 - squares])
    turns = blocks.signs @ means if by_ones else (blocks.signs @ weights) ** 2
    together = blocks.population + blocks.population[::-1]  # x and 1 - x stand at mirrored places
    there = together > 0
    shares = jnp.where(there, jnp.abs(blocks.coherence) ** 2 / jnp.where(there, together, 1.0), 0.0)
    return 2 * jnp.sum(blocks.count * turns * shares)
