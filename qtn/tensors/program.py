"""Arrange one- and two-site operations into sweeps: a plan of index arrays, made once in Python, without numbers.

Even sweeps run from site 0 to the last, odd sweeps back. An operation on a bond joins the earliest sweep that comes
after everything before it on its two sites; a staircase of gates is one sweep, a brickwork layer another. Operations
on the same bond with nothing in between are multiplied into one gate; one-site operations are absorbed by the next
gate. Distant sites are brought together, and back, by SWAP gates.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from qtn import _budget
from qtn._array import Array
from qtn.tensors.sweep import CUT, FACTOR, IDLE, LEFT, RIGHT, Layers

MAX_FACTORS = 6
"""Largest operator-Schmidt rank applied by its factors (noisy CNOT in the Pauli basis: 5)."""

Span = tuple[np.ndarray, np.ndarray]
"""Bases (r, d, d) that hold all left and all right operators of a gate, whatever its parameters."""


class Operation(NamedTuple):
    """One operation: where, which matrix of its stack, and the spans of its operator-Schmidt factors if known."""

    sites: tuple[int, ...]
    index: int
    span: Span | None = None


@dataclass
class _Slot:
    """What happens on one bond in one sweep; entries are (stack, index)."""

    before: tuple[list[int], list[int]]
    core: list[tuple[str, int]] = field(default_factory=list)
    spans: list[np.ndarray | None] = field(default_factory=list)


class Plan(NamedTuple):
    """Index arrays of a program. Stacks: `ones` and `twos` with the identity in front; see `assemble`."""

    num_exact: int
    """Sweeps that need no truncation."""
    exact_bond: int
    """Padding that holds all bonds of the exact sweeps."""
    kinds: Any
    """(s, bonds), of the exact sweeps; for the others see `lossy_kinds`."""
    ranks: Any
    """(s, bonds), operator-Schmidt rank of the gate, 0 without one."""
    before: Any
    """Lists into the one-site stack; (s, bonds, 2), which list."""
    core: Any
    """Lists into [1, twos, flipped twos, ones x 1, 1 x ones, SWAP]; (s, bonds), which list."""
    factors: Any
    after: Any
    """Lists into the one-site stack; (n,), which list."""


def plan(num_sites: int, d: int, operations: Sequence[Operation], max_bond: int, start_bonds: Sequence[int]) -> Plan:
    """Arrange the operations of a program.

    Args:
        num_sites: n >= 2.
        d: physical dimension.
        operations: in time order, on one site or on two different ones.
        max_bond: bonds above it are cut.
        start_bonds: (n - 1,), bonds of the state the program starts from.

    Raises:
        ValueError: if the arrays of the program do not fit, with the number.
    """
    _budget.PLACES.require(sum(2 * abs(op.sites[0] - op.sites[-1]) for op in operations))
    slots, after = scheduled(num_sites, operations)
    num_sweeps = max((sweep for sweep, _ in slots), default=-1) + 1
    bonds = num_sites - 1
    if said := _budget.excess_bytes(num_sweeps * bonds * 64 * d**4, "use fewer qubits or gates"):
        raise ValueError(f"A program of {num_sweeps:,} sweeps over {bonds:,} bonds {said}.")
    num_one = 1 + max((op.index for op in operations if len(op.sites) == 1), default=-1)
    num_two = 1 + max((op.index for op in operations if len(op.sites) == 2), default=-1)
    starts = {"two": 1, "flip": 1 + num_two, "left": 1 + 2 * num_two, "right": 1 + 2 * num_two + num_one}
    starts["swap"] = 1 + 2 * num_two + 2 * num_one
    before = np.zeros((num_sweeps, bonds, 2, _longest(lst for s in slots.values() for lst in s.before)), int)
    core = np.zeros((num_sweeps, bonds, _longest(s.core for s in slots.values())), int)
    bases = {key: _product_span(slot.spans, d) for key, slot in slots.items()}
    short = [len(basis) for basis in bases.values() if len(basis) <= MAX_FACTORS and len(basis) < d * d]
    num_factors = max(short, default=1)
    factors = np.zeros((num_sweeps, bonds, num_factors, d, d), complex)
    ranks = np.zeros((num_sweeps, bonds), int)
    for (sweep, place), slot in slots.items():
        for side in (0, 1):
            before[sweep, place, side, : len(slot.before[side])] = [1 + k for k in slot.before[side]]
        core[sweep, place, : len(slot.core)] = [starts[stack] + k for stack, k in slot.core]
        basis = bases[sweep, place]
        ranks[sweep, place] = len(basis)
        if len(basis) <= num_factors:
            factors[sweep, place, : len(basis)] = basis
    kinds, num_exact, exact_bond = _exact(ranks, num_factors, d, max_bond, list(start_bonds))
    trailing = np.zeros((num_sites, _longest(after)), int)
    for site, ops in enumerate(after):
        trailing[site, : len(ops)] = [1 + k for k in ops]
    return Plan(num_exact, exact_bond, kinds, ranks, _distinct(before), _distinct(core), factors, _distinct(trailing))


def _distinct(lists: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct lists along the last axis, padded to a power of two, and which one each place has."""
    found, place = np.unique(lists.reshape(-1, lists.shape[-1]), axis=0, return_inverse=True)
    rows = 1 << max(len(found) - 1, 0).bit_length()
    return np.pad(found, ((0, rows - len(found)), (0, 0))), place.reshape(lists.shape[:-1])


