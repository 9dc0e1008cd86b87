"""What no repeaterless link can exceed."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def plob_rate(transmissivity: Float[Array, ""], source_rate: Float[Array, ""]) -> Float[Array, ""]:
    """Return the repeaterless bound on the key rate of a lossy channel, -log2(1 - eta) per use.

    Args:
        transmissivity: eta of the whole direct channel, in [0, 1).
        source_rate: channel uses per second [Hz].

    Returns:
        Rate [bit/s].

    References:
        Pirandola, Laurenza, Ottaviani, Banchi, Nat. Commun. 8, 15043 (2017), arXiv:1510.08863.
    """
    return -source_rate * jnp.log1p(-transmissivity) / jnp.log(2.0)
