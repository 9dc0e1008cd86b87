"""Every two-qubit gate: SU(4) by 15 angles, made of the named gates of `qtn.circuits.gates`."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Complex

from qtn import _checks
from qtn._array import Array
from qtn.circuits.gates import GATES

NUM_ANGLES = 15
"""The dimension of SU(4): 3 for each of four one-qubit gates, 3 for the entangling core."""


def su4(angles: Any) -> Complex[Array, "4 4"]:
    """Return the two-qubit gate of 15 angles, up to a global phase.

        G = (U(t9, t10, t11) x U(t12, t13, t14)) RXX(t6) RYY(t7) RZZ(t8) (U(t0, t1, t2) x U(t3, t4, t5))

    Args:
        angles: (15,) [rad].

    Returns:
        matrix: first qubit slowest.

    Raises:
        ValueError: if `angles` does not hold 15 numbers.

    Note:
        Exact; reaches every gate, and every derivative is finite. `jax.vmap` it over many gates.

    References:
        Kraus and Cirac 2001, arXiv:quant-ph/0011050, eq. 1 (Cartan decomposition).

    Example:
        >>> cnot_like = su4(jnp.zeros(15).at[6].set(jnp.pi / 2))  # RXX(pi/2)
        >>> [round(x, 6) for x in jnp.abs(cnot_like[0]).tolist()]
        [0.707107, 0.0, 0.0, 0.707107]
    """
    t = _checks.real(angles)
    if t.shape != (NUM_ANGLES,):
        raise ValueError(f"Argument `angles` must have shape ({NUM_ANGLES},), but has {t.shape}: use `jax.vmap`.")
    one_qubit, (xx, yy, zz) = GATES["U"].matrix, (GATES[name].matrix for name in ("RXX", "RYY", "RZZ"))
    before = jnp.kron(one_qubit(*t[0:3]), one_qubit(*t[3:6]))
    after = jnp.kron(one_qubit(*t[9:12]), one_qubit(*t[12:15]))
    return after @ xx(t[6]) @ yy(t[7]) @ zz(t[8]) @ before
