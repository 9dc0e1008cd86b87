"""The three ways to choose what goes on: everything, the epsilon-Pareto front, a beam with diversity."""

import abc
import dataclasses
import math

import numpy as np

from qtn.links.chain import Chain
from qtn.planning.front import beam, epsilon_front, losses
from qtn.planning.objective import Objective, twirled_states
from qtn.planning.segments import Segment

SHORTLIST = 4
"""Swaps of one segment that are evaluated, in widths."""


class Selection(abc.ABC):
    """Decides which candidates of a segment go on."""

    @property
    @abc.abstractmethod
    def budget(self) -> float:
        """Return the most swaps of one segment that are evaluated; the rest is dropped on a prediction."""

    @abc.abstractmethod
    def __call__(self, segment: Segment, mean_times: np.ndarray, characters: np.ndarray) -> np.ndarray:
        """Return the indices of the candidates to keep, from mean times (n,) [s] and mean characters (n, 4)."""

    @abc.abstractmethod
    def shortlist(self, segment: Segment, mean_times: np.ndarray, characters: np.ndarray) -> np.ndarray:
        """Return the indices of the candidates worth evaluating, from predictions."""


class Everything(Selection):
    """Keep all: the search is exhaustive."""

    @property
    def budget(self) -> float:
        """Return infinity."""
        return math.inf

    def __call__(self, segment: Segment, mean_times: np.ndarray, characters: np.ndarray) -> np.ndarray:
        """Return all indices."""
        return np.arange(len(mean_times))

    shortlist = __call__


@dataclasses.dataclass
class ParetoFront(Selection):
    """Keep an epsilon-Pareto front on mean time and mean state."""

    width: int
    largest_epsilon: float = 0.0
    """Largest epsilon so far."""

    @property
    def budget(self) -> float:
        """Return the most swaps to evaluate."""
        return float(SHORTLIST * self.width)

    def __call__(self, segment: Segment, mean_times: np.ndarray, characters: np.ndarray) -> np.ndarray:
        """Return the indices of the front."""
        chosen, epsilon = epsilon_front(losses(mean_times, characters), self.width)
        self.largest_epsilon = max(self.largest_epsilon, epsilon)
        return chosen

    def shortlist(self, segment: Segment, mean_times: np.ndarray, characters: np.ndarray) -> np.ndarray:
        """Return the indices of the front and of the fronts behind it, until the budget is spent."""
        points, left = losses(mean_times, characters), np.arange(len(mean_times))
        found: list[np.ndarray] = []
        room = int(self.budget)
        while room > 0 and len(left):
            chosen, _ = epsilon_front(points[left], room)
            found.append(left[chosen])
            room -= len(chosen)
            left = np.delete(left, chosen)
        return np.sort(np.concatenate(found)) if found else left


@dataclasses.dataclass
class Beam(Selection):
    """Keep the best by what the whole chain would score if all of it were like this segment."""

    width: int
    objective: Objective
    chain: Chain

    @property
    def budget(self) -> float:
        """Return the most swaps to evaluate."""
        return float(SHORTLIST * self.width)

    def __call__(self, segment: Segment, mean_times: np.ndarray, characters: np.ndarray) -> np.ndarray:
        """Return the indices of the beam."""
        return beam(self._scores(segment, mean_times, characters), mean_times, self.width)

    def shortlist(self, segment: Segment, mean_times: np.ndarray, characters: np.ndarray) -> np.ndarray:
        """Return the indices of a wider beam."""
        return beam(self._scores(segment, mean_times, characters), mean_times, int(self.budget))

    def _scores(self, segment: Segment, mean_times: np.ndarray, characters: np.ndarray) -> np.ndarray:
        share = self.chain.num_links / segment.num_links
        states = twirled_states(np.sign(characters) * np.abs(characters) ** share)
        times = mean_times * 1.5 ** math.log2(share)
        return self.objective.scores(self.objective.merits(times, states, lambda: self.objective.on(self.chain)))