def _longest(lists: Iterable[Sequence[object]]) -> int:
    """Return the length of the longest list, at least 1."""
    return max((len(entries) for entries in lists), default=0) or 1


def scheduled(num_sites: int, operations: Sequence[Operation]) -> tuple[dict[tuple[int, int], _Slot], list[list[int]]]:
    """Return the slots by (sweep, bond in the order of that sweep), and the one-site operations left at the end."""
    slots: dict[tuple[int, int], _Slot] = {}
    pending: list[list[int]] = [[] for _ in range(num_sites)]
    last: list[tuple[int, int] | None] = [None] * num_sites  # (sweep, bond in the order of sites)

    def earliest(bond: int) -> int:
        sweep = 0
        for site in (bond, bond + 1):
            if last[site] is not None:
                then, other = last[site]  # pyright: ignore[reportGeneralTypeIssues]
                forward = then % 2 == 0
                same_sweep = (other < bond and forward) or (other > bond and not forward)
                sweep = max(sweep, then if same_sweep else then + 1)
        return sweep

    def place(bond: int, entry: tuple[str, int], flipped: bool, span: Span | None) -> None:
        here = last[bond]
        fuse = here is not None and here == last[bond + 1] and here[1] == bond
        sweep = here[0] if fuse and here is not None else earliest(bond)
        forward = sweep % 2 == 0
        first, second = (bond, bond + 1) if forward else (bond + 1, bond)
        key = (sweep, bond if forward else num_sites - 2 - bond)
        if fuse:
            slot = slots[key]
            for site, stack in ((first, "left"), (second, "right")):
                slot.core += [(stack, index) for index in pending[site]]
                slot.spans += [None] * len(pending[site])
        else:
            slot = slots[key] = _Slot(before=(pending[first], pending[second]))
        pending[first], pending[second] = [], []
        turned = flipped == forward  # is the operation's first site met second?
        stack, index = entry
        slot.core.append((("flip" if turned else "two"), index) if stack == "two" else entry)
        slot.spans.append(None if span is None else span[1 if turned else 0])
        last[bond] = last[bond + 1] = (sweep, bond)

    for op in operations:
        if len(op.sites) == 1:
            pending[op.sites[0]].append(op.index)
            continue
        low, high = sorted(op.sites)
        for bond in range(low, high - 1):
            place(bond, ("swap", 0), False, None)
        place(high - 1, ("two", op.index), op.sites[0] > op.sites[1], op.span)
        for bond in reversed(range(low, high - 1)):
            place(bond, ("swap", 0), False, None)
    return slots, pending


def _product_span(spans: list[np.ndarray | None], d: int) -> np.ndarray:
    """Return an orthonormal basis (r, d, d) of all products of the operators of each span."""
    basis = np.eye(d)[None]
    for span in spans:
        if span is None:
            return np.eye(d * d).reshape(-1, d, d)
        pairs = np.einsum("aij,bjk->abik", span, basis).reshape(-1, d * d)
        _, s, vh = np.linalg.svd(pairs)
        basis = vh[: int(np.sum(s > 1e-12 * s[0]))].reshape(-1, d, d)
    return basis


