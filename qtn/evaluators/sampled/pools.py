"""Monte Carlo of a tree: every sub-tree has a pool of independent deliveries, in as many rows as its parents use.

A step takes one delivery of each input a row: an attempt. Consecutive attempts up to the first success are one
delivery of the step, which waits for all of them. Nothing loops: rows are drawn at once, and each is used exactly once.
"""

import dataclasses
import math
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn._checks import constant
from qtn._pytree import pytree
from qtn.evaluators.delivery import delivered_links, delivering
from qtn.evaluators.fold import decay_per_step, distill_step, swap_step
from qtn.evaluators.grid import common_spacing
from qtn.evaluators.sampled.draws import attempts_needed, log_counts, undifferentiated
from qtn.evaluators.sampled.outcome import Samples
from qtn.hardware.node import Node
from qtn.links.chain import Chain
from qtn.links.link import Heralded
from qtn.schedules.tree import ARRAYS, Distill, Elementary, Schedule, Swap, Tree, Wait, subtrees
from qtn.steps.level import PauliLevel

PILOT = 4096
"""Attempts of each step from which its success probability is guessed."""

LARGEST = 20_000_000
"""Most rows of one pool."""


@pytree
class Pool:
    """Independent deliveries of a sub-tree."""

    times: Float[Array, "m"]
    """Waiting time [s]."""

    vectors: Float[Array, "m k"]
    """Normalised state vectors of the level, [:, 0] = 1."""

    log_weight: Float[Array, "m"]
    """Logarithm of the probability of all that was drawn."""

    def rows(self, start: int, stop: int) -> "Pool":
        """Return some of the deliveries."""
        return self if stop - start == self.times.size else _rows(self, np.array(start), stop - start)


@partial(jax.jit, static_argnames="count")
def _rows(pool: Pool, start: Array, count: int) -> Pool:
    """Return so many deliveries from `start`."""
    return jax.tree.map(lambda each: jax.lax.dynamic_slice_in_dim(each, start, count), pool)


@pytree
class Attempts:
    """Independent attempts of a step."""

    durations: Float[Array, "m"]
    vectors: Float[Array, "m k"]
    log_weight: Float[Array, "m"]
    success: Array
    """(m,), whether it succeeded."""


TreePlan: TypeAlias = tuple[tuple[Tree, int, float], ...]
"""For each sub-tree: its rows (attempts of a step, deliveries of a link), and the spacing of arrival times (see
`ratio`)."""


def few_sizes(count: int) -> int:
    """Round up to a power of two or half-way between two, so that few sizes are ever compiled.

    Example:
        >>> [few_sizes(count) for count in (1, 5, 7, 1000, 1300)]
        [1, 6, 8, 1024, 1536]
    """
    power = 2 ** math.ceil(math.log2(count))
    return power * 3 // 4 if count <= power * 3 // 4 else power


def children_of(tree: Tree) -> tuple[Tree, ...]:
    """Return the inputs of a step, the consumed one as often as the protocol needs it."""
    if isinstance(tree, Distill):
        return (tree.kept, *[tree.consumed] * (tree.protocol.num_pairs - 1))
    return tree.children


