"""Time `chain_product` against the formulations that XLA was offered, and against the floor of the device.

The floor is the larger of the bytes that must move (parameters once, products once) at the measured rate of a copy and
the operations of building and multiplying at the measured rate of a large matrix product.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from qtn_kernels import floors
from qtn_kernels.chain_product.api import chain_product
from qtn_kernels.chain_product.entries import filled, multiply, pattern, varying
from qtn_kernels.chain_product.reference import Parameters, Product, assemble
from qtn_kernels.chain_product.specs import BENCHMARKS, Spec


def _matrices(spec: Spec, parameters: Array) -> Array:
    """Return the matrices of one link, (d, d, chains)."""
    rows = spec.build(*parameters)
    none = [[None] * len(rows)] * len(rows)
    return assemble([entry for row in rows for entry in row], none, parameters[0])


def arrays_of_matrices(spec: Spec, parameters: Parameters) -> Product:
    """Scan over the links with one array (d, d, chains), chains in the minor dimension."""

    def one(product: Array, there: Array) -> tuple[Array, None]:
        matrix = lax.optimization_barrier(_matrices(spec, there))
        return jnp.asarray(sum(product[:, k, None] * matrix[None, k] for k in range(len(matrix)))), None

    first = _matrices(spec, parameters[0])
    return lax.scan(one, first, parameters[1:])[0]


def chain_by_chain(spec: Spec, parameters: Parameters) -> Product:
    """Map a scan over the links over the chains, matrices (chains, d, d) in row-major order."""

    def chain(there: Array) -> Array:
        start = _matrices(spec, there[0][:, None])[..., 0]

        def one(product: Array, parameters: Array) -> tuple[Array, None]:
            matrix = _matrices(spec, parameters[:, None])[..., 0]
            return jnp.matmul(product, matrix, precision="highest"), None

        return lax.scan(one, start, there[1:])[0]

    return jnp.moveaxis(jax.vmap(chain)(jnp.moveaxis(parameters, -1, 0)), 0, -1)


def pairs_of_neighbours(spec: Spec, parameters: Parameters) -> Product:
    """Multiply neighbours, then neighbours of those: a tree, in groups of 32 links."""
    num_links = parameters.shape[0]

    def tree(matrices: Array) -> Array:
        while len(matrices) > 1:
            even = matrices[: len(matrices) // 2 * 2]
            left, right = even[::2], even[1::2]
            pairs = sum(left[:, :, k, None] * right[:, None, k] for k in range(left.shape[1]))
            matrices = jnp.concatenate([pairs, matrices[len(even) :]])
        return matrices[0]

    size = min(32, num_links)
    groups = parameters[: num_links // size * size].reshape(-1, size, *parameters.shape[1:])
    products = lax.map(lambda part: tree(jax.vmap(partial(_matrices, spec))(part)), groups)
    rest = jax.vmap(partial(_matrices, spec))(parameters[num_links // size * size :])
    return tree(jnp.concatenate([products, rest]))


FORMULATIONS: dict[str, Callable[[Spec, Parameters], Product]] = {
    "scan, entries": lambda spec, parameters: chain_product(spec.build, parameters, implementation="reference"),
    "scan, arrays": arrays_of_matrices,
    "scan of each chain": chain_by_chain,
    "tree": pairs_of_neighbours,
}


def cost(spec: Spec) -> tuple[int, int]:
    """Return (operations, bytes that must move) of one call in double precision."""
    known = pattern(spec.build, spec.num_parameters)
    entries = [jnp.ones(1)] * len(varying(known, known))
    there = [jnp.ones(1)] * spec.num_parameters
    per_link = floors.operations(
        lambda entries, there: varying(multiply(filled(entries, known), spec.build(*there)), known), entries, there
    )
    moved = 8 * spec.num_chains * (spec.num_links * spec.num_parameters + len(known) ** 2)
    return per_link * spec.num_links * spec.num_chains, moved


def float32_error(spec: Spec) -> float:
    """Return the largest error of an entry in single precision, relative to the largest entry."""
    double = spec.parameters()
    exact = chain_product(spec.build, double, implementation="reference")
    found = chain_product(spec.build, double.astype("float32"), implementation="reference")
    return float(np.max(np.abs(np.asarray(found) - exact)) / np.max(np.abs(exact)))


def check(spec: Spec, ways: dict[str, Callable[..., Product]]) -> None:
    """Raise AssertionError if a way disagrees with the reference: its time does not count."""
    parameters = spec.resized(min(50, spec.num_links), 256).parameters()
    expected = chain_product(spec.build, parameters, implementation="reference")
    for label, way in ways.items():
        np.testing.assert_allclose(way(parameters), expected, rtol=1e-10, atol=1e-12, err_msg=label)


def main(runs: int, num_chains: int | None = None, num_links: int | None = None) -> None:
    """Print the table."""
    copy, matrix = floors.copy_rate(runs), floors.matrix_rate(runs)
    print(f"chain_product, float64: copy {copy / 1e9:.1f} GB/s, matrix product {matrix / 1e9:.1f} Gflop/s")
    print(f"{'':34s} {'value':>10s} {'a link':>9s} {'/ best':>7s} {'/ floor':>8s} {'gradient / value':>17s}")
    on_gpu = jax.default_backend() == "gpu"
    for name, spec in BENCHMARKS.items():
        spec = spec.resized(num_links or spec.num_links, num_chains or (250_000 if on_gpu else spec.num_chains))
        report(name, spec, runs, copy, matrix, on_gpu)


def report(name: str, spec: Spec, runs: int, copy: float, matrix: float, on_gpu: bool) -> None:
    """Print the rows of one workload."""
    parameters = spec.parameters()
    ways = {label: partial(way, spec) for label, way in FORMULATIONS.items()}
    if on_gpu:
        ways["kernel"] = partial(chain_product, spec.build, implementation="triton")
    check(spec, ways)
    seconds = floors.best_seconds(runs, *((way, parameters) for way in ways.values()))
    ours = [label for label in ways if label in ("scan, entries", "kernel")]
    slopes = [jax.grad(lambda parameters, way=ways[label]: way(parameters).sum()) for label in ours]
    gradients = dict(zip(ours, floors.best_seconds(runs, *((slope, parameters) for slope in slopes)), strict=True))
    operations, moved = cost(spec)
    floor = max(operations / matrix, moved / copy)
    best = min(each for label, each in zip(ways, seconds, strict=True) if label != "kernel")
    work = spec.num_links * spec.num_chains
    bound = "arithmetic" if operations / matrix > moved / copy else "bytes"
    print(
        f"{name}, {spec.num_links:,} links x {spec.num_chains:,} chains: floor {floor * 1e3:.1f} ms ({bound}),"
        f" {operations / work:.0f} operations and {moved / work:.0f} bytes a link;"
        f" error in float32 {float32_error(spec.resized(spec.num_links, 256)):.1e}"
    )
    for label, each in zip(ways, seconds, strict=True):
        ratio = f"{gradients[label] / each:17.1f}" if label in gradients else ""
        columns = f"{each * 1e3:7.1f} ms {each / work * 1e9:6.2f} ns {each / best:7.2f} {each / floor:8.1f} {ratio}"
        print(f"  {label:32s} {columns}", flush=True)
