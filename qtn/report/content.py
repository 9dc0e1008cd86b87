"""What a report shows, as plain Python: no physics and no JAX from here on."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Delivery:
    """The pair delivered at each time, for the figures."""

    times: np.ndarray
    """(t,), [s]."""
    probability: np.ndarray
    """(t,), probability of delivery at each time."""
    fidelity: np.ndarray
    """(t,), fidelity of the pair delivered at each time; nan where nothing is."""


@dataclasses.dataclass(frozen=True)
class Content:
    """Everything on the page of one optimisation."""

    name: str
    """Name of the problem."""
    merit: str
    """Key of the quantity that was maximised."""
    tree: str
    """Text of the schedule."""
    initial: Mapping[str, Any]
    """Evaluation with the settings of the file."""
    best: Mapping[str, Any]
    """Evaluation with the best settings found."""
    settings: Mapping[str, tuple[float, float]]
    """Dotted name -> (value in the file, best value)."""
    initial_delivery: Delivery
    best_delivery: Delivery
    history: np.ndarray
    """(iterations, starts), the objective at each iteration."""
    elasticity: Mapping[str, float]
    """Dotted name -> relative change of the merit for a relative change of the number, largest first."""
    gradient: Mapping[str, float]
    """Dotted name -> derivative of the merit."""
    status: str
    """How the search ended."""
    config: str
    """The problem file as it was used."""
    versions: Mapping[str, str]
    """Package -> version."""
