"""How fast the sweep is: against a loop over the same compiled function, and against one point of ReQuSim.

    python experiments/sweep_memory_vs_length/compare.py [points] [python with ReQuSim]

ReQuSim (pip install requsim, in an environment of its own) samples one point of the two-link version until 1,000 pairs
are delivered. All times are processor times of one run, so that only their ratios count.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from qtn.evaluators.delivery import delivered_links
from qtn.problem.load import load
from qtn.problem.sweep import SweepTask
from qtn.sweeps import batch

HERE = Path(__file__).parent


def recorded(task: SweepTask, index: np.ndarray) -> tuple[float, list[tuple[Any, Any, float]]]:
    """Return the time of a sweep that is compiled already, and what its compiled functions were called with."""
    calls: list[tuple[Any, Any, float]] = []
    original = batch.Batched.__call__

    def noted(self: batch.Batched, points: Any) -> Any:
        began = time.process_time()
        found = original(self, points)
        calls.append((self.function, points, time.process_time() - began))
        return found

    task(index)  # compiles
    batch.Batched.__call__ = noted
    try:
        began = time.process_time()
        task(index)
        return time.process_time() - began, calls
    finally:
        batch.Batched.__call__ = original


def looped(calls: list[tuple[Any, Any, float]]) -> float:
    """Return the time of a Python loop over the same functions, each compiled for one point."""
    total = 0.0
    for function, points, _ in calls:
        one = jax.jit(function)
        rows = len(jax.tree.leaves(points)[0])
        single = [jax.tree.map(lambda column, i=i: column[i], points) for i in range(rows)]
        jax.block_until_ready(one(single[0]))
        began = time.process_time()
        for point in single:
            jax.tree.map(float, one(point))
        total += time.process_time() - began
    return total


def main(num_points: int, peer: str | None) -> None:
    """Measure everything in one run."""
    jax.config.update("jax_enable_x64", True)
    task = SweepTask(load(HERE / "problem.toml"))
    index = np.linspace(0, task.grid.num_points - 1, num_points).astype(int)
    swept, calls = recorded(task, index)
    computing = [call for call in calls if "plan" in call[1]]
    own = sum(seconds for _, _, seconds in calls)
    print(f"{num_points} points with gradients")
    print(f"sweep                                   {1e3 * swept / num_points:9.2f} ms a point")
    print(f"  of it inside compiled functions       {100 * own / swept:9.1f} %")
    print(f"  of it results, the rest chooses grids {100 * sum(call[2] for call in computing) / swept:9.1f} %")
    loop = looped(computing)
    results = sum(call[2] for call in computing)
    print(f"the same results, point by point        {1e3 * loop / num_points:9.2f} ms, {loop / results:.2f} of batches")
    if peer is not None:
        line = load(HERE / "problem.toml", ["chain.num_links=2", "schedule.tree='swap(0, 1)'"])
        heralded = delivered_links(line.chain)[0]
        numbers = {
            "p": float(heralded.p_success),
            "attempt": float(heralded.attempt_time),
            "weights": [float(weight) for weight in heralded.bell_diagonal],
            "t2": 1.0,
            "pairs": 1000,
        }
        done = subprocess.run(
            [peer, str(HERE / "peer.py"), json.dumps(numbers)], capture_output=True, text=True, check=True
        )
        told = json.loads(done.stdout)
        two = SweepTask(load(HERE / "problem.toml", ["chain.num_links=2", "schedule.tree='swap(0, 1)'"]))
        seconds, _ = recorded(two, index)
        ratio = told["seconds"] / (seconds / num_points)
        print(
            f"ReQuSim, one point, 2 links, 1,000 pairs {1e3 * told['seconds']:9.1f} ms: {ratio:.0f} points of a sweep"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 512, sys.argv[2] if len(sys.argv) > 2 else None)
