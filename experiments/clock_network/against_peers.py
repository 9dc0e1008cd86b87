"""The public example of TNQMetro, 1,000 qubits under uncorrelated dephasing, by three programs in one run.

Times are seconds of processor time, compilation included. TNQMetro looks for 1 % ("imprecision"), and so do we.
"""

import json
import math
import subprocess
import time
from pathlib import Path
from typing import Any

import jax

from qtn.channels import Dephasing
from qtn.sensing import best_probe_state

PEERS = Path(__file__).parent / "peers"
STRENGTH = 1.0
"""Coherence after the noise: exp(-STRENGTH / 2)."""
LARGE, SMALL = 1000, 6
BOND, OPERATOR_BOND = 6, 2


def peer(python: str, script: str, *arguments: Any) -> dict[str, Any]:
    """Return what the last line of a peer says."""
    command = [python, str(PEERS / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=3000)
    return json.loads(done.stdout.strip().splitlines()[-1])


def ours(number: int, bond: int, operator_bond: int, tolerance: float) -> dict[str, Any]:
    """Return our best state, and the slope of its Fisher information by the strength of the noise."""
    rounds = []

    def fisher(strength: Any) -> Any:
        noise = Dephasing(p=(1 - jax.numpy.exp(-strength / 2)) / 2).ptm()
        found = best_probe_state(number, noise, bond=bond, operator_bond=operator_bond, tolerance=tolerance)
        rounds.append(float(found.rounds))
        return found.fisher

    start = time.process_time()
    value, slope = jax.value_and_grad(fisher)(STRENGTH)
    seconds = time.process_time() - start
    return {"fisher": float(value), "slope": float(slope), "seconds_with_slope": seconds, "rounds": rounds[0]}


def compared(python: str) -> dict[str, Any]:
    """Return values and times of all."""
    kept = math.exp(-STRENGTH)
    found = {
        "strength": STRENGTH,
        "large": {
            "num_sites": LARGE,
            "no_state_exceeds": LARGE * kept / (1 - kept),
            "product": LARGE * kept,
            "qtn": ours(LARGE, BOND, OPERATOR_BOND, 1e-2),
            "tnqmetro": peer(python, "tnqmetro_dephasing.py", LARGE, STRENGTH),
        },
        "small": {
            "num_sites": SMALL,
            "qtn": ours(SMALL, 4, 4, 1e-5),
            "qmetro": peer(python, "qmetro_dephasing.py", SMALL, STRENGTH, 4, 4),
        },
    }
    large = found["large"]
    large["tnqmetro_over_qtn_time"] = large["tnqmetro"]["seconds"] / large["qtn"]["seconds_with_slope"]
    large["qtn_over_tnqmetro_fisher"] = large["qtn"]["fisher"] / large["tnqmetro"]["fisher"]
    return found
