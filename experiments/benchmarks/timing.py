"""How the benchmarks take time (in turn, in one process, medians) and memory."""

import resource
import statistics
import sys
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


def working_memory(compiled: Any) -> int:
    """Return the bytes that a compiled function needs besides its arguments and outputs."""
    analysis = compiled.memory_analysis()
    assert analysis is not None
    return analysis.temp_size_in_bytes


def process_memory() -> int:
    """Return the largest memory of this process so far [bytes], with Python, its imports and compilers."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
