"""The commands for clusters: write a batch file, or submit the shards from here."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from qtn.cli.app import File, Set, app

Array = Annotated[int, typer.Option(help="Number of tasks; each takes one shard of the points.")]
Time = Annotated[str, typer.Option(help="Time limit of one task, hours:minutes:seconds; longer work is requeued.")]
Gpus = Annotated[int, typer.Option(help="GPUs of each task.")]
Cpus = Annotated[int, typer.Option(help="CPU cores of each task.")]
Memory = Annotated[str | None, typer.Option(help="Memory of each task, such as 16G.")]
Partition = Annotated[str | None, typer.Option(help="Partition of the cluster.")]
Account = Annotated[str | None, typer.Option(help="Account that pays.")]
Out = Annotated[str, typer.Option(help="Store of the results; by default RUN.zarr.")]
Batch = Annotated[int | None, typer.Option(help="Points of a chunk; fewer where one takes long, see `qtn sweep`.")]


@app.command()
def slurm(
    file: File,
    array: Array,
    time: Time = "1:00:00",
    gpus: Gpus = 0,
    cpus: Cpus = 4,
    memory: Memory = None,
    partition: Partition = None,
    account: Account = None,
    out: Out = "RUN.zarr",
    batch: Batch = None,
    set_: Set = None,
    setup: Annotated[
        list[str] | None, typer.Option(help="Shell line before qtn, such as 'module load cuda'; repeatable.")
    ] = None,
) -> None:
    """Print a batch file for SLURM that sweeps a problem in an array of tasks, and survives time limits.

    Example: qtn slurm problem.toml --array 64 --time 2:00:00 --gpus 1 --out RUN.zarr > slurm.job && sbatch slurm.job
    """
    from qtn.sweeps.slurm import job_script

    points, name = swept(file, set_, array, batch)
    overrides = [part for each in set_ or () for part in ("--set", each)]
    device = ["--device", "gpu"] if gpus else []
    chunk = [] if batch is None else ["--batch", str(batch)]
    store = str(Path(out).resolve())
    print(
        job_script(
            [str(Path(file).resolve()), "--out", store, *chunk, *overrides, *device],
            store,
            title=f"Sweep of {file}, {points:,} points",
            name=f"qtn-{name}",
            array=array,
            time=time,
            gpus=gpus,
            cpus=cpus,
            memory=memory,
            partition=partition,
            account=account,
            command=how_to_start(),
            setup=setup or (),
        ),
        end="",
    )


@app.command()
def submit(
    file: File,
    array: Array,
    time: Time = "1:00:00",
    gpus: Gpus = 0,
    cpus: Cpus = 4,
    memory: Memory = None,
    partition: Partition = None,
    account: Account = None,
    out: Out = "RUN.zarr",
    batch: Batch = None,
    set_: Set = None,
    logs: Annotated[str, typer.Option(help="Folder of the logs of the tasks.")] = "logs",
    cluster: Annotated[str, typer.Option(help="auto (SLURM if it is here), slurm or local.")] = "auto",
    wait: Annotated[bool, typer.Option(help="Wait until all tasks have ended.")] = False,
) -> None:
    """Submit the shards of a sweep to SLURM from here, through submitit (`pip install submitit`).

    Example: qtn submit problem.toml --array 64 --time 2:00:00 --gpus 1 --out RUN.zarr
    """
    from qtn.sweeps.slurm import job_script, limit_seconds

    points, name = swept(file, set_, array, batch)
    limits = {"array": array, "time": time, "gpus": gpus, "cpus": cpus, "memory": memory}
    job_script([], out, title="", name=name, partition=partition, account=account, logs=logs, **limits)  # checks
    from qtn.cli.submit import submit_shards

    jobs = submit_shards(
        str(Path(file).resolve()),
        str(Path(out).resolve()),
        set_ or [],
        batch=batch,
        array=array,
        minutes=limit_seconds(time) // 60,
        gpus=gpus,
        cpus=cpus,
        memory=memory,
        partition=partition,
        account=account,
        logs=logs,
        cluster=cluster,
        name=f"qtn-{name}",
    )
    print(f"submitted {points:,} points in {array} tasks: {jobs[0].job_id} ... {jobs[-1].job_id}; logs in {logs}")
    print(f"progress: qtn status {out}", file=sys.stderr)
    if wait:
        failed = [job.job_id for job in jobs if job.exception() is not None]
        if failed:
            raise ValueError(f"tasks {', '.join(failed)} failed; their logs are in {logs}, and `qtn submit` goes on")


def swept(file: str, overrides: list[str] | None, array: int, batch: int | None) -> tuple[int, str]:
    """Return the number of points of the sweep of a file, and its name; check that there are enough for the tasks."""
    from qtn.cli.commands import loaded
    from qtn.sweeps.slurm import check_array

    check_array(array)
    problem = loaded(file, overrides)
    from qtn.problem.sweep import SweepTask

    task = SweepTask(problem)
    points = task.grid.num_points
    check_array(array, points, task.layout(batch=batch, num_shards=array).batch)
    return points, problem.name


def how_to_start() -> tuple[str, ...]:
    """Return how this qtn is started, for another shell on another machine with the same files."""
    script = Path(sys.argv[0])
    if script.name == "qtn" and os.access(script, os.X_OK):
        return (str(script.resolve()),)
    return sys.executable, "-m", "qtn"
