"""quimb CircuitMPS: python quimb_mps.py CIRCUIT.npz BOND OUT.npz."""

import quimb
import quimb.tensor as qtensor
from timing import read, report

sites, matrices, n, bond, _ = read()


def run():
    """Apply all gates; singular values below a relative weight of 1e-14 are dropped, as in the other peers."""
    circuit = qtensor.CircuitMPS(n, max_bond=bond, cutoff=1e-14, gate_opts={"cutoff_mode": "rsum2"})
    for (a, b), matrix in zip(sites, matrices, strict=True):
        circuit.apply_gate_raw(matrix, (int(a), int(b)))
    return circuit.psi


def tensors(psi):
    """Return arrays (left, 2, right)."""
    psi = psi.copy()
    psi.permute_arrays("lpr")
    first, *inner, last = psi.arrays
    return [first[None], *inner, last[..., None]]


report("quimb CircuitMPS", quimb.__version__, run, tensors)
