"""Circuits over several processors, on pairs that a network delivers.

    python experiments/distributed_computing/run.py [--peer PYTHON] [--only oxford rounds scaling wide aer]

prints the numbers of README.md, writes results.json and a figure for each part next to this file. PYTHON is an
interpreter of an environment with qiskit and qiskit-aer; without it the comparison is left as it is.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import against_aer  # noqa: E402
import families  # noqa: E402
import figures  # noqa: E402
import oxford  # noqa: E402
import rounds  # noqa: E402
import tables  # noqa: E402
import wide  # noqa: E402

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PARTS = ("oxford", "rounds", "scaling", "wide", "aer")
DRAWN = ("oxford", "rounds", "scaling")


def part(name: str, peer: str | None) -> Any:
    """Compute one part."""
    if name == "oxford":
        return oxford.calibrated()
    if name == "rounds":
        return rounds.summary()
    if name == "aer":
        return against_aer.compared(str(peer))
    return families.rows() if name == "scaling" else wide.rows()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    asked = parser.parse_args()
    for name in asked.only:
        if name == "aer" and asked.peer is None:
            continue
        found = part(name, asked.peer)
        results = (json.loads(RESULTS.read_text()) if RESULTS.exists() else {}) | {name: found}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        if name in DRAWN:
            getattr(figures, name)(results[name])
        print(name, getattr(tables, name)(results[name]), sep="\n\n", end="\n\n", flush=True)


if __name__ == "__main__":
    main()
