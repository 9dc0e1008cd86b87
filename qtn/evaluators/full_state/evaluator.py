"""`FullState`: every memory of every node in one state, along a given timeline or averaged over sampled ones."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from qtn import _checks
from qtn.evaluators.full_state.events import Timeline
from qtn.evaluators.full_state.execute import FullOutcome, execute
from qtn.evaluators.full_state.layout import lay_out
from qtn.evaluators.full_state.rounds import arrange
from qtn.evaluators.full_state.sample import sample_timelines
from qtn.evaluators.outcome import Summary
from qtn.evaluators.sampled.outcome import SampledOutcome, Samples, estimate
from qtn.links.chain import Chain
from qtn.schedules.policy import SwapAsap, require_tree
from qtn.schedules.tree import Schedule
from qtn.steps.swap import Correction


@dataclasses.dataclass(frozen=True)
class FullState:
    """Every memory of every node in one state, the schedule run as a circuit along a timeline.

    Between events memories decay; swaps and distillation are circuits with noisy gates, measurement, feed-forward
    averaged exactly, and post-selection with its probability. `run` takes a timeline; `evaluate` and `summarise`
    average over sampled timelines of a tree: slow, and a check of all faster evaluators.

    Note:
        `run` is exact while bonds stay below `max_bond`, then truncated and reported in `info`; differentiable with
        respect to the chain and the timeline (times, maps). Averages are unbiased, with standard errors, for the
        schedules that `sample_timelines` takes; they are not differentiable, because timelines are drawn. Compile time
        does not depend on the length of a chain.

    References:
        The Pauli basis for noisy trains: Noh, Jiang and Fefferman 2020, arXiv:2003.13163.
    """

    max_bond: int = 256
    """Bonds above it are cut, static; an average refuses a state that does not fit."""

    num_samples: int = 200
    """Delivered pairs of an average; each is one run of the register."""

    seed: int = 0
    """Of the random numbers of an average."""

    correction: Correction | str = Correction.AT_SWAP
    """When Pauli corrections of swaps are applied in an average; a timeline says so itself."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "correction", _checks.choice("correction", self.correction, Correction))

    def run(self, chain: Chain, timeline: Timeline | Any) -> FullOutcome:
        """Run a timeline on the hardware of a chain.

        Args:
            chain: links give the states of pairs, nodes their memories, gates and swap success.
            timeline: see `qtn.evaluators.full_state.timeline`.

        Returns:
            outcome: the state of all slots that hold a qubit at the end, and the probability of what was selected.
        """
        _checks.require_double_precision()
        if not isinstance(timeline, Timeline):
            raise ValueError(
                f"Argument `timeline` must be a Timeline, but is a {type(timeline).__name__}: make one with "
                "`timeline`, `timeline_of` or `sample_timeline` of qtn.evaluators.full_state."
            )
        check_places(chain, timeline)
        if self.max_bond < 4:
            raise ValueError(f"Argument `max_bond` must be at least 4 (one pair), but is {self.max_bond}.")
        widths = [array.shape[1] if array.ndim == 5 else 1 for array in timeline.maps]
        layout = lay_out(timeline.events, self.max_bond, widths)
        return execute(chain, timeline, layout, arrange(layout))

    def evaluate(self, chain: Chain, schedule: Schedule | SwapAsap) -> SampledOutcome:
        """Return mean waiting time and mean delivered state with their errors, averaged over sampled timelines.

        Args:
            chain: concrete numbers.
            schedule: a tree.

        Raises:
            TypeError: if the schedule is a policy.
            ValueError: if the schedule has what cannot be sampled, see `sample_timelines`, a number is traced, or a
                state does not fit `max_bond`.
        """
        schedule = require_tree("FullState()", schedule)
        if self.num_samples < 2:
            raise ValueError(f"Argument `num_samples` must be at least 2, but is {self.num_samples}.")
        if any(_checks.known(leaf) is None for leaf in jax.tree.leaves((chain, schedule))):
            raise ValueError(
                "Timelines are drawn from concrete numbers, so that this average has no derivative: use Renewal() or "
                'Sampled(), in a file evaluate.evaluator = "renewal" or "sampled".'
            )
        tracked = self.correction is Correction.TRACKED
        runs = sample_timelines(chain, schedule, self.num_samples, self.seed, tracked=tracked)
        times = jnp.stack([timeline.times[-1] for timeline in runs])
        states = jnp.stack([self._delivered(chain, timeline) for timeline in runs])
        return estimate(Samples(times=times, states=states, log_weight=jnp.zeros(len(runs))))

    def summarise(self, chain: Chain, schedule: Schedule | SwapAsap) -> Summary:
        """Return the means of `evaluate` and their errors."""
        return self.evaluate(chain, schedule).summary

    def _delivered(self, chain: Chain, timeline: Timeline) -> jax.Array:
        """Return the Pauli coefficients (4, 4) of the pair at the end of a timeline."""
        found = self.run(chain, timeline)
        if found.info.sentences():
            raise ValueError(found.info.sentences()[0])
        return found.pair(0, chain.num_links)


def check_places(chain: Chain, timeline: Timeline) -> None:
    """Raise unless every event of a timeline is at a node, or on a link, of the chain."""
    for event in timeline.events:
        for node, _ in event.slots:
            if not 0 <= node <= chain.num_links:
                raise ValueError(f"A slot of node {node} is used, but nodes are 0..{chain.num_links}.")
        link = getattr(event, "link", 0)
        if not 0 <= link < chain.num_links:
            raise ValueError(f"A pair of link {link} is generated, but links are 0..{chain.num_links - 1}.")
