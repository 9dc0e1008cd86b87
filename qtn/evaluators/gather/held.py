"""What memories hold while arms of a gathering wait for each other, and when the wait ends.

An attempt starts all arms together and ends well when the last pair is there, at most `cutoff_time` after the first.
With x_i(t) what arm i delivers at t, and W_i(t) what it holds at t, delivered at most a cut-off ago,

    delivered(t) = prod_i W_i(t) - prod_i [W_i(t) - x_i(t)]

as a product of pairs: all are there, and at least one has just come.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from qtn._array import Array
from qtn._pytree import pytree
from qtn.evaluators.pairs import Pairs, decay_rates, shift, towards_equilibrium
from qtn.hardware.memory import Memory
from qtn.tensors.recurrence import cumulative, decay_scan, delayed


@pytree
class Held:
    """Pauli coefficients of the pairs of each kind of arm, (user, hub), at each time q at which a gathering may end.

    A cut-off between two steps is the mixture of both: then q runs over all times twice, and `weight` holds the shares.
    """

    now: Float[Array, "kinds 16 q"]
    """Of what is held, times the probability that it is there."""

    new: Float[Array, "kinds 16 q"]
    """The same of what has just come."""

    weight: Float[Array, "q"]

    @property
    def before(self) -> Float[Array, "kinds 16 q"]:
        """Return what is held and did not come just now."""
        return self.now - self.new


MEMORY_LIMIT = 4 * 2**30
"""Most bytes of what is held, or of an interface of a train."""


def require_memory(num_numbers: int, what: str, cure: str) -> None:
    """Raise a ValueError if so many numbers take more memory than is allowed."""
    if 8 * num_numbers > MEMORY_LIMIT:
        raise ValueError(
            f"{what} takes {8 * num_numbers / 2**30:.3g} GiB, above the limit of {MEMORY_LIMIT / 2**30:g} GiB: {cure}."
        )


def whole_steps(cutoff: Float[Array, ""]) -> Float[Array, ""]:
    """Return the whole number of steps up to a cut-off, to rounding."""
    return jax.lax.stop_gradient(jnp.floor(cutoff + 1e-9))


@jax.jit
def held_pairs(arms: tuple[Pairs, ...], cutoff: Float[Array, ""] | None) -> Held:
    """Return what is held of each kind of arm.

    Args:
        arms: on one grid; memories of the users left, of the hub right.
        cutoff: in steps; None = never.

    Note:
        Exact on the grid, differentiable; the derivative by a cut-off at a whole number of steps is the right one.
    """
    if cutoff is None:
        weight = jnp.ones(arms[0].states.shape[0])
        variants = [(None, weight)]
    else:
        whole = whole_steps(cutoff)
        share = jnp.ones(arms[0].states.shape[0])
        variants = [(whole, (1 - (cutoff - whole)) * share), (whole + 1, (cutoff - whole) * share)]
    parts = [[_held(arm, steps) for arm in arms] for steps, _ in variants]
    now, new = (
        jnp.concatenate([jnp.stack([each[place] for each in part]) for part in parts], axis=-1) for place in (0, 1)
    )
    return Held(now=now, new=new, weight=jnp.concatenate([weight for _, weight in variants]))


def _held(arm: Pairs, cutoff: Array | None) -> tuple[Float[Array, "16 t"], Float[Array, "16 t"]]:
    """Return (what is held, what has just come) of one arm."""
    rates = (decay_rates(arm.memories) * arm.step).reshape(16)
    came = towards_equilibrium(arm.states, arm.memories).reshape(-1, 16).T
    held = decay_scan(came, rates)
    if cutoff is not None:
        steps = jnp.clip(cutoff + 1, 0, came.shape[1])
        held = held - jnp.exp(-rates * steps)[:, None] * delayed(held, steps.astype(int))
    return _from_equilibrium(held, arm.memories), arm.states.reshape(-1, 16).T


def _from_equilibrium(held: Float[Array, "16 t"], memories: tuple[Memory, Memory]) -> Float[Array, "16 t"]:
    """Return Pauli coefficients again: the inverse of `towards_equilibrium`."""
    left, right = (shift(each.equilibrium()) for each in memories)
    return jnp.asarray(np.kron(left, right)) @ held


@pytree
class Attempt:
    """When one attempt to gather ends."""

    success: Float[Array, "t"]
    """Probability that the last pair comes at t, in time."""

    failure: Float[Array, "t"]
    """Probability that the cut-off ends it at t."""

    duration: Float[Array, ""]
    """Mean number of steps, whatever happens."""


@jax.jit
def attempt_of(held: Held, kinds: Int[Array, "n"], cutoff: Float[Array, ""] | None) -> Attempt:
    """Return when an attempt ends.

    A failed one ends a cut-off after its first pair m:

        P(m, in time) = prod_i [S_i(m + c) - S_i(m - 1)] - prod_i [S_i(m + c) - S_i(m)],    S_i = P(T_i <= t)

    Args:
        held: of each kind of arm.
        kinds: (n,), kind of each arm.
        cutoff: in steps; None = never.

    Note:
        Exact on the grid; pairs that would come after its end count as lost.
    """
    length = held.new.shape[-1] if cutoff is None else held.new.shape[-1] // 2
    masses = held.weight * just_complete(held.now[:, 0], held.new[:, 0], kinds)
    success = masses.reshape(-1, length).sum(axis=0)
    steps = jnp.arange(length)
    if cutoff is None:
        return Attempt(success=success, failure=jnp.zeros(length), duration=success @ steps)
    arrived = jax.vmap(cumulative)(held.new[:, 0, :length])
    first = _first(arrived, arrived[:, -1:], kinds)
    whole = whole_steps(cutoff)
    failure, duration = jnp.zeros(length), success @ steps
    for share, later in ((1 - (cutoff - whole), whole), (cutoff - whole, whole + 1)):
        by_then = arrived[:, jnp.clip(steps + later, 0, length - 1).astype(int)]
        failed = share * (first - _first(arrived, by_then, kinds))
        failure = failure + delayed(failed[None], jnp.clip(later, 0, length).astype(int))[0]
        duration = duration + failed @ (steps + later)
    return Attempt(success=success, failure=failure, duration=duration)


def _first(arrived: Float[Array, "kinds t"], by_then: Float[Array, "kinds _"], kinds: Array) -> Float[Array, "t"]:
    """Return P(the first pair comes at t, and all by then)."""
    before = jnp.pad(arrived, ((0, 0), (1, 0)))[:, :-1]
    return just_complete(by_then - before, arrived - before, kinds)


def just_complete(now: Float[Array, "kinds q"], new: Float[Array, "kinds q"], kinds: Array) -> Float[Array, "q"]:
    """Return prod_i now_i - prod_i (now_i - new_i) without cancellation."""

    def add(carry: tuple[Array, Array], kind: Array) -> tuple[tuple[Array, Array], None]:
        before, complete = carry
        earlier = now[kind] - new[kind]
        return (before * earlier, complete * now[kind] + before * new[kind]), None

    start = jnp.ones(now.shape[-1]), jnp.zeros(now.shape[-1])
    return jax.lax.scan(add, start, jnp.asarray(kinds))[0][1]


def on_one_grid(arms: Sequence[Pairs]) -> tuple[Pairs, ...]:
    """Return arms whose distributions are continued with zeros to the same length."""
    length = max(arm.states.shape[0] for arm in arms)
    return tuple(
        Pairs(
            states=jnp.pad(arm.states, ((0, length - arm.states.shape[0]), (0, 0), (0, 0))),
            step=arm.step,
            memories=arm.memories,
        )
        for arm in arms
    )