def _exact(ranks: np.ndarray, num_factors: int, d: int, max_bond: int, bonds: list[int]) -> tuple[np.ndarray, int, int]:
    """Run exactly as long as bonds fit; return (kinds, number of exact sweeps, bond they need)."""
    kinds = np.zeros(ranks.shape, int)
    num_exact, widest = 0, max(bonds, default=1)
    for sweep, row in enumerate(ranks):
        kinds[sweep], after = _exact_kinds(row, num_factors, d, bonds[::-1] if sweep % 2 else bonds)
        if max(after) > max_bond:
            break
        num_exact, widest = sweep + 1, max(widest, *after)
        bonds = after[::-1] if sweep % 2 else after
    return kinds, num_exact, widest


def _exact_kinds(ranks: np.ndarray, num_factors: int, d: int, bonds: list[int]) -> tuple[list[int], list[int]]:
    """Choose the cheapest exact form of every gate of a sweep."""
    kinds, after = [], []
    for place, rank in enumerate(ranks):
        if rank == 0:
            kinds.append(IDLE)
            after.append(bonds[place])
            continue
        left = after[place - 1] if place else 1
        right = bonds[place + 1] if place + 1 < len(bonds) else 1
        options = [(d * right, RIGHT), (d * left, LEFT)]
        if rank <= num_factors:
            options.append((bonds[place] * num_factors, FACTOR))
        bond, kind = min(options)
        kinds.append(kind)
        after.append(bond)
    return kinds, after


def edge_bonds(num_bonds: int, d: int) -> np.ndarray:
    """Return the largest bonds that the two ends of a train allow (2^60 stands for more)."""
    return np.array([d ** min(place + 1, num_bonds - place, 60 // d) for place in range(num_bonds)])


def lossy_kinds(ranks: np.ndarray, d: int, max_bond: int) -> np.ndarray:
    """Choose what every bond of lossy sweeps does: cut only where neither side fits.

    A gauge fills a bond as far as the sites before it allow, in the derivative if not in the state, so only the
    distance from the ends counts.
    """
    kinds = np.zeros(ranks.shape, int)
    num_bonds = ranks.shape[1]
    for sweep, place in zip(*np.nonzero(ranks), strict=True):
        left, right = (d ** min(int(steps), 60) for steps in (place, num_bonds - 1 - place))
        kinds[sweep, place] = LEFT if d * left <= max_bond else RIGHT if d * right <= max_bond else CUT
    return kinds


def assemble(arranged: Plan, ones: Array, twos: Array) -> tuple[Layers, Array]:
    """Multiply the matrices of every bond together.

    Args:
        arranged: index arrays.
        ones: (k, d, d), one-site matrices.
        twos: (m, d d, d d), two-site matrices, rows (first site, second site) in the order of `Operation.sites`.

    Returns:
        layers: of all sweeps.
        after: (n, d, d), one-site matrices to apply at the end.
    """
    d = ones.shape[-1]
    eye = jnp.eye(d, dtype=ones.dtype)
    swap = jnp.eye(d * d, dtype=ones.dtype).reshape(d, d, d, d).transpose(1, 0, 2, 3).reshape(1, d * d, d * d)
    flipped = twos.reshape(-1, d, d, d, d).transpose(0, 2, 1, 4, 3).reshape(-1, d * d, d * d)
    stack = jnp.concatenate(
        [
            jnp.eye(d * d, dtype=ones.dtype)[None],
            twos,
            flipped,
            jnp.einsum("kij,ab->kiajb", ones, eye).reshape(-1, d * d, d * d),
            jnp.einsum("kij,ab->kaibj", ones, eye).reshape(-1, d * d, d * d),
            swap,
        ]
    )
    single = jnp.concatenate([eye[None], ones])
    real = not jnp.issubdtype(ones.dtype, jnp.complexfloating)
    factors = jnp.asarray(jnp.real(arranged.factors) if real else arranged.factors, dtype=ones.dtype)
    layers = Layers(
        kinds=jnp.asarray(arranged.kinds),
        before=products(single, arranged.before),
        gates=products(stack, arranged.core),
        factors=factors,
    )
    return layers, products(single, arranged.after)


def products(stack: Array, index: tuple[Any, Any]) -> Array:
    """Multiply stack[k1], then stack[k2], ... from the left, once for every distinct list k1, k2, ...

    Args:
        stack: (m, D, D), the identity first.
        index: distinct lists (u, k), and which of them belongs to each place.
    """
    lists, place = index
    out = jnp.broadcast_to(stack[0], (lists.shape[0], *stack.shape[1:]))
    for column in range(lists.shape[1]):
        out = stack[lists[:, column]] @ out
    return out[place]
