"""Variational purification: n noisy pairs into one by trained circuits ("distillation" elsewhere in this library).

Alice and Bob each apply a circuit of SU(4) gates to their halves of n pairs, measure the pairs 1, ..., n - 1 in Z and
keep pair 0 for accepted outcomes. Nothing larger than one side is ever evolved: the observables P_i x |m><m| of each
side go backwards through its circuit and meet the input state in the Pauli basis,

    R'_ij = sum_m sum_ab A_m[i, a] R_ab B_m[j, b],    A_m[i, a] = 2^-n tr(U^H (P_i x |m><m|) U P_a),

with Pauli strings a, b of Alice's and Bob's n qubits, so that n = 4 costs one product with a 256 x 256 matrix.
"""

import dataclasses
import itertools
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Complex, Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.optimisation.first_order import Adam
from qtn.planning.su4 import NUM_ANGLES, su4
from qtn.states.basis import PAULI_MATRICES, pauli_vector
from qtn.states.dense import MAX_DENSE_SITES
from qtn.states.trains import TrainState, require_count, to_mixed
from qtn.states.two_qubits import Pair, bell_weights
from qtn.tensors.train import to_dense

ACCEPT = {"coincidence": "both sides read the same bits", "one": "both sides read 0 on every measured qubit"}
"""Accepted outcomes, explained."""

BOB = {"independent": "a circuit of his own", "conjugate": "the complex conjugate of Alice's circuit"}
"""Bob's circuits, explained."""

NEVER = 1e-14
"""A success probability up to this is rounding."""

LEARNING_RATE = 0.05
"""First step size of Adam [rad]; it decays to zero along a cosine."""

STIFFNESS = 3.0
"""Weight of the squared relative shortfall of the success probability in the augmented Lagrangian."""

MULTIPLIER_RATE = 0.3
"""Step size of the Lagrange multiplier."""


@dataclasses.dataclass(frozen=True)
class PurificationCircuit:
    """The shape of an n -> 1 purification: which gates act where, and which outcomes are kept. Static, hashable.

    Raises:
        ValueError: if there are fewer than 2 or more than 6 pairs, no layer, or an unknown `accept` or `bob`.
    """

    num_pairs: int
    num_layers: int = 1
    """Each layer is one gate on every two of the n qubits of a side, in the order (0, 1), (0, 2), ..., (n-2, n-1)."""
    accept: str = "coincidence"
    """Which outcomes are kept, a key of `ACCEPT`."""
    bob: str = "independent"
    """What Bob applies, a key of `BOB`. The conjugate leaves Phi+ pairs as they are, so it trains more easily."""

    def __post_init__(self) -> None:
        """Check the fields: this is structure, not a pytree."""
        require_count("num_pairs", self.num_pairs, 2)
        require_count("num_layers", self.num_layers)
        if 2 * self.num_pairs > MAX_DENSE_SITES:
            raise ValueError(
                f"Argument `num_pairs` must be at most {MAX_DENSE_SITES // 2}, but is {self.num_pairs}: purify in "
                "several rounds."
            )
        for name, options in (("accept", ACCEPT), ("bob", BOB)):
            if getattr(self, name) not in options:
                known = " or ".join(f"{option!r} ({meaning})" for option, meaning in options.items())
                raise ValueError(f"Argument `{name}` must be {known}, but is {getattr(self, name)!r}.")

    @property
    def gate_sites(self) -> list[tuple[int, int]]:
        """Qubits of each gate of one side, in time order."""
        return list(itertools.combinations(range(self.num_pairs), 2)) * self.num_layers

    @property
    def num_outcomes(self) -> int:
        """Number of accepted outcomes."""
        return 2 ** (self.num_pairs - 1) if self.accept == "coincidence" else 1

    @property
    def angles_shape(self) -> tuple[int, int, int]:
        """(trained circuits, gates, 15)."""
        return 2 if self.bob == "independent" else 1, len(self.gate_sites), NUM_ANGLES


@pytree
class Purified:
    """The kept pair."""

    fidelity: Float[Array, ""]
    """Overlap with Phi+ of the normalised pair; 0 where success never occurs."""
    success_probability: Float[Array, ""]
    """Probability of the accepted outcomes: the trace of `state`."""
    state: Pair
    """Unnormalised, Alice's qubit first."""


@pytree
class TrainedPurification:
    """The best circuit that training found."""

    angles: Float[Array, "sides gates 15"]
    """[rad], for `purify`."""
    fidelity: Float[Array, ""]
    success_probability: Float[Array, ""]
    history: Float[Array, "num_steps num_starts"]
    """Fidelity of every start before each step."""


