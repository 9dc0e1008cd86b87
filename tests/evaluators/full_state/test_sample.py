"""Sampled timelines: waiting times are those of `Renewal()`, and what cannot be sampled is refused."""

import numpy as np
import pytest

import qtn
from qtn.evaluators.full_state import Generate, sample_timeline, sample_timelines
from qtn.evaluators.renewal import Renewal
from qtn.steps.protocol import CODE_5
from tests.evaluators.full_state.test_schedules import line

SCHEDULES = {
    "distil, swap, cut-off": qtn.swap(
        qtn.distill(qtn.elementary(0), protocol=qtn.DEJMPS, run_time=6.0), qtn.elementary(1), cutoff_time=4.0
    ),
    "pump, wait, latency": qtn.pump(qtn.wait(qtn.elementary(0), 1.0), qtn.elementary(0), latency=2.0, cutoff_time=3.0),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if "swap" in name else ()) for name in SCHEDULES]
)
def test_mean_time_is_that_of_renewal(name):
    schedule = SCHEDULES[name]
    chain = line(schedule.tree.last + 1, p_success=0.4)
    times = np.array([timeline.times[-1] for timeline in sample_timelines(chain, schedule, 1500, 0)])
    expected = float(Renewal(step=1.0, num_steps=1024).summarise(chain, schedule).mean_time)
    assert abs(times.mean() - expected) < 4 * times.std() / np.sqrt(len(times))


def test_long_chains_are_sampled_without_recursion():
    chain = line(1200, p_success=0.9, p_swap=1.0)
    timeline = sample_timeline(chain, qtn.sequential(1200), 0)
    assert sum(isinstance(event, Generate) for event in timeline.events) == 1200


@pytest.mark.parametrize(
    ("schedule", "tracked", "message"),
    [
        (qtn.swap(qtn.elementary(0), qtn.elementary(1), min_fidelity=0.8), False, "soft cut-off or a min_fidelity"),
        (qtn.distill(qtn.elementary(0), protocol=CODE_5), False, "joins 5 pairs"),
        (qtn.distill(qtn.nested(1)), True, "because a memory relaxes"),
    ],
)
def test_refuses_what_cannot_be_sampled(schedule, tracked, message):
    with pytest.raises(ValueError, match=message):
        sample_timeline(line(schedule.tree.last + 1), schedule, 0, tracked=tracked)
