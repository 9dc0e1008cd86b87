"""What a network refuses, and how it says so."""

import jax.numpy as jnp
import numpy as np
import pytest

from qtn import linear_optics, node
from qtn import networks as qn

W = qn.werner_links(0.9)
TRIANGLE = [("A", "B"), ("B", "C"), ("C", "A")]
LINE = qn.line(2, W)


def network(**options):
    return qn.network(TRIANGLE, W, **options)


def state_of(network):
    return qn.reduced_state(network, qn.qubits(network))


REFUSED = {
    "self-loop": (lambda: qn.network([(0, 1), (2, 2)], W), r"two different nodes, but link 1 is \(2, 2\)"),
    "no links": (lambda: qn.network([], W), "at least one link, but is empty"),
    "names": (lambda: network(names=["A", "B"]), "names the node 'C', but the nodes are 'A', 'B'"),
    "names twice": (lambda: network(names=["A", "B", "C", "A"]), "every name once"),
    "lonely name": (lambda: network(names=["A", "B", "C", "D"]), "Node 'D' has no link"),
    "operations": (lambda: network(operations={"D": qn.SWAP}), "no node 'D'; its nodes are 'A', 'B', 'C'"),
    "root": (lambda: network(root="D"), "no node 'D'"),
    "root swaps": (
        lambda: state_of(network(operations={"A": qn.SWAP}, root="A")),
        "`root` must keep a qubit, but node 'A'",
    ),
    "graph links": (lambda: network(graph_links=[3]), "`graph_links` must hold positions from 0 to 2, but holds 3"),
    "checked links": (lambda: network(checked_links=[-1]), "`checked_links` must hold positions from 0 to 2"),
    "checked tree": (lambda: state_of(network(checked_links=[0])), r"holds link 0, which closes no loop.*: \[1\]"),
    "nodes": (lambda: network(nodes=[node()] * 2), "one node or 3 of them, but holds 2"),
    "optics": (lambda: network(nodes=node(optics=linear_optics())), "one has linear optics: use a `chain`"),
    "states": (
        lambda: qn.network(TRIANGLE, jnp.zeros((2, 4, 4))),
        r"\(4, 4\) or \(3, 4, 4\), but has shape \(2, 4, 4\)",
    ),
    "no state": (lambda: qn.network(TRIANGLE, 2 * W), "link 0 has trace 2"),
    "negative": (lambda: qn.network(TRIANGLE, jnp.diag(jnp.ones(4))), "lowest eigenvalue -0.5"),
    "werner": (lambda: qn.werner_links(1.1), r"`w` must lie in \[-1/3, 1\], but is 1.1"),
    "weights": (lambda: qn.bell_diagonal_links(jnp.ones(4)), "4 weights of sum 1"),
    "disconnected": (lambda: state_of(qn.network([(0, 1), (2, 3)], W)), "Node 2 cannot be reached from node 0"),
    "swap of three": (
        lambda: state_of(qn.star(3, W, operations={0: qn.SWAP})),
        "Node 0 has 3 links, but a swap joins two",
    ),
    "ring of swaps": (lambda: state_of(qn.ring(3, W, operations=qn.SWAP)), "Link 0 lies in a ring of swaps"),
    "joined with itself": (
        lambda: state_of(qn.ring(3, W, operations={1: qn.SWAP, 2: qn.SWAP})),
        "Swaps join node 0 with itself",
    ),
    "nothing kept": (lambda: state_of(qn.line(1, W, operations=qn.MEASURE)), "lies in a part where no qubit is kept"),
    "no receiver": (
        lambda: state_of(qn.star(2, W, graph_links=[0], operations={1: qn.MEASURE})),
        "Node 1 is measured out, but no kept node",
    ),
    "unknown qubit": (lambda: qn.reduced_state(LINE, (0, 1)), "keeps no qubit 1; it keeps 0, 2"),
    "qubit twice": (lambda: qn.reduced_state(LINE, (0, 0)), "may be named once"),
    "letter": (lambda: qn.expectation(LINE, {0: "W"}), "must hold I, X, Y or Z, but holds 'W'"),
    "no edges": (lambda: qn.graph_fidelity(LINE), r"`edges` must hold edges, each once, but is \[\]"),
    "edge twice": (lambda: qn.graph_fidelity(LINE, [(0, 2), (2, 0)]), "each once"),
    "star of none": (lambda: qn.star(0, W), "`num_links` must be an integer of at least 1, but is 0"),
    "ring of two": (lambda: qn.ring(2, W), "at least 3, but is 2"),
    "parent": (lambda: qn.tree([0, 2], W), "earlier node, but that of node 2 is 2"),
    "memory": (
        lambda: qn.graph_fidelity(qn.grid(3, 3, W, graph_links=range(12)), memory_limit=2.0**10),
        r"needs about .* at once and .* in \d+ slices, but `memory_limit` is 1 KiB",
    ),
    "open qubits": (
        lambda: qn.reduced_state(qn.star(17, W), range(18), memory_limit=2.0**30),
        r"needs about .* GiB at once.*fewer open indices",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_argument_the_value_and_the_cure(name):
    build, words = REFUSED[name]
    with pytest.raises(ValueError, match=words):
        build()


def test_the_estimate_comes_without_running():
    cost = qn.contraction_of(qn.star(14, W), qn.Coefficients(tuple(range(15))), memory_limit=2.0**40).cost
    assert cost.peak_bytes >= 8 * 4**15 and np.isfinite(cost.flops)
