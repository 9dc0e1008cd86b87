"""Tree codes: a photon that is lost is read indirectly, through photons that are entangled with it."""

import dataclasses
import enum
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array, library
from qtn._checks import real
from qtn._pytree import pytree, static
from qtn.codes.logical import (
    Logical,
    ahead,
    decoded,
    noise,
    require_photons,
    require_readings,
    signs,
    unharmed,
    vote,
    whole,
)

MAX_LEVELS = 20
"""Levels of a tree that are allowed; each is one more step of a recursion."""

FIRST_LEVEL_EMISSIONS = 100
"""How many emission times the slow photon of the first level takes."""

FIRST_LEVEL_GATES = 3
"""Gates between emitters for a photon of the first level, besides one for each photon with children below it."""


class Choice(enum.StrEnum):
    """When the photon of the first level that carries the qubit on is fixed."""

    BLIND = "blind"
    """Before its children are read: the first that arrives."""
    ADAPTIVE = "adaptive"
    """After: the first that arrives and of which all children can be read."""


@pytree
class TreeCode:
    """A qubit in the photons of a tree graph state; the photon at the root is measured away when the qubit goes in.

    With b_k children of every photon of level k, photons of levels 1, 2, .. arrive or are lost with probability mu. A
    lost photon of level k is read through one of its children, in R_k of all cases:

        R_k = 1 - [1 - (1-mu) z_(k+2)^b_(k+1)]^b_k,      z_k = 1 - mu + mu R_k,      R = 0 at the leaves
        blind:     p = [z_1^b_0 - (mu R_1)^b_0] z_2^b_1
        adaptive:  p = z_1^b_0 - (z_1 - s)^b_0,      s = (1-mu) z_2^b_1

    Logical X is Z on all photons of the first level; logical Z is X on one of them, which carries the qubit, and Z on
    its children. All indirect readings that are there are taken as well. Of a lost photon their majority counts, a coin
    deciding ties; of one that arrives its own reading, unless two more of them disagree than agree. The Pauli channel
    is exact for this decoder.

    Note:
        Exact, differentiable in loss and errors. `adaptive` needs photons to be stored until others are read, and a
        herald of what is stored; it undoes every loss that any decoder can.

    References:
        Varnava, Browne, Rudolph, Phys. Rev. Lett. 97, 120501 (2006), arXiv:quant-ph/0507036 (R_k);
        Borregaard et al., Phys. Rev. X 10, 021071 (2020), arXiv:1907.05101 (the blind rule, generation time).
    """

    branching: tuple[int, ...] = static()
    """b_0, b_1, ..: children of each photon by level."""

    choice: Choice = static(default=Choice.BLIND)

    @property
    def num_photons(self) -> int:
        """Photons of one code word, without the root."""
        return photons_of(self.branching)

    def logical(self, loss: Any = 0.0, pauli: Any = None) -> Logical:
        """Return what decoding leaves.

        Args:
            loss: mu, in [0, 1].
            pauli: (4,), probabilities of I, X, Y, Z on a photon that arrives; None = no error, also for derivatives.
        """
        lost, errors = noise(loss, pauli)
        if errors is None:
            return unharmed(tree_success(self.branching, lost, self.choice))
        return decoded(tree_characters(self, lost, errors))

    def generation_time(self, emission_time: Any, gate_time: Any) -> Array:
        """Return b_0 [gate_time (3 + i) + emission_time (100 + a)] for a photons below one of the first level [s].

        i of these a photons have children themselves: one gate between emitters for each. For three levels it is
        the published time, i = b_1, a = b_1 (1 + b_2).
        """
        return real(tree_time(self.branching, emission_time, gate_time))


def tree_code(branching: Any, *, choice: Any = Choice.BLIND) -> TreeCode:
    """Build a tree code of any depth.

    Args:
        branching: children of each photon by level, all at least 1: [4, 14, 4] has 4 photons on the first level, 14
            below each of them and 4 below each of those.
        choice: "blind" or "adaptive", when the photon that carries the qubit on is fixed.

    Raises:
        ValueError: if a number is not a whole one from 1 to 500, there are none or more than 20, or there are too many
            photons.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> print(f"{tree_code([2, 2]).logical(loss=0.1).p_success:.6f}")
        0.800442
        >>> print(f"{tree_code([2, 2], choice='adaptive').logical(loss=0.1).p_success:.6f}")
        0.925101
    """
    given = list(branching) if isinstance(branching, Sequence) and not isinstance(branching, str) else []
    if not given:
        raise ValueError(f"Argument `branching` must list at least one number, but is {branching!r}.")
    return TreeCode(branching=checked_branching(given), choice=_checks.choice("choice", choice, Choice))


def checked_branching(branching: Sequence[Any]) -> tuple[int, ...]:
    """Return the children of each photon by level; none are allowed.

    Raises:
        ValueError: if a number is not a whole one from 1 to 500, there are too many levels or too many photons.
    """
    if len(branching) > MAX_LEVELS:
        raise ValueError(
            f"Argument `branching` may list at most {MAX_LEVELS} levels, but lists {len(branching):,}. Leave levels "
            "with one child out."
        )
    counts = tuple(whole(f"branching[{level}]", count) for level, count in enumerate(branching))
    for level, count in enumerate(counts):
        require_readings(f"branching[{level}]", count)
    require_photons(photons_of(counts))
    return counts


def photons_of(branching: Sequence[Any]) -> Any:
    """Return the number of photons of a tree below its root: b_0 (1 + b_1 (1 + ..))."""
    count = 0
    for children in reversed(branching):
        count = children * (1 + count)
    return count


