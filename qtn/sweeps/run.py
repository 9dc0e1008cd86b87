"""Compute the chunks of one shard, one after another, and store each as soon as it is there."""

import dataclasses
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from qtn.sweeps.claim import claimed
from qtn.sweeps.layout import DONE, FAILED, PENDING
from qtn.sweeps.store import STALE_SECONDS, Store

FIRST = 16
"""Points of the first chunk that are computed and stored before the others: soon there is something to see."""

Compute = Callable[[np.ndarray], tuple[Mapping[str, np.ndarray], Sequence[str]]]
"""Global indices (n,) of the points of one chunk -> columns (n,) by name, and why each failed ("" = it did not)."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far one shard is."""

    total: int
    """Points of the shard."""

    done: int
    """Points that are done, failed ones included, earlier runs included."""

    failed: int
    """Points that failed."""

    computed: int
    """Points computed by this call."""

    seconds: float
    """Time this call has taken so far."""

    stopped: bool = False
    """Whether it was asked to stop before the end."""

    corrupted: int = 0
    """Chunks that claimed to be done, could not be read, and are computed again."""

    @property
    def finished(self) -> bool:
        """Whether every point of the shard is done."""
        return self.done == self.total

    @property
    def eta(self) -> float:
        """Return the expected time to the end of the shard [s]; nan before the first chunk."""
        return (self.total - self.done) * self.seconds / self.computed if self.computed else float("nan")


class Stop:
    """Whether somebody asked for an end; true after the first signal inside `stop_on_signals`."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.done = False
        """Set it when the work is done and stored: Ctrl-C then changes nothing."""

    def __call__(self) -> bool:
        """Return whether to stop after the chunk in flight."""
        return self.signal is not None


@contextmanager
def stop_on_signals(signals: Sequence[int] = (signal.SIGUSR1, signal.SIGTERM)) -> Iterator[Stop]:
    """Let these signals end a run after the chunk in flight, instead of killing it; main thread only.

    Ctrl-C still ends it at once; where Python must drop the exception, as in a callback of the garbage collector, the
    run ends after the chunk in flight, without a word about what was dropped.

    Example:
        with stop_on_signals() as stop:
            progress = run_shard(store, compute, stop=stop)
        code = 99 if progress.stopped else 0  # 99: please requeue
    """
    stop = Stop()

    def remember(number: int, _frame: object) -> None:
        stop.signal = number

    def interrupt(number: int, frame: object) -> None:
        remember(number, frame)
        if not stop.done:
            raise KeyboardInterrupt

    told = sys.unraisablehook

    def drop(unraisable: "sys.UnraisableHookArgs") -> None:
        if not (stop() and isinstance(unraisable.exc_value, KeyboardInterrupt)):
            told(unraisable)

    before = {number: signal.signal(number, remember) for number in signals}
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:  # as in a job in the background
        before[signal.SIGINT] = signal.signal(signal.SIGINT, interrupt)
        sys.unraisablehook = drop
    try:
        yield stop
    finally:
        sys.unraisablehook = told
        for number, handler in before.items():
            if number != signal.SIGINT or signal.getsignal(number) is interrupt:  # else whoever changed it wants it so
                signal.signal(number, handler)


def run_shard(
    store: Store,
    compute: Compute,
    *,
    shard: tuple[int, int] = (0, 1),
    report: Callable[[Progress], None] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
) -> Progress:
    """Compute what is missing of one shard.

    Chunks that are done are kept, corrupted ones computed again; each new chunk is stored before the next one starts,
    so a kill loses the chunk in flight only. A few points of the first chunk are stored early. Shards own whole chunks
    and may run at the same time, on one machine or many; running a shard twice changes nothing.

    Args:
        store: open for writing.
        compute: called with the global indices (n,) of one chunk; must depend on nothing else.
        shard: (i, n), 0 <= i < n.
        report: called once before the first chunk and after each.
        stop: asked between chunks; true ends the run with `stopped`.

    Returns:
        progress: at the end.

    Raises:
        ValueError: for an impossible shard, or one that another process computes.
        WriteError: if the disk refuses, or the store is gone; what was stored before stays.
    """
    layout, started = store.layout, time.monotonic()
    chunks = layout.shard_chunks(*shard)
    words = "this sweep" if shard[1] == 1 else f"shard {shard[0]}/{shard[1]}"
    with claimed(store, chunks, words) as claim:
        store.discard_partial(chunks, older_than=-np.inf if claim.alone else STALE_SECONDS)
        progress, missing = _found(store, chunks)
        report(progress)
        for chunk in missing:
            claim.check()
            if stop():
                return dataclasses.replace(progress, stopped=True)
            index, begun = layout.rows[layout.chunk_rows(chunk)], progress
            for values, reasons in _in_parts(compute, index, first=chunk == missing[0]):
                claim.check()
                _write(store, chunk, values, reasons)
                progress = dataclasses.replace(
                    begun,
                    done=begun.done + len(reasons),
                    failed=begun.failed + sum(1 for reason in reasons if reason),
                    computed=begun.computed + len(reasons),
                    seconds=time.monotonic() - started,
                )
                report(progress)
        claim.check()
    return progress


def _found(store: Store, chunks: range) -> tuple[Progress, list[int]]:
    """Return how far some chunks are, and which are to be computed."""
    mask = [store.done_of(chunk) for chunk in chunks]
    whole = [chunk for chunk, done in zip(chunks, mask, strict=True) if np.all(done != PENDING)]
    broken = set(store.corrupted(whole))
    missing = [chunk for chunk in chunks if chunk not in set(whole) - broken]
    kept = [done for chunk, done in zip(chunks, mask, strict=True) if chunk not in missing]
    progress = Progress(
        total=sum(done.size for done in mask),
        done=sum(done.size for done in kept),
        failed=sum(int(np.sum(done == FAILED)) for done in kept),
        computed=0,
        seconds=0.0,
        corrupted=len(broken),
    )
    return progress, missing


def _in_parts(compute: Compute, index: np.ndarray, *, first: bool) -> Iterator[tuple[dict[str, np.ndarray], list[str]]]:
    """Compute the points of a chunk, a few of a first large one before the others; yield all that is there by then."""
    parts = [index[:FIRST], index[FIRST:]] if first and index.size > 2 * FIRST else [index]
    values: dict[str, list[np.ndarray]] = {}
    reasons: list[str] = []
    for part in parts:
        found, told = compute(part)
        for name, column in found.items():
            values.setdefault(name, []).append(column)
        reasons += told
        yield {name: np.concatenate(columns) for name, columns in values.items()}, reasons


def _write(store: Store, chunk: int, values: Mapping[str, np.ndarray], reasons: Sequence[str]) -> None:
    """Write the first points of a chunk, or all; the others are pending."""
    rows = store.layout.chunk_rows(chunk)
    left = rows.stop - rows.start - len(reasons)
    done = [*(FAILED if reason else DONE for reason in reasons), *[PENDING] * left]
    columns = {name: np.pad(column.astype(float), (0, left), constant_values=np.nan) for name, column in values.items()}
    store.write(chunk, columns, [*reasons, *[""] * left], done=np.array(done, dtype=np.uint8))
