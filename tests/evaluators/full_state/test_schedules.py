"""A schedule on the full state against the dense register, and against the bilinear maps of the steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qtn
from qtn.evaluators.full_state import FullState, num_pairs, timeline_of
from qtn.hardware.memory import relaxing_memory
from qtn.steps.protocol import CNOT, DOUBLE_SELECTION, EPL
from tests.evaluators.full_state.replay import replay

T1, T2 = 20.0, 15.0


def line(num_links, t1=T1, t2=T2):
    """Different links and nodes."""
    links = [qtn.abstract_link(p_success=0.1, attempt_time=1.0, werner=0.95 - 0.05 * k) for k in range(num_links)]
    nodes = [
        qtn.node(relaxing_memory(t1, t2), qtn.gates(0.97 - 0.01 * k, 0.98 - 0.005 * k), 0.5 + 0.1 * k)
        for k in range(num_links + 1)
    ]
    return qtn.chain(links, nodes)


def distilled(protocol, copies=2):
    """Distill `copies` pairs of link 0, then swap with link 1."""
    del copies
    return qtn.swap(qtn.distill(qtn.elementary(0), protocol=protocol), qtn.elementary(1))


CASES = {
    "two links": (qtn.nested(1), 2),
    "nested, four links": (qtn.nested(2), 4),
    "sequential, four links": (qtn.sequential(4), 4),
    "wait": (qtn.swap(qtn.wait(qtn.elementary(0), 2.5), qtn.elementary(1)), 2),
    "dejmps": (distilled(qtn.DEJMPS), 2),
    "cnot": (distilled(CNOT), 2),
    "epl": (distilled(EPL), 2),
    "distill after a swap": (qtn.distill(qtn.nested(1), protocol=qtn.DEJMPS), 2),
    "pumping": (qtn.distill(qtn.distill(qtn.elementary(0), protocol=CNOT), qtn.elementary(0), protocol=qtn.DEJMPS), 1),
}


@pytest.mark.parametrize("tracked", [False, True], ids=["at once", "tracked"])
@pytest.mark.parametrize("name", CASES)
def test_agrees_with_dense_register(name, tracked):
    schedule, num_links = CASES[name]
    chain = line(num_links)
    arrivals = np.random.default_rng(len(name)).integers(1, 9, num_pairs(schedule.tree)).astype(float)
    found = FullState().run(chain, timeline := timeline_of(schedule, arrivals, tracked=tracked))
    register = replay(chain, timeline, T1, T2)
    expected = register.coefficients([(0, timeline.events[-2].slots[0][1]), timeline.events[-1].slots[0]])
    assert sorted(register.names) == sorted(found.slots[0])
    np.testing.assert_allclose(found.probability, expected[0, 0], rtol=1e-12)
    np.testing.assert_allclose(found.correlations(register_ends(timeline)), expected / expected[0, 0], atol=1e-13)


def register_ends(timeline):
    """Return the slots that hold the delivered pair."""
    return [event.slots[0] for event in timeline.events[-2:]]
