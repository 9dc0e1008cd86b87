"""A star of four users against ReQuSim: `python experiments/backbone/star.py PEER_PYTHON [SAMPLES]`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import qtn  # noqa: E402

HERE = Path(__file__).parent
STAR = {
    "hub": {"t2_s": 0.3, "two_qubit": 0.98},
    "arms": {
        "bank": {"p_success": 0.05, "attempt_time_s": 1e-3, "werner": 0.97, "t2_s": 0.2},
        "hospital": {"p_success": 0.1, "attempt_time_s": 1e-3, "werner": 0.95, "t2_s": 0.1},
        "ministry": {"p_success": 0.02, "attempt_time_s": 2e-3, "werner": 0.99, "t2_s": 0.5},
        "laboratory": {"p_success": 0.3, "attempt_time_s": 1e-3, "werner": 0.9, "t2_s": 0.05},
    },
}
"""Times in seconds; memories dephase."""


def exact(star: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return rate and fidelity of every pair of users."""
    arms, hub = star["arms"], star["hub"]
    links = {
        (name, "hub"): qtn.abstract_link(
            p_success=arm["p_success"], attempt_time=arm["attempt_time_s"], werner=arm["werner"]
        )
        for name, arm in arms.items()
    }
    nodes = {name: qtn.node(qtn.dephasing_memory(arm["t2_s"])) for name, arm in arms.items()}
    nodes["hub"] = qtn.node(qtn.dephasing_memory(hub["t2_s"]), qtn.gates(two_qubit=hub["two_qubit"]))
    routes = qtn.evaluate_pairs(qtn.graph(links, nodes), arms)
    return {
        " - ".join(pair): {
            "rate_hz": 1 / float(route.result.mean_time),
            "fidelity": float(qtn.fidelity(route.result.state)),
        }
        for pair, route in routes.items()
    }


def main(peer: str, samples: int) -> None:
    """Compare, print, store."""
    ours = exact(STAR)
    command = [peer, str(HERE / "star_peer.py"), str(samples)]
    done = subprocess.run(command, input=json.dumps(STAR), capture_output=True, text=True, check=True)
    theirs = json.loads(done.stdout)
    rows = {pair: {"qtn": ours[pair], "requsim": theirs[pair]} for pair in ours}
    for pair, row in rows.items():
        row["standard_errors"] = {
            name: (row["requsim"][name] - row["qtn"][name]) / row["requsim"][error]
            for name, error in (("rate_hz", "rate_error"), ("fidelity", "fidelity_error"))
        }
        print(pair, row)
    path = HERE / "results.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | {"star": {"samples": samples, "pairs": rows}}, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20_000)
