"""What a network delivers: states of some qubits, expectation values, fidelities with GHZ and graph states."""

from collections.abc import Mapping, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.networks.network import SWAP, Name, Network
from qtn.networks.questions import (
    MEMORY_LIMIT,
    Coefficients,
    GhzOverlap,
    GraphOverlap,
    Plan,
    Question,
    kept_sites,
    planned,
    sites_of,
)
from qtn.networks.terms import BITS, PAULI_OF_BITS, measured, tensors

_TRACE = np.array([1.0, 0.0, 0.0, 0.0])


@partial(jax.jit, static_argnums=0)
def _answer(plan: Plan, network: Network, vectors: Float[Array, "vectors 4"]) -> Array:
    """Contract a network with one row vector of Pauli coefficients for each kept qubit that a question leaves."""
    ends = [measured(network.readout[plan.layout.sites[site].node]) for site in plan.measured]
    given = [vector[BITS].reshape(2, 2) for vector in vectors]
    return plan.contraction([*tensors(network, plan.layout), *ends, *given, *map(jnp.asarray, plan.constants)])


def _asked(network: Network, question: Question, memory_limit: float) -> Array:
    """Answer a question, all qubits that it does not name traced out."""
    _checks.require_double_precision()
    plan = planned(network.structure, question, memory_limit)
    return _answer(plan, network, jnp.tile(jnp.asarray(_TRACE), (len(plan.vectors), 1)))


def qubits(network: Network) -> tuple[Name, ...]:
    """Return the labels of all kept qubits: the name of the node, or (name, link) where it keeps several halves."""
    return tuple(kept_sites(network.structure))


def success_probability(network: Network, *, memory_limit: float = MEMORY_LIMIT) -> Float[Array, ""]:
    """Return the probability that all swaps succeed and all checked loops agree.

    Note:
        Exact, differentiable.
    """
    if not network.structure.checked_links:
        swaps = [place for place, operation in enumerate(network.structure.operations) if operation is SWAP]
        return jnp.prod(network.p_swap[np.array(swaps, int)])
    return _asked(network, Coefficients(), memory_limit)


def reduced_state(
    network: Network, qubits: Sequence[Name], *, memory_limit: float = MEMORY_LIMIT
) -> Float[Array, "..."]:
    """Return the state of some kept qubits, all others traced out.

    Args:
        network: the links and nodes.
        qubits: labels of kept qubits (see `qubits`), in the order of the axes.
        memory_limit: largest estimated memory of the value [bytes]; what exceeds it is sliced, or refused. A gradient
            takes more: `contraction_of(...).cost.gradient_bytes` tells.

    Returns:
        state: (4,) * k, r[i1 .. ik] = tr(P_i1 x .. x P_ik rho); r[0 .. 0] is the probability of success.

    Raises:
        ValueError: if a qubit is not kept, or the contraction does not fit.

    Note:
        Exact for links in any state; differentiable with respect to `network`; compiled once per structure.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.networks import SWAP, network, werner_links
        >>> line = network([(0, 1), (1, 2)], werner_links(0.9), operations={1: SWAP})
        >>> [round(float(one), 12) for one in reduced_state(line, (0, 2)).diagonal()]
        [1.0, 0.81, -0.81, 0.81]
    """
    found = _asked(network, Coefficients(tuple(qubits)), memory_limit)
    for axis in range(len(qubits)):
        found = jnp.take(found.reshape((4,) * axis + (-1,) + found.shape[axis + 2 :]), PAULI_OF_BITS, axis)
    return found


def expectation(
    network: Network, paulis: Mapping[Name, str] | Sequence[Mapping[Name, str]], *, memory_limit: float = MEMORY_LIMIT
) -> Float[Array, "..."]:
    """Return mean values of Pauli strings on the kept qubits, given success.

    Args:
        network: the links and nodes.
        paulis: label -> "X", "Y" or "Z", identity elsewhere; one string or several.
        memory_limit: see `reduced_state`.

    Returns:
        mean: () or one for each string.

    Note:
        Exact, differentiable. Strings are data: another string compiles nothing.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.networks import star, werner_links
        >>> means = expectation(star(3, werner_links(0.9)), [{1: "Z", 2: "Z"}, {k: "X" for k in range(4)}])
        >>> [round(float(mean), 12) for mean in means]
        [0.81, 0.729]
    """
    plan = planned(network.structure, Coefficients(), memory_limit)
    strings = [paulis] if isinstance(paulis, Mapping) else list(paulis)
    vectors = np.tile(_TRACE, (len(strings), len(plan.vectors), 1))
    for number, string in enumerate(strings):
        for site, letter in zip(sites_of(network.structure, string), string.values(), strict=True):
            if letter not in tuple("IXYZ"):
                raise ValueError(f"Argument `paulis` must hold I, X, Y or Z, but holds {letter!r}.")
            vectors[number, plan.vectors.index(site)] = np.eye(4)["IXYZ".index(letter)]
    together = max(int(memory_limit // max(plan.contraction.cost.peak_bytes, 1)), 1)
    answer = partial(_answer, plan, network)
    found = jax.lax.map(answer, jnp.asarray(vectors), batch_size=max(min(together, len(strings)), 1))
    found = found / success_probability(network, memory_limit=memory_limit)
    return found[0] if isinstance(paulis, Mapping) else found


def ghz_fidelity(
    network: Network, qubits: Sequence[Name] = (), *, memory_limit: float = MEMORY_LIMIT
) -> Float[Array, ""]:
    """Return <GHZ| rho |GHZ> of kept qubits (all by default; the others are traced out), given success.

    Note:
        Exact, differentiable. The target is contracted with the network, never written out: 100 qubits are no harder
        than the graph.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.networks import ring, werner_links
        >>> round(float(ghz_fidelity(ring(8, werner_links(1.0)))), 12)
        1.0
    """
    found = _asked(network, GhzOverlap(tuple(qubits)), memory_limit)
    return jnp.real(found) / success_probability(network, memory_limit=memory_limit)


def graph_fidelity(
    network: Network, edges: Sequence[tuple[Name, Name]] | None = None, *, memory_limit: float = MEMORY_LIMIT
) -> Float[Array, ""]:
    """Return <G| rho |G> of a graph state on kept qubits, given success.

    Args:
        network: the links and nodes.
        edges: of the graph state, as labels of kept qubits; by default the graph links of the network.
        memory_limit: see `reduced_state`.

    Raises:
        ValueError: if an edge is given twice or joins a qubit with itself, or no graph link joins two kept qubits.

    Note:
        Exact, differentiable. The target is contracted with the network, never written out.

    References:
        Hein, Eisert, Briegel, Phys. Rev. A 69, 062311 (2004), arXiv:quant-ph/0307130.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.networks import grid, werner_links
        >>> cluster = grid(4, 4, werner_links(1.0), graph_links=range(24))
        >>> round(float(graph_fidelity(cluster)), 12)
        1.0
    """
    if edges is None:
        plan = planned(network.structure, Coefficients(), memory_limit).layout
        ends = [(plan.sites[each.first], plan.sites[each.second]) for each in plan.segments if each.graph]
        edges = [(one.label, other.label) for one, other in ends if one.kept and other.kept]
    given = tuple((first, second) for first, second in edges)
    if not given or len({frozenset(edge) for edge in given}) < len(given):
        raise ValueError(f"Argument `edges` must hold edges, each once, but is {list(given)}.")
    found = _asked(network, GraphOverlap(given), memory_limit)
    return jnp.real(found) / success_probability(network, memory_limit=memory_limit)
