"""QMetro++: the best state of many qubits under uncorrelated dephasing, by its see-saw over tensor networks.

python qmetro_dephasing.py NUM_SITES STRENGTH BOND OPERATOR_BOND
"""

import json
import math
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np
from qmetro import iss_tnet_parallel_qfi, par_dephasing  # pyright: ignore[reportMissingImports]

warnings.filterwarnings("ignore")
np.random.seed(0)
number, strength, bond, operator_bond = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
channel = par_dephasing((1 + math.exp(-strength / 2)) / 2, noise_first=False)
start = time.process_time()
fisher, history, *_, converged = iss_tnet_parallel_qfi(channel, number, 1, bond, operator_bond, print_messages=False)
print(
    json.dumps(
        {
            "version": version("qmetro"),
            "fisher": float(fisher),
            "seconds": time.process_time() - start,
            "rounds": len(history),
            "converged": bool(converged),
        }
    )
)
