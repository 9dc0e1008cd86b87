"""Measure all qubits of a distributed run, with the readouts of its processors."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from qtn._array import Array
from qtn.dqc.computation import Computation
from qtn.dqc.processor import Processor, one_each
from qtn.states.local import apply_each_site
from qtn.states.sampling import sample


def shots(
    found: Computation, processor: Processor | Sequence[Processor], num_shots: int, *, key: Array
) -> Int[Array, "shots n"]:
    """Draw outcomes of measuring every qubit in Z at the end of a run.

    Args:
        found: what `run` returned.
        processor: as for `run`: its readouts flip bits.
        num_shots: how many, static.
        key: of JAX.

    Returns:
        bits: (shots, n), by site of the circuit; classical bits as they were recorded.

    Raises:
        ValueError: if the run does not keep its state.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.circuits import circuit, gate
        >>> from qtn.dqc import distribute, processor, run, steady_pairs
        >>> ghz = distribute(circuit(2, [gate("X", 0), gate("CX", (0, 1))]), qpus=[1, 1])
        >>> found = run(ghz, steady_pairs([1.0, 0.0, 0.0, 0.0], 10.0), processor())
        >>> shots(found, processor(), 2, key=jax.random.key(0)).tolist()
        [[1, 1], [1, 1]]
    """
    if found.state is None:
        raise ValueError(
            "Argument `found` holds no state, as many runs of many qubits were averaged: run with `waits=bond` or "
            "`independent`."
        )
    count = max(1, max(found.owners) + 1)
    owners = one_each(processor, count if isinstance(processor, Processor) else max(count, len(processor)))
    right = [1.0 if owner < 0 else 2 * owners[owner].node.gates.readout - 1 for owner in found.owners]
    flips = jnp.eye(4) * jnp.ones((len(right), 4, 1)).at[:, 3, 0].set(jnp.stack([jnp.asarray(each) for each in right]))
    drawn = sample(apply_each_site(found.state, flips), num_shots, key=key)
    return drawn[:, np.argsort(found.sites)]
