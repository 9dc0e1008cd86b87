"""The GHZ-like state of the users as a train: exact while it fits in the bond, beyond that cut at each bond.

A cut between users is an interface: rows are what the users on one side may hold, columns the times at which the last
pair comes, and the bits x (shared by all halves at the hub) and z (of the first half, after the joins so far). Both
sides grow towards a user in the middle, where the sum over all columns is taken.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from qtn._array import Array
from qtn._pytree import pytree
from qtn.evaluators.gather.held import Held
from qtn.evaluators.gather.joining import PAULI, X_BIT, Z_BIT
from qtn.hardware.gates import Gates
from qtn.states.trains import MPDO
from qtn.tensors.split import keep_right, truncation

SPARE = 32
"""Random sums of columns beyond the bond."""


@pytree
class Interface:
    """What one side of a cut holds, as products over its users."""

    before: Float[Array, "rows x z q"]
    """All of their pairs came before."""

    complete: Float[Array, "rows x z q"]
    """All are there, and at least one has just come."""


_USER, _X, _Z = np.indices((4, 2, 2))
_B = Z_BIT[_USER]
"""[user Pauli, x, z on one side of the join]: the user's own z, which the join adds to the other side."""


def inner_site(held: Array, gate_set: Gates, kind: Array, *, to_right: bool) -> Float[Array, "4 2 2 q"]:
    """Return what an arm that is joined to the first contributes, by [user, x, z on the inner side, q]."""
    left, right = (_Z ^ _B, _Z) if to_right else (_Z, _Z ^ _B)
    sign = np.where(_X & _B & left, -1.0, 1.0)
    noise = jnp.where(_X | _B | right, gate_set.two_qubit, 1.0) * jnp.where(_B, 2 * gate_set.readout - 1, 1.0)
    return (noise * sign)[..., None] * held[kind].reshape(4, 4, -1)[_USER, PAULI[_X, _B]]


def first_site(held: Array, kind: Array) -> Float[Array, "4 2 2 q"]:
    """Return the same of the first arm, whose half is the qubit of the hub."""
    return held[kind].reshape(4, 4, -1)[_USER, PAULI[_X, _Z]]


def last_site(held: Array, gate_set: Gates, kind: Array) -> Float[Array, "4 2 2 q"]:
    """Return the same of the last arm: the qubit of the hub is measured in X, which tells its user of Z."""
    told = (X_BIT[_USER] == _X) & (_Z == _B)
    bit = jnp.where(_X == 1, 2 * gate_set.readout - 1, 1.0)
    return (told * bit)[..., None] * inner_site(held, gate_set, kind, to_right=False)


def _grown(side: Interface, before: Array, new: Array, *, first: bool = False) -> Interface:
    """Add a user: rows become (outer rows, user). The first arm joins nothing: its z is not added to another one."""

    def product(rows: Array, site: Array) -> Array:
        added = rows if first else rows[:, :, ::-1]
        return (jnp.stack([rows, rows, added, added], axis=1) * site).reshape(-1, *rows.shape[1:])

    complete = product(side.complete, before + new) + product(side.before, new)
    return Interface(before=product(side.before, before), complete=complete)


def _cut(side: Interface, rest: tuple[Array, Array], bond: int) -> tuple[Array, Interface, Array]:
    """Keep the rows that matter: return (isometry, what they hold, bound on the error of a Pauli coefficient).

    Columns are weighed with the largest coefficients that the other side may have there (all there, just complete), so
    the error of a coefficient is at most the sum of what is lost over all columns. Rows are found from random sums of
    columns, a few more than the bond (Halko, Martinsson, Tropp 2011): there are many more columns than rows.
    """
    there, complete = rest
    columns = jnp.concatenate([side.complete * there, side.before * complete], axis=-1).reshape(
        side.before.shape[0], -1
    )
    seen = columns @ jax.random.normal(jax.random.key(0), (columns.shape[1], bond + SPARE))
    kept = keep_right(seen.T, truncation(bond))[0]
    moved = Interface(
        before=jnp.einsum("rk,rxzq->kxzq", kept, side.before), complete=jnp.einsum("rk,rxzq->kxzq", kept, side.complete)
    )
    return kept, moved, jnp.sum(jnp.max(jnp.abs(columns - kept @ (kept.T @ columns)), axis=0))


def _end(num_columns: int) -> Interface:
    """Return an empty side."""
    start = jnp.zeros((1, 2, 2, num_columns))
    return Interface(before=start + 1, complete=start)


def _padded(side: Interface, bond: int) -> Interface:
    return jax.tree.map(lambda rows: jnp.pad(rows, ((0, bond - rows.shape[0]), (0, 0), (0, 0), (0, 0))), side)


