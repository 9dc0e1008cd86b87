"""TNQMetro: the best state of many qubits under uncorrelated dephasing, as in its own example.

python tnqmetro_dephasing.py NUM_SITES STRENGTH
"""

import json
import sys
import time
from importlib.metadata import version

import numpy as np
import scipy.linalg
import tnqmetro  # pyright: ignore[reportMissingImports]

number, strength = int(sys.argv[1]), float(sys.argv[2])
generator = np.diag([0.0, 1.0])
difference = np.kron(generator, np.eye(2)) - np.kron(np.eye(2), generator)
noise = scipy.linalg.expm(-strength * difference @ difference / 2)
start = time.process_time()
fisher, table, operator, state = tnqmetro.fin(number, [], generator, [noise])
print(
    json.dumps(
        {
            "version": version("tnqmetro"),
            "fisher": float(fisher),
            "seconds": time.process_time() - start,
            "bond": max(site.shape[0] for site in state),
            "operator_bond": max(site.shape[0] for site in operator),
        }
    )
)
