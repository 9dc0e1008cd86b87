"""An eavesdropper as a channel whose third party is kept: what the parties receive, and what Eve holds.

An attack acts on one qubit on its way. It is a channel (`ptm`, `kraus`, `num_qubits`) and knows in addition which state
Eve has of each qubit that was sent: `eve()[e, f, a, b]` maps rho_ab to her state of e, f.
"""

from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.merit.entropy import trace_norm, von_neumann
from qtn.merit.pair import Pair, coefficients
from qtn.states.basis import PAULI_MATRICES
from qtn.states.pair import CHARACTERS_FROM_BELL

SYMBOLS = {
    "z": np.array([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], dtype=complex),
    "x": np.array([[[1, 1], [1, 1]], [[1, -1], [-1, 1]]], dtype=complex) / 2,
}
"""The two states that are sent in either basis."""


class Basis(StrEnum):
    """A basis in which bits are sent and measured."""

    Z = "z"
    X = "x"


class Cloner(StrEnum):
    """Which qubits a probe disturbs alike."""

    PHASE_COVARIANT = "phase_covariant"
    """Those of X and Z measurements: the best probe against BB84."""
    UNIVERSAL = "universal"
    """All."""


@runtime_checkable
class Attack(Protocol):
    """What an eavesdropper does to each qubit on its way."""

    @property
    def num_qubits(self) -> int:
        """1."""
        ...

    def ptm(self) -> Float[Array, "4 4"]:
        """Return the Pauli transfer matrix from sent to received."""
        ...

    def kraus(self) -> Complex[Array, "k 2 2"]:
        """Return Kraus operators from sent to received."""
        ...

    def eve(self) -> Complex[Array, "e e 2 2"]:
        """Return the linear map from what is sent to Eve's state."""
        ...


@pytree
class InterceptResend:
    """Measure a fraction of the qubits in Z or X at random and send on what was found: `intercept_resend`.

    Parameters: p = `fraction` in [0, 1].
    PTM: diagonal (1, 1 - p/2, 1 - p, 1 - p/2).
    Kraus: sqrt(1-p) I, sqrt(p/2) |b><b| for the four states b of Z and X.
    Eve: nothing with probability 1 - p, or basis and outcome; after the basis is told she knows half of these bits.
    Limits: p = 0 no attack; p = 1 breaks entanglement, error rate 1/4.

    References:
        Bennett, Bessette, Brassard, Salvail, Smolin, J. Cryptology 5, 3 (1992).
    """

    fraction: Float[Array, ""]

    @property
    def num_qubits(self) -> int:
        """1."""
        return 1

    def ptm(self) -> Float[Array, "4 4"]:
        """Return the Pauli transfer matrix."""
        p = jnp.asarray(self.fraction)
        return jnp.diag(jnp.stack([jnp.ones(()), 1 - p / 2, 1 - p, 1 - p / 2]))

    def kraus(self) -> Complex[Array, "5 2 2"]:
        """Return the Kraus operators: none, then the outcomes of Z and of X."""
        p, found = jnp.asarray(self.fraction), np.concatenate([SYMBOLS["z"], SYMBOLS["x"]])
        return jnp.concatenate([jnp.sqrt(1 - p) * np.eye(2)[None], jnp.sqrt(p / 2) * found])

    def eve(self) -> Complex[Array, "5 5 2 2"]:
        """Return the map to Eve's record: nothing, then the outcomes of Z and of X."""
        p, found = jnp.asarray(self.fraction), np.concatenate([SYMBOLS["z"], SYMBOLS["x"]])
        seen = jnp.concatenate([(1 - p) * np.eye(2, dtype=complex)[None], p / 2 * np.swapaxes(found, 1, 2)])
        return jnp.einsum("ef,eab->efab", np.eye(5), seen)


@pytree
class EntanglingProbe:
    """Let each qubit interact with four states of a probe, and keep the probe: `entangling_probe`.

    Parameters: t = `angle` in [0, pi/2]; the parties see the error rate D = sin^2(t/2) in Z and X.
    PTM: diagonal; phase-covariant (1, 1-2D, (1-2D)^2, 1-2D), universal (1, 1-2D, 1-2D, 1-2D).
    Kraus: sqrt(w_i) P_i, Eve holds |i>; w = ((1-D)^2, D(1-D), D^2, D(1-D)) or (1 - 3D/2, D/2, D/2, D/2).
    Limits: t = 0 no attack; the symmetric cloners at D = (1 - 1/sqrt 2)/2 (fidelity .8535..) and 1/6 (5/6).

    References:
        Fuchs, Gisin, Griffiths, Niu, Peres, Phys. Rev. A 56, 1163 (1997), arXiv:quant-ph/9701039;
        Buzek, Hillery, Phys. Rev. A 54, 1844 (1996), arXiv:quant-ph/9607018;
        Bruss, Cinchetti, D'Ariano, Macchiavello, Phys. Rev. A 62, 012302 (2000), arXiv:quant-ph/9909046.
    """

    angle: Float[Array, ""]
    """[rad]."""
    cloner: Cloner = static(default=Cloner.PHASE_COVARIANT)

    @property
    def num_qubits(self) -> int:
        """1."""
        return 1

    def amplitudes(self) -> Float[Array, "4"]:
        """Return the square roots of the weights of I, X, Y and Z."""
        kept, spoilt = jnp.cos(jnp.asarray(self.angle) / 2), jnp.sin(jnp.asarray(self.angle) / 2)
        if self.cloner is Cloner.PHASE_COVARIANT:
            return jnp.stack([kept**2, kept * spoilt, spoilt**2, kept * spoilt])
        one = spoilt / np.sqrt(2)
        return jnp.stack([jnp.sqrt(1 - 3 * one**2), one, one, one])

    def ptm(self) -> Float[Array, "4 4"]:
        """Return the Pauli transfer matrix."""
        return jnp.diag(CHARACTERS_FROM_BELL @ self.amplitudes() ** 2)

    def kraus(self) -> Complex[Array, "4 2 2"]:
        """Return the Kraus operators."""
        return self.amplitudes()[:, None, None] * PAULI_MATRICES

    def eve(self) -> Complex[Array, "4 4 2 2"]:
        """Return the map to the state of the probe."""
        operators = self.kraus()
        return jnp.einsum("eca,fcb->efab", operators, jnp.conj(operators))


