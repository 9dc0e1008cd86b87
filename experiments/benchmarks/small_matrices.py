"""Time small decompositions against a batched Jacobi, and a two-site update against its parts; two tables.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python experiments/benchmarks/small_matrices.py [--quick]

What the Jacobi finds is checked. Everything is timed in turn in one process; quote the ratios, not the seconds. With
more threads LAPACK waits for its own on cores that are shared, for seconds.
"""

import argparse
import sys
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax  # noqa: E402
from timing import medians  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[2]))

from qtn.tensors.split import keep_right, truncation  # noqa: E402
from qtn.tensors.subspace import column_norms, dagger  # noqa: E402
from qtn.tensors.sweep import CUT, Layers, lossy_sweeps, two_site_tensor  # noqa: E402
from qtn.tensors.train import right_canonical  # noqa: E402

BATCHES = {8: 4096, 16: 1024, 32: 256, 64: 64, 128: 16}
CHUNK = 32
"""Matrices that the Jacobi turns side by side: what stays in cache (8 to 128 tried)."""
BONDS = 8
"""Bonds that the timed sweep cuts; each part of an update is timed on as many matrices."""


def rotated(columns, n):
    """Make column k orthogonal to column k + n / 2, all at once, and move on: a round of a tournament (Hestenes 1958).

    Columns are (n, 2 n, b), U s above V; the largest cosine of a pair is returned beside them.
    """
    first, second = columns[: n // 2], columns[n // 2 :]
    alpha, beta = (jnp.sum(jnp.abs(part[:, :n]) ** 2, axis=1) for part in (first, second))
    gamma = jnp.sum(first[:, :n] * jnp.conj(second[:, :n]), axis=1)
    size = jnp.abs(gamma)
    safe = jnp.where(size > 0, size, 1.0)
    zeta = (beta - alpha) / (2 * safe)
    tangent = jnp.where(size > 0, jnp.where(zeta < 0, -1.0, 1.0) / (jnp.abs(zeta) + jnp.sqrt(1 + zeta**2)), 0.0)
    cosine, phase = lax.rsqrt(1 + tangent**2), jnp.where(size > 0, gamma / safe, 1.0)
    cosine, sine, second = cosine[:, None], (tangent * cosine)[:, None], phase[:, None] * second
    first, second = cosine * first - sine * second, sine * first + cosine * second
    columns = jnp.concatenate([first[:1], second[:1], first[1:-1], second[1:], first[-1:]])
    return columns, jnp.max(size / jnp.sqrt(jnp.maximum(alpha * beta, 1e-300)))


def one_sided(matrices):
    """Return U s and V of (b, n, n), n even, unsorted; the batch is the minor dimension of all that is rotated."""
    b, n, _ = matrices.shape
    eye = jnp.broadcast_to(jnp.eye(n, dtype=matrices.dtype)[:, :, None], (n, n, b))

    def one_round(_, found):
        columns, worst = rotated(found[0], n)
        return columns, jnp.maximum(found[1], worst)

    def sweep(found):
        return *lax.fori_loop(0, n - 1, one_round, (found[0], 0.0)), found[2] + 1

    start = (jnp.concatenate([matrices.transpose(2, 1, 0), eye], axis=1), jnp.inf, 0)
    columns = lax.while_loop(lambda f: (f[1] > n * jnp.finfo(float).eps) & (f[2] < 30), sweep, start)[0]
    return columns[:, :n].transpose(2, 1, 0), columns[:, n:].transpose(2, 1, 0)


@jax.jit
def jacobi_svd(matrices):
    """Return U s and V of (b, n, n), one chunk after another."""
    parts = lax.map(one_sided, matrices.reshape(-1, min(CHUNK, len(matrices)), *matrices.shape[1:]))
    return jax.tree.map(lambda part: part.reshape(matrices.shape), parts)


@jax.jit
def jacobi_eigh(matrices):
    """Return the eigenvalues and vectors of Hermitian matrices, unsorted: their norm makes them positive."""
    norm = jnp.linalg.norm(matrices, axis=(1, 2))
    image, vectors = jacobi_svd(matrices + norm[:, None, None] * jnp.eye(matrices.shape[1]))
    return jnp.linalg.norm(image, axis=1) - norm[:, None], vectors


def normal(rng, shape, dtype):
    """Return normal numbers, real or complex."""
    found = rng.normal(size=shape)
    return jnp.asarray(found + 1j * rng.normal(size=shape) if dtype is complex else found)


def errors(matrices, hermitian):
    """Return how far both Jacobi are from NumPy in values, from what they decompose, and from orthogonality."""
    n = matrices.shape[1]
    (image, v), (values, vectors) = jacobi_svd(matrices), jacobi_eigh(hermitian)
    s = jnp.sort(jnp.linalg.norm(image, axis=1))[:, ::-1]
    u = image / jnp.linalg.norm(image, axis=1)[:, None]
    pairs = [
        (s, np.linalg.svd(matrices, compute_uv=False)),
        (jnp.sort(values), np.linalg.eigvalsh(hermitian)),
        (image, matrices @ v),
        (vectors * values[:, None], hermitian @ vectors),
        *((dagger(q) @ q, jnp.eye(n)) for q in (u, v, vectors)),
    ]
    return max(float(jnp.max(jnp.abs(a - b)) / jnp.max(jnp.abs(b))) for a, b in pairs)


def decompositions(n, batch, dtype, runs):
    """Print a row: LAPACK one by one, the Gram matrix, and Jacobi."""
    matrices = normal(np.random.default_rng(n), (batch, n, n), dtype)
    hermitian = matrices + dagger(matrices)
    gram = jax.jit(lambda m: jnp.linalg.eigh(dagger(m) @ m))
    of_svd, of_gram, own, of_eigh, own_eigh = found = medians(
        runs,
        (jax.jit(jnp.linalg.svd), matrices),
        (gram, matrices),
        (jacobi_svd, matrices),
        (jax.jit(jnp.linalg.eigh), hermitian),
        (jacobi_eigh, hermitian),
    )
    times = "".join(f"{1e6 * value / batch:11.1f}" for value in found)
    ratios = "".join(f"{a / b:11.2f}" for a, b in ((own, of_svd), (own, of_gram), (own_eigh, of_eigh)))
    name = f"{n} x {n}, {batch:,}, {dtype.__name__}"
    print(f"{name:26s}{times}{ratios}   {errors(matrices, hermitian):.0e}", flush=True)


def update(chi, d, dtype, runs):
    """Print a row: a lossy sweep, its parts, SVD, and the whole split: strong, weak and batched by `vmap`."""
    rng = np.random.default_rng(chi)
    train = right_canonical(normal(rng, (BONDS + 1, chi, d, chi), dtype))
    gates = jnp.linalg.qr(normal(rng, (BONDS, d * d, d * d), dtype))[0]
    before = jnp.broadcast_to(jnp.eye(d, dtype=dtype), (BONDS, 2, d, d))
    layer = Layers(jnp.full(BONDS, CUT), before, gates, jnp.zeros((BONDS, 1, d, d), dtype))
    rule, layers = truncation(chi), Layers(*(field[None] for field in layer))
    here = (train[:-1], train[1:], layer)

    def each(function, *data):
        return jax.jit(lambda *stacks: lax.map(lambda items: function(*items), stacks)), *data

    contract = each(two_site_tensor, *here)
    thetas = contract[0](*here)
    u, s, vh = jnp.linalg.svd(thetas)
    weak = u * jnp.logspace(0, -16, s.shape[1]) @ vh  # discarded: below 1e-8 of the largest
    names = ["sweep", "contract", "gram", "eigh", "project", "svd", "keep", "weak", "vmapped"]
    cases = [
        (jax.jit(lossy_sweeps), train, layers, rule),
        contract,
        each(lambda m: dagger(m) @ m, thetas),
        each(jnp.linalg.eigh, dagger(thetas) @ thetas),
        each(lambda m, v: (m @ v, column_norms(m @ v)), thetas, thetas),
        each(jnp.linalg.svd, thetas),
        each(lambda m: keep_right(m, rule), thetas),
        each(lambda m: keep_right(m, rule), weak),
        (jax.jit(jax.vmap(lambda m: keep_right(m, rule))), thetas),
    ]
    found = dict(zip(names, medians(runs, *cases), strict=True))
    times = "".join(f"{1e6 * value / BONDS:11.0f}" for value in found.values())
    parts = sum(found[name] for name in names[1:5])
    ratios = f"{found['eigh'] / found['sweep']:11.2f}{parts / found['sweep']:11.2f}"
    print(f"bond {chi}, d = {d}, {dtype.__name__:9s}{times}{ratios}", flush=True)


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller matrices")
    largest = 32 if parser.parse_args().quick else 128
    columns = ("svd", "gram eigh", "jacobi svd", "eigh", "jacobi", "jac / svd", "jac / gram", "jac / eigh")
    print(f"{'us a matrix':26s}{''.join(f'{name:>11s}' for name in columns)}   error")
    for n, batch in BATCHES.items():
        for dtype in (float, complex) if n <= largest else ():
            decompositions(n, batch, dtype, 3)
    columns = ("sweep", "contract", "gram", "eigh", "project", "svd", "keep", "weak", "vmapped")
    print(f"\n{'us a bond':26s}{''.join(f'{name:>11s}' for name in (*columns, 'eigh share', 'all parts'))}")
    for d, dtype in ((2, complex), (4, float)):
        for chi in (16, 32, 64):
            if chi * d <= 2 * largest:
                update(chi, d, dtype, 7)


if __name__ == "__main__":
    main()
