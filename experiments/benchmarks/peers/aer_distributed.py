"""Aer on a distributed circuit with all its pairs: python aer_distributed.py REQUEST.json.

Every pair is made, every half measured in the middle of the circuit, every correction conditional. All shots are
trajectories of their own; the observables are exact in each, so the error is that of the noise and of the outcomes.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import qiskit_aer  # pyright: ignore[reportMissingImports]
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister  # pyright: ignore[reportMissingImports]
from qiskit.quantum_info import SparsePauliOp  # pyright: ignore[reportMissingImports]
from qiskit_aer.noise import depolarizing_error, pauli_error  # pyright: ignore[reportMissingImports]

request = json.loads(Path(sys.argv[1]).read_text())
noise, steps, n = request["noise"], request["instructions"], request["num_qubits"]
size = 1 + max(max(places) for _, places, _ in steps)
circuit = QuantumCircuit(QuantumRegister(size), ClassicalRegister(2))
errors = {
    "bell": pauli_error(list(zip("IXYZ", noise["bell"], strict=True))),
    "two": depolarizing_error(1 - noise["two"], 2),
    "one": depolarizing_error(1 - noise["one"], 1),
    "read": pauli_error([("I", noise["read"]), ("X", 1 - noise["read"])]),
}
PLAIN = {"H": "h", "X": "x", "Y": "y", "Z": "z", "S": "s", "SDG": "sdg", "T": "t", "TDG": "tdg", "CX": "cx", "CZ": "cz"}
TURNED = {"RX": "rx", "RY": "ry", "RZ": "rz", "P": "p", "CP": "cp", "CRZ": "crz", "RZZ": "rzz"}
for name, places, angles in steps:
    if name in errors and name != "read":
        circuit.append(errors[name].to_instruction(), places)
    elif name == "read":
        circuit.append(errors["read"].to_instruction(), places)
        circuit.measure(places[0], int(angles[0]))
    elif name.endswith(("if 0", "if 1")):
        with circuit.if_test((circuit.clbits[int(name[-1])], 1)):
            getattr(circuit, name[0].lower())(*places)
    elif name == "reset":
        circuit.reset(places)
    elif name == "swap":
        circuit.swap(*places)
    elif name in PLAIN:
        getattr(circuit, PLAIN[name])(*places)
    else:
        getattr(circuit, TURNED[name])(*angles, *places)
for place, letters in enumerate(request["observables"]):
    circuit.save_expectation_value(SparsePauliOp(letters[::-1]), list(range(n)), label=str(place), pershot=True)
simulator = qiskit_aer.AerSimulator(method=request["method"], max_parallel_threads=1)
simulator.run(circuit, shots=10, seed_simulator=1).result()
start = time.perf_counter()
result = simulator.run(circuit, shots=request["shots"], seed_simulator=7).result()
seconds = time.perf_counter() - start
values = [np.real(np.ravel(result.data()[str(k)])) for k in range(len(request["observables"]))]
print(
    json.dumps(
        {
            "peer": f"Aer {qiskit_aer.__version__}",
            "means": [float(np.mean(each)) for each in values],
            "errors": [float(np.std(each, ddof=1) / np.sqrt(len(each))) for each in values],
            "seconds": seconds,
        }
    )
)
