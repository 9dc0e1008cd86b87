"""Distributed quantum computing: what processors do with the pairs that a network delivers."""

from qtn.dqc.processes import average_fidelity, process_fidelity
from qtn.dqc.remote_gates import RemoteGate, close_copy, open_copy, remote_gate, teledata

__all__ = [
    "RemoteGate",
    "average_fidelity",
    "close_copy",
    "open_copy",
    "process_fidelity",
    "remote_gate",
    "teledata",
]
