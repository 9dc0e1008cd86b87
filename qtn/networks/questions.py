"""What can be asked of a network, as the tensors that close its kept qubits."""

import dataclasses
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np

from qtn.networks.layout import Layout, kept_sites, layout
from qtn.networks.network import Name, Network, Structure
from qtn.networks.terms import skeleton
from qtn.tensors.graph import Contraction, contraction

Indices = tuple[str, ...]
MEMORY_LIMIT = 4.0 * 2**30
"""Default of `memory_limit`: 4 GiB."""

_GHZ = np.array([[[1, 1], [1, -1]], [[1, 1], [1j, -1j]]]) / 2
"""V[x, z, s]: its product over all qubits, summed over s, over 2, is 2^-n times a sum over the stabilisers of GHZ."""

_VERTEX = np.array([[[1, 1], [1, -1]], [[1, 1], [-1j, 1j]]]) / 4
"""V[x, z, t] = (-1)^(t z) (-i)^(x z) / 4: the sum over t makes z the parity of the neighbours."""

_EDGE = np.fromfunction(lambda x, t, y, u: (-1.0) ** (x * y + x * u + t * y), (2, 2, 2, 2))
"""E[x, t, x', t'] of an edge: the sign of the product of both generators, and each vertex told of the other's x."""


@runtime_checkable
class Question(Protocol):
    """A question: how kept qubits are closed. Frozen and hashable."""

    def close(self, ends: dict[int, tuple[str, str]], structure: Structure) -> "Closing":
        """Return the closing of the kept sites, whose indices are `ends`."""
        ...


@dataclasses.dataclass(frozen=True)
class Closing:
    """Tensors that do not depend on the network, the sites that take a vector of the user, and the output."""

    terms: tuple[tuple[Indices, np.ndarray], ...]
    vectors: tuple[int, ...]
    output: Indices
    renamed: dict[str, str]
    """Indices that become one."""


@dataclasses.dataclass(frozen=True)
class Coefficients:
    """Pauli coefficients of some qubits; a vector closes each of the others."""

    qubits: tuple[Name, ...] = ()

    def close(self, ends: dict[int, tuple[str, str]], structure: Structure) -> Closing:
        """Leave the qubits open."""
        sites = sites_of(structure, self.qubits)
        output = tuple(index for site in sites for index in ends[site])
        return Closing(terms=(), vectors=tuple(k for k in ends if k not in sites), output=output, renamed={})


@dataclasses.dataclass(frozen=True)
class GhzOverlap:
    """<GHZ| rho |GHZ> of some qubits (all kept ones if none are named); the others are traced out."""

    qubits: tuple[Name, ...] = ()

    def close(self, ends: dict[int, tuple[str, str]], structure: Structure) -> Closing:
        """All stabilisers have the same x at every qubit."""
        sites = sites_of(structure, self.qubits) or tuple(ends)
        terms = [((ends[site][0], ends[site][1], "s"), _GHZ) for site in sites]
        others = tuple(k for k in ends if k not in sites)
        return Closing(
            terms=(*terms, (("s",), np.array([0.5, 0.5]))),
            vectors=others,
            output=(),
            renamed={ends[site][0]: ends[sites[0]][0] for site in sites},
        )


@dataclasses.dataclass(frozen=True)
class GraphOverlap:
    """<G| rho |G> of a graph state; qubits without an edge are traced out."""

    edges: tuple[tuple[Name, Name], ...]

    def close(self, ends: dict[int, tuple[str, str]], structure: Structure) -> Closing:
        """The stabiliser of the vertices with x = 1 has z = parity of their neighbours."""
        pairs = [sites_of(structure, edge) for edge in self.edges]
        sites = tuple(dict.fromkeys(site for pair in pairs for site in pair))
        terms: list[tuple[Indices, np.ndarray]] = [((*ends[site], f"t{site}"), _VERTEX) for site in sites]
        for u, v in pairs:
            terms.append(((ends[u][0], f"t{u}", ends[v][0], f"t{v}"), _EDGE))
        return Closing(terms=tuple(terms), vectors=tuple(k for k in ends if k not in sites), output=(), renamed={})


def sites_of(structure: Structure, qubits: Iterable[Name]) -> tuple[int, ...]:
    """Return the sites of kept qubits given by their labels."""
    known = kept_sites(structure)
    wanted = tuple(qubits)
    for label in wanted:
        if label not in known:
            shown = ", ".join(map(repr, list(known)[:12])) + (", ..." if len(known) > 12 else "")
            raise ValueError(f"The network keeps no qubit {label!r}; it keeps {shown}.")
    if len(set(wanted)) < len(wanted):
        raise ValueError(f"Every qubit may be named once, but given are {wanted}.")
    return tuple(known[label] for label in wanted)


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """A question to a structure, ready to be computed."""

    layout: Layout
    contraction: Contraction
    constants: tuple[np.ndarray, ...]
    vectors: tuple[int, ...]
    """Kept sites that are closed by a vector, in the order in which their vectors are given."""

    measured: tuple[int, ...]
    """Sites that are measured out."""


@lru_cache(maxsize=256)
def planned(structure: Structure, question: Question, memory_limit: float = MEMORY_LIMIT) -> Plan:
    """Lay out a network, close it and find the order of contraction; kept for the next time.

    Raises:
        ValueError: see `qtn.networks.layout.layout` and `qtn.tensors.graph.contraction`.
    """
    plan = layout(structure)
    inner, ends = skeleton(plan)
    kept = {site: ends[site] for site in range(len(ends)) if plan.sites[site].kept}
    measured = tuple(site for site in range(len(ends)) if not plan.sites[site].kept)
    closing = question.close(kept, structure)
    inputs = [*inner, *(ends[site] for site in (*measured, *closing.vectors)), *(each for each, _ in closing.terms)]
    inputs = [tuple(closing.renamed[index] if index in closing.renamed else index for index in each) for each in inputs]  # noqa: SIM401
    sizes = dict.fromkeys((index for each in inputs for index in each), 2)
    order = contraction(inputs, closing.output, sizes, memory_limit=memory_limit, item_bytes=16 if closing.terms else 8)
    return Plan(
        layout=plan,
        contraction=order,
        constants=tuple(array for _, array in closing.terms),
        vectors=closing.vectors,
        measured=measured,
    )


def contraction_of(network: Network, question: Question, *, memory_limit: float = MEMORY_LIMIT) -> Contraction:
    """Return the contraction that answers a question, with its `cost` in operations and bytes, before it is run.

    Args:
        network: whose structure counts; its numbers do not.
        question: `Coefficients(qubits)`, `GhzOverlap(qubits)` or `GraphOverlap(edges)`.
        memory_limit: largest estimated memory of the value [bytes]; indices are sliced until it is met.

    Raises:
        ValueError: if it does not fit even in slices, with the numbers.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.networks import grid, werner_links
        >>> cost = contraction_of(grid(4, 4, werner_links(0.9)), GhzOverlap()).cost
        >>> cost.peak_bytes < 1e5, cost.num_slices
        (True, 1)
    """
    return planned(network.structure, question, memory_limit).contraction
