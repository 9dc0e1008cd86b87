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
    """(t,), fidelity of the pair delivered at each time; nan where nothing is, or where that is not known."""


@dataclasses.dataclass(frozen=True)
class Leader:
    """One of the best schedules."""

    tree: str
    value: float
    """What was maximised or minimised."""
    distance: float
    """By how much it is worse than the best, relative to it."""
    mean_time: float
    """[s]."""
    fidelity: float
    feasible: bool
    """Whether it keeps all limits."""


@dataclasses.dataclass(frozen=True)
class Limit:
    """What had to hold at least."""

    name: str
    least: float
    value: float
    """What the best has."""
    multiplier: float | None
    """How much the best value gains when the limit is lowered by one unit; None if nothing was tuned."""


@dataclasses.dataclass(frozen=True)
class Planning:
    """What a search of schedules and its limits add to the page."""

    drawing: str
    """SVG of the best schedule; empty where nothing is scheduled."""
    leaders: tuple[Leader, ...]
    """The best first."""
    space: str
    """How many schedules there were; empty if the tree was given."""
    method: str
    guarantee: str
    agreement: float | None
    """Largest relative difference, over the leaders, between the grid of the search and full resolution."""
    sampled: str
    """How sampling agrees with the best, as a sentence; empty where nothing is scheduled."""
    limits: tuple[Limit, ...]
    kkt_residual: float | None
    num_searches: int


@dataclasses.dataclass(frozen=True)
class Content:
    """Everything on the page of one optimisation."""

    name: str
    """Name of the problem."""
    merit: str
    """Key of the quantity that was maximised."""
    tree: str
    """Text of the schedule; empty where nothing is scheduled."""
    initial: Mapping[str, Any]
    """Evaluation with the settings of the file."""
    best: Mapping[str, Any]
    """Evaluation with the best settings found."""
    settings: Mapping[str, tuple[float, float]]
    """Dotted name -> (value in the file, best value)."""
    factors: Mapping[str, float]
    """Dotted name -> factor by which hardware must be better than in the file, where its cost was minimised."""
    initial_delivery: Delivery | None
    """None if it is not known when a pair arrives."""
    best_delivery: Delivery | None
    history: np.ndarray
    """(iterations, starts), the objective at each iteration."""
    gain: Mapping[str, float]
    """Dotted name -> change of the merit when a number of the hardware is 1 % better (1 % less error or loss, 1 % more
    time), the largest first."""
    elasticity: Mapping[str, float]
    """Dotted name -> relative change of the merit for a relative change of the number, largest first."""
    gradient: Mapping[str, float]
    """Dotted name -> derivative of the merit, or the slope of `edges`."""
    edges: Mapping[str, Mapping[str, Any]]
    """Dotted name -> {"slope", "step", "diverges"} where a number is at the end of its range and the derivative means
    nothing."""
    status: str
    """How the search ended."""
    config: str
    """The problem file as it was used."""
    versions: Mapping[str, str]
    """Package -> version."""
    words: Mapping[str, tuple[str, str]]
    """Quantity -> (words, unit), in the order of the table."""
    planning: Planning | None = None
    """The search and the limits, if there were any."""
    sensitivity_of: str = ""
    """Merit that the elasticities belong to, if it is not the one that was optimised."""