def _side(
    end: tuple[Array, Array],
    inner: Callable[[Array], tuple[Array, Array]],
    kinds: Int[Array, "m"],
    rests: tuple[Array, Array],
    bond: int,
) -> tuple[list[Array], Interface, Array]:
    """Grow one side from its end inwards.

    Args:
        end: (before, new) of the user at the end.
        inner: the same of a further user, by its kind.
        kinds: (m,), of the further users.
        rests: (.., q), weights of the users that are not on the side, once each user has been added; see `_cut`.
        bond: most rows.

    Returns:
        sites: (outer, 4, inner) each.
        interface: at the inner end.
        lost: bound on the error.
    """
    side, sites, lost = _end(rests[0].shape[1]), [], jnp.zeros(())
    for place in range(kinds.shape[0] + 1):
        outer = side.before.shape[0]
        if 4 * outer > bond:
            break
        site = end if place == 0 else inner(kinds[place - 1])
        side = _grown(side, *site, first=place == 0)
        sites.append(jnp.eye(4 * outer).reshape(outer, 4, 4 * outer))
    done = len(sites)
    if done == kinds.shape[0] + 1:
        return sites, side, lost
    first = side.before.shape[0]
    if first < bond:
        sites[-1] = jnp.pad(sites[-1], ((0, 0), (0, 0), (0, bond - first)))

    def step(carry: Interface, rest: tuple[Array, Array, Array]) -> tuple[Interface, tuple[Array, Array]]:
        kind, there, complete = rest
        kept, moved, error = _cut(_grown(carry, *inner(kind)), (there, complete), bond)
        return moved, (kept.reshape(bond, 4, bond), error)

    stop = kinds.shape[0] + 1
    rest = kinds[done - 1 :], rests[0][done:stop], rests[1][done:stop]
    side, (more, errors) = jax.lax.scan(step, _padded(side, bond), rest)
    return [*sites, *more], side, lost + errors.sum()


def _inner_sites(held: Held, gate_set: Gates, kind: Array, *, to_right: bool) -> tuple[Array, Array]:
    """Return (before, new) of an inner arm."""
    before = inner_site(held.before, gate_set, kind, to_right=to_right)
    return before, inner_site(held.new, gate_set, kind, to_right=to_right)


def _rests(held: Held, kinds: Array) -> tuple[Array, Array]:
    """Return for each number k of arms (0 .. n) what those from the k-th on contribute: (all there, just complete)."""

    def add(carry: tuple[Array, Array], kind: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        before, complete = carry
        now, new = held.now[kind, 0], held.new[kind, 0]
        carry = before * (now - new), complete * now + before * new
        return carry, carry

    start = jnp.ones_like(held.weight), jnp.zeros_like(held.weight)
    _, (before, complete) = jax.lax.scan(add, start, kinds[::-1])
    before, complete = (
        jnp.concatenate([each[None], rest])[::-1] for each, rest in zip(start, (before, complete), strict=True)
    )
    return (before + complete) * held.weight, complete * held.weight


def _summed(left: Array, right: Array) -> Array:
    """Return the sum over all columns."""
    return left.reshape(left.shape[0], -1) @ right.reshape(right.shape[0], -1).T


@partial(jax.jit, static_argnames="bond")
def ghz_train(held: Held, gate_set: Gates, kinds: Int[Array, "n"], *, bond: int) -> tuple[MPDO, Float[Array, ""]]:
    """Return the state of the users, times the probability that an attempt succeeds, and what cuts may have changed.

    Args:
        held: of each kind of arm.
        gate_set: of the hub.
        kinds: (n,), kind of each arm.
        bond: largest bond.

    Returns:
        state: of the n users.
        lost: bound on the error of any Pauli coefficient.

    Note:
        Exact where 4^((n - 1) / 2) <= bond. Differentiable; see `qtn.tensors.split.split` for where bonds are cut.
    """
    count = kinds.shape[0]
    middle = (count - 1) // 2
    before, gates, kinds = held.before, gate_set, jnp.asarray(kinds)
    rests_right, rests_left = _rests(held, kinds), _rests(held, kinds[::-1])
    left_sites, left, lost_left = [], _end(held.weight.size), jnp.zeros(())
    site = first_site(before, kinds[0]), first_site(held.new, kinds[0])
    if middle:
        inner = partial(_inner_sites, held, gates, to_right=True)
        rests = rests_right[0][1:], rests_right[1][1:]
        left_sites, left, lost_left = _side(site, inner, kinds[1:middle], rests, bond)
        site = inner(kinds[middle])
    end = last_site(before, gates, kinds[-1]), last_site(held.new, gates, kinds[-1])
    inner = partial(_inner_sites, held, gates, to_right=False)
    rests = rests_left[0][1:], rests_left[1][1:]
    right_sites, right, lost_right = _side(end, inner, kinds[middle + 1 : -1][::-1], rests, bond)
    reached = _grown(left, *site, first=not middle)
    centre = _summed(reached.complete * held.weight, right.before + right.complete)
    centre = centre + _summed(reached.before * held.weight, right.complete)
    sites = [*left_sites, centre.reshape(-1, 4, right.before.shape[0])]
    sites += [jnp.swapaxes(each, 0, 2) for each in right_sites[::-1]]
    widest = max(max(site.shape[0], site.shape[2]) for site in sites)
    padded = [jnp.pad(s, ((0, widest - s.shape[0]), (0, 0), (0, widest - s.shape[2]))) for s in sites]
    return MPDO(train=jnp.stack(padded)), lost_left + lost_right
