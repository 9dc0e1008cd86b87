"""Gauss quadrature of a random wait: a few nodes that stand for its whole distribution.

Where all idle qubits lose coherence at one rate r, every Pauli coefficient is a polynomial in u = e^(-r t), of a degree
of at most the number of qubits. So nodes are those of the Gauss rule of the distribution of u: n nodes are exact up to
degree 2 n - 1, that is for 2 n - 1 idle qubits.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree

FAINT = 1e-13
"""Weight below which a node says nothing."""


@pytree
class Nodes:
    """Nodes of a wait, and what goes with them."""

    steps: Float[Array, "n"]
    """Waits, in grid steps."""

    weights: Float[Array, "n"]
    """Their probabilities, sum 1."""

    values: Float[Array, "n *k"]
    """What was averaged along, given the wait."""


@partial(jax.jit, static_argnames="num_nodes")
def gauss_nodes(
    probability: Float[Array, "t"], along: Float[Array, "t *k"], rate: Float[Array, ""], num_nodes: int
) -> Nodes:
    """Return the Gauss rule of a distribution of waits, for functions that are smooth in e^(-rate t).

        sum_t P(t) f(t) = sum_j w_j f(t_j)   for polynomials f in u = e^(-rate t) of degree < 2 n

    Args:
        probability: (t,), at 0, 1, 2, ... steps; >= 0.
        along: (t, ...), what else is known at each time, times its probability; divided by the weight at the nodes.
        rate: at which coherence is lost, per step; 0 = that of the mean wait.
        num_nodes: n; static. Where fewer waits are possible, the others get the weight 0.

    Returns:
        nodes: waits, weights with sum of `probability`, and values of `along` / `probability` there.

    Note:
        Lanczos with full reorthogonalisation. Differentiable: nodes move with the distribution, so that derivatives are
        exact where values are; but not by the probability of waits that are impossible, which no node stands for.

    References:
        Golub and Welsch, Math. Comp. 23, 221 (1969); Gautschi, Orthogonal Polynomials (2004), section 2.2.3.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> t = jnp.arange(2000.0)
        >>> geometric = jnp.where(t > 0, 0.05 * 0.95 ** (t - 1), 0.0)
        >>> found = gauss_nodes(geometric, geometric[:, None], jnp.asarray(0.02), 6)
        >>> round(float(found.weights @ jnp.exp(-10 * 0.02 * found.steps)), 7)  # ten idle qubits
        0.184228
    """
    times = jnp.arange(probability.shape[0], dtype=float)
    total, given = jnp.sum(probability), jax.lax.stop_gradient(rate)
    mean = jax.lax.stop_gradient(jnp.sum(probability * times) / total)
    scale = jnp.where(given > 0, given, 1 / jnp.maximum(mean, 1e-300))
    scale = jnp.minimum(scale, 600.0 / jnp.maximum(mean, 1e-300))  # e^(-scale t) stays a number
    possible = probability > 1e-200
    root = jnp.where(possible, jnp.sqrt(jnp.where(possible, probability, 1.0) / total), 0.0)
    vectors, jacobi = _lanczos(root, jnp.exp(-scale * times), num_nodes)
    nodes, rotations = jnp.linalg.eigh(jacobi)
    # the j-th interpolation polynomial is sum_k c_jk p_k with c_jk = rotations[0, j] rotations[k, j]
    polynomials = jnp.where(possible, vectors / jnp.where(possible, root, 1.0), 0.0)
    interpolation = (rotations[0][:, None] * rotations.T) @ polynomials
    faint = rotations[0] ** 2 < FAINT
    weights = jnp.where(faint, 0.0, total * rotations[0] ** 2)
    sums = jnp.tensordot(interpolation, along, 1)
    shape = (-1, *[1] * (along.ndim - 1))
    average = jnp.sum(along, axis=0) / total
    values = jnp.where(faint.reshape(shape), average, sums / jnp.where(faint, 1.0, weights).reshape(shape))
    inside = ~faint & (nodes > 0)
    steps = jnp.where(inside, -jnp.log(jnp.where(inside, jnp.clip(nodes, 1e-300, 1.0), 1.0)) / scale, 0.0)
    return Nodes(steps=steps, weights=weights, values=values)


def _lanczos(start: Array, diagonal: Array, count: int) -> tuple[Array, Array]:
    """Return orthonormal vectors (count, t) of the Krylov space of a diagonal matrix, and the Jacobi matrix.

    Where the space is smaller, vectors are 0 and the matrix has distinct entries below 0, on their own.
    """
    vectors = [start]
    alphas, betas, alive = [start @ (diagonal * start)], [], jnp.asarray(True)
    for k in range(1, count):
        basis, there = jnp.stack(vectors), diagonal * vectors[-1]
        for _ in range(2):
            there = there - basis.T @ (basis @ there)
        square = there @ there
        alive &= square > 1e-24
        length = jnp.sqrt(jnp.where(alive, square, 1.0))
        vectors.append(jnp.where(alive, there / length, 0.0))
        betas.append(jnp.where(alive, length, 0.0))
        alphas.append(jnp.where(alive, vectors[-1] @ (diagonal * vectors[-1]), -float(k)))
    jacobi = jnp.diag(jnp.stack(alphas))
    if betas:
        jacobi += jnp.diag(jnp.stack(betas), 1) + jnp.diag(jnp.stack(betas), -1)
    return jnp.stack(vectors), jacobi


@jax.jit
def quadrature_error(probability: Float[Array, "t"], nodes: Nodes, largest_rate: Float[Array, ""]) -> Float[Array, ""]:
    """Return the largest error of a rule for e^(-a t) with 0 <= a <= `largest_rate` per step.

    Every Pauli string of idle qubits decays as such an exponential, with a the sum of the rates of its letters: so this
    is the largest error of a Pauli coefficient, where qubits do not relax towards |0>.
    """
    rates = largest_rate * jnp.asarray(np.linspace(0.0, 1.0, 65) ** 2)
    times = jnp.arange(probability.shape[0], dtype=float)
    exact = jax.lax.map(lambda rate: probability @ jnp.exp(-rate * times), rates)
    return jnp.max(jnp.abs(exact - jnp.exp(-rates[:, None] * nodes.steps) @ nodes.weights))


@jax.jit
def independence_error(
    probability: Float[Array, "t"], rate: Float[Array, ""], num_qubits: Float[Array, ""]
) -> Float[Array, ""]:
    """Return how far the mean over a common wait is from the product of means, for up to so many qubits of one rate.

        max over k <= n of E[e^(-k r T)] - E[e^(-r T)]^k

    Args:
        probability: (t,), at 0, 1, 2, ... steps.
        rate: r, per step.
        num_qubits: n.
    """
    counts = 1 + jnp.asarray(np.linspace(0.0, 1.0, 65)) * (num_qubits - 1)
    times = jnp.arange(probability.shape[0], dtype=float)
    common = jax.lax.map(lambda k: probability @ jnp.exp(-k * rate * times), counts)
    return jnp.max(common - (probability @ jnp.exp(-rate * times)) ** counts)
