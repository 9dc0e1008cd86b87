"""What users ask of a network: who, what, how much, and how good it must be."""

import dataclasses
import itertools
import math
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TypeAlias

from qtn import _checks

Name: TypeAlias = Any
"""Of a node: any hashable value."""


class Kind(StrEnum):
    """What users want."""

    KEY = "key"
    """Secret bits."""
    PAIRS = "pairs"
    """Entangled pairs, end to end."""


class Fairness(StrEnum):
    """What is maximised."""

    MAX_MIN = "max_min"
    """The rate of the user pair that has least, over its weight."""
    PROPORTIONAL = "proportional"
    """The sum of weight x log(rate): nobody gains a percent without others losing as many, by weight."""
    TOTAL = "total"
    """The sum of weight x rate."""


@dataclasses.dataclass(frozen=True)
class Demand:
    """What one pair of users asks for; see `demand`."""

    users: tuple[Name, Name]
    kind: Kind
    weight: float
    least_fidelity: float
    wanted: float
    num_paths: int
    rounds: int

    @property
    def title(self) -> str:
        """Return both users for messages and tables."""
        return "{} and {}".format(*self.users)


def demand(
    first: Name,
    second: Name,
    *,
    kind: Kind | str = Kind.KEY,
    weight: float = 1.0,
    least_fidelity: float = 0.0,
    wanted: float = math.inf,
    num_paths: int = 4,
    rounds: int = 0,
) -> Demand:
    """Return what a pair of users asks for.

    Args:
        first: a node.
        second: another node.
        kind: key or pairs; a `Kind` or its word.
        weight: how much its rate counts beside those of others, > 0.
        least_fidelity: of a pair that is good enough for it, in [0, 1].
        wanted: rate that is enough for it, > 0 [1/s]; more is not given.
        num_paths: shortest paths among which `share_network` chooses.
        rounds: most rounds of distillation that `share_network` tries on a path.

    Raises:
        ValueError: if the users are the same, or a number lies outside its range.

    Example:
        >>> demand("bank", "hospital", weight=2.0).title
        'bank and hospital'
    """
    if first == second:
        raise ValueError(f"A demand must name two different users, but names {first!r} twice.")
    positive = "be positive and finite", lambda v: (v > 0) & (v < math.inf)
    for name, value, most in (("num_paths", num_paths, 20), ("rounds", rounds, 4)):
        least = 1 if name == "num_paths" else 0
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"Argument `{name}` must be a whole number from {least} to {most}, but is {value!r}.")
    return Demand(
        users=(first, second),
        kind=_checks.choice("kind", kind, Kind),
        weight=float(_checks.require("weight", weight, positive[1], positive[0])),
        least_fidelity=float(_checks.probability("least_fidelity", least_fidelity)),
        wanted=float(_checks.positive("wanted", wanted)),
        num_paths=num_paths,
        rounds=rounds,
    )


def demands_of(given: Iterable[Any] | None, names: Iterable[Name]) -> tuple[Demand, ...]:
    """Return demands, given as such or as pairs of nodes; None = one for every pair of nodes.

    Raises:
        ValueError: if there is none, or one names a node that is not there.
    """
    known = list(names)
    if given is None:
        pairs: Iterable[Any] = itertools.combinations(_in_order(known), 2)
    else:
        pairs = given
    found = tuple(each if isinstance(each, Demand) else demand(*each) for each in pairs)
    if not found:
        raise ValueError("Argument `demands` must hold at least one demand, but is empty.")
    there = set(known)
    for place, each in enumerate(found):
        for user in each.users:
            if user not in there:
                some = ", ".join(map(repr, known[:12])) + (", ..." if len(known) > 12 else "")
                raise ValueError(f"Demand {place} names the user {user!r}, but the nodes are {some}.")
    return found


def _in_order(names: list[Name]) -> list[Any]:
    """Return names sorted where they can be: JAX sorts dictionaries, so their order says nothing."""
    ordered: list[Any] = list(names)
    try:
        return sorted(ordered)
    except TypeError:
        return ordered