def purify(circuit: PurificationCircuit, angles: Any, inputs: TrainState) -> Purified:
    """Purify n pairs into one.

    Args:
        circuit: of n pairs.
        angles: `circuit.angles_shape` = (sides, gates, 15) [rad], see `su4`; sides = 2 (Alice, Bob), or 1 if Bob is
            the conjugate.
        inputs: 2 n qubits, Alice's and Bob's half of pair 0, of pair 1, ..., such as `pairs(werner_pair(w), n)`;
            equal or not, correlated or not, mixed or pure.

    Returns:
        purified: fidelity to Phi+, success probability and the unnormalised state of pair 0.

    Raises:
        ValueError: if the shape of `angles` or the number of qubits does not fit the circuit.

    Note:
        Exact, double precision; differentiable with respect to `angles` and `inputs`, except the fidelity where
        success never occurs. Cost 2^(n+1) 16^n for "coincidence".

    Example:
        >>> from qtn.states import pairs, werner_pair
        >>> nothing = purify(PurificationCircuit(2), jnp.zeros((2, 1, 15)), pairs(werner_pair(0.8), 2))
        >>> round(float(nothing.fidelity), 12), round(float(nothing.success_probability), 12)
        (0.85, 0.9)
    """
    angles = _checks.real(angles)
    if angles.shape != circuit.angles_shape:
        raise ValueError(
            f"Argument `angles` must have shape {circuit.angles_shape} for this circuit, but has {angles.shape}."
        )
    return _purified(circuit, angles, _correlations(circuit, inputs))


def train_purification(
    circuit: PurificationCircuit,
    inputs: TrainState,
    *,
    num_starts: int = 16,
    num_steps: int = 500,
    minimum_probability: Any = 1e-6,
    key: Array,
) -> TrainedPurification:
    """Maximise the fidelity of the kept pair over all angles, with a success probability of at least a minimum.

    Adam from random angles, all starts at once. The minimum enters by an augmented Lagrangian whose multiplier moves
    with the angles; the result is the best of all visited circuits that keep it.

    Args:
        circuit: of n pairs.
        inputs: 2 n qubits, as for `purify`.
        num_starts: random starts; of Werner pairs with n = 4 about one in four finds the optimum if Bob is independent,
            nearly all if he is the conjugate.
        num_steps: gradient steps of each start.
        minimum_probability: in (0, 1]; the default only keeps away from fidelities of outcomes that never occur.
        key: of the random starts; the same key gives the same result.

    Returns:
        trained: angles, fidelity, success probability and the fidelity of every start at each step.

    Raises:
        ValueError: if an argument is malformed, or no visited circuit reaches `minimum_probability`.

    Note:
        Local and first-order: a lower bound of the best fidelity. Werner pairs, for which the best bilocal Clifford
        circuits are known (Jansen et al.), reach it to 1e-9 for n = 2, 3 and 4 with one layer.

    References:
        Zhao et al. 2021, arXiv:2101.12190 (LOCCNet). Jansen et al. 2022, arXiv:2103.03669. Krastanov et al. 2019,
        arXiv:1712.09762.

    Example:
        >>> from qtn.states import pairs, werner_pair
        >>> circuit, inputs = PurificationCircuit(2), pairs(werner_pair(0.8), 2)
        >>> trained = train_purification(circuit, inputs, num_starts=4, num_steps=200, key=jax.random.key(0))
        >>> round(float(trained.fidelity), 6)  # DEJMPS: 145/164
        0.884146
    """
    starts, steps = require_count("num_starts", num_starts), require_count("num_steps", num_steps)
    minimum = _checks.positive_probability("minimum_probability", minimum_probability)
    correlations = _correlations(circuit, inputs)
    angles = jax.random.uniform(key, (starts, *circuit.angles_shape), minval=-jnp.pi, maxval=jnp.pi)
    scores, found, history = _climb(circuit, steps, angles, correlations, minimum)
    best = jnp.argmax(scores)
    if scores[best] < 0:
        raise ValueError(
            f"Argument `minimum_probability` must be within reach, but is {float(minimum):.6g}, which the closest "
            f"circuit misses by the fraction {-float(scores[best]):.3g}. Lower it, or increase `num_starts`."
        )
    final = _purified(circuit, found[best], correlations)
    return TrainedPurification(
        angles=found[best],
        fidelity=final.fidelity,
        success_probability=final.success_probability,
        history=history.T,
    )


