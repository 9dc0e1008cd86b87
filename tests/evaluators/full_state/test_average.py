"""The average over sampled timelines agrees with the exact evaluator, and says what it cannot do."""

import jax
import numpy as np
import pytest

from qtn.evaluators.full_state import FullState, timeline_of
from qtn.evaluators.renewal import Renewal
from qtn.hardware.gates import gates
from qtn.hardware.memory import relaxing_memory
from qtn.hardware.node import node
from qtn.links.abstract import abstract_link
from qtn.links.chain import chain
from qtn.schedules.text import parse

LINE = chain(
    abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9),
    node(relaxing_memory(20.0, 15.0), gates(0.95, 0.97), 0.8),
    2,
)
SCHEDULE = parse("swap(0, 1, cutoff_time=3)")


@pytest.mark.slow
def test_average_agrees_with_renewal():
    found = FullState(num_samples=60, seed=1).evaluate(LINE, SCHEDULE)
    exact = Renewal(step=1.0, num_steps=512).summarise(LINE, SCHEDULE)
    errors = np.sqrt(np.diagonal(found.info.covariance))
    assert abs(float(found.mean_time - exact.mean_time)) < 4 * errors[0]
    differences = np.abs(np.asarray(found.state - exact.state)).reshape(16)
    assert np.all(differences <= 4 * errors[1:] + 1e-9)
    assert errors[0] > 0


def test_no_derivative():
    with pytest.raises(ValueError, match=r"no derivative: use Renewal\(\) or Sampled\(\)"):
        jax.grad(lambda line: FullState().summarise(line, SCHEDULE).mean_time)(LINE)


def test_a_pair_needs_one_qubit_at_each_end():
    outcome = FullState().run(LINE, timeline_of(parse("swap(0, 1)"), [1.0, 2.0]))
    np.testing.assert_allclose(outcome.pair(0, 2), outcome.correlations([(0, 0), (2, 0)]), atol=1e-15)
    with pytest.raises(ValueError, match="Node 1 holds 0 qubits, not one"):
        outcome.pair(0, 1)