class TreeSampler:
    """One Monte Carlo of one tree."""

    def __init__(self, chain: Chain, schedule: Schedule, level: PauliLevel) -> None:
        self.chain, self.schedule, self.level = delivering(chain), schedule, level
        self.heralded = delivered_links(self.chain)
        self.parts = subtrees(schedule.tree)

    def samples(self, plan: "TreePlan", num_samples: int, key: Array) -> Samples:
        """Return deliveries of the root.

        Args:
            plan: see `plan`.
            num_samples: deliveries of the root.
            key: random key.
        """
        pools: dict[Tree, Pool] = {}
        used = dict.fromkeys(self.parts, 0)
        sizes = {part: rows for part, rows, _ in plan}
        ratios = {part: ratio for part, _, ratio in plan}
        wanted = self.wanted(sizes) | {self.schedule.tree: num_samples}
        for index, part in enumerate(self.parts):
            own = jax.random.fold_in(key, index)
            if isinstance(part, Elementary):
                pools[part] = self.link(part, sizes[part], own)
                continue
            inputs = []
            for child in children_of(part):
                start, used[child] = used[child], used[child] + sizes[part]
                inputs.append(pools[child].rows(start, used[child]))
            if isinstance(part, Wait):
                pools[part] = self.held(part, inputs[0])
            else:
                pools[part] = deliveries(self.attempts(part, inputs, ratios[part], own), wanted[part])
        root = pools[self.schedule.tree]
        return samples_of(self.level, root, self.ends(self.schedule.tree))

    def plan(self, num_samples: int, key: Array) -> "TreePlan":
        """Return the plan for concrete numbers: rows with ample reserve, from a pilot run.

        Raises:
            ValueError: if a step hardly ever succeeds.
        """
        success = self.pilot(key)
        sizes: dict[Tree, int] = {}
        needed = dict.fromkeys(self.parts, 0) | {self.schedule.tree: num_samples}
        for part in reversed(self.parts):
            count = needed[part]
            if part in success:
                p = success[part]
                count = math.ceil(count / p + 8 * math.sqrt(count * (1 - p)) / p + 16 * (1 - p) / p) if p < 1 else count
            if count > LARGEST:
                raise ValueError(
                    f"{num_samples} samples need {count} deliveries of links {part.first}..{part.last}: lower "
                    "num_samples, or use Renewal()."
                )
            sizes[part] = few_sizes(count)
            for child in children_of(part):
                needed[child] += sizes[part]
        return tuple((part, sizes[part], self.ratio(part)) for part in self.parts)

    def wanted(self, sizes: dict[Tree, int]) -> dict[Tree, int]:
        """Return how many deliveries of each sub-tree are used; by the steps above it."""
        found = dict.fromkeys(self.parts, 0)
        for part in self.parts:
            for child in children_of(part):
                found[child] += sizes[part]
        return found

    def pilot(self, key: Array) -> dict[Tree, float]:
        """Return a lower estimate of the success probability of each step, from attempts that may share deliveries."""
        pools: dict[Tree, Pool] = {}
        success: dict[Tree, float] = {}
        for index, part in enumerate(self.parts):
            own = jax.random.fold_in(key, index)
            if isinstance(part, Elementary):
                pools[part] = self.link(part, PILOT, own)
                continue
            inputs = []
            for number, child in enumerate(children_of(part)):
                inputs.append(drawn_again(pools[child], jax.random.fold_in(own, number)))
            if isinstance(part, Wait):
                pools[part] = self.held(part, inputs[0])
                continue
            attempts = self.attempts(part, inputs, self.ratio(part), own)
            count = int(np.sum(np.asarray(attempts.success)))
            if count < 16:
                raise ValueError(
                    f"Only {count} of {PILOT} attempts to join links {part.first}..{part.last} succeed: raise the "
                    "cut-off or the success probabilities, or use Renewal()."
                )
            p = count / PILOT
            success[part] = p if p == 1.0 else max(p - 4 * math.sqrt(p * (1 - p) / PILOT), p / 4)
            pools[part] = deliveries(attempts, 2 ** int(math.log2(count)))
        return {part: (1.0 if self.sure(part) else min(p, 0.99)) for part, p in success.items()}

    def sure(self, part: Tree) -> bool:
        """Whether a step never fails: a swap of success probability 1 without a cut-off."""
        node = self.chain.node(part.first if not isinstance(part, Swap) else part.right.first)
        return (
            isinstance(part, Swap)
            and part.cutoff is None
            and node.optics is None
            and float(constant(node.p_swap)) == 1.0
        )

    def ends(self, part: Tree) -> tuple[Node, Node]:
        """Return the nodes that hold the pair."""
        return self.chain.node(part.first), self.chain.node(part.last + 1)

    def link(self, part: Elementary, count: int, key: Array) -> Pool:
        """Draw deliveries of a link."""
        heralded = self.heralded[self.chain.link_index(part.position)]
        return of_link(self.level, heralded, self.ends(part), key, count)

    def held(self, part: Wait, pool: Pool) -> Pool:
        """Hold pairs for a fixed time."""
        return kept(self.level, pool, self.ends(part), self.schedule.wait_times[part.duration])

    def attempts(self, part: Swap | Distill, inputs: list[Pool], ratio: float, key: Array) -> Attempts:
        """Attempt a step once with each row of its inputs."""
        left, right = self.ends(part)
        if isinstance(part, Swap):
            step_map = swap_step(self.level, left, self.chain.node(part.right.first), right)
        else:
            step_map = distill_step(self.level, part.protocol, left, right)
        ends = tuple(self.ends(child) for child in children_of(part))
        rates = decay_per_step(self.level, ends, np.array(1.0))
        cutoff = np.array(np.inf) if part.cutoff is None else self.schedule.cutoff_times[part.cutoff]
        return attempt(inputs, step_map, rates, cutoff, ratio * self.arrival_times(part)[0], key)

    def arrival_times(self, part: Tree) -> list[Array]:
        """Return all attempt and waiting times below a step [s]."""
        below = subtrees(part)
        links = sorted({self.chain.link_index(each.position) for each in below if isinstance(each, Elementary)})
        waits = sorted({each.duration for each in below if isinstance(each, Wait)})
        return [self.heralded[i].attempt_time for i in links] + [self.schedule.wait_times[i] for i in waits]

    def ratio(self, part: Tree) -> float:
        """Return the common spacing of these times, divided by the first of them (concrete numbers); 0 = none."""
        times = [float(time) for time in constant(self.arrival_times(part))]
        return common_spacing([time for time in times if time > 0]) / times[0]


