"""What storing costs: points per second of a sweep with its store, against those of the compiled function alone.

    python experiments/benchmarks/sweep_store.py [points]

The function takes one to ten milliseconds a point. Processor time and wall time of both, in one run.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from qtn.sweeps.batch import Batched
from qtn.sweeps.layout import Column, Layout
from qtn.sweeps.run import run_shard
from qtn.sweeps.spec import grid
from qtn.sweeps.store import create

BATCH = 256


def costly(point: Any) -> Any:
    """Return something that takes about two milliseconds: many products of a matrix with a vector."""
    matrix = jnp.cos(point["x"] + jnp.arange(64.0)[:, None] * jnp.arange(64.0)) / 8
    body = lambda _, v: jnp.tanh(matrix @ v)  # noqa: E731
    return {"y": jnp.sum(lax.fori_loop(0, 4000, body, jnp.ones(64)))}


def timed(run: Callable[[], Any]) -> tuple[float, float]:
    """Return (processor time, wall time) [s]."""
    before = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - before[0], time.perf_counter() - before[1]


def main(num_points: int) -> None:
    """Measure both ways in turn, compiled beforehand."""
    jax.config.update("jax_enable_x64", True)
    points = grid({"x": {"start": 0.0, "stop": 1.0, "num": num_points}})
    layout = Layout(points, (Column("y"),), BATCH, "{}")
    batched = Batched(costly, block=BATCH)
    everything = points.columns(np.arange(num_points))
    batched({"x": everything["x"][:BATCH]})
    own = timed(lambda: batched({"x": everything["x"]}))
    with tempfile.TemporaryDirectory() as folder:

        def swept() -> None:
            store = create(Path(folder) / "RUN.zarr", layout)
            run_shard(store, lambda index: (batched({"x": everything["x"][index]}), [""] * index.size))

        stored = timed(swept)
    print(f"{num_points:,} points in chunks of {BATCH}, {1e3 * own[0] / num_points:.2f} ms of processor time each")
    for name, a, b in (("processor time", own[0], stored[0]), ("wall time", own[1], stored[1])):
        print(f"{name:14s}  function alone {a:8.2f} s   with store {b:8.2f} s   throughput {100 * a / b:5.1f} %")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
