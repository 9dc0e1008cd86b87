"""How far a store is, seen from outside: nothing but its files is asked."""

import collections
import dataclasses
import math
from pathlib import Path

import numpy as np

from qtn.sweeps.layout import DONE, FAILED, PENDING
from qtn.sweeps.store import Store, StoreError, open_store

RECENT = 50
"""Chunks from which the speed is measured."""

SILENCE_S = 300.0
"""A sweep that stores nothing for so long, and for ten times the usual time between chunks, is taken to have ended."""

MOST_REASONS = 10


@dataclasses.dataclass(frozen=True)
class Status:
    """What is there of a sweep."""

    path: str
    title: str
    job: str
    config_sha256: str
    total: int
    """Points of the whole sweep."""
    done: int
    """Points with a result."""
    failed: int
    """Points that failed."""
    corrupted: int
    """Chunks that cannot be read."""
    reasons: tuple[tuple[str, int], ...]
    """Why points failed and how many each, the most frequent first."""
    rate: float
    """Points a second over the last chunks of all shards together; nan before the second."""
    latest: float | None
    """When the last chunk was stored, seconds since 1970."""
    pause: float
    """Mean time between the last chunks [s]."""

    @property
    def pending(self) -> int:
        """Return the number of points that are not there."""
        return self.total - self.done - self.failed

    def eta(self, now: float) -> float:
        """Return the expected time to the end [s]: 0 if it is done, nan if it is unknown or nothing seems to run."""
        if not self.pending:
            return 0.0
        if self.latest is None or now - self.latest > max(SILENCE_S, 10 * self.pause):
            return math.nan
        return self.pending / self.rate if self.rate > 0 else math.nan


def status_of(path: str | Path) -> Status:
    """Read how far a store is.

    Raises:
        StoreError: if there is no store.
    """
    store = open_store(path)
    facts = dict(store.layout.facts)
    masks = [store.done_of(chunk) for chunk in range(store.layout.num_chunks)]
    claimed = [chunk for chunk, mask in enumerate(masks) if np.any(mask != PENDING)]
    broken = set(store.corrupted(list(range(store.layout.num_chunks))))
    for chunk in broken:
        masks[chunk] = np.full_like(masks[chunk], PENDING)
    reasons: collections.Counter[str] = collections.Counter()
    for chunk in claimed:
        if chunk not in broken and np.any(masks[chunk] == FAILED):
            reasons.update(str(reason) for reason in store.read("reason", chunk) if reason)
    mask = np.concatenate(masks)
    rate, latest, pause = speed(store, [chunk for chunk in claimed if chunk not in broken])
    return Status(
        path=str(path),
        title=str(facts.get("title", "")),
        job=str(facts.get("job", "")),
        config_sha256=store.layout.config_hash,
        total=int(mask.size),
        done=int(np.sum(mask == DONE)),
        failed=int(np.sum(mask == FAILED)),
        corrupted=len(broken),
        reasons=tuple(reasons.most_common(MOST_REASONS)),
        rate=rate,
        latest=latest,
        pause=pause,
    )


def speed(store: Store, chunks: list[int]) -> tuple[float, float | None, float]:
    """Return points a second, when the last chunk was stored, and the mean time between chunks [s]."""
    times = []
    for chunk in chunks:
        try:
            times.append((store.chunk_file("done", chunk).stat().st_mtime, chunk))
        except OSError:
            continue
    times = sorted(times)[-RECENT:]
    if not times:
        return math.nan, None, math.nan
    span = times[-1][0] - times[0][0]
    if span <= 0:
        return math.nan, times[-1][0], math.nan
    rows = [store.layout.chunk_rows(chunk) for _, chunk in times[1:]]
    return sum(r.stop - r.start for r in rows) / span, times[-1][0], span / (len(times) - 1)


__all__ = ["Status", "StoreError", "status_of"]
