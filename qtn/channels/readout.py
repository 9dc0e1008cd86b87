"""A readout that reports the wrong bit."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from qtn import _checks
from qtn._pytree import pytree


@pytree
class ReadoutError:
    """A Z measurement that is right with probability eta0 on |0> and eta1 on |1>; the qubit is consumed.

    Parameters: eta0, eta1 in [0, 1], built by `readout_error`.
    Effects: E_0 = eta0 |0><0| + (1 - eta1) |1><1|, E_1 = 1 - E_0; as rows
        e_0 = (1 + eta0 - eta1, 0, 0, eta0 + eta1 - 1)/2, e_1 = (1 - eta0 + eta1, 0, 0, 1 - eta0 - eta1)/2.
    PTM: none, the outcome is a bit: P(o) = tr(E_o rho) = sum_a e_o[a] r_a, the 1/2 of the Pauli vector included.
    Kraus: sqrt(E_o), if the qubit were kept.
    On Phi+: outcome o leaves the other half in E_o / tr(E_o), with probability tr(E_o)/2 = (1 +- (eta0 - eta1))/2.
    Limits: eta0 = eta1 = 1 perfect; eta0 = eta1 = eta is the repository's `readout` of a node; eta0 + eta1 = 1 tells
        nothing.

    Note:
        Exact, linear in eta0 and eta1, differentiable everywhere.

    References:
        Nielsen and Chuang 2010, section 2.2.6 (POVM). Bravyi et al. 2021, arXiv:2006.14044 (confusion matrix).

    Example:
        >>> readout_error(1.0, 0.75).effects().tolist()
        [[0.625, 0.0, 0.0, 0.375], [0.375, 0.0, 0.0, -0.375]]
    """

    eta0: Float[Array, ""]
    """Probability to report 0 given 0."""
    eta1: Float[Array, ""]
    """Probability to report 1 given 1."""

    @property
    def num_qubits(self) -> int:
        """1."""
        return 1

    def effects(self) -> Float[Array, "2 4"]:
        """Return the rows e_o with tr(E_o rho) = sum_a e_o[a] r_a."""
        zero = jnp.zeros(())
        first = jnp.stack([1 + self.eta0 - self.eta1, zero, zero, self.eta0 + self.eta1 - 1]) / 2
        return jnp.stack([first, jnp.array([1.0, 0.0, 0.0, 0.0]) - first])

    def confusion(self) -> Float[Array, "2 2"]:
        """Return P(reported row | true column): columns sum to 1."""
        return jnp.array([[self.eta0, 1 - self.eta1], [1 - self.eta0, self.eta1]])


def readout_error(eta0: Any = 1.0, eta1: Any = 1.0) -> ReadoutError:
    """Build a readout from its probabilities to be right on |0> and on |1>."""
    return ReadoutError(eta0=_checks.probability("eta0", eta0), eta1=_checks.probability("eta1", eta1))
