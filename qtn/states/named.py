"""Named states, exact and at their smallest bond."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qtn import _checks
from qtn._array import Array
from qtn.states.basis import BELL_SIGNS
from qtn.states.pair import CHARACTERS_FROM_BELL, bell_diagonal
from qtn.states.pair import werner as werner_weights
from qtn.states.trains import MPDO, MPS, discard, mps, require_count, zeros
from qtn.tensors.train import left_canonical, widen

MAX_GRAPH_BOND = 4096


def bell(label: str = "Phi+") -> MPS:
    """Return the Bell state Phi+, Psi+, Psi- or Phi-, bond 2: (1 x sigma)|Phi+> with sigma = I, X, i Y, Z."""
    _checks.require_double_precision()
    errors = {"Phi+": [[1, 0], [0, 1]], "Psi+": [[0, 1], [1, 0]], "Psi-": [[0, 1], [-1, 0]], "Phi-": [[1, 0], [0, -1]]}
    if label not in errors:
        raise ValueError(f"Argument `label` must be one of {', '.join(errors)}, but is {label!r}.")
    first = np.eye(2).reshape(1, 2, 2)
    second = np.array(errors[label], dtype=complex).reshape(2, 2, 1) / np.sqrt(2)
    return mps([first, second])


def bell_diagonal_pair(weights: Any) -> MPDO:
    """Return the pair with Bell weights (pI, pX, pY, pZ), bond 4: r_PP = (c_0, c_X, -c_Y, c_Z)."""
    characters = jnp.asarray(CHARACTERS_FROM_BELL) @ bell_diagonal(weights)
    first = jnp.eye(4)[None]
    second = jnp.diag(characters * BELL_SIGNS)[:, :, None]
    return MPDO(train=jnp.stack([jnp.pad(first, ((0, 3), (0, 0), (0, 0))), jnp.pad(second, ((0, 0), (0, 0), (0, 3)))]))


def werner_pair(w: Any) -> MPDO:
    """Return w Phi+ + (1 - w) 1/4, w in [-1/3, 1]."""
    return bell_diagonal_pair(werner_weights(w))


def pairs(pair: MPDO, num_pairs: int) -> MPDO:
    """Return `num_pairs` copies of a two-qubit state side by side: sites (0, 1), (2, 3), ..."""
    return MPDO(train=jnp.tile(pair.train, (require_count("num_pairs", num_pairs), 1, 1, 1)))


def ghz(num_sites: int) -> MPS:
    """Return (|0...0> + |1...1>)/sqrt(2), bond 2 (at least 2 sites)."""
    require_count("num_sites", num_sites, 2)
    copy = np.zeros((2, 2, 2))
    copy[0, 0, 0] = copy[1, 1, 1] = 1
    return mps([np.eye(2)[None], *[copy] * (num_sites - 2), np.eye(2)[:, :, None] / np.sqrt(2)])


def w(num_sites: int) -> MPS:
    """Return (|10..0> + |010..0> + ... + |0..01>)/sqrt(n), bond 2 (at least 2 sites)."""
    require_count("num_sites", num_sites, 2)
    site = np.zeros((2, 2, 2))
    site[0, 0, 0] = site[1, 0, 1] = site[0, 1, 1] = 1  # the bond counts the excitation
    last = site[:, :, 1:] / np.sqrt(num_sites)
    return mps([site[:1], *[site] * (num_sites - 2), last])


def cluster(num_sites: int) -> MPS:
    """Return the linear cluster state: |+>^n and CZ between neighbours, bond 2."""
    require_count("num_sites", num_sites, 2)
    return graph(np.eye(num_sites, k=1) + np.eye(num_sites, k=-1))


def graph(adjacency: Any) -> MPS:
    """Return the graph state of an adjacency matrix (n, n), symmetric, entries 0 or 1: |+>^n and CZ on every edge.

    Note:
        The bond carries the bits of earlier vertices that still have later neighbours: 2^k for at most k of them
        (the vertex separation of this order, at most the cut rank of the best order plus the number of duplicates).
        Order the vertices so that k is small; refused above 4,096.
    """
    edges = np.asarray(adjacency)
    if edges.ndim != 2 or edges.shape[0] != edges.shape[1] or edges.shape[0] < 2:
        raise ValueError(f"Argument `adjacency` must be a square matrix of 2 or more, but has shape {edges.shape}.")
    if not np.isin(edges, (0, 1)).all() or (edges != edges.T).any() or np.diag(edges).any():
        raise ValueError("Argument `adjacency` must be symmetric with entries 0 and 1 and a zero diagonal, but is not.")
    n = len(edges)
    alive = [[v for v in range(place + 1) if edges[v, place + 1 :].any()] for place in range(n)]
    if 2 ** max(map(len, alive)) > MAX_GRAPH_BOND:
        raise ValueError(
            f"Argument `adjacency` needs a bond of 2^{max(map(len, alive))} in this order of vertices: reorder them "
            "so that edges are short."
        )
    sites, before = [], []
    for vertex in range(n):
        after = alive[vertex]
        site = np.zeros((2 ** len(before), 2, 2 ** len(after)))
        for row in range(2 ** len(before)):
            bits = {v: row >> k & 1 for k, v in enumerate(before)}
            for bit in (0, 1):
                bits[vertex] = bit
                column = sum(bits[v] << k for k, v in enumerate(after))
                sign = (-1) ** (bit * sum(bits[v] for v in before if edges[v, vertex]))
                site[row, bit, column] = sign / np.sqrt(2)
        sites.append(site)
        before = after
    return mps(sites)


def random_mps(num_sites: int, bond: int, *, key: Array) -> MPS:
    """Return a normalised random pure state: Gaussian tensors of bond at most `bond`."""
    n = require_count("num_sites", num_sites, 2)
    real, imaginary = jax.random.normal(key, (2, n, require_count("bond", bond), 2, bond))
    train = (real + 1j * imaginary).at[0, 1:].set(0).at[-1, :, :, 1:].set(0)
    train = left_canonical(train)
    return MPS(train=train.at[-1].divide(jnp.linalg.norm(train[-1])))


def random_mpdo(num_sites: int, bond: int, *, key: Array) -> MPDO:
    """Return a random mixed state of bond `bond`^2: a random pure state of 2 n qubits with every second traced out."""
    n = require_count("num_sites", num_sites, 2)
    return discard(random_mps(2 * n, bond, key=key), tuple(range(1, 2 * n, 2)))


def plus(num_sites: int) -> MPS:
    """Return |+>^n."""
    state = zeros(num_sites)
    return MPS(train=widen(jnp.full_like(state.train, 2**-0.5), 1))
