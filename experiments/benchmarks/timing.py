"""How the benchmarks take time: in turn, in one process, medians."""

import statistics
import time
from typing import Any

import jax


def seconds(function: Any, *args: Any) -> float:
    """Return the seconds of one call, its results ready."""
    began = time.perf_counter()
    jax.block_until_ready(function(*args))
    return time.perf_counter() - began


def medians(runs: int, *cases: tuple[Any, ...]) -> list[float]:
    """Return the median seconds of each case (function and arguments), run in turn after a warm-up."""
    for case in cases:
        seconds(*case)
    rows = [[seconds(*case) for case in cases] for _ in range(runs)]
    return [statistics.median(column) for column in zip(*rows, strict=True)]
