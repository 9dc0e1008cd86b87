"""The seam of the state levels: a Werner level of two numbers gives what the Bell-diagonal level gives."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from qtn import BBPSSW, Renewal, abstract_link, chain, depolarising_memory, nested, node
from qtn.steps.level import Level


@dataclasses.dataclass(frozen=True)
class Werner:
    """Two numbers: probability, and probability times Werner parameter."""

    num_components: int = 2

    def from_bell(self, weights):
        return jnp.stack([weights.sum(), (4 * weights[0] - weights.sum()) / 3])

    def to_bell(self, vectors):
        other = (vectors[0] - vectors[1]) / 4
        return jnp.stack([other + vectors[1], other, other, other])

    def decay_rates(self, left, right):
        return jnp.stack([0.0, 1 / left.memory.time_constant + 1 / right.memory.time_constant])

    def swap(self, node):
        return jnp.zeros((2, 2, 2)).at[0, 0, 0].set(node.p_swap).at[1, 1, 1].set(node.p_swap)  # perfect gates

    def distill(self, protocol, left, right):
        assert protocol is BBPSSW
        table = [[[1 / 2, 0], [0, 1 / 2]], [[0, 1 / 6], [1 / 6, 4 / 6]]]
        return jnp.array(table)


@pytest.mark.parametrize("cutoff", [None, [12.5, 40.0]], ids=["no cut-off", "cut-offs"])
def test_werner_level_equals_bell_diagonal_level(cutoff):
    assert isinstance(Werner(), Level)
    plain = node(depolarising_memory(90.0), p_swap=0.7)
    hardware = chain(abstract_link(p_success=0.2, attempt_time=1.0, werner=0.95), plain, 4)
    schedule = nested(2, rounds=[1, 0, 0], cutoff_times=cutoff)
    bell, werner = (Renewal(level=level).evaluate(hardware, schedule) for level in (Renewal().level, Werner()))
    np.testing.assert_allclose(werner.mean_time, bell.mean_time, rtol=1e-12)
    np.testing.assert_allclose(werner.bell_diagonal, bell.bell_diagonal, rtol=1e-12)
    np.testing.assert_allclose(werner.states, bell.states, atol=1e-14)
