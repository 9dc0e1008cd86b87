"""How long the grid of a tree must be: estimate its slowest step, then measure it."""

import math
from collections.abc import Generator

from jaxtyping import Float

from qtn._array import Array, library
from qtn._checks import constant
from qtn._pytree import pytree, static
from qtn.evaluators.delivery import delivering
from qtn.evaluators.extrapolate import root
from qtn.evaluators.fold import Fold
from qtn.evaluators.grid import TimeGrid
from qtn.evaluators.plan import COARSE, NUM_LIFETIMES, TooLongError
from qtn.evaluators.scales import TimeScales
from qtn.links.chain import Chain
from qtn.schedules.arguments import span
from qtn.schedules.tree import Distill, Elementary, Schedule, Swap, Tree, Wait, durations, subtrees
from qtn.steps.level import Level
from qtn.steps.swap import swap_success

MAX_PROBES = 40
LONGEST = 1e30
"""Joins that are estimated to take longer than this are refused [s]: the universe has seen 4e17."""
PROBES_PER_CUTOFF = 4
"""Steps in the shortest cut-off while the horizon is measured: a coarser grid would see attempts fail that do not."""


@pytree
class Probe:
    """The question how long the steps of a tree take, asked on one grid."""

    grid: TimeGrid
    level: Level = static()

    def answer(self, chain: Chain, schedule: Schedule) -> Float[Array, "2"]:
        """Return the mean times [s] of the slowest step and of the whole."""
        found = root(Fold(chain, schedule, self.grid, self.level))
        lifetime, values = constant((found.lifetime, found.values))
        return library(lifetime, values).stack([lifetime, values[0]])


def measured_horizon(
    chain: Chain, schedule: Schedule, level: Level, scales: TimeScales
) -> Generator[Probe, Float[Array, "2"], float]:
    """Ask `Probe`s; return how long the grid must be [s]: so many lifetimes of the slowest sub-tree."""
    horizon = NUM_LIFETIMES * estimate(schedule.tree, chain, scales)
    for _ in range(MAX_PROBES):
        step, num_steps = probe_steps(horizon, scales)
        answer = yield Probe(grid=scales.grid(step, num_steps), level=level)
        slowest, mean = float(answer[0]), float(answer[1])
        needed = min(max(NUM_LIFETIMES * slowest, 10 * mean), 4 * NUM_LIFETIMES * slowest)
        if not math.isfinite(needed):
            horizon = 4 * horizon
        elif needed > step * num_steps:
            horizon = max(2 * horizon, 1.1 * needed)
        elif needed < horizon / 8 and step > scales.spacing:
            horizon = 1.1 * needed  # far too long, and so far too coarse to be believed
        else:
            return 1.05 * needed
    return horizon


def probe_steps(horizon: float, scales: TimeScales) -> tuple[float, int]:
    """Return step [s] and length of a grid on which a guess of the horizon [s] is tried."""
    shortest = min((cutoff for cutoff in scales.cutoffs if cutoff > 0), default=math.inf)
    wanted = min(PROBES_PER_CUTOFF * horizon / shortest, horizon / scales.spacing if scales.spacing else math.inf)
    num_steps = next((n for n in COARSE if n >= wanted), COARSE[-1])
    return max(horizon / num_steps, scales.spacing), num_steps


def estimate(tree: Tree, chain: Chain, scales: TimeScales) -> float:
    """Return roughly the largest mean delivery time [s] of any sub-tree, taking arrivals as exponential."""
    slowest, means, chain = 0.0, {}, delivering(chain)
    for part in subtrees(tree):
        if isinstance(part, Elementary):
            mean = scales.lifetimes[chain.link_index(part.position)]
        elif isinstance(part, Wait):
            mean = means[part.child] + scales.waits[part.duration]
        else:
            first, second = (part.left, part.right) if isinstance(part, Swap) else (part.kept, part.consumed)
            p_success = 0.7 if isinstance(part, Distill) else float(swap_success(chain.node(part.right.first)))
            slots = [slot for slot in (part.cutoff, part.rules.run_time) if slot is not None]
            cutoff = min((scales.cutoffs[slot] for slot in slots), default=math.inf) + min(scales.attempts)
            mean = joined_mean(means[first], means[second], p_success, cutoff)
            if isinstance(part, Distill) and part.sequential:
                mean = max(mean, (means[first] + means[second]) / p_success)
            mean += sum(scales.waits[slot] for slot in durations(part)) / p_success
        if not (isinstance(part, Elementary) or mean < LONGEST):
            raise TooLongError(
                f"Joining {span(part)} takes about {mean:.0e} s, beyond every time grid: lengthen a cut-off, take "
                "fewer rounds, or join halves of the chain instead of one link after the other."
            )
        means[part] = mean
        slowest = max(slowest, mean) if part != tree or isinstance(part, Elementary) else slowest
    return slowest


def joined_mean(first: float, second: float, p_success: float, cutoff: float) -> float:
    """Return the mean time to join two exponential arrivals of these means, restarts included."""
    a, b = 1 / first, 1 / second
    early_a, early_b = -math.expm1(-a * cutoff), -math.expm1(-b * cutoff)
    in_time = (b * early_a + a * early_b) / (a + b)
    attempt = (1 + b / a * early_a + a / b * early_b) / (a + b)
    return attempt / (in_time * p_success) if in_time * p_success > 0 else math.inf
