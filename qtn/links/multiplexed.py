"""Several memories per link, tried at once: the first success of an attempt is kept."""

import dataclasses
from typing import Any

from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.links.link import Heralded, Link
from qtn.links.midpoint import multiplexed
from qtn.links.registered import at_least_one, scalar


@pytree
class Multiplexed:
    """m pairs of memories of one link try at the same time; one pair that succeeds is kept.

        p = 1 - (1 - p_1)^m

    Successes beyond the first of an attempt are dropped, not stored: later attempts start anew. All m memories
    herald the same state. The attempt time stays that of one memory, as if the modes shared the fibre in frequency
    or space; where they queue in time, lengthen the emission time.

    Note:
        Exact for this policy, differentiable; m may be any real number >= 1, so that it can be optimised. Memories
        of a multiplexed link are not counted against the slots of a schedule search.

    References:
        Collins, Jenkins, Kuzmich, Kennedy, Phys. Rev. Lett. 98, 060502 (2007), arXiv:quant-ph/0610036.
    """

    link: Link
    """The link of one memory pair."""

    num_memories: Float[Array, "..."]
    """m >= 1."""

    def heralded(self) -> Heralded:
        """Return what one attempt of all memories offers."""
        return herald_multiplexed(self)


def herald_multiplexed(link: Multiplexed) -> Heralded:
    """Return what one attempt of m memories offers: the pair of one, more often.

    Args:
        link: the link and m.

    Returns:
        heralded: success probability of at least one, attempt time [s], state of one.

    Note:
        Exact, differentiable.
    """
    one = link.link.heralded()
    return dataclasses.replace(one, p_success=multiplexed(one.p_success, link.num_memories))


def multiplexed_link(link: Link, num_memories: Any) -> Multiplexed:
    """Build a link of `num_memories` >= 1 memories on either side that all try at once.

    Args:
        link: the link of one memory pair.
        num_memories: m, at least 1.

    Raises:
        ValueError: if `num_memories` lies outside its range.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.links.abstract import abstract_link
        >>> one = abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9)
        >>> float(multiplexed_link(one, 3).heralded().p_success)
        0.875
    """
    return Multiplexed(link=link, num_memories=scalar("num_memories", at_least_one, num_memories))
