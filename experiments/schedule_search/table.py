"""Regenerate the table of known schedule optima: python table.py [--rows 1 3]; each row runs with a cold cache."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ROWS = (
    ("5 nodes, <= 1 round", "five_nodes", 1, "bbpssw", "exhaustive", 7.38337161e-5, 7.38337161e-5),
    ("5 nodes, <= 2 rounds", "five_nodes", 2, "bbpssw", "exhaustive", 7.80352776e-5, 7.80352776e-5),
    ("11 nodes, <= 1 round", "eleven_nodes", 1, "bbpssw", "auto", 5.26748862e-5, 5.26748862e-5),
    ("11 nodes, <= 2 rounds", "eleven_nodes", 2, "bbpssw", "auto", 7.64258440e-5, 7.8173e-5),
    ("5 nodes, dejmps, <= 2 rounds", "five_nodes", 2, "dejmps", "auto", None, 1.5188e-4),
    ("11 nodes, dejmps, <= 2 rounds", "eleven_nodes", 2, "dejmps", "auto", None, 2.3966e-4),
)
"""Problem, file, most rounds, protocol, method, published optimum and required one."""

DOUBLING_OPTIMUM = 8.804544548e-6


def clock() -> np.ndarray:
    """Return the time [s], and the processor time of finished commands [s], which other programs do not change."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return np.array([time.perf_counter(), usage.ru_utime + usage.ru_stime])


def searched(name: str, rounds: int, protocol: str, method: str, folder: str) -> tuple[float, str, np.ndarray]:
    """Return the rate, the tree and the seconds (wall, processor) of one whole command with a cold cache."""
    changes = {"max_rounds": rounds, "protocols": f'["{protocol}"]', "method": f'"{method}"'}
    command = [sys.executable, "-m", "qtn", "optimise", str(HERE / f"{name}.toml"), "--json"]
    for key, value in changes.items():
        command += ["--set", f"optimise.search.{key}={value}"]
    start = clock()
    answer = subprocess.run(command, env=os.environ | {"QTN_CACHE": folder}, cwd=folder, capture_output=True, text=True)
    seconds = clock() - start
    if answer.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{answer.stderr}")
    found = json.loads(answer.stdout)
    return found["best"]["value"], found["best"]["tree"], seconds


def doubling(folder: str) -> None:
    """Tune the three cut-offs of the nested doubling chain from three starts."""
    command = [sys.executable, str(HERE / "doubling.py")]
    start = clock()
    subprocess.run(command, env=os.environ | {"QTN_CACHE": folder}, check=True)
    wall, processor = clock() - start
    print(f"  required {DOUBLING_OPTIMUM:.9e} at (5, 10, 14); three starts: {wall:.0f} s, processor {processor:.0f} s")


def main() -> None:
    """Print a line per row: published, required and obtained optimum, with the seconds of the whole command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="*", default=list(range(1, len(ROWS) + 2)))
    rows = parser.parse_args().rows
    print(f"{'problem':32}{'published':>16}{'required':>16}{'obtained':>18}{'seconds':>9}{'processor':>11}")
    for number, (title, name, rounds, protocol, method, published, required) in enumerate(ROWS, 1):
        if number in rows:
            with tempfile.TemporaryDirectory() as folder:
                rate, tree, seconds = searched(name, rounds, protocol, method, folder)
            known = f"{published:.9g}" if published else "none"
            print(f"{title:32}{known:>16}{required:>16.9g}{rate:>18.10g}", end="")
            print(f"{seconds[0]:>9.1f}{seconds[1]:>11.1f}\n  {tree}", flush=True)
    if len(ROWS) + 1 in rows:
        print("3-level nested doubling, log2: cut-offs, rate, gradients, status", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            doubling(folder)


if __name__ == "__main__":
    main()
