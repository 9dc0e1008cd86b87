"""The quick table: hot paths in units of plain passes, against the baseline of this machine class.

Each workload is timed beside a yardstick (a plain version of the passes that the workload must make) and compared with
what `baselines.json` keeps. It is for developers: look at it before and after a change, on a quiet machine. Nothing
fails. `suite.py --quick` prints it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import asap  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import pair_throughput  # noqa: E402
import state_backend  # noqa: E402
from device import machine_class  # noqa: E402
from timing import medians  # noqa: E402

import qtn  # noqa: E402

HERE = Path(__file__).parent
BASELINES = HERE / "baselines.json"

Timed = tuple[tuple[Any, ...], tuple[Any, ...]]
"""(workload, yardstick), each a function with its arguments."""


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
