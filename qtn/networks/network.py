"""A network of any geometry: nodes, links between pairs of them, and what every node does with its qubits."""

import dataclasses
import enum
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.hardware.node import Node
from qtn.hardware.node import node as perfect_node
from qtn.links.link import Link
from qtn.states.basis import BELL_SIGNS, from_pauli_vector
from qtn.states.pair import CHARACTERS_FROM_BELL
from qtn.steps.nodes import stacked_nodes

Name = Hashable


class Operation(enum.Enum):
    """What a node does with its halves of links, in the order of its links; outcomes are averaged over, corrected.

    A half is joined by a CNOT from the node's qubit to it and a measurement of it in Z (`qtn.fuse`); the node's qubit
    is its half of the link by which the spanning tree reaches it (of the first link of the tree at the root).
    """

    KEEP = "keep"
    """Keep every half as a qubit of its own."""

    FUSE = "fuse"
    """Join all halves to one qubit, which is kept."""

    MEASURE = "measure"
    """Join all halves to one qubit, and measure that in X: the others keep their GHZ state (`measure_out`)."""

    SWAP = "swap"
    """Bell measurement of two halves, corrected at the end away from the root (`swap_map`); succeeds with `p_swap`."""


KEEP, FUSE, MEASURE, SWAP = Operation


@dataclasses.dataclass(frozen=True)
class Structure:
    """Everything about a network that is no number; hashable."""

    names: tuple[Name, ...]
    links: tuple[tuple[int, int], ...]
    """Positions of both nodes of each link; the state of the link has its first qubit at the first node."""

    operations: tuple[Operation, ...]
    root: int
    graph_links: frozenset[int]
    checked_links: frozenset[int]


@pytree
class Network:
    """Links of any graph with their states, and the nodes that join them."""

    states: Float[Array, "*batch links 4 4"]
    """Pauli coefficients r[i, j] = tr(P_i x P_j rho) of each link."""

    two_qubit: Float[Array, "*batch nodes"]
    """p2 of each node: after its CNOT rho -> p2 rho + (1 - p2) tr_ab(rho) x 1/4."""

    readout: Float[Array, "*batch nodes"]
    """eta of each node."""

    p_swap: Float[Array, "*batch nodes"]
    """Success probability of each swap."""

    structure: Structure = static()


def network(
    links: Sequence[tuple[Name, Name]],
    states: Any,
    nodes: Node | Sequence[Node] | None = None,
    *,
    names: Sequence[Name] | None = None,
    operations: Operation | Mapping[Name, Operation] = FUSE,
    root: Name | None = None,
    graph_links: Sequence[int] = (),
    checked_links: Sequence[int] = (),
) -> Network:
    """Build a network from its links.

    A spanning tree grows from the root, breadth first, in the order of the links. At each node the half of the
    link towards the root comes first; every other half is measured against it, and its outcome goes, as X, to the far
    half of that link, one step away from the root: sequential fusion outwards. All nodes together hold a GHZ state.
    A link that closes a loop needs no correction: its two outcomes are ignored or, in `checked_links`, compared, which
    detects errors. A measured-out node sends its outcome, as Z, to the kept node nearest to the root (first reached).

    A link in `graph_links` gets a Hadamard gate (perfect) on its half away from the root: it becomes an edge of a graph
    state, and each of its outcomes goes as Z to the other end. If all links do, the nodes hold the graph state
    of the network. Nodes joined by ordinary links are then one vertex, held as GHZ state.

    Args:
        links: (node, node), any hashable names; parallel links are allowed.
        states: of the links: (4, 4) Pauli coefficients for all or (links, 4, 4), or a link or a sequence of links.
        nodes: one node for all, or one each in the order of `names`; perfect nodes by default. Their gates and
            `p_swap` count; memories do not (there is no time here) and linear optics is refused.
        names: of the nodes, in order; by default sorted where they are all integers, else as they first appear.
        operations: of all nodes, or of those named; the others fuse.
        root: a node that keeps a qubit; by default the first.
        graph_links: positions of links that become edges of a graph state.
        checked_links: positions of links that close a loop: runs are kept only if their two outcomes agree.

    Returns:
        network: its leaves are numbers, so `jax.grad` with respect to it returns a `Network`.

    Raises:
        ValueError: if a link joins a node with itself, names a node that is not there, or the parts do not fit.

    Note:
        Structure is checked here; what the operations need (a connected graph, two halves at a swap) where it is
        used. Exact, differentiable.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> triangle = network([("A", "B"), ("B", "C"), ("C", "A")], werner_links(0.9))
        >>> triangle.states.shape, triangle.structure.names
        ((3, 4, 4), ('A', 'B', 'C'))
    """
    pairs = [tuple(pair) for pair in links]
    places = {name: place for place, name in enumerate(_ordered_names(pairs, names))}
    for position, pair in enumerate(pairs):
        if len(pair) != 2 or pair[0] == pair[1]:
            raise ValueError(f"Argument `links` must join two different nodes, but link {position} is {pair}.")
    count = len(pairs)
    for name, positions in (("graph_links", graph_links), ("checked_links", checked_links)):
        for position in positions:
            if not 0 <= position < count:
                raise ValueError(f"Argument `{name}` must hold positions from 0 to {count - 1}, but holds {position}.")
    chosen = operations if isinstance(operations, Mapping) else dict.fromkeys(places, operations)
    for name in (*chosen, *(() if root is None else (root,))):
        if name not in places:
            raise ValueError(f"The network has no node {name!r}; its nodes are {_listed(list(places))}.")
    gates = _node_numbers(nodes, len(places))
    structure = Structure(
        names=tuple(places),
        links=tuple((places[first], places[second]) for first, second in pairs),
        operations=tuple(chosen.get(name, FUSE) for name in places),
        root=-1 if root is None else places[root],
        graph_links=frozenset(graph_links),
        checked_links=frozenset(checked_links),
    )
    return Network(states=link_states(states, count), structure=structure, **gates)


