"""The public example of TNQMetro, 1,000 qubits under uncorrelated dephasing, by three programs in one run.

Times are seconds of processor time, ours with compilation and slope; peers run at the same time as we do. TNQMetro ends
where larger bonds gain less than 1 %, we where a round gains less than 1e-4, at each of three bonds. Peers use one
thread, which costs them the least processor time.
"""

import json
import math
import os
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
BONDS, OPERATOR_BOND = (4, 6, 8), 2
TOLERANCE = 1e-4


def started(python: str, script: str, *arguments: Any) -> subprocess.Popen[str]:
    """Start a peer."""
    command = [python, str(PEERS / script), *map(str, arguments)]
    alone = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=alone)


def said(peer: subprocess.Popen[str]) -> dict[str, Any]:
    """Return what the last line of a peer says."""
    return json.loads(peer.communicate(timeout=3000)[0].strip().splitlines()[-1])


def ours(number: int, bond: int, operator_bond: int, tolerance: float) -> dict[str, Any]:
    """Return our best state, and the slope of its Fisher information by the strength of the noise."""

    def fisher(strength: Any) -> Any:
        noise = Dephasing(p=(1 - jax.numpy.exp(-strength / 2)) / 2).ptm()
        found = best_probe_state(number, noise, bond=bond, operator_bond=operator_bond, tolerance=tolerance)
        return found.fisher, found.rounds

    start = time.process_time()
    (value, rounds), slope = jax.value_and_grad(fisher, has_aux=True)(STRENGTH)
    seconds = time.process_time() - start
    found = {"fisher": float(value), "slope": float(slope), "seconds_with_slope": seconds, "rounds": float(rounds)}
    found |= {"bond": bond, "operator_bond": operator_bond}
    print(number, found, flush=True)
    return found


def compared(python: str) -> dict[str, Any]:
    """Return values and times of all."""
    kept = math.exp(-STRENGTH)
    theirs = [
        started(python, "tnqmetro_dephasing.py", LARGE, STRENGTH),
        started(python, "qmetro_dephasing.py", SMALL, STRENGTH, 4, 4),
    ]
    large = {
        "num_sites": LARGE,
        "no_state_exceeds": LARGE * kept / (1 - kept),
        "product": LARGE * kept,
        "qtn": {str(bond): ours(LARGE, bond, OPERATOR_BOND, TOLERANCE) for bond in BONDS},
    }
    small = {"num_sites": SMALL, "qtn": ours(SMALL, 4, 4, 1e-5)}
    large["tnqmetro"], small["qmetro"] = map(said, theirs)
    peer = large["tnqmetro"]
    for own in large["qtn"].values():
        own["tnqmetro_over_qtn_time"] = peer["seconds"] / own["seconds_with_slope"]
        own["qtn_over_tnqmetro_fisher"] = own["fisher"] / peer["fisher"]
    return {"strength": STRENGTH, "large": large, "small": small}
