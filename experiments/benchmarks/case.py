"""One case of the table in a process of its own: `python experiments/benchmarks/case.py NAME OPTIONS`.

Started by `suite.py`, so that every case has its own memory and threads and no crash loses another case. OPTIONS are
JSON (see `Options`); prints each row as a line of JSON as soon as it is known.
"""

import importlib
import json
import sys
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Options:
    """What the user chooses."""

    points: int
    """Points of the batch of the pair engine."""
    peers: str | None
    """Python with the peers."""


@dataclass(frozen=True)
class Case:
    """Where the rows of a case come from: `function(options, *arguments)` of a module yields them."""

    module: str
    function: str
    arguments: tuple[Any, ...] = ()
    one_thread: bool = False
    every_core: bool = False
    """Every core is a device of its own, as in `qtn sweep`."""


CASES = {
    "pair engine, a tree": Case("rows_all_cores", "tree"),
    "pair engine, a batch": Case("rows_all_cores", "batch", (65536, 1), every_core=True),
    "pair engine, a batch of short grids": Case("rows_all_cores", "batch", (4096, 10), every_core=True),
    "pair engine, equal links": Case("rows_all_cores", "equal_links"),
    "swap-asap": Case("rows_all_cores", "swap_asap"),
    "MPDO, bond 16": Case("rows_all_cores", "mixed_circuit", (16,)),
    "MPDO, bond 32": Case("rows_all_cores", "mixed_circuit", (32,)),
    "products, noise": Case("rows_all_cores", "products", ("noise",)),
    "products, rotations": Case("rows_all_cores", "products", ("rotations",)),
    "brickwork, weak, bond 32": Case("rows_one_thread", "brickwork", ("weak", 32), one_thread=True),
    "brickwork, weak, bond 64": Case("rows_one_thread", "brickwork", ("weak", 64), one_thread=True),
    "brickwork, Haar, bond 32": Case("rows_one_thread", "brickwork", ("haar", 32), one_thread=True),
    "brickwork, Haar, bond 64": Case("rows_one_thread", "brickwork", ("haar", 64), one_thread=True),
    "trajectories, GHZ": Case("rows_one_thread", "noisy_circuit", ("ghz", 1024), one_thread=True),
    "trajectories, Ising": Case("rows_one_thread", "noisy_circuit", ("ising", 256), one_thread=True),
    "sampled, 4 links": Case("rows_one_thread", "sampled", (4,), one_thread=True),
    "sampled, 16 links": Case("rows_one_thread", "sampled", (16,), one_thread=True),
    "sampled, 32 links": Case("rows_one_thread", "sampled", (32,), one_thread=True),
}


def main(name: str, options: str) -> None:
    """Print the rows of a case."""
    case = CASES[name]
    if case.every_core:
        from qtn.cli.session import one_device_a_core

        one_device_a_core()
    rows = getattr(importlib.import_module(case.module), case.function)
    for row in rows(Options(**json.loads(options)), *case.arguments):
        print(json.dumps(asdict(row)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
