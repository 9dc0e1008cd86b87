"""Aer matrix_product_state with LAPACK: python aer_mps.py CIRCUIT.npz BOND OUT.npz."""

import numpy as np
import qiskit_aer
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate
from timing import read, report

sites, matrices, n, bond, _ = read()
circuit = QuantumCircuit(n)
for (a, b), matrix in zip(sites, matrices, strict=True):
    circuit.append(UnitaryGate(matrix), [int(b), int(a)])  # little endian: the second qubit is the slow one
circuit.save_matrix_product_state()
simulator = qiskit_aer.AerSimulator(
    method="matrix_product_state",
    matrix_product_state_max_bond_dimension=bond,
    matrix_product_state_truncation_threshold=1e-16,
    mps_lapack=True,
    max_parallel_threads=1,
    fusion_enable=False,
)


def run():  # noqa: ANN201
    """Run without transpilation."""
    return simulator.run(circuit).result().data()["matrix_product_state"]


def tensors(state):  # noqa: ANN001, ANN201
    """Return arrays (left, 2, right) from Aer's Gamma (as a pair of matrices) and lambda."""
    gammas, lambdas = state
    out = []
    for k, (zero, one) in enumerate(gammas):
        tensor = np.stack([np.asarray(zero), np.asarray(one)], axis=1)
        out.append(tensor * np.asarray(lambdas[k]) if k < len(lambdas) else tensor)
    return out


report("Aer matrix_product_state", qiskit_aer.__version__, run, tensors)
