"""A readout that reports the wrong bit."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Complex, Float

from qtn import _checks
from qtn._array import Array
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


@pytree
class Misread:
    """A classical bit that is stored wrongly: 0 becomes 1 with probability p_one, 1 becomes 0 with p_zero.

    Parameters: p_one, p_zero in [0, 1], built by `misread`. As the noise of MEASURE it is a readout error, that of
        `ReadoutError` with eta0 = 1 - p_one, eta1 = 1 - p_zero, whose bit stays in the state.
    PTM: R_II = 1, R_ZI = p_zero - p_one, R_ZZ = 1 - p_one - p_zero, else 0: coherence is lost.
    Kraus: sqrt(1 - p_one) |0><0|, sqrt(p_one) |1><0|, sqrt(1 - p_zero) |1><1|, sqrt(p_zero) |0><1|.
    On Phi+: diagonal, correlation ZZ = 1 - p_one - p_zero, fidelity (2 - p_one - p_zero)/4.
    Limits: both 0 dephase; p_one + p_zero = 1 forgets the bit.

    Note:
        Exact, linear in both, differentiable everywhere.

    References:
        Bravyi et al. 2021, arXiv:2006.14044 (confusion matrix).

    Example:
        >>> misread(0.25, 0.5).ptm()[3].tolist()
        [0.25, 0.0, 0.0, 0.25]
    """

    p_one: Float[Array, ""]
    """Probability to store 1 given 0."""
    p_zero: Float[Array, ""]
    """Probability to store 0 given 1."""

    @property
    def num_qubits(self) -> int:
        """1."""
        return 1

    def ptm(self) -> Float[Array, "4 4"]:
        """Return the Pauli transfer matrix."""
        kept = jnp.zeros((4, 4)).at[0, 0].set(1.0)
        return kept.at[3, 0].set(self.p_zero - self.p_one).at[3, 3].set(1 - self.p_one - self.p_zero)

    def kraus(self) -> Complex[Array, "4 2 2"]:
        """Return the Kraus operators."""
        weights = jnp.stack([1 - self.p_one, self.p_one, 1 - self.p_zero, self.p_zero])
        places = jnp.zeros((4, 2, 2)).at[jnp.arange(4), jnp.array([0, 1, 1, 0]), jnp.array([0, 0, 1, 1])].set(1.0)
        return (jnp.sqrt(weights)[:, None, None] * places).astype(complex)


def misread(p_one: Any, p_zero: Any) -> Misread:
    """Build a wrongly stored bit from the probabilities to store 1 given 0, and 0 given 1."""
    return Misread(p_one=_checks.probability("p_one", p_one), p_zero=_checks.probability("p_zero", p_zero))
