"""Predict what a swap delivers from the means of its inputs, taking their arrivals as exponential.

Used only to choose which of thousands of swaps are worth evaluating.
"""

from collections.abc import Sequence

import numpy as np

from qtn.evaluators.fold import decay_per_step, swap_step
from qtn.planning.candidates import Candidate
from qtn.planning.engine import Engine
from qtn.planning.front import losses


def predicted_losses(engine: Engine, swaps: Sequence[Candidate]) -> np.ndarray:
    """Return (n, 4), see `front.losses`, of swaps of one segment."""
    segment = swaps[0].segment
    middles = np.array([segment.first + swap.parts[0].candidate.num_links for swap in swaps])
    times = np.array([[part.candidate.mean_time for part in swap.parts] for swap in swaps])
    states = np.array([[part.candidate.state for part in swap.parts] for swap in swaps])
    cutoffs = np.array([swap.cutoff for swap in swaps])
    mean_times, delivered = np.empty(len(swaps)), np.empty(states[:, 0].shape)
    for middle in np.unique(middles):
        chosen = middles == middle
        nodes = [engine.chain.node(i) for i in (segment.first, int(middle), segment.last + 1)]
        step_map = np.asarray(swap_step(engine.level, nodes[0], nodes[1], nodes[2]))
        pairs = (nodes[0], nodes[1]), (nodes[1], nodes[2])
        rates = np.asarray(decay_per_step(engine.level, pairs, engine.step)) / engine.seconds
        mean_times[chosen], delivered[chosen] = predicted_joins(
            times[chosen], states[chosen], cutoffs[chosen], step_map, rates
        )
    return losses(mean_times, engine.characters(segment, delivered))


def predicted_joins(
    times: np.ndarray, states: np.ndarray, cutoffs: np.ndarray, step_map: np.ndarray, rates: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean times (n,) and mean states (n, k) of joins of exponential arrivals.

    Args:
        times: (n, 2), mean times of both inputs [s].
        states: (n, 2, k), their mean states.
        cutoffs: (n,), [s].
        step_map: (k, k, k), of the join.
        rates: (2, k), decay while waiting [1/s].
    """
    a, b = 1 / times[:, 0], 1 / times[:, 1]
    early_a, early_b = -np.expm1(-a * cutoffs), -np.expm1(-b * cutoffs)
    attempt = (1 + b / a * early_a + a / b * early_b) / (a + b)

    def kept(own: np.ndarray, other: np.ndarray, rate: np.ndarray) -> np.ndarray:
        """Return the weight of runs where one input waits for the other, its decay included: (n, k)."""
        total = other[:, None] + rate[None]
        with np.errstate(invalid="ignore"):
            return (own / (a + b))[:, None] * other[:, None] / total * -np.expm1(-total * cutoffs[:, None])

    first_waits = np.einsum("cij,ni,nj->nc", step_map, states[:, 0] * kept(a, b, rates[0]), states[:, 1])
    second_waits = np.einsum("cij,ni,nj->nc", step_map, states[:, 0], states[:, 1] * kept(b, a, rates[1]))
    success = first_waits + second_waits
    return attempt / success[:, 0], success / success[:, :1]