def _listed(names: Sequence[Name]) -> str:
    """Return the first names for a message."""
    return ", ".join(map(repr, names[:12])) + (", ..." if len(names) > 12 else "")


def _ordered_names(pairs: Sequence[tuple[Any, ...]], names: Sequence[Name] | None) -> list[Name]:
    """Return all names in order, each once."""
    found = dict.fromkeys(name for pair in pairs for name in pair)
    if not found:
        raise ValueError("Argument `links` must hold at least one link, but is empty.")
    if names is None:
        whole = all(isinstance(name, int) for name in found)
        return sorted(found) if whole else list(found)  # pyright: ignore[reportArgumentType, reportCallIssue]
    if len(set(names)) != len(names):
        raise ValueError(f"Argument `names` must hold every name once, but is {_listed(list(names))}.")
    for name in found:
        if name not in names:
            raise ValueError(f"Argument `links` names the node {name!r}, but the nodes are {_listed(list(names))}.")
    for name in names:
        if name not in found:
            raise ValueError(f"Node {name!r} has no link: the network must be connected.")
    return list(names)


def _node_numbers(nodes: Node | Sequence[Node] | None, count: int) -> dict[str, Array]:
    """Return the numbers of all nodes, one array each."""
    given = perfect_node() if nodes is None else nodes
    each = list(given) if isinstance(given, Sequence) else [given] * count
    if len(each) != count:
        raise ValueError(f"Argument `nodes` must hold one node or {count} of them, but holds {len(each)}.")
    found = stacked_nodes(each)
    if found.optical:
        raise ValueError("Argument `nodes` must measure by gates and readouts; one has linear optics: use a `chain`.")
    return {"two_qubit": found.two_qubit, "readout": found.readout, "p_swap": found.p_swap}


def link_states(states: Any, count: int) -> Float[Array, "links 4 4"]:
    """Return checked Pauli coefficients (count, 4, 4) of links, given in any of the ways that `network` takes."""
    if isinstance(states, Link):
        states = states.heralded().state
    elif isinstance(states, Sequence) and any(isinstance(one, Link) for one in states):
        states = jnp.stack([one.heralded().state for one in states])
    found = _checks.real(states)
    if found.shape not in ((4, 4), (count, 4, 4)):
        raise ValueError(f"Argument `states` must have shape (4, 4) or ({count}, 4, 4), but has shape {found.shape}.")
    found = jnp.broadcast_to(found, (count, 4, 4))
    known = _checks.known(found)
    for position, state in enumerate([] if known is None else known):
        lowest = np.linalg.eigvalsh(np.asarray(from_pauli_vector(state)))[0]
        if abs(state[0, 0] - 1) > 1e-9 or lowest < -1e-9:
            raise ValueError(
                f"Argument `states` must hold states, but link {position} has trace {state[0, 0]:.6g} "
                f"and lowest eigenvalue {lowest:.3g}."
            )
    return found


def werner_links(w: Any) -> Float[Array, "... 4 4"]:
    """Return the Pauli coefficients of Werner states w Phi+ + (1 - w) 1/4, (...) -> (..., 4, 4); w in [-1/3, 1]."""
    w = _checks.require("w", w, lambda v: (v >= -1 / 3) & (v <= 1), "lie in [-1/3, 1]")
    noise = jnp.diag(jnp.array([0.0, 1.0, -1.0, 1.0]))
    return w[..., None, None] * noise + jnp.zeros((4, 4)).at[0, 0].set(1.0)


def bell_diagonal_links(weights: Any) -> Float[Array, "... 4 4"]:
    """Return the Pauli coefficients of Bell weights (Phi+, Psi+, Psi-, Phi-), (..., 4) -> (..., 4, 4)."""
    weights = _checks.probability("weights", weights)
    known = _checks.known(weights)
    if weights.shape[-1:] != (4,) or (known is not None and np.abs(known.sum(-1) - 1).max() > 1e-9):
        raise ValueError(f"Argument `weights` must hold 4 weights of sum 1, but has shape {weights.shape}.")
    correlations = jnp.asarray(BELL_SIGNS) * jnp.einsum("ij,...j->...i", jnp.asarray(CHARACTERS_FROM_BELL), weights)
    return jnp.asarray(correlations)[..., None] * jnp.eye(4)
