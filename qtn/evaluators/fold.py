"""Fold a schedule over a chain on one time grid: each distinct sub-tree is joined once."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from qtn.evaluators.arrival import arrival
from qtn.evaluators.grid import TimeGrid
from qtn.evaluators.join import Attempt, Moments, deliver, join, moments, wait
from qtn.evaluators.join_many import join_many
from qtn.hardware.node import Node
from qtn.links.chain import Chain
from qtn.links.link import Heralded, Link
from qtn.schedules.tree import Distill, Elementary, Schedule, Swap, Tree, Wait, subtrees
from qtn.steps.distill import DistillationProtocol
from qtn.steps.level import Level


@jax.jit
def herald(link: Link) -> Heralded:
    """Return what one attempt of a link heralds (compiled once per kind of link)."""
    return link.heralded()


def heralded_links(chain: Chain) -> tuple[Heralded, ...]:
    """Return what each stored link heralds."""
    return tuple(herald(link) for link in chain.links)


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
def distill_step(level: Level, protocol: DistillationProtocol, left: Node, right: Node) -> Float[Array, "k k k"]:
    """Return the step map of a distillation (compiled once per kind of node)."""
    return level.distill(protocol, left, right)


@partial(jax.jit, static_argnames="level")
def decay_per_step(level: Level, ends: tuple[tuple[Node, Node], ...], step: Float[Array, ""]) -> Float[Array, "n k"]:
    """Return how fast pairs stored at these pairs of nodes decay, per grid step."""
    return step * jnp.stack([level.decay_rates(*pair) for pair in ends])


class Fold:
    """One evaluation of one schedule on one grid; remembers what each distinct sub-tree delivers."""

    def __init__(
        self, chain: Chain, schedule: Schedule, heralded: tuple[Heralded, ...], grid: TimeGrid, level: Level
    ) -> None:
        self.chain, self.schedule, self.heralded, self.grid, self.level = chain, schedule, heralded, grid, level
        self.step = grid.step(heralded)
        self.lifetimes: list[Array] = []
        self.tails: list[Array] = []
        self._delivered: dict[object, Float[Array, "k t"]] = {}
        self._lattices: dict[object, Float[Array, ""]] = {}

    @property
    def chain_ends(self) -> tuple[Node, Node]:
        """Return the first and the last node."""
        return self.chain.node(0), self.chain.node(self.chain.num_links)

    def attempt(self, tree: Tree) -> Attempt:
        """Return one attempt of the last step of `tree`; a link counts as always successful."""
        if isinstance(tree, Swap):
            left, right = self._ends(tree)
            step_map = swap_step(self.level, left, self.chain.node(tree.right.first), right)
            return self._join((tree.left, tree.right), step_map, tree.cutoff)
        if isinstance(tree, Distill):
            left, right = self._ends(tree)
            step_map = distill_step(self.level, tree.protocol, left, right)
            inputs = (tree.kept, *[tree.consumed] * (tree.protocol.num_pairs - 1))
            return self._join(inputs, step_map, tree.cutoff)
        delivered = self.delivered(tree)
        return Attempt(success=delivered, failure=jnp.zeros_like(delivered[0]))

    def delivered(self, tree: Tree) -> Float[Array, "k t"]:
        """Return what `tree` delivers at each time, restarts included."""
        key = self._key(tree)
        if key not in self._delivered:
            self._delivered[key] = self._deliver(tree)
        return self._delivered[key]

    def _deliver(self, tree: Tree) -> Float[Array, "k t"]:
        if isinstance(tree, Elementary):
            heralded = self.heralded[self.chain.link_index(tree.position)]
            self.lifetimes.append(heralded.attempt_time / heralded.p_success)
            return link_arrivals(self.level, heralded, self._ends(tree), self.step, self.grid.num_steps)
        if isinstance(tree, Wait):
            duration = self.schedule.wait_times[tree.duration] / self.step
            rates = decay_per_step(self.level, (self._ends(tree),), self.step)[0]
            return wait(self.delivered(tree.child), rates, duration)
        attempt = self.attempt(tree)
        summary = self.note(attempt)
        return deliver(attempt, summary.mean_steps)

    def note(self, attempt: Attempt) -> Moments:
        """Return the moments of an attempt, and remember its lifetime and tail."""
        summary = moments(attempt)
        self.lifetimes.append(summary.mean_steps * self.step)
        self.tails.append(summary.tail_mass)
        return summary

    def _join(self, inputs: tuple[Tree, ...], step_map: Array, cutoff: int | None) -> Attempt:
        time = jnp.inf if cutoff is None else self.schedule.cutoff_times[cutoff]
        finite = jnp.isfinite(time)  # inf / step has no derivative with respect to the step
        limit = jnp.where(finite, jnp.where(finite, time, 0.0) / self.step, jnp.inf)
        rates = decay_per_step(self.level, tuple(self._ends(tree) for tree in inputs), self.step)
        delivered = [self.delivered(tree) for tree in inputs]
        if len(inputs) == 2:
            return join(delivered[0], delivered[1], step_map, rates, limit, self._lattice(*inputs))
        return join_many(jnp.stack(delivered), step_map, rates, limit, self._lattice(*inputs))

    def _lattice(self, *inputs: Tree) -> Float[Array, ""]:
        """Return the spacing, in steps, of the times at which the inputs of a join can arrive."""
        parts = [part for tree in inputs for part in subtrees(tree)]
        links = {self.chain.link_index(part.position) for part in parts if isinstance(part, Elementary)}
        waits = {part.duration for part in parts if isinstance(part, Wait)}
        key = ("lattice", frozenset(links), frozenset(waits))
        if key not in self._lattices:
            self._lattices[key] = self.grid.lattice(links, waits)
        return self._lattices[key]

    def _ends(self, tree: Tree) -> tuple[Node, Node]:
        return self.chain.node(tree.first), self.chain.node(tree.last + 1)

    def _key(self, tree: Tree) -> object:
        """Return equal keys for sub-trees that deliver the same by construction."""
        if isinstance(tree, Elementary):
            return self.chain.link_index(tree.position), *(node.memory.equilibrium() for node in self._ends(tree))
        nodes = tuple(self.chain.node_index(i) for i in (tree.first, tree.last + 1))
        if isinstance(tree, Wait):
            return "wait", self._key(tree.child), tree.duration, nodes
        if isinstance(tree, Swap):
            middle = self.chain.node_index(tree.right.first)
            return "swap", self._key(tree.left), self._key(tree.right), tree.cutoff, middle, nodes
        return "distill", self._key(tree.kept), self._key(tree.consumed), tree.protocol, tree.cutoff, nodes
