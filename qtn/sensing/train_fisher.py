"""Fisher information of mixed trains between two bounds, each a variational problem over operator trains.

For every Hermitian operator L, and every M (H is the generator without its mean):

    2 tr(rho' L) - tr(rho L^2)  <=  F  <=  4 tr(rho H^2) - 4 tr(rho H rho M) + tr(rho M rho M rho)

The left one is reached by the symmetric logarithmic derivative (Macieszczak 2013; as a train: Chabuda et al. 2020). The
right one is tr(X rho X^+) with X = -2 i H + i rho M, for which X rho + rho X^+ = 2 rho'; M = 0 is four times the
variance. Both need rho to be non-negative.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.sensing.generator import Generator
from qtn.states.basis import PAULI_MATRICES, TRACE
from qtn.states.trains import MPDO, weight
from qtn.tensors.contract import overlap
from qtn.tensors.quadratic import Operator, quadratic_maximum, quadratic_value
from qtn.tensors.split import truncation
from qtn.tensors.train import Train, change, compress, scale, widen

P = PAULI_MATRICES
TRIPLE = np.einsum("aij,bjk,cki->abc", P, P, P) / 2
"""tr(P_a P_b P_c) / 2: tr(rho L^2) = sum r_a l_b l_c of it, one factor a site."""

QUINTUPLE = np.einsum("bij,ajk,ckl,dlm,emi->abcde", P, P, P, P, P, optimize=True) / 8
"""tr(P_b P_a P_c P_d P_e) / 8: tr(M rho M rho rho) = sum r_a r_d r_e m_b m_c of it."""

NOISE = 1e-2
"""Size of what is added to the first L, relative."""

FAINT = (TRACE + (1 - 1e-8) * (1 - TRACE))[None, None, :, None]
"""A little depolarisation of each qubit: it tells how the first noise on a pure state counts (see `dense_fisher`)."""

MOST_NUMBERS = 2**25
"""Complex numbers of the operator train of the upper bound; where it would take more, M = 0."""


@pytree
class FisherInfo:
    """Between which bounds a Fisher information lies, and how they were found."""

    lower: Float[Array, ""]

    upper: Float[Array, ""]
    """Infinite where none is known: the parameter is not the angle of a generator."""

    bond: int = static()
    """Largest bond of the operator trains."""

    exact: bool = static(default=False)
    """Whether both bounds are the value itself."""

    @property
    def gap(self) -> Float[Array, ""]:
        """Return the relative distance of the bounds."""
        return jnp.where(self.upper > 0, 1 - self.lower / jnp.where(self.upper > 0, self.upper, 1.0), 0.0)


def _local(state: MPDO, turn: Generator) -> Float[Array, "n 4"]:
    """Return the Pauli coefficients of the one-qubit parts of H - <H>."""
    n = turn.num_sites
    parts = jnp.concatenate([jnp.zeros((n, 1)), jnp.asarray(turn.axes) / 2], axis=1)
    return parts.at[:, 0].add(-_mean(state, parts) / n)


def _mean(state: MPDO, parts: Float[Array, "n 4"]) -> Float[Array, ""]:
    """Return the expectation value of a sum of one-qubit operators."""
    n = state.num_sites
    rows = change(jnp.tile(TRACE, (n, 1))[:, None, :, None], parts[:, None, :, None])
    return overlap(rows, state.train) / weight(state)


def variance_bound(state: MPDO, turn: Generator) -> Float[Array, ""]:
    """Return 4 tr(rho H^2) - 4 tr(rho H)^2, which no Fisher information exceeds."""
    n, local = state.num_sites, _local(state, turn)
    whole = change(jnp.zeros((n, 1, 4, 1)).at[:, 0, 0, 0].set(1.0), local[:, None, :, None])
    operator, nothing = lower_problem(state, MPDO(train=jnp.zeros((n, 1, 4, 1))))
    return -4 * quadratic_value(operator, nothing, whole) / weight(state)


def lower_problem(state: MPDO, rate: MPDO) -> tuple[Operator, Train]:
    """Return operator and vector trains of 2 tr(rho' L) - tr(rho L^2) as a function of the Pauli coefficients of L."""
    return (jnp.asarray(state.train), jnp.asarray(TRIPLE)), rate.train


def upper_problem(state: MPDO, turn: Generator) -> tuple[Operator, Train]:
    """Return operator and vector trains of 4 tr(rho H rho M) - tr(rho M rho M rho), the same of M."""
    r, n, chi = state.train, state.num_sites, state.bond
    local = _local(state, turn)

    def between(middle: Array) -> Array:
        """Return the train of r P middle r P, as rows for the Pauli coefficients of M."""
        found = jnp.einsum("napb,ncqd,pij,njk,qkl,mli->nacmbd", r, r, P, middle, P, P, optimize=True) / 4
        return found.reshape(n, chi**2, 4, chi**2)

    ones = jnp.broadcast_to(jnp.eye(2), (n, 2, 2))
    vector = change(between(ones), between(jnp.einsum("na,aij->nij", local, P)))
    square = jnp.einsum("nxay,nudv,nset,abcde->nxusbcyvt", r, r, r, QUINTUPLE, optimize=True)
    whole = jnp.eye(16).reshape(16, 4, 4)
    return (square.reshape(n, chi**3, 16, chi**3), whole), scale(vector, 2.0)


def starting_train(rate: MPDO, bond: int) -> Array:
    """Return a first L: rho' cut to a bond, and a little of everything else."""
    cut, _ = compress(rate.train, truncation(min(bond, rate.bond)))
    noise = jax.random.normal(jax.random.key(0), (rate.num_sites, bond, 4, bond))
    sizes = jnp.sqrt(jnp.mean(cut**2, axis=(1, 2, 3), keepdims=True))
    return widen(cut, bond) + NOISE * sizes * noise


def bounded(state: MPDO, rate: MPDO, bond: int) -> tuple[Float[Array, ""], Array]:
    """Return the largest lower bound that trains of a bond reach, and the train of L; both for tr rho = 1.

    Note:
        The value is differentiable: L, being the best one, may be held fixed (envelope theorem); it is the best one
        after a little depolarisation, so that slopes at pure states are those of `dense_fisher`.
    """
    soft = [MPDO(train=each.train * FAINT) for each in jax.lax.stop_gradient((state, rate))]
    train = quadratic_maximum(*lower_problem(*soft), starting_train(soft[1], bond))[0]
    train = jax.lax.stop_gradient(train)
    return quadratic_value(*lower_problem(state, rate), train), train


def upper_bound(state: MPDO, turn: Generator, bond: int) -> Float[Array, ""]:
    """Return the least upper bound that trains M of a bond reach, at most four times the variance; for tr rho = 1."""
    most = variance_bound(state, turn)
    if state.num_sites * (16 * state.bond**6) > MOST_NUMBERS:
        return most
    operator, vector = upper_problem(state, turn)
    fixed = jax.lax.stop_gradient((operator, vector))
    start = starting_train(MPDO(train=jnp.real(fixed[1])), bond)
    train = quadratic_maximum(*fixed, start)[0]
    return most - jnp.maximum(quadratic_value(operator, vector, jax.lax.stop_gradient(train)), 0.0)
