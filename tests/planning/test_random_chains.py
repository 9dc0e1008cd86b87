"""The fast search against the exhaustive one on random chains, as the experiment prints it."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "experiments" / "schedule_search" / "random_chains.py"


@pytest.fixture(scope="module")
def experiment():
    """The experiment as a module."""
    spec = importlib.util.spec_from_file_location("random_chains", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_fast_search_equals_the_exhaustive_one_on_200_random_chains(experiment):
    for exact, fast in experiment.compare(200, seed=0):
        assert exact.guarantee.startswith("Optimal") and fast.guarantee.startswith("No proof")
        assert experiment.missed(exact, fast) <= 1e-9
