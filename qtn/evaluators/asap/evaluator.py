"""Swap as soon as possible, contracted in time: exact for chains of thousands of different links.

The memory at a node waits from the delivery of its own link to that of the other, whatever the rest of the chain does,
so the mean delivered state is a contraction along the chain over (delivery time x Pauli): O(n T) for n links and T
grid times.
"""

import dataclasses
import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.evaluators.asap.line import Line, stacked
from qtn.evaluators.asap.sites import sites_of
from qtn.evaluators.asap.transfer import contract, resolve
from qtn.evaluators.extrapolate import finished
from qtn.evaluators.grid import TimeGrid, shared
from qtn.evaluators.ladder import Search, Terms, ladder, plan_for
from qtn.evaluators.outcome import Outcome, Summary
from qtn.evaluators.plan import LADDER, NUM_LIFETIMES, GridPlan
from qtn.evaluators.scales import read_scales
from qtn.links.chain import Chain
from qtn.schedules.policy import Ends, Restart, SwapAsap, require_schedule
from qtn.schedules.tree import Schedule
from qtn.steps.level import PauliLevel


@dataclasses.dataclass(frozen=True)
class Asap:
    """Evaluate `swap_asap()` exactly, up to a reported grid error: independent states, swaps that never fail.

    Pauli corrections are tracked and applied at delivery, which matters only where memories relax (T1). Imperfect gates
    and readout are exact. With `Ends.MEASURED` time is O(n T); with `Ends.KEPT` the decay of the end qubits depends on
    the completion time, and time is O(n T^2).

    Note:
        Differentiable in both modes with respect to everything but `p_swap`, which must be 1.

    References:
        Kamin, Shchukin, Schmidt, van Loock, Phys. Rev. Res. 5, 023086 (2023), arXiv:2203.10318 (n <= 8).

    Example:
        >>> Asap().rtol
        1e-07
    """

    step: float | None = None
    """Grid step [s]; chosen when absent. A given step is used as it is, without extrapolation."""

    num_steps: int | None = None
    """Grid length; chosen when absent."""

    rtol: float = 1e-7
    """Grid error asked for when the step is chosen."""

    level: PauliLevel | None = None
    """State level of the result; None = all Pauli coefficients. The work is the same."""

    plan: GridPlan | None = None
    """Grids to use as they are (static): needed under `jax.jit`, where no grid can be chosen."""

    stride: int = 1
    """Reverse mode stores what passes between two links, (3 to 5, T) numbers, of every so many links, and computes the
    others again: 1 needs O(n T) memory, about sqrt(n) needs O(sqrt(n) T) and a third more time."""

    def planned(self, chain: Chain | Line, policy: SwapAsap | Schedule) -> "Asap":
        """Return this evaluator with its grids fixed: those chosen for these (concrete) numbers."""
        plan, *_ = self._chosen(chain, policy)
        return dataclasses.replace(self, plan=plan)

    def summarise(self, chain: Chain | Line, policy: SwapAsap | Schedule) -> Summary:
        """Return mean waiting time, mean delivered state and their errors.

        Args:
            chain: links and nodes, or `stacked(chain)`: for thousands of links.
            policy: `swap_asap()`, with either kind of ends.

        Raises:
            TypeError: if the schedule is a tree.
            ValueError: if the result would not be exact; use `Sampled`.

        Note:
            Without `plan` the grids are chosen from the values, which works under `jax.grad` but not under `jax.jit`
            or `jax.vmap`: there, fix them first with `planned`.
        """
        return self.summarise_on(*self._chosen(chain, policy))

    def evaluate(self, chain: Chain | Line, policy: SwapAsap | Schedule) -> Outcome:
        """Return the same, with the distribution of completion; with `Ends.KEPT` also the state at each time."""
        plan, line, policy = self._chosen(chain, policy)
        return self._outcome(plan, line, policy, resolved=policy.ends is Ends.KEPT)

    def resolve(self, chain: Chain | Line, policy: SwapAsap | Schedule) -> Outcome:
        """Return the same, with the state delivered at each completion time: O(n T^2)."""
        return self._outcome(*self._chosen(chain, policy), resolved=True)

    def _chosen(self, chain: Chain | Line, policy: SwapAsap | Schedule) -> tuple[GridPlan, Line, SwapAsap]:
        """Return the grids of an evaluation, the chain as arrays and the policy, if the result will be exact."""
        require_schedule(policy)
        if not isinstance(policy, SwapAsap):
            raise TypeError(f"Asap() evaluates the policy swap_asap(), not a {type(policy).__name__}: use Renewal().")
        _checks.require_double_precision()
        line, policy = self.prepared(chain, policy)
        plan = self.fixed(line, policy).plan or plan_for(self, line, policy)
        return plan, line, policy

    def _outcome(self, plan: GridPlan, line: Line, policy: SwapAsap, *, resolved: bool) -> Outcome:
        summary = self.summarise_on(plan, line, policy)
        grid = plan.finest
        found = self._on_grid(grid, line, policy, resolved=resolved)
        times, probability = in_time(found.arrived, found.step)
        return Outcome(
            mean_time=summary.mean_time,
            state=summary.state,
            times=times,
            probability=probability,
            states=None if found.states is None else self._kept(found.states),
            info=summary.info,
        )

    def prepared(self, chain: Chain | Line, policy: SwapAsap) -> tuple[Line, SwapAsap]:
        """Return the chain as arrays, and the policy (see `Gridded`)."""
        return (chain if isinstance(chain, Line) else stacked(chain)), policy

    def fixed(self, line: Line, policy: SwapAsap) -> "Asap":
        """Return this evaluator if the result will be exact."""
        require_exact(line, policy)
        if self.stride < 1:
            raise ValueError(f"Argument `stride` must be at least 1, but is {self.stride}.")
        if self.level is not None and self.level.name == "bell_diagonal" and any(line.equilibrium):
            raise ValueError(
                "The state level 'bell_diagonal' is not exact here: a memory relaxes (finite T1). "
                "Leave the level to be chosen."
            )
        return self

    def search(self, line: Line, policy: SwapAsap) -> Search:
        """Search the grids for concrete numbers (see `Gridded`)."""
        scales = read_scales(line.p_success, line.attempt_time, planned="Asap().planned(chain, policy)")
        slowest, kept = max(scales.lifetimes), policy.ends is Ends.KEPT
        terms = Terms(
            step=self.step,
            num_steps=self.num_steps,
            rtol=self.rtol,
            slowest=f"chain: the slowest link takes {slowest:.3g} s",
            cure="Raise the success probabilities, give time.step_s, or use Sampled().",
            coarse=LADDER[:2] if kept else LADDER[:5],  # kept: time grows with the square of the length
            exact=LADDER[:3] if kept else LADDER,
            sized=False,
        )
        return ladder(scales, (NUM_LIFETIMES + math.log(line.num_links)) * slowest, terms)

    def summarise_on(self, plan: GridPlan, chain: Chain | Line, policy: SwapAsap) -> Summary:
        """Evaluate on given grids; pure, for use under any JAX transformation. NaN where a swap may fail."""
        line, policy = self.prepared(chain, policy)
        found = [self._on_grid(grid, line, policy, resolved=False) for grid in plan.grids]
        values, tails = [each.values for each in found], [each.tail_mass for each in found]
        summary, _ = finished(plan, values, tails, line.attempt_time, found[0].step)
        state, success = self._kept(summary.state), _checks.constant(line.p_swap)
        if _checks.known(success) is not None:  # checked before
            return dataclasses.replace(summary, state=state)
        exact = jnp.all(success[1:-1] == 1)
        mean_time, state = (jnp.where(exact, each, jnp.nan) for each in (summary.mean_time, state))
        return dataclasses.replace(summary, mean_time=mean_time, state=state)

    def _on_grid(self, grid: TimeGrid, line: Line, policy: SwapAsap, *, resolved: bool) -> "OnGrid":
        """Evaluate on one grid."""
        unit = one_attempt_a_step(grid)
        return on_grid(line, grid.ratio, grid.num_steps, grid.reference, unit, policy.ends, resolved, self.stride)

    def _kept(self, state: Float[Array, "*t 4 4"]) -> Float[Array, "*t 4 4"]:
        """Drop the Pauli coefficients that the level does not hold."""
        if self.level is None:
            return state
        held = np.zeros((4, 4))
        held[self.level.indices] = 1.0
        return masked(state, held)


