"""Evaluate many candidates at once: every join of a search runs through one compiled program."""

import dataclasses
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn.evaluators.delivery import delivered_links, delivering
from qtn.evaluators.fold import decay_per_step, distill_step, link_arrivals, swap_step
from qtn.evaluators.grid import TimeGrid
from qtn.evaluators.join import Moments, deliver, join, moments
from qtn.evaluators.join_many import join_many
from qtn.hardware.node import Node
from qtn.links.chain import Chain
from qtn.planning.candidates import Candidate
from qtn.planning.objective import characters
from qtn.planning.segments import Segment
from qtn.steps.distill import DistillationProtocol
from qtn.steps.level import Level
from qtn.steps.step_map import StepMap, map_of

BATCH = 32
"""Joins in one call; more do not run faster, fewer waste less on padding."""

BATCH_OF_MANY = 4
"""The same for joins of more than two pairs, each of which fills the machine."""


@partial(jax.jit, static_argnames=("keep", "cut"))
def joined(
    first: Float[Array, "b k t"],
    second: Float[Array, "b k t"],
    step: StepMap,
    rates: Float[Array, "n k"],
    cutoffs: Float[Array, "b"],
    lattice: Float[Array, ""],
    keep: bool,
    cut: bool,
) -> tuple[Moments, Float[Array, "b k t"] | None]:
    """Join a batch of inputs by the same step.

    Args:
        first: (b, k, t), what the first inputs deliver.
        second: (b, k, t), what the other n - 1 inputs deliver, which are alike.
        step: successful branch.
        rates: (n, k), decay per step while waiting.
        cutoffs: (b,), [steps].
        lattice: of the grid.
        keep: whether to return what is delivered at each time.
        cut: whether any cut-off is finite.
    """
    others = rates.shape[0] - 1

    def one(first: Array, second: Array, cutoff: Array) -> tuple[Moments, Array | None]:
        if others == 1:
            attempt = join(first, second, step, rates, *((cutoff, lattice) if cut else ()))
        else:
            limit = cutoff if cut else jnp.asarray(jnp.inf)
            attempt = join_many(jnp.stack([first, *[second] * others]), step.entries, rates, limit, lattice)
        summary = moments(attempt)
        return summary, deliver(attempt, summary.mean_steps) if keep else None

    if others == 1:
        return jax.vmap(one)(first, second, cutoffs)
    return jax.lax.map(lambda inputs: one(*inputs), (first, second, cutoffs))


class Engine:
    """A chain on one time grid."""

    def __init__(self, chain: Chain, grid: TimeGrid, level: Level) -> None:
        self.chain, self.grid, self.level = delivering(chain), grid, level
        self.heralded = delivered_links(self.chain)
        self.step = grid.step([each.attempt_time for each in self.heralded])
        self.seconds = float(self.step)
        self.num_joins = 0

    @property
    def horizon(self) -> float:
        """Return the end of the grid [s]."""
        return self.seconds * self.grid.num_steps

    def ends(self, segment: Segment) -> tuple[Node, Node]:
        """Return the nodes at both ends of a segment."""
        return self.chain.node(segment.first), self.chain.node(segment.last + 1)

    def link(self, segment: Segment) -> Candidate:
        """Return the candidate that takes the pair of a link as it comes."""
        heralded = self.heralded[self.chain.link_index(segment.first)]
        delivered = np.asarray(link_arrivals(self.level, heralded, self.ends(segment), self.step, self.grid.num_steps))
        total = delivered.sum(axis=1)
        return Candidate(
            segment,
            (),
            None,
            np.inf,
            None,
            0,
            (1,),
            mean_time=float(heralded.attempt_time / heralded.p_success),
            state=total / total[0],
            tail_mass=max(1 - total[0], 0.0),
            delivered=delivered,
        )

    def swap(self, candidates: Sequence[Candidate], *, keep: bool) -> list[Candidate]:
        """Evaluate swaps at one node of one segment."""
        if not candidates:
            return []
        middle = candidates[0].segment.first + candidates[0].parts[0].candidate.num_links
        first, last = candidates[0].segment.first, candidates[0].segment.last + 1
        ends = (first, middle), (middle, last)
        nodes = (self.chain.node(first), self.chain.node(middle), self.chain.node(last))
        step = map_of(swap_step, (self.level,), nodes)
        return self._evaluate(candidates, step, ends, keep)

    def distill(self, candidates: Sequence[Candidate], *, keep: bool) -> list[Candidate]:
        """Evaluate distillations of one segment by one protocol."""
        if not candidates:
            return []
        protocol = candidates[0].protocol
        assert isinstance(protocol, DistillationProtocol)
        first, last = candidates[0].segment.first, candidates[0].segment.last + 1
        nodes = self.chain.node(first), self.chain.node(last)
        step = map_of(distill_step, (self.level, protocol), nodes)
        return self._evaluate(candidates, step, ((first, last),) * protocol.num_pairs, keep)

    def characters(self, segment: Segment, states: np.ndarray) -> np.ndarray:
        """Return the characters (n, 4) of mean states (n, k) of a segment."""
        return characters(self.level, self.ends(segment), states)

    def _evaluate(
        self,
        candidates: Sequence[Candidate],
        step: StepMap,
        ends: tuple[tuple[int, int], ...],
        keep: bool,
    ) -> list[Candidate]:
        nodes = tuple((self.chain.node(a), self.chain.node(b)) for a, b in ends)
        rates = decay_per_step(self.level, nodes, self.step)
        segment = candidates[0].segment
        links = {self.chain.link_index(i) for i in range(segment.first, segment.last + 1)}
        lattice = self.grid.lattice(links, ())
        cut = any(np.isfinite(candidate.cutoff) for candidate in candidates)
        found: list[Candidate] = []
        batch = BATCH if len(ends) == 2 else BATCH_OF_MANY
        for start in range(0, len(candidates), batch):
            chunk = list(candidates[start : start + batch])
            padded = chunk + [chunk[0]] * (batch - len(chunk))
            first, second = (np.stack([each.parts[side].candidate.delivered for each in padded]) for side in (0, 1))
            cutoffs = np.array([each.cutoff for each in padded]) / self.seconds
            result, delivered = joined(first, second, step, rates, cutoffs, lattice, keep, cut)
            times, states, tails = (np.asarray(x) for x in (result.mean_steps, result.state, result.tail_mass))
            kept = None if delivered is None else np.asarray(delivered)
            self.num_joins += len(chunk)
            found.extend(
                dataclasses.replace(
                    candidate,
                    mean_time=float(times[i]) * self.seconds,
                    state=states[i],
                    tail_mass=float(tails[i]),
                    delivered=None if kept is None else kept[i],
                )
                for i, candidate in enumerate(chunk)
            )
        return found
