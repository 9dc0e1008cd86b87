"""Clocks and sensors: what entangled states, and the time that they take, are worth for measuring.

state -> Fisher information;   state, waiting time -> Ramsey cycles -> stability, best probe time, best size
"""

from qtn.sensing.best_state import BestState, best_probe_state
from qtn.sensing.clocks import (
    ClockComparison,
    WeightedSum,
    clock_comparison,
    fisher_matrix,
    fused_fisher,
    weighted_sum,
)
from qtn.sensing.fisher import LooseFisherWarning, fisher_along, fisher_bounds, quantum_fisher
from qtn.sensing.group_clock import (
    Measurement,
    Sensing,
    Sensor,
    group_fisher,
    group_parity_fisher,
    sensing,
)
from qtn.sensing.measured import classical_fisher, local_fisher, parity_fisher
from qtn.sensing.ramsey import Ramsey, best_exponential_time, ramsey
from qtn.sensing.time_transfer import DelayAttack, TimeTransfer, delay_attack, largest_hidden_bias, time_transfer
from qtn.sensing.train_fisher import FisherInfo

__all__ = [
    "BestState",
    "ClockComparison",
    "DelayAttack",
    "FisherInfo",
    "LooseFisherWarning",
    "Measurement",
    "Ramsey",
    "Sensing",
    "Sensor",
    "TimeTransfer",
    "WeightedSum",
    "best_exponential_time",
    "best_probe_state",
    "classical_fisher",
    "clock_comparison",
    "delay_attack",
    "fisher_along",
    "fisher_bounds",
    "fisher_matrix",
    "fused_fisher",
    "group_fisher",
    "group_parity_fisher",
    "largest_hidden_bias",
    "local_fisher",
    "parity_fisher",
    "quantum_fisher",
    "ramsey",
    "sensing",
    "time_transfer",
    "weighted_sum",
]
