"""Arrange random operations into sweeps: index arrays, made once in NumPy, without numbers."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from qtn.tensors.program import Operation, lossy_kinds, scheduled


class Event(NamedTuple):
    """One instrument at one place, and which random number draws its outcome (-1: it has only one)."""

    sites: tuple[int, ...]
    index: int
    draw: int = -1
    span: Any = None


class Slots(NamedTuple):
    """What happens on every bond of every sweep."""

    kinds: Any
    """(s, bonds), see `qtn.tensors.sweep`."""
    instruments: Any
    """(s, bonds, l), into the stack of `two_site_stack`; 0 does nothing."""
    draws: Any
    """(s, bonds, l), into the random numbers of a trajectory."""


def arrange(num_sites: int, events: Sequence[Event], num_one: int, num_two: int) -> tuple[Slots, np.ndarray]:
    """Arrange events into sweeps (NumPy): the slots, and the operator-Schmidt rank of every bond (0: none).

    Args:
        num_sites: n >= 2.
        events: in time order.
        num_one: number of one-site instruments.
        num_two: number of two-site instruments.
    """
    operations = [Operation(event.sites, place, event.span) for place, event in enumerate(events)]
    found, left = scheduled(num_sites, operations)
    if any(left):  # one-site events at the end need a bond to be drawn on
        still = [Operation((bond, bond + 1), len(events)) for bond in range(num_sites - 1)]
        options = [scheduled(num_sites, [*operations, *order])[0] for order in (still, still[::-1])]
        found = min(options, key=lambda slots: max(sweep for sweep, _ in slots))
    starts = {"two": 1, "flip": 1 + num_two, "left": 1 + 2 * num_two, "right": 1 + 2 * num_two + num_one}
    starts["swap"] = 1 + 2 * num_two + 2 * num_one
    lists: dict[tuple[int, int], list[tuple[int, int]]] = {}
    num_sweeps = 1 + max((sweep for sweep, _ in found), default=-1)
    ranks = np.zeros((num_sweeps, num_sites - 1), int)
    for key, slot in found.items():
        entries = [("left", place) for place in slot.before[0]] + [("right", place) for place in slot.before[1]]
        entries += [(stack, place) for stack, place in slot.core if place < len(events)]
        lists[key] = [
            (starts["swap"], -1) if stack == "swap" else (starts[stack] + events[place].index, events[place].draw)
            for stack, place in entries
        ]
        ranks[key] = int(np.prod([_rank(stack, span) for (stack, _), span in zip(slot.core, slot.spans, strict=True)]))
        ranks[key] = min(ranks[key], 4) if lists[key] else 0
    longest = max((len(entries) for entries in lists.values()), default=0) or 1
    table = np.zeros((2, num_sweeps, num_sites - 1, longest), int)
    table[1] = -1
    for key, entries in lists.items():
        table[(slice(None), *key, slice(0, len(entries)))] = np.array(entries, int).reshape(-1, 2).T
    return Slots(ranks, table[0], table[1]), ranks


def _rank(stack: str, span: Any) -> int:
    """Return the largest factor by which an entry of a bond raises its rank."""
    return 1 if stack in ("left", "right") else 4 if span is None else len(span)


def stages(ranks: np.ndarray, start: int, max_bond: int) -> list[tuple[int, int, int]]:
    """Group sweeps by the bond they can need: (first sweep, end, bond), bonds 4, 16, 64, ... up to `max_bond`."""
    bonds, out = np.full(ranks.shape[1], start), []
    for sweep, row in enumerate(ranks):
        bonds = bonds[::-1] if sweep else bonds
        bonds = np.minimum(bonds * np.maximum(row, 1), 2**40)
        for edge in range(min(len(bonds), 40)):
            bonds[edge] = min(bonds[edge], 2 ** (edge + 1))
            bonds[-1 - edge] = min(bonds[-1 - edge], 2 ** (edge + 1))
        bonds = np.minimum(bonds, max_bond)
        size = min(next(4**k for k in range(1, 40) if 4**k >= bonds.max()), max_bond)
        size = max(size, out[-1][2] if out else start)
        if out and out[-1][2] == size:
            out[-1] = (out[-1][0], sweep + 1, size)
        else:
            out.append((sweep, sweep + 1, size))
    return out


def slot_kinds(ranks: np.ndarray, bond: int) -> np.ndarray:
    """Return what every bond does at padding `bond`."""
    return lossy_kinds(ranks, 2, bond)
