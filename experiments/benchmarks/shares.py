"""Where the time of a compiled function goes, by kind of operation, from the profiler of JAX."""

import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import jax
from jax.profiler import ProfileData

KINDS = (
    ("Fourier transforms", r"fft"),
    ("matrix products", r"dot|ynn|gemm|cublas"),
    ("decompositions", r"svd|eigh|geqrf|householder|cholesky|triangular|custom-call|cusolver|lapack"),
    (
        "elementwise, sums",
        r"fusion|reduce|wrapped|loop_|input_|multiply|add|subtract|exponential|divide|select|compare",
    ),
    ("copies", r"copy|transpose|slice|pad|concatenate|reshape|gather|scatter|broadcast|iota|reverse|memcpy|memset"),
)
"""Kinds of operation with patterns of their names, tried in turn."""

CONTAINERS = r"^(end: )|^(while|cond|call|async-|tuple|get-tuple)"
"""What contains other operations, or marks the end of one."""


def kind_of(name: str) -> str:
    """Return the kind of an operation of a compiled program."""
    return next((kind for kind, pattern in KINDS if re.search(pattern, name, re.IGNORECASE)), "other")


def shares(function: Any, *args: Any) -> dict[str, float]:
    """Return the share of each kind of operation in the operations of one call, all threads together.

    Args:
        function: compiled.
        args: its arguments.

    Returns:
        Kind -> share, largest first; time between operations (loops, dispatch) is not counted.
    """
    jax.block_until_ready(function(*args))
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            jax.block_until_ready(function(*args))
        (path,) = Path(folder).rglob("*.xplane.pb")
        data = ProfileData.from_file(str(path))
        spent: Counter[str] = Counter()
        for plane in data.planes:
            for line in plane.lines:
                for event in line.events:
                    if re.search(CONTAINERS, event.name) or "hlo_op" not in dict(event.stats):
                        continue
                    spent[kind_of(event.name)] += event.duration_ns
    total = sum(spent.values())
    return {kind: time / total for kind, time in spent.most_common()}
