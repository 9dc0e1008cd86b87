"""Aer matrix_product_state: python aer_mps.py CIRCUIT.npz BOND OUT.npz [lapack] (0.18.2 may crash with LAPACK)."""

import sys

import numpy as np
import qiskit_aer  # pyright: ignore[reportMissingImports]
from qiskit import QuantumCircuit  # pyright: ignore[reportMissingImports]
from qiskit.circuit.library import UnitaryGate  # pyright: ignore[reportMissingImports]
from timing import read, report

sites, matrices, n, bond, _ = read()
circuit = QuantumCircuit(n)
for (a, b), matrix in zip(sites, matrices, strict=True):
    circuit.append(UnitaryGate(matrix), [int(b), int(a)])  # little endian: the second qubit is the slow one
circuit.save_matrix_product_state()
simulator = qiskit_aer.AerSimulator(
    method="matrix_product_state",
    matrix_product_state_max_bond_dimension=bond,
    matrix_product_state_truncation_threshold=1e-14,
    mps_lapack=sys.argv[4:] == ["lapack"],
    max_parallel_threads=1,
    max_memory_mb=10**11,  # its estimate of the memory ignores the bond
    fusion_enable=False,
)


def run():
    """Run without transpilation."""
    return simulator.run(circuit).result().data()["matrix_product_state"]


def tensors(state):
    """Return arrays (left, 2, right) from Aer's Gamma (as a pair of matrices) and lambda."""
    gammas, lambdas = state
    out = []
    for k, (zero, one) in enumerate(gammas):
        tensor = np.stack([np.asarray(zero), np.asarray(one)], axis=1)
        out.append(tensor * np.asarray(lambdas[k]) if k < len(lambdas) else tensor)
    return out


report("Aer matrix_product_state", qiskit_aer.__version__, run, tensors)
