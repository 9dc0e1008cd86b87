"""The table of all workloads: what one row says, and how rows become Markdown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

HEADINGS = (
    "workload",
    "qtn",
    "XLA reference",
    "its time",
    "/ qtn",
    "peer",
    "its time",
    "/ qtn",
    "of the roofline",
    "memory",
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One workload; times in seconds, or a few words why there is none."""

    workload: str
    own: float | str | None = None
    """None: as in the row above."""
    reference: str = ""
    reference_time: float | None = None
    peer: str = ""
    peer_time: float | str | None = None
    moved: float = 0.0
    """Bytes that must be read or written."""
    operations: float = 0.0
    memory: int | None = None
    """Working memory of the compiled function [bytes]; of the whole process where it is several functions."""
    one_thread: bool = False


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What a device does at best: bytes copied and operations of a matrix product, per second."""

    copy: float
    matrix: float

    def __str__(self) -> str:
        """Say both."""
        return f"copy {self.copy / 1e9:.1f} GB/s, matrix product {self.matrix / 1e9:.0f} Gflop/s"


def duration(seconds: float | str | None) -> str:
    """Return three digits and a unit, or the words that stand for a time."""
    if seconds is None or isinstance(seconds, str):
        return seconds or "-"
    scale, unit = next(pair for pair in ((1, "s"), (1e3, "ms"), (1e6, "us"), (1e9, "ns")) if seconds * pair[0] >= 1)
    value = seconds * scale
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit}"


def ratio(other: float | str | None, own: float | str | None) -> str:
    """Return how many times as long the other takes."""
    if not isinstance(other, float) or not isinstance(own, float):
        return "-"
    value = other / own
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def of_roofline(row: Row, rates: Rates) -> str:
    """Return floor / time, and what sets the floor."""
    in_bytes, in_operations = row.moved / rates.copy, row.operations / rates.matrix
    floor, limit = max((in_bytes, "bytes"), (in_operations, "operations"))
    return f"{floor / row.own:.2g} ({limit})" if floor and isinstance(row.own, float) else "-"


def memory(row: Row) -> str:
    """Return megabytes, of the function or of its process."""
    if row.memory is None:
        return "-"
    return f"{row.memory / 1e6:,.{0 if row.memory >= 1e7 else 1}f} MB" + (" (process)" if row.one_thread else "")


def markdown(rows: Iterable[Row], rates: Mapping[bool, Rates]) -> str:
    """Return the table; `rates` are those of one thread (True) and of all cores (False).

    A row without an own time continues the row above: the same result by another peer.
    """
    lines, own = [HEADINGS, ("---",) * len(HEADINGS)], None
    for row in rows:
        own = own if row.own is None else row.own
        cells = (
            row.workload,
            duration(row.own) if row.own is not None else '"',
            row.reference or "-",
            duration(row.reference_time),
            ratio(row.reference_time, own),
            row.peer or "-",
            duration(row.peer_time),
            ratio(row.peer_time, own),
            of_roofline(row, rates[row.one_thread]),
            memory(row),
        )
        lines.append(tuple(cell.replace("|", "/") for cell in cells))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
