"""Aer matrix_product_state with a noise model: python aer_trajectories.py CASE SHOTS SETTINGS."""

import json
import sys
import time

import qiskit_aer  # pyright: ignore[reportMissingImports]
from qiskit import QuantumCircuit  # pyright: ignore[reportMissingImports]
from qiskit.quantum_info import SparsePauliOp  # pyright: ignore[reportMissingImports]
from qiskit_aer.noise import NoiseModel, depolarizing_error  # pyright: ignore[reportMissingImports]

case, shots, s = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
n = s["n"]
circuit = QuantumCircuit(n)
if case == "ghz":
    circuit.h(0)
    for k in range(n - 1):
        circuit.cx(k, k + 1)
    observables = [("X" * n, range(n)), ("ZZ", [0, n - 1]), ("ZZ", [n // 2, n // 2 + 1])]
else:
    for _ in range(s["steps"]):
        for k in range(n):
            circuit.rx(s["field"], k)
        for k in range(n - 1):
            circuit.rzz(s["coupling"], k, k + 1)
    observables = [("Z", [n // 2]), ("ZZ", [n // 2, n // 2 + 1]), ("X", [n // 2])]
for place, (letters, sites) in enumerate(observables):
    circuit.save_expectation_value(SparsePauliOp(letters), list(sites), label=str(place))
noise = NoiseModel()
noise.add_all_qubit_quantum_error(depolarizing_error(s["p"], 2), ["cx", "rzz"])
simulator = qiskit_aer.AerSimulator(
    method="matrix_product_state",
    noise_model=noise,
    matrix_product_state_max_bond_dimension=s["bond"],
    matrix_product_state_truncation_threshold=1e-14,
    max_parallel_threads=1,
)


def run(seed):
    """Run without transpilation."""
    return simulator.run(circuit, shots=shots, seed_simulator=seed).result()


run(1)
best = float("inf")
for _ in range(3):
    start = time.process_time()
    result = run(7)
    best = min(best, time.process_time() - start)
means = [round(float(result.data()[str(k)]), 4) for k in range(len(observables))]
print(json.dumps({"peer": f"Aer {qiskit_aer.__version__}", "rate": shots / best, "means": means}))