def _correlations(circuit: PurificationCircuit, inputs: TrainState) -> Float[Array, "N N"]:
    """Return R_ab = tr(P_a x P_b rho), rows for Alice's Pauli strings and columns for Bob's, (4^n, 4^n)."""
    n = circuit.num_pairs
    if inputs.num_sites != 2 * n:
        raise ValueError(
            f"Argument `inputs` must have {2 * n} sites (A, B of each of {n} pairs), but has {inputs.num_sites}: use "
            f"`pairs(pair, {n})`."
        )
    alice, bob = range(0, 2 * n, 2), range(1, 2 * n, 2)
    return jnp.transpose(to_dense(to_mixed(inputs).train), [*alice, *bob]).reshape(4**n, 4**n)


@partial(jax.jit, static_argnames="circuit")
def _purified(circuit: PurificationCircuit, angles: Array, correlations: Array) -> Purified:
    unitaries = jax.vmap(partial(_unitary, circuit))(angles)
    alice, bob = unitaries[0], unitaries[1] if circuit.bob == "independent" else jnp.conj(unitaries[0])
    left, right = _observables(circuit, alice), _observables(circuit, bob)
    state = Pair(correlations=jnp.einsum("mia,ab,mjb->ij", left, correlations, right))
    probability = state.correlations[0, 0]
    occurs = probability > NEVER
    fidelity = jnp.where(occurs, bell_weights(state)[0] / jnp.where(occurs, probability, 1.0), 0.0)
    return Purified(fidelity=fidelity, success_probability=probability, state=state)


def _unitary(circuit: PurificationCircuit, angles: Array) -> Complex[Array, "N N"]:
    """Multiply the gates of one side, (gates, 15) -> (2^n, 2^n)."""
    n = circuit.num_pairs
    product = jnp.eye(2**n, dtype=complex).reshape((2,) * n + (2**n,))
    for gate, sites in zip(jax.vmap(su4)(angles), circuit.gate_sites, strict=True):
        product = jnp.moveaxis(jnp.tensordot(gate.reshape(2, 2, 2, 2), product, [[2, 3], sites]), (0, 1), sites)
    return product.reshape(2**n, 2**n)


def _observables(circuit: PurificationCircuit, unitary: Array) -> Float[Array, "outcomes 4 N"]:
    """Return A_m[i, a] = 2^-n tr(U^H (P_i x |m><m|) U P_a) for the accepted outcomes m of one side."""
    size = unitary.shape[0]
    rows = unitary.reshape(2, size // 2, size)[:, : circuit.num_outcomes]  # (kept qubit, m, input)
    backwards = jnp.einsum("sma,ist,tmb->miab", jnp.conj(rows), PAULI_MATRICES, rows)
    vectors = jax.vmap(jax.vmap(pauli_vector))(backwards)
    return jnp.real(vectors).reshape(circuit.num_outcomes, 4, size**2) / size


@partial(jax.jit, static_argnames=("circuit", "num_steps"))
def _climb(
    circuit: PurificationCircuit, num_steps: int, angles: Array, correlations: Array, minimum: Array
) -> tuple[Array, Array, Array]:
    """Climb from every start; return the best score and angles of each and all fidelities, (num_starts, num_steps).

    The score is the fidelity where the success probability suffices, else minus its relative shortfall.
    """
    adam = Adam(num_steps, LEARNING_RATE, STIFFNESS, MULTIPLIER_RATE)

    def judged(angles: Array) -> tuple[Array, Array]:
        purified = _purified(circuit, angles, correlations)
        return purified.fidelity, (purified.success_probability / minimum - 1)[None]

    def step(carry: Any, _: None) -> tuple[Any, Array]:
        angles, state, best = carry
        (fidelity, slacks), pulled_back = jax.vjp(judged, angles)
        here = (jnp.where(slacks[0] >= 0, fidelity, slacks[0]), angles)
        best = jax.tree.map(partial(jnp.where, here[0] > best[0]), here, best)
        (gradient,) = pulled_back((jnp.ones_like(fidelity), adam.pressure(state, slacks)))
        return (*adam.moved(angles, state, gradient, slacks), best), fidelity

    def climb(angles: Array) -> tuple[Array, Array, Array]:
        first = (angles, adam.begin(angles, 1), (-jnp.inf, angles))
        (*_, best), fidelities = jax.lax.scan(step, first, length=num_steps)
        return *best, fidelities

    return jax.vmap(climb)(angles)
