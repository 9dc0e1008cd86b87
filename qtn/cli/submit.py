"""Submit the shards of a sweep through submitit, which requeues them at the time limit."""

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qtn import _text

if importlib.util.find_spec("submitit") is None:
    raise ValueError("qtn submit: needs submitit: `pip install submitit`; or write a batch file with `qtn slurm`")

LOG = "SUBMITIT_LOG_LEVEL"
told_by_user = os.environ.get(LOG)
os.environ[LOG] = told_by_user or "NOCONFIG"  # else its import closes the handlers of all other loggers
from submitit import AutoExecutor  # noqa: E402
from submitit.helpers import Checkpointable  # noqa: E402

if told_by_user is None:
    del os.environ[LOG]  # the tasks may log


class Shard(Checkpointable):
    """One shard as a task; at the time limit it is submitted again and goes on from what is stored."""

    def __call__(
        self, file: str, out: str, shard: tuple[int, int], batch: int | None, overrides: Sequence[str], device: str
    ) -> int:
        """Compute what is missing of the shard and return the number of points that are done."""
        from qtn.cli.session import choose_device, one_device_a_core, start

        choose_device(device)
        one_device_a_core()
        start(device)
        from qtn.problem.sweep import sweep_shard

        progress = sweep_shard(file, out, shard=shard, batch=batch, resume=True, overrides=overrides, report=told)
        return progress.done


def told(progress: Any) -> None:
    """Write one line a chunk into the log of the task."""
    print(f"{progress.done} of {progress.total} points, {progress.failed} failed", flush=True)


def submit_shards(
    file: str,
    out: str,
    overrides: Sequence[str],
    *,
    batch: int | None,
    array: int,
    minutes: int,
    gpus: int,
    cpus: int,
    memory: str | None,
    partition: str | None,
    account: str | None,
    logs: str,
    cluster: str,
    name: str,
) -> list[Any]:
    """Submit one array of shards.

    Returns:
        jobs: of submitit, in the order of the shards.

    Raises:
        ValueError: if the cluster is unknown or not here.
    """
    if cluster not in ("auto", "slurm", "local"):
        raise ValueError(f"--cluster: must be auto, slurm or local, but is {_text.echoed(cluster)}")
    try:
        executor = AutoExecutor(folder=Path(logs) / "%j", cluster=None if cluster == "auto" else cluster)
    except RuntimeError as error:
        raise ValueError(f"--cluster: {error}; use `--cluster local` on a machine without SLURM") from error
    slurm = {"slurm_partition": partition, "slurm_account": account, "slurm_mem": memory}
    executor.update_parameters(
        name=name,
        timeout_min=minutes,
        cpus_per_task=cpus,
        gpus_per_node=gpus,
        **{key: value for key, value in slurm.items() if value is not None},
        slurm_array_parallelism=array,
    )
    device = "gpu" if gpus else "auto"
    with executor.batch():
        return [executor.submit(Shard(), file, out, (i, array), batch, list(overrides), device) for i in range(array)]
