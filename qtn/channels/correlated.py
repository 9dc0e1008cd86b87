"""Correlated dephasing: one random phase for several qubits, dense and as a matrix product operator."""

from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static

MAX_DENSE = 5
"""Most qubits for a dense transfer matrix (4^5 = 1024 rows, 8 MiB)."""


@pytree
class CorrelatedDephasing:
    """A common random phase on k qubits: rho -> E[RZ(phi)^(x k) rho RZ(-phi)^(x k)], phi ~ N(0, sigma^2).

    Parameters: sigma >= 0 [rad], finite; k = `num_qubits` >= 1, static; built by `correlated_dephasing`.
    PTM: |a><b| of Hamming weights |a|, |b| decays by v^((|a| - |b|)^2), v = e^(-sigma^2/2). As a sum of products
        sum_j q_j R(phi_j)^(x k), R(phi) the turn by phi in the plane (X, Y), phi_j = 2 pi j / (2k + 1), j = 0..2k,
        q_j = (1 + 2 sum_(m=1)^k v^(m^2) cos(m phi_j)) / (2k + 1): exact, the turns hold no harmonic above k.
    Kraus: sum_a sqrt(l_s) u_s[a] Pi_a, with Pi_a the projector on Hamming weight a and l_s, u_s the eigenvalues and
        eigenvectors of the (k+1, k+1) matrix v^((a - b)^2).
    On Phi+: ((1 + v)/2, 0, 0, (1 - v)/2) for k = 1. For k = 2 on halves of two pairs: (II, IZ, ZI, ZZ) errors with
        (3 + 4v + v^4, 1 - v^4, 1 - v^4, 3 - 4v + v^4)/8; on both halves of one pair ((1 + v^4)/2, 0, 0, (1 - v^4)/2).
    Limits: sigma = 0 identity; k = 1 dephasing with p = (1 - v)/2; large sigma keeps only what conserves the Hamming
        weight: decoherence-free subspaces. Variances sigma^2 add.

    Note:
        Exact (the phase is not wrapped or sampled); `ptm` and `mpo` are differentiable everywhere, `kraus` is not at
        degenerate eigenvalues (sigma = 0). `ptm` costs (2k + 1) 16^k and is for k <= 5. `mpo` holds k (2k + 1)^2 16
        numbers, of which 16 k (2k + 1) are not zero; its rank across the cut after l qubits is only
        min(2l, 2(k - l)) + 1, so compression halves the bond without error. Single weights q_j may be negative.

    References:
        Palma, Suominen and Ekert 1996, arXiv:quant-ph/9702001 (collective phase noise). Lidar, Chuang and Whaley 1998,
        arXiv:quant-ph/9807004 (decoherence-free subspaces).

    Example:
        >>> correlated_dephasing(0.3, 4).mpo().shape
        (4, 9, 4, 4, 9)
    """

    sigma: Float[Array, ""]
    """Standard deviation of the phase [rad]."""
    num_qubits: int = static(default=2)
    """Number k of qubits that share the phase."""

    def _nodes(self) -> tuple[Float[Array, "nodes"], Float[Array, "nodes 4 4"]]:
        """Return the weights q_j and the one-qubit turns R(phi_j)."""
        k = self.num_qubits
        harmonics = np.arange(-k, k + 1)
        phases = 2 * np.pi * np.arange(2 * k + 1) / (2 * k + 1)
        weights = jnp.cos(np.outer(phases, harmonics)) @ jnp.exp(-(harmonics**2) * self.sigma**2 / 2) / (2 * k + 1)
        return weights, jnp.asarray(np.stack([_turn(phase) for phase in phases]))

    def ptm(self) -> Float[Array, "D D"]:
        """Return the dense Pauli transfer matrix (4^k, 4^k), k <= 5."""
        if self.num_qubits > MAX_DENSE:
            raise ValueError(
                f"Argument `num_qubits` must be at most {MAX_DENSE} for a dense `ptm`, but is {self.num_qubits}: "
                "use `mpo`."
            )
        weights, turns = self._nodes()
        powers = jax.vmap(lambda turn: reduce(jnp.kron, [turn] * self.num_qubits))(turns)
        return jnp.tensordot(weights, powers, 1)

    def mpo(self) -> Float[Array, "k bond 4 4 bond"]:
        """Return one tensor per qubit, legs (left bond, out, in, right bond), bond 2k + 1.

        The bond carries the node j unchanged; the first left and the last right bond use index 0 only.
        """
        weights, turns = self._nodes()
        k, bond = self.num_qubits, len(weights)
        if k == 1:
            return jnp.zeros((1, bond, 4, 4, bond)).at[0, 0, :, :, 0].set(jnp.tensordot(weights, turns, 1))
        first = jnp.einsum("j,jab->abj", weights, turns)
        middle = jnp.einsum("jab,ji->jabi", turns, jnp.eye(bond))
        train = jnp.broadcast_to(middle, (k, *middle.shape))
        train = train.at[0].set(0.0).at[0, 0].set(first)
        return train.at[-1].set(0.0).at[-1, :, :, :, 0].set(turns)

    def kraus(self) -> Complex[Array, "s d d"]:
        """Return the k + 1 Kraus operators, all diagonal."""
        k = self.num_qubits
        heights = np.arange(k + 1)
        values, vectors = jnp.linalg.eigh(jnp.exp(-(np.subtract.outer(heights, heights) ** 2) * self.sigma**2 / 2))
        hamming = np.array([bin(index).count("1") for index in range(2**k)])
        diagonals = (vectors * jnp.sqrt(jnp.maximum(values, 0.0))).T[:, hamming]
        return (diagonals[:, :, None] * np.eye(2**k)).astype(jnp.complex128)


def _turn(phase: float) -> np.ndarray:
    """Return the transfer matrix of RZ(phase): a turn in the plane (X, Y)."""
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(phase), -np.sin(phase)], [np.sin(phase), np.cos(phase)]]
    return turn


def correlated_dephasing(sigma: Any, num_qubits: int = 2) -> CorrelatedDephasing:
    """Build a common Gaussian phase of standard deviation `sigma` [rad] on `num_qubits` qubits (static)."""
    if not isinstance(num_qubits, int) or num_qubits < 1:
        raise ValueError(f"Argument `num_qubits` must be a positive integer, but is {num_qubits!r}.")
    sigma = _checks.require("sigma", sigma, lambda v: (v >= 0) & np.isfinite(v), "be non-negative and finite")
    return CorrelatedDephasing(sigma=sigma, num_qubits=num_qubits)
