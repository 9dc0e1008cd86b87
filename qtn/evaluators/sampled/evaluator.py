"""Monte Carlo over waiting times: trees, and swap-asap with failing swaps, cut-offs, entanglement that carries over."""

import dataclasses
import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from qtn import _checks
from qtn._array import Array
from qtn.evaluators.asap.line import Line, stacked
from qtn.evaluators.levels import choose_level, corrections_matter, require_level
from qtn.evaluators.outcome import Summary
from qtn.evaluators.sampled.direct import draw_deliveries
from qtn.evaluators.sampled.draws import log_counts, undifferentiated
from qtn.evaluators.sampled.events import Rules, Run, simulate
from qtn.evaluators.sampled.outcome import SampledOutcome, Samples, estimate
from qtn.evaluators.sampled.pools import TreePlan, TreeSampler, require_sampled
from qtn.evaluators.sampled.record import Record, corrected_state, tracked_state
from qtn.links.chain import Chain
from qtn.schedules.builders import check_spans
from qtn.schedules.policy import Ends, Restart, SwapAsap, cutoff_of_nodes, require_schedule
from qtn.schedules.tree import Schedule
from qtn.steps.level import PauliLevel
from qtn.steps.swap import Correction

NOT_COUNTED = 16
"""Deliveries at the beginning of a run that carries over: it starts without any entanglement."""

COUNTED = 48
"""Deliveries of a run that count; the run is one independent sample."""

BATCH = 256
"""Runs that are simulated together."""


