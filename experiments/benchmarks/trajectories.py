"""Noisy trajectories of 100 qubits: python experiments/benchmarks/trajectories.py [CASE ...] [--peers PYTHON] [--slow].

Cases: ghz, ising (both by default). Every tool runs the same circuit with the same Pauli noise at the same largest
bond (the peers also drop a relative weight of 1e-14), on one thread, in one run. Rates are trajectories a second of
CPU time, because cores may be shared: the best of three calls, compilation apart. `--slow` adds the peer that needs
seconds a trajectory: one call, one trajectory, and for GHZ one of the three observables.
"""

import argparse
import json
import time
from typing import Any

import jax
import numpy as np
from peer import PeerError, run_peer

from qtn import channels
from qtn.circuits import Circuit, circuit, gate, noise_model, run, trajectories
from qtn.states import expect

jax.config.update("jax_enable_x64", True)
N, P = 100, 0.01
STEPS, COUPLING, FIELD = 5, 0.2, 0.2
"""Trotter steps, and the angles of RZZ (2 J dt, J = 1, dt = 0.1) and RX (2 h dt, h = 1)."""
BOND = {"ghz": 8, "ising": 8}
OBSERVABLES = {
    "ghz": ["X" * N, {0: "Z", N - 1: "Z"}, {N // 2: "Z", N // 2 + 1: "Z"}],
    "ising": [{N // 2: "Z"}, {N // 2: "Z", N // 2 + 1: "Z"}, {N // 2: "X"}],
}


def program(case: str) -> Circuit:
    """Return a CX ladder, or Trotter steps of the transverse-field Ising chain from |0...0>."""
    bonds = [(k, k + 1) for k in range(N - 1)]
    if case == "ghz":
        return circuit(N, [gate("H", 0), gate("CX", bonds)])
    step = [gate("RX", range(N), FIELD), gate("RZZ", bonds, COUPLING)]
    return circuit(N, step * STEPS)


def own(case: str, count: int, batch: int = 64) -> tuple[float, Any, Any]:
    """Return trajectories a second, the estimate and the info."""
    noise = noise_model(two_qubit=channels.depolarising(P, 2))

    def call() -> Any:
        found = trajectories(
            program(case), noise, observables=OBSERVABLES[case], num_trajectories=count, max_bond=BOND[case],
            batch=batch, key=jax.random.key(0),
        )  # fmt: skip
        return jax.block_until_ready(found)

    estimate, info = call()
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return count / best, estimate, info


def peer(python: str, script: str, case: str, count: int) -> dict[str, Any]:
    """Return name, trajectories a second and means of a peer."""
    settings = {"n": N, "p": P, "steps": STEPS, "coupling": COUPLING, "field": FIELD, "bond": BOND[case]}
    return run_peer(python, script, case, count, json.dumps(settings))


def show(python: str, script: str, case: str, count: int) -> None:
    """Print the line of a peer."""
    try:
        found = peer(python, script, case, count)
        print(f"    {found['peer']}: {found['rate']:.2f} trajectories/s ({count}), means {found['means']}")
    except PeerError as error:
        print(f"    {script}: {error}")


def main() -> None:
    """Print one block a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=["ghz", "ising"])
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--count", type=int, default=1024)
    options = parser.parse_args()
    for case in options.cases:
        rate, estimate, info = own(case, options.count, options.batch)
        print(f"{case}: qtn {rate:.1f} trajectories/s (batch {options.batch}), {info.sentences()[0]}")
        print(
            f"    means {np.round(estimate.mean, 4).tolist()}, errors {np.round(estimate.standard_error, 4).tolist()}"
        )
        start = time.process_time()
        mixed, report = run(
            program(case), noise_model(two_qubit=channels.depolarising(P, 2)), max_bond=16, relative=1e-7
        )
        exact = np.array([float(expect(mixed, paulis)) for paulis in OBSERVABLES[case]])
        used = time.process_time() - start
        kept = float(report.fidelity_estimate)
        print(f"    MPDO, bond {mixed.bond}: {np.round(exact, 4).tolist()}, kept {kept:.9f}, {used:.1f} s")
        z = np.round((estimate.mean - exact) / estimate.standard_error, 2).tolist()
        print(f"    difference in standard errors {z}")
        if options.peers:
            show(options.peers, "aer_trajectories.py", case, options.count)
            if options.slow:
                show(options.peers, "yaqs_trajectories.py", case, 1)


if __name__ == "__main__":
    main()
