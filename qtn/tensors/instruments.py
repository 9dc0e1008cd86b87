"""Random operations on pure trains: sweeps in which every operator is drawn with its probability in the state.

An instrument is a set of operators A_k with weights q_k; on |psi> outcome k has the probability

    p_k = q_k <psi| A_k^H A_k |psi> / <psi|psi>        and leaves        A_k |psi> / |A_k |psi>|

A unitary is an instrument of one operator. A sweep carries the centre of the train, so that p_k follows from the
reduced state (4, 4) of the two sites of a bond: all instruments of a bond are drawn there, one after the other, and
their product is applied to the pair of sites once. Which instrument acts where is data.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Complex, Float

from qtn._array import Array
from qtn.tensors.slots import Slots
from qtn.tensors.subspace import dagger, isometry
from qtn.tensors.sweep import CUT, IDLE, LEFT
from qtn.tensors.train import Train, mirror, right_canonical, widen

PASSES = 1
"""Passes of the subspace iteration of a cut."""


class Instruments(NamedTuple):
    """Sets of operators on one or two sites, padded with weight 0."""

    weights: Float[Array, "m k"]
    operators: Complex[Array, "m k D D"]


class Record(NamedTuple):
    """What happened along a trajectory."""

    log_weight: Float[Array, ""]
    """Log of the product of sum_k p_k: the probability of what was post-selected."""
    log_probability: Float[Array, ""]
    """Log of the probability of all outcomes that were drawn."""
    log_kept: Float[Array, ""]
    """Log of the fraction of the norm squared that the cuts kept."""
    discarded: Float[Array, ""]
    """Sum over the cuts of the discarded fraction of the norm squared."""


def start_record() -> Record:
    """Return the record of a trajectory that has not begun."""
    return Record(*(jnp.zeros(()) for _ in Record._fields))


def two_site_stack(ones: Instruments, twos: Instruments) -> Instruments:
    """Return [1, twos, flipped twos, ones x 1, 1 x ones, SWAP] as instruments on two sites."""
    eye = jnp.eye(2)
    swap = jnp.eye(4).reshape(2, 2, 2, 2).transpose(1, 0, 2, 3).reshape(4, 4)
    flipped = twos.operators.reshape(*twos.operators.shape[:2], 2, 2, 2, 2).transpose(0, 1, 3, 2, 5, 4)
    lifted = [
        jnp.einsum(form, ones.operators, eye).reshape(*ones.operators.shape[:2], 4, 4)
        for form in ("mkij,ab->mkiajb", "mkij,ab->mkaibj")
    ]
    parts = [twos.operators, flipped.reshape(twos.operators.shape), *lifted]
    weights = [twos.weights, twos.weights, ones.weights, ones.weights]
    most = max(part.shape[1] for part in parts)
    single = jnp.zeros((1, most)).at[0, 0].set(1.0)
    pad = lambda part: jnp.pad(part, ((0, 0), (0, most - part.shape[1]), *[(0, 0)] * (part.ndim - 2)))  # noqa: E731
    return Instruments(
        jnp.concatenate([single, *map(pad, weights), single]),
        jnp.concatenate([pad(jnp.eye(4)[None, None]), *map(pad, parts), pad(swap[None, None])]),
    )


def draw_outcome(weights: Array, number: Array) -> Array:
    """Return k with probability w_k / sum w, from a uniform number in [0, 1)."""
    cumulative = jnp.cumsum(lax.stop_gradient(weights), axis=-1)
    return jnp.minimum(jnp.sum(number[..., None] * cumulative[..., -1:] >= cumulative, axis=-1), weights.shape[-1] - 1)


def draw_unitaries(slots: Slots, stack: Instruments, numbers: Array) -> tuple[Array, Array]:
    """Draw instruments whose weights do not depend on the state, all at once.

    Returns:
        operators: (s, bonds, 4, 4), the product of what is drawn on each bond of each sweep.
        log_probability: of what was drawn.
    """

    def draw(carry: tuple[Array, Array], event: tuple[Array, Array]) -> tuple[tuple[Array, Array], None]:
        (product, log_probability), (which, number) = carry, event
        weights = stack.weights[which]
        outcome = draw_outcome(weights, numbers[number])
        share = jnp.take_along_axis(weights, outcome[..., None], axis=-1)[..., 0]
        logs = jnp.log(share) - jnp.log(jnp.sum(weights, axis=-1))
        return (stack.operators[which, outcome] @ product, log_probability + jnp.sum(logs)), None

    shape = (*slots.kinds.shape, 4, 4)
    start = jnp.broadcast_to(jnp.eye(4, dtype=stack.operators.dtype), shape), jnp.zeros(())
    events = jnp.moveaxis(jnp.asarray(slots.instruments), -1, 0), jnp.moveaxis(jnp.asarray(slots.draws), -1, 0)
    return lax.scan(draw, start, events)[0]


def sampled_sweeps(
    train: Train,
    slots: Slots,
    stack: Instruments,
    numbers: Array,
    bond: int,
    record: Record,
    drawn: Array | None = None,
) -> tuple[Train, Record]:
    """Run sweeps in alternating direction, drawing the outcome of every instrument.

    Args:
        train: (n, chi, 2, chi) of norm 1, in the orientation of the first sweep, all sites but the first isometries.
        slots: of these sweeps.
        stack: two-site instruments.
        numbers: (u + 1,), uniform random numbers of this trajectory; the last one stands for no draw.
        bond: static; bonds are cut to it.
        record: of what came before.
        drawn: (s, bonds, 4, 4), what acts on the bonds where it was drawn ahead.

    Returns:
        train: of norm 1, in the orientation of the next sweep.
        record: of what happened until now.

    Note:
        Under `vmap` over trajectories only trains, numbers and records are batched. Constant compile time.
    """
    train = widen(train, bond)
    if slots.kinds.shape[0] == 0:
        return train, record

    def sweep(carry: tuple[Train, Record], layer: tuple[Slots, Any]) -> tuple[tuple[Train, Record], None]:
        state, found = _sampled_sweep(carry[0], *layer, stack, numbers, carry[1])
        return (mirror(state), found), None

    return lax.scan(sweep, (train, record), (slots, drawn))[0]


def _sampled_sweep(
    train: Train, layer: Slots, drawn: Array | None, stack: Instruments, numbers: Array, record: Record
) -> tuple[Train, Record]:
    chi = train.shape[1]
    edge = jnp.eye(2 * chi, chi, dtype=train.dtype)

    def move(centre: Array, site: Array, here: Slots, ahead: Any, found: Record) -> tuple[Array, Array, Record]:
        matrix = centre.reshape(2 * chi, chi)
        q = isometry(matrix)
        return q.reshape(chi, 2, chi), jnp.tensordot(dagger(q) @ matrix, site, 1), found

    def act(centre: Array, site: Array, here: Slots, ahead: Any, found: Record) -> tuple[Array, Array, Record]:
        joined = jnp.tensordot(centre, site, 1).transpose(1, 2, 0, 3).reshape(4, chi * chi)  # (i j), (l r)
        if ahead is None:
            ahead, found = _draw_all(joined, here, stack, numbers, found)
        theta = (ahead @ joined).reshape(2, 2, chi, chi).transpose(2, 0, 3, 1).reshape(2 * chi, 2 * chi)
        theta = theta / lax.stop_gradient(_norm(theta))
        near, far, lost = lax.cond(
            here.kinds == LEFT, left, lambda t: lax.cond(here.kinds == CUT, cut, right, t), theta
        )
        kept = jnp.where(lost < 1, 1 - lost, 1.0)
        found = found._replace(log_kept=found.log_kept + jnp.log(kept), discarded=found.discarded + lost)
        return near, far / jnp.sqrt(kept), found

    def left(theta: Array) -> tuple[Array, Array, Array]:
        return edge.reshape(chi, 2, chi), _as_right(theta[:chi], chi), jnp.zeros(())

    def right(theta: Array) -> tuple[Array, Array, Array]:
        q = isometry(theta[:, :chi])
        rest = jnp.pad(dagger(q) @ theta[:, :chi], ((0, 0), (0, chi)))
        return q.reshape(chi, 2, chi), _as_right(rest, chi), jnp.zeros(())

    def cut(theta: Array) -> tuple[Array, Array, Array]:
        q = range_basis(theta, chi)
        far = dagger(q) @ theta
        before, after = (jnp.sum(jnp.abs(lax.stop_gradient(part)) ** 2) for part in (theta, far))
        lost = jnp.maximum(before - after, 0.0)
        return q.reshape(chi, 2, chi), _as_right(far, chi), lost

    def step(carry: tuple[Array, Record], there: tuple[Array, Slots, Any]) -> tuple[tuple[Array, Record], Array]:
        (centre, found), (site, here, ahead) = carry, there
        near, far, found = lax.cond(here.kinds == IDLE, move, act, centre, site, here, ahead, found)
        return (far, found), near

    (last, record), sites = lax.scan(step, (train[0], record), (train[1:], layer, drawn))
    return jnp.concatenate([sites, last[None]]), record


def range_basis(theta: Array, rank: int) -> Array:
    """Return orthonormal columns (m, rank) that nearly span the dominant left subspace of `theta` (m, n).

    Subspace iteration from a fixed random start: products and QR, a third of the time of an eigh (16 x 16).
    Directions of relative singular value above 1e-8 are found where they are no more than `rank`; where they are more,
    what is lost is close to the least possible, and the derivative is that of this very approximation.
    """
    start = np.random.default_rng(0).normal(size=(theta.shape[1], rank))
    q = isometry(theta @ jnp.asarray(start, dtype=theta.dtype))
    for _ in range(PASSES):
        q = isometry(theta @ (dagger(theta) @ q))
    return q


def _as_right(matrix: Array, chi: int) -> Array:
    """Columns (r j) -> legs b j r."""
    return jnp.swapaxes(matrix.reshape(-1, chi, 2), 1, 2)


def _norm(matrix: Array) -> Array:
    squares = jnp.sum(jnp.abs(matrix) ** 2)
    return jnp.sqrt(jnp.where(squares > 0, squares, 1.0))


def _draw_all(joined: Array, here: Slots, stack: Instruments, numbers: Array, found: Record) -> tuple[Array, Record]:
    """Draw all instruments of a bond in the reduced state of its two sites; return the product of what was drawn."""
    reduced = joined @ dagger(joined)
    norm = jnp.real(jnp.trace(reduced))
    reduced = reduced / jnp.where(norm > 0, norm, 1.0)

    def draw(carry: tuple[Array, Array, Array, Array], event: tuple[Array, Array]) -> tuple[Any, None]:
        (state, product, log_weight, log_probability), (which, number) = carry, event
        weights, operators = stack.weights[which], stack.operators[which]
        effects = jnp.einsum("kba,kbc->kac", jnp.conj(operators), operators)
        shares = jnp.maximum(weights * jnp.real(jnp.einsum("kac,ca->k", effects, state)), 0.0)
        total = jnp.sum(shares)
        outcome = draw_outcome(shares, numbers[number])
        operator, share = operators[outcome], shares[outcome]
        state = operator @ state @ dagger(operator)
        size = jnp.real(jnp.trace(state))
        state = state / jnp.where(size > 0, size, 1.0)
        log_total, log_share = _log(total), _log(share)
        return (state, operator @ product, log_weight + log_total, log_probability + log_share - log_total), None

    carry = (reduced, jnp.eye(4, dtype=joined.dtype), found.log_weight, found.log_probability)
    (_, product, log_weight, log_probability), _ = lax.scan(draw, carry, (here.instruments, here.draws))
    return product, found._replace(log_weight=log_weight, log_probability=log_probability)


def _log(value: Array) -> Array:
    """Return log(value) with derivative 0 at 0, where the value is large and negative."""
    return jnp.where(value > 0, jnp.log(jnp.where(value > 0, value, 1.0)), -1e6)


def to_centre(train: Train, bond: int) -> Train:
    """Return the train with its centre on the first site, of norm 1 and padding `bond`."""
    train = right_canonical(widen(train, max(bond, train.shape[1])))
    return train.at[0].divide(_norm(train[0]))
