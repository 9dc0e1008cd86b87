"""Run a distributed circuit on pairs that a network delivers: its state, its fidelity, its time."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax

from qtn import _checks
from qtn.circuits.run import prepare, warn_of_missing_slopes
from qtn.dqc.averages import WaitModel, averaged, none_decays, num_nodes_for
from qtn.dqc.computation import Computation
from qtn.dqc.couples import pairs_for
from qtn.dqc.distributed import Distributed, require_distributed
from qtn.dqc.machine import Machine
from qtn.dqc.processor import Processor, one_each
from qtn.dqc.program import Couple
from qtn.dqc.run_time import mean_run_time, run_time
from qtn.dqc.timing import timing_of, waits_depend
from qtn.dqc.wiring import wired
from qtn.dqc.writer import program_of
from qtn.evaluators.pairs import Pairs
from qtn.states.measures import letters_of
from qtn.states.trains import to_mixed, zeros


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
    on which nothing is done decay. A gate that a classical bit controls takes the time of a message where its
    processor has not heard of the bit yet, else none.

    Args:
        distributed: see `qtn.dqc.distribute`.
        pairs: `Pairs` for every couple (`pairs_of`, `steady_pairs`), or an `Outcome` (whose pairs do not age); or
            {(processor, processor): either}, whose left end is at the processor that is named first.
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
    require_distributed(distributed)
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
    machine = Machine(distributed, program, wiring, ideal, everywhere, timing, observables, max_bond, checkpoint)
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
        target_info=machine.target_info,
        sites=machine.sites,
        owners=tuple(program.finally_at[program.site_place[site]] for site in machine.sites),
        num_pairs=distributed.num_pairs,
        num_runs=average.weights.shape[0],
        waits=model,
        ahead=waits_depend(program, everywhere),
        num_nodes=count,
        decays=not none_decays(program, everywhere),
    )
