"""How many programs a first call asks for, with an empty cache: a rise is a decision, not an accident."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

TOOL = Path(__file__).parents[1] / "experiments" / "benchmarks" / "compile_times.py"
TESTED = "0.10.2"

# fmt: off
BOUNDS = {
    "qtn check": 2,
    "qtn evaluate": 25,
    "qtn gradient": 25,
    "qtn sweep, 8 points, derivatives": 12,
    "qtn optimise, Delft-Eindhoven": 90,
    "Renewal, 8 links, DEJMPS: evaluate": 25,
    "Renewal, 8 links, DEJMPS: gradient": 40,
    "Asap, 64 links: value": 10,
    "Sampled, tree of 4 links: value": 25,
    "FullState, 4 links: value": 55,
    "run, MPS, 16 qubits": 15,
    "networks, grid 3 x 3: value": 32,
    "search, 3 links, 1 round": 28,
}
# fmt: on
"""At most so many programs, with the tested version of JAX."""

SLOW = {
    "Renewal, 8 links, DEJMPS: evaluate",
    "Sampled, tree of 4 links: value",
    "networks, grid 3 x 3: value",
    "qtn sweep, 8 points, derivatives",
    "qtn optimise, Delft-Eindhoven",
    "Renewal, 8 links, DEJMPS: gradient",
    "FullState, 4 links: value",
    "search, 3 links, 1 round",
}


@pytest.mark.skipif(jax.__version__ != TESTED, reason=f"bounds are those of JAX {TESTED}")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in BOUNDS]
)
def test_first_call_asks_for_few_programs(name, tmp_path):
    command = [sys.executable, str(TOOL), "--child", name, "--programs"]
    done = subprocess.run(command, env=os.environ | {"QTN_CACHE": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["programs"] <= BOUNDS[name], done.stderr
