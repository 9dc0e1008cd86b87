"""One circuit on its processors, run with different waits: what these runs share, and their average."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from qtn._array import Array
from qtn.circuits.circuit import Circuit, Operation
from qtn.circuits.run import Prepared, RunInfo, finished
from qtn.circuits.run import run as run_circuit
from qtn.dqc.averages import Averaged
from qtn.dqc.distributed import Distributed
from qtn.dqc.matrices import Waits, index_of, matrices
from qtn.dqc.processor import Processor
from qtn.dqc.program import Program
from qtn.dqc.timing import Timing
from qtn.dqc.wiring import Wiring
from qtn.states.dense import dense
from qtn.states.measures import expect, fidelity_to
from qtn.states.trains import MPDO, MPS, TrainState, discard, from_density_matrix, to_mixed, zeros
from qtn.tensors.execute import run_operations
from qtn.tensors.split import truncation

MOST_DENSE = 8
"""Places up to which a state that is averaged over many runs is put together."""


class Found(NamedTuple):
    """Averages over waits."""

    fidelity: Array
    observables: Array
    state: MPDO | None
    info: RunInfo


class Machine:
    """Everything that runs with different waits share."""

    def __init__(
        self,
        distributed: Distributed,
        program: Program,
        wiring: Wiring,
        ideal: Prepared,
        processors: tuple[Processor, ...],
        timing: Timing,
        observables: tuple[tuple[int, ...], ...],
        max_bond: int,
        checkpoint: bool,
    ) -> None:
        self.program, self.wiring, self.ideal = program, wiring, ideal
        self.processors, self.timing = processors, timing
        self.rule, self.checkpoint = truncation(max_bond), checkpoint
        self.index = index_of(program, wiring)
        places = {place: site for site, place in enumerate(program.site_place)}
        kept = [place for place in wiring.order if place in places]
        self.dropped = [k for k, place in enumerate(wiring.order) if place not in places]
        self.sites = tuple(places[place] for place in kept)
        rank = {site: k for k, site in enumerate(self.sites)}
        names = "IXYZ"
        self.strings = [
            {k: names[letters[site]] for k, site in enumerate(self.sites) if letters[site]} for letters in observables
        ]
        own, info = run_circuit(relabelled(distributed.circuit, rank, len(rank)), max_bond=max_bond)
        self.target, self.target_info = (own, info) if isinstance(own, MPS) else (None, None)

    def average(self, average: Averaged) -> Found:
        """Average what runs give."""
        single = average.weights.shape[0] == 1
        if single:
            waits = jax.tree.map(lambda leaf: leaf[0], average.waits)
            state, info = self.run(waits)
            fidelity, observables = self.read(state)
            return Found(fidelity, observables, state, info)
        keep = self.program.num_places <= MOST_DENSE

        def one(each: tuple[Waits, Array]) -> Any:
            state, info = self.run(each[0])
            return self.read(state), dense(state).matrix * each[1] if keep else None, info

        (fidelity, observables), matrix, info = jax.lax.map(one, (average.waits, average.weights))
        state = from_density_matrix(jnp.sum(matrix, axis=0)) if keep else None
        worst = jnp.argmin(info.fidelity_estimate)
        info = jax.tree.map(lambda leaf: leaf[worst], info)
        return Found(average.weights @ fidelity, average.weights @ observables, state, info)

    def run(self, waits: Waits) -> tuple[MPDO, RunInfo]:
        """Run once."""
        groups = tuple(key for key, _ in self.wiring.groups)
        ones, twos = matrices(
            (self.ideal.ones, self.ideal.twos),
            self.processors,
            tuple(tuple(own) for own in self.timing.memories),
            self.timing.durations,
            self.timing.spare,
            waits,
            self.index,
            groups,
            self.wiring.closes,
            self.wiring.num_sites > self.program.num_places,
        )
        ones, twos = (stack[: self._last(arity)] for arity, stack in ((1, ones), (2, twos)))
        start = to_mixed(zeros(self.wiring.num_sites))
        prepared = self.ideal._replace(train=start.train * 2**-0.5, steps=list(self.wiring.steps), ones=ones, twos=twos)
        done = run_operations(prepared.train, prepared.steps, ones, twos, self.rule, checkpoint=self.checkpoint)
        state, info = finished(prepared, done)
        return discard(state, self.dropped) if self.dropped else to_mixed(state), info

    def _last(self, arity: int) -> int:
        """Return how many matrices the steps use: the engine counts on no more of them."""
        return 1 + max((step.index for step in self.wiring.steps if len(step.sites) == arity), default=-1)

    def read(self, state: TrainState) -> tuple[Array, Array]:
        """Return the fidelity and the observables of a state."""
        fidelity = jnp.asarray(jnp.nan) if self.target is None else fidelity_to(state, self.target)
        values = [expect(state, each) for each in self.strings]
        return fidelity, jnp.stack(values) if values else jnp.zeros(0)


def relabelled(circuit: Circuit, rank: Mapping[int, int] | Sequence[int], num_sites: int) -> Circuit:
    """Return a circuit whose sites stand at other places of a train of a length."""
    operations = tuple(
        Operation(
            name=each.name,
            sites=tuple(tuple(rank[site] for site in place) for place in each.sites),
            label=each.label,
            parameters=each.parameters,
        )
        for each in circuit.operations
    )
    return Circuit(num_sites=num_sites, operations=operations)
