"""A schedule on the full state against the dense register, and against the bilinear maps of the steps."""

import numpy as np
import pytest

import qtn
from qtn.evaluators.full_state import FullState, num_pairs, timeline_of
from qtn.hardware.memory import relaxing_memory
from qtn.steps.protocol import CNOT, DOUBLE_SELECTION, EPL
from tests.evaluators.full_state.replay import replay

T1, T2 = 20.0, 15.0


def line(num_links, t1=T1, t2=T2, p_success=0.1, p_swap=None, optical=()):
    """Different links and nodes; some of them swap by linear optics."""
    links = [
        qtn.abstract_link(p_success=p_success, attempt_time=1.0, werner=0.95 - 0.05 * (k % 5)) for k in range(num_links)
    ]
    nodes = [
        qtn.node(
            relaxing_memory(t1, t2),
            qtn.gates(0.97 - 0.01 * (k % 5), 0.98 - 0.005 * (k % 5)),
            p_swap or 0.5 + 0.1 * (k % 5),
            qtn.linear_optics(0.9 - 0.1 * (k % 5), 0.8, 0.01) if k in optical else None,
        )
        for k in range(num_links + 1)
    ]
    return qtn.chain(links, nodes)


def distilled(protocol):
    """Distill pairs of link 0, then swap with link 1."""
    return qtn.swap(qtn.distill(qtn.elementary(0), protocol=protocol), qtn.elementary(1))


CASES = {
    "nested, four links": (qtn.nested(2), 4, False),
    "nested, four links, tracked": (qtn.nested(2), 4, True),
    "sequential, three links": (qtn.sequential(3), 3, False),
    "sequential, three links, tracked": (qtn.sequential(3), 3, True),
    "wait": (qtn.swap(qtn.wait(qtn.elementary(0), 2.5), qtn.elementary(1)), 2, False),
    "dejmps, then swap": (distilled(qtn.DEJMPS), 2, False),
    "double selection": (qtn.distill(qtn.elementary(0), protocol=DOUBLE_SELECTION), 1, False),
    "distill after a swap, tracked": (qtn.distill(qtn.nested(1), protocol=EPL), 2, True),
    "pumping": (
        qtn.distill(qtn.distill(qtn.elementary(0), protocol=CNOT), qtn.elementary(0), protocol=qtn.DEJMPS),
        1,
        False,
    ),
}


FAST = ("nested, four links, tracked", "dejmps, then swap")


@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in FAST else pytest.mark.slow) for name in CASES])
def test_agrees_with_dense_register(name):
    schedule, num_links, tracked = CASES[name]
    chain = line(num_links)
    arrivals = np.random.default_rng(len(name)).integers(1, 9, num_pairs(schedule.tree)).astype(float)
    timeline = timeline_of(schedule, arrivals, tracked=tracked)
    found = FullState().run(chain, timeline)
    expected = replay(chain, timeline, T1, T2).coefficients(delivered(timeline))
    np.testing.assert_allclose(found.probability, expected[0, 0], rtol=1e-12)
    np.testing.assert_allclose(found.correlations(delivered(timeline)), expected / expected[0, 0], atol=1e-13)


@pytest.mark.parametrize(
    "tracked", [pytest.param(False, id="at the swap", marks=pytest.mark.slow), pytest.param(True, id="tracked")]
)
def test_linear_optics_agrees_with_dense_register(tracked):
    """Gates at node 1, optics at node 2 with a relaxed qubit whose correction may be pending."""
    chain = line(3, optical=(2,))
    timeline = timeline_of(qtn.sequential(3), [3.0, 1.0, 6.0], tracked=tracked)
    found = FullState().run(chain, timeline)
    expected = replay(chain, timeline, T1, T2).coefficients(delivered(timeline))
    np.testing.assert_allclose(found.probability, expected[0, 0], rtol=1e-12)
    np.testing.assert_allclose(found.correlations(delivered(timeline)), expected / expected[0, 0], atol=1e-13)


def delivered(timeline):
    """Return the slots that hold the delivered pair."""
    return [event.slots[0] for event in timeline.events[-2:]]


def test_wrong_arrivals_are_refused():
    late = qtn.swap(qtn.elementary(0), qtn.elementary(1), cutoff_time=2.0)
    with pytest.raises(ValueError, match="must hold 2 times"):
        timeline_of(late, [1.0])
    with pytest.raises(ValueError, match="waits 3 s, but is discarded after 2 s"):
        timeline_of(late, [1.0, 4.0])
    with pytest.raises(ValueError, match="has a min_fidelity"):
        timeline_of(qtn.swap(qtn.elementary(0), qtn.elementary(1), min_fidelity=0.9), [1.0, 1.0])
    with pytest.raises(ValueError, match="is a pump"):
        timeline_of(qtn.pump(qtn.elementary(0)), [3.0, 1.0])
    with pytest.raises(ValueError, match="gives node 0 1 memories"):
        timeline_of(qtn.distill(qtn.elementary(0)), [1.0, 2.0], memories=1)
