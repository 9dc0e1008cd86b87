"""From a schedule to a timeline: the final, successful attempt of every step, with given arrival times of the pairs."""

import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qtn import _checks
from qtn.evaluators.full_state.events import (
    Correct,
    DistillAt,
    Event,
    Generate,
    Slot,
    Step,
    SwapAt,
    Timeline,
    hold,
    timeline,
)
from qtn.schedules.tree import Distill, Elementary, Schedule, Swap, Tree, Wait


@dataclass(eq=False)
class Held:
    """A pair while it exists: its time, its ends, and the bits of its tracked correction."""

    time: float
    first: int
    last: int
    start: float = 0.0
    """When the first of the pairs that it is made of arrived."""
    left: Slot = (-1, -1)
    right: Slot = (-1, -1)
    bits: tuple[Slot, ...] = ()


@dataclass(frozen=True)
class Happening:
    """One step of a tree at its time: pairs go in, a pair comes out."""

    time: float
    step: Tree | None
    """None = the pair is delivered."""
    inputs: tuple[Held, ...]
    output: Held


def num_pairs(tree: Tree) -> int:
    """Return how many pairs of links a schedule uses, copies counted."""
    return sum(isinstance(part, Elementary) for part in postorder(tree))


def postorder(tree: Tree) -> Iterable[Tree]:
    """Yield every part of a tree, children first, equal copies again and again; never recurses."""
    pending: list[tuple[Tree, bool]] = [(tree, False)]
    while pending:
        part, ready = pending.pop()
        if ready or isinstance(part, Elementary):
            yield part
            continue
        pending.append((part, True))
        pending += [(child, False) for child in reversed(inputs_of(part))]


def inputs_of(part: Tree) -> tuple[Tree, ...]:
    """Return the children of a step, the consumed one as often as the protocol needs it."""
    if isinstance(part, Distill):
        return (part.kept, *[part.consumed] * (part.protocol.num_pairs - 1))
    return part.children


def timeline_of(
    schedule: Schedule, arrivals: Any, *, tracked: bool = False, memories: int | Sequence[int] | None = None
) -> Timeline:
    """Return the timeline of a schedule if the pairs of the links arrive at given times and everything succeeds.

    A swap happens as soon as both pairs are there, a distillation likewise; `wait` and `latency` shift; at the end both
    ends are held until the last step is done.

    Args:
        schedule: the tree.
        arrivals: (m,), when each pair arrives [s], in the order of the text of the tree (a copy is a pair of its own:
            see `num_pairs`); concrete. The gradient with respect to times is that with respect to `Timeline.times`.
        tracked: keep the Pauli corrections of swaps as classical bits, and apply them before a distillation and at
            delivery; by default they are applied at once to the far (right) end.
        memories: how many each node has (one number, or one for each node); None = as many as are needed.

    Raises:
        ValueError: if the number of times is wrong, a pair would be discarded before its step, a step has a
            `min_fidelity` (whether a pair fulfils it is not known from times), or a node has too few memories.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.evaluators.full_state import timeline_of
        >>> from qtn.schedules.families import nested
        >>> [type(event).__name__ for event in timeline_of(nested(1), [1.0, 3.0]).events]
        ['Generate', 'Generate', 'SwapAt', 'Local', 'Local']
    """
    times = _checks.known(_checks.real(arrivals))
    if times is None:
        raise ValueError("Argument `arrivals` must be concrete: the order of events is structure.")
    count = num_pairs(schedule.tree)
    if times.shape != (count,) or not np.all(np.isfinite(times)) or np.any(times < 0):
        raise ValueError(
            f"Argument `arrivals` must hold {count} times >= 0, one for each pair of the tree, but is {times.tolist()}."
        )
    waiting = [iter(times)]
    happenings: list[Happening] = []
    stack: list[Held] = []
    for part in postorder(schedule.tree):
        stack.append(_advance(part, stack, schedule, waiting[0], happenings))
    return from_happenings(happenings, stack[0], tracked=tracked, memories=memories)


def _advance(part: Tree, stack: list[Held], schedule: Schedule, arrivals: Any, happenings: list[Happening]) -> Held:
    """Take the inputs of a step from the stack and return its output."""
    if isinstance(part, Elementary):
        time = float(next(arrivals))
        held = Held(time, part.position, part.position + 1, time)
        happenings.append(Happening(held.time, part, (), held))
        return held
    inputs = [stack.pop() for _ in inputs_of(part)][::-1]
    time = max(held.time for held in inputs)
    if isinstance(part, Wait):
        inputs[0].time = time + float(schedule.wait_times[part.duration])
        return inputs[0]
    _check_kept(part, inputs, schedule)
    held = Held(time, part.first, part.last + 1, min(held.start for held in inputs))
    happenings.append(Happening(time, part, tuple(inputs), held))
    held.time += latency(part, schedule)
    return held


