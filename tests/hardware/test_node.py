import jax
import pytest

from qtn.hardware.gates import gates
from qtn.hardware.memory import PerfectMemory, dephasing_memory
from qtn.hardware.node import node


def test_perfect_by_default():
    perfect = node()
    assert isinstance(perfect.memory, PerfectMemory)
    assert (perfect.gates.two_qubit, perfect.gates.readout, perfect.p_swap) == (1, 1, 1)


def test_numbers_are_leaves():
    leaves = jax.tree.leaves(node(dephasing_memory(3.0), gates(0.99, 0.98), p_swap=0.5))
    assert leaves == [3.0, 0.99, 0.98, 0.0, 0.0, 0.5]


@pytest.mark.parametrize("value", [0.0, 1.3])
def test_swap_must_be_able_to_succeed(value):
    with pytest.raises(ValueError, match=rf"Argument `p_swap` must lie in \(0, 1\], but is {value}\."):
        node(p_swap=value)
