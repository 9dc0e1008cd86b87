"""What no protocol over the same loss can exceed, without and with repeaters."""

from typing import Any

import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array, library


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
    return -source_rate * library(transmissivity, source_rate).log1p(-transmissivity) / np.log(2.0)


def repeater_rate(transmissivity: Any, num_repeaters: Any, source_rate: Any) -> Float[Array, ""]:
    """Return the bound with n ideal repeaters at equal distances, -log2(1 - eta^(1/(n+1))) per use of the chain.

    Args:
        transmissivity: eta of the whole direct channel, in [0, 1).
        num_repeaters: n >= 0.
        source_rate: uses of the chain per second [Hz].

    Returns:
        Rate [bit/s]; n = 0 is `plob_rate`.

    Note:
        Exact, differentiable (n as well); at eta = 0 it is 0 with derivative 0 for n >= 1.

    References:
        Pirandola, Commun. Phys. 2, 51 (2019), arXiv:1601.00966.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> float(repeater_rate(0.25, 1, 1.0))
        1.0
    """
    eta = _checks.require("transmissivity", transmissivity, lambda v: (v >= 0) & (v < 1), "lie in [0, 1)")
    n = _checks.non_negative("num_repeaters", num_repeaters)
    xp = library(eta, n)
    lit = xp.where(eta > 0, eta, 0.5)
    segment = xp.where(eta > 0, xp.exp(xp.log(lit) / (n + 1)), 0.0)
    return plob_rate(segment, _checks.real(source_rate))


def chain_rate(transmissivities: Any, source_rate: Any) -> Float[Array, ""]:
    """Return the bound with ideal repeaters where they stand: that of the worst link, min -log2(1 - eta_i).

    Args:
        transmissivities: (n,), eta_i of each link, in [0, 1).
        source_rate: uses of the chain per second [Hz].

    Returns:
        Rate [bit/s].

    References:
        Pirandola, Commun. Phys. 2, 51 (2019), arXiv:1601.00966.
    """
    etas = _checks.require("transmissivities", transmissivities, lambda v: (v >= 0) & (v < 1), "lie in [0, 1)")
    return plob_rate(library(etas).min(etas), _checks.real(source_rate))
