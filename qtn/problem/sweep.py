"""Sweep a problem file: points from its [sweep] table, results into a store, shard by shard."""

import importlib.metadata
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from qtn.problem.axes import planned
from qtn.problem.edges import ends_met
from qtn.problem.jobs import Job
from qtn.problem.load import load
from qtn.problem.optimum import optimum
from qtn.problem.points import Points
from qtn.problem.problem import Problem
from qtn.sweeps.batch import Batched
from qtn.sweeps.layout import PENDING, Layout, canonical
from qtn.sweeps.run import Progress, run_shard
from qtn.sweeps.store import Store, StoreError, open_or_create

FEWEST, MOST, CHUNKS = 256, 4096, 400
"""Points of a chunk: at least, at most, and enough for about so many chunks (files of one column)."""

KEPT_STRUCTURES = 4
"""Structures whose compiled programs are kept; rows are ordered by structure, so more are not needed at a time."""


class SweepTask:
    """What a sweep computes, chunk by chunk: call it with global indices.

    Example:
        task = SweepTask(load("problem.toml"))
        values, reasons = task(np.arange(10))
    """

    def __init__(self, problem: Problem, *, announce: Callable[[Batched], None] = lambda batched: None) -> None:
        """Check the [sweep] table of a problem.

        Raises:
            ProblemError: with every mistake found.
        """
        self.problem, self.announce = problem, announce
        self.structures, self.job = planned(problem)
        self.grid = self.structures.points
        self.block = FEWEST
        self.warnings: list[str] = []
        """What people should know before they read the results."""
        if self.job.kind == "gradient":
            axes = self.grid.columns(np.arange(self.grid.num_points))
            self.warnings = ends_met(problem, axes, self.job.derivatives)
        self._ready: dict[Any, Points] = {}

    def layout(self, *, batch: int | None = None, num_shards: int = 1) -> Layout:
        """Return the layout of the store.

        Args:
            batch: points of a chunk; chosen by default, so that each shard has some.
            num_shards: shards that will share the store.

        Raises:
            ValueError: if the batch is not positive.
        """
        if batch is not None and batch < 1:
            raise ValueError(f"--batch: must be at least 1, but is {batch}")
        total = self.grid.num_points
        if batch is None:
            usual = 1 if self.job.kind == "optimise" else min(max(FEWEST, total // CHUNKS), MOST)
            batch = max(1, min(usual, total // num_shards))
        order = self.structures.order
        return Layout(
            grid=self.grid,
            columns=self.job.columns,
            batch=min(batch, total),
            config=canonical(self.problem.document),
            index=None if np.array_equal(order, np.arange(total)) else tuple(int(i) for i in order),
            facts=tuple(facts(self.problem, self.job).items()),
        )

    def __call__(self, index: np.ndarray) -> tuple[Mapping[str, np.ndarray], Sequence[str]]:
        """Return the columns (n,) of points, and why each failed ("" = it did not)."""
        values = {column.name: np.full(index.size, np.nan) for column in self.job.columns}
        reasons = [""] * index.size
        groups: dict[Any, list[int]] = {}
        for row, i in enumerate(index):
            groups.setdefault(self.structures.key(int(i)), []).append(row)
        for key, rows in groups.items():
            self._fill(key, index, rows, values, reasons)
        return values, reasons

    def _fill(
        self, key: Any, index: np.ndarray, rows: list[int], values: dict[str, np.ndarray], reasons: list[str]
    ) -> None:
        problem = self.structures.at(int(index[rows[0]]))
        if isinstance(problem, str):
            for row in rows:
                reasons[row] = problem
            return
        axes = self.grid.columns(index[rows])
        numbers = {name: axes[name].astype(np.float64) for name in self.structures.traced}
        if self.job.kind == "optimise":
            for place, row in enumerate(rows):
                point = {name: float(column[place]) for name, column in numbers.items()}
                found, reasons[row] = optimum(problem, point, self.job, int(index[row]))
                for name, value in found.items():
                    values[name][row] = value
            return
        try:
            columns, told = self._points(key, problem)(numbers, len(rows))
        except ValueError as error:  # what no point of this structure can do
            columns, told = {}, [str(error)] * len(rows)
        for name, column in columns.items():
            values[name][rows] = column
        for row, reason in zip(rows, told, strict=True):
            reasons[row] = reason

    def _points(self, key: Any, problem: Problem) -> Points:
        if key not in self._ready:
            if len(self._ready) >= KEPT_STRUCTURES:
                del self._ready[next(iter(self._ready))]
            self._ready[key] = Points(
                problem, self.job, block=self.block, total=self.grid.num_points, announce=self.announce
            )
        return self._ready[key]


def facts(problem: Problem, job: Job) -> dict[str, Any]:
    """Return what a store remembers of where its numbers come from."""
    packages = ("jax", "jaxlib", "numpy", "zarr", "xarray")
    versions = {name: importlib.metadata.version(name) for name in packages}
    return {
        "title": problem.name,
        "job": job.kind,
        "versions": {"qtn": own_version(), "python": platform.python_version(), **versions},
        "device_kind": jax.devices()[0].device_kind,
        "x64": bool(jax.config.jax_enable_x64),  # pyright: ignore
        "seed": job.seed,
        "git_commit": git_commit(),
    }


def own_version() -> str:
    """Return the version of this package."""
    import qtn

    return qtn.__version__


def git_commit() -> str | None:
    """Return the commit of the folder that the library runs from, if it is a git repository."""
    folder = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=False, timeout=5
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def open_sweep(
    task: SweepTask, out: str | Path, *, shard: tuple[int, int] = (0, 1), batch: int | None = None, resume: bool = False
) -> Store:
    """Open or make the store of a sweep.

    Raises:
        StoreError: if it holds another configuration, or (without `resume`) results of this shard already.
        ValueError: for an impossible shard or batch.
    """
    layout = task.layout(batch=batch, num_shards=max(shard[1], 1))
    layout.shard_chunks(*shard)
    store = open_or_create(out, layout)
    if batch is not None and store.layout.batch != layout.batch:
        raise StoreError(f"{out}: has chunks of {store.layout.batch} points, not {layout.batch}; leave --batch out")
    chunks = store.layout.shard_chunks(*shard)
    count = sum(int(np.sum(store.done_of(chunk) != PENDING)) for chunk in chunks)
    if count and not resume:
        name = "" if shard[1] == 1 else f" of shard {shard[0]}/{shard[1]}"
        raise StoreError(f"{out}: holds {count} points{name} already; go on with --resume, or name another store")
    task.block = store.layout.batch
    return store


def sweep_shard(
    file: str | Path,
    out: str | Path,
    *,
    shard: tuple[int, int] = (0, 1),
    batch: int | None = None,
    resume: bool = True,
    overrides: Sequence[str] = (),
    announce: Callable[[Batched], None] = lambda batched: None,
    report: Callable[[Progress], None] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
) -> Progress:
    """Compute what is missing of one shard of the sweep of a problem file: what `qtn sweep` does.

    Args:
        file: problem file with a [sweep] table.
        out: folder of the store, made if it is not there; shards of one sweep share it.
        shard: (i, n), 0 <= i < n.
        batch: points of a chunk; chosen by default. Only the first shard to come decides.
        resume: whether to go on with what is there; else results of this shard that are there already are refused.
        overrides: texts "dotted.key=value", as after `--set`.
        announce: called with the compiled function (its `lanes`, `bytes_used`) before it runs.
        report: called before the first chunk and after each.
        stop: asked between chunks; see `qtn.sweeps.run.stop_on_signals`.

    Returns:
        progress: `finished`, or `stopped` (then the process should exit with 99: please requeue).

    Raises:
        ProblemError: if the file is wrong.
        StoreError: if the store cannot be used.
        WriteError: if the disk refuses; what was stored before stays.
    """
    task = SweepTask(load(file, overrides), announce=announce)
    store = open_sweep(task, out, shard=shard, batch=batch, resume=resume)
    return run_shard(store, task, shard=shard, report=report, stop=stop)
