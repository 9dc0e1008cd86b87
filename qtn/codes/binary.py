"""Pauli strings as pairs of bit masks, and linear algebra over two elements."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Pauli(NamedTuple):
    """A Pauli string without its sign; bit i stands for photon i."""

    x: int
    """Where it has X or Y."""
    z: int
    """Where it has Z or Y."""

    def times(self, other: "Pauli") -> "Pauli":
        """Return the product."""
        return Pauli(self.x ^ other.x, self.z ^ other.z)

    def on(self, photons: int) -> "Pauli":
        """Return its letters on a set of photons, given as a mask."""
        return Pauli(self.x & photons, self.z & photons)


NOTHING = Pauli(0, 0)


def pauli_of(string: str) -> Pauli:
    """Return the bit masks of a string of letters."""
    return Pauli(
        sum(1 << i for i, letter in enumerate(string) if letter in "XY"),
        sum(1 << i for i, letter in enumerate(string) if letter in "ZY"),
    )


def string_of(pauli: Pauli, num_qubits: int) -> str:
    """Return the letters."""
    return "".join("IXZY"[(pauli.x >> i & 1) + 2 * (pauli.z >> i & 1)] for i in range(num_qubits))


def commute(first: Pauli, second: Pauli) -> bool:
    """Whether two Pauli strings commute."""
    return ((first.x & second.z).bit_count() + (first.z & second.x).bit_count()) % 2 == 0


def independent(paulis: Iterable[Pauli]) -> int:
    """Return how many of some Pauli strings are independent."""
    return sum(1 for image, _ in reduced((each, NOTHING) for each in paulis) if image != NOTHING)


def reduced(rows: Iterable[tuple[Pauli, Pauli]]) -> list[tuple[Pauli, Pauli]]:
    """Return rows (image, string) combined so that images are independent or nothing; what has no image comes last."""
    kept: list[tuple[int, Pauli, Pauli]] = []
    silent: list[tuple[Pauli, Pauli]] = []
    for image, string in rows:
        image, string = eliminated(image, string, kept)
        if image == NOTHING:
            silent.append((image, string))
        else:
            kept.append((leading(image), image, string))
    return [(image, string) for _, image, string in kept] + silent


def eliminated(image: Pauli, string: Pauli, kept: Iterable[tuple[int, Pauli, Pauli]]) -> tuple[Pauli, Pauli]:
    """Return a row after subtracting the rows that are kept."""
    for bit, other, source in kept:
        if joined(image) >> bit & 1:
            image, string = image.times(other), string.times(source)
    return image, string


def joined(pauli: Pauli) -> int:
    """Return both masks as one number."""
    return pauli.x | pauli.z << 64


def leading(pauli: Pauli) -> int:
    """Return the highest bit of both masks as one number."""
    return joined(pauli).bit_length() - 1


def off(photons: int, generators: Sequence[Pauli], wanted: Sequence[Pauli]) -> tuple[list[Pauli], list[Pauli] | None]:
    """Return the stabilisers, and forms of some operators, that do not act on a set of photons.

    Args:
        photons: the set, as a mask.
        generators: of the stabiliser.
        wanted: operators, each up to stabilisers.

    Returns:
        free: independent stabilisers that act on other photons only.
        forms: of the operators, likewise; None if one of them has none.
    """
    rows = reduced((each.on(photons), each) for each in generators)
    kept = [(leading(image), image, string) for image, string in rows if image != NOTHING]
    forms = [eliminated(each.on(photons), each, kept) for each in wanted]
    lost = any(image != NOTHING for image, _ in forms)
    return [string for image, string in rows if image == NOTHING], None if lost else [string for _, string in forms]


def transversal(generators: Sequence[str]) -> tuple[str, str] | None:
    """Return X and Z on every photon if they are logical operators."""
    num_qubits = len(generators[0])
    x, z = "X" * num_qubits, "Z" * num_qubits
    fit = all(commute(pauli_of(each), pauli_of(g)) for g in generators for each in (x, z))
    return (x, z) if fit and num_qubits % 2 else None


def logical_operators(generators: Sequence[str]) -> tuple[str, str]:
    """Return a logical X and Z of generators that encode one qubit: the first strings, by weight, that are some."""
    paulis, num_qubits = [pauli_of(each) for each in generators], len(generators[0])
    single = [Pauli(1 << i, 0) for i in range(num_qubits)] + [Pauli(0, 1 << i) for i in range(num_qubits)]
    normal = centraliser(paulis, single)
    found = [each for each in normal if any(not commute(each, other) for other in normal)]
    first = found[0]
    second = next(each for each in found if not commute(first, each))
    x, z = (first, second) if first.z.bit_count() <= second.z.bit_count() else (second, first)
    return string_of(x, num_qubits), string_of(z, num_qubits)


def centraliser(paulis: Sequence[Pauli], basis: Sequence[Pauli]) -> list[Pauli]:
    """Return a basis of the Pauli strings that commute with some others."""

    def image(string: Pauli) -> Pauli:
        return Pauli(sum(1 << i for i, each in enumerate(paulis) if not commute(each, string)), 0)

    return [string for found, string in reduced((image(each), each) for each in basis) if found == NOTHING]
