"""Networks that are not a line: stars, rings, trees, grids and any other graph of links, as tensor networks.

Names of one word as in the other folders: `qtn.networks.star(6, states)`, `qtn.networks.ghz_fidelity(network)`.
"""

from qtn.networks.network import (
    FUSE,
    KEEP,
    MEASURE,
    SWAP,
    Network,
    Operation,
    bell_diagonal_links,
    network,
    werner_links,
)
from qtn.networks.questions import MEMORY_LIMIT, Coefficients, GhzOverlap, GraphOverlap, contraction_of
from qtn.networks.results import (
    expectation,
    ghz_fidelity,
    graph_fidelity,
    qubits,
    reduced_state,
    success_probability,
)
from qtn.networks.shapes import grid, line, random_tree, ring, star, tree

__all__ = [
    "FUSE",
    "KEEP",
    "MEASURE",
    "MEMORY_LIMIT",
    "SWAP",
    "Coefficients",
    "GhzOverlap",
    "GraphOverlap",
    "Network",
    "Operation",
    "bell_diagonal_links",
    "contraction_of",
    "expectation",
    "ghz_fidelity",
    "graph_fidelity",
    "grid",
    "line",
    "network",
    "qubits",
    "random_tree",
    "reduced_state",
    "ring",
    "star",
    "success_probability",
    "tree",
    "werner_links",
]
