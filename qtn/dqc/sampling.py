"""Distributed runs from random trajectories: waits are drawn too, states stay pure, trains stay narrow."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.circuits.circuit import Circuit, Operation
from qtn.circuits.run import prepare
from qtn.circuits.run import run as run_circuit
from qtn.circuits.trajectories import trajectories
from qtn.dqc.computation import DEPENDENT, ROUNDING
from qtn.dqc.couples import pairs_for
from qtn.dqc.distributed import Distributed, require_distributed
from qtn.dqc.machine import relabelled
from qtn.dqc.matrices import NODES, Waits, index_of, matrices, rates_of
from qtn.dqc.processor import Processor, one_each
from qtn.dqc.program import Program
from qtn.dqc.run_time import RunTime, mean_run_time, run_time
from qtn.dqc.timing import Timing, timing_of, waits_depend
from qtn.dqc.wiring import Wiring, wired
from qtn.dqc.writer import program_of
from qtn.states.measures import letters_of
from qtn.states.trains import MPS, require_count, to_mixed, zeros

NEGLIGIBLE = 1e-6
"""Cut fraction of the squared norm of a trajectory that is not told."""


@pytree
class Sampled:
    """What trajectories of a distributed run give."""

    mean: Float[Array, "o"]
    """Of each observable."""

    standard_error: Float[Array, "o"]
    """From the spread between draws of the waits."""

    fidelity: Float[Array, ""]
    """With what the circuit gives without noise; nan where that is no pure state, as it measures."""

    fidelity_error: Float[Array, ""]
    """Its standard error."""

    worst_fidelity_estimate: Float[Array, ""]
    """Of a trajectory: the fraction of its squared norm that cuts of bonds kept, at worst."""

    mean_time: Float[Array, ""]
    """Mean run time, exact [s]."""

    waiting_time: Float[Array, ""]
    """The part of it that is spent on waits for pairs, exact [s]."""

    time: RunTime
    """Its distribution, exact."""

    num_pairs: int = static()
    """Pairs that were used."""

    num_waits: int = static()
    """Draws of the waits."""

    num_trajectories: int = static()
    """Of each draw."""

    ahead: bool = static()
    """Whether waits that depend on each other were drawn independently: pairs are made ahead during other waits."""

    @property
    def observables(self) -> Float[Array, "o"]:
        """Return the means of the observables."""
        return self.mean

    @property
    def wait_error(self) -> Float[Array, ""]:
        """Return 0: waits are drawn from their distributions, common to all qubits."""
        return 0.0 * self.mean_time

    @property
    def kept(self) -> Float[Array, ""]:
        """Return the fraction of the squared norm that cuts kept, in the worst trajectory."""
        return self.worst_fidelity_estimate

    def quantiles(self, levels: Any) -> Float[Array, "n"]:
        """Return the times [s] within which a run ends with the given probabilities."""
        return self.time.quantiles(levels)

    def warnings(self) -> list[str]:
        """Return one sentence with a cure for each thing that is wrong."""
        lines, worst = [DEPENDENT] if self.ahead else [], float(self.worst_fidelity_estimate)
        if worst < 1 - NEGLIGIBLE:
            lines.append(
                f"A trajectory keeps {worst:.6g} of its squared norm at worst: bonds were cut, a bias that standard "
                "errors do not contain. Increase `max_bond`."
            )
        errors, drawn = (
            [*np.asarray(self.standard_error), float(self.fidelity_error)],
            self.num_waits * self.num_trajectories,
        )
        if any(error < ROUNDING for error in errors):
            lines.append(
                f"An estimate has no spread among {drawn} trajectories: what happens in fewer than about 3 of them was "
                "not seen."
            )
        return lines


def sampled_run(
    distributed: Distributed,
    pairs: Any,
    processor: Processor | Sequence[Processor],
    *,
    observables: Sequence[Mapping[int, str] | str] = (),
    num_waits: int = 32,
    num_trajectories: int = 32,
    max_bond: int = 64,
    key: Array,
) -> Sampled:
    """Estimate fidelity and expectation values of a distributed run where mixed trains get too wide.

    Args:
        distributed: see `qtn.dqc.distribute`.
        pairs: see `run`.
        processor: see `run`.
        observables: Pauli strings over the sites of the circuit.
        num_waits: draws of all waits; static, at least 2.
        num_trajectories: of each draw; static.
        max_bond: static; larger bonds of trajectories are cut.
        key: of JAX.

    Returns:
        found: means with standard errors.

    Raises:
        ValueError: as `run`, or if numbers are traced.

    Note:
        Waits are drawn from their exact distributions, the same for all qubits: unbiased while nothing is cut (and as
        far as waits are independent, see `Computation.ahead`). Of known numbers; no derivatives.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.circuits import circuit, gate
        >>> from qtn.dqc import distribute, processor, steady_pairs
        >>> bell = distribute(circuit(2, [gate("H", 0), gate("CX", (0, 1))]), qpus=[1, 1])
        >>> options = {"observables": ["ZZ"], "key": jax.random.key(0), "num_waits": 2, "num_trajectories": 4}
        >>> sampled_run(bell, steady_pairs([1.0, 0.0, 0.0, 0.0], 10.0), processor(), **options).mean.tolist()
        [1.0]
    """
    require_count("num_waits", num_waits, 2)
    require_distributed(distributed)
    if any(_checks.known(leaf) is None for leaf in jax.tree.leaves((distributed, pairs, processor))):
        raise ValueError(
            "Trajectories need known numbers, but some are traced: use `run`, without trajectories, for slopes."
        )
    processors = one_each(processor, len(distributed.qpus))
    program = program_of(distributed)
    couples = pairs_for(pairs, distributed.links)
    timing, time, mean_time = jax.jit(lambda made, own: _known(timing_of(program, made, own)))(couples, processors)
    ideal = prepare(distributed.circuit, None, to_mixed(zeros(distributed.circuit.num_sites)))
    wiring = wired(program, distributed.circuit, ideal.steps, len(processors), travelling=False)
    index = index_of(program, wiring)
    memories = tuple(tuple(couples[ends].memories for ends in own) for own in program.rounds)
    groups = tuple(group for group, _ in wiring.groups)
    strings = []
    for each in observables:
        letters = letters_of(each, distributed.circuit.num_sites)
        strings.append({program.site_place[site]: "IXYZ"[letter] for site, letter in enumerate(letters) if letter})
    target = _ideal(distributed.circuit, program, max_bond)
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel().tolist())
    values, worst = [], []
    for number in range(num_waits):
        waits = _drawn(rng, timing, processors)
        ones, twos = matrices(
            (ideal.ones, ideal.twos), processors, memories, *timing[3:], waits, index, groups, wiring.closes, False
        )
        own = jax.random.fold_in(key, number)
        options = {"num_trajectories": num_trajectories, "max_bond": max_bond, "key": own, "target": target}
        found, info = trajectories(_circuit(wiring, np.asarray(ones), np.asarray(twos)), observables=strings, **options)
        values.append(np.asarray(found.mean))
        worst.append(float(info.worst_fidelity_estimate))
    means: Any = np.stack(values)
    mean, error = np.mean(means, axis=0), np.std(means, axis=0, ddof=1) / np.sqrt(num_waits)
    seen = len(strings)
    fidelity: Any = np.stack([mean[-1], error[-1]] if target is not None else [np.nan, np.nan])
    kept: Any = np.asarray(min(worst))
    return Sampled(
        mean=mean[:seen],
        standard_error=error[:seen],
        fidelity=fidelity[0],
        fidelity_error=fidelity[1],
        worst_fidelity_estimate=kept,
        mean_time=mean_time,
        waiting_time=mean_time - time.gates,
        time=time,
        num_pairs=distributed.num_pairs,
        num_waits=num_waits,
        num_trajectories=num_trajectories,
        ahead=waits_depend(program, processors),
    )


def _ideal(circuit: Circuit, program: Program, max_bond: int) -> MPS | None:
    """Return what the circuit gives without noise, free communication qubits in |0>; None where that is not pure."""
    found, _ = run_circuit(relabelled(circuit, program.site_place, program.num_places), max_bond=max_bond)
    return found if isinstance(found, MPS) else None


def _known(timing: Timing) -> tuple[tuple[Any, ...], RunTime, Array]:
    """Return what draws need (the parts of each round, and the grid), the distribution of the run time and its mean."""
    rounds = [timing.parts[law] for law in timing.law_of]
    drawn = rounds, timing.step, timing.missing, timing.durations, timing.spare
    return drawn, run_time(timing), mean_run_time(timing)


def _drawn(rng: np.random.Generator, timing: tuple[Any, ...], processors: Sequence[Processor]) -> Waits:
    """Draw the wait of each round, and take the pairs that it brings."""
    rounds, step, *_ = timing
    times, pairs = [], []
    for parts in rounds:
        law = np.maximum(np.concatenate([np.asarray(part.probability) for part in parts]), 0.0)
        place = int(rng.choice(law.size, p=law / law.sum()))
        part, time = divmod(place, parts[0].probability.shape[0])
        times.append(time * float(step))
        pairs.append(jnp.asarray(np.asarray(parts[part].pairs)[:, :, time] / law[place]))
    nothing = jnp.zeros((len(rounds), NODES))
    return Waits(-jnp.asarray(times)[:, None, None] * rates_of(processors), tuple(pairs), nothing, nothing)


def _circuit(wiring: Wiring, ones: np.ndarray, twos: np.ndarray) -> Circuit:
    """Return the run as a plain circuit of channels."""
    operations = tuple(
        Operation(
            name="CHANNEL",
            sites=(step.sites,),
            parameters=((ones if len(step.sites) == 1 else twos)[step.index][None],),  # pyright: ignore[reportArgumentType]
        )
        for step in wiring.steps
    )
    return Circuit(num_sites=wiring.num_sites, operations=operations)
