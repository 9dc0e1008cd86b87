"""Circuits as data: gates, noise models, and `run`, which chooses the state."""

from qtn.circuits.circuit import Circuit, Operation, channel, circuit, gate, measure, project, reset, unitary
from qtn.circuits.estimates import Estimate, TrajectoryInfo
from qtn.circuits.noise import NoiseModel, noise_model
from qtn.circuits.on_demand import Convergence, run_on_demand
from qtn.circuits.run import RunInfo, run
from qtn.circuits.trajectories import sampled_states, trajectories

__all__ = [
    "Circuit",
    "Convergence",
    "Estimate",
    "NoiseModel",
    "Operation",
    "RunInfo",
    "TrajectoryInfo",
    "channel",
    "circuit",
    "gate",
    "measure",
    "noise_model",
    "project",
    "reset",
    "run",
    "run_on_demand",
    "sampled_states",
    "trajectories",
    "unitary",
]
