"""Compare two problems: their merits side by side, and what differs in their files."""

from collections.abc import Iterator, Mapping
from typing import Any

from qtn.problem.problem import Problem

NOT_COMPARED = ("info", "bell_diagonal", "links", "joins", "application", "left_out")
"""Results that have no ratio."""


def merits_of(numbers: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the comparable results of `report_numbers` by name, quantiles as "waiting_time_quantiles_s.0.5"."""
    return {name: value for name, value in _flat(numbers) if not name.startswith(NOT_COMPARED)}


def ratios(first: dict[str, float | None], second: dict[str, float | None]) -> dict[str, float | None]:
    """Return second over first by name, for all names of either; None where that means nothing."""
    return {name: _ratio(first.get(name), second.get(name)) for name in first | second}


def _ratio(first: float | None, second: float | None) -> float | None:
    return second / first if first and second is not None else None


def differences(first: Problem, second: Problem) -> dict[str, tuple[Any, Any]]:
    """Return the values that differ by dotted name; None where a file has none."""
    ours, theirs = (
        dict(_flat({key: table for key, table in each.document.items() if key not in each.written_out}))
        for each in (first, second)
    )
    names = [*ours, *(name for name in theirs if name not in ours)]
    return {name: (ours.get(name), theirs.get(name)) for name in names if ours.get(name) != theirs.get(name)}


def _flat(table: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Return the values below a table with their dotted names."""
    entries = table.items() if isinstance(table, Mapping) else enumerate(table)
    for key, value in entries:
        name = f"{prefix}{key}"
        if isinstance(value, (Mapping, list)):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value
