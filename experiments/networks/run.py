"""Star, ring, grid and random tree with noisy links and nodes: fidelity, slopes, cost.

    python experiments/networks/run.py

prints the table of README.md and writes grid.svg next to this file.
"""

import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import qtn
from qtn import networks as qn

jax.config.update("jax_enable_x64", True)

HERE = Path(__file__).parent
NOISY = qtn.node(gate_set=qtn.gates(two_qubit=0.99, readout=0.99))
BETTER = qtn.node(gate_set=qtn.gates(two_qubit=0.9995, readout=0.9995))
KEY = jax.random.key(0)
ROWS = 4
CLUSTER_LINKS = range(2 * ROWS * (ROWS - 1))

CASES = {
    "star of 6 links, GHZ": (lambda w: qn.star(6, w, NOISY), 6, (0.90, 0.99)),
    "ring of 8 nodes, GHZ": (lambda w: qn.ring(8, w, NOISY), 8, (0.90, 0.99)),
    "ring, loop checked": (lambda w: qn.ring(8, w, NOISY, checked_links=[4]), 8, (0.90, 0.99)),
    "4 x 4 grid, GHZ": (lambda w: qn.grid(ROWS, ROWS, w, NOISY), 24, (0.90, 0.99)),
    "4 x 4 grid, cluster": (lambda w: qn.grid(ROWS, ROWS, w, NOISY, graph_links=CLUSTER_LINKS), 24, (0.90, 0.99)),
    "random tree of 100, GHZ": (lambda w: qn.random_tree(100, w, BETTER, key=KEY), 99, (0.99, 0.999)),
}


def row(name: str) -> str:
    build, num_links, span = CASES[name]
    w = jnp.asarray(np.random.default_rng(0).uniform(*span, num_links))
    network = build(qn.werner_links(w))
    names, cluster = network.structure.names, bool(network.structure.graph_links)
    edges = tuple((names[first], names[second]) for first, second in network.structure.links)
    target = qn.graph_fidelity if cluster else qn.ghz_fidelity
    start = time.perf_counter()
    cost = qn.contraction_of(network, qn.GraphOverlap(edges) if cluster else qn.GhzOverlap()).cost
    path = time.perf_counter() - start
    value = jax.jit(jax.value_and_grad(lambda w: target(build(qn.werner_links(w)))))
    start = time.perf_counter()
    jax.block_until_ready(value(w))
    compiled = time.perf_counter() - start
    start = time.perf_counter()
    fidelity, slopes = jax.block_until_ready(value(w))
    run = time.perf_counter() - start
    numbers = (
        f"{fidelity:.6f} | {slopes.min():.4f} .. {slopes.max():.4f} | {cost.flops:,} | {cost.peak_bytes / 1024:.0f}"
    )
    return f"| {name} | {numbers} | {cost.gradient_bytes / 1024:.0f} | {path:.1f} | {compiled:.1f} | {1e3 * run:.2f} |"


def main() -> None:
    print("| network | fidelity | dF/dw of a link | flops | value KiB | gradient KiB | path s | compile s | run ms |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in CASES:
        print(row(name), flush=True)
    w = np.random.default_rng(0).uniform(0.90, 0.99, 24)
    (HERE / "grid.svg").write_text(drawing(w))


def drawing(w: np.ndarray) -> str:
    return qtn.draw_network(qn.grid(ROWS, ROWS, qn.werner_links(w), NOISY))


if __name__ == "__main__":
    main()