def latency(part: Swap | Distill, schedule: Schedule) -> float:
    """Return the time [s] between a step and its outcome."""
    return 0.0 if part.rules.latency is None else float(schedule.wait_times[part.rules.latency])


def within(age: float, limit: float) -> bool:
    """Whether a time [s] is within a limit, ends included (times are sums of attempt times: 1e-9 of slack)."""
    return age <= limit * (1 + 1e-9)


def _check_kept(part: Swap | Distill, inputs: Sequence[Held], schedule: Schedule) -> None:
    """Raise if the step cannot happen at these times."""
    name = f"A {type(part).__name__.lower()} over links {part.first}..{part.last}"
    cure = "give `arrivals` of an attempt that succeeds, or use `sample_timeline`"
    if part.rules.min_fidelity is not None:
        raise ValueError(f"{name} has a min_fidelity, which times alone do not fulfil: give a cutoff_time.")
    times = [held.time for held in inputs]
    age = max(times) - min(times)
    if part.cutoff is not None and part.rules.cutoff_width is None:
        limit = float(schedule.cutoff_times[part.cutoff])
        if not within(age, limit):
            raise ValueError(f"{name} has a pair that waits {age:g} s, but is discarded after {limit:g} s: {cure}.")
    if isinstance(part, Distill) and part.sequential and min(held.start for held in inputs[1:]) < times[0]:
        raise ValueError(
            f"{name} is a pump: its fresh pair is started when the kept one is there, at {times[0]:g} s, but arrives "
            f"at {min(held.start for held in inputs[1:]):g} s: {cure}."
        )


def from_happenings(
    happenings: Sequence[Happening], final: Held, *, tracked: bool, memories: int | Sequence[int] | None = None
) -> Timeline:
    """Give every pair its memories, in time order, and return the events."""
    order = sorted(range(len(happenings)), key=lambda k: (happenings[k].time, k))
    free = _Memories(memories)
    steps: list[tuple[float, Event | Step]] = []
    for k in order:
        happening = happenings[k]
        steps += [(happening.time, event) for event in _events(happening, free, tracked)]
    if final.bits:
        steps.append((final.time, Correct((final.bits[0], final.bits[1]), final.right)))
    steps += [(final.time, step) for step in hold((final.left, final.right))]
    return timeline(steps)


class _Memories:
    """Free memories of every node, lowest number first."""

    def __init__(self, limit: int | Sequence[int] | None) -> None:
        self.limit = limit
        self.free: dict[int, list[int]] = defaultdict(list)
        self.count: dict[int, int] = defaultdict(int)
        self.num_bits: dict[int, int] = defaultdict(int)

    def take(self, node: int) -> Slot:
        """Return a free memory of a node."""
        if not self.free[node]:
            limit = self.limit[node] if isinstance(self.limit, Sequence) else self.limit
            if limit is not None and self.count[node] >= limit:
                raise ValueError(
                    f"Argument `memories` gives node {node} {limit} memories, but at one time the schedule needs more: "
                    "give more memories, or change the schedule or the arrivals."
                )
            heapq.heappush(self.free[node], self.count[node])
            self.count[node] += 1
        return node, heapq.heappop(self.free[node])

    def bits(self, node: int) -> tuple[Slot, Slot]:
        """Return two fresh classical bits of a node."""
        self.num_bits[node] += 2
        return (node, 1 - self.num_bits[node]), (node, -self.num_bits[node])

    def give(self, *slots: Slot) -> None:
        """Free memories."""
        for node, memory in slots:
            heapq.heappush(self.free[node], memory)


def _events(happening: Happening, memories: _Memories, tracked: bool) -> list[Event]:
    step, inputs, out = happening.step, happening.inputs, happening.output
    if isinstance(step, Elementary):
        out.left, out.right = memories.take(out.first), memories.take(out.last)
        return [Generate(step.position, out.left, out.right)]
    if isinstance(step, Swap):
        first, second = inputs
        out.left, out.right = first.left, second.right
        memories.give(first.right, second.left)
        if not tracked:
            return [SwapAt(first.right, second.left, second.right)]
        out.bits = memories.bits(first.right[0])
        return [SwapAt(first.right, second.left, None, first.bits + second.bits, out.bits)]
    assert isinstance(step, Distill)
    corrections: list[Event] = [Correct((pair.bits[0], pair.bits[1]), pair.right) for pair in inputs if pair.bits]
    out.left, out.right = inputs[0].left, inputs[0].right
    memories.give(*itertools.chain.from_iterable((pair.left, pair.right) for pair in inputs[1:]))
    lefts, rights = tuple(pair.left for pair in inputs), tuple(pair.right for pair in inputs)
    return [*corrections, DistillAt(lefts, rights, step.protocol)]
