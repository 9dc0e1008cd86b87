"""What a random wait does to a run: averages, nodes one after the other, or nodes on a travelling site."""

import enum
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn.dqc.matrices import NODES, Waits, rates_of
from qtn.dqc.processor import Processor
from qtn.dqc.program import Program
from qtn.dqc.quadrature import Nodes, gauss_nodes, independence_error, quadrature_error
from qtn.dqc.timing import Timing
from qtn.dqc.waits import Round
from qtn.hardware.memory import PerfectMemory

MOST_RUNS = 256
"""Runs up to which waits are averaged over all combinations of nodes, where the train has at most `NARROW` places."""
FEW_RUNS, NARROW = 16, 12
"""The same for longer trains."""
USUAL = 6
"""Nodes of a round that runs for all combinations should have."""
MOST_ASKED = 4096
"""Runs that may be asked for."""


class WaitModel(enum.StrEnum):
    """How the decay of qubits that wait together is averaged."""

    CORRELATED = "correlated"
    """All qubits wait the same time: by `BATCH` or `BOND`, whichever is cheaper."""
    BATCH = "batch"
    """One run for each combination of nodes of all rounds."""
    BOND = "bond"
    """A classical site with one of four nodes travels through the train in each round."""
    INDEPENDENT = "independent"
    """As if every qubit waited a time of its own: products of averages, below the averages of products."""


class Averaged(NamedTuple):
    """The runs that an average consists of."""

    waits: Waits
    """Of each run, with a leading axis."""
    weights: Float[Array, "runs"]
    error: Float[Array, ""]
    """Estimate of how far a Pauli coefficient may be off, summed over rounds."""


def num_nodes_for(
    program: Program, processors: Sequence[Processor], model: WaitModel, asked: int | None
) -> tuple[WaitModel, int]:
    """Choose between runs for all combinations of nodes and a travelling site, and the number of nodes.

    Raises:
        ValueError: if what is asked for is no count, takes too many runs, or more nodes than a site holds.
    """
    if asked is not None and (isinstance(asked, bool) or not isinstance(asked, (int, np.integer)) or asked < 1):
        raise ValueError(f"Argument `num_nodes` must be a whole number >= 1, but is {asked!r}.")
    if model is WaitModel.CORRELATED and none_decays(program, processors):
        return WaitModel.INDEPENDENT, NODES
    couples = math.prod(len(couples) for couples in program.rounds)
    rounds = max(len(program.rounds), 1)
    limit = MOST_RUNS if program.num_places <= NARROW else FEW_RUNS
    most = int((limit / couples) ** (1 / rounds) + 1e-9)
    if model is WaitModel.CORRELATED:
        asked_for_more = asked is not None and asked > NODES
        model = WaitModel.BATCH if asked_for_more or most >= (asked or USUAL) else WaitModel.BOND
    if model is WaitModel.BATCH:
        count = min(max(most, 1), 12) if asked is None else asked
        runs = couples * count**rounds
        if runs > MOST_ASKED:
            raise ValueError(
                f"Argument `num_nodes`: {count} nodes in each of {rounds} rounds are {runs:.3g} runs, more than "
                f'{MOST_ASKED}: take fewer nodes, or `waits="bond"` with at most {NODES}.'
            )
        return model, count
    if model is WaitModel.BOND and asked is not None and asked > NODES:
        raise ValueError(
            f'Argument `num_nodes` must be at most {NODES} with `waits="bond"`, as a classical site holds {NODES}, but '
            f'is {asked}: use `waits="batch"` where the runs are few.'
        )
    return model, NODES if asked is None else asked


def none_decays(program: Program, processors: Sequence[Processor]) -> bool:
    """Tell whether waits matter only for one pair at a time, which its mean state describes exactly."""
    perfect = all(isinstance(each.node.memory, PerfectMemory) for each in processors)
    return perfect and all(len(couples) == 1 for couples in program.rounds)