@partial(jax.jit, static_argnames=("level", "count"))
def of_link(level: PauliLevel, heralded: Heralded, ends: tuple[Node, Node], key: Array, count: int) -> Pool:
    """Draw deliveries of a link."""
    needed = attempts_needed(key, heralded.p_success, (count,))
    vector = level.from_pauli(heralded.state, *ends)
    return Pool(
        times=needed * heralded.attempt_time,
        vectors=jnp.broadcast_to(vector, (count, vector.size)),
        log_weight=log_counts(heralded.p_success, 1.0, needed - 1),
    )


@partial(jax.jit, static_argnames="level")
def kept(level: PauliLevel, pool: Pool, ends: tuple[Node, Node], duration: Float[Array, ""]) -> Pool:
    """Keep pairs for a fixed time [s]."""
    fade = jnp.exp(-level.decay_rates(*ends) * duration)
    return dataclasses.replace(pool, times=pool.times + duration, vectors=pool.vectors * fade)


@jax.jit
def drawn_again(pool: Pool, key: Array) -> Pool:
    """Draw as many deliveries as a pilot run attempts, which may be the same ones."""
    rows = jax.random.randint(key, (PILOT,), 0, pool.times.size)
    return jax.tree.map(lambda each: each[rows], pool)


@partial(jax.jit, static_argnames="level")
def samples_of(level: PauliLevel, pool: Pool, ends: tuple[Node, Node]) -> Samples:
    """Return deliveries with their Pauli coefficients."""
    states = level.to_pauli(pool.vectors.T, *ends)
    return Samples(times=pool.times, states=jnp.moveaxis(states, -1, 0), log_weight=pool.log_weight)


