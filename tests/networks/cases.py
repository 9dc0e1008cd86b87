"""Networks that the tests share: links in any state, noisy nodes, and the numbers that the oracles take."""

import dataclasses
from typing import Any

import jax
import numpy as np

from qtn import gates, node
from qtn import networks as qn
from tests.oracles import density


@dataclasses.dataclass(frozen=True)
class Case:
    """A network by its links; nodes are 0, 1, ..."""

    links: tuple[tuple[int, int], ...]
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    measured: tuple[int, ...] = ()

    @property
    def num_nodes(self):
        return 1 + max(max(ends) for ends in self.links)

    def numbers(self, seed=0):
        """(pairs, p2, eta): random states, noisy gates and readouts."""
        rng = np.random.default_rng(seed)
        pairs = [0.5 * density.random_state(rng) + 0.5 * density.bell_diagonal([1, 0, 0, 0]) for _ in self.links]
        return pairs, rng.uniform(0.9, 1, self.num_nodes), rng.uniform(0.9, 1, self.num_nodes)

    def network(self, pairs, p2, eta):
        states = np.array([density.coefficients(pair) for pair in pairs])
        nodes = [node(gate_set=gates(*numbers)) for numbers in zip(p2, eta, strict=True)]
        return qn.network(self.links, states, nodes, **self.options)

    def oracle(self):
        """Arguments of the oracles."""
        given = {
            name: self.options.get(key, ()) for name, key in (("graph", "graph_links"), ("checked", "checked_links"))
        }
        return given | {"root": self.options.get("root", 0), "measured": self.measured}


def grid_links(rows, columns):
    """As `qtn.networks.grid` orders them, node = row * columns + column."""
    steps = [((r, c), (r + d, c + 1 - d)) for r in range(rows) for c in range(columns) for d in (0, 1)]
    inside = [(a, b) for a, b in steps if b[0] < rows and b[1] < columns]
    return tuple((a[0] * columns + a[1], b[0] * columns + b[1]) for a, b in inside)


def ring_links(count):
    return tuple((k, (k + 1) % count) for k in range(count))


def measure(*names):
    return dict.fromkeys(names, qn.MEASURE)


STAR = tuple((0, k) for k in range(1, 7))
TREE = ((0, 1), (1, 2), (3, 1), (3, 4), (3, 5), (2, 6))

CASES = {
    "star": Case(STAR),
    "star from a leaf": Case(STAR, {"root": 3}),
    "star, hub measured": Case(STAR, {"operations": measure(0)}, (0,)),
    "line": Case(((0, 1), (1, 2), (2, 3), (3, 4))),
    "tree": Case(TREE),
    "tree, two measured": Case(TREE, {"operations": measure(1, 3)}, (1, 3)),
    "ring": Case(ring_links(8)),
    "ring, checked": Case(ring_links(8), {"checked_links": (4,)}),
    "ring, measured": Case(ring_links(6), {"operations": measure(2, 3)}, (2, 3)),
    "2 x 2": Case(grid_links(2, 2), {"checked_links": (3,)}),
    "2 x 3": Case(grid_links(2, 3), {"root": 4}),
    "parallel links": Case(((0, 1), (1, 0), (1, 2), (1, 2)), {"checked_links": (1, 3)}),
    "graph star": Case(STAR, {"graph_links": range(6)}),
    "graph ring": Case(ring_links(8), {"graph_links": range(8)}),
    "graph 2 x 3": Case(grid_links(2, 3), {"graph_links": range(7)}),
    "graph with a GHZ vertex": Case((*ring_links(5), (4, 5)), {"graph_links": (0, 2, 3, 5)}),
}

LOOPS = [name for name, case in CASES.items() if len(case.links) >= case.num_nodes]


def random_tree_links(num_nodes, seed=0):
    return qn.random_tree(num_nodes, qn.werner_links(1.0), key=jax.random.key(seed)).structure.links
