"""Links of which photons arrive at the nodes, and the checks that they share.

Each node registers a photonic qubit with two threshold detectors, or in a memory that heralds what it stores
(`qtn.hardware.analyser`); a pair is heralded when both nodes register.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.hardware.analyser import p_faithful, p_false, p_register
from qtn.states import pair


def registered_state(
    p_source: Any, source_state: Float[Array, "4"], eta_left: Any, eta_right: Any, dark_left: Any, dark_right: Any
) -> Float[Array, "4 4"]:
    """Return the pair that both nodes register, unnormalised.

        r_II = p_s aA aB + (1 - p_s) a0A a0B,      r_kk = p_s fA fB c_k      (a, f: `qtn.hardware.analyser`)

    Args:
        p_source: p_s, probability that the source emits a pair.
        source_state: (4,), Bell weights of the pair that it emits.
        eta_left: probability that the left photon would be detected.
        eta_right: the same for the right photon.
        dark_left: dark-count probability per detector and window of the left node.
        dark_right: of the right node.

    Returns:
        state: (4, 4), Pauli coefficients; state[0, 0] is the probability that both register.

    Note:
        Exact, differentiable.
    """
    both = p_register(eta_left, dark_left) * p_register(eta_right, dark_right)
    false = p_false(dark_left) * p_false(dark_right)
    faithful = p_faithful(eta_left, dark_left) * p_faithful(eta_right, dark_right)
    state = p_source * faithful * pair.pauli_from_bell(source_state)
    return jnp.asarray(state).at[0, 0].set(p_source * both + (1 - p_source) * false)


def spdc_state(
    mean_pairs: Any, visibility: Any, eta_left: Any, eta_right: Any, dark_count_probability: Any
) -> Float[Array, "4 4"]:
    """Return the pair that both nodes register from a source of entangled light with all its multi-pair terms.

    The source emits two two-mode squeezed states, one per polarisation, of l = mean_pairs / 2 pairs each. With
    D = 1 + (etaA + etaB - etaA etaB) l, the probability s that one detector stays silent, and the covariance C of
    two detectors that see the same polarisation:

        s = (1 - pd) / (1 + eta l)      C = (1 - pd)^2 etaA etaB l (1 + l) / [(1 + etaA l)(1 + etaB l) D]
        r_II = (1 - sA^2)(1 - sB^2) + 2 sA sB C + C^2           r_XX = -r_YY = r_ZZ = 2 V C

    Args:
        mean_pairs: mu = 2 l, mean number of pairs in one attempt, >= 0.
        visibility: V, of the correlations apart from multi-pair terms, in [0, 1] (outcomes flip with (1 - V)/2).
        eta_left: probability that a left photon would be detected.
        eta_right: the same for a right photon.
        dark_count_probability: pd, per detector and window.

    Returns:
        state: (4, 4), Pauli coefficients of the pair of qubits with the statistics of the detectors, both clicks of
            a node counted as a random outcome; state[0, 0] is the probability that both register.

    Note:
        Exact to all orders in the number of pairs, differentiable, also at mu = 0 with dark counts.

    References:
        Ma, Fung, Lo, Phys. Rev. A 76, 012307 (2007), arXiv:quant-ph/0703122 (gain and error rate; the same formulas,
        apart from the dark counts that turn a right click into a double one).
    """
    light, silent = _checks.real(mean_pairs) / 2, 1 - _checks.real(dark_count_probability)
    left, right = 1 + eta_left * light, 1 + eta_right * light
    s_left, s_right = silent / left, silent / right
    click_left = (dark_count_probability + eta_left * light) / left
    click_right = (dark_count_probability + eta_right * light) / right
    joint = left * right * (1 + (eta_left + eta_right - eta_left * eta_right) * light)
    covariance = silent**2 * eta_left * eta_right * light * (1 + light) / joint
    independent = click_left * (1 + s_left) * click_right * (1 + s_right)
    both = independent + 2 * s_left * s_right * covariance + covariance**2
    correlation = 2 * visibility * covariance
    return jnp.diag(jnp.stack([both, correlation, -correlation, correlation]))


def source_weights(fidelity: Any, bell_diagonal: Any) -> Float[Array, "4"]:
    """Return the checked Bell weights of a source: those given, or of the Werner state of a fidelity (1 by default)."""
    if bell_diagonal is None:
        return pair.from_fidelity(1.0 if fidelity is None else scalar("fidelity", _checks.probability, fidelity))
    if fidelity is not None:
        raise ValueError("The arguments `fidelity` and `bell_diagonal` must not both be given; keep one of them.")
    return pair.bell_diagonal(bell_diagonal)


def scalar(name: str, check: Any, value: Any) -> Array:
    """Return a checked single number."""
    array = check(name, value)
    if array.shape != ():
        raise ValueError(f"Argument `{name}` must be a single number, but has shape {array.shape}.")
    return array


def dark_count(name: str, value: Any) -> Array:
    """Check that all values lie in [0, 1)."""
    return _checks.require(name, value, lambda v: (v >= 0) & (v < 1), "lie in [0, 1)")


def non_negative_finite(name: str, value: Any) -> Array:
    """Check that all values are >= 0 and finite."""
    return _checks.require(name, value, lambda v: (v >= 0) & np.isfinite(v), "be non-negative and finite")


def at_least_one(name: str, value: Any) -> Array:
    """Check that all values are >= 1 and finite."""
    return _checks.require(name, value, lambda v: (v >= 1) & np.isfinite(v), "be at least 1 and finite")


def optional_time(value: Any) -> Array | None:
    """Return a checked attempt time, or None."""
    return None if value is None else scalar("attempt_time", _checks.positive_finite, value)
