"""The mean delivered pair of a schedule, by running the whole register along sampled timelines."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from qtn import _checks
from qtn.evaluators.full_state.execute import FullState
from qtn.evaluators.full_state.sample import sample_timelines
from qtn.evaluators.outcome import Summary
from qtn.evaluators.sampled.outcome import SampledInfo, SampledOutcome
from qtn.links.chain import Chain
from qtn.schedules.tree import Schedule
from qtn.steps.correction import Correction


@dataclasses.dataclass(frozen=True)
class FullStateAverage:
    """Average `FullState` over sampled timelines: slow, and a check of all faster evaluators.

    Note:
        Unbiased for the schedules that `sample_timelines` takes; not differentiable (timelines are drawn).
    """

    num_samples: int = 200
    """Delivered pairs; each is one run of the register."""

    seed: int = 0
    """Of the random numbers."""

    max_bond: int = 256
    """See `FullState`; a bond that does not fit is refused, never cut."""

    correction: Correction | str = Correction.AT_SWAP
    """When Pauli corrections of swaps are applied."""

    def __post_init__(self) -> None:
        _checks.choice("correction", self.correction, Correction)

    def evaluate(self, chain: Chain, schedule: Schedule) -> SampledOutcome:
        """Return mean waiting time, mean delivered state and their joint covariance.

        Args:
            chain: concrete numbers.
            schedule: a tree.

        Raises:
            ValueError: if the schedule has what cannot be sampled, see `sample_timelines`, a number is traced, or a
                state does not fit `max_bond`.
        """
        if any(_checks.known(leaf) is None for leaf in jax.tree.leaves((chain, schedule))):
            raise ValueError(
                "Timelines are drawn from concrete numbers, so that this average has no derivative: use Renewal() or "
                'Sampled(), in a file evaluate.evaluator = "renewal" or "sampled".'
            )
        tracked = self.correction == Correction.TRACKED
        runs = sample_timelines(chain, schedule, self.num_samples, self.seed, tracked=tracked)
        rows = []
        for timeline in runs:
            found = FullState(self.max_bond).run(chain, timeline)
            if found.info.sentences():
                raise ValueError(found.info.sentences()[0])
            rows.append([float(timeline.times[-1]), *np.asarray(found.pair(0, chain.num_links)).reshape(16)])
        values = np.array(rows)
        covariance = np.cov(values.T) / max(len(rows), 1) if len(rows) > 1 else np.full((17, 17), np.inf)
        mean = jnp.asarray(values.mean(axis=0))
        return SampledOutcome(
            mean_time=mean[0],
            state=mean[1:].reshape(4, 4),
            samples=jnp.asarray(values[:, 0]),
            info=SampledInfo(covariance=jnp.asarray(covariance), num_samples=len(rows)),
        )

    def summarise(self, chain: Chain, schedule: Schedule) -> Summary:
        """Return the means of `evaluate`."""
        return self.evaluate(chain, schedule).summary
