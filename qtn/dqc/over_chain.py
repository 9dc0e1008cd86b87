"""A distributed circuit whose processors are joined by copies of one chain, each with its schedule."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.dqc.averages import WaitModel
from qtn.dqc.computation import Computation, is_outside
from qtn.dqc.distributed import Distributed
from qtn.dqc.processor import Processor
from qtn.dqc.run import run
from qtn.dqc.sampling import Sampled, sampled_run
from qtn.dqc.shots import shots
from qtn.evaluators.outcome import Outcome
from qtn.evaluators.pairs import Pairs, pairs_of
from qtn.hardware.gates import gates
from qtn.links.chain import Chain
from qtn.states.basis import BELL_SIGNS

SUDDEN = 1e-9
"""Factor on waits that leaves nothing of them."""


@pytree
class Causes:
    """The fidelity of a run with one cause of errors less."""

    without_waits: Float[Array, ""]
    """Pairs are there at once."""
    with_perfect_pairs: Float[Array, ""]
    with_perfect_gates: Float[Array, ""]
    """And perfect readouts."""


@pytree
class CircuitUse:
    """What a circuit makes of the pairs of a chain."""

    computation: Computation | Sampled
    causes: Causes | None = None
    alternatives: tuple[Computation | Sampled, ...] = ()
    """The same circuit on other processors."""

    def warnings(self) -> list[str]:
        """Return one sentence with a cure for each thing that is wrong with concrete runs."""
        lines = self.computation.warnings()
        for number, each in enumerate(self.alternatives):
            lines += [f"Alternative {number}: {line}" for line in each.warnings()]
        for field, value in {} if self.causes is None else vars(self.causes).items():
            if is_outside(float(value)):
                lines.append(
                    f"The fidelity {field.replace('_', ' ')} came out as {float(value):.6g}, outside [0, 1]: it means "
                    "nothing. Increase `max_bond` until it stops changing."
                )
        return lines


@pytree
class Alternative:
    """The same circuit on other processors."""

    distributed: Distributed
    processor: Processor


@pytree
class CircuitOverChain:
    """Runs a circuit; see `qtn.dqc.run`, or `sampled_run` where trajectories are asked for."""

    distributed: Distributed
    processor: Processor
    observables: tuple[tuple[tuple[int, str], ...], ...] = static()
    """Pauli strings: (site, letter)."""
    waits: WaitModel = static(default=WaitModel.CORRELATED)
    num_nodes: int | None = static(default=None)
    max_bond: int = static(default=64)
    causes: bool = static(default=False)
    """Whether to run thrice more, each time with one cause of errors less."""
    alternatives: tuple[Alternative, ...] = ()
    num_trajectories: int = static(default=0)
    """Trajectories that stand in for the mixed state, whose numbers must then be known; 0 = none."""
    num_shots: int = static(default=0)
    """How often all qubits are measured at the end; see `drawn`."""
    seed: int = static(default=0)
    """Of all that is drawn."""

    def run(self, result: Outcome, chain: Chain) -> CircuitUse:
        """Return what the circuit gives where every two processors are joined by this chain."""
        made = pairs_of(result, chain)
        others = tuple(self._computed(made, each.processor, (), each.distributed) for each in self.alternatives)
        return CircuitUse(
            computation=self._computed(made, self.processor, [dict(each) for each in self.observables]),
            causes=self._causes(made) if self.causes else None,
            alternatives=others,
        )

    def drawn(self, use: CircuitUse) -> np.ndarray | None:
        """Return shots of a concrete run, (shots, qubits); None if none are wanted, or the state was not kept."""
        found = use.computation
        if not self.num_shots or not isinstance(found, Computation) or found.state is None:
            return None
        bits = shots(found, self.processor, self.num_shots, key=jax.random.key(self.seed))
        return np.asarray(bits)[:, list(self.distributed.qubits)]

    def _computed(
        self, made: Pairs, own: Processor, observables: Any, distributed: Distributed | None = None
    ) -> Computation | Sampled:
        where = self.distributed if distributed is None else distributed
        options: Any = {"observables": observables, "max_bond": self.max_bond}
        if not self.num_trajectories:
            return run(where, made, own, waits=self.waits, num_nodes=self.num_nodes, **options)
        num_waits = max(2, round(self.num_trajectories**0.5))
        drawn: Any = {"num_waits": num_waits, "num_trajectories": -(-self.num_trajectories // num_waits)}
        return sampled_run(where, made, own, **options, **drawn, key=jax.random.key(self.seed))

    def _causes(self, made: Pairs) -> Causes:
        at_once = dataclasses.replace(made, step=made.step * SUDDEN)
        perfect = dataclasses.replace(made, states=made.probability[:, None, None] * np.diag(BELL_SIGNS))
        times = self.processor.node.gates
        ideal = gates(two_qubit_time=times.two_qubit_time, readout_time=times.readout_time)
        node = dataclasses.replace(self.processor.node, gates=ideal)
        skilled = dataclasses.replace(self.processor, node=node, one_qubit=jnp.ones(()))
        return Causes(
            without_waits=self._computed(at_once, self.processor, ()).fidelity,
            with_perfect_pairs=self._computed(perfect, self.processor, ()).fidelity,
            with_perfect_gates=self._computed(made, skilled, ()).fidelity,
        )
