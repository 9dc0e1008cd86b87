"""Distributed quantum computing: what processors do with the pairs that a network delivers."""

from qtn.dqc.arrivals import steady_pairs
from qtn.dqc.averages import WaitModel
from qtn.dqc.computation import Computation
from qtn.dqc.distributed import Distributed
from qtn.dqc.distribution import distribute
from qtn.dqc.placement import Placing
from qtn.dqc.processes import average_fidelity, process_fidelity
from qtn.dqc.processor import Processor, processor
from qtn.dqc.questions import break_even_rate
from qtn.dqc.references import circuit_process_fidelity
from qtn.dqc.remote_gates import RemoteGate, close_copy, open_copy, remote_gate, teledata
from qtn.dqc.run import run
from qtn.dqc.sampling import Sampled, sampled_run
from qtn.dqc.sharing import Sharing
from qtn.dqc.shots import shots
from qtn.evaluators.pairs import Pairs, pairs_of

__all__ = [
    "Computation",
    "Distributed",
    "Pairs",
    "Placing",
    "Processor",
    "RemoteGate",
    "Sampled",
    "Sharing",
    "WaitModel",
    "average_fidelity",
    "break_even_rate",
    "circuit_process_fidelity",
    "close_copy",
    "distribute",
    "open_copy",
    "pairs_of",
    "process_fidelity",
    "processor",
    "remote_gate",
    "run",
    "sampled_run",
    "shots",
    "steady_pairs",
    "teledata",
]