def intercept_resend(fraction: Any) -> InterceptResend:
    """Return the attack that measures a fraction of all qubits in a random basis and sends on what it found.

    Args:
        fraction: p in [0, 1].

    Raises:
        ValueError: if it lies outside.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> round(float(error_rate(intercept_resend(0.4))), 12)  # p/4
        0.1
    """
    return InterceptResend(fraction=_checks.probability("fraction", fraction))


def entangling_probe(angle: Any, cloner: Cloner | str = Cloner.PHASE_COVARIANT) -> EntanglingProbe:
    """Return the attack that entangles each qubit with a probe, disturbing it by an angle.

    Args:
        angle: t in [0, pi/2] [rad]; the error rate is sin^2(t/2).
        cloner: which qubits are disturbed alike; a `Cloner` or its word.

    Raises:
        ValueError: if the angle lies outside, or the cloner is unknown.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> symmetric = entangling_probe(np.pi / 4)  # the phase-covariant cloner: Bob's fidelity is Eve's guess
        >>> round(1 - float(error_rate(symmetric)), 10), round(float(guessing_probability(symmetric)), 10)
        (0.8535533906, 0.8535533906)
    """
    kind = _checks.choice("cloner", cloner, Cloner)
    t = _checks.require("angle", angle, lambda v: (v >= 0) & (v <= np.pi / 2), "lie in [0, pi/2]")
    return EntanglingProbe(angle=t, cloner=kind)


def require_attack(attack: Any) -> None:
    """Raise unless something is an attack on single qubits, or None.

    Raises:
        ValueError: with what attacks there are.
    """
    if attack is not None and not (isinstance(attack, Attack) and attack.num_qubits == 1):
        raise ValueError(
            "Argument `attack` must be an attack on one qubit on its way, such as `intercept_resend(0.4)` or "
            f"`entangling_probe(0.5)`, but is a {type(attack).__name__}."
        )


def error_rate(attack: Attack, basis: Basis | str | None = None) -> Float[Array, ""]:
    """Return the rate of errors that an attack makes in a basis; None = the mean of Z and X."""
    lengths = jnp.diagonal(attack.ptm())
    if basis is None:
        return (2 - lengths[1] - lengths[3]) / 4
    return (1 - lengths[3 if _checks.choice("basis", basis, Basis) is Basis.Z else 1]) / 2


def eve_states(attack: Attack, basis: Basis | str = Basis.Z) -> Complex[Array, "2 e e"]:
    """Return Eve's density matrices of the two bits, for signals of a basis."""
    symbols = SYMBOLS[_checks.choice("basis", basis, Basis)]
    return jnp.einsum("efab,sab->sef", attack.eve(), symbols)


def guessing_probability(attack: Attack, basis: Basis | str = Basis.Z) -> Float[Array, ""]:
    """Return the probability that Eve guesses a bit once its basis is told: 1/2 + |rho_0 - rho_1|_1 / 4 (Helstrom)."""
    states = eve_states(attack, basis)
    return 0.5 + trace_norm(states[0] - states[1]) / 4


def holevo_information(attack: Attack, basis: Basis | str = Basis.Z) -> Float[Array, ""]:
    """Return the most that Eve can know of a bit once its basis is told: S((rho_0 + rho_1)/2) - mean S(rho_s) [bit].

    Note:
        Exact; the slope of an entropy at an eigenvalue 0, infinite in truth, is taken as 0: at strength 0, the
        derivative leaves out what diverges.
    """
    states = eve_states(attack, basis)
    return von_neumann((states[0] + states[1]) / 2) - (von_neumann(states[0]) + von_neumann(states[1])) / 2


def attacked(pair: Pair, attack: Attack) -> Float[Array, "4 4"]:
    """Return the Pauli coefficients (4, 4) of a pair whose second qubit met an attack on its way."""
    return coefficients(pair) @ attack.ptm().T
