import jax
import numpy as np
import pytest

from qtn.hardware.node import node
from qtn.links.abstract import abstract_link
from qtn.links.chain import chain

FAST, SLOW = (abstract_link(p_success=0.5, attempt_time=t, werner=0.9) for t in (1.0, 2.0))
WEAK, STRONG = node(p_swap=0.25), node(p_swap=0.75)


def test_one_link_and_node_are_shared():
    line = chain(FAST, WEAK, num_links=3)
    assert len(line.links) == len(line.nodes) == 1
    assert [line.link_index(i) for i in range(3)] == [line.node_index(i) for i in range(3)] == [0, 0, 0]
    assert line.link(2) is FAST
    assert line.node(3) is WEAK


def test_sequences_are_kept_in_order():
    line = chain([FAST, SLOW], [WEAK, STRONG, WEAK])
    assert (line.num_links, line.link_index(1), line.node_index(2)) == (2, 1, 2)
    assert line.link(1) is SLOW
    assert [line.node(i) is STRONG for i in range(3)] == [False, True, False]


def test_nodes_are_perfect_by_default():
    line = chain([FAST, SLOW])
    assert line.node(1).p_swap == 1
    np.testing.assert_array_equal(line.node(1).memory.pauli_rates(), np.zeros(3))


ERRORS = {
    "no_count": ((FAST,), "Argument `num_links` must be given when all positions share one link."),
    "count": (([FAST, SLOW], None, 3), "Argument `links` must hold num_links = 3 links, but holds 2."),
    "empty": (([],), "Argument `num_links` must be at least 1, but is 0."),
    "negative": ((FAST, None, -1), "Argument `num_links` must be at least 1, but is -1."),
    "nodes": (([FAST, SLOW], [WEAK, STRONG]), "Argument `nodes` must hold 3 nodes, but holds 2."),
}


@pytest.mark.parametrize(("arguments", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(arguments, message):
    with pytest.raises(ValueError) as error:
        chain(*arguments)
    assert message in str(error.value)


def test_gradient_has_the_fields_of_the_chain():
    line = chain(FAST, WEAK, num_links=4)
    gradient = jax.grad(lambda line: sum(line.link(i).heralded().attempt_time for i in range(4)))(line)
    assert gradient.links[0].attempt_time == 4
    assert gradient.nodes[0].p_swap == 0
