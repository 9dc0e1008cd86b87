import jax
import pytest

from qtn.hardware.gates import gates


def test_perfect_by_default():
    assert (gates().two_qubit, gates().readout) == (1, 1)


def test_numbers_are_leaves():
    assert jax.tree.leaves(gates(0.99, 0.98)) == [0.99, 0.98, 0.0, 0.0]


@pytest.mark.parametrize("name", ["two_qubit", "readout"])
@pytest.mark.parametrize("value", [-0.1, 1.3])
def test_probabilities_are_checked(name, value):
    with pytest.raises(ValueError, match=rf"Argument `{name}` must lie in \[0, 1\], but is {value}\."):
        gates(**{name: value})
