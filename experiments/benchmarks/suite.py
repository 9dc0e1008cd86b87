"""All workloads in one table: `python experiments/benchmarks/suite.py --peers PYTHON`, ten minutes.

    python experiments/benchmarks/suite.py --peers /tmp/peers/bin/python   # printed, and kept in results/
    python experiments/benchmarks/suite.py --only MPDO brickwork           # some cases, printed only
    python experiments/benchmarks/suite.py --quick [--store]               # half a minute: see quick.py

PYTHON is the interpreter of a virtual environment with peers/requirements.txt. Every case runs in a process of its own
(`case.py`), those that are compared with peers of one thread on one core.
"""

import argparse
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from case import CASES, Options
from peer import NOT_INSTALLED, PeerError, run_peer
from table import Rates, Row, markdown

HERE = Path(__file__).parent
POINTS = 200
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}
PEERS = ("quimb", "qiskit", "qiskit-aer", "tensorcircuit-ng", "requsim", "jax", "numpy")
"""Packages whose versions in the other environment are told."""
NOTES = """\
Times: medians of calls in turn, compilation apart (brickwork: the least of three or four; trajectories: the least of
three in CPU time). "/ qtn": how many times as long as qtn the reference or the peer takes; above 1 qtn is faster. The
reference of a value is timed alone, that of value and gradient with its own gradient. "Of the roofline": floor / time;
the floor is the larger of the bytes that must move at the copy rate and the operations of the usual algorithms at the
rate of a matrix product (a split of n x n: 14 n^3), twice for value and gradient; above 1 the data stays in the cache.
ReQuSim is timed once, the published algorithm apart from qtn. Memory: what the compiled function needs besides
arguments and outputs (batch: with them, on each device); "process": the peak of the process with its compilers, of
which Python and imports are {imported:.0f} MB."""


def one_core() -> None:
    """Keep a child on one core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def child(script: str, *arguments: str, one_thread: bool = False) -> tuple[list[Any], str]:
    """Return the lines of JSON that a script of this folder prints, and why it failed, if it did."""
    done = subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | (ONE_THREAD if one_thread else {}),
        preexec_fn=one_core if one_thread else None,
    )
    why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1] if done.returncode else ""
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], why


def device(one_thread: bool) -> dict[str, Any]:
    """Return what `device.py` says."""
    found, why = child("device.py", one_thread=one_thread)
    if why:
        raise SystemExit(f"device.py failed: {why}")
    return found[-1]


def rows_of(names: Sequence[str], options: Options) -> list[Row]:
    """Run cases one after another; a case that fails keeps the rows it had and adds one that says why."""
    rows = []
    for position, name in enumerate(names, 1):
        began, case = time.perf_counter(), CASES[name]
        chosen = json.dumps(asdict(options))
        found, why = child("case.py", name, chosen, one_thread=case.one_thread)
        rows += [Row(**row) for row in found]
        if why:
            rows.append(Row(workload=name, own=f"fails: {why.split(':')[0]}", one_thread=case.one_thread))
        told = f"[{position}/{len(names)}] {name}: {time.perf_counter() - began:.0f} s"
        print(f"{told} {why}".rstrip(), file=sys.stderr, flush=True)
    return rows


def versions(found: dict[str, str]) -> str:
    """Return names with their versions."""
    return ", ".join(f"{name} {version}" for name, version in found.items())


def head(given: argparse.Namespace, all_cores: dict[str, Any], one: dict[str, Any], peers: dict[str, str]) -> str:
    """Return what a reader must know of the run; no names or paths of the machine."""
    whole = f"all cores ({os.cpu_count()})" if all_cores["class"].startswith("cpu") else "device"
    options = " --peers PYTHON" if given.peers else ""
    options += f" --points {given.points}" if given.points != POINTS else ""
    options += f" --only {shlex.join(given.only)}" if given.only else ""
    return "\n".join(
        (
            f"# Benchmarks: {all_cores['class']}",
            "",
            f"* {time.strftime('%Y-%m-%d')}: `python experiments/benchmarks/suite.py{options}`",
            f"* {versions(all_cores['versions'])}, {platform.system()}",
            f"* peers: {versions(peers) or 'none'}",
            f"* {whole}: {Rates(**all_cores['rates'])}",
            f"* one thread (brickwork, trajectories, sampled): {Rates(**one['rates'])}",
        )
    )


def missing(rows: Sequence[Row], given: argparse.Namespace) -> str:
    """Return the line that says what would fill the columns of peers."""
    if given.peers is None:
        return "\n\nPeers without a time: `--peers PYTHON`, an interpreter with `peers/requirements.txt`, fills them."
    if any(row.peer_time == NOT_INSTALLED for row in rows):
        return "\n\nPeers that are not installed: `PYTHON -m pip install -r peers/requirements.txt` fills them."
    return ""


def print_table(given: argparse.Namespace) -> None:
    """Run the cases, print the table and keep it."""
    names = [name for name in CASES if not given.only or any(word in name for word in given.only)]
    try:
        peers = run_peer(given.peers, "versions.py", *PEERS) if given.peers else {}
    except PeerError as error:
        raise SystemExit(f"--peers: {given.peers} {error}; give the interpreter of a virtual environment") from None
    all_cores, one = device(one_thread=False), device(one_thread=True)
    rows = rows_of(names, Options(points=given.points, peers=given.peers))
    table = markdown(rows, {False: Rates(**all_cores["rates"]), True: Rates(**one["rates"])})
    notes = NOTES.format(imported=one["imported"] / 1e6) + missing(rows, given)
    text = f"{head(given, all_cores, one, peers)}\n\n{table}\n\n{notes}\n"
    print(text)
    if given.only and not given.out:
        return
    path = given.out or HERE / "results" / (re.sub(r"\W+", "-", all_cores["class"]) + ".md")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def main() -> None:
    """Print the table, or the quick one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", metavar="PYTHON", help="interpreter with peers/requirements.txt")
    parser.add_argument("--points", type=int, default=POINTS, help="points of the batch of the pair engine")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="cases whose name contains a word")
    parser.add_argument("--out", type=Path, metavar="FILE", help="instead of results/DEVICE.md")
    parser.add_argument("--quick", action="store_true", help="hot paths only, against the stored baseline")
    parser.add_argument("--store", action="store_true", help="with --quick: keep the result as the baseline")
    given = parser.parse_args()
    if given.peers and not shutil.which(given.peers):
        parser.error(f"there is no interpreter {given.peers}")
    if given.quick:
        from quick import quick  # imports jax, which the table leaves to its children

        quick(given.store)
    else:
        print_table(given)


if __name__ == "__main__":
    main()
