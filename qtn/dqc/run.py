"""Run a distributed circuit on pairs that a network delivers: its state, its fidelity, its time."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.circuits.circuit import Circuit, Operation
from qtn.circuits.run import Prepared, RunInfo, finished, prepare, warn_of_missing_slopes
from qtn.circuits.run import run as run_circuit
from qtn.dqc.arrivals import Pairs
from qtn.dqc.averages import Averaged, WaitModel, averaged, num_nodes_for
from qtn.dqc.distributed import Distributed
from qtn.dqc.matrices import Waits, index_of, matrices
from qtn.dqc.processor import Processor, one_each
from qtn.dqc.program import Couple, Program, program_of
from qtn.dqc.timing import RunTime, Timing, mean_run_time, pairs_for, run_time, timing_of, waits_depend
from qtn.dqc.wiring import Wiring, wired
from qtn.states.dense import dense
from qtn.states.measures import expect, fidelity_to, letters_of
from qtn.states.trains import MPDO, MPS, TrainState, discard, from_density_matrix, to_mixed, zeros
from qtn.tensors.execute import run_operations
from qtn.tensors.split import truncation

MOST_DENSE = 8
"""Places up to which a state that is averaged over many runs is put together."""


@pytree
class Computation:
    """What a distributed run gives; numbers are averages over all waits and outcomes."""

    fidelity: Float[Array, ""]
    """<psi| rho |psi> with what the circuit gives without noise; nan where that is no pure state, as it measures."""

    observables: Float[Array, "o"]
    """Expectation values of the Pauli strings that were asked for."""

    mean_time: Float[Array, ""]
    """Mean run time: waits for pairs, gates, readouts and messages [s]."""

    waiting_time: Float[Array, ""]
    """The part of it that is spent on waits for pairs [s]."""

    time: RunTime
    """Its distribution."""

    wait_error: Float[Array, ""]
    """Estimate of how far Pauli coefficients may be off, as waits are averaged with few nodes, or independently."""

    state: MPDO | None
    """All sites of the circuit in the order `sites`; None where many runs of many qubits were averaged."""

    info: RunInfo
    """How accurate the trains are; where several runs were averaged, that of the worst."""

    sites: tuple[int, ...] = static()
    """Site of the circuit of each site of the state."""

    owners: tuple[int, ...] = static()
    """Processor of each site of the state at the end; -1 of what is no qubit."""

    num_pairs: int = static()
    """Pairs that were used."""

    num_runs: int = static()
    """Runs that were averaged."""

    waits: WaitModel = static()
    """How waits were averaged."""

    ahead: bool = static()
    """Whether waits that depend on each other were taken as independent: pairs are made ahead during other waits."""

    def quantiles(self, levels: Any) -> Float[Array, "n"]:
        """Return the times [s] within which a run ends with the given probabilities."""
        return self.time.quantiles(levels)

    def sentences(self) -> list[str]:
        """Describe what was done and what deserves attention, with a cure."""
        how = {
            WaitModel.BATCH: f"averaged over {self.num_runs} runs",
            WaitModel.BOND: "carried by a classical site with four nodes",
            WaitModel.INDEPENDENT: "averaged for each qubit alone",
        }[self.waits]
        lines = [f"Waits were {how}: Pauli coefficients are off by up to about {float(self.wait_error):.1e}."]
        if self.ahead:
            lines.append("Pairs are made ahead during other waits: these were taken as independent of each other.")
        return lines + self.info.sentences()


def run(
    distributed: Distributed,
    pairs: Any,
    processor: Processor | Sequence[Processor],
    *,
    observables: Sequence[Mapping[int, str] | str] = (),
    waits: WaitModel | str = WaitModel.CORRELATED,
    num_nodes: int | None = None,
    max_bond: int = 64,
    checkpoint: bool = False,
) -> Computation:
    """Run a distributed circuit with the noise of its processors, on pairs that take random times to arrive.

    Layer by layer: wait until each couple of processors that needs one has a pair, then use them. A wait is the same
    for all qubits, so that their decay is averaged together. Gates run in moments, each as long as its slowest; qubits
    on which nothing is done decay.

    Args:
        distributed: see `qtn.dqc.distribute`.
        pairs: `Pairs` for every couple (`pairs_of`, `steady_pairs`), or an `Outcome` (whose pairs do not age); or
            {(processor, processor): either}.
        processor: one for all or one each; see `qtn.dqc.processor`.
        observables: Pauli strings over the sites of the circuit, "ZZI..." or {site: letter}.
        waits: "correlated" chooses between "batch" (exact up to the quadrature, many runs) and "bond"; "independent" is
            the cheapest and gives each qubit a wait of its own.
        num_nodes: of the quadrature of each round; static, chosen by default.
        max_bond: static; bonds above it are cut.
        checkpoint: less memory for gradients, one more forward pass.

    Returns:
        found: fidelity with the ideal state, observables, run time, errors.

    Raises:
        ValueError: if a couple has no pairs, or processors do not fit.

    Note:
        Exact up to `wait_error`, the grid of the pairs, and what `info` says of cut bonds; differentiable in every
        number of pairs, processors and circuit. Two-qubit gates within a processor are followed by its depolarising
        noise, one-qubit gates by that of `one_qubit`; operations labelled "ideal" by none.

    References:
        Main et al. 2025, Nature 638, 383 (a distributed circuit on two ion traps).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.circuits import circuit, gate
        >>> from qtn.dqc import distribute, processor, steady_pairs
        >>> from qtn.hardware.memory import dephasing_memory
        >>> bell = circuit(2, [gate("H", 0), gate("CX", (0, 1))])
        >>> pairs = steady_pairs([0.97, 0.01, 0.01, 0.01], 10.0)
        >>> found = run(distribute(bell, qpus=[1, 1]), pairs, processor(dephasing_memory(t2=10.0)))
        >>> round(float(found.mean_time), 6), found.num_pairs
        (0.1, 1)
    """
    model = _checks.choice("waits", waits, WaitModel)
    processors, own = _distinct(one_each(processor, len(distributed.qpus)))
    couples = pairs_for(pairs, distributed.links)
    made, which = _distinct(tuple(couples.values()))
    strings = tuple(_checked(each, distributed.circuit.num_sites) for each in observables)
    found = _compute(
        distributed,
        made,
        processors,
        of_couples=tuple(zip(couples, which, strict=True)),
        of_processors=own,
        observables=strings,
        model=model,
        num_nodes=num_nodes,
        max_bond=max_bond,
        checkpoint=checkpoint,
    )
    warn_of_missing_slopes(found.info, (distributed, made, processors))
    return found


def _distinct(records: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """Return the different records, and which of them stands at each place."""
    different = {id(each): each for each in records}
    order = list(different)
    return tuple(different.values()), tuple(order.index(id(each)) for each in records)


def _checked(paulis: Mapping[int, str] | str, num_sites: int) -> tuple[int, ...]:
    """Return the number of the letter at each site of the circuit."""
    return tuple(letters_of(paulis, num_sites))


@partial(
    jax.jit,
    static_argnames=("of_couples", "of_processors", "observables", "model", "num_nodes", "max_bond", "checkpoint"),
)
def _compute(
    distributed: Distributed,
    made: tuple[Pairs, ...],
    processors: tuple[Processor, ...],
    of_couples: tuple[tuple[Couple, int], ...],
    of_processors: tuple[int, ...],
    observables: tuple[tuple[int, ...], ...],
    model: WaitModel,
    num_nodes: int | None,
    max_bond: int,
    checkpoint: bool,
) -> Computation:
    """Run, in one compiled function for each structure."""
    everywhere = tuple(processors[k] for k in of_processors)
    program = program_of(distributed)
    timing = timing_of(program, {ends: made[k] for ends, k in of_couples}, everywhere)
    model, count = num_nodes_for(program, everywhere, model, num_nodes)
    average = averaged(model, count, program, timing, everywhere)
    ideal = prepare(distributed.circuit, None, to_mixed(zeros(distributed.circuit.num_sites)))
    wiring = wired(program, distributed.circuit, ideal.steps, len(everywhere), travelling=model is WaitModel.BOND)
    machine = _Machine(distributed, program, wiring, ideal, everywhere, timing, observables, max_bond, checkpoint)
    found = machine.average(average)
    mean, time = mean_run_time(timing), run_time(timing)
    return Computation(
        fidelity=found.fidelity,
        observables=found.observables,
        mean_time=mean,
        waiting_time=mean - time.gates,
        time=time,
        wait_error=average.error,
        state=found.state,
        info=found.info,
        sites=machine.sites,
        owners=tuple(program.finally_at[program.site_place[site]] for site in machine.sites),
        num_pairs=distributed.num_pairs,
        num_runs=average.weights.shape[0],
        waits=model,
        ahead=waits_depend(program, everywhere),
    )


class _Found(NamedTuple):
    fidelity: Array
    observables: Array
    state: MPDO | None
    info: RunInfo


class _Machine:
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
        own, _ = run_circuit(_relabelled(distributed.circuit, rank), max_bond=max_bond)
        self.target = own if isinstance(own, MPS) else None

    def average(self, average: Averaged) -> _Found:
        """Average what runs give."""
        single = average.weights.shape[0] == 1
        if single:
            waits = jax.tree.map(lambda leaf: leaf[0], average.waits)
            state, info = self.run(waits)
            fidelity, observables = self.read(state)
            return _Found(fidelity, observables, state, info)
        keep = self.program.num_places <= MOST_DENSE

        def one(each: tuple[Waits, Array]) -> Any:
            state, info = self.run(each[0])
            return self.read(state), dense(state).matrix * each[1] if keep else None, info

        (fidelity, observables), matrix, info = jax.lax.map(one, (average.waits, average.weights))
        state = from_density_matrix(jnp.sum(matrix, axis=0)) if keep else None
        worst = jnp.argmin(info.fidelity_estimate)
        info = jax.tree.map(lambda leaf: leaf[worst], info)
        return _Found(average.weights @ fidelity, average.weights @ observables, state, info)

    def run(self, waits: Waits) -> tuple[MPDO, RunInfo]:
        """Run once."""
        groups = tuple(key for key, _ in self.wiring.groups)
        ones, twos = matrices(
            (self.ideal.ones, self.ideal.twos),
            self.processors,
            tuple(tuple(own) for own in self.timing.memories),
            self.timing.durations,
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


def _relabelled(circuit: Circuit, rank: Mapping[int, int]) -> Circuit:
    operations = tuple(
        Operation(
            name=each.name,
            sites=tuple(tuple(rank[site] for site in place) for place in each.sites),
            label=each.label,
            parameters=each.parameters,
        )
        for each in circuit.operations
    )
    return Circuit(num_sites=circuit.num_sites, operations=operations)
