"""Sample a timeline: attempts of every step until it succeeds, of which the last one counts."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np

from qtn.evaluators.delivery import delivered_links, delivering
from qtn.evaluators.fold import distill_step, swap_step
from qtn.evaluators.full_state.derive import Happening, Held, from_happenings, inputs_of, latency, within
from qtn.evaluators.full_state.events import Timeline
from qtn.evaluators.levels import corrections_matter, meets_uncorrected, optical
from qtn.hardware.node import Node
from qtn.links.chain import Chain
from qtn.schedules.builders import check_spans
from qtn.schedules.tree import Distill, Elementary, Schedule, Swap, Tree, Wait, subtrees
from qtn.steps.level import PAULI, carries


@dataclass(eq=False)
class _Pair(Held):
    """A pair of a sampled run, with its Pauli coefficients (where a distillation needs them) and its history."""

    vector: np.ndarray = field(default_factory=lambda: np.ones(1))
    history: tuple[Happening, ...] = ()


_Request = Generator[Any, "_Pair", "_Pair"]


def sample_timeline(
    chain: Chain, schedule: Schedule, seed: int, *, tracked: bool = False, memories: int | None = None
) -> Timeline:
    """Return one timeline of `sample_timelines`."""
    return sample_timelines(chain, schedule, 1, seed, tracked=tracked, memories=memories)[0]


def sample_timelines(
    chain: Chain,
    schedule: Schedule,
    num_samples: int,
    seed: int,
    *,
    tracked: bool = False,
    memories: int | None = None,
) -> list[Timeline]:
    """Return the timelines of independent runs of a schedule: what led to each delivered pair, without failed attempts.

    Pairs arrive after geometric numbers of attempts; swaps succeed with `p_swap`, distillation and linear optics with
    the probability of their state; what fails or grows too old is made anew. Time 0 is the start of the run.

    Args:
        chain: concrete numbers.
        schedule: sharp cut-offs, run times, latencies, waits and pumps included.
        num_samples: how many runs.
        seed: of `numpy.random.default_rng`.
        tracked: see `timeline_of`.
        memories: see `timeline_of`.

    Raises:
        ValueError: if a step has a soft cut-off or a `min_fidelity`; if a protocol joins more than three pairs; if
            `tracked` would change the success probability of a distillation (memories that relax) or of a swap by
            linear optics (pairs that are not Bell-diagonal).

    Note:
        Delivered pairs are distributed exactly as `Renewal()` says where cut-offs are whole multiples of the attempt
        time (in between it mixes both, while here an age is within its cut-off or not). No derivative passes through
        the sampled times; the probability of `FullState.run` along the timeline is that of this run's successes.
    """
    check_spans(schedule, chain.num_links)
    _check_supported(chain, schedule, tracked)
    sampler = _Sampler(chain, schedule, np.random.default_rng(seed))
    finals = [_run(sampler.deliver(schedule.tree, 0.0)) for _ in range(num_samples)]
    return [from_happenings(final.history, final, tracked=tracked, memories=memories) for final in finals]


def _check_supported(chain: Chain, schedule: Schedule, tracked: bool) -> None:
    reason = corrections_matter(chain, schedule) if tracked else ""
    for part in subtrees(schedule.tree):
        if not isinstance(part, (Swap, Distill)):
            continue
        where = f"the {type(part).__name__.lower()} over links {part.first}..{part.last}"
        if part.rules.cutoff_width is not None or part.rules.min_fidelity is not None:
            raise ValueError(
                f"Argument `schedule` has a soft cut-off or a min_fidelity at {where}, which cannot be sampled: give "
                "a sharp cutoff_time, or your own arrivals to `timeline_of`."
            )
        if isinstance(part, Distill) and not carries(PAULI, part.protocol):
            raise ValueError(
                f"Argument `schedule` joins {part.protocol.num_pairs} pairs at {where}, and sampling goes up to 3: "
                "give your own arrivals to `timeline_of`."
            )
        if reason and meets_uncorrected(chain, part):
            raise ValueError(
                f"Argument `tracked` changes how often {where} succeeds, because {reason}: sample with corrections at "
                "the swap, or give your own arrivals to `timeline_of`."
            )


def _run(request: _Request) -> _Pair:
    """Run nested generators without recursion: each yields the request that it waits for."""
    stack, value = [request], None
    while True:
        try:
            stack.append(stack[-1].send(value))  # pyright: ignore[reportArgumentType]
            value = None
        except StopIteration as done:
            stack.pop()
            value = done.value
            if not stack:
                return value


class _Sampler:
    """One run; step maps are kept by the nodes that they depend on."""

    def __init__(self, chain: Chain, schedule: Schedule, rng: np.random.Generator) -> None:
        self.chain, self.schedule, self.rng = delivering(chain), schedule, rng
        distils = any(isinstance(part, Distill) for part in subtrees(schedule.tree))
        self.states = distils or optical(chain, schedule)
        self.heralded = delivered_links(self.chain)
        self.maps: dict[tuple[Any, ...], np.ndarray] = {}

    def deliver(self, part: Tree, start: float) -> _Request:
        """Return a pair of this part, all started at `start` [s]."""
        if isinstance(part, Elementary):
            return self._arrival(part, start)
        if isinstance(part, Wait):
            pair = yield self.deliver(part.child, start)
            self._hold(pair, float(self.schedule.wait_times[part.duration]))
            return pair
        while True:
            pair, end = yield from self._attempt(part, start)
            if pair is not None:
                return pair
            start = end

    def _arrival(self, part: Elementary, start: float) -> _Pair:
        link = self.heralded[self.chain.link_index(part.position)]
        time = start + float(link.attempt_time) * self.rng.geometric(float(link.p_success))
        pair = _Pair(time, part.position, part.position + 1, time)
        if self.states:
            key = "link", part.position, *self._ends(pair)
            if key not in self.maps:
                self.maps[key] = np.asarray(PAULI.from_pauli(jnp.asarray(link.state), *self._nodes(pair)))
            pair.vector = self.maps[key]
        pair.history = (Happening(time, part, (), pair),)
        return pair

    def _attempt(self, part: Swap | Distill, start: float) -> Generator[Any, _Pair, tuple[_Pair | None, float]]:
        """Return the joined pair, or None, and when the attempt ends [s]."""
        inputs: list[_Pair] = []
        for child in inputs_of(part):
            begin = inputs[0].time if inputs and isinstance(part, Distill) and part.sequential else start
            inputs.append((yield self.deliver(child, begin)))
        first, last = (choose(pair.time for pair in inputs) for choose in (min, max))
        cutoff, longest = (
            np.inf if slot is None else float(self.schedule.cutoff_times[slot])
            for slot in (part.cutoff, part.rules.run_time)
        )
        delay = latency(part, self.schedule)
        kept = within(last - first, cutoff)
        end = last if kept else first + cutoff
        if not within(end - start, longest):
            return None, start + longest + delay
        if not kept:
            return None, end + delay
        for pair in inputs:
            self._decay(pair, last - pair.time)
        probability, vector = self._joined(part, inputs)
        if self.rng.random() >= probability:
            return None, last + delay
        out = _Pair(last, part.first, part.last + 1, min(pair.start for pair in inputs), vector=vector)
        out.history = (*(past for pair in inputs for past in pair.history), Happening(last, part, tuple(inputs), out))
        self._hold(out, delay)
        return out, out.time

    def _joined(self, part: Swap | Distill, inputs: list[_Pair]) -> tuple[float, np.ndarray]:
        """Return the probability of success and the normalised vector afterwards."""
        if isinstance(part, Swap):
            middle = inputs[0].last
            probability = float(self.chain.node(middle).p_swap)
            if not self.states:
                return probability, inputs[0].vector
            nodes = inputs[0].first, middle, inputs[1].last
            key = "swap", *map(self.chain.node_index, nodes)
            if key not in self.maps:
                self.maps[key] = np.asarray(swap_step(PAULI, *map(self.chain.node, nodes)))
        else:
            key = part.protocol, *self._ends(inputs[0])
            if key not in self.maps:
                self.maps[key] = np.asarray(distill_step(PAULI, part.protocol, *self._nodes(inputs[0])))
        vector = self.maps[key]
        for pair in reversed(inputs):
            vector = vector @ pair.vector
        return float(vector[0]), vector / vector[0]

    def _hold(self, pair: _Pair, duration: float) -> None:
        pair.time += duration
        self._decay(pair, duration)

    def _decay(self, pair: _Pair, duration: float) -> None:
        if not self.states or duration == 0:
            return
        key = "decay", *self._ends(pair)
        if key not in self.maps:
            self.maps[key] = np.asarray(PAULI.decay_rates(*self._nodes(pair)))
        pair.vector = pair.vector * np.exp(-self.maps[key] * duration)

    def _ends(self, pair: Held) -> tuple[int, int]:
        return self.chain.node_index(pair.first), self.chain.node_index(pair.last)

    def _nodes(self, pair: Held) -> tuple[Node, Node]:
        return self.chain.node(pair.first), self.chain.node(pair.last)
