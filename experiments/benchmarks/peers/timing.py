"""What the peer scripts share: read a circuit, time a run, store the final tensors, print one JSON line."""

import json
import sys
import time

import numpy as np


def read() -> tuple[np.ndarray, np.ndarray, int, int, str]:
    """Return sites, matrices, number of sites, bond, and the file for the result, from the command line."""
    data = np.load(sys.argv[1])
    return data["sites"], data["matrices"], int(data["num_sites"]), int(sys.argv[2]), sys.argv[3]


def report(peer: str, version: str, run, tensors) -> None:
    """Run once to warm up and three times to measure; `tensors(result)` are (left, 2, right) arrays."""
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - start)
    arrays = [np.asarray(tensor) for tensor in tensors(result)]
    named: dict = {f"tensor_{k}": tensor for k, tensor in enumerate(arrays)}
    np.savez(sys.argv[3], **named)
    print(json.dumps({"peer": f"{peer} {version}", "first": seconds[0], "seconds": min(seconds[1:])}))
