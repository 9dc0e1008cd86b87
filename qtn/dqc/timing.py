"""When pairs are there and in which state: the distribution of every round of a run, and of the whole run time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn.dqc.arrivals import first_of
from qtn.dqc.processor import Processor
from qtn.dqc.program import Couple, Kind, Program
from qtn.dqc.waits import Round, Supply, by_last, made_ahead, slowest_of
from qtn.evaluators.pairs import Pairs, decay_rates, towards_equilibrium
from qtn.tensors.recurrence import delay, padded_length

MOST_NUMBERS = 2**28
"""In the distributions of all pairs that are made ahead (2 GiB)."""


class Timing(NamedTuple):
    """How long everything takes."""

    laws: list[Round]
    """The distinct distributions of rounds."""
    parts: list[list[Round]]
    """The same, split by which couple comes last."""
    law_of: list[int]
    """Which law each round has."""
    memories: list[list[Any]]
    """Of the communication qubits of each couple of each round: (left, right)."""
    durations: Float[Array, "ticks"]
    """Of moments [s]; 0 for rounds."""
    spare: Float[Array, "ticks kinds"]
    """What is left of them after an action of each kind that is done in them [s]."""
    step: Float[Array, ""]
    """Of the grid of waits [s]."""
    missing: Float[Array, ""]
    """Probability that a lane had more time than the grid holds: its largest."""


def durations_of(
    program: Program, processors: Sequence[Processor]
) -> tuple[Float[Array, "ticks"], Float[Array, "ticks kinds"]]:
    """Return how long each tick takes, rounds apart, and what is left of it after an action of each kind [s].

    A tick takes as long as its slowest gate at the slowest processor, where every action takes as long as at that one.
    """

    def slowest(values: list[Any]) -> Any:
        return jnp.max(jnp.stack([jnp.asarray(value, dtype=float) for value in values]))

    gate = slowest([each.node.gates.two_qubit_time for each in processors])
    readout = slowest([each.node.gates.readout_time for each in processors])
    message = slowest([each.latency for each in processors])
    times = {Kind.GATE: gate, Kind.READOUT: readout, Kind.CLOSE: readout + message, Kind.MESSAGE: message}
    times |= {Kind.COPY: gate + readout + message, Kind.REMOTE: 2 * (gate + readout + message)}
    present = np.array([[kind in tick.kinds for kind in Kind] for tick in program.ticks]).reshape(-1, len(Kind))
    each = jnp.stack([times[kind] for kind in Kind])
    durations = jnp.max(jnp.where(present, each, 0.0), axis=1, initial=0.0)
    return durations, jnp.where(present, durations[:, None] - each, 0.0)


def timing_of(program: Program, pairs: Mapping[Couple, Pairs], processors: Sequence[Processor]) -> Timing:
    """Return the distributions of all rounds.

    Note:
        Exact on the grid of the pairs where no pair is made ahead, or the lead of each lane holds no other wait:
        between two processors with a buffer of at most one. Else waits in a lead count as independent of each other.

    Raises:
        ValueError: if pairs that are made ahead take too many numbers.
    """
    durations, spare = durations_of(program, processors)
    if not program.rounds:
        nothing = jnp.zeros(())
        return Timing([], [], [], [], durations, spare, jnp.ones(()), nothing)
    step = next(iter(pairs.values())).step
    longest = max(each.states.shape[0] for each in pairs.values())
    served = Counter(ends for couples in program.rounds for ends in couples)
    buffers = {ends: min(_buffer(ends, processors), served[ends]) for ends in pairs}  # more lanes are never used
    length = longest * (1 + max(buffers.values()))
    if max(buffers.values()):
        _require_room(length, longest, sum(served.values()))
    supplies = {ends: supply_of(each, _links(ends, processors), length) for ends, each in _distinct(pairs, processors)}
    keys_of = {ends: _key(ends, pairs, processors) for ends in pairs}
    alike = {ends: next(other for other in supplies if keys_of[other] == keys_of[ends]) for ends in pairs}
    ahead = _Ahead(program, durations, step, length)
    laws: dict[Any, Round] = {}
    parts: dict[Any, list[Round]] = {}
    keys = []
    for number, couples in enumerate(program.rounds):
        own = tuple(alike[ends] for ends in couples)
        key = (number, own) if any(buffers[ends] for ends in couples) else own
        if key not in laws:
            asked = [
                supplies[alike[ends]]
                if not buffers[ends]
                else made_ahead(
                    supplies[alike[ends]],
                    ahead.lead(number, ends, buffers[ends]),
                    _cutoff(ends, processors, step),
                )
                for ends in couples
            ]
            laws[key], parts[key] = slowest_of(asked), by_last(asked)
        ahead.waited(laws[key].probability)
        keys.append(key)
    order = list(laws)
    return Timing(
        laws=[laws[key] for key in order],
        parts=[parts[key] for key in order],
        law_of=[order.index(key) for key in keys],
        memories=[[pairs[ends].memories for ends in couples] for couples in program.rounds],
        durations=durations,
        spare=spare,
        step=step,
        missing=ahead.missing,
    )


def _require_room(length: int, longest: int, uses: int) -> None:
    """Raise if distributions of pairs that are made ahead hold too many numbers."""
    if (numbers := 16 * length * uses) > MOST_NUMBERS:
        raise ValueError(
            f"Argument `buffer`: the waits for {uses} pairs on a grid of {length} steps ({longest} for one pair, and "
            f"as many for each that is made ahead) are {numbers:.2g} numbers, more than {MOST_NUMBERS:.2g}: take a "
            "smaller `buffer`, or pairs on a coarser grid (a larger `p_success`, `step`)."
        )


def _buffer(ends: Couple, processors: Sequence[Processor]) -> int:
    return min(processors[ends[0]].buffer, processors[ends[1]].buffer)


def _links(ends: Couple, processors: Sequence[Processor]) -> int:
    return min(processors[ends[0]].num_links, processors[ends[1]].num_links)


def _cutoff(ends: Couple, processors: Sequence[Processor], step: Array) -> Array:
    """Return the cut-off in steps; no slope where there is none."""
    found = jnp.minimum(processors[ends[0]].cutoff_time, processors[ends[1]].cutoff_time)
    finite = jnp.isfinite(found)
    return jnp.where(finite, jnp.where(finite, found, 1.0) / step, jnp.inf)


def _key(ends: Couple, pairs: Mapping[Couple, Pairs], processors: Sequence[Processor]) -> tuple[int, int]:
    """Return equal values for couples whose pairs arrive alike."""
    return id(pairs[ends]), _links(ends, processors)


def _distinct(pairs: Mapping[Couple, Pairs], processors: Sequence[Processor]) -> list[tuple[Couple, Pairs]]:
    found: dict[Any, tuple[Couple, Pairs]] = {}
    for ends, each in pairs.items():
        found.setdefault(_key(ends, pairs, processors), (ends, each))
    return list(found.values())


@partial(jax.jit, static_argnames=("num_links", "length"))
def supply_of(pairs: Pairs, num_links: int, length: int) -> Supply:
    """Return what arrives first over several links, on a grid of a length."""
    states = towards_equilibrium(first_of(jnp.asarray(pairs.states), num_links), pairs.memories)
    states = jnp.pad(states.reshape(-1, 16).T, ((0, 0), (0, length - states.shape[0])))
    return Supply(states=states, rates=decay_rates(pairs.memories).reshape(16) * pairs.step)


class _Ahead:
    """How long ago lanes started: the waits and gates since."""

    def __init__(self, program: Program, durations: Array, step: Array, length: int) -> None:
        self.length, self.step = length, step
        self.tick = [t for t, tick in enumerate(program.ticks) if tick.round >= 0]
        self.durations = durations
        self.laws: list[Array] = []
        self.served: dict[Couple, list[int]] = {}
        self.missing: Array = jnp.zeros(())

    def waited(self, law: Array) -> None:
        """Note what the next round takes."""
        self.laws.append(law)

    def lead(self, number: int, ends: Couple, buffer: int) -> Array:
        """Return the distribution of the time that a lane had before a round asks for its pair, in steps."""
        served = self.served.setdefault(ends, [])
        since = served[-buffer] if len(served) >= buffer else -1  # the round after which the lane started
        served.append(number)
        begin = self.tick[since] + 1 if since >= 0 else 0
        local = jnp.sum(self.durations[begin : self.tick[number]]) / self.step
        padded, waits = padded_length(self.length), self.laws[since + 1 : number]
        found = jnp.zeros(self.length).at[0].set(1.0)
        if waits:
            spectrum = jnp.prod(jnp.fft.rfft(jnp.stack(waits), n=padded), axis=0)
            found = jnp.maximum(jnp.fft.irfft(spectrum, n=padded)[: self.length], 0.0)
        found = delay(found[None], local)[0]
        rest = jnp.maximum(1 - jnp.sum(found), 0.0)
        self.missing = jnp.maximum(self.missing, jax.lax.stop_gradient(rest))
        return found.at[-1].add(rest)


def waits_depend(program: Program, processors: Sequence[Processor]) -> bool:
    """Tell whether waits depend on each other, which their distributions do not know of."""
    couples = {ends for own in program.rounds for ends in own}
    buffers = [_buffer(ends, processors) for ends in couples]
    return any(buffers) and (len(buffers) > 1 or max(buffers) > 1)
