"""The numbers of a run: one stack of matrices on one site, one on two, in the order that `wiring` counts on."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn.dqc.copies import Ends, closing, copying, ends_of, mixing, moving, telegate
from qtn.dqc.processor import Processor
from qtn.dqc.program import Program
from qtn.dqc.remote_gates import exchanged
from qtn.dqc.wiring import Through, Wiring
from qtn.evaluators.pairs import decay_rates, shift
from qtn.states.basis import TRACE
from qtn.states.pair import BELL_FROM_CHARACTERS, CHARACTERS_FROM_BELL

NODES = 4
"""Values that a classical site of a train in the Pauli basis holds."""


class Waits(NamedTuple):
    """What rounds do in one run: to qubits that wait, and which pairs they bring."""

    logs: Float[Array, "rounds processors 3"]
    """Log of what is left of <X>, <Y>, <Z> (from its equilibrium) of a qubit that waits."""
    pairs: tuple[Float[Array, "c 16"], ...]
    """Pairs of each round when it ends, in the basis in which storage is diagonal."""
    nodes: Float[Array, "rounds 4"]
    """Waits [s] of the values of a travelling site."""
    weights: Float[Array, "rounds 4"]
    """Their probabilities."""


def rates_of(processors: Sequence[Processor]) -> Float[Array, "processors 3"]:
    """Return the rates [1/s] at which data qubits decay."""
    return jnp.stack([jnp.asarray(each.node.memory.pauli_rates(), dtype=float) for each in processors])


class Index(NamedTuple):
    """Index arrays of a run; what jit takes as data."""

    idles: Any
    """(i, 4): processor, first and last tick of each storage, what was done in the moment before; -1 for nothing."""
    rounds: Any
    """(ticks,): the round, -1 for a moment."""
    uses: tuple[Any, ...]
    """For each group (m, 5): gate, exchanged or not, first and last tick, swapped or not."""
    pairs: tuple[Any, ...]
    """For each group (m,): which pair, of all pairs of all rounds."""


def index_of(program: Program, wiring: Wiring) -> Index:
    """Return the index arrays of a run."""
    starts = np.cumsum([0, *(len(couples) for couples in program.rounds)])
    uses, pairs = [], []
    for _, members in wiring.groups:
        uses.append(np.array([[gate, turned, *use.ticks, use.swapped] for gate, turned, use in members]).reshape(-1, 5))
        pairs.append(np.array([starts[use.round] + use.couple for _, _, use in members], int))
    idles = np.array(
        [[idle.processor, idle.first, idle.last, -1 if idle.after is None else idle.after] for idle in program.idles],
        int,
    ).reshape(-1, 4)
    rounds = np.array([tick.round for tick in program.ticks], int)
    return Index(idles, rounds, tuple(uses), tuple(pairs))


@partial(jax.jit, static_argnames=("groups", "closes", "travelling"))
def matrices(
    ideal: tuple[Array, Array],
    processors: tuple[Processor, ...],
    memories: tuple[tuple[Any, ...], ...],
    durations: Float[Array, "ticks"],
    spare: Float[Array, "ticks kinds"],
    waits: Waits,
    index: Index,
    groups: tuple[Through, ...],
    closes: tuple[Through, ...],
    travelling: bool,
) -> tuple[Float[Array, "k 4 4"], Float[Array, "m 16 16"]]:
    """Return the matrices on one site and on two.

    Args:
        ideal: those of the circuit without noise.
        processors: one each.
        memories: of the communication qubits of each couple of each round.
        durations: of ticks [s].
        spare: of that what is left after an action of each kind [s].
        waits: what rounds do.
        index: index arrays.
        groups: what goes through pairs.
        closes: copies that end.
        travelling: whether a classical site carries the waits.
    """
    elapsed = jnp.concatenate([jnp.zeros(1), jnp.cumsum(durations)])
    pairs = _all_pairs(waits, memories)
    p1 = jnp.stack([jnp.asarray(each.one_qubit, dtype=float) for each in processors])
    eta = jnp.stack([jnp.asarray(each.node.gates.readout, dtype=float) for each in processors])
    p2 = jnp.stack([jnp.asarray(each.node.gates.two_qubit, dtype=float) for each in processors])
    misread = jax.vmap(lambda e: jnp.diag(jnp.array([1.0, 1.0, 0.0, 0.0]) + 0 * e).at[3, 3].set(2 * e - 1))(eta)
    ones = [
        ideal[0],
        _stored(processors, (durations, spare), waits.logs, index),
        jax.vmap(lambda p: jnp.diag(mixing(p, 4)))(p1),
    ]
    ones.append(misread)
    twos = [ideal[1], jax.vmap(lambda p: jnp.diag(mixing(p, 16)))(p2)]
    for key, uses, which in zip(groups, index.uses, index.pairs, strict=True):
        assert pairs is not None
        through = _through(key, uses, which, ideal[1], pairs, elapsed, processors)
        (ones if key.what == "move" else twos).append(through)
    twos += [_closed(key, processors)[None] for key in closes]
    if travelling:
        ones.append(jnp.asarray(CHARACTERS_FROM_BELL) @ waits.weights[..., None] * TRACE)
        twos.append(_passes(processors, waits.nodes).reshape(-1, 16, 16))
    return jnp.concatenate(ones), jnp.concatenate(twos)


class _Pairs(NamedTuple):
    """All pairs of all rounds, one after the other, (p, 4, 4) each."""

    states: Array
    rates: Array
    left: np.ndarray
    """What leads from the basis in which storage is diagonal to Pauli coefficients."""
    right: np.ndarray


def _all_pairs(waits: Waits, memories: Any) -> _Pairs | None:
    flat = [each for own in memories for each in own]
    if not flat:
        return None
    shifts = [np.stack([shift(side.equilibrium()) for side in sides]) for sides in zip(*flat, strict=True)]
    rates = jnp.stack([decay_rates(each) for each in flat])
    return _Pairs(jnp.concatenate(waits.pairs).reshape(-1, 4, 4), rates, shifts[0], shifts[1])


def _stored(
    processors: Sequence[Processor], times: tuple[Array, Array], logs: Array, index: Index
) -> Float[Array, "i 4 4"]:
    """Return what storage does between actions: the rest of a moment and all ticks in between, together."""
    rates, (durations, spare) = rates_of(processors), times
    moments = -durations[:, None, None] * rates
    rounds = index.rounds
    waited = logs[jnp.maximum(rounds, 0)] if len(logs) else jnp.zeros_like(moments)
    ticks = jnp.where((rounds >= 0)[:, None, None], waited, moments)
    reached = jnp.concatenate([jnp.zeros((1, *rates.shape)), jnp.cumsum(ticks, axis=0)])
    who, first, last, after = index.idles.T
    rest = jnp.where(after >= 0, spare[jnp.maximum(first - 1, 0), jnp.maximum(after, 0)], 0.0) if len(who) else 0.0
    kept = jnp.exp(reached[last, who] - reached[first, who] - jnp.reshape(rest, (-1, 1)) * rates[who])
    pull = jnp.array([each.node.memory.equilibrium() for each in processors])[who]
    out = jax.vmap(jnp.diag)(jnp.concatenate([jnp.ones((len(who), 1)), kept], axis=1))
    return out.at[:, 3, 0].add(pull * (1 - kept[:, 2]))


def _ends(key: Through, processors: Sequence[Processor]) -> Ends:
    source, target = processors[key.source], processors[key.target]
    latency = jnp.maximum(source.latency, target.latency)
    return ends_of(source.node, target.node, (source.one_qubit, target.one_qubit), latency)


def _through(
    key: Through,
    uses: Array,
    which: Array,
    gates: Array,
    pairs: _Pairs,
    elapsed: Array,
    processors: Sequence[Processor],
) -> Array:
    """Return the maps of one kind of use of pairs, all in one batch."""
    index, turned, first, last, swapped = uses.T
    stored = elapsed[last] - elapsed[first]
    kept = pairs.states[which] * jnp.exp(-pairs.rates[which] * stored[:, None, None])
    left, right = jnp.asarray(pairs.left)[which], jnp.asarray(pairs.right)[which]
    kept = jnp.einsum("mai,mij,mbj->mab", left, kept, right)
    kept = jnp.where(swapped[:, None, None] == 1, jnp.swapaxes(kept, 1, 2), kept)
    ends = _ends(key, processors)
    if key.what == "move":
        return jax.vmap(lambda pair: moving(pair, ends))(kept)
    if key.what == "open":
        copies = jax.vmap(lambda pair: copying(pair, ends, key.letter))(kept)
        return (copies[..., None] * np.eye(4)[0]).reshape(-1, 16, 16)
    own = gates[index]
    own = jnp.where(turned[:, None, None] == 1, exchanged(own), own)
    return jax.vmap(lambda gate, pair: telegate(gate, pair, ends, key.letter))(own, kept)


def _closed(key: Through, processors: Sequence[Processor]) -> Float[Array, "16 16"]:
    zero = np.array([1.0, 0.0, 0.0, 1.0])
    found = closing(_ends(key, processors), key.letter)
    return (found[:, None] * zero[:, None, None]).reshape(16, 16)


def _passes(processors: Sequence[Processor], nodes: Array) -> Float[Array, "rounds owners 4 4 4 4"]:
    """Return what a travelling wait does to each place that it passes, [qubit, wait, wait before, qubit before].

    The first owner is nobody: the wait only passes.
    """
    rates = jnp.concatenate([jnp.zeros((1, 3)), rates_of(processors)])
    pull = np.array([0.0, *(each.node.memory.equilibrium() for each in processors)])
    kept = jnp.exp(-nodes[:, None, :, None] * rates[None, :, None, :])
    diagonal = jnp.concatenate([jnp.ones((*kept.shape[:-1], 1)), kept], axis=-1)
    stores = diagonal[..., None] * np.eye(4)
    stores = stores.at[..., 3, 0].add(pull[:, None] * (1 - kept[..., 2]))
    # a value j of the wait is the column j of CHARACTERS_FROM_BELL
    return jnp.einsum("wj,jv,rojqp->roqwvp", CHARACTERS_FROM_BELL, BELL_FROM_CHARACTERS, stores)
