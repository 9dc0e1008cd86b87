"""A chain as arrays: the numbers of all links and nodes stacked, for chains of thousands of links."""

from jaxtyping import Float

from qtn._array import Array, library
from qtn._pytree import pytree, static
from qtn.evaluators.delivery import delivered_together
from qtn.links.chain import Chain
from qtn.steps.nodes import stacked_nodes


@pytree
class Line:
    """Links and nodes in a line, one array per quantity; `jax.grad` with respect to it returns a `Line`.

    `stacked(chain)` makes one of a `Chain`. Thousands of separate objects cost seconds of Python; their arrays do not.
    """

    p_success: Float[Array, "n"]
    """(n,), probability that one attempt of each link heralds a pair, in (0, 1]."""

    attempt_time: Float[Array, "n"]
    """(n,), duration of one attempt [s]."""

    state: Float[Array, "n 4 4"]
    """(n, 4, 4), Pauli coefficients of each pair as it is delivered, see `delivering`."""

    rates: Float[Array, "nodes 3"]
    """(n + 1, 3), decay rates of X, Y, Z in the memories of each node [1/s]."""

    two_qubit: Float[Array, "nodes"]
    """(n + 1,), p2 of the gates of each node."""

    readout: Float[Array, "nodes"]
    """(n + 1,), eta of the readout of each node."""

    p_swap: Float[Array, "nodes"]
    """(n + 1,), success probability of each swap; those of the ends are unused."""

    equilibrium: tuple[float, ...] = static()
    """<Z> to which the memories of each node relax."""

    @property
    def num_links(self) -> int:
        """Return n."""
        return self.p_success.shape[0]


def stacked(chain: Chain) -> Line:
    """Return a chain as arrays.

    Raises:
        ValueError: if a node swaps by linear optics.

    Note:
        Exact, differentiable: `jax.grad` of a function of `stacked(chain)` with respect to the chain returns a `Chain`.
    """
    n = chain.num_links
    nodes = stacked_nodes(chain.nodes)
    if nodes.optical:
        raise ValueError(
            "swap_asap() needs swaps by a gate and readouts, not by linear optics: use a tree and Renewal()."
        )

    def spread(values: Array, count: int) -> Array:
        wide = (count, *values.shape[1:])
        return library(values).broadcast_to(values, wide) if values.shape[0] == 1 else values

    p_success, attempt_time, state = delivered_together(chain, nodes)
    return Line(
        p_success=spread(p_success, n),
        attempt_time=spread(attempt_time, n),
        state=state,
        rates=spread(nodes.rates, n + 1),
        two_qubit=spread(nodes.two_qubit, n + 1),
        readout=spread(nodes.readout, n + 1),
        p_swap=spread(nodes.p_swap, n + 1),
        equilibrium=tuple(nodes.equilibrium[chain.node_index(i)] for i in range(n + 1)),
    )