def averaged(
    model: WaitModel, num_nodes: int, program: Program, timing: Timing, processors: Sequence[Processor]
) -> Averaged:
    """Return the runs of an average.

    Note:
        `BATCH` is exact up to the rule of each round. `BOND` and `INDEPENDENT` give each use of a pair the mean pair of
        its round, whatever the wait was; the error contains by how much pairs differ between waits.
    """
    if not program.rounds:
        nothing = jnp.zeros((0, NODES))
        none = Waits(jnp.zeros((0, len(processors), 3)), (), nothing, nothing)
        return Averaged(jax.tree.map(lambda leaf: leaf[None], none), jnp.ones(1), jnp.zeros(()))
    rates = rates_of(processors) * timing.step
    reference = _reference(rates)
    if model is WaitModel.BATCH:
        return _batch(num_nodes, program, timing, rates, reference)
    means = [jnp.sum(law.pairs, axis=-1) for law in timing.laws]
    pairs = tuple(means[law] for law in timing.law_of)
    rules = [_rule(law, reference, num_nodes if model is WaitModel.BOND else NODES) for law in timing.laws]
    spread = [_spread(rule) for rule in rules]
    idle = [sum(owner >= 0 for owner in owners) for owners in program.owners]
    if model is WaitModel.INDEPENDENT:
        logs = [_mean_logs(law.probability, rates) for law in timing.laws]
        one = Waits(
            jnp.stack([logs[law] for law in timing.law_of]),
            pairs,
            jnp.zeros((len(timing.law_of), NODES)),
            jnp.zeros((len(timing.law_of), NODES)),
        )
        most = jnp.max(rates)
        if none_decays(program, processors):
            spread = [0.0 * each for each in spread]
        errors = [
            spread[law] + independence_error(timing.laws[law].probability, most, float(max(count, 1)))
            for law, count in zip(timing.law_of, idle, strict=True)
        ]
    else:
        padding = NODES - num_nodes
        nodes = [jnp.pad(rule.steps * timing.step, (0, padding)) for rule in rules]
        weights = [jnp.pad(rule.weights, (0, padding)) for rule in rules]
        one = Waits(
            jnp.zeros((len(timing.law_of), len(processors), 3)),
            pairs,
            jnp.stack([nodes[law] for law in timing.law_of]),
            jnp.stack([weights[law] for law in timing.law_of]),
        )
        errors = [
            spread[law] + quadrature_error(timing.laws[law].probability, rules[law], _total(program, number, rates))
            for number, law in enumerate(timing.law_of)
        ]
    error = jax.lax.stop_gradient(jnp.sum(jnp.stack(errors)) + timing.missing)
    return Averaged(jax.tree.map(lambda leaf: leaf[None], one), jnp.ones(1), error)


def _reference(rates: Array) -> Array:
    """Return the rate in which nodes are exact: the slowest at which a processor loses coherence."""
    coherence = jax.lax.stop_gradient(rates[:, 0])
    slowest = jnp.min(jnp.where(coherence > 0, coherence, jnp.inf))
    return jnp.where(jnp.isfinite(slowest), slowest, 0.0)


def _total(program: Program, number: int, rates: Array) -> Array:
    """Return the largest rate at which a Pauli string of all qubits decays, per step."""
    owners = [owner for owner in program.owners[number] if owner >= 0]
    return jnp.sum(jnp.max(rates, axis=1)[np.array(owners, int)])


def _rule(law: Round, reference: Array, num_nodes: int) -> Nodes:
    return gauss_nodes(law.probability, jnp.moveaxis(law.pairs, -1, 0), reference, num_nodes)


def _spread(rule: Nodes) -> Array:
    """Return by how much coefficients of pairs differ from their mean over waits, on average."""
    mean = jnp.tensordot(rule.weights, rule.values, 1)
    return rule.weights @ jnp.max(jnp.abs(rule.values - mean), axis=(1, 2))


@jax.jit
def _mean_logs(probability: Float[Array, "t"], rates: Float[Array, "p 3"]) -> Float[Array, "p 3"]:
    """Return log E[e^(-r T)]."""
    times = jnp.arange(probability.shape[0], dtype=float)
    means = jax.lax.map(lambda rate: probability @ jnp.exp(-rate * times), rates.reshape(-1))
    return jnp.log(jnp.maximum(means, 1e-300)).reshape(rates.shape)


def _batch(num_nodes: int, program: Program, timing: Timing, rates: Array, reference: Array) -> Averaged:
    """Return one run for each combination of nodes."""
    rules = [[_rule(part, reference, num_nodes) for part in parts] for parts in timing.parts]
    joined = [jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *own) for own in rules]
    own = [joined[law] for law in timing.law_of]
    places = np.array(list(itertools.product(*(range(nodes.steps.shape[0]) for nodes in own)))).T
    logs = [-nodes.steps[which][:, None, None] * rates for nodes, which in zip(own, places, strict=True)]
    pairs = tuple(nodes.values[which] for nodes, which in zip(own, places, strict=True))
    weights = jnp.prod(jnp.stack([nodes.weights[which] for nodes, which in zip(own, places, strict=True)]), axis=0)
    count, rounds = weights.shape[0], len(own)
    nothing = jnp.zeros((count, rounds, NODES))
    errors = [
        quadrature_error(timing.laws[law].probability, joined[law], _total(program, number, rates))
        for number, law in enumerate(timing.law_of)
    ]
    error = jax.lax.stop_gradient(jnp.sum(jnp.stack(errors)) + timing.missing)
    return Averaged(Waits(jnp.stack(logs, axis=1), pairs, nothing, nothing), weights, error)
