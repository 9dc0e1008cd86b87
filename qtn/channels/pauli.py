"""Channels that are mixtures of Pauli errors: their PTM is diagonal and linear in the probabilities."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Complex, Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.channels.convert import pauli_strings
from qtn.states.pair import CHARACTERS_FROM_BELL


def _scaled(weights: Array, operators: Any) -> Array:
    """Return sqrt(w_k) A_k; weights that are negative by rounding count as 0."""
    return jnp.sqrt(jnp.maximum(weights, 0.0))[:, None, None] * operators


@pytree
class Depolarising:
    """Depolarising noise on n = 1 or 2 qubits: rho -> (1 - p) rho + p tr(rho) 1/2^n.

    Parameters: p in [0, 1], built by `depolarising`. In the repository's gate noise p = 1 - p2.
    PTM: diag(1, 1 - p, ..., 1 - p).
    Kraus: sqrt(1 - p + p/4^n) 1 and sqrt(p/4^n) P for the other 4^n - 1 Pauli strings P.
    On Phi+: (1 - 3p/4, p/4, p/4, p/4) for n = 1: a Werner state with w = 1 - p.
    Limits: p = 0 identity; p = 1 replaces the qubits by 1/2^n.

    Note:
        Exact; `ptm` is differentiable everywhere, `kraus` for 0 < p <= 1.

    References:
        Nielsen and Chuang 2010, section 8.3.4.

    Example:
        >>> depolarising(0.25).ptm().diagonal().tolist()
        [1.0, 0.75, 0.75, 0.75]
    """

    p: Float[Array, ""]
    """Probability to replace the qubits, in [0, 1]."""
    num_qubits: int = static(default=1)
    """1 or 2."""

    def ptm(self) -> Float[Array, "D D"]:
        """Return the Pauli transfer matrix (4^n, 4^n)."""
        return jnp.diag(jnp.ones(4**self.num_qubits).at[1:].set(1 - self.p))

    def kraus(self) -> Complex[Array, "k d d"]:
        """Return the 4^n Kraus operators, in Pauli order."""
        count = 4**self.num_qubits
        weights = jnp.full(count, self.p / count).at[0].add(1 - self.p)
        return _scaled(weights, pauli_strings(self.num_qubits))


@pytree
class PauliNoise:
    """Pauli errors with three probabilities: rho -> pI rho + px X rho X + py Y rho Y + pz Z rho Z.

    Parameters: px, py, pz in [0, 1], sum at most 1, pI = 1 - px - py - pz; built by `pauli_noise`.
    PTM: diag(1, 1 - 2 (py + pz), 1 - 2 (px + pz), 1 - 2 (px + py)): the characters of the weights.
    Kraus: sqrt(pI) 1, sqrt(px) X, sqrt(py) Y, sqrt(pz) Z.
    On Phi+: (pI, px, py, pz).
    Limits: (0, 0, 0) identity; (1/4, 1/4, 1/4) replaces the qubit by 1/2; (1, 0, 0) is the gate X.

    Note:
        Exact; `ptm` is differentiable everywhere, `kraus` where all four probabilities are positive.

    References:
        Nielsen and Chuang 2010, sections 8.3.3 and 8.3.4.

    Example:
        >>> pauli_noise(0.125, 0.0, 0.25).ptm().diagonal().tolist()
        [1.0, 0.5, 0.25, 0.75]
    """

    px: Float[Array, ""]
    """Probability of X."""
    py: Float[Array, ""]
    """Probability of Y."""
    pz: Float[Array, ""]
    """Probability of Z."""

    @property
    def num_qubits(self) -> int:
        """1."""
        return 1

    def _weights(self) -> Float[Array, "4"]:
        return jnp.stack([1 - self.px - self.py - self.pz, self.px, self.py, self.pz])

    def ptm(self) -> Float[Array, "4 4"]:
        """Return the Pauli transfer matrix."""
        return jnp.diag(CHARACTERS_FROM_BELL @ self._weights())

    def kraus(self) -> Complex[Array, "4 2 2"]:
        """Return the Kraus operators in the order 1, X, Y, Z."""
        return _scaled(self._weights(), pauli_strings(1))


@pytree
class Dephasing:
    """Phase flips: rho -> (1 - p) rho + p Z rho Z.

    Parameters: p in [0, 1], built by `dephasing`. A memory with coherence time T2 (T1 = inf) has p = (1 - e^(-t/T2))/2.
    PTM: diag(1, 1 - 2p, 1 - 2p, 1).
    Kraus: sqrt(1 - p) 1, sqrt(p) Z.
    On Phi+: (1 - p, 0, 0, p).
    Limits: p = 0 identity; p = 1/2 forgets the phase; p = 1 is the gate Z.

    Note:
        Exact; `ptm` is differentiable everywhere, `kraus` for 0 < p < 1.

    References:
        Nielsen and Chuang 2010, sections 8.3.3 (phase flip) and 8.3.6 (phase damping).

    Example:
        >>> dephasing(0.25).ptm().diagonal().tolist()
        [1.0, 0.5, 0.5, 1.0]
    """

    p: Float[Array, ""]
    """Probability of Z, in [0, 1]."""

    @property
    def num_qubits(self) -> int:
        """1."""
        return 1

    def ptm(self) -> Float[Array, "4 4"]:
        """Return the Pauli transfer matrix."""
        return jnp.diag(jnp.ones(4).at[1:3].set(1 - 2 * self.p))

    def kraus(self) -> Complex[Array, "2 2 2"]:
        """Return the Kraus operators in the order 1, Z."""
        return _scaled(jnp.stack([1 - self.p, self.p]), pauli_strings(1)[[0, 3]])


def depolarising(p: Any, num_qubits: int = 1) -> Depolarising:
    """Build depolarising noise on `num_qubits` = n = 1 or 2 qubits, which become 1/2^n with probability `p`.

    The chance of one of the 4^n - 1 Pauli errors, which others call p, is p (1 - 1/4^n) here.
    """
    if num_qubits not in (1, 2):
        raise ValueError(f"Argument `num_qubits` must be 1 or 2, but is {num_qubits!r}.")
    return Depolarising(p=_checks.probability("p", p), num_qubits=num_qubits)


def pauli_noise(px: Any, py: Any, pz: Any) -> PauliNoise:
    """Build Pauli noise from the probabilities of X, Y and Z; the rest, 1 - px - py - pz, does nothing."""
    noise = PauliNoise(
        px=_checks.probability("px", px), py=_checks.probability("py", py), pz=_checks.probability("pz", pz)
    )
    total = _checks.known(noise.px + noise.py + noise.pz)
    if total is not None and not total <= 1 + 1e-12:
        raise ValueError(f"Arguments `px`, `py` and `pz` must sum to at most 1, but sum to {total:.12g}.")
    return noise


def dephasing(p: Any) -> Dephasing:
    """Build dephasing with the probability `p` of a phase flip."""
    return Dephasing(p=_checks.probability("p", p))
