"""Distributed runs: python experiments/benchmarks/distributed_run.py [--bond 16] [--calls 3] [--skip-site].

64 qubits on 4 processors, 200 two-qubit gates of which 40 go through pairs: value and gradient by 20 numbers (memory,
gate, readout and one-qubit noise of each processor, three errors of the pairs, their rate) with waits averaged qubit by
qubit, against value and gradient of the same circuit with plain two-qubit noise. Then the cost and the error of waits
that are the same for all qubits: nodes on a travelling site (64 qubits), and runs for all combinations of nodes (a GHZ
state of 8 qubits on 4 processors). Times are CPU times (cores may be shared), the least of some calls, compilation
apart.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qtn import channels
from qtn.circuits import Circuit, circuit, gate, noise_model
from qtn.circuits import run as run_plain
from qtn.dqc import Processor, distribute, processor, run, steady_pairs
from qtn.hardware.gates import gates
from qtn.hardware.memory import dephasing_memory
from qtn.states import expect

jax.config.update("jax_enable_x64", True)
NUM_QUBITS, NUM_LOCAL, NUM_REMOTE, CUTS = 64, 160, 40, (15, 31, 47)
SITES = {15: "Z", 16: "Z", 40: "Z"}
NUMBERS = np.array([5.0, 0.99, 0.99, 0.999] * 4 + [0.02, 0.01, 0.02, 20.0])
"""T2 [s], p2, readout, p1 of each processor; errors X, Y, Z of a pair; pairs a second."""


def brickwork() -> Circuit:
    """Return layers of CX on neighbours and random rotations; 40 of the gates are between processors."""
    rng, steps = np.random.default_rng(0), []
    remote = local = layer = 0
    while remote + local < NUM_REMOTE + NUM_LOCAL:
        places = []
        for first in range(layer % 2, NUM_QUBITS - 1, 2):
            crosses = first in CUTS
            if (remote < NUM_REMOTE) if crosses else (local < NUM_LOCAL):
                places.append((first, first + 1))
                remote, local = remote + crosses, local + (not crosses)
        steps.append(gate("RY", list(range(NUM_QUBITS)), rng.random(NUM_QUBITS)))
        steps += [gate("CX", places)] if places else []
        layer += 1
    return circuit(NUM_QUBITS, steps)


def machines(numbers: Any) -> tuple[Any, list[Processor]]:
    """Return pairs and processors."""
    own = [
        processor(dephasing_memory(t2), gates(p2, eta), one_qubit=p1) for t2, p2, eta, p1 in numbers[:16].reshape(4, 4)
    ]
    errors = numbers[16:19]
    return steady_pairs(jnp.concatenate([1 - jnp.sum(errors)[None], errors]), numbers[19]), own


def timed(function: Callable[..., Any], *arguments: Any, calls: int) -> tuple[float, Any]:
    """Return the least CPU time of a call, and what it returns."""
    found, best = jax.block_until_ready(function(*arguments)), float("inf")
    for _ in range(calls):
        start = time.process_time()
        jax.block_until_ready(function(*arguments))
        best = min(best, time.process_time() - start)
    return best, found


def independent(bond: int, calls: int) -> None:
    """Compare a distributed run with a plain noisy one."""
    whole = brickwork()
    distributed = distribute(whole, qpus=[16] * 4, sharing="none")
    print(*distributed.sentences(), sep="\n")

    def value(numbers: Any) -> Any:
        pairs, own = machines(numbers)
        return run(distributed, pairs, own, observables=[SITES], waits="independent", max_bond=bond).observables[0]

    def plain(numbers: Any) -> Any:
        noise = noise_model(one_qubit=channels.depolarising(numbers[0]), two_qubit=channels.depolarising(numbers[1], 2))
        return expect(run_plain(whole, noise, max_bond=bond)[0], SITES)

    ours, found = timed(jax.jit(jax.value_and_grad(value)), jnp.asarray(NUMBERS), calls=calls)
    other, _ = timed(jax.jit(jax.value_and_grad(plain)), jnp.array([0.001, 0.01]), calls=calls)
    assert np.all(np.isfinite(found[1]))
    print(f"bond {bond}: distributed, 20 numbers {ours:.2f} s, plain noise {other:.2f} s, ratio {ours / other:.2f}")


def travelling(bond: int, calls: int) -> None:
    """Print cost and error of waits on a travelling site."""
    distributed = distribute(brickwork(), qpus=[16] * 4, sharing="none")
    pairs, own = machines(jnp.asarray(NUMBERS))
    print("| waits | nodes | CPU time [s] | observable | error told |\n|---|---|---|---|---|")
    for model, nodes in (("independent", None), ("bond", 1), ("bond", 2), ("bond", 3), ("bond", 4)):
        options: Any = {"observables": [SITES], "waits": model, "num_nodes": nodes, "max_bond": bond}
        seconds, found = timed(lambda options=options: run(distributed, pairs, own, **options), calls=calls)
        told = f"{float(found.observables[0]):+.8f} | {float(found.wait_error):.1e} |"
        print(f"| {model} | {nodes or ''} | {seconds:.2f} | {told}", flush=True)


def combinations(calls: int) -> None:
    """Print cost and error of runs for all combinations of nodes."""
    ghz = circuit(8, [gate("H", 0), gate("CX", [(k, k + 1) for k in range(7)])])
    distributed = distribute(ghz, qpus=[2] * 4, sharing="none")
    pairs, own = steady_pairs([0.95, 0.02, 0.01, 0.02], 5.0), processor(dephasing_memory(1.0), gates(0.99, 0.99))
    exact = run(distributed, pairs, own, waits="batch", num_nodes=8).fidelity
    print("| waits | nodes | runs | CPU time [s] | fidelity | error | error told |\n|---|---|---|---|---|---|---|")
    cases = [("independent", None), ("bond", 4), *(("batch", nodes) for nodes in (1, 2, 3, 4, 6))]
    for model, nodes in cases:
        options: Any = {"waits": model, "num_nodes": nodes}
        seconds, found = timed(lambda options=options: run(distributed, pairs, own, **options), calls=calls)
        off = abs(float(found.fidelity - exact))
        told = f"{float(found.fidelity):.8f} | {off:.1e} | {float(found.wait_error):.1e} |"
        print(f"| {model} | {nodes or ''} | {found.num_runs} | {seconds:.2f} | {told}", flush=True)


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bond", type=int, default=16)
    parser.add_argument("--calls", type=int, default=3)
    parser.add_argument("--skip-site", action="store_true", help="leave the travelling site out")
    chosen = parser.parse_args()
    independent(chosen.bond, chosen.calls)
    combinations(chosen.calls)
    if not chosen.skip_site:
        travelling(chosen.bond, 1)


if __name__ == "__main__":
    main()
