"""The commands that run a sweep and look after its store."""

import math
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from qtn import _text
from qtn.cli import ignore_interrupts
from qtn.cli.app import Device, DryRun, File, InterruptedRun, Json, Set, app, print_json

Run = Annotated[str, typer.Argument(metavar="RUN.zarr", help="Store of `qtn sweep`.")]

REQUEUE = 99
"""Exit code that asks a batch system to start the task again."""


@app.command()
def sweep(
    file: File,
    out: Annotated[str, typer.Option(help="Store of the results, a folder; made if it is not there.")],
    shard: Annotated[str, typer.Option(help="i/n: only part i of n, counted from 0; parts may run at once.")] = "0/1",
    batch: Annotated[
        int | None, typer.Option(help="Points of a chunk: what is stored at a time, and lost by a kill.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is stored already.")] = False,
    set_: Set = None,
    json_: Json = False,
    dry_run: DryRun = False,
    device: Device = "auto",
) -> None:
    """Evaluate a problem at all points of its [sweep] table, and store each chunk of points as soon as it is there.

    USR1 and TERM end it after the chunk in flight with exit code 99 (please requeue), Ctrl-C at once; --resume goes on.

    Example: qtn sweep problem.toml --out RUN.zarr && qtn report RUN.zarr
    """
    part = read_shard(shard)
    from qtn.sweeps.run import stop_on_signals

    with stop_on_signals() as stop:
        from qtn.cli.commands import opened
        from qtn.cli.session import one_device_a_core

        one_device_a_core()
        problem = opened(file, set_, dry_run, device)
        from qtn.cli.watch_sweep import WatchSweep
        from qtn.problem.sweep import SweepTask, open_sweep
        from qtn.sweeps.run import run_shard

        with WatchSweep(stop) as watch:
            try:
                task = SweepTask(problem, announce=watch.announce)
                store = open_sweep(task, out, shard=part, batch=batch, resume=resume)
                watch.begin(store.layout, part)
                for sentence in task.warnings:
                    print(f"warning: {sentence}", file=sys.stderr)
                progress = run_shard(store, task, shard=part, report=watch, stop=stop)
            except KeyboardInterrupt:
                raise InterruptedRun(watch.kept(out)) from None
            if stop.signal == signal.SIGINT and progress.stopped:
                raise InterruptedRun(watch.kept(out))
            stop.done = True
            ignore_interrupts()
        if json_:
            print_json({"store": out, **vars(progress)})
        else:
            print(watch.summary(out, progress))
        if progress.failed:
            print(f"warning: {progress.failed:,} points failed; `qtn status {out}` says why", file=sys.stderr)
    if progress.stopped:
        raise typer.Exit(REQUEUE)


@app.command()
def status(run: Run, json_: Json = False) -> None:
    """Say how far a sweep is: points done and failed with their reasons, and when it will end.

    Example: qtn status RUN.zarr
    """
    from qtn.sweeps.status import status_of

    found = status_of(run)
    if json_:
        print_json({**vars(found), "rate_per_s": found.rate, "eta_s": found.eta(time.time())})
    else:
        print(status_text(found))


@app.command()
def export(
    run: Run, out: Annotated[str, typer.Argument(metavar="OUT", help="File to write: .csv or .nc (netCDF-3).")]
) -> None:
    """Write a store as one table (CSV) or as one netCDF file.

    Example: qtn export RUN.zarr results.csv
    """
    from qtn.sweeps.export import export_store

    print(f"wrote {export_store(run, Path(out))}")


@app.command()
def merge(
    runs: Annotated[list[str], typer.Argument(metavar="RUN.zarr...", help="Stores of one configuration.")],
    out: Annotated[str, typer.Option(help="Store to make.")],
) -> None:
    """Put together stores of the same sweep whose shards ran on different machines.

    Example: qtn merge north.zarr south.zarr --out RUN.zarr
    """
    from qtn.sweeps.merge import merge_stores

    done, total = merge_stores(runs, out)
    print(f"wrote {out}: {done:,} of {total:,} points done")


def read_shard(text: str) -> tuple[int, int]:
    """Return (i, n) of "i/n".

    Raises:
        ValueError: unless 0 <= i < n.
    """
    first, slash, second = text.partition("/")
    if not (slash and first.isdecimal() and second.isdecimal() and int(first) < int(second)):
        raise ValueError(f"--shard: must be i/n with 0 <= i < n, such as 0/4, but is {_text.echoed(text)}")
    return int(first), int(second)


def status_text(found: Any) -> str:
    """Return the state of a store for people."""
    eta, now = found.eta(time.time()), time.time()
    lines = [
        f"{found.path}: {_text.one_line(f'{found.title}, {found.job}')}, config sha256 {found.config_sha256[:12]}",
        f"  {found.done:,} of {found.total:,} points done, {found.failed:,} failed, {found.pending:,} to go",
    ]
    if found.corrupted:
        lines.append(f"  {found.corrupted} chunks are corrupted; `qtn sweep ... --resume` computes them again")
    if found.pending and math.isfinite(eta):
        lines.append(f"  {found.rate:.3g} points/s, {in_words(eta)} left")
    elif found.pending and found.latest:
        lines.append(f"  nothing stored for {in_words(now - found.latest)}; `qtn sweep ... --resume` goes on")
    lines += [f"  {count:,} x {_text.printable(reason)}" for reason, count in found.reasons]
    return "\n".join(lines)


def in_words(seconds: float) -> str:
    """Return a duration for people.

    Example:
        >>> in_words(42.0), in_words(4000.0), in_words(200000.0)
        ('42 s', '1 h 7 min', '2 d 7 h')
    """
    if not math.isfinite(seconds):
        return "unknown time"
    minutes = int(seconds + 30) // 60
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 2880 else f"{minutes // 1440} d {minutes // 60 % 24} h"
