"""Loss that is noticed: the qubit is replaced, and a flag says so."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.channels.convert import pauli_strings

REPLACE = np.diag([1.0, 0.0, 0.0, 0.0])
"""PTM of rho -> tr(rho) 1/2."""


@pytree
class Erasure:
    """Erasure with a flag: kept with probability 1 - p; else replaced by 1/2 and flagged.

    Parameters: p in [0, 1], built by `erasure`.
    PTM: (1 - p) 1 with flag 0, p diag(1, 0, 0, 0) with flag 1; without looking at the flag their sum
        diag(1, 1 - p, 1 - p, 1 - p), that of depolarising noise.
    Kraus: sqrt(1 - p) 1 (flag 0); sqrt(p)/2 times 1, X, Y, Z (flag 1).
    On Phi+: (1 - p) (1, 0, 0, 0) with flag 0, p (1, 1, 1, 1)/4 with flag 1, unnormalised.
    Limits: p = 0 identity; p = 1 always flagged. Who keeps only flag 0 pays in probability, not in fidelity.

    Note:
        Exact; `instrument` and `ptm` are linear in p and differentiable everywhere, `kraus` for 0 < p < 1.

    References:
        Grassl, Beth and Pellizzari 1997, arXiv:quant-ph/9610042. Wu et al. 2022, arXiv:2201.03540 (erasure conversion).

    Example:
        >>> erasure(0.25).instrument()[:, 0, 0].tolist()  # probabilities of the flags
        [0.75, 0.25]
    """

    p: Float[Array, ""]
    """Probability of an erasure, in [0, 1]."""

    @property
    def num_qubits(self) -> int:
        """1."""
        return 1

    def instrument(self) -> Float[Array, "2 4 4"]:
        """Return the trace-decreasing transfer matrices of flag 0 (kept) and flag 1 (erased)."""
        return jnp.stack([(1 - self.p) * jnp.eye(4), self.p * REPLACE])

    def ptm(self) -> Float[Array, "4 4"]:
        """Return the Pauli transfer matrix if nobody looks at the flag."""
        return self.instrument().sum(0)

    def kraus(self) -> Complex[Array, "5 2 2"]:
        """Return the Kraus operators: the first belongs to flag 0, the other four to flag 1."""
        paulis = pauli_strings(1)
        return jnp.concatenate([jnp.sqrt(1 - self.p) * paulis[:1], jnp.sqrt(self.p) / 2 * paulis])


def erasure(p: Any) -> Erasure:
    """Build an erasure channel of probability `p`."""
    return Erasure(p=_checks.probability("p", p))
