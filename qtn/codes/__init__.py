"""Codes of one qubit in many photons: how often loss is undone, and which Pauli error remains.

Every code answers `logical(loss=..., pauli=...)` and `generation_time(emission_time, gate_time)`. Logical errors are
in the order I, X, Y, Z. Known numbers are computed with NumPy, traced ones with JAX.
"""

from qtn.codes.graph_state import RepeaterGraphState, repeater_graph_state
from qtn.codes.logical import Code, Logical
from qtn.codes.parity import ParityCode, parity_code
from qtn.codes.search import Found, best_of_table, branchings, climb
from qtn.codes.stabiliser import FIVE_QUBIT, PLAIN, SHOR, STEANE, StabiliserCode, stabiliser_code
from qtn.codes.tree import Choice, TreeCode, tree_code, tree_success

__all__ = [
    "FIVE_QUBIT",
    "PLAIN",
    "SHOR",
    "STEANE",
    "Choice",
    "Code",
    "Found",
    "Logical",
    "ParityCode",
    "RepeaterGraphState",
    "StabiliserCode",
    "TreeCode",
    "best_of_table",
    "branchings",
    "climb",
    "parity_code",
    "repeater_graph_state",
    "stabiliser_code",
    "tree_code",
    "tree_success",
]
