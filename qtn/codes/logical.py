"""What decoding leaves of an encoded qubit, and the arithmetic that codes share."""

from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array, library
from qtn._pytree import pytree
from qtn.states.pair import BELL_FROM_CHARACTERS, CHARACTERS_FROM_BELL

MAX_PHOTONS = 10_000
"""Photons of one code word that are allowed."""

MAX_READINGS = 500
"""Readings of one vote that are allowed: their number of splits into right, wrong and missing grows with its square."""

NO_ERROR = (1.0, 0.0, 0.0, 0.0)
"""The Pauli channel that does nothing."""


@pytree
class Logical:
    """What decoding leaves of one encoded qubit."""

    p_success: Float[Array, ""]
    """Probability that the photons that arrive suffice, in [0, 1]; a failure is known as such."""

    weights: Float[Array, "4"]
    """Logical Pauli channel in the cases of success: probabilities of I, X, Y, Z, sum 1."""


@runtime_checkable
class Code(Protocol):
    """One qubit in many photons."""

    @property
    def num_photons(self) -> int:
        """Photons of one code word."""
        ...

    def logical(self, loss: Any = 0.0, pauli: Any = None) -> Logical:
        """Return what decoding leaves where photons are lost and suffer Pauli errors."""
        ...

    def generation_time(self, emission_time: Any, gate_time: Any) -> Array:
        """Return how long the emitters of one station take to make a code word [s]."""
        ...


def noise(loss: Any, pauli: Any) -> tuple[Array, Array | None]:
    """Return the checked noise of one photon; None for errors that are known not to happen.

    Args:
        loss: probability that a photon is lost, in [0, 1].
        pauli: (4,), probabilities of I, X, Y, Z on a photon that arrives; None = no error.

    Raises:
        ValueError: if a number lies outside its range.
    """
    lost = _checks.probability("loss", loss)
    errors = _checks.probability("pauli", NO_ERROR if pauli is None else pauli)
    if lost.shape != ():
        raise ValueError(f"Argument `loss` must be a single number, but has shape {lost.shape}.")
    if errors.shape != (4,):
        raise ValueError(
            f"Argument `pauli` must hold the probabilities of I, X, Y and Z, but has shape {errors.shape}."
        )
    known = _checks.known(errors)
    if known is not None and abs(known.sum() - 1) > 1e-9:
        raise ValueError(f"Argument `pauli` must sum to 1, but sums to {known.sum():.12g}: its first entry is of I.")
    harmless = known is not None and not known[1:].any()
    return lost, None if harmless else errors


def decoded(characters: Float[Array, "4"]) -> Logical:
    """Return probability and logical channel of unnormalised characters.

    Args:
        characters: (4,), the probability of success, and with which sign (times that probability) the logical
            operators X, Y and Z keep their values.

    Note:
        A success probability of 0 leaves the maximally mixed qubit, with derivative 0.
    """
    xp = library(characters)
    p_success = characters[0]
    safe = xp.where(p_success > 0, p_success, 1.0)
    mixed = np.array([1.0, 0.0, 0.0, 0.0])
    return Logical(
        p_success=p_success, weights=BELL_FROM_CHARACTERS @ xp.where(p_success > 0, characters / safe, mixed)
    )


def signs(pauli: Float[Array, "4"]) -> Float[Array, "4"]:
    """Return with which mean sign a photon keeps its values of 1, X, Y, Z."""
    return library(pauli).asarray(CHARACTERS_FROM_BELL @ pauli)


def vote(count: int, right: Any, wrong: Any, failed: Any) -> Any:
    """Return the mean sign of the majority of several readings, ties and no readings at all counting 0.

        sum_{r > w} count! / (r! w! f!) failed^f (right^r wrong^w - wrong^r right^w),      r + w + f = count

    Args:
        count: number of readings.
        right: probability that a reading is there and right; or any weight, with a sign.
        wrong: that it is there and wrong.
        failed: that it is not there.

    Note:
        A polynomial: exact and differentiable everywhere. Ties are broken by a fair coin.
    """
    return ahead(count, right, wrong, failed, 1) - ahead(count, wrong, right, failed, 1)


def ahead(count: int, first: Any, second: Any, neither: Any, margin: int) -> Any:
    """Return the weight of all ways in which readings of one kind outnumber those of another by a margin.

    Args:
        count: number of readings, each of the first kind, the second, or neither.
        first: weight of a reading of the first kind.
        second: of the second.
        neither: of neither.
        margin: by how many, at least 1.
    """
    if count < margin:
        return 0.0 * first
    a, b, rest, ways = _splits(count, margin)
    xp = library(first, second, neither)
    return xp.sum(ways * xp.power(first, a) * xp.power(second, b) * xp.power(neither, rest))


@lru_cache(maxsize=64)
def _splits(count: int, margin: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return readings of the first kind, the second and neither, and in how many ways."""
    first, second = np.indices((count + 1, count + 1)).reshape(2, -1)
    kept = (first - second >= margin) & (first + second <= count)
    first, second = first[kept], second[kept]
    chosen = np.zeros((count + 1, count + 1))
    for row in range(count + 1):  # Pascal's triangle
        chosen[row, 0] = 1.0
        chosen[row, 1:] = chosen[row - 1, 1:] + chosen[row - 1, :-1] if row else 0.0
    return first, second, count - first - second, chosen[count, first] * chosen[count - first, second]


def require_readings(name: str, count: int) -> None:
    """Raise if more readings vote than allowed."""
    if count > MAX_READINGS:
        raise ValueError(
            f"Argument `{name}` must be at most {MAX_READINGS}, but is {count:,}: the votes of so many are summed one "
            "by one. Choose a smaller number."
        )


def unharmed(p_success: Any) -> Logical:
    """Return what decoding leaves where photons are lost but suffer no errors."""
    return decoded(p_success * (CHARACTERS_FROM_BELL @ np.array(NO_ERROR)))


def require_photons(count: int, most: int = MAX_PHOTONS) -> None:
    """Raise if a code word has more photons than allowed."""
    if count > most:
        raise ValueError(f"A code word may have at most {most:,} photons, but has {count:,}. Choose smaller numbers.")


def whole(name: str, value: Any, least: int = 1) -> int:
    """Return a checked whole number."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"Argument `{name}` must be a whole number of at least {least}, but is {value!r}.")
    return int(value)
