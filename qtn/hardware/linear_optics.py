"""A Bell measurement by linear optics: two stored qubits leave as time-bin photons and meet at a beam splitter."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.hardware.detector import p_click_one, p_click_two, p_click_zero


@pytree
class LinearOptics:
    """Two photons, a balanced beam splitter and two threshold detectors; at best every second attempt succeeds."""

    efficiency: Float[Array, ""]
    """eta, probability that the photon of a qubit would be detected, retrieval from the memory included."""

    visibility: Float[Array, ""]
    """V, Hong-Ou-Mandel visibility of the two photons."""

    dark_count_probability: Float[Array, ""]
    """pd, per detector and window."""

    def factors(self) -> Float[Array, "4"]:
        """Return f_k, what a successful measurement leaves of the k-th Pauli of the measured qubits.

            f = 2 (same + apart, 2 c, 2 c, apart - same),   same = g2 g0,  apart = g^2,  c = e^2 V eta^2 / 4

        f[0] is the probability of success for qubits that are maximally mixed, (1, 1, 1, 1) / 2 for a perfect one.

        Note:
            Exact, differentiable; the click probabilities are those of `qtn.hardware.detector`.
        """
        eta, dark = self.efficiency, self.dark_count_probability
        same = p_click_two(eta, eta, self.visibility, dark) * p_click_zero(dark)
        apart = p_click_one(eta, dark) ** 2
        coherence = (1 - dark) ** 2 * self.visibility * eta**2 / 4
        return 2 * jnp.stack([apart + same, coherence, coherence, apart - same])


def linear_optics(efficiency: Any = 1.0, visibility: Any = 1.0, dark_count_probability: Any = 0.0) -> LinearOptics:
    """Build a Bell measurement by linear optics; by default nothing is lost, and every second attempt succeeds.

    Args:
        efficiency: probability that the photon of a qubit would be detected, in (0, 1].
        visibility: Hong-Ou-Mandel visibility, in [0, 1].
        dark_count_probability: per detector and window, in [0, 1).

    References:
        Luetkenhaus, Calsamiglia, Suominen, Phys. Rev. A 59, 3295 (1999), arXiv:quant-ph/9809063 (why 1/2).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> linear_optics().factors().tolist()
        [0.5, 0.5, 0.5, 0.5]
    """
    return LinearOptics(
        efficiency=_checks.positive_probability("efficiency", efficiency),
        visibility=_checks.probability("visibility", visibility),
        dark_count_probability=_checks.probability("dark_count_probability", dark_count_probability),
    )
