"""How well a distributed circuit does on all inputs at once: its qubits start entangled with perfect references."""

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float

from qtn._array import Array
from qtn.circuits.circuit import Circuit, gate
from qtn.circuits.noise import IDEAL
from qtn.dqc.distributed import Action, Distributed, Gate, Local
from qtn.dqc.processor import Processor
from qtn.dqc.run import run

BEFORE = 2
"""Operations that come before those of the circuit."""


def circuit_process_fidelity(
    distributed: Distributed, pairs: Any, processor: Processor | Sequence[Processor], **options: Any
) -> Float[Array, ""]:
    """Return the process fidelity (entanglement fidelity) of a distributed circuit to the circuit without noise.

        F = <Psi| (1 x E)(|Phi><Phi|) |Psi>,   |Psi> = (1 x U)|Phi>,   |Phi> the product of a Bell pair for each qubit

    The fidelity averaged over all pure inputs of n qubits is (2^n F + 1) / (2^n + 1).

    Args:
        distributed: see `qtn.dqc.distribute`, of gates only; twice as many sites are simulated.
        pairs: see `run`.
        processor: see `run`.
        **options: of `run`.

    Raises:
        ValueError: if the circuit measures, resets or projects.

    Note:
        Exact and differentiable as `run`. References neither wait nor err.

    References:
        Nielsen 2002, Phys. Lett. A 303, 249, arXiv:quant-ph/0205035.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.circuits import circuit
        >>> from qtn.dqc import distribute, processor, steady_pairs
        >>> swap = distribute(circuit(2, [gate("CX", (0, 1))]), qpus=[1, 1])
        >>> pairs = steady_pairs([0.9, 0.05, 0.03, 0.02], 10.0)
        >>> round(float(circuit_process_fidelity(swap, pairs, processor())), 12)  # the fidelity of the pair
        0.9
    """
    no_gates = [each.name for each in distributed.circuit.operations if each.name in ("MEASURE", "RESET", "PROJECT")]
    if no_gates or distributed.circuit.num_sites > len(distributed.qubits):
        what = no_gates[0] if no_gates else "classical bits"
        raise ValueError(
            f"Argument `distributed` must hold gates only, but its circuit holds {what}: take the part before "
            "the measurements."
        )
    return run(with_references(distributed), pairs, processor, **options).fidelity


def with_references(distributed: Distributed) -> Distributed:
    """Return a distributed circuit on qubits that start in Bell pairs with references, which follow them as sites."""
    circuit, count = distributed.circuit, distributed.circuit.num_sites
    bells = [
        gate("H", [count + site for site in range(count)], label=IDEAL),
        gate("CX", [(count + site, site) for site in range(count)], label=IDEAL),
    ]
    start = tuple(Local(Gate(operation, site)) for operation in range(BEFORE) for site in range(count))
    schedule = tuple(tuple(map(_later, actions)) for actions in distributed.schedule)
    first = schedule[0] if schedule else ()
    return Distributed(
        circuit=Circuit(num_sites=2 * count, operations=(*bells, *circuit.operations)),
        qubits=distributed.qubits,
        qpus=distributed.qpus,
        placement=(*distributed.placement, *distributed.placement),
        copies=tuple(
            copy._replace(gates=tuple(Gate(own.operation + BEFORE, own.place) for own in copy.gates))
            for copy in distributed.copies
        ),
        schedule=(start, *schedule)
        if distributed.layers and distributed.layers[0].pairs
        else (start + first, *schedule[1:]),
        num_pairs_unshared=distributed.num_pairs_unshared,
    )


def _later(action: Action) -> Action:
    """Return an action whose operation comes after those that make the Bell pairs."""
    own = getattr(action, "gate", None)
    return action if own is None else action._replace(gate=Gate(own.operation + BEFORE, own.place))  # pyright: ignore
