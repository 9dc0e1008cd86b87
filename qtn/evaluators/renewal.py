"""The exact (waiting time, state) of a tree of steps with restarts: the pair engine.

Both inputs of a step start together and independently; the step happens at the later arrival; any failure
restarts both. On a time grid the delivered state is a vector of numbers per time, and each step is one compiled
`join`. Where no affordable grid is exact, three grids are extrapolated in the square of their step.

References:
    Brand, Coopmans, Elkouss, IEEE J. Sel. Areas Commun. 38, 619 (2020), arXiv:1912.07688 (the distribution);
    Li, Coopmans, Elkouss, IEEE Trans. Quantum Eng. 2, 4103015 (2021), arXiv:2005.04946 (cut-offs).
"""

import dataclasses

from qtn import _checks
from qtn.evaluators.delivery import Run, apply, delivering
from qtn.evaluators.extrapolate import folded, in_time, summarise_on
from qtn.evaluators.fold import Fold
from qtn.evaluators.horizon import measured_horizon
from qtn.evaluators.joins import Join, joins
from qtn.evaluators.ladder import Search, Terms, ladder, plan_for
from qtn.evaluators.levels import choose_level, corrections_matter, require_level, where_exact
from qtn.evaluators.outcome import Outcome, Summary
from qtn.evaluators.plan import NUM_LIFETIMES, GridPlan
from qtn.evaluators.scales import time_scales
from qtn.links.chain import Chain
from qtn.schedules.builders import check_spans
from qtn.schedules.policy import SwapAsap, require_tree
from qtn.schedules.tree import Schedule
from qtn.steps.level import Level, PauliLevel
from qtn.steps.swap import Correction


@dataclasses.dataclass(frozen=True)
class Renewal:
    """Evaluate trees of steps with restarts, exactly up to a reported grid error.

    Example:
        >>> Renewal().rtol
        1e-07
    """

    step: float | None = None
    """Grid step [s]; chosen when absent. A given step is used as it is, without extrapolation."""

    num_steps: int | None = None
    """Grid length; chosen when absent."""

    rtol: float = 1e-7
    """Grid error asked for when the step is chosen."""

    level: Level | None = None
    """State level; None = the smallest that is exact for the chain and the schedule. Under `jit`, numbers at which a
    fixed level is not exact give NaN; elsewhere they raise."""

    whole_state: bool = False
    """Whether the level must hold the whole delivered state: without, what depends on more than its Bell weights
    (log-negativity, coherent information, CHSH, device-independent keys) is that of the twirled pair."""

    correction: Correction | str = Correction.AT_SWAP
    """When Pauli corrections are applied; where it matters (see `Correction`) this evaluator can only do AT_SWAP."""

    plan: GridPlan | None = None
    """Grids to use as they are (static): needed under `jax.jit`, where no grid can be chosen."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "correction", _checks.choice("correction", self.correction, Correction))

    def planned(self, chain: Chain, schedule: Schedule) -> "Renewal":
        """Return this evaluator with its grids fixed: those chosen for these (concrete) numbers."""
        plan, level = self._chosen(chain, schedule)
        return dataclasses.replace(self, plan=plan, level=level)

    def summarise(self, chain: Chain, schedule: Schedule | SwapAsap, run: Run = apply) -> Summary:
        """Return mean waiting time, mean delivered state and their errors.

        Args:
            chain: links and nodes.
            schedule: tree of steps.
            run: applies each compiled piece to its arguments; a `Tape` goes back through them.

        Raises:
            TypeError: if the schedule is a policy.

        Note:
            Differentiable in both modes. Without `plan` the grids are chosen from the values, which works under
            `jax.grad` but not under `jax.jit` or `jax.vmap`: there, fix them first with `planned`.
        """
        schedule = require_tree("Renewal()", schedule)
        plan, level = self._chosen(chain, schedule)
        summary = summarise_on(plan, chain, schedule, level, run)
        return where_exact(level, chain, schedule, summary, whole=self.whole_state)

    def evaluate(self, chain: Chain, schedule: Schedule | SwapAsap, run: Run = apply) -> Outcome:
        """Return the same, with the distribution of the waiting time and the state at each time."""
        schedule = require_tree("Renewal()", schedule)
        plan, level = self._chosen(chain, schedule)
        fold, summary, values = folded(plan, chain, schedule, level, run)
        found = dataclasses.replace(in_time(fold, values), info=summary.info)
        return where_exact(level, chain, schedule, found, whole=self.whole_state)

    def joins(self, chain: Chain, schedule: Schedule) -> tuple[Join, ...]:
        """Return what every distinct step of a schedule that joins pairs delivers, children first.

        Note:
            Values are those of the finest grid, without extrapolation.
        """
        plan, level = self._chosen(chain, schedule)
        return joins(Fold(chain, schedule, plan.finest, level))

    def prepared(self, chain: Chain, schedule: Schedule) -> tuple[Chain, Schedule]:
        """Return chain and schedule, each link evaluated once (see `Gridded`)."""
        return delivering(chain), schedule

    def fixed(self, chain: Chain, schedule: Schedule) -> "Renewal":
        """Return this evaluator with its level fixed, if the result will be exact (see `Gridded`)."""
        return dataclasses.replace(self, level=self._level(chain, schedule))

    def search(self, chain: Chain, schedule: Schedule) -> Search:
        """Search the grids for concrete numbers (see `Gridded`)."""
        scales, horizon = time_scales(chain, schedule), 0.0
        if self.step is None or self.num_steps is None:
            level = self.level or self._smallest(chain, schedule)
            horizon = yield from measured_horizon(chain, schedule, level, scales)
        terms = Terms(
            step=self.step,
            num_steps=self.num_steps,
            rtol=self.rtol,
            slowest=f"problem: the slowest step takes about {horizon / NUM_LIFETIMES:.3g} s",
            cure="Raise the success probabilities or the cut-off times, or give time.step_s.",
        )
        return (yield from ladder(scales, horizon, terms))

    def summarise_on(self, plan: GridPlan, chain: Chain, schedule: Schedule) -> Summary:
        """Evaluate on given grids; pure, for use under any JAX transformation if the level is fixed."""
        return summarise_on(plan, chain, schedule, self.level or self._smallest(chain, schedule))

    def _chosen(self, chain: Chain, schedule: Schedule) -> tuple[GridPlan, Level]:
        """Return the grids and the level of an evaluation."""
        fixed = self.fixed(chain, schedule)
        _checks.require_double_precision()
        check_spans(schedule, chain.num_links)
        return fixed.plan or plan_for(fixed, chain, schedule), fixed.level or self._smallest(chain, schedule)

    def _level(self, chain: Chain, schedule: Schedule) -> Level:
        if self.correction is Correction.TRACKED and (reason := corrections_matter(chain, schedule)):
            raise ValueError(
                f'Corrections that are tracked (correction = "tracked") differ from those at the swap where {reason}, '
                'and Renewal() applies them at the swap: give correction = "at_swap", or evaluate with Asap().'
            )
        if self.level is None:
            return self._smallest(chain, schedule)
        if isinstance(self.level, PauliLevel):
            require_level(self.level, chain, schedule, whole=self.whole_state)
        return self.level

    def _smallest(self, chain: Chain, schedule: Schedule) -> Level:
        return choose_level(chain, schedule, whole=self.whole_state)
