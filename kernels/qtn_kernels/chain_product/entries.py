"""Small matrices as rows of entries, each an array over chains or a plain number that is known when traced.

Products skip what is known to be 0 or 1, and so do the loops: only entries that vary are carried.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jaxtyping import Array

Build = Callable[..., Sequence[Sequence[Any]]]
"""From arrays over chains, one a parameter, to the rows of a matrix: elementwise, no axes."""

Rows = Sequence[Sequence[Any]]


def _is(entry: Any, number: Any) -> bool:
    return isinstance(entry, (int, float)) and entry == number


def _dot(row: Sequence[Any], column: Sequence[Any]) -> Any:
    """Return sum_k row[k] column[k] without known zeros and ones."""
    total: Any = 0.0
    for a, b in zip(row, column, strict=True):
        if _is(a, 0) or _is(b, 0):
            continue
        term = b if _is(a, 1) else a if _is(b, 1) else a * b
        total = term if _is(total, 0) else total + term
    return total


def multiply(left: Rows, right: Rows) -> list[list[Any]]:
    """Return the matrix product of two matrices of entries."""
    columns = list(zip(*right, strict=True))
    return [[_dot(row, column) for column in columns] for row in left]


def identity(size: int) -> list[list[float]]:
    """Return the identity of entries."""
    return [[float(i == j) for j in range(size)] for i in range(size)]


class _Varying:
    """An entry whose value is not known; sums and products with it are not known either."""

    def __mul__(self, other: Any) -> Any:
        """Return what is not known."""
        return self

    __rmul__ = __add__ = __radd__ = __mul__


def _marked(entry: Any) -> Any:
    return float(entry) if isinstance(entry, (int, float)) else _Varying()


def pattern(build: Build, num_parameters: int) -> list[list[float | None]]:
    """Return which entries of every product of links are known numbers, None where they vary.

    Raises:
        ValueError: if the matrix is not square.
    """
    shapes = [jax.ShapeDtypeStruct((1,), "float32")] * num_parameters
    found: list[Any] = []

    def record(*parameters: Array) -> None:
        found.extend([_marked(entry) for entry in row] for row in build(*parameters))

    jax.eval_shape(record, *shapes)
    size = len(found)
    if any(len(row) != size for row in found):
        raise ValueError(f"Argument `build` must return a square matrix, but its rows have {[len(r) for r in found]}.")
    known: list[list[float | None]] = [list(row) for row in identity(size)]
    while True:
        product = multiply([[_Varying() if each is None else each for each in row] for row in known], found)
        joined = [
            [a if a is not None and _is(b, a) else None for a, b in zip(*rows, strict=True)]
            for rows in zip(known, product, strict=True)
        ]
        if joined == known:
            return known
        known = joined


def varying(rows: Rows, known: Rows) -> list[Any]:
    """Return the entries that vary, in reading order."""
    return [a for row, k in zip(rows, known, strict=True) for a, b in zip(row, k, strict=True) if b is None]


def filled(entries: Sequence[Any], known: Rows) -> list[list[Any]]:
    """Return the rows of a matrix from the entries that vary."""
    left = iter(entries)
    return [[next(left) if each is None else each for each in row] for row in known]
