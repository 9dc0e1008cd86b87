"""Profile the hot paths against what the device can do: `python experiments/benchmarks/hot_paths.py [a] [b] [c] [d]`.

Every workload is timed (median of a few calls, in turn) and set against a floor: the larger of the bytes that must move
at the measured rate of a copy in memory, and the operations at the measured rate of a matrix product. `memory` is the
working memory of the compiled value and gradient. The last column says which kind of operation takes the time of the
value, from the profiler.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)
sys.path.insert(0, str(Path(__file__).parents[2] / "kernels"))

import asap  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import pair_throughput  # noqa: E402
import plain  # noqa: E402
from qtn_kernels import floors  # noqa: E402
from qtn_kernels.chain_product import chain_product, noise, noisy_rotation  # noqa: E402
from shares import shares  # noqa: E402
from timing import medians, working_memory  # noqa: E402

import qtn  # noqa: E402
from qtn import channels  # noqa: E402
from qtn.circuits import circuit, gate, noise_model, run  # noqa: E402
from qtn.states import expect  # noqa: E402


@dataclass(frozen=True)
class Workload:
    """One hot path with what it must do at least."""

    value: Callable[..., Any]
    gradient: Callable[..., Any]
    """Value and gradient."""
    argument: Any
    moved: float
    """Bytes that must be read or written."""
    operations: float
    plain: tuple[Callable[[], Any], ...] = ()
    """The passes or decompositions that the value must make, alone; and their value and gradient."""
    profiled: Any = None
    """A smaller argument for the profiler, which keeps every operation of every step of a loop."""

    def compiled(self) -> tuple[Any, Any]:
        """Return value, and value and gradient, compiled for the argument."""
        value, gradient = (jax.jit(each).lower(self.argument).compile() for each in (self.value, self.gradient))
        return value, gradient


def components(evaluator: qtn.Renewal) -> int:
    """Return how many numbers describe a pair at the level that was planned."""
    assert evaluator.level is not None
    return evaluator.level.num_components


def pair_engine(num_steps: int = 65536) -> Workload:
    """(a) One tree of 8 different links, 4 numbers a step: 7 joins, 6 restarts by Fourier transforms."""
    evaluator, value, line = pair_throughput.on_grid(num_steps)
    cost = plain.tree_cost(components(evaluator), num_steps, 7, 6)
    return Workload(value, jax.value_and_grad(value), line, *cost, plain.tree_parts(evaluator, num_steps, 7, 6))


def equal_links(num_steps: int = 32768) -> Workload:
    """One tree of 8 equal links: 3 joins, 2 restarts by Fourier transforms."""
    evaluator, value, line = pair_throughput.equal_on_grid(num_steps)
    cost = plain.tree_cost(components(evaluator), num_steps, 3, 2)
    return Workload(value, jax.value_and_grad(value), line, *cost, plain.tree_parts(evaluator, num_steps, 3, 2))


def swap_asap(num_links: int = 1024) -> Workload:
    """(b) Different links, 2,048 steps: two passes over a message of 3 numbers a link."""
    chain = asap.line(num_links)
    value = asap.fidelity(qtn.Asap(step=1.0, num_steps=asap.NUM_STEPS).planned(chain, asap.POLICY))
    message = 3 * asap.NUM_STEPS
    cost = num_links * 4 * 8 * message, num_links * 8 * message
    passes = plain.in_both_modes(asap.plain, jnp.ones((num_links, 3, asap.NUM_STEPS)), chain.rates[1:])
    return Workload(value, jax.value_and_grad(value), chain, *cost, passes, asap.line(32))


def mixed_circuit(bond: int, num_points: int = 256, num_qubits: int = 64) -> Workload:
    """(c) Three layers of noisy RX and CX on a line, MPDO; on a CPU strengths one by one, which is faster there."""
    evens, odds = ([(i, i + 1) for i in range(start, num_qubits - 1, 2)] for start in (0, 1))

    def point(p: Any) -> Any:
        layer = [gate("RX", list(range(num_qubits)), 0.4), gate("CX", evens), gate("CX", odds)]
        noise = noise_model(by_name={"CX": channels.depolarising(p, 2)})
        state = run(circuit(num_qubits, layer * 3), noise, max_bond=bond)[0]
        return expect(state, {num_qubits // 2: "Z", num_qubits // 2 + 1: "Z"})

    lanes = None if jax.default_backend() == "cpu" else 64

    def sweep(function: Any) -> Any:
        return lambda strengths: jax.lax.map(function, strengths, batch_size=lanes)

    points = jnp.linspace(1e-3, 0.02, num_points)
    sizes = plain.split_sizes((evens + odds) * 3, bond, 4, 5)  # noise adds one term to the four of a CX
    sizes = {size: num_points * count for size, count in sizes.items()}
    moved = sum(count * 8 * size**2 for size, count in sizes.items())  # two sites read and written a gate
    value, gradient = sweep(point), sweep(jax.value_and_grad(point))
    cost = moved, plain.split_operations(sizes)
    return Workload(value, gradient, points, *cost, plain.decompositions(sizes), points[:8])


def products(build: Any, parameters: int, operations: int, links: int = 1000, chains: int = 4096) -> Workload:
    """(d) Ordered products of 4 x 4 matrices built from their parameters; 1e6 chains are 244 such calls."""
    numbers = 1e-3 * jnp.ones((links, parameters, chains))

    def value(p: Any) -> Any:
        return chain_product(build, p).sum()

    cost = numbers.nbytes, links * chains * operations
    return Workload(value, jax.value_and_grad(value), numbers, *cost, profiled=numbers[:32])


WORKLOADS: dict[str, Callable[[], Workload]] = {
    "a: pair engine, 8 links x 65,536 steps": pair_engine,
    "b: swap-asap, 1,024 links x 2,048 steps": swap_asap,
    "c: MPDO, 64 sites, bond 16, 256 points": lambda: mixed_circuit(16),
    "c: MPDO, 64 sites, bond 32, 256 points": lambda: mixed_circuit(32),
    "d: noise, 1,000 links x 4,096 chains": lambda: products(noise, 3, 6),
    "d: rotations, 1,000 links x 4,096 chains": lambda: products(noisy_rotation, 6, 120),
}


def measure(work: Workload, runs: int, copying: float, products_rate: float) -> None:
    """Print one row."""
    value, gradient = work.compiled()
    times = medians(runs, (value, work.argument), (gradient, work.argument))
    in_operations = work.operations / products_rate
    floor = max(work.moved / copying, in_operations)
    small = work.argument if work.profiled is None else work.profiled
    spent = shares(jax.jit(work.value), small)
    told = ", ".join(f"{kind} {share:.0%}" for kind, share in spent.items() if share >= 0.05)
    limit = "operations" if in_operations == floor else "bytes"
    print(
        f"{times[0] * 1e3:10.1f} ms {times[1] / times[0]:9.1f} {floor * 1e3:10.1f} ms {times[0] / floor:8.1f}"
        f" {limit:>11s} {working_memory(gradient) / 1e6:9.1f} MB   {told}",
        flush=True,
    )


def main() -> None:
    """Print the rates of this device, then a row for each workload."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wanted", nargs="*", metavar="a|b|c|d", help="all by default")
    wanted = parser.parse_args().wanted
    if unknown := set(wanted) - set("abcd"):
        parser.error(f"workloads are a, b, c and d, but not {', '.join(sorted(unknown))}")
    copying, rate = floors.copy_rate(5), floors.matrix_rate(5)
    print(
        f"jax {jax.__version__}, {jax.devices()[0].device_kind}: copy {copying / 1e9:.1f} GB/s, "
        f"matrix product {rate / 1e9:.0f} Gflop/s"
    )
    print(
        f"{'workload':44s} {'value':>13s} {'gradient':>9s} {'floor':>13s} {'/ floor':>8s} {'of':>11s}"
        f" {'memory':>12s}   time by kind of operation"
    )
    for name, build in WORKLOADS.items():
        if wanted and not any(name.startswith(each) for each in wanted):
            continue
        print(f"{name:44s}", end=" ", flush=True)
        measure(build(), 1 if name.startswith("c") else 5, copying, rate)


if __name__ == "__main__":
    main()
