"""All benchmarks: `python experiments/benchmarks/suite.py` runs the scripts of this folder one after another.

    python experiments/benchmarks/suite.py --quick           # under a minute: hot paths against this machine class
    python experiments/benchmarks/suite.py --quick --store   # make what was measured the new baseline

The quick table gives each workload in units of a yardstick that is timed in the same run (a plain version of the
passes that the workload must make), and how that compares with the stored baseline of the same machine class. It is
for developers: look at it before and after a change, on a quiet machine. Nothing fails.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import asap  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import pair_throughput  # noqa: E402
import state_backend  # noqa: E402
from timing import medians  # noqa: E402

import qtn  # noqa: E402

HERE = Path(__file__).parent
BASELINES = HERE / "baselines.json"
SCRIPTS = (
    "pair_engine",
    "pair_throughput",
    "asap",
    "state_backend",
    "full_state",
    "sweep_store",
    "hot_paths",
    "scaling",
    "compile_times",
    "small_matrices",
)

Timed = tuple[tuple[Any, ...], tuple[Any, ...]]
"""(workload, yardstick), each a function with its arguments."""


def machine_class() -> str:
    """Return what baselines are kept for: device and number of cores."""
    device = jax.devices()[0]
    return f"{device.device_kind}, {platform.machine()}, {os.cpu_count()} cores"


def copies(megabytes: int) -> tuple[Any, ...]:
    """Return a copy of so much memory: the yardstick of memory bandwidth."""
    return jax.jit(lambda array: array + 1.0), jnp.zeros(megabytes * 125_000)


def pair_value() -> Timed:
    """One tree of 8 different links on 16,384 steps, against its recurrences and Fourier transforms."""
    evaluator, value, line = pair_throughput.on_grid(16384)
    return (jax.jit(value), line), (pair_throughput.parts(evaluator, 16384),)


def pair_gradient() -> Timed:
    """The same with every derivative."""
    evaluator, value, line = pair_throughput.on_grid(16384)
    return (jax.jit(jax.grad(value)), line), (pair_throughput.parts(evaluator, 16384),)


def asap_pass(differentiate: bool) -> Timed:
    """256 links x 2,048 steps of swap-asap, against one pass of its recurrences."""
    line = asap.line(256)
    once = asap.fidelity(qtn.Asap(step=1.0, num_steps=asap.NUM_STEPS).planned(line, asap.POLICY))
    function = jax.jit(jax.grad(once) if differentiate else once)
    return (function, line), (asap.plain, jnp.ones((256, 3, asap.NUM_STEPS)), line.rates[1:])


def mixed_circuit() -> Timed:
    """A noisy GHZ ladder of 64 qubits with its derivative, against a copy of 1 MB."""
    return (jax.jit(jax.value_and_grad(lambda p: state_backend.noisy_ghz(p, 64))), 1e-3), copies(1)


def pure_circuit() -> Timed:
    """The gradient of 32 qubits, 6 layers, bond 16 by 570 angles, against a copy of 1 MB."""
    layers = 6
    angles = jnp.linspace(0.1, 1.0, 2 * 32 * layers + 31 * layers)
    return (jax.jit(jax.grad(lambda x: state_backend.layered(x, 32, layers, 16))), angles), copies(1)


WORKLOADS: dict[str, Callable[[], Timed]] = {
    "pair engine, 8 links x 16,384 steps, value / its parts": pair_value,
    "pair engine, the same, gradient / its parts": pair_gradient,
    "swap-asap, 256 links x 2,048 steps, value / plain pass": lambda: asap_pass(False),
    "swap-asap, the same, gradient / plain pass": lambda: asap_pass(True),
    "mixed state, noisy GHZ of 64 qubits, value and gradient / 1 MB": mixed_circuit,
    "pure state, 32 qubits, bond 16, gradient / 1 MB": pure_circuit,
}


def quick(store: bool) -> None:
    """Print the quick table; keep it as the baseline if asked."""
    known = json.loads(BASELINES.read_text()) if BASELINES.exists() else {}
    here = machine_class()
    before = known.get(here, {})
    print(f"{here}, jax {jax.__version__}" + ("" if before else "; no baseline of this machine class yet: use --store"))
    print(f"{'workload / yardstick':66s} {'time':>10s} {'ratio':>9s} {'baseline':>9s} {'now / then':>11s}")
    found = {}
    for name, build in WORKLOADS.items():
        used, yardstick = medians(7, *build())
        found[name] = used / yardstick
        then = before.get(name)
        told = f"{then:9.2f} {found[name] / then:11.2f}" if then else f"{'-':>9s} {'-':>11s}"
        print(f"{name:66s} {used * 1e3:7.2f} ms {found[name]:9.2f} {told}", flush=True)
    if store:
        known[here] = {name: round(value, 3) for name, value in found.items()}
        BASELINES.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
        print(f"stored in {BASELINES.name}")


def main() -> None:
    """Run all, or the quick table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="hot paths only, against the stored baseline")
    parser.add_argument("--store", action="store_true", help="with --quick: keep the result as the baseline")
    options = parser.parse_args()
    if options.quick:
        quick(options.store)
        return
    for name in SCRIPTS:
        print(f"\n== {name}", flush=True)
        subprocess.run([sys.executable, str(HERE / f"{name}.py")], check=True)


if __name__ == "__main__":
    main()