@dataclasses.dataclass(frozen=True)
class Sampled:
    """Evaluate by Monte Carlo: any tree, and `swap_asap()` under any of its rules.

    With `Restart.CARRY_OVER` successive deliveries depend on each other: a sample is then a run of 64 deliveries that
    begins without entanglement, of which the last 48 are averaged.

    Note:
        Unbiased but for that beginning, with standard errors; the same for the same seed. Derivatives with respect to
        memories, gates, states and attempt times are pathwise, those with respect to probabilities use the score
        function; all are unbiased. A probability that is exactly 1 has the derivative 0, because no sample shows a
        failure. NaN marks derivatives that samples do not show: with respect to a cut-off of a tree at a whole
        multiple of the attempt time (move it in between), to cut-offs of `swap_asap()`, and, where runs are simulated
        event by event, to attempt times unless all links are one.
    """

    num_samples: int = 10_000
    """Deliveries to draw; runs of deliveries are rounded up."""

    seed: int = 0
    """Everything that is drawn follows from it."""

    correction: Correction | str = Correction.AT_SWAP
    """When Pauli corrections are applied; see `Correction` for where it matters."""

    plan: TreePlan | None = None
    """How often each part of a tree is drawn (static): needed under `jax.jit`, where it cannot be chosen; see
    `planned`."""

    level: PauliLevel | None = None
    """State level of trees; None = the smallest that is exact."""

    whole_state: bool = False
    """Whether the level must hold the whole delivered state, see `Renewal.whole_state`; that of policies does."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "correction", _checks.choice("correction", self.correction, Correction))

    def planned(self, chain: Chain, schedule: Schedule | SwapAsap) -> "Sampled":
        """Return this evaluator with the numbers of draws fixed: those chosen for these (concrete) numbers."""
        if isinstance(schedule, SwapAsap):
            return self
        sampler = self._sampler(chain, schedule)
        plan = sampler.plan(self.num_samples, jax.random.fold_in(jax.random.key(self.seed), 1))
        return dataclasses.replace(self, plan=plan, level=sampler.level)

    def evaluate(self, chain: Chain | Line, schedule: Schedule | SwapAsap) -> SampledOutcome:
        """Return mean waiting time and mean delivered state with their errors.

        Args:
            chain: links and nodes, or for `swap_asap()` also `stacked(chain)`.
            schedule: a tree or a policy.

        Raises:
            ValueError: if a step of a tree hardly ever succeeds, or, with tracked corrections, a memory relaxes.
        """
        return estimate(self.samples(chain, schedule))

    def summarise(self, chain: Chain | Line, schedule: Schedule | SwapAsap) -> Summary:
        """Return the same, without the samples."""
        return self.evaluate(chain, schedule).summary

    def samples(self, chain: Chain | Line, schedule: Schedule | SwapAsap) -> Samples:
        """Return the independent samples themselves."""
        _checks.require_double_precision()
        if self.num_samples < 2:
            raise ValueError(f"Argument `num_samples` must be at least 2, but is {self.num_samples}.")
        require_schedule(schedule)
        key = jax.random.key(self.seed)
        if isinstance(schedule, SwapAsap):
            return self._policy(chain, schedule, key)
        if not isinstance(chain, Chain):
            raise TypeError("Trees are evaluated on a Chain, not on its arrays.")
        sampler = self._sampler(chain, schedule)
        plan = self.plan
        if plan is None:
            plan = self.planned(*_checks.constant((chain, schedule))).plan
        assert plan is not None
        return sampler.samples(plan, self.num_samples, key)

    def _sampler(self, chain: Chain, schedule: Schedule) -> TreeSampler:
        check_spans(schedule, chain.num_links)
        require_sampled(schedule)
        if self.correction is Correction.TRACKED and (reason := corrections_matter(chain, schedule)):
            raise ValueError(
                f"Sampled() applies the corrections of trees at each swap, which matters where {reason}: use "
                "Correction.AT_SWAP, or the policy swap_asap()."
            )
        if self.level is None:
            return TreeSampler(chain, schedule, choose_level(chain, schedule, whole=self.whole_state))
        require_level(self.level, chain, schedule, whole=self.whole_state)
        return TreeSampler(chain, schedule, self.level)

    def _policy(self, chain: Chain | Line, policy: SwapAsap, key: Array) -> Samples:
        line = chain if isinstance(chain, Line) else stacked(chain)
        state_of = corrected_state if self.correction is Correction.AT_SWAP and any(line.equilibrium) else tracked_state
        if independent(line, policy):
            return direct_samples(line, key, self.num_samples, policy.ends, state_of)
        one_link = isinstance(chain, Chain) and len(chain.links) == 1 and policy.cutoff_times is None
        return run_samples(line, policy, key, self.num_samples, state_of, one_link)


def independent(line: Line, policy: SwapAsap) -> bool:
    """Whether nothing ever fails, and every state is begun from scratch."""
    success = _checks.known(_checks.constant(line.p_swap))
    sure = success is not None and bool(np.all(success[1:-1] == 1))
    return sure and policy.restart is Restart.TOGETHER and policy.cutoff_times is None


@partial(jax.jit, static_argnames=("num_samples", "ends", "state_of"))
def direct_samples(line: Line, key: Array, num_samples: int, ends: Ends, state_of) -> Samples:
    """Draw deliveries of a chain on which nothing fails."""
    record, log_weight = draw_deliveries(line, num_samples, key)
    states = jax.vmap(lambda each: state_of(line, each, ends))(record)
    return Samples(times=record.completed, states=states, log_weight=log_weight)


@partial(jax.jit, static_argnames=("num_samples", "state_of", "one_link"))
def run_samples(line: Line, policy: SwapAsap, key: Array, num_samples: int, state_of, one_link: bool) -> Samples:
    """Simulate runs event by event; each is one sample.

    Args:
        line: the chain.
        policy: the rules.
        key: random key.
        num_samples: deliveries that count.
        state_of: state of one delivery from its record.
        one_link: whether all links are the same object, so that derivatives with respect to its attempt time exist.
    """
    carry_over = policy.restart is Restart.CARRY_OVER
    per_run = COUNTED if carry_over else 1
    not_counted = NOT_COUNTED if carry_over else 0
    num_runs = max(math.ceil(num_samples / per_run), 2)
    cutoffs = cutoff_of_nodes(policy, line.num_links)
    fixed, fixed_cutoffs = jax.lax.stop_gradient((line, cutoffs))
    unit = fixed.attempt_time[0]
    rules = Rules(
        p_success=fixed.p_success,
        attempts=fixed.attempt_time / unit,
        p_swap=fixed.p_swap[:-1],
        cutoffs=fixed_cutoffs / unit,
        together=jnp.asarray(not carry_over),
        kept=jnp.asarray(policy.ends is Ends.KEPT),
    )

    def one(index: Array) -> Run:
        return simulate(rules, jax.random.fold_in(key, index), not_counted + per_run)

    runs = jax.lax.map(one, jnp.arange(num_runs), batch_size=min(BATCH, num_runs))
    runs = jax.lax.stop_gradient(runs)
    finite = jnp.isfinite(cutoffs)
    marked = jnp.where(finite, undifferentiated(jnp.where(finite, cutoffs, 0.0), ~finite), 0.0)
    scale = undifferentiated(jnp.mean(line.attempt_time), one_link) + jnp.sum(marked - jax.lax.stop_gradient(marked))
    scale = scale * (unit / jax.lax.stop_gradient(jnp.mean(line.attempt_time)))
    record = jax.tree.map(lambda each: scale * each[:, not_counted:], runs.record)

    def state(record: Record) -> Array:
        return state_of(line, record, policy.ends)

    states = jax.vmap(jax.vmap(state))(record).mean(axis=1)
    log_links = log_counts(line.p_success, runs.counts.delivered, runs.counts.missed)
    log_swaps = log_counts(line.p_swap[1:-1], runs.counts.swaps[:, 1:], runs.counts.losses[:, 1:])
    return Samples(
        times=scale * runs.intervals[:, not_counted:].mean(axis=1),
        states=states,
        log_weight=log_links.sum(axis=1) + log_swaps.sum(axis=1),
    )
