"""The numbers of experiments/conference_key, computed again for a few of its cells."""

import importlib.util
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "experiments" / "conference_key"
RESULTS = json.loads((FOLDER / "results.json").read_text())


def module():
    spec = importlib.util.spec_from_file_location("conference_key", FOLDER / "run.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize(("users", "length"), [(3, 20), pytest.param(12, 60, marks=pytest.mark.slow)])
def test_cells_of_the_table(users, length):
    run = module()
    line = run.line_of(float(length), run.HARDWARE)
    found, stored = run.rates(users, run.arm_of(line), line.node(1)), RESULTS["rates"][f"{users} users, {length} km"]
    assert found == pytest.approx(stored, rel=1e-8)
