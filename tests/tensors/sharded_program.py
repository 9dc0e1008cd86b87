"""What every process of the tests of split trains runs: the fidelity of a dephased GHZ state, and its derivatives."""

import json
import sys

import jax

jax.config.update("jax_enable_x64", True)

from qtn.tensors.processes import connect, disconnect  # noqa: E402

if len(sys.argv) > 1:
    connect(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
else:
    connect()  # from SLURM_*

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from qtn.states.sharded import sharded_fidelity  # noqa: E402
from qtn.states.trains import MPDO, MPS, to_mixed  # noqa: E402
from qtn.tensors.sharded import shard_sites, site_mesh  # noqa: E402

N = 64


def ghz_site(k):
    """Return site k of a GHZ state, bond 2."""
    copy = np.zeros((2, 2, 2), complex)
    if k == 0:
        copy[0] = np.eye(2)
    elif k == N - 1:
        copy[:, :, 0] = np.eye(2) / np.sqrt(2)
    else:
        copy[0, 0, 0] = copy[1, 1, 1] = 1
    return copy


def built(start, stop):
    """Return the sites [start, stop); no process builds others."""
    seen.append((start, stop))
    return np.stack([ghz_site(k) for k in range(start, stop)]), 0.001 * np.arange(start, stop, dtype=float)


def fidelity(p, train):
    """Dephase site k with probability p_k."""
    flips = jnp.stack([jnp.ones_like(p), 1 - 2 * p, 1 - 2 * p, jnp.ones_like(p)], axis=1)
    return sharded_fidelity(
        MPDO(train=to_mixed(MPS(train=train)).train * flips[:, None, :, None]), MPS(train=train), mesh=mesh
    )


seen = []
mesh = site_mesh()
train, p = shard_sites(built, N, mesh)
value, slopes = jax.jit(jax.value_and_grad(fidelity))(p, train)
try:
    shard_sites(built, N + 1, mesh)
    refused = ""
except ValueError as error:
    refused = str(error)
print(
    json.dumps(
        {
            "devices": jax.device_count(),
            "processes": jax.process_count(),
            "built": seen,
            "refused": refused,
            "fidelity": float(value),
            "slopes": {
                piece.index[0].start or 0: np.asarray(piece.data).tolist() for piece in slopes.addressable_shards
            },
        }
    )
)
disconnect()
