"""A line of links and nodes: link i joins node i and node i + 1."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from qtn._pytree import pytree, static
from qtn.hardware.node import Node
from qtn.hardware.node import node as perfect_node
from qtn.links.encoded import Ends
from qtn.links.link import Link
from qtn.links.route import route_links
from qtn.links.single_click import single_click


@pytree
class Chain:
    """Links and nodes in a line.

    A homogeneous chain stores its link (or node) once, so that the derivative with respect to it is that of
    the shared value, and equal segments are recognised as equal.
    """

    links: tuple[Link, ...]
    """The links from left to right, or the one link that all share."""

    nodes: tuple[Node, ...]
    """The num_links + 1 nodes from left to right, or the one node that all share."""

    num_links: int = static()

    herald_decay: bool = static(default=True)
    """Whether memories decay while their own pair is heralded; False: pairs are as if emitted at the herald."""

    def link_index(self, position: int) -> int:
        """Return where link `position` is stored."""
        return position if len(self.links) > 1 else 0

    def node_index(self, position: int) -> int:
        """Return where node `position` is stored."""
        return position if len(self.nodes) > 1 else 0

    def link(self, position: int) -> Link:
        """Return the link between node `position` and the next."""
        return self.links[self.link_index(position)]

    def node(self, position: int) -> Node:
        """Return node `position`."""
        return self.nodes[self.node_index(position)]

    @staticmethod
    def from_lengths(
        lengths: Sequence[Any],
        nodes: Node | Sequence[Node] | None = None,
        *,
        link: Callable[..., Link] = single_click,
        attenuation: Any = 0.2,
        midpoint: Any = 0.5,
        options: Mapping[str, Any] | Sequence[Mapping[str, Any]] = MappingProxyType({}),
        herald_decay: bool = True,
    ) -> "Chain":
        """Build a chain along a route of fibre.

        Args:
            lengths: fibre of each link from left to right [m].
            nodes: one node for all positions, or one more than there are links; perfect nodes by default.
            link: function that builds a link, such as `single_click`, `direct_transmission` or your own.
            attenuation: of the fibre [dB/km], one number or one for each link.
            midpoint: where the station (or source) of each link stands, as a fraction of its length from the left.
            options: further arguments of `link`, the same for all links or one mapping for each.
            herald_decay: see `chain`.

        Raises:
            ValueError: if the numbers of links, nodes and options do not fit, or a link cannot be built.

        Note:
            Each link is stored separately, also if lengths are equal: derivatives are per link.

        Example:
            >>> import jax; jax.config.update("jax_enable_x64", True)
            >>> line = Chain.from_lengths([40e3, 60e3], options={"bright_state": 0.05})
            >>> [round(float(each.loss_left), 12) for each in line.links]
            [4.0, 6.0]
        """
        links = route_links(lengths, build=link, attenuation=attenuation, midpoint=midpoint, options=options)
        return chain(links, nodes, herald_decay=herald_decay)


def chain(
    links: Link | Sequence[Link],
    nodes: Node | Sequence[Node] | None = None,
    num_links: int | None = None,
    *,
    herald_decay: bool = True,
) -> Chain:
    """Build a chain; a single link or node is shared by all positions.

    Args:
        links: one link for all positions (then `num_links` is needed), or all of them from left to right.
        nodes: one node for all positions, or `num_links + 1` of them; perfect nodes by default.
        num_links: number of links; may be omitted if `links` is a sequence.
        herald_decay: whether memories decay from the emission of their photon until both nodes know of the pair; False
            = the pair is as if emitted at the herald, a model that much of the literature has.

    Raises:
        ValueError: if the numbers of links and nodes do not fit, or a link between others measures its qubits.
    """
    if not isinstance(links, Sequence):
        if num_links is None:
            raise ValueError("Argument `num_links` must be given when all positions share one link.")
        links = (links,)
    elif num_links is not None and len(links) != num_links:
        raise ValueError(f"Argument `links` must hold num_links = {num_links} links, but holds {len(links)}.")
    if not isinstance(herald_decay, bool):
        raise TypeError(f"Argument `herald_decay` must be True or False, but is {herald_decay!r:.80}.")
    count = len(links) if num_links is None else num_links
    if count < 1:
        raise ValueError(f"Argument `num_links` must be at least 1, but is {count}.")
    inner = [getattr(link, "link", link) for link in links if count > 1]  # also of several memories
    if any(getattr(link, "ends", None) is Ends.MEASURED for link in inner):
        raise ValueError(
            "Argument `links` holds a link of a code whose qubits are measured at its ends, but nodes between links "
            'hold them. Build it with `ends="stored"`.'
        )
    if nodes is None:
        nodes = perfect_node()
    if not isinstance(nodes, Sequence):
        nodes = (nodes,)
    elif len(nodes) != count + 1:
        raise ValueError(f"Argument `nodes` must hold {count + 1} nodes, but holds {len(nodes)}.")
    return Chain(links=tuple(links), nodes=tuple(nodes), num_links=count, herald_decay=herald_decay)
