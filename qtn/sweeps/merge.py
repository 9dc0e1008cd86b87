"""Put together stores of one sweep whose shards were computed apart."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qtn.sweeps.layout import DONE, PENDING
from qtn.sweeps.store import Store, StoreError, made, open_store


def merge_stores(paths: Sequence[str | Path], out: str | Path) -> tuple[int, int]:
    """Make one store of several; each point is taken from the first store that has it, a result before a failure.

    Args:
        paths: stores of one configuration; their chunks may differ in size.
        out: store to make, with the chunks of the first.

    Returns:
        (done, total): points that are there, failed ones included, and all points.

    Raises:
        StoreError: if configurations differ, a chunk is corrupted, or `out` exists.
        WriteError: if the disk refuses.
    """
    stores = [open_store(path) for path in paths]
    first = stores[0]
    for other in stores[1:]:
        if other.layout.config_hash != first.layout.config_hash or other.layout.columns != first.layout.columns:
            raise StoreError(
                f"{other.path}: holds another configuration (sha256 {other.layout.config_hash[:12]}) than {first.path} "
                f"({first.layout.config_hash[:12]}); only stores of one sweep can be merged"
            )
    counts: list[int] = []

    def fill(store: Store) -> None:
        counts.extend(_merge_chunk(stores, store, chunk) for chunk in range(store.layout.num_chunks))

    try:
        made(out, first.layout, fill, then="merge again")
    except FileExistsError:
        raise StoreError(f"{out}: exists already; name another store") from None
    return sum(counts), first.layout.num_points


def _merge_chunk(stores: Sequence[Store], whole: Store, chunk: int) -> int:
    """Fill one chunk; return how many of its points are there."""
    rows = whole.layout.chunk_rows(chunk)
    masks = np.stack([store.read_rows("done", rows) for store in stores])
    rank = np.where(masks == DONE, 2, np.where(masks == PENDING, 0, 1))
    source, done = np.argmax(rank, axis=0), np.max(rank, axis=0) > 0
    if not np.any(done):
        return 0
    here = np.arange(rows.stop - rows.start)

    def taken(name: str) -> np.ndarray:
        return np.stack([store.read_rows(name, rows) for store in stores])[source, here]

    values = {column.name: taken(column.name) for column in whole.layout.columns}
    whole.write(chunk, values, [str(reason) for reason in taken("reason")], done=masks[source, here])
    return int(np.sum(done))
