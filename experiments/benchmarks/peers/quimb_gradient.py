"""quimb + jax, gradient of a truncated circuit: python quimb_gradient.py NUM_SITES LAYERS BOND ANGLES.npz.

Layers of RY, RZ on every site, RZZ on even bonds, RZZ on odd bonds; value and gradient of <Z Z> in the middle.
"""

import json
import sys
import time

import jax
import numpy as np
import quimb
import quimb.tensor as qtensor

jax.config.update("jax_enable_x64", True)
n, layers, bond = (int(word) for word in sys.argv[1:4])
angles = jax.numpy.asarray(np.load(sys.argv[4])["angles"])
zz = np.diag([1.0, -1.0, -1.0, 1.0]).astype(complex)


def value(theta):
    """Return <Z Z> of the two middle sites."""
    circuit = qtensor.CircuitMPS(n, max_bond=bond, cutoff=0.0, to_backend=jax.numpy.asarray)
    k = 0
    for _ in range(layers):
        for name, places in (
            ("RY", [(q,) for q in range(n)]),
            ("RZ", [(q,) for q in range(n)]),
            ("RZZ", [(q, q + 1) for q in range(0, n - 1, 2)]),
            ("RZZ", [(q, q + 1) for q in range(1, n - 1, 2)]),
        ):
            for place in places:
                circuit.apply_gate(name, theta[k], *place)
                k += 1
    return jax.numpy.real(circuit.local_expectation(zz, (n // 2 - 1, n // 2)))


start = time.perf_counter()
compiled = jax.jit(jax.value_and_grad(value)).lower(angles).compile()
compile_seconds = time.perf_counter() - start
compiled(angles)
start = time.perf_counter()
found, gradient = jax.block_until_ready(compiled(angles))
seconds = time.perf_counter() - start
print(
    json.dumps(
        {
            "peer": f"quimb {quimb.__version__} + jax {jax.__version__}",
            "compile": compile_seconds,
            "seconds": seconds,
            "nan": int(np.isnan(gradient).sum()),
            "of": len(angles),
            "value": float(found),
        }
    )
)
