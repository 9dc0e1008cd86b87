"""Clocks that share pairs and GHZ states of a network: which states are worth waiting for.

    python experiments/clock_network/run.py [--peer PYTHON] [--only clocks sizes design transfer peers]

prints the numbers of README.md, writes results.json and the figures next to this file. PYTHON is an interpreter of an
environment with tnqmetro and qmetro; without it the comparison is left as it is.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import against_peers  # noqa: E402
import design  # noqa: E402
import figures  # noqa: E402
import sizes  # noqa: E402
import two_clocks  # noqa: E402

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PARTS = ("clocks", "stability", "sizes", "design", "transfer", "peers")


def part(name: str, peer: str | None) -> Any:
    """Compute one part."""
    if name == "peers":
        return against_peers.compared(str(peer))
    own = {"clocks": two_clocks.gains, "stability": two_clocks.stability, "transfer": two_clocks.transfer}
    return (own | {"sizes": sizes.rows, "design": design.rows})[name]()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    asked = parser.parse_args()
    for name in asked.only:
        if name == "peers" and asked.peer is None:
            continue
        found = part(name, asked.peer)
        results = (json.loads(RESULTS.read_text()) if RESULTS.exists() else {}) | {name: found}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        if hasattr(figures, name):
            getattr(figures, name)(found)
        if name not in ("sizes", "stability"):
            print(name, json.dumps(found, indent=1), sep="\n", flush=True)


if __name__ == "__main__":
    main()
