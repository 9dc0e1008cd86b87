"""Nodes as arrays: what they do in a swap is what dense matrices do, whatever measures."""

import numpy as np
import pytest

from qtn import dephasing_memory, gates, linear_optics, node, relaxing_memory
from qtn.steps.nodes import stacked_nodes
from tests.oracles import density

OPTICS = linear_optics(0.8, 0.7, 1e-3)
NODES = (
    node(relaxing_memory(9.0, 7.0), gates(0.93, 0.97), 0.7),
    node(dephasing_memory(5.0), gates(0.5, 0.6), 0.9, OPTICS),
    node(relaxing_memory(8.0, 6.0), gates(0.9, 0.95)),
)


@pytest.mark.parametrize("place", range(3))
def test_swaps_are_those_of_dense_matrices(place):
    rng = np.random.default_rng(place)
    left, right = density.random_state(rng), density.random_state(rng)
    if place == 1:
        dense = 0.9 * density.coefficients(density.optical_swap(left, right, np.asarray(OPTICS.factors())))
    else:
        p2, eta, p_swap = (0.93, 0.97, 0.7) if place == 0 else (0.9, 0.95, 1.0)
        dense = p_swap * density.coefficients(density.swap(left, right, p2, eta))
    table = stacked_nodes(NODES).swaps[place]
    found = np.einsum("kj,ij,jk->ik", table, density.coefficients(left), density.coefficients(right))
    np.testing.assert_allclose(found, dense, atol=1e-12)


def test_numbers_keep_their_places():
    found = stacked_nodes(NODES)
    np.testing.assert_allclose(found.rates, [[1 / 7, 1 / 7, 1 / 9], [0.2, 0.2, 0.0], [1 / 6, 1 / 6, 1 / 8]])
    np.testing.assert_allclose(found.two_qubit, [0.93, 0.5, 0.9])
    np.testing.assert_allclose(found.readout, [0.97, 0.6, 0.95])
    np.testing.assert_allclose(found.p_swap, [0.7, 0.9, 1.0])
    assert found.equilibrium == (1.0, 0.0, 1.0) and found.optical == (1,)
