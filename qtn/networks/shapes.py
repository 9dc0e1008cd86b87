"""Common geometries: line, star, ring, grid, trees. All arguments of `network` are passed on."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from qtn._array import Array
from qtn.networks.network import SWAP, Network, network


def _count(name: str, value: int, least: int) -> int:
    if int(value) != value or value < least:
        raise ValueError(f"Argument `{name}` must be an integer of at least {least}, but is {value}.")
    return int(value)


def line(num_links: int, states: Any, nodes: Any = None, **options: Any) -> Network:
    """Build nodes 0 .. num_links in a line that swap between the ends; link i joins node i and i + 1."""
    count = _count("num_links", num_links, 1)
    options = {"operations": dict.fromkeys(range(1, count), SWAP)} | options
    return network([(k, k + 1) for k in range(count)], states, nodes, **options)


def star(num_links: int, states: Any, nodes: Any = None, **options: Any) -> Network:
    """Build node 0 with a link to each of the nodes 1 .. num_links."""
    return network([(0, k + 1) for k in range(_count("num_links", num_links, 1))], states, nodes, **options)


def ring(num_nodes: int, states: Any, nodes: Any = None, **options: Any) -> Network:
    """Build nodes 0 .. num_nodes - 1 in a ring; link i joins node i and the next."""
    count = _count("num_nodes", num_nodes, 3)
    return network([(k, (k + 1) % count) for k in range(count)], states, nodes, **options)


def grid(num_rows: int, num_columns: int, states: Any, nodes: Any = None, **options: Any) -> Network:
    """Build nodes (row, column) with links to the right and down, those of (0, 0) first, row by row."""
    rows, columns = _count("num_rows", num_rows, 1), _count("num_columns", num_columns, 1)
    places = [(r, c) for r in range(rows) for c in range(columns)]
    steps = [((r, c), (r + down, c + 1 - down)) for r, c in places for down in (0, 1)]
    links = [(one, other) for one, other in steps if other[0] < rows and other[1] < columns]
    named: dict[str, Any] = {"names": places}
    return network(links, states, nodes, **(named | options))


def tree(parents: Sequence[int], states: Any, nodes: Any = None, **options: Any) -> Network:
    """Build a tree from the parent of each of the nodes 1, 2, ...; link i joins node i + 1 and its parent."""
    for child, parent in enumerate(parents, 1):
        if not 0 <= parent < child:
            raise ValueError(f"Argument `parents` must name an earlier node, but that of node {child} is {parent}.")
    return network([(int(parent), child) for child, parent in enumerate(parents, 1)], states, nodes, **options)


def random_tree(num_nodes: int, states: Any, nodes: Any = None, *, key: Array, **options: Any) -> Network:
    """Build a random recursive tree: each node 1, 2, ... is joined with one of the earlier ones, all equally likely.

    `key` must be concrete: make it outside functions that are traced.
    """
    count = _count("num_nodes", num_nodes, 2)
    with jax.ensure_compile_time_eval():  # the tree is structure, also inside a function that is traced
        chances = np.asarray(jax.random.uniform(key, (count - 1,)))
    return tree([int(chance * child) for child, chance in enumerate(chances, 1)], states, nodes, **options)