@jax.jit
def attempt(
    inputs: list[Pool],
    step_map: Float[Array, "k ..."],
    rates: Float[Array, "n k"],
    cutoff: Float[Array, ""],
    spacing: Float[Array, ""],
    key: Array,
) -> Attempts:
    """Join one delivery of each input when the last is there, if the earliest is not too old by then.

    A cut-off between two multiples of the spacing of arrival times is the mixture of both, redrawn at every attempt.
    """
    times = jnp.stack([pool.times for pool in inputs])
    last, first = times.max(axis=0), times.min(axis=0)
    joined = step_map
    for number, pool in enumerate(reversed(inputs)):
        index = len(inputs) - 1 - number
        vector = pool.vectors * jnp.exp(-rates[index] * (last - times[index])[:, None])
        joined = (
            jnp.einsum("...a,ma->m...", joined, vector) if number == 0 else jnp.einsum("m...a,ma->m...", joined, vector)
        )
    p = joined[:, 0]
    for_cutoff, for_success = jax.random.split(key)
    limit, log_cutoff = cutoff_drawn(for_cutoff, cutoff, spacing, last.size)
    inside = last - first <= limit + 1e-9 * last
    success = inside & (jax.random.uniform(for_success, p.shape) < p)
    failed = jnp.where(inside & ~success, 1.0, 0.0)
    log_outcome = log_counts(p, jnp.where(success, 1.0, 0.0), failed)
    return Attempts(
        durations=jnp.where(inside, last, first + jnp.where(inside, 0.0, limit)),
        vectors=joined / p[:, None],
        log_weight=sum(pool.log_weight for pool in inputs) + log_outcome + log_cutoff,
        success=success,
    )


def cutoff_drawn(
    key: Array, cutoff: Float[Array, ""], spacing: Float[Array, ""], count: int
) -> tuple[Float[Array, "m"], Float[Array, "m"]]:
    """Draw whole cut-offs around a real one; return them and the logarithm of their probability."""
    finite = jnp.isfinite(cutoff)
    usable = finite & (spacing > 0)
    unit = jnp.where(spacing > 0, spacing, 1.0)
    position = jnp.where(usable, cutoff, 0.0) / unit
    fixed = jax.lax.stop_gradient(position)
    off_lattice = (fixed - jnp.floor(fixed + 1e-9) > 1e-12) | ~usable
    position = undifferentiated(position, off_lattice)  # at a whole multiple the next cut-off is never drawn
    low = jax.lax.stop_gradient(jnp.floor(position + 1e-9))
    share = jnp.clip(position - low, 0.0, 1.0)
    upper = jax.random.uniform(key, (count,)) < jax.lax.stop_gradient(share)
    whole = (low + upper + jnp.where(off_lattice, 0.0, position - fixed)) * unit
    inside = (share > 1e-12) & (share < 1)
    safe = jnp.where(inside, share, 0.5)
    log_share = jnp.where(upper, jnp.log(safe), jnp.log1p(-safe))
    single = jnp.where(finite, undifferentiated(jnp.where(finite, cutoff, 0.0), usable | ~finite), jnp.inf)
    return jnp.where(usable, whole, single), jnp.where(usable & inside, log_share, 0.0)


@partial(jax.jit, static_argnames="count")
def deliveries(attempts: Attempts, count: int) -> Pool:
    """Cut a row of attempts after each success; each piece is one delivery.

    Returns:
        The first `count` of them; NaN where there are fewer.
    """
    rows = jnp.nonzero(attempts.success, size=count, fill_value=attempts.success.size)[0]
    before = jnp.cumsum(attempts.success) - attempts.success
    enough = attempts.success.sum() >= count

    def total(values: Float[Array, "m"]) -> Float[Array, "c"]:
        return jax.ops.segment_sum(values, before, num_segments=count, indices_are_sorted=True)

    return Pool(
        times=jnp.where(enough, total(attempts.durations), jnp.nan),
        vectors=attempts.vectors[jnp.minimum(rows, attempts.success.size - 1)],
        log_weight=total(attempts.log_weight),
    )


def require_sampled(schedule: Schedule) -> None:
    """Check that only steps are used that are sampled.

    Raises:
        ValueError: with the step that is not.
    """
    for part in subtrees(schedule.tree):
        if not isinstance(part, Swap | Distill):
            continue
        used = [name for name in ARRAYS if getattr(part.rules, name) is not None]
        if isinstance(part, Distill) and part.sequential:
            used.append("sequential pumping")
        if used:
            raise ValueError(
                f"Sampled() does not simulate {used[0].replace('_', ' ')} (in the step over links {part.first}.."
                f"{part.last}): use Renewal()."
            )
