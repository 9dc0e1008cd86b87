"""A link seen from its other end is the link that is built from there."""

import jax
import numpy as np
import pytest

from qtn import chain, double_click, midpoint_source, node, relaxing_memory, single_click, spdc_source
from qtn.evaluators.delivery import delivering
from qtn.links.link import herald
from qtn.links.mirrored import mirrored

ARMS = {"efficiency": 0.7, "dark_count_probability": 1e-3}
LEFT = {"length_left": 10e3, "length_right": 30e3, "loss_left": 2.0, "loss_right": 6.0}
RIGHT = {"length_left": 30e3, "length_right": 10e3, "loss_left": 6.0, "loss_right": 2.0}
LIGHT = {"loss_left": 2.0, "loss_right": 6.0}, {"loss_left": 6.0, "loss_right": 2.0}
CASES = {
    "single click": (
        single_click(**LEFT, **ARMS, visibility=0.93, bright_state=[0.2, 0.07], phase_offset=0.3),
        single_click(**RIGHT, **ARMS, visibility=0.93, bright_state=[0.07, 0.2], phase_offset=-0.3),
    ),
    "double click": (double_click(**LEFT, **ARMS, visibility=0.9), double_click(**RIGHT, **ARMS, visibility=0.9)),
    "midpoint source": (midpoint_source(**LEFT, **ARMS), midpoint_source(**RIGHT, **ARMS)),
    "light": tuple(spdc_source(**arms, **ARMS, mean_pairs=0.1, repetition_rate=1e6) for arms in LIGHT),
}


@pytest.mark.parametrize(("there", "back"), CASES.values(), ids=CASES)
def test_a_mirrored_link_is_that_built_from_its_other_end(there, back):
    found, built = herald(mirrored(there)), herald(back)
    assert jax.tree.structure(found) == jax.tree.structure(built)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(built), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("there", "back"), CASES.values(), ids=CASES)
def test_memories_of_both_ends_change_places(there, back):
    ends = [node(relaxing_memory(t1=1e-3, t2=1.2e-3)), node(relaxing_memory(t1=4e-3, t2=2e-3))]
    found = delivering(chain([mirrored(there)], ends)).links[0]
    built = delivering(chain([back], ends)).links[0]
    np.testing.assert_allclose(found.state, built.state, rtol=1e-12, atol=1e-15)


def test_mirroring_twice_is_the_link_itself():
    there, _ = CASES["single click"]
    assert mirrored(mirrored(there)) is there
