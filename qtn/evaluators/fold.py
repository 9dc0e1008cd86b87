"""Fold a schedule over a chain on one time grid: each distinct sub-tree is joined once."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn._checks import constant, real
from qtn.evaluators.arrival import arrival
from qtn.evaluators.delivery import Run, apply, delivered_links, delivering
from qtn.evaluators.faithful import join_faithful
from qtn.evaluators.grid import TimeGrid
from qtn.evaluators.join import Attempt, Moments, deliver, join, join_soft, late, moments, truncated, wait
from qtn.evaluators.join_many import join_many
from qtn.evaluators.pump import pumped, pumped_soft
from qtn.hardware.node import Node
from qtn.links.chain import Chain
from qtn.links.link import Heralded
from qtn.schedules.tree import Distill, Elementary, Schedule, Swap, Tree, Wait, durations, subtrees
from qtn.states.basis import BELL_SIGNS
from qtn.steps.distill import DistillationProtocol
from qtn.steps.level import Level
from qtn.steps.step_map import StepMap, map_of


@partial(jax.jit, static_argnames=("level", "num_steps"))
def link_arrivals(
    level: Level, heralded: Heralded, ends: tuple[Node, Node], step: Float[Array, ""], num_steps: int
) -> Float[Array, "k t"]:
    """Return the unnormalised state (k, t) that a link delivers at each step."""
    probability = arrival(heralded.p_success, heralded.attempt_time / step, num_steps)
    return level.from_pauli(heralded.state, *ends)[:, None] * probability


@partial(jax.jit, static_argnames="level")
def swap_step(level: Level, left: Node, middle: Node, right: Node) -> Float[Array, "k k k"]:
    """Return the step map of a swap (compiled once per kind of node)."""
    return level.swap(left, middle, right)


@partial(jax.jit, static_argnames=("level", "protocol"))
def distill_step(level: Level, protocol: DistillationProtocol, left: Node, right: Node) -> Float[Array, "k k ..."]:
    """Return the step map of a distillation (compiled once per kind of node)."""
    return level.distill(protocol, left, right)


@partial(jax.jit, static_argnames="level")
def decay_per_step(level: Level, ends: tuple[tuple[Node, Node], ...], step: Float[Array, ""]) -> Float[Array, "n k"]:
    """Return how fast pairs stored at these pairs of nodes decay, per grid step."""
    return step * jnp.stack([level.decay_rates(*pair) for pair in ends])


@partial(jax.jit, static_argnames="reference")
def grid_step(ratio: Float[Array, ""] | float, attempt_times: list[Array], reference: int | None) -> Float[Array, ""]:
    """Return the step [s] of a grid, see `TimeGrid.step`."""
    return TimeGrid(ratio=ratio, num_steps=1, reference=reference).step(attempt_times)


@jax.jit
def in_steps(times: Float[Array, "n"], index: Array, step: Float[Array, ""]) -> Float[Array, ""]:
    """Return one of some times [s] in grid steps; may be inf."""
    time = times[index]
    finite = jnp.isfinite(time)  # inf / step has no derivative with respect to the step
    return jnp.where(finite, jnp.where(finite, time, 0.0) / step, jnp.inf)


@jax.jit
def join_list(inputs: list[Array], entries: Array, rates: Array, cutoff: Array, lattice: Array) -> Attempt:
    """Join more than two inputs."""
    return join_many(jnp.stack(inputs), entries, rates, cutoff, lattice)


@jax.jit
def taken(values: Float[Array, "n *k"], index: Array) -> Float[Array, "*k"]:
    """Return one of some numbers or rows."""
    return values[index]


@partial(jax.jit, static_argnames="level")
def fidelity_rows(level: Level, ends: tuple[tuple[Node, Node], ...]) -> Float[Array, "n k"]:
    """Return rows with fidelity to Phi+ = row . state / state[0] of pairs stored at these pairs of nodes."""
    signs = jnp.asarray(BELL_SIGNS)
    states = [level.to_pauli(jnp.eye(level.num_components), *pair) for pair in ends]
    return jnp.einsum("i,niik->nk", signs, jnp.stack(states)) / 4


class Fold:
    """One evaluation of one schedule on one grid; remembers what each distinct sub-tree delivers.

    All that has a derivative goes through `run`, one compiled function after the other, so that whoever runs them can
    go back through them.
    """

    def __init__(
        self,
        chain: Chain,
        schedule: Schedule,
        grid: TimeGrid,
        level: Level,
        run: Run = apply,
    ) -> None:
        self.chain, self.schedule, self.grid, self.level = delivering(chain, run), schedule, grid, level
        self.run, self.heralded = run, delivered_links(self.chain)
        self.step = run(grid_step, grid.ratio, [each.attempt_time for each in self.heralded], grid.reference)
        self.lifetimes: list[tuple[Array, Array]] = []
        """Mean times of the steps below the root: products of two numbers [s]."""
        self.tails: list[Array] = []
        self._root: Attempt | None = None
        self._keys: dict[Tree, object] = {}
        self._summaries: dict[object, Moments] = {}
        self._delivered: dict[object, Float[Array, "k t"]] = {}
        self._lattices: dict[object, Float[Array, ""]] = {}

    @property
    def chain_ends(self) -> tuple[Node, Node]:
        """Return the first and the last node."""
        return self.chain.node(0), self.chain.node(self.chain.num_links)

    def root(self) -> Attempt:
        """Return one attempt of the last step of the schedule."""
        if self._root is None:
            *below, tree = subtrees(self.schedule.tree)
            for part in below:  # children first: never deep in recursion
                self.delivered(part)
            self._root = self.attempt(tree)
        return self._root

    def attempt(self, tree: Tree) -> Attempt:
        """Return one attempt of the last step of `tree`; a link counts as always successful."""
        if isinstance(tree, Swap):
            left, right = self.ends(tree)
            nodes = left, self.chain.node(tree.right.first), right
            step = map_of(swap_step, (self.level,), nodes, self.run)
            return self._join(tree, (tree.left, tree.right), step)
        if isinstance(tree, Distill):
            left, right = self.ends(tree)
            step = map_of(distill_step, (self.level, tree.protocol), (left, right), self.run)
            inputs = (tree.kept, *[tree.consumed] * (tree.protocol.num_pairs - 1))
            return self._join(tree, inputs, step)
        delivered = self.delivered(tree)
        return Attempt(success=delivered, failure=real(np.zeros(delivered.shape[1])))

    def delivered(self, tree: Tree) -> Float[Array, "k t"]:
        """Return what `tree` delivers at each time, restarts included."""
        key = self._key(tree)
        if key not in self._delivered:
            self._delivered[key] = self._deliver(tree)
        return self._delivered[key]

    def _deliver(self, tree: Tree) -> Float[Array, "k t"]:
        if isinstance(tree, Elementary):
            heralded = self.heralded[self.chain.link_index(tree.position)]
            attempt_time, p_success = constant((heralded.attempt_time, heralded.p_success))
            self.lifetimes.append((attempt_time, 1 / p_success))
            return self.run(link_arrivals, self.level, heralded, self.ends(tree), self.step, self.grid.num_steps)
        if isinstance(tree, Wait):
            duration = self._steps("wait_times", tree.duration)
            rates = self.run(decay_per_step, self.level, (self.ends(tree),), self.step)
            return self.run(wait, self.delivered(tree.child), rates, duration)
        attempt = self.attempt(tree)
        summary = self.note(attempt)
        self._summaries[self._key(tree)] = summary
        return self.run(deliver, attempt, jax.lax.stop_gradient(summary.mean_steps))

    def summary(self, tree: Tree) -> Moments:
        """Return the moments of a swap or distillation below the root."""
        self.delivered(tree)
        return self._summaries[self._key(tree)]

    def note(self, attempt: Attempt) -> Moments:
        """Return the moments of an attempt, and remember its lifetime and tail."""
        summary = self.run(moments, attempt)
        self.lifetimes.append((summary.mean_steps, self.step))
        self.tails.append(summary.tail_mass)
        return summary

    def _join(self, tree: Swap | Distill, inputs: tuple[Tree, ...], step: StepMap) -> Attempt:
        """Return one attempt of a step on these inputs, its limits included."""
        attempt = self._met(tree, inputs, step)
        rules = tree.rules
        if rules.run_time is not None:
            lattice = self._lattice(*inputs)
            attempt = self.run(truncated, attempt, self._steps("cutoff_times", rules.run_time), lattice)
        if rules.latency is not None:
            rates = self.run(decay_per_step, self.level, (self.ends(tree),), self.step)
            attempt = self.run(late, attempt, rates, self._steps("wait_times", rules.latency))
        return attempt

    def _met(self, tree: Swap | Distill, inputs: tuple[Tree, ...], step: StepMap) -> Attempt:
        """Return what happens when the pairs that a step needs are there, or waited too long."""
        delivered = [self.delivered(child) for child in inputs]
        limit = np.array(np.inf) if tree.cutoff is None else self._steps("cutoff_times", tree.cutoff)
        rates = self.run(decay_per_step, self.level, tuple(self.ends(child) for child in inputs), self.step)
        width = None if tree.rules.cutoff_width is None else self._steps("cutoff_widths", tree.rules.cutoff_width)
        sequential = isinstance(tree, Distill) and tree.sequential
        if sequential:
            lattice = self._lattice(inputs[1])
            piece, others = (pumped, (limit, lattice)) if width is None else (pumped_soft, (limit, width))
            return self.run(piece, *delivered, step.entries, self.run(taken, rates, np.array(0)), *others)
        lattice = self._lattice(*inputs)
        if tree.rules.min_fidelity is not None:
            rows = self.run(fidelity_rows, self.level, tuple(self.ends(child) for child in inputs))
            minimum = self.run(taken, self.schedule.min_fidelities, np.array(tree.rules.min_fidelity))
            return self.run(join_faithful, *delivered, step, rates, rows, minimum, lattice)
        if width is not None:
            return self.run(join_soft, *delivered, step, rates, limit, width)
        if len(inputs) == 2:
            own = () if tree.cutoff is None else (limit, lattice)
            return self.run(join, *delivered, step, rates, *own)
        return self.run(join_list, delivered, step.entries, rates, limit, lattice)

    def _steps(self, name: str, slot: int) -> Float[Array, ""]:
        """Return one of the times of the schedule in grid steps."""
        return self.run(in_steps, getattr(self.schedule, name), np.array(slot), self.step)

    def _lattice(self, *inputs: Tree) -> Float[Array, ""]:
        """Return the spacing, in steps, of the times at which the inputs of a join can arrive."""
        parts = [part for tree in inputs for part in subtrees(tree)]
        links = {self.chain.link_index(part.position) for part in parts if isinstance(part, Elementary)}
        waits = {slot for part in parts for slot in durations(part)}
        key = ("lattice", frozenset(links), frozenset(waits))
        if key not in self._lattices:
            self._lattices[key] = self.grid.lattice(links, waits)
        return self._lattices[key]

    def ends(self, tree: Tree) -> tuple[Node, Node]:
        """Return the two nodes that hold the pair of a segment."""
        return self.chain.node(tree.first), self.chain.node(tree.last + 1)

    def _key(self, tree: Tree) -> object:
        """Return equal keys for sub-trees that deliver the same by construction."""
        if tree not in self._keys:
            self._keys[tree] = self._new_key(tree)
        return self._keys[tree]

    def _new_key(self, tree: Tree) -> object:
        if isinstance(tree, Elementary):
            return self.chain.link_index(tree.position), *(node.memory.equilibrium() for node in self.ends(tree))
        nodes = tuple(self.chain.node_index(i) for i in (tree.first, tree.last + 1))
        if isinstance(tree, Wait):
            return "wait", self._key(tree.child), tree.duration, nodes
        if isinstance(tree, Swap):
            middle = self.chain.node_index(tree.right.first)
            return "swap", self._key(tree.left), self._key(tree.right), tree.cutoff, tree.rules, middle, nodes
        own = tree.protocol, tree.sequential, tree.cutoff, tree.rules
        return "distill", self._key(tree.kept), self._key(tree.consumed), *own, nodes
