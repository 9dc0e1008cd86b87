"""What pair keys over the arms of a gathering give in place of a conference key."""

import enum
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.evaluators.gather import gather
from qtn.evaluators.pairs import Pairs
from qtn.hardware.node import Node
from qtn.qkd.conference import ConferenceProtocol, conference_key


class Pairwise(enum.StrEnum):
    """Between whom pair keys are made, over the same arms and the same hub."""

    NEIGHBOURS = "neighbours"
    """User 0 and 1, 1 and 2, ...: every user has at most two, and divides its time between them."""
    LEADER = "leader"
    """The first user and each other one, one after the other."""


@pytree
class PairwiseKey:
    """What pair keys give that carry a key of all users, each by one-time pad to the next."""

    rate: Float[Array, ""]
    """Secret bits per second that all users have [Hz]."""

    pair_rates: Float[Array, "n"]
    """Of each pair, were it alone [Hz]."""

    via: Pairwise = static()


def pairwise_key(
    arms: Sequence[Pairs],
    hub: Node | None = None,
    *,
    via: Pairwise | str = Pairwise.NEIGHBOURS,
    protocol: ConferenceProtocol | str = ConferenceProtocol.BB84,
    correction: Any = 1.0,
    **options: Any,
) -> PairwiseKey:
    """Return the rate at which pair keys over the same arms and hub give one key to all users.

        neighbours:   R = min_k 1 / (1/r_k + 1/r_(k+1)),      leader:   R = 1 / sum_k 1/r_k

    An arm serves one pair at a time; pairs of different users are made side by side. One user draws the key and it is
    handed on, each time encrypted by a pair key of the same length.

    Args:
        arms: as of `gather`.
        hub: as of `gather`.
        via: between whom pair keys are made.
        protocol: as of `conference_key`.
        correction: as of `conference_key`.
        **options: of `gather`: `cutoff_time`, `ends`.

    Returns:
        found: rate, 0 unless all pairs have a key, and those of the pairs.

    Note:
        Differentiable, where all pairs have a key.
    """
    arms, via = list(arms), _checks.choice("via", via, Pairwise)
    if len(arms) < 2:
        raise ValueError(f"Argument `arms` must hold at least two arms, one for each user, but holds {len(arms)}.")
    ends = zip(arms[:-1] if via is Pairwise.NEIGHBOURS else arms[:1] * (len(arms) - 1), arms[1:], strict=True)
    known: dict[tuple[int, int], Array] = {}
    rates = []
    for one, other in ends:
        place = id(one), id(other)
        if place not in known:
            pair = gather([one, other], hub, **options)
            known[place] = conference_key(pair, protocol=protocol, correction=correction).rate
        rates.append(known[place])
    found = jnp.stack(rates)
    slow = 1 / jnp.where(found > 0, found, 1.0)
    one_by_one = via is Pairwise.LEADER or len(arms) == 2
    rate = 1 / (slow.sum() if one_by_one else jnp.max(slow[:-1] + slow[1:]))
    return PairwiseKey(rate=jnp.where(jnp.all(found > 0), rate, 0.0), pair_rates=found, via=via)
