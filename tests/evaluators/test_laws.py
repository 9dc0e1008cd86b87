"""Laws that hold at every time for any problem: mass, trace, positivity, on random chains and schedules."""

import jax.numpy as jnp
import numpy as np
import pytest

from qtn.evaluators.renewal import Renewal
from qtn.hardware.gates import gates
from qtn.hardware.linear_optics import linear_optics
from qtn.hardware.memory import dephasing_memory, relaxing_memory
from qtn.hardware.node import node
from qtn.links.abstract import abstract_link
from qtn.links.chain import Chain, chain
from qtn.schedules.text import parse
from qtn.states.basis import PAULI_MATRICES

STEPS = (
    "swap(0, 1{})",
    "swap(distill(0, protocol='epl'), 1{})",
    "swap(pump(0, protocol='cnot', cutoff_time=5), distill(1, protocol='code3'){})",
    "distill(swap(0, 1), protocol='dejmps'{})",
)
LIMITS = (
    "",
    ", cutoff_time=4.4",
    ", cutoff_time=6, cutoff_width=1.5",
    ", min_fidelity=0.4",
    ", run_time=9, latency=0.5",
)


def random_chain(rng: np.random.Generator, relaxing: bool) -> Chain:
    links = [
        abstract_link(
            p_success=rng.uniform(0.2, 0.9), attempt_time=1.0, bell_diagonal=jnp.asarray(rng.dirichlet([20, 1, 1, 1]))
        )
        for _ in range(2)
    ]
    nodes = []
    for _ in range(3):
        t1 = rng.uniform(5, 50)
        memory = relaxing_memory(t1, rng.uniform(2, 2 * t1)) if relaxing else dephasing_memory(t1)
        optics = linear_optics(rng.uniform(0.5, 1), rng.uniform(0.5, 1)) if rng.random() < 0.3 else None
        nodes.append(node(memory, gates(*rng.uniform(0.8, 1, 2)), rng.uniform(0.4, 1), optics))
    return chain(links, nodes)


@pytest.mark.parametrize("case", range(12))
def test_mass_trace_and_positivity(case):
    rng = np.random.default_rng(case)
    line = random_chain(rng, relaxing=case % 3 > 0)
    text = STEPS[case % len(STEPS)].format(LIMITS[case % len(LIMITS)])
    found = Renewal(step=0.5, num_steps=8192).evaluate(line, parse(text))
    probability = np.asarray(found.probability)
    assert probability.min() > -1e-15
    assert probability.sum() < 1 + 1e-9
    if found.mean_time * 40 < 0.5 * 8192:  # all of it is on the grid
        assert probability.sum() == pytest.approx(1, abs=1e-9)
    states = found.resolved_states
    likely = probability > 1e-9
    traces = np.asarray(states)[likely, 0, 0]
    np.testing.assert_allclose(traces, probability[likely], atol=1e-14)
    paulis = np.asarray(PAULI_MATRICES)
    basis = np.einsum("iab,jcd->ijacbd", paulis, paulis).reshape(4, 4, 4, 4)
    matrices = np.einsum("tij,ijab->tab", np.asarray(states)[likely] / traces[:, None, None], basis) / 4
    assert np.linalg.eigvalsh(matrices).min() > -1e-9
