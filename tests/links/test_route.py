import jax
import numpy as np
import pytest

from qtn.hardware.memory import dephasing_memory
from qtn.hardware.node import node
from qtn.links.abstract import abstract_link
from qtn.links.chain import Chain
from qtn.links.direct_transmission import direct_transmission
from qtn.links.multiplexed import multiplexed_link
from qtn.links.single_click import single_click
from qtn.links.spdc_source import spdc_source

LENGTHS = [14.6e3, 68.2e3, 19.1e3]
SINGLE = {"bright_state": 0.05}


def test_lengths_and_losses_are_shared_by_the_arms():
    line = Chain.from_lengths(LENGTHS, attenuation=0.25, midpoint=0.4, options=SINGLE)
    for length, link in zip(LENGTHS, line.links, strict=True):
        expected = single_click(
            length_left=0.4 * length,
            length_right=0.6 * length,
            loss_left=0.25e-3 * 0.4 * length,
            loss_right=0.25e-3 * 0.6 * length,
            **SINGLE,
        )
        for own, wanted in zip(jax.tree.leaves(link), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(own, wanted, rtol=1e-14)


def test_every_link_may_differ():
    options = [{"bright_state": a} for a in (0.1, 0.2, 0.3)]
    line = Chain.from_lengths(LENGTHS, attenuation=[0.2, 0.25, 0.3], midpoint=[0.5, 0.3, 0.5], options=options)
    np.testing.assert_allclose([link.bright_state[0] for link in line.links], [0.1, 0.2, 0.3])
    np.testing.assert_allclose(line.links[1].loss_left, 0.25 * 68.2 * 0.3)
    np.testing.assert_allclose(line.links[2].loss_right, 0.3 * 19.1 / 2)


def test_builders_get_what_they_take():
    whole = Chain.from_lengths(LENGTHS, link=direct_transmission)
    np.testing.assert_allclose([link.length for link in whole.links], LENGTHS)
    light = Chain.from_lengths(LENGTHS, link=spdc_source, options={"mean_pairs": 0.01, "repetition_rate": 1e9})
    np.testing.assert_allclose([link.loss_left * 2 for link in light.links], [0.2e-3 * each for each in LENGTHS])


def test_nodes_may_differ():
    nodes = [node(dephasing_memory(t2)) for t2 in (1.0, 2.0, 3.0, 4.0)]
    assert Chain.from_lengths(LENGTHS, nodes, options=SINGLE).nodes == tuple(nodes)


def test_lengths_have_derivatives():
    def p_success(length):
        return Chain.from_lengths([length], options=SINGLE).links[0].heralded().p_success

    finite = (p_success(20e3 + 0.1) - p_success(20e3 - 0.1)) / 0.2
    np.testing.assert_allclose(jax.grad(p_success)(20e3), finite, rtol=1e-7)


BAD = {
    "empty": ({"lengths": []}, "`lengths` must hold at least one length"),
    "attenuation": ({"attenuation": [0.2]}, "`attenuation` must hold one entry for each of 3 links, but holds 1"),
    "midpoint": ({"midpoint": [0.5] * 4}, "`midpoint` must hold one entry for each of 3 links, but holds 4"),
    "options": ({"options": [SINGLE]}, "`options` must hold one entry for each of 3 links, but holds 1"),
    "nodes": ({"nodes": [node()] * 3}, "`nodes` must hold 4 nodes, but holds 3"),
    "link": ({"link": abstract_link}, "must be a function that takes the loss of a fibre"),
    "outside": ({"midpoint": 1.5}, "`length_right` must be non-negative and finite"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_errors(arguments, message):
    with pytest.raises(ValueError) as error:
        Chain.from_lengths(**{"lengths": LENGTHS, "options": SINGLE} | arguments)
    assert message in str(error.value)


@pytest.mark.parametrize("p", [1e-9, 0.3, 1.0])
@pytest.mark.parametrize("m", [1, 2, 7])
def test_first_success_of_many_memories(p, m):
    one = abstract_link(p_success=p, attempt_time=2.0, fidelity=0.9)
    many = multiplexed_link(one, m).heralded()
    expected = -np.expm1(m * np.log1p(-p)) if p < 1 else 1.0
    np.testing.assert_allclose(many.p_success, expected, rtol=1e-13)
    np.testing.assert_array_equal(many.bell_diagonal, one.bell_diagonal)
    assert float(many.attempt_time) == 2.0


def test_memories_and_modes_multiply():
    options = SINGLE | {"length_left": 5e3, "length_right": 5e3, "loss_left": 2.0, "loss_right": 2.0}
    both = multiplexed_link(single_click(**options, num_modes=3), 4).heralded()
    np.testing.assert_allclose(both.p_success, single_click(**options, num_modes=12).heralded().p_success, rtol=1e-14)


@pytest.mark.parametrize("p", [0.0, 0.2, 1.0])
def test_slope_of_memories_is_finite(p):
    def success(p, m):
        return multiplexed_link(abstract_link(p_success=p, attempt_time=1.0, werner=1.0), m).heralded().p_success

    slopes = jax.jit(jax.grad(success, argnums=(0, 1)))(p, 3.0)
    np.testing.assert_allclose(slopes[0], 3 * (1 - p) ** 2, rtol=1e-13)
    assert np.isfinite(slopes[1])


def test_at_least_one_memory():
    with pytest.raises(ValueError, match="`num_memories` must be at least 1 and finite, but is 0"):
        multiplexed_link(abstract_link(p_success=0.1, attempt_time=1.0, werner=1.0), 0)
