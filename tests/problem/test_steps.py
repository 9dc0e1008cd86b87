"""Latencies, optics, levels and the limits of steps in problem files."""

import numpy as np
import pytest

from qtn.problem.evaluation import evaluated
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.problem.names import numeric_leaves, schedule_with, with_values
from qtn.problem.run import gradient, report_numbers
from qtn.schedules.text import to_text

FILE = """
schema = 1
[chain]
num_links = 2
[chain.link]
model = "double_click"
length_km = 20.0
attenuation_db_per_km = 0.2
efficiency = 0.9
[chain.node]
memory = { model = "dephasing", t2_s = 0.01 }
gates = { two_qubit = 0.99, readout = 0.99, two_qubit_time_s = 2e-6, readout_time_s = 1e-6 }
swap = { model = "linear_optics", efficiency = 0.8, visibility = 0.9 }
[schedule]
tree = "swap(distill(0), 1)"
latency = "messages"
"""
MESSAGE = 20e3 * 1.468 / 299792458


def test_latencies_follow_lengths_and_gates():
    problem = loads(FILE)
    _, schedule = with_values(problem, {})
    np.testing.assert_allclose(schedule.wait_times, [3e-6 + MESSAGE, MESSAGE], rtol=1e-12)
    _, longer = with_values(problem, {"chain.link.length_km": 40.0})
    np.testing.assert_allclose(longer.wait_times, [3e-6 + 2 * MESSAGE, 2 * MESSAGE], rtol=1e-12)
    _, gates_only = with_values(loads(FILE.replace('"messages"', '"gates"')), {})
    np.testing.assert_allclose(gates_only.wait_times, [3e-6, 0.0], atol=1e-18)
    assert to_text(problem.schedule) == "swap(distill(0), 1)"


@pytest.mark.slow
def test_latency_costs_time_and_fidelity():
    slow, fast = (report_numbers(evaluated(p)) for p in (loads(FILE), loads(FILE, ["schedule.latency=none"])))
    assert slow["mean_time_s"] > fast["mean_time_s"] + MESSAGE
    assert slow["fidelity"] < fast["fidelity"]
    assert [row["links"] for row in slow["joins"]] == ["link 0", "links 0 to 1"]
    assert slow["joins"][-1]["mean_time_s"] == pytest.approx(slow["mean_time_s"], rel=1e-3)
    slopes = gradient(loads(FILE), "fidelity")["gradient"]
    assert slopes["chain.node.gates.two_qubit_time_s"] < 0
    assert slopes["chain.node.swap.visibility"] > 0


def test_optimum_is_written_without_latencies():
    """Those follow from the file again, so that they stay what its gates and lengths say."""
    problem = loads(FILE.replace("), 1)", "), 1, cutoff_time=0.1)"))
    schedule = schedule_with(problem, {"schedule.cutoff_times.0": 0.2})
    assert to_text(schedule) == "swap(distill(0), 1, cutoff_time=0.2)"


def test_numbers_of_steps_have_names_and_overrides():
    text = FILE.replace("distill(0), 1", "distill(0, min_fidelity=0.6), 1, cutoff_time=0.1, cutoff_width=0.01")
    assert {name for name in numeric_leaves(loads(text)) if name.startswith("schedule.")} == {
        "schedule.cutoff_times.0", "schedule.cutoff_widths.0", "schedule.min_fidelities.0",
    }  # fmt: skip
    changed = loads(text, ["schedule.min_fidelities.0=0.7", "schedule.cutoff_widths.0=0.02"])
    assert "min_fidelity=0.7" in str(changed.config.schedule.tree)
    assert "cutoff_width=0.02" in str(changed.config.schedule.tree)


BAD = {
    "optics without model": (
        FILE.replace('model = "linear_optics", ', ""),
        'chain.node.swap.efficiency: belongs to `model = "linear_optics"`; add that, or remove it',
    ),
    "messages over abstract links": (
        FILE.replace(
            'model = "double_click"\nlength_km = 20.0\nattenuation_db_per_km = 0.2\nefficiency = 0.9',
            'model = "abstract"\np_success = 0.1\nattempt_time_s = 1.0\nwerner = 0.9',
        ),
        'schedule.latency: "messages" needs the length of each link, and chain.link has none',
    ),
    "latency and search": (
        FILE + "[optimise]\nsearch = {}\n",
        "schedule.latency: schedules are searched without latencies",
    ),
    "negative time": (FILE.replace("2e-6", "-2e-6"), "chain.node.gates.two_qubit_time_s: must be at least 0"),
    "cut-off within an attempt": (
        FILE.replace("swap(distill(0), 1)", "swap(distill(0), 1, cutoff_time=1e-6)"),
        "schedule.cutoff_times.0: 1e-06 s is shorter than one attempt of 9.79344e-05 s",
    ),
    "latency of yes": (FILE.replace('"messages"', '"yes"'), "schedule.latency: must be"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files(case):
    text, sentence = BAD[case]
    with pytest.raises(ProblemError) as raised:
        loads(text)
    assert sentence in str(raised.value)


def test_bad_overrides():
    text = FILE.replace("swap(distill(0), 1)", "swap(0, 1, min_fidelity=0.6)")
    for override, sentence in {
        "schedule.min_fidelities.0=1.5": "schedule.min_fidelities.0: must lie in [0, 1], but is 1.5",
        "schedule.min_fidelities=0.5": "needs a position, such as schedule.min_fidelities.0",
        "schedule.cutoff_widths.0=0.1": "the tree has 0 of these",
    }.items():
        with pytest.raises(ProblemError) as raised:
            loads(text, [override])
        assert sentence in str(raised.value)
