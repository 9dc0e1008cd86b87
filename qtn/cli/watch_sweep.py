"""Show how a sweep goes on: a bar on a terminal, one line a chunk elsewhere."""

import sys
from collections.abc import Callable

from tqdm import tqdm

from qtn.cli.sweep import in_words
from qtn.sweeps.batch import Batched
from qtn.sweeps.layout import Layout
from qtn.sweeps.run import Progress


class WatchSweep:
    """Called with the progress of a shard; also says what is about to run, and how much memory it takes."""

    def __init__(self, stop: Callable[[], bool]) -> None:
        self.stop, self.terminal = stop, sys.stderr.isatty()
        self.bar = tqdm(unit=" points", file=sys.stderr, disable=not self.terminal)
        self.largest = 0
        self.progress: Progress | None = None

    def __enter__(self) -> "WatchSweep":
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def begin(self, layout: Layout, shard: tuple[int, int]) -> None:
        """Say what will be computed, and how large the store can become."""
        own = [layout.chunk_rows(chunk) for chunk in layout.shard_chunks(*shard)]
        count = sum(rows.stop - rows.start for rows in own)
        part = "" if shard[1] == 1 else f" (shard {shard[0]}/{shard[1]} of {layout.num_points:,})"
        width = 8 * (len(layout.columns) + len(layout.grid.axes) + 3)
        self.say(
            f"qtn: {count:,} points{part} in {len(own)} chunks of {layout.batch}; the store takes at most "
            f"{size(width * layout.num_points)}"
        )

    def announce(self, run: Batched) -> None:
        """Say how a compiled function will run; only what needs more memory than before."""
        if run.bytes_used <= self.largest:
            return
        self.largest = run.bytes_used
        self.say(
            f"qtn: {run.lanes} points side by side on each of {len(run.devices)} devices, {size(run.bytes_used)} of "
            f"working memory on each; {size(run.memory)} allowed"
        )

    def __call__(self, progress: Progress) -> None:
        """Show progress."""
        self.progress = progress
        if self.terminal:
            self.bar.total = progress.total
            self.bar.update(progress.done - self.bar.n)
            self.bar.set_postfix_str(f"{progress.failed} failed" if progress.failed else "")
            if not progress.computed:
                self.begins(progress)
            return
        if not progress.computed:
            again = f", {progress.corrupted} corrupted chunks are computed again" if progress.corrupted else ""
            kept = f"qtn: {progress.done:,} of {progress.total:,} points are stored already{again}"
            if progress.done or again:
                self.say(kept)
            self.begins(progress)
            return
        left = "" if progress.finished else f", {in_words(progress.eta)} left"
        failed = f", {progress.failed:,} failed" if progress.failed else ""
        self.say(f"{progress.done:,} of {progress.total:,} points{failed}{left}")

    def begins(self, progress: Progress) -> None:
        """Say why nothing is to be seen yet."""
        if not progress.finished:
            self.say("qtn: compiling; the first points take longest")

    def kept(self, out: str) -> str:
        """Return what there is after an interrupt, and how to go on."""
        if self.progress is None or not self.progress.done:
            return f"{out} holds no points yet; the same command starts again"
        told = f"{out} keeps {self.progress.done:,} of {self.progress.total:,} points"
        return f"{told}; the same command with --resume goes on"

    def say(self, text: str) -> None:
        """Write a line on standard error without breaking the bar."""
        tqdm.write(text, file=sys.stderr)
        sys.stderr.flush()

    def summary(self, out: str, progress: Progress) -> str:
        """Return what was done, for people."""
        rate = f", {progress.computed / progress.seconds:.3g} points/s" if progress.computed else ""
        text = f"{out}: {progress.done:,} of {progress.total:,} points done, {progress.failed:,} failed{rate}"
        return f"{text}; stopped on request, --resume goes on" if progress.stopped else text


def size(count: int | float) -> str:
    """Return a number of bytes for people.

    Example:
        >>> size(5e5), size(3e9)
        ('0.5 MB', '3.0 GB')
    """
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"
