"""One circuit in Aer: python aer_circuits.py < REQUEST.json; prints one JSON line. See compare.py."""
# pyright: reportMissingImports=false

import json
import sys
import time
from pathlib import Path

import numpy as np
from qiskit import qasm2, qasm3, transpile
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error

BASIS = ["h", "x", "z", "t", "tdg", "rx", "ry", "rz", "u1", "u2", "u3", "cx", "cz", "cu1", "cp"]
"""Gates that Aer runs as they are; eleven of one qubit, then those of two."""


def load(file):
    """Read either version; where no bit is used, measurements that end the program are left out."""
    text = Path(file).read_text()
    if text.startswith("OPENQASM 2"):
        circuit = qasm2.loads(text, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    else:
        circuit = qasm3.loads(text)
    if not circuit.count_ops().get("if_else"):
        circuit.remove_final_measurements(inplace=True)
    return circuit


def operator(text, n):
    """Return ZZII (first letter, first qubit) or Z0 X5 as an operator."""
    words = text.split()
    if words[0][-1].isdigit():
        terms = [("".join(w[0] for w in words), [int(w[1:]) for w in words], 1.0)]
    else:
        terms = [(text, list(range(n)), 1.0)]
    return SparsePauliOp.from_sparse_list(terms, num_qubits=n)


def noise_of(request):
    """Return depolarising noise after every gate of one or two qubits."""
    model = NoiseModel()
    for key, k, names in (("one_qubit", 1, BASIS[:11]), ("two_qubit", 2, BASIS[11:])):
        model.add_all_qubit_quantum_error(depolarizing_error(request["noise"][key], k), names)
    return model


def main():
    request = json.loads(sys.stdin.read())
    begun = time.perf_counter()
    circuit = load(request["file"])
    circuit = circuit.decompose(["majority", "unmajority"])
    if request["noisy"]:
        circuit = circuit.decompose(["ccx"])
    circuit = transpile(circuit, basis_gates=BASIS, optimization_level=0)
    n = circuit.num_qubits
    labels = [f"value{k}" for k in range(len(request["observables"]))]
    for label, text in zip(labels, request["observables"], strict=True):
        circuit.save_expectation_value(operator(text, n), list(range(n)), label=label)
        if request["shots"]:
            circuit.save_expectation_value(operator(text, n), list(range(n)), label=label + "each", pershot=True)
    method = "statevector" if request["method"] == "shots" else request["method"]
    noise = noise_of(request) if request["noisy"] else None
    simulator = AerSimulator(method=method, noise_model=noise, max_parallel_threads=1)
    data = simulator.run(circuit, shots=request["shots"] or 1, seed_simulator=1).result().data()
    each = [np.real(data[label + "each"]) if request["shots"] else [0.0] for label in labels]
    answer = {
        "values": [float(np.real(data[label])) for label in labels],
        "errors": [float(np.std(shots) / np.sqrt(len(shots))) for shots in each],
        "seconds": time.perf_counter() - begun,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
