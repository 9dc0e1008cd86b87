"""Exact maximum-likelihood decoding: how many errors of each kind lead to each syndrome and logical error.

A photon that is lost has suffered one of four Paulis, all equally likely. Stabilisers that act on it say nothing; those
that do not are left, and if a logical X and Z act on the other photons alone the qubit is still there. So every set of
lost photons is a smaller code with its own syndromes.
"""

import itertools
from collections import Counter
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array, library
from qtn.codes.binary import Pauli, commute, off, pauli_of
from qtn.codes.logical import Logical, decoded, unharmed
from qtn.states.pair import CHARACTERS_FROM_BELL

MOST_TOGETHER = 10
"""Photons up to which errors and losses together are decoded: 5^n kinds of noise."""

TIE = 1e-12
"""Relative difference up to which logical errors are equally likely."""

TILT = 1e-6
"""Depolarising that decides what is undone after syndromes that cannot happen without it."""

PRODUCT = np.array([[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]])
"""Index of the product of two Paulis in the order I, X, Y, Z."""


class Table(NamedTuple):
    """The counts of one number of lost photons, for the losses that can be undone."""

    num_lost: int
    counts: np.ndarray
    """(s, 4, m), errors by kind of syndrome, logical error and monomial."""
    times: np.ndarray
    """(s,), how many syndromes of how many sets of lost photons are of a kind."""
    powers: np.ndarray
    """(m, 4), how often I, X, Y, Z occur."""


def decode(
    generators: tuple[str, ...],
    logical_x: str,
    logical_z: str,
    loss: Float[Array, ""],
    pauli: Float[Array, "4"] | None,
) -> Logical:
    """Return success probability and logical channel of a stabiliser code.

    Args:
        generators: Pauli strings.
        logical_x: Pauli string.
        logical_z: Pauli string.
        loss: probability that a photon is lost.
        pauli: (4,), errors of a photon that arrives; None = no error, now and for derivatives.

    Raises:
        ValueError: if there are too many photons for errors and losses together.
    """
    code, num_qubits = (generators, logical_x, logical_z), len(logical_x)
    known = _checks.known(loss)
    complete = known is not None and not known.any()
    if pauli is None:
        return unharmed(sum_of_losses(np.array(correctable(*code)), loss))
    if not complete and num_qubits > MOST_TOGETHER:
        raise ValueError(
            f"Errors together with losses are decoded up to {MOST_TOGETHER} photons, but the code has {num_qubits}. "
            "Give one of `loss` and `pauli`, or choose a smaller code."
        )
    xp = library(loss, pauli)
    total = xp.zeros(4)
    for table in tables(*code, 0 if complete else num_qubits):
        rest = num_qubits - table.num_lost
        total = total + loss**table.num_lost * (1 - loss) ** rest * residual(table, pauli)
    return decoded(CHARACTERS_FROM_BELL @ total)


def sum_of_losses(ways: np.ndarray, loss: Float[Array, ""]) -> Float[Array, ""]:
    """Return the probability of the losses that can be undone, of which there are so many of each size."""
    lost = np.arange(ways.size)
    xp = library(loss)
    return xp.sum(ways * xp.power(loss, lost) * xp.power(1 - loss, lost[::-1]))


def residual(table: Table, pauli: Float[Array, "4"]) -> Float[Array, "4"]:
    """Return the unnormalised logical errors after decoding, for the sets of lost photons of one table.

    After syndromes that cannot happen, which count for derivatives only, what is undone is most likely with a little
    depolarising besides.
    """
    likely = likelihoods(table, pauli)
    if library(pauli) is np:
        return left_over(table, likely, shares(likely))
    fixed = jax.lax.stop_gradient(pauli)
    possible = jax.lax.stop_gradient(likely).max(axis=1, keepdims=True) > 0
    tilted = likelihoods(table, (1 - TILT) * fixed + TILT / 4)
    return left_over(table, likely, jnp.where(possible, shares(likely), shares(tilted)))


def left_over(table: Table, likely: Float[Array, "s 4"], share: Float[Array, "s 4"]) -> Float[Array, "4"]:
    """Return the logical errors that are left where each is undone in its share of the cases."""
    both = (table.times[:, None] * likely).T @ share  # s logical, s undone -> logical undone
    return library(both).stack([sum(both[PRODUCT[left, undone], undone] for undone in range(4)) for left in range(4)])


def likelihoods(table: Table, pauli: Float[Array, "4"]) -> Float[Array, "s 4"]:
    """Return the probability of each kind of syndrome together with each logical error."""
    xp = library(pauli)
    return table.counts @ xp.prod(xp.power(pauli, table.powers), axis=1)


