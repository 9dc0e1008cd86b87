"""Imperfect local operations of a node."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree


def _nothing() -> Any:
    return np.zeros(())


@pytree
class Gates:
    """Two-qubit gate and readout of one node (used by swaps and by distillation)."""

    two_qubit: Float[Array, ""]
    """p2 in [0, 1]: after the gate rho -> p2 rho + (1 - p2) tr_ab(rho) x 1/4."""

    readout: Float[Array, ""]
    """eta in [0, 1]: POVM eta |o><o| + (1 - eta) |1-o><1-o|."""

    two_qubit_time: Float[Array, ""] = dataclasses.field(default_factory=_nothing)
    """Duration of the two-qubit gate [s]; counts where latencies are asked for."""

    readout_time: Float[Array, ""] = dataclasses.field(default_factory=_nothing)
    """Duration of a readout [s]; counts where latencies are asked for."""


def gates(two_qubit: Any = 1.0, readout: Any = 1.0, *, two_qubit_time: Any = 0.0, readout_time: Any = 0.0) -> Gates:
    """Build the gate set of a node; perfect and instantaneous by default.

    Args:
        two_qubit: p2, in [0, 1].
        readout: eta, in [0, 1].
        two_qubit_time: duration of a gate [s].
        readout_time: duration of a readout [s].
    """
    return Gates(
        two_qubit=_checks.probability("two_qubit", two_qubit),
        readout=_checks.probability("readout", readout),
        two_qubit_time=_checks.non_negative_finite("two_qubit_time", two_qubit_time),
        readout_time=_checks.non_negative_finite("readout_time", readout_time),
    )
