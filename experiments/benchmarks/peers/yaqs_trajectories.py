"""mqt.yaqs with the same circuit: python yaqs_trajectories.py CASE TRAJECTORIES SETTINGS.

Its noise is a set of jump rates: depolarising after a gate becomes 15 Pauli jumps on its pair, equal in first order.
"""

import json
import sys
import time
from itertools import product

import numpy as np
from mqt.yaqs import (  # pyright: ignore[reportMissingImports]
    DigitalSimParams,
    NoiseModel,
    Observable,
    Simulator,
    State,
    __version__,
)
from qiskit import QuantumCircuit  # pyright: ignore[reportMissingImports]

case, count, s = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
n = s["n"]
circuit = QuantumCircuit(n)
if case == "ghz":
    circuit.h(0)
    for k in range(n - 1):
        circuit.cx(k, k + 1)
else:
    for _ in range(s["steps"]):
        for k in range(n):
            circuit.rx(s["field"], k)
        for k in range(n - 1):
            circuit.rzz(s["coupling"], k, k + 1)
PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
processes = [
    {"name": f"jump_{a}{b}", "sites": [k, k + 1], "strength": s["p"] / 16, "matrix": np.kron(PAULIS[a], PAULIS[b])}
    for k in range(n - 1)
    for a, b in product(range(4), repeat=2)
    if a or b
]
middle = n // 2
operators = {"ghz": [(3, 3)], "ising": [(3,), (3, 3), (1,)]}[case]
observables = [
    Observable(np.kron(PAULIS[p[0]], PAULIS[p[1]]), [middle, middle + 1])
    if len(p) == 2
    else Observable(PAULIS[p[0]], middle)
    for p in operators
]
parameters = DigitalSimParams(
    observables=observables,
    num_traj=count,
    max_bond_dim=s["bond"],
    svd_threshold=1e-14,
    trunc_mode="relative_discarded_weight",
    gate_mode="swaps",
    random_seed=1,
)
simulator = Simulator(parallel=False, show_progress=False)
start = time.process_time()
result = simulator.run(State(n), circuit, parameters, NoiseModel(processes))
used = time.process_time() - start
means = [round(float(np.ravel(values)[-1]), 4) for values in result.expectation_values]
print(json.dumps({"peer": f"mqt.yaqs {__version__}", "rate": count / used, "means": means}))
