"""Join several processes into one computation, each with its own devices."""

import jax


def connect(coordinator: str | None = None, num_processes: int | None = None, process_id: int | None = None) -> None:
    """Make this process one of several; `jax.devices()` then lists the devices of all of them.

    Call it first of all, in every process, before anything is computed. Under SLURM, several processes started by one
    `srun` find each other without arguments.

    Args:
        coordinator: "host:port" of process 0.
        num_processes: how many there are.
        process_id: which one this is, from 0.

    Raises:
        ValueError: if only some of the three are given, or JAX has computed something already.

    Note:
        When one process dies all end: use it for a contraction that does not fit one machine, never for a sweep.
    """
    given = [each is not None for each in (coordinator, num_processes, process_id)]
    if any(given) and not all(given):
        raise ValueError(
            "Arguments `coordinator`, `num_processes` and `process_id` must be given together, or none of them under "
            "SLURM."
        )
    jax.config.update("jax_cpu_collectives_implementation", "gloo")  # processes on CPUs exchange arrays through it
    try:
        jax.distributed.initialize(coordinator, num_processes, process_id)
    except RuntimeError as error:
        raise ValueError(f"connect() must come first in a process, once: {error}") from error
    except ValueError as error:
        raise ValueError(f"connect() found no other processes: {error} Name `coordinator` and the others.") from error


def disconnect() -> None:
    """Leave the computation; the last call of every process."""
    jax.distributed.shutdown()