def tree_time(branching: Sequence[Any], emission_time: Any, gate_time: Any) -> Any:
    """Return the generation time [s] of a tree, or of many at once; see `TreeCode.generation_time`."""
    gates = FIRST_LEVEL_GATES + photons_of(branching[1:-1])
    emissions = FIRST_LEVEL_EMISSIONS + photons_of(branching[1:])
    return branching[0] * (gate_time * gates + emission_time * emissions)


def indirect(branching: Sequence[Any], loss: Any) -> list[Any]:
    """Return R_0, R_1, .. and zeros for the levels below the leaves; entries may be arrays of many trees."""
    found: list[Any] = [0.0] * (len(branching) + 2)
    below = [*branching, 0]
    for level in reversed(range(len(branching))):
        found[level] = 1 - (1 - one_child(below, found, level, loss)) ** below[level]
    return found


def one_child(below: Sequence[Any], found: Sequence[Any], level: int, loss: Any) -> Any:
    """Return the probability that one given child reads a photon of a level: it arrives, all its children are read."""
    return (1 - loss) * (1 - loss + loss * found[level + 2]) ** below[level + 1]


def tree_success(branching: Sequence[Any], loss: Any, choice: Any = Choice.BLIND) -> Any:
    """Return the success probability of a tree, or of many at once.

    Args:
        branching: children of each photon by level; entries may be arrays, of as many trees.
        loss: mu, in [0, 1]; may be an array likewise.
        choice: "blind" or "adaptive", see `TreeCode`.

    Returns:
        p: the formula of `TreeCode`, in the shape of the arguments.

    Example:
        >>> import numpy as np
        >>> tree_success([np.array([1, 2]), np.array([2, 2])], 0.1).round(6).tolist()
        [0.729, 0.800442]
    """
    found, below = indirect(branching, loss), [*branching, 0]
    read = [1 - loss + loss * each for each in found]
    if _checks.choice("choice", choice, Choice) is Choice.BLIND:
        return (read[1] ** below[0] - (loss * found[1]) ** below[0]) * read[2] ** below[1]
    return read[1] ** below[0] - (read[1] - (1 - loss) * read[2] ** below[1]) ** below[0]


@dataclasses.dataclass(frozen=True)
class Reading:
    """How photons of one level are read in Z: probabilities times the mean signs of what is read."""

    lost: Any
    """Of one that is lost: R_k times the mean sign."""
    arrived: Any
    """Mean sign of one that arrives."""
    skipped: Any
    """The same together with a child that cannot be read."""

    def of(self, loss: Any) -> Any:
        """Return the sign of one that is lost or arrives."""
        return (1 - loss) * self.arrived + loss * self.lost


def readings(branching: Sequence[int], loss: Any, pauli: Float[Array, "4"]) -> list[Reading]:
    """Return how photons of levels 0, 1, .. are read, and two levels below the leaves."""
    _, x, _, z = signs(pauli)
    read, below, nothing = indirect(branching, loss), [*branching, 0, 0], 0.0 * loss * z
    leaf = Reading(nothing, z + nothing, nothing)
    found = [leaf] * (len(branching) + 2)
    for level in reversed(range(len(branching))):
        there = one_child(below, read, level, loss)
        signed = (1 - loss) * x * found[level + 2].of(loss) ** below[level + 1]
        right, wrong, count = (there + signed) / 2, (there - signed) / 2, below[level]
        arrived = outvoted(count, right, wrong, 1 - there, z)
        complete = outvoted(count, right, wrong, 1 - loss + loss * read[level + 1] - there, z)
        found[level] = Reading(vote(count, right, wrong, 1 - there), arrived, arrived - complete)
    return found


def outvoted(count: int, right: Any, wrong: Any, failed: Any, own: Any) -> Any:
    """Return the mean sign of a reading that counts unless two more of several others disagree than agree.

    Args:
        count: number of the others.
        right: weight of another reading that is right.
        wrong: that is wrong.
        failed: that is not there.
        own: mean sign of the reading itself.
    """
    against, helping = ahead(count, wrong, right, failed, 2), ahead(count, right, wrong, failed, 2)
    return own * (right + wrong + failed) ** count - (1 + own) * against + (1 - own) * helping


def tree_characters(code: TreeCode, loss: Float[Array, ""], pauli: Float[Array, "4"]) -> Float[Array, "4"]:
    """Return the unnormalised characters of the logical channel: p, and p times the mean signs of X, Y, Z."""
    _, x, y, z = signs(pauli)
    first, below = code.branching[0], [*code.branching, 0]
    arrive, found = 1 - loss, indirect(code.branching, loss)
    _, top, second, *_ = readings(code.branching, loss, pauli)
    children = (arrive + loss * found[2]) ** below[1]
    children_signed = second.of(loss) ** below[1]
    adaptive = code.choice is Choice.ADAPTIVE

    def others(skipped: Any, arrived: Any, lost: Any) -> Any:
        """Return the sum over which photon is the chosen one, of the readings of all others."""
        earlier, later = (arrive * skipped if adaptive else 0.0) + loss * lost, arrive * arrived + loss * lost
        before, xp = np.arange(first), library(earlier, later)
        return xp.sum(xp.power(earlier, before) * xp.power(later, before[::-1]))

    plain, signed = others(1 - children, 1.0, found[1]), others(top.skipped, top.arrived, top.lost)
    rows = [
        tree_success(code.branching, loss, code.choice),
        arrive * z * children * signed,
        arrive * y * children_signed * signed,
        arrive * x * children_signed * plain,
    ]
    return library(loss, pauli).stack(rows)
