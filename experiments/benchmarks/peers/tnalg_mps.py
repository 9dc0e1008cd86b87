"""tensorcircuit-ng tnalg (TEBD step = one even and one odd layer): python tnalg_mps.py CIRCUIT.npz BOND OUT.npz."""

import warnings

import jax
import numpy as np
from scipy.linalg import logm
from timing import read, report

jax.config.update("jax_enable_x64", True)
warnings.simplefilter("ignore")

import tensorcircuit  # noqa: E402  # pyright: ignore[reportMissingImports]
from tensorcircuit import tnalg  # noqa: E402  # pyright: ignore[reportMissingImports]

tensorcircuit.set_backend("jax")
tensorcircuit.set_dtype("complex128")

sites, matrices, n, bond, _ = read()
layers: list[dict] = []
for (a, _b), matrix in zip(sites, matrices, strict=True):
    if not layers or (int(a) % 2) != layers[-1]["parity"]:
        layers.append({"parity": int(a) % 2})
    layers[-1][int(a)] = (1j * np.asarray(logm(matrix))).reshape(2, 2, 2, 2)
zero = np.zeros((2, 2), complex)
steps = []
for even, odd in zip(layers[::2], layers[1::2], strict=True):
    bonds = [{**even, **odd}[k] for k in range(n - 1)]
    steps.append((tuple(zero for _ in range(n)), tuple(bonds)))
spec = tnalg.MPSSpec.dense((2,) * n, chi=bond)
step = jax.jit(tnalg.make_tebd_step(spec, tnalg.GateSpec((2,) * n), tnalg.TEBDOptions(order=1)))
generators = jax.tree.map(jax.numpy.asarray, steps)


def run():
    """Exponentiate the generators and apply all layers."""
    state, _ = tnalg.product_state((0,) * n, spec=spec, dtype=complex)
    for generator in generators:
        state = step(state, generator, 1.0)
    return jax.block_until_ready(state)


def tensors(state):
    """Return arrays (left, 2, right)."""
    return [
        np.asarray(buffers[0]).reshape(spec.bond_dims[k], 2, spec.bond_dims[k + 1])
        for k, buffers in enumerate(state.buffers)
    ]


report("tensorcircuit-ng tnalg", tensorcircuit.__version__, run, tensors)
