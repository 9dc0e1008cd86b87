"""How long and how exactly to search for a constrained maximum."""

import dataclasses
import enum

from qtn import _checks


class Steps(enum.StrEnum):
    """Which steps are taken."""

    AUTO = "auto"
    SECOND_ORDER = "second_order"
    """Sequential quadratic programming."""
    FIRST_ORDER = "first_order"
    """Adam: for noisy objectives and for more than some 200 parameters."""


@dataclasses.dataclass(frozen=True)
class ConstrainedSettings:
    """How long and how exactly to search; "scaled" means that each finite interval is stretched to [0, 1]."""

    method: Steps | str = Steps.AUTO
    """By itself: second-order steps up to 200 parameters."""
    num_starts: int = 1
    """Starts; the first is the given one, the others are uniform in the box (normal along an unbounded parameter)."""
    max_evaluations: int = 300
    """Evaluations of the model with its gradients, in each start."""
    max_runs: int = 4
    """Runs in each start: one that stalls is begun anew, rescaled."""
    patience: int | None = None
    """A start ends after so many evaluations in a row that gain at most `least_gain`; None = never."""
    least_gain: float = 1e-6
    """Relative gain of a feasible point that counts."""
    first_step: float = 0.3
    """Length of the first step of a run, scaled."""
    stationarity: float = 1e-7
    """A start has converged at a feasible point whose `kkt_residual` is at most this."""
    feasibility: float = 1e-8
    """A slack counts as non-negative down to minus this, in units of its size at the start."""
    active: float = 1e-6
    """A slack counts as zero up to this, in the same units; a parameter is at an end up to this, scaled."""
    num_looks: int = 12
    """Scattered points that are looked at where a start ends on flat ground."""
    seed: int = 0
    """Seed of the further starts and of scattered points."""

    def __post_init__(self) -> None:
        _checks.choice("method", self.method, Steps)
