"""Distributed quantum computing: what processors do with the pairs that a network delivers."""

from qtn.dqc.distributed import Distributed
from qtn.dqc.distribution import distribute
from qtn.dqc.placement import Placing
from qtn.dqc.processes import average_fidelity, process_fidelity
from qtn.dqc.remote_gates import RemoteGate, close_copy, open_copy, remote_gate, teledata
from qtn.dqc.sharing import Sharing

__all__ = [
    "Distributed",
    "Placing",
    "RemoteGate",
    "Sharing",
    "average_fidelity",
    "close_copy",
    "distribute",
    "open_copy",
    "process_fidelity",
    "remote_gate",
    "teledata",
]
