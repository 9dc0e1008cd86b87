"""The fast search against the exhaustive one on random chains, as the experiment prints it."""

import runpy
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "experiments" / "schedule_search" / "random_chains.py"


@pytest.mark.long
@pytest.mark.slow
def test_the_fast_search_equals_the_exhaustive_one_on_200_random_chains():
    experiment = runpy.run_path(str(PATH))
    for exact, fast in experiment["compare"](200, seed=0):
        assert exact.guarantee.startswith("Optimal") and fast.guarantee.startswith("No proof")
        assert experiment["missed"](exact, fast) <= 1e-9
