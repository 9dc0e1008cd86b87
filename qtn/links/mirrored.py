"""A link seen from its other end: left and right change places."""

import dataclasses

import numpy as np

from qtn._pytree import pytree
from qtn.links.link import Heralded, Link

X_ON_BOTH = np.outer([1.0, 1.0, -1.0, -1.0], [1.0, 1.0, -1.0, -1.0])
"""Signs of Pauli coefficients when both qubits are flipped: an X moves from one qubit of Phi+ to the other."""


@pytree
class Mirrored:
    """A link of which left and right have changed places."""

    link: Link

    def heralded(self) -> Heralded:
        """Return what the link heralds, its right node first; the X that corrects a click stays on the right."""
        pair = self.link.heralded()
        state = pair.state.T * X_ON_BOTH if pair.right_flipped else pair.state.T
        return dataclasses.replace(pair, state=state, held_left=pair.held_right, held_right=pair.held_left)


def mirrored(link: Link) -> Link:
    """Return a link seen from its other end.

        r[i, j] -> r[j, i]

    Args:
        link: any; what is mirrored twice is the link itself, what is heralded is so at once.

    Returns:
        mirrored: heralds as often and as fast, left and right memory exchanged. Where an X corrects the right qubit, it
            corrects the one that is now right.

    Note:
        Exact, differentiable.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn import abstract_link
        >>> link = abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9)
        >>> mirrored(mirrored(link)) is link
        True
    """
    if isinstance(link, Mirrored):
        return link.link
    seen = Mirrored(link=link)
    return seen.heralded() if isinstance(link, Heralded) else seen