@pytree
class OnGrid:
    """What one grid says."""

    values: Float[Array, "17"]
    """Mean time [s] and Pauli coefficients."""
    arrived: Float[Array, "t"]
    """Probability that all is done by each time."""
    states: Float[Array, "t 4 4"] | None
    """What is delivered at each time, where that is resolved."""
    tail_mass: Float[Array, ""]
    """Probability that the grid is outlasted."""
    step: Float[Array, ""]
    """Of the grid [s]."""


@partial(jax.jit, static_argnames=("num_steps", "reference", "unit", "ends", "resolved", "stride"))
def on_grid(
    line: Line,
    ratio: Float[Array, ""] | float,
    num_steps: int,
    reference: int | None,
    unit: bool,
    ends: Ends,
    resolved: bool,
    stride: int,
) -> OnGrid:
    """Evaluate on one grid, with all that is resolved in time where it is asked for."""
    reference_time = jnp.mean(line.attempt_time) if reference is None else shared(line.attempt_time, reference)
    step, kept = ratio * reference_time, ends is Ends.KEPT
    state, arrived = contract(sites_of(line, step, Ends.MEASURED, mass=False), num_steps, unit, stride)
    states = None
    if kept or resolved:
        states = resolve(sites_of(line, step, ends, mass=True), num_steps, unit, stride)
    if kept and states is not None:
        state = states.sum(axis=0)
    mean = jnp.sum(arrived[-1] - arrived)  # of those that complete within the grid
    values = jnp.concatenate([(step * mean)[None], state.reshape(16)]) / arrived[-1]
    tail_mass = jnp.maximum(1 - arrived[-1], 0.0)
    return OnGrid(values=values, arrived=arrived, states=states, tail_mass=tail_mass, step=step)


