"""Circuits as data: gates, noise models, and `run`, which chooses the state."""

from qtn.circuits.circuit import Circuit, Operation, channel, circuit, gate, measure, project, reset, unitary
from qtn.circuits.noise import NoiseModel, noise_model
from qtn.circuits.run import RunInfo, run

__all__ = [
    "Circuit",
    "NoiseModel",
    "Operation",
    "RunInfo",
    "channel",
    "circuit",
    "gate",
    "measure",
    "noise_model",
    "project",
    "reset",
    "run",
    "unitary",
]