def shares(likely: Float[Array, "s 4"]) -> Float[Array, "s 4"]:
    """Return which logical error is undone: the most likely one, equally likely ones in equal shares; a constant."""
    judged = likely if library(likely) is np else jax.lax.stop_gradient(likely)
    best = judged >= (1 - TIE) * judged.max(axis=1, keepdims=True)
    return best / best.sum(axis=1, keepdims=True)


@lru_cache(maxsize=64)
def correctable(generators: tuple[str, ...], logical_x: str, logical_z: str) -> tuple[int, ...]:
    """Return how many sets of 0, 1, .. lost photons can be undone."""
    found = Counter(len(lost) for lost, _ in erasures(generators, logical_x, logical_z, len(logical_x)))
    return tuple(found[count] for count in range(len(logical_x) + 1))


def erasures(generators: tuple[str, ...], logical_x: str, logical_z: str, most: int) -> Any:
    """Yield the sets of up to `most` lost photons that can be undone, with the strings that are left to measure."""
    paulis, wanted = [pauli_of(each) for each in generators], [pauli_of(logical_x), pauli_of(logical_z)]
    for count in range(most + 1):
        for lost in itertools.combinations(range(len(logical_x)), count):
            free, forms = off(sum(1 << photon for photon in lost), paulis, wanted)
            if forms is not None:
                yield lost, (*free, *forms)


@lru_cache(maxsize=16)
def tables(generators: tuple[str, ...], logical_x: str, logical_z: str, most: int) -> tuple[Table, ...]:
    """Return the tables of all numbers of lost photons up to `most`."""
    found: dict[int, Counter[bytes]] = {}
    for lost, strings in erasures(generators, logical_x, logical_z, most):
        photons = [photon for photon in range(len(logical_x)) if photon not in lost]
        rows = counted(photons, strings)
        found.setdefault(len(lost), Counter()).update(row.tobytes() for row in canonical(rows))
    return tuple(as_table(lost, len(logical_x) - lost, rows) for lost, rows in found.items())


def counted(photons: list[int], strings: tuple[Pauli, ...]) -> np.ndarray:
    """Return how many errors of the photons that arrive there are, (syndromes, 4, monomials).

    Args:
        photons: those that arrive.
        strings: stabilisers, then logical X and logical Z, on these photons only.
    """
    *free, x, z = strings
    base = len(photons) + 1
    keys, kinds = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    for photon in photons:
        letters = [Pauli(a << photon, b << photon) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
        bits = [sum((not commute(string, each)) << i for i, string in enumerate((x, z, *free))) for each in letters]
        keys = (keys[None, :] ^ np.array(bits)[:, None]).ravel()
        kinds = (kinds[None, :] + np.array([0, base * base, base, 1])[:, None]).ravel()
    logical = np.array([0, 3, 1, 2])[keys & 3]  # what disturbs logical X is a Z, what disturbs logical Z an X
    cells = ((keys >> 2) * 4 + logical) * base**3 + kinds
    counts = np.bincount(cells, minlength=4 * 2 ** len(free) * base**3)
    whole = monomials(base - 1) @ np.array([0, base * base, base, 1])
    return counts.reshape(-1, 4, base**3)[:, :, whole].astype(np.int32)


def canonical(rows: np.ndarray) -> np.ndarray:
    """Return rows with the logical errors renamed by one Pauli, so that equal decisions look equal."""
    forms = np.stack([rows[:, PRODUCT[shift]] for shift in range(4)])
    names = [[form.tobytes() for form in each] for each in forms.swapaxes(0, 1)]
    first = [min(range(4), key=lambda shift, row=row: row[shift]) for row in names]
    return forms[first, np.arange(len(rows))]


def as_table(lost: int, arrived: int, rows: "Counter[bytes]") -> Table:
    """Return the table of some rows of counts."""
    powers = monomials(arrived)
    counts = np.frombuffer(b"".join(rows), dtype=np.int32).reshape(len(rows), 4, len(powers))
    return Table(lost, counts.astype(np.float64), np.array(list(rows.values()), dtype=np.float64), powers)


def monomials(arrived: int) -> np.ndarray:
    """Return how often I, X, Y, Z can occur among the photons that arrive, (m, 4)."""
    split = [(x, y, z) for x, y, z in itertools.product(range(arrived + 1), repeat=3) if x + y + z <= arrived]
    return np.array([(arrived - sum(each), *each) for each in split], dtype=np.int64)