@jax.jit
def in_time(arrived: Float[Array, "t"], step: Float[Array, ""]) -> tuple[Float[Array, "t"], Float[Array, "t"]]:
    """Return the times [s] of a grid, and the probability that all is done at each."""
    return step * jnp.arange(arrived.size), jnp.diff(arrived, prepend=0.0)


@jax.jit
def masked(state: Float[Array, "*t 4 4"], held: Float[Array, "4 4"]) -> Float[Array, "*t 4 4"]:
    """Return the Pauli coefficients that are held."""
    return state * held


def one_attempt_a_step(grid: TimeGrid) -> bool:
    """Whether the step of a grid is the attempt time of every link."""
    ratio = _checks.known(grid.ratio)
    return ratio is not None and bool(np.all(np.abs(np.array(grid.attempts) / ratio - 1) < 1e-12))


def require_exact(line: Line, policy: SwapAsap) -> None:
    """Check that nothing restarts before delivery.

    Raises:
        ValueError: with the reason, and what to use instead.
    """
    cure = "use Sampled(num_samples=...), which simulates them."
    if policy.restart is not Restart.TOGETHER:
        raise ValueError(f"Asap() is exact for independent states only, but here entanglement carries over: {cure}")
    if policy.cutoff_times is not None:
        cutoffs = _checks.known(_checks.constant(policy.cutoff_times))
        if cutoffs is None or np.any(np.isfinite(cutoffs)):
            raise ValueError(f"Asap() has no cut-offs, because pairs that grow too old restart: {cure}")
    success = _checks.known(_checks.constant(line.p_swap))
    if success is not None and np.any(success[1:-1] != 1):
        worst = int(np.argmin(success[1:-1])) + 1
        raise ValueError(
            f"Asap() needs swaps that never fail, but node {worst} has p_swap = {success[worst]:g}: failed swaps "
            f"restart; {cure}"
        )
