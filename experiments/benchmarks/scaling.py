"""How cost grows: `python experiments/benchmarks/scaling.py` prints exponents and draws scaling.svg beside this file.

Value and gradient against links n, time steps T, bond dimension chi and points B, fitted as a power over the upper half
of the range; then the throughput of a sweep on 1, 2 and 4 simulated devices, which share the cores of this machine.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import asap  # noqa: E402
import matplotlib as mpl  # noqa: E402
import numpy as np  # noqa: E402
import pair_throughput  # noqa: E402
import state_backend  # noqa: E402
from timing import medians  # noqa: E402

import qtn  # noqa: E402
from qtn.sweeps.batch import Batched  # noqa: E402

mpl.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

Case = tuple[Callable[[Any], Any], Any]
"""A function and its argument."""


def links(num_links: int) -> Case:
    """Swap-asap on 2,048 steps."""
    chain = asap.line(num_links)
    return asap.fidelity(qtn.Asap(step=1.0, num_steps=asap.NUM_STEPS).planned(chain, asap.POLICY)), chain


def steps(num_steps: int) -> Case:
    """A nested tree of 8 different links."""
    _, value, line = pair_throughput.on_grid(num_steps)
    return value, line


def bonds(bond: int) -> Case:
    """A circuit of 24 qubits whose bonds are all full and cut."""
    angles = state_backend.random_angles(24, 10)
    return lambda x: state_backend.layered(x, 24, 10, bond), angles


def exponent(sizes: Sequence[int], times: Sequence[float]) -> float:
    """Return b of time ~ size^b over the upper half of the sizes."""
    upper = len(sizes) // 2
    return float(np.polyfit(np.log(sizes[upper:]), np.log(times[upper:]), 1)[0])


def grown(build: Callable[[int], Case], sizes: Sequence[int], runs: int) -> list[list[float]]:
    """Return seconds of the value and of value and gradient at each size."""
    rows = []
    for size in sizes:
        value, argument = build(size)
        rows.append(medians(runs, (jax.jit(value), argument), (jax.jit(jax.value_and_grad(value)), argument)))
    return [list(column) for column in zip(*rows, strict=True)]


def points(sizes: Sequence[int], runs: int) -> list[list[float]]:
    """Return seconds of a sweep of so many points, value and value with derivative."""
    point, rows = pair_throughput.point_of_a_sweep(4096), []
    for size in sizes:
        werner = np.linspace(0.9, 1.0, size)
        each = [Batched(function, block=size) for function in (point, jax.value_and_grad(point))]
        rows.append(medians(runs, *((batched, werner) for batched in each)))
    return [list(column) for column in zip(*rows, strict=True)]


def throughput(num_points: int = 256) -> None:
    """Print the points a second of a sweep on the devices that this process has."""
    point = pair_throughput.point_of_a_sweep(4096)
    (used,) = medians(3, (Batched(point, block=num_points), np.linspace(0.9, 1.0, num_points)))
    print(num_points / used)


def on_devices(count: int) -> float:
    """Return the points a second on so many simulated CPU devices, in a process of its own."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={count}"
    command = [sys.executable, __file__, "--throughput"]
    found = subprocess.run(command, env={**os.environ, "XLA_FLAGS": flags}, check=True, capture_output=True, text=True)
    return float(found.stdout.split()[-1])


def draw(results: dict[str, tuple[Sequence[int], list[list[float]]]], path: Path) -> None:
    """Draw time against size, one panel each."""
    figure, panels = plt.subplots(1, len(results), figsize=(3 * len(results), 2.8), layout="constrained")
    for panel, (name, (sizes, times)) in zip(panels, results.items(), strict=True):
        for label, column, colour in zip(("value", "value and gradient"), times, ("#0072B2", "#D55E00"), strict=True):
            power = exponent(sizes, column)
            panel.loglog(sizes, column, "o-", color=colour, label=f"{label}: {power:.2f}", markersize=4)
        panel.set(xlabel=name, xticks=sizes[::2], xticklabels=[f"{size:,}" for size in sizes[::2]])
        panel.minorticks_off()
        panel.legend(loc="lower right", title="exponent", frameon=False, fontsize=8, title_fontsize=8)
    panels[0].set_ylabel("time (s)")
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Print the table and draw it."""
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}, {os.cpu_count()} cores")
    results: dict[str, tuple[Sequence[int], list[list[float]]]] = {}
    for name, build, sizes in (
        ("links n (swap-asap, T = 2,048)", links, (64, 128, 256, 512, 1024, 2048)),
        ("steps T (8 links, tree)", steps, (4096, 8192, 16384, 32768, 65536, 131072)),
        ("bond chi (24 qubits)", bonds, (8, 12, 16, 24, 32, 48)),
    ):
        results[name] = sizes, grown(build, sizes, 3)
    sizes = (8, 16, 32, 64, 128, 256)
    results["points B (8 links, T = 4,096)"] = sizes, points(sizes, 3)
    for name, (sizes, times) in results.items():
        value, gradient = (exponent(sizes, column) for column in times)
        last = ", ".join(f"{column[-1] * 1e3:.0f} ms" for column in times)
        print(f"{name:32s} exponents {value:5.2f}, {gradient:5.2f}; at {sizes[-1]:,}: {last}", flush=True)
    draw(results, Path(__file__).with_name("scaling.svg"))
    one = on_devices(1)
    for count in (1, 2, 4):
        found = one if count == 1 else on_devices(count)
        print(f"sweep on {count} simulated devices: {found:8.1f} points/s, {found / one:.2f} of one", flush=True)


if __name__ == "__main__":
    throughput() if "--throughput" in sys.argv[1:] else main()
