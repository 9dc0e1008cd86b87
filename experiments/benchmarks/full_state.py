"""Time the full state: `python experiments/benchmarks/full_state.py`.

A swap chain of 1,024 nodes and a nested distillation of 128 pairs, each with its gradient with respect to every number
of the hardware, beside the times that qns-3 reports for its tensor-network back end (arXiv:2412.08956). The hardware
differs: the numbers say which scale is within reach, they are no race.
"""

import time
from collections.abc import Callable
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import qtn  # noqa: E402
from qtn.evaluators.full_state import FullState, Timeline, num_pairs, timeline_of  # noqa: E402

REPORTED = {"swap chain of 1,024 nodes": 334.0, "nested distillation of 128 pairs": 108.0}
"""Seconds of qns-3, arXiv:2412.08956."""


def different_chain(num_links: int) -> qtn.Chain:
    """Return a chain of which every link and node has numbers of its own."""
    rng = np.random.default_rng(0)
    links = [qtn.abstract_link(p_success=0.1, attempt_time=1e-3, werner=w) for w in rng.uniform(0.9995, 1.0, num_links)]
    nodes = [
        qtn.node(qtn.depolarising_memory(time), qtn.gates(p2, eta))
        for time, p2, eta in zip(
            rng.uniform(500.0, 1000.0, num_links + 1),
            rng.uniform(0.9995, 1.0, num_links + 1),
            rng.uniform(0.9997, 1.0, num_links + 1),
            strict=True,
        )
    ]
    return qtn.chain(links, nodes)


def timed(call: Callable[[], Any]) -> tuple[str, Any]:
    """Return the times of one call as text, and its result."""
    wall, processor = time.perf_counter(), time.process_time()
    result = jax.block_until_ready(call())
    return f"{time.perf_counter() - wall:.2f} s ({time.process_time() - processor:.2f} s of processor)", result


def measure(name: str, chain: qtn.Chain, timeline: Timeline) -> None:
    """Print first and repeated times of the value and of the value with gradient."""
    ends = [event.slots[0] for event in timeline.events[-2:]]

    def fidelity(chain: qtn.Chain) -> Any:
        outcome = FullState().run(chain, timeline)
        r = outcome.correlations(ends)
        return (1 + r[1, 1] - r[2, 2] + r[3, 3]) / 4, outcome.log_probability

    print(f"{name}: {len(timeline.events)} events; qns-3 reports {REPORTED[name]:.0f} s (state alone, other hardware)")
    for what, call in (("value", fidelity), ("value and gradient", jax.value_and_grad(fidelity, has_aux=True))):
        for note in ("with compilation", "again"):
            text, result = timed(lambda call=call: call(chain))
            print(f"  {what}, {note}: {text}", flush=True)
    (value, log_probability), slopes = result
    numbers = sum(np.size(leaf) for leaf in jax.tree.leaves(slopes))
    finite = all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(slopes))
    print(f"  fidelity {float(value):.12f}, log of the probability {float(log_probability):.6f}")
    print(f"  {numbers} derivatives, all finite: {finite}")


def main() -> None:
    """Print both."""
    rng = np.random.default_rng(1)
    swaps = qtn.sequential(1023)
    measure("swap chain of 1,024 nodes", different_chain(1023), timeline_of(swaps, rng.uniform(0, 0.05, 1023)))
    rounds = qtn.nested(0, rounds=(7,), protocol=qtn.DEJMPS)
    measure(
        "nested distillation of 128 pairs",
        different_chain(1),
        timeline_of(rounds, rng.uniform(0, 0.05, num_pairs(rounds.tree))),
    )


if __name__ == "__main__":
    main()
