"""Sweeps of swap-asap: points run side by side and equal what each gives alone; refusals are those of a point."""

import numpy as np
import pytest

from qtn.problem import points as points_module
from qtn.problem.evaluation import merits, outcome
from qtn.problem.load import changed, loads
from qtn.problem.messages import ProblemError
from qtn.problem.run import differentiate
from qtn.problem.structures import override
from qtn.problem.sweep import SweepTask

CHAIN = """
schema = 1
[chain]
num_links = 3
link = { model = "abstract", p_success = 0.1, attempt_time_s = 1e-3, werner = 0.97 }
node = { memory = { model = "dephasing", t2_s = 0.5 }, swap = { p_success = 1.0 } }
[schedule]
policy = "swap_asap"
"""

SHORT = CHAIN + "[time]\nnum_steps = 512\n"
RELAXING = SHORT.replace('"dephasing"', '"t1t2", t1_s = 0.6') + '[evaluate]\ncorrection = "tracked"\n'
KEPT = CHAIN + 'ends = "kept"\n[time]\nnum_steps = 64\n'
SWEEP = '[sweep]\njob = "{}"\noutputs = ["fidelity"]\n[sweep.axes]\n'


def alone(made, index):
    """Return the problem of one point."""
    return changed(made.problem, [override(name, value) for name, value in made.grid.point(index).items()])


@pytest.mark.parametrize(
    ("text", "job", "name", "values"),
    [
        pytest.param(
            *(CHAIN, "evaluate", "chain.link.p_success", [0.1, 1.0, 5e-3]),
            id="exact and coarse grids",
            marks=pytest.mark.slow,
        ),
        pytest.param(KEPT, "evaluate", "chain.link.p_success", [0.3, 0.25], id="kept ends"),
        pytest.param(
            *(SHORT, "gradient", "chain.link.attempt_time_s", [1e-3, 1.1e-3]),
            id="attempt times",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *(RELAXING, "gradient", "chain.node.memory.t1_s", [0.6, 3.0]), id="relaxing", marks=pytest.mark.slow
        ),
    ],
)
def test_values_and_derivatives_equal_those_of_each_point_alone(text, job, name, values, monkeypatch):
    monkeypatch.setattr(points_module.Points, "_one_by_one", None)
    made = SweepTask(loads(text + SWEEP.format(job) + f'"{name}" = {values}\n'))
    found, reasons = made(np.arange(len(values)))
    assert not any(reasons)
    for i in range(len(values)):
        right = outcome(alone(made, i))
        fidelity = float(merits(made.problem, right, clip=True)["fidelity"])
        assert found["fidelity"][i] == pytest.approx(fidelity, rel=1e-12)
        assert found["grid_error"][i] == pytest.approx(float(right.info.grid_error), rel=1e-3)
        if job == "gradient":
            slope = differentiate(alone(made, i), "fidelity")[0]["gradient"][name]
            assert found[f"d_fidelity_d_{name}"][i] == pytest.approx(slope, rel=1e-8, abs=1e-10)


def test_a_swap_that_may_fail_is_the_reason_of_its_points_only():
    made = SweepTask(
        loads(CHAIN + '[sweep]\noutputs = ["fidelity"]\n[sweep.axes]\n"chain.node.swap.p_success" = [1, 0.5]\n')
    )
    values, reasons = made(np.arange(2))
    right = merits(made.problem, outcome(alone(made, 0)), clip=True)["fidelity"]
    assert reasons[0] == "" and values["fidelity"][0] == pytest.approx(float(right), rel=1e-12)
    assert "node 1 has p_swap = 0.5" in reasons[1] and "use Sampled(num_samples=...)" in reasons[1]
    assert np.isnan(values["fidelity"][1])


def test_finite_cutoffs_are_refused_point_by_point():
    text = CHAIN + "cutoff_times_s = inf\n[evaluate]\nevaluator = 'asap'\n"
    made = SweepTask(
        loads(text + '[sweep]\noutputs = ["fidelity"]\n[sweep.axes]\n"schedule.cutoff_times_s" = [inf, 1.0]\n')
    )
    values, reasons = made(np.arange(2))
    assert reasons[0] == "" and np.isfinite(values["fidelity"][0])
    assert "Asap() has no cut-offs" in reasons[1]


def test_optics_are_refused_with_the_cure():
    text = CHAIN.replace("swap = { p_success = 1.0 }", 'swap = { model = "linear_optics" }')
    with pytest.raises(ProblemError, match=r'chain\.node\.swap\.model: "linear_optics" needs a tree'):
        loads(text + '[sweep]\noutputs = ["fidelity"]\n[sweep.axes]\n"chain.link.werner" = [0.9, 1.0]\n')
