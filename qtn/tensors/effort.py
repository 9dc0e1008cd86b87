"""How long a program of operations takes, told before and while it runs, and where going on is of no use.

    seconds = sum over operations and the bonds that they span of 2 (FIXED + EACH b^3 d^3 r)

with the bonds b, the dimension d of a site and the rank r of an operation.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

FIXED = 4e-5
"""What one site costs at the smallest bond [s], measured on one x86-64 core."""
EACH = 8e-10
"""What b^3 d^3 r counts [s]: .4 to 1.5e-9 from bond 256 down to 64, measured there."""
MOST = 3600.0
"""Longer runs are refused where a command asks for it [s]."""
TOLD = 30.0
"""Longer runs are announced [s]."""
LITTLE = 1e-3
"""A run that keeps less of the squared norm ends, if it would end with less than a state at random has."""
WORTH = 600.0
"""A bond is proposed with which the rest takes less [s]."""


class Reached(NamedTuple):
    """Where a run stands."""

    done: int
    """Operations on two sites that are over."""
    total: int
    left: int
    """Bonds that what is left spans, added up, and what the way to it counts; see `travel`."""
    bond: int
    """Of the last operation."""
    kept: float
    """Fraction of the squared norm that all cuts have kept."""

    @property
    def at_the_end(self) -> float:
        """What is kept at the end if operations go on to lose as they did."""
        return self.kept ** (self.total / max(self.done, 1))


class Work(NamedTuple):
    """What a program asks for."""

    num_sites: int
    d: int
    rank: int
    """The largest rank of an operation."""
    needed: np.ndarray
    """(n - 1,), log2 of a bond that certainly holds the state."""

    def seconds(self, left: int, bond: int) -> float:
        """Return how long operations take that span `left` bonds in all, at a bond."""
        return 2 * left * (FIXED + EACH * float(bond * self.d) ** 3 * self.rank)

    def widest(self) -> tuple[int, float]:
        """Return the largest bond that may be needed, and the bytes of a train that has all of them."""
        bonds = 2.0 ** np.concatenate([[0.0], self.needed, [0.0]])
        return int(bonds.max()), float(np.sum(bonds[:-1] * bonds[1:]) * self.d * (16 if self.d == 2 else 8))


def work(num_sites: int, d: int, places: Sequence[tuple[int, int, int]]) -> Work:
    """Return what operations (first site, second site, rank) ask for.

    Example:
        >>> work(4, 2, [(0, 3, 2), (0, 1, 4)]).widest()[0]
        2
    """
    grown = np.zeros(max(num_sites - 1, 0))
    for first, second, rank in places:
        grown[first:second] += math.log2(rank)
    ends = np.arange(1, num_sites)
    holds = np.minimum(grown, math.log2(d) * np.minimum(ends, num_sites - ends))
    return Work(num_sites, d, max((rank for _, _, rank in places), default=1), np.minimum(holds, 60.0))


def travel(places: Sequence[tuple[int, int]]) -> list[int]:
    """Return how many bonds each operation (first site, second site) and all after it span, with the way between them.

    The centre goes to the nearer end of each operation; one site on the way counts as a quarter of a bond.

    Example:
        >>> travel([(0, 1), (8, 9)])
        [4, 3, 0]
    """
    counted, centre = [0.0], 0
    for first, second in places:
        near = first if abs(centre - first) <= abs(centre - second) else second
        counted.append(counted[-1] + second - first + abs(near - centre) / 4)
        centre = near
    return [math.ceil(counted[-1] - each) for each in counted]


def duration(seconds: float) -> str:
    """Return a time in words.

    Example:
        >>> duration(42.0), duration(900.0), duration(7.3e4), duration(1e9)
        ('42 s', '15 min', '20 h', '12,000 days')
    """
    for size, name in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{float(f'{seconds / size:.2g}'):,.0f} {name}"
    return f"{seconds:.0f} s"


def watch(tell: Callable[[str], None]) -> Callable[[Work, Reached], None]:
    """Return what refuses a run that takes too long, or whose state is lost.

    Args:
        tell: takes sentences about runs that take long or lose much, each kind once.
    """
    told: set[str] = set()

    def look(asked: Work, reached: Reached) -> None:
        if said := _lost(asked, reached) or _too_long(asked, reached):
            raise ValueError(said)
        for kind, sentence in (("time", _long(asked, reached)), ("loss", _losing(asked, reached))):
            if sentence is not None and kind not in told:
                told.add(kind)
                tell(sentence)

    return look


def _long(asked: Work, reached: Reached) -> str | None:
    """Announce a run that takes long."""
    seconds = asked.seconds(reached.left, reached.bond)
    if seconds <= TOLD:
        return None
    return f"The circuit takes {'' if reached.done else 'at least '}about {duration(seconds)}: {_where(reached)}."


def _losing(asked: Work, reached: Reached) -> str | None:
    """Announce a run that loses much."""
    if reached.at_the_end > LITTLE or reached.kept > 0.5:
        return None
    return f"{_kept(reached)}. {_needed(asked)}."


def _kept(reached: Reached) -> str:
    """Say what is left, and what will be."""
    return (
        f"After operation {reached.done:,} of {reached.total:,} on two sites, cut to `max_bond`, {reached.kept:.2g} of "
        f"the squared norm is left; about {reached.at_the_end:.0e} would be at the end"
    )


def _needed(asked: Work) -> str:
    """Say which bonds may be needed."""
    bond, size = asked.widest()
    return f"Without cuts bonds up to {bond:,} may be needed, {size / 1e9:,.3g} GB for all of them"


def _where(reached: Reached) -> str:
    """Say how far a run is."""
    if not reached.done:
        return f"{reached.total:,} operations on two sites and the ways between them span {reached.left:,} bonds"
    return f"operation {reached.done:,} of {reached.total:,} on two sites has a bond of {reached.bond:,}"


def _too_long(asked: Work, reached: Reached) -> str | None:
    """Return the sentence about a run that takes too long."""
    seconds = asked.seconds(reached.left, reached.bond)
    if seconds <= MOST:
        return None
    start = f"The circuit would take {'' if reached.done else 'at least '}about {duration(seconds)}: {_where(reached)}"
    bonds = [2**k for k in range(1, 20) if 2**k < reached.bond and asked.seconds(reached.left, 2**k) < WORTH]
    if bonds:
        rest = duration(asked.seconds(reached.left, bonds[-1]))
        return f"{start}. Set `max_bond` to {bonds[-1]}: the rest then takes about {rest}, and what is lost is told."
    return f"{start}. Use fewer gates, or put qubits that gates join near each other."


def _lost(asked: Work, reached: Reached) -> str | None:
    """Return the sentence about a state of which nothing is left."""
    if reached.kept > LITTLE or reached.at_the_end >= 2.0**-asked.num_sites:
        return None
    return (
        f"{_kept(reached)}, less than a state at random has (2^-{asked.num_sites}): its numbers would mean nothing. "
        f"{_needed(asked)}: use fewer qubits or gates, or raise `max_bond` if far smaller ones are enough."
    )
