"""Clocks in different places: two that share a pair, K that share a GHZ state, and weighted sums of fields."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.evaluators.outcome import Result, Summary
from qtn.sensing.dense_fisher import logarithmic_derivative
from qtn.sensing.fisher import quantum_fisher
from qtn.sensing.generator import State, generator, turned
from qtn.sensing.measured import local_fisher, parity_fisher
from qtn.states.dense import DensityMatrix, dense, to_train
from qtn.states.local import apply_local
from qtn.states.named import plus
from qtn.states.pair import bell_diagonal
from qtn.states.trains import MPDO, normalise, to_mixed
from qtn.states.two_qubits import Pair, pair_of, pair_to_mixed
from qtn.tensors.subspace import dagger

DIFFERENCE = np.array([1.0, -1.0])
"""H = (Z_1 - Z_2) / 2."""

MOST_SENSORS = 7
"""Sensors up to which the whole Fisher matrix is computed."""


@pytree
class ClockComparison:
    """What a shared pair tells of the difference of two clocks, and how much more that is than without."""

    fisher: Float[Array, ""]
    """Quantum Fisher information for H = (Z_1 - Z_2) / 2: 4 for a perfect pair, 2 for two qubits on their own."""

    fisher_unstable: Float[Array, ""]
    """The same where the phase of the laser, common to both clocks, is lost."""

    gain: Float[Array, ""]
    """How many times smaller the uncertainty is than that of qubits on their own, with a stable laser."""

    gain_unstable: Float[Array, ""]
    """The same with a laser whose phase is lost, against the parity of qubits on their own (correlation
    spectroscopy)."""


def clock_comparison(pair: Any) -> ClockComparison:
    """Compare two clocks through a pair: how well the difference of their frequencies is read off it.

        F = 4 v^2 / (v + (1 - v)/2)   for a Werner pair v Psi+ + (1 - v) 1/4

    Each clock turns its half about Z. Pairs near Phi+ or Phi- see the sum of both turns, so one clock flips its qubit
    first (a local X): what is better is taken.

    Args:
        pair: what a chain delivers (`Outcome`, `Summary` or its Pauli coefficients (4, 4)), its Bell weights (4,), a
            `Pair`, or a train or density matrix of two qubits.

    Returns:
        found: Fisher informations, and gains in uncertainty over two qubits without entanglement.

    Raises:
        ValueError: if the state is not one of two qubits.

    Note:
        Exact for any state; differentiable, but where both flips are equally good.

    References:
        Nichol et al., Nature 609, 689 (2022), arXiv:2111.10336: gains of sqrt(2) and 2 for a perfect pair.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.states import bell
        >>> found = clock_comparison(bell("Psi+"))
        >>> round(float(found.gain) ** 2, 10), round(float(found.gain_unstable), 10)
        (2.0, 2.0)
    """
    mixed = _two_qubits(pair)
    sides = [mixed, apply_local(mixed, 1, np.diag([1.0, 1.0, -1.0, -1.0]))]
    stable = jnp.max(jnp.stack([quantum_fisher(each, weights=DIFFERENCE) for each in sides]))
    unstable = jnp.max(jnp.stack([quantum_fisher(without_laser(each), weights=DIFFERENCE) for each in sides]))
    apart = plus(2)
    return ClockComparison(
        fisher=stable,
        fisher_unstable=unstable,
        gain=_root(stable / local_fisher(apart, weights=DIFFERENCE)),
        gain_unstable=_root(unstable / parity_fisher(without_laser(to_mixed(apart)), weights=DIFFERENCE, angle=RIGHT)),
    )


RIGHT = np.array([0.0, np.pi / 2])
"""Directions in which two qubits that start along X have the steepest parity [rad]."""


def without_laser(state: MPDO) -> MPDO:
    """Return two qubits after a turn by a common phase that nobody knows: (XX + YY) and (XY - YX) are left of those."""
    r = pair_of(state, 0, 1).correlations
    even, odd = (r[1, 1] + r[2, 2]) / 2, (r[1, 2] - r[2, 1]) / 2
    flat = jnp.diag(jnp.stack([r[0, 0], even, even, r[3, 3]]))
    kept = flat.at[0, 3].set(r[0, 3]).at[3, 0].set(r[3, 0]).at[1, 2].set(odd).at[2, 1].set(-odd)
    return pair_to_mixed(Pair(correlations=kept))


def _root(value: Array) -> Array:
    """Return the square root, with slope 0 at 0."""
    return jnp.where(value > 0, jnp.sqrt(jnp.where(value > 0, value, 1.0)), 0.0)


def _two_qubits(pair: Any) -> MPDO:
    """Return any description of a pair as a train."""
    if isinstance(pair, (Result, Summary)):
        pair = pair.state
    if isinstance(pair, DensityMatrix):
        pair = to_train(pair)
    if isinstance(pair, Pair):
        pair = pair.correlations
    if not hasattr(pair, "train"):
        numbers = _checks.real(pair)
        if numbers.shape not in ((4,), (4, 4)):
            raise ValueError(
                "Argument `pair` must be a state of two qubits, its Bell weights (4,) or its Pauli coefficients "
                f"(4, 4), but has shape {numbers.shape}."
            )
        signs = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [-1, 1, -1, 1], [1, -1, -1, 1]])
        whole = jnp.diag(signs @ bell_diagonal(numbers)) if numbers.shape == (4,) else numbers
        return pair_to_mixed(Pair(correlations=jnp.asarray(whole)))
    if pair.num_sites != 2:
        raise ValueError(f"Argument `pair` must be a state of two qubits, but has {pair.num_sites}.")
    found = normalise(to_mixed(pair))
    assert isinstance(found, MPDO)
    return found


def fused_fisher(bell_weights: Any) -> Float[Array, ""]:
    """Return the quantum Fisher information of K clocks whose GHZ state one of them made of K - 1 pairs, with Z/2 each.

        F = sum_z (1 + z_1 + .. + z_(K-1))^2 prod_k g_k(z_k),
        g_k(+1) = (pI - pZ)^2 / (pI + pZ),   g_k(-1) = (pX - pY)^2 / (pX + pY)

    The clock that holds one half of every pair joins them by perfect telegates.

    Args:
        bell_weights: (K - 1, 4), of Phi+, Psi+, Psi-, Phi-; the pairs may all be different.

    Returns:
        fisher: F [1/rad^2]; K^2 for perfect pairs.

    Raises:
        ValueError: if there is no pair, or weights are none.

    Note:
        Exact for any K, in K steps (the sum over z by its moments); differentiable. A pair without bit errors has slope
        0 towards them.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> round(float(fused_fisher([[0.94, 0.02, 0.02, 0.02]] * 3)), 12)
        10.965621407407
    """
    rows = list(bell_weights)
    if not rows:
        raise ValueError("Argument `bell_weights` must hold the weights of at least one pair, but is empty.")
    p = jnp.stack([bell_diagonal(row) for row in rows])
    sums, gaps = jnp.stack([p[:, 0] + p[:, 3], p[:, 1] + p[:, 2]]), jnp.stack([p[:, 0] - p[:, 3], p[:, 1] - p[:, 2]])
    same, flipped = jnp.where(sums > 0, gaps**2 / jnp.where(sums > 0, sums, 1.0), 0.0)

    def step(moments: tuple[Array, Array, Array], there: Any) -> tuple[tuple[Array, Array, Array], None]:
        none, first, second = moments
        both, tilt = there[0] + there[1], there[0] - there[1]
        return (none * both, first * both + none * tilt, second * both + 2 * first * tilt + none * both), None

    one = jnp.ones(())
    return lax.scan(step, (one, one, one), (same, flipped))[0][2]


@pytree
class WeightedSum:
    """How well sensors know a weighted sum of the angles that their fields turn them by."""

    variance: Float[Array, ""]
    """Of the sum, from one copy of the state [rad^2]; infinite if the state does not see it."""

    variance_apart: Float[Array, ""]
    """The same from one qubit at each sensor, without entanglement: sum_k w_k^2."""

    @property
    def gain(self) -> Float[Array, ""]:
        """Return how many times smaller the uncertainty is than without entanglement."""
        return jnp.sqrt(self.variance_apart / self.variance)


def weighted_sum(state: State, weights: Any) -> WeightedSum:
    """Estimate q = sum_k w_k phi_k of unknown fields, each sensor turning for the time |w_k| / max |w| of the probe.

        variance >= (max |w|)^2 1^T F^+ 1,   F_jk = Re tr(rho L_j L_k)

    An echo in the rest of the probe lets a sensor turn for less, a flip turns it backwards; so a GHZ state collects q
    alone, with variance (max |w|)^2 where sensors apart need sum_k w_k^2.

    Args:
        state: shared by the sensors, at most 7.
        weights: (n,), w_k, of either sign, not all 0.

    Raises:
        ValueError: if there are too many sensors, not one weight for each, or none that is not 0.

    Note:
        Exact; differentiable where the rank of F stays the same, equal eigenvalues being no exception.

    References:
        Eldredge, Foss-Feig, Gross, Rolston, Gorshkov, Phys. Rev. A 97, 042337 (2018), arXiv:1607.04646.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.states import ghz
        >>> found = weighted_sum(ghz(3), [1.0, -0.5, 0.5])
        >>> round(float(found.variance), 10), float(found.variance_apart)
        (1.0, 1.5)
    """
    weights = _checks.require("weights", weights, np.isfinite, "be finite")
    if state.num_sites > MOST_SENSORS:
        raise ValueError(f"Argument `state` must have at most {MOST_SENSORS} qubits, but has {state.num_sites}.")
    if weights.shape != (state.num_sites,):
        raise ValueError(
            f"Argument `weights` must hold one number for each of {state.num_sites} sensors, but has shape "
            f"{weights.shape}."
        )
    largest = jnp.max(jnp.abs(weights))
    known = _checks.known(_checks.constant(largest))
    if known is not None and known == 0:
        raise ValueError("Argument `weights` must hold a number that is not 0, but holds none.")
    turns = jnp.where(weights != 0, 1.0, 0.0)
    matrix = fisher_matrix(state) * jnp.outer(turns, turns)
    values, vectors = jnp.linalg.eigh(lax.stop_gradient(matrix))
    seen = values > 1e-12 * values[-1]
    part = vectors.T @ turns
    lost = jnp.sum(jnp.where(seen, 0.0, part**2)) > 1e-12
    best = lax.stop_gradient(vectors @ jnp.where(seen, part / jnp.where(seen, values, 1.0), 0.0))
    variance = largest**2 * (2 * turns @ best - best @ matrix @ best)  # largest at F^+ 1, which may be held fixed
    return WeightedSum(variance=jnp.where(lost, jnp.inf, variance), variance_apart=jnp.sum(jnp.asarray(weights) ** 2))


def fisher_matrix(state: State) -> Float[Array, "n n"]:
    """Return the quantum Fisher information matrix for one turn exp(-i phi_k Z_k / 2) at each site.

    Args:
        state: of at most 7 qubits.

    Note:
        F_jk = Re tr(rho L_j L_k); exact.
    """
    whole = state if isinstance(state, DensityMatrix) else dense(state)
    matrix = whole.matrix / jnp.real(jnp.trace(whole.matrix))
    n = state.num_sites
    turns = [generator(n, weights=row) for row in np.eye(n)]
    rates = [turned(DensityMatrix(matrix=matrix), turn) for turn in turns]
    logs = [logarithmic_derivative(matrix, each.matrix) for each in rates]
    return jnp.stack([jnp.stack([jnp.real(jnp.sum((matrix @ a) * dagger(b).conj())) for b in logs]) for a in logs])
