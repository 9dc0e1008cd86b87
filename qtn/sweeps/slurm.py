"""A batch file for SLURM: an array of independent shards, each of which survives its time limit.

Before the limit SLURM sends USR1; the shard finishes the chunk in flight and exits with 99; the batch file puts
the task back into the queue, where it goes on from what is stored. Tasks do not talk to each other, so one that dies
costs its own chunk in flight and nothing else.
"""

import re
import shlex
from collections.abc import Sequence

from qtn import _text

MOST_TASKS = 1500
"""Tasks of an array that centres usually allow."""

LEAD_S = 300
"""How long before the time limit a shard is told to end [s]; at most half of the limit."""

TIME = re.compile(r"(?:(?P<days>\d+)-)?(?P<hours>\d+):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d))?")

TEMPLATE = """\
#!/bin/bash
# {title}, in {array} independent tasks; written by `qtn slurm`.
# Edit what you like, then:  sbatch THIS_FILE
# Progress:  qtn status {out}
#SBATCH --job-name={name}
#SBATCH --array=0-{last}
#SBATCH --time={time}
{resources}
#SBATCH --requeue
#SBATCH --output=/dev/null
# {lead} s before the limit, at the latest: finish the chunk, then back into the queue.
#SBATCH --signal=B:USR1@{lead}

# The log of each task; SLURM itself writes none where there is no such folder.
mkdir -p {logs} && exec >> {logs}/"${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID.log" 2>&1

# How qtn is started here. Load modules or activate an environment above this line.
{setup}qtn=({command})

"${{qtn[@]}}" sweep {arguments} --shard "$SLURM_ARRAY_TASK_ID/{array}" --resume &
shard=$!
trap 'kill -USR1 "$shard"' USR1
wait "$shard"; code=$?
while [ "$code" -gt 128 ] && kill -0 "$shard" 2>/dev/null; do wait "$shard"; code=$?; done  # a signal ends a wait early

if [ "$code" -eq 99 ]; then  # stopped in time, not finished
    echo "$(date +%T) task $SLURM_ARRAY_TASK_ID: time is up, back into the queue"
    scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID"
fi
exit "$code"
"""


def job_script(
    arguments: Sequence[str],
    out: str,
    *,
    title: str,
    name: str,
    array: int,
    time: str,
    gpus: int = 0,
    cpus: int = 4,
    memory: str | None = None,
    partition: str | None = None,
    account: str | None = None,
    command: Sequence[str] = ("qtn",),
    setup: Sequence[str] = (),
    logs: str = "logs",
) -> str:
    """Return the batch file of a sweep.

    Args:
        arguments: of `qtn sweep`, without `--shard` and `--resume`.
        out: the store, for the line that tells how to watch it.
        title: what is swept, for people.
        name: of the job.
        array: number of tasks; each takes one shard.
        time: limit of one task, "hours:minutes:seconds" or "days-hours:minutes".
        gpus: of each task.
        cpus: of each task.
        memory: of each task, such as "16G"; that of the partition if None.
        partition: where it runs; the default one if None.
        account: who pays.
        command: how qtn is started.
        setup: shell lines before it.
        logs: folder of the logs, made by the first task.

    Raises:
        ValueError: for a time, number or size that SLURM would refuse, or text that would break out of its line.
    """
    lead = min(LEAD_S, limit_seconds(time) // 2)
    check_array(array)
    for option, text in (("--out", out), ("--partition", partition), ("--account", account), ("--logs", logs)):
        _text.plain(option, text or "")
    for words, texts in (("the command", command), ("an argument", arguments), ("--setup", setup), ("FILE", [title])):
        for text in texts:
            _text.plain(words, text)
    for option, text in (("--partition", partition), ("--account", account)):
        if text is not None and not re.fullmatch(r"[^\s#'\"\\]+", text):
            raise ValueError(f"{option}: must be one word without quotes, but is {_text.echoed(text)}")
    if gpus < 0 or cpus < 1:
        raise ValueError(f"--gpus, --cpus: must be at least 0 and 1, but are {gpus} and {cpus}")
    if memory is not None and not re.fullmatch(r"[1-9]\d*[KMGT]", memory):
        raise ValueError(
            f"--memory: must be a whole number with K, M, G or T, such as 16G, but is {_text.echoed(memory)}"
        )
    resources = [f"#SBATCH --cpus-per-task={cpus}"]
    resources += [f"#SBATCH --gpus={gpus}"] if gpus else []
    resources += [f"#SBATCH --mem={memory}"] if memory else []
    resources += [f"#SBATCH --partition={partition}"] if partition else []
    resources += [f"#SBATCH --account={account}"] if account else []
    return TEMPLATE.format(
        title=" ".join(title.split()),
        name=re.sub(r"[^\w.-]", "-", name),
        array=array,
        last=array - 1,
        time=time,
        lead=lead,
        resources="\n".join(resources),
        logs=shlex.quote(logs),
        out=shlex.quote(out),
        arguments=shlex.join(arguments),
        command=shlex.join(command),
        setup="".join(f"{line}\n" for line in setup),
    )


def check_array(array: int, points: int | None = None, batch: int = 1) -> None:
    """Check the number of tasks of an array.

    Args:
        array: number of tasks.
        points: of the sweep, if known: each task needs some.
        batch: points of a chunk, which one task computes.

    Raises:
        ValueError: if there cannot be so many.
    """
    if not 1 <= array <= MOST_TASKS:
        raise ValueError(
            f"--array: must be from 1 to {MOST_TASKS} tasks, but is {array}; one task takes as many points as you like"
        )
    if points is not None and array > points:
        raise ValueError(f"--array: {array} tasks are more than the {points} points of the sweep; ask for fewer tasks")
    if points is not None and array > -(-points // batch):
        raise ValueError(
            f"--array: {array} tasks are more than the {-(-points // batch)} chunks of {batch} points; ask for fewer "
            "tasks, or lower --batch"
        )


def limit_seconds(time: str) -> int:
    """Return a time limit in seconds.

    Raises:
        ValueError: if it is not "[days-]hours:minutes[:seconds]", or less than a minute.

    Example:
        >>> limit_seconds("2:00:00"), limit_seconds("1-12:30")
        (7200, 131400)
    """
    found = TIME.fullmatch(time)
    parts = {key: int(value or 0) for key, value in found.groupdict().items()} if found else dict[str, int]()
    seconds = 86400 * parts["days"] + 3600 * parts["hours"] + 60 * parts["minutes"] + parts["seconds"] if found else 0
    if seconds < 60:
        raise ValueError(
            "--time: must be hours:minutes:seconds or days-hours:minutes, at least a minute, but is "
            f"{_text.echoed(time)}; write 2:00:00"
        )
    return seconds
