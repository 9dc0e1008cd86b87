"""Channels that lose energy: amplitude damping, its thermal form, and T1/T2 relaxation over a duration.

They move <Z> towards a fixed point, so the PTM has an entry in its first column:

    R = [[1, 0, 0, 0], [0, c, 0, 0], [0, 0, c, 0], [b, 0, 0, a]],   c coherence kept, a population kept, b pull
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree

LOWER = np.array([[0.0, 1.0], [0.0, 0.0]], dtype=complex)
"""|0><1|."""


def _root(value: Array) -> Array:
    """Return the square root with derivative 0 instead of infinity at 0."""
    return jnp.where(value > 0, jnp.sqrt(jnp.where(value > 0, value, 1.0)), 0.0)


def _damped(coherence: Array, population: Array, pull: Array) -> Float[Array, "4 4"]:
    """Return the transfer matrix with diagonal (1, c, c, a) and R_ZI = b."""
    return jnp.diag(jnp.stack([jnp.ones(()), coherence, coherence, population])).at[3, 0].set(pull)


def _diagonal(first: Array, second: Array) -> Complex[Array, "2 2"]:
    return jnp.diag(jnp.stack([first, second])).astype(jnp.complex128)


@pytree
class AmplitudeDamping:
    """Energy loss at zero temperature: |1> decays to |0> with probability g.

    Parameters: g = `gamma` in [0, 1], built by `amplitude_damping`. Photon loss of a 0/1-photon qubit with
        transmissivity 1 - g; a memory has g = 1 - e^(-t/T1).
    PTM: diagonal (1, sqrt(1-g), sqrt(1-g), 1-g), R_ZI = g.
    Kraus: |0><0| + sqrt(1-g) |1><1|, sqrt(g) |0><1|.
    On Phi+: ((1 + s)^2/4, g/4, g/4, (1 - s)^2/4) with s = sqrt(1-g); not Bell-diagonal, also <ZI> = g on that half.
    Limits: g = 0 identity; g = 1 resets to |0>. Damping by g1, then g2 is damping by 1 - (1-g1)(1-g2).

    Note:
        Exact; `ptm` is differentiable for g < 1 (at g = 1 the infinite derivative of sqrt(1-g) is replaced by 0),
        `kraus` for 0 < g < 1.

    References:
        Nielsen and Chuang 2010, section 8.3.5.

    Example:
        >>> amplitude_damping(0.75).ptm()[3].tolist()
        [0.75, 0.0, 0.0, 0.25]
    """

    gamma: Float[Array, ""]
    """Probability to decay, in [0, 1]."""

    @property
    def num_qubits(self) -> int:
        """1."""
        return 1

    def ptm(self) -> Float[Array, "4 4"]:
        """Return the Pauli transfer matrix."""
        return _damped(_root(1 - self.gamma), 1 - self.gamma, self.gamma)

    def kraus(self) -> Complex[Array, "2 2 2"]:
        """Return the Kraus operators: no decay, decay."""
        return jnp.stack([_diagonal(jnp.ones(()), jnp.sqrt(1 - self.gamma)), jnp.sqrt(self.gamma) * LOWER])


@pytree
class GeneralisedDamping:
    """Energy exchange with a warm bath: <Z> moves by the fraction g towards 1 - 2n.

    Parameters: g = `gamma` in [0, 1], n = `excited` in [0, 1] (1/2 for infinite temperature, above for inversion);
        built by `generalised_damping`.
    PTM: diagonal (1, sqrt(1-g), sqrt(1-g), 1-g), R_ZI = g (1 - 2n).
    Kraus: sqrt(1-n) times those of amplitude damping, sqrt(n) times the same with |0> and |1> exchanged.
    On Phi+: ((1 + s)^2/4, g/4, g/4, (1 - s)^2/4) with s = sqrt(1-g), for every n; <ZI> = g (1 - 2n) on that half.
    Limits: g = 0 identity; n = 0 amplitude damping; g = 1 replaces the qubit by (1-n) |0><0| + n |1><1|.

    Note:
        Exact; `ptm` is differentiable for g < 1 (at g = 1 the infinite derivative of sqrt(1-g) is replaced by 0),
        `kraus` for 0 < g, n < 1.

    References:
        Nielsen and Chuang 2010, section 8.3.5.

    Example:
        >>> generalised_damping(0.5, 0.25).ptm()[3].tolist()
        [0.25, 0.0, 0.0, 0.5]
    """

    gamma: Float[Array, ""]
    """Fraction of the way to equilibrium, in [0, 1]."""
    excited: Float[Array, ""]
    """Population of |1> in equilibrium, in [0, 1]."""

    @property
    def num_qubits(self) -> int:
        """1."""
        return 1

    def ptm(self) -> Float[Array, "4 4"]:
        """Return the Pauli transfer matrix."""
        return _damped(_root(1 - self.gamma), 1 - self.gamma, self.gamma * (1 - 2 * self.excited))

    def kraus(self) -> Complex[Array, "4 2 2"]:
        """Return the Kraus operators: cold without and with decay, hot without and with excitation."""
        cold = AmplitudeDamping(gamma=self.gamma).kraus()
        hot = cold[:, ::-1, ::-1]
        return jnp.concatenate([jnp.sqrt(1 - self.excited) * cold, jnp.sqrt(self.excited) * hot])


@pytree
class Relaxation:
    """Storage for a time t with relaxation time T1 and coherence time T2: amplitude damping, then dephasing.

    Parameters: t = `duration` >= 0 [s], finite; T1 = `t1` > 0 [s], T2 = `t2` > 0 [s], T2 <= 2 T1, both may be inf;
        built by `relaxation`. Here T2 is the full decay time of <X>: 1/T2 = 1/(2 T1) + 1/T_phi.
    PTM: diagonal (1, e^(-t/T2), e^(-t/T2), e^(-t/T1)), R_ZI = 1 - e^(-t/T1).
    Kraus: sqrt(1-p) (|0><0| + u |1><1|), sqrt(p) (|0><0| - u |1><1|), sqrt(1-u^2) |0><1|,
        u = e^(-t/(2 T1)), p = (1 - e^(-t/T2 + t/(2 T1)))/2.
    On Phi+: ((1 + a + 2c)/4, (1 - a)/4, (1 - a)/4, (1 + a - 2c)/4) with a = e^(-t/T1), c = e^(-t/T2).
    Limits: t = 0 or T1 = T2 = inf identity; T1 = inf dephasing; T2 = 2 T1 amplitude damping. Durations add.

    Note:
        Exact; `ptm` is differentiable everywhere, at t = 0 and infinite T1, T2 too; `kraus` for t > 0, T2 < 2 T1 < inf.

    References:
        Nielsen and Chuang 2010, sections 8.3.5 and 8.3.6.

    Example:
        >>> relaxation(1e-3, jnp.inf, 1e-3).ptm().diagonal().round(4).tolist()
        [1.0, 0.3679, 0.3679, 1.0]
    """

    duration: Float[Array, ""]
    """Storage time [s]."""
    t1: Float[Array, ""]
    """Relaxation time [s]; inf = none."""
    t2: Float[Array, ""]
    """Coherence time [s], at most 2 t1; inf = none."""

    @property
    def num_qubits(self) -> int:
        """1."""
        return 1

    def ptm(self) -> Float[Array, "4 4"]:
        """Return the Pauli transfer matrix."""
        exponent = -self.duration / self.t1
        return _damped(jnp.exp(-self.duration / self.t2), jnp.exp(exponent), -jnp.expm1(exponent))

    def kraus(self) -> Complex[Array, "3 2 2"]:
        """Return the Kraus operators: no decay without and with a phase flip, decay."""
        kept = jnp.exp(-self.duration / (2 * self.t1))
        flip = -jnp.expm1(-self.duration * jnp.maximum(1 / self.t2 - 1 / (2 * self.t1), 0.0)) / 2
        one = jnp.ones(())
        decay = jnp.sqrt(-jnp.expm1(-self.duration / self.t1)) * LOWER
        still = jnp.sqrt(1 - flip) * _diagonal(one, kept), jnp.sqrt(flip) * _diagonal(one, -kept)
        return jnp.stack([*still, decay])


def amplitude_damping(gamma: Any) -> AmplitudeDamping:
    """Build amplitude damping with the probability `gamma` to decay."""
    return AmplitudeDamping(gamma=_checks.probability("gamma", gamma))


def generalised_damping(gamma: Any, excited: Any) -> GeneralisedDamping:
    """Build damping by `gamma` towards the population `excited` of |1>."""
    return GeneralisedDamping(
        gamma=_checks.probability("gamma", gamma), excited=_checks.probability("excited", excited)
    )


def relaxation(duration: Any, t1: Any, t2: Any) -> Relaxation:
    """Build storage for `duration` [s] with relaxation time `t1` [s] and coherence time `t2` <= 2 `t1` [s]."""
    record = Relaxation(
        duration=_checks.require(
            "duration", duration, lambda v: (v >= 0) & np.isfinite(v), "be non-negative and finite"
        ),
        t1=_checks.positive("t1", t1),
        t2=_checks.positive("t2", t2),
    )
    longest, coherence = _checks.known(2 * record.t1), _checks.known(record.t2)
    if longest is not None and coherence is not None and not coherence <= longest * (1 + 1e-12):
        raise ValueError(f"Argument `t2` must be at most 2 `t1` = {longest:.6g} s, but is {coherence:.6g} s.")
    return record
