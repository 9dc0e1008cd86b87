"""Imperfect local operations of a node."""

from typing import Any

from jaxtyping import Array, Float

from qtn import _checks
from qtn._pytree import pytree


@pytree
class Gates:
    """Two-qubit gate and readout of one node (used by swaps and by distillation)."""

    two_qubit: Float[Array, ""]
    """p2 in [0, 1]: after the gate rho -> p2 rho + (1 - p2) tr_ab(rho) x 1/4."""

    readout: Float[Array, ""]
    """eta in [0, 1]: POVM eta |o><o| + (1 - eta) |1-o><1-o|."""


def gates(two_qubit: Any = 1.0, readout: Any = 1.0) -> Gates:
    """Build the gate set of a node from p2 = `two_qubit` and eta = `readout`; perfect by default."""
    return Gates(two_qubit=_checks.probability("two_qubit", two_qubit), readout=_checks.probability("readout", readout))
