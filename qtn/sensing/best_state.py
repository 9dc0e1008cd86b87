"""The pure state of many sensors that is best under given noise, as a train: measurement and state by turns.

    max over psi and L of 2 tr(rho' L) - tr(rho L^2),   rho = noise(psi psi^+)

For a fixed state the best L is its logarithmic derivative; for a fixed L the best state is the largest eigenvector of

    noise^+ (i [H, 2 L] - L^2)

so that the value only grows (Chabuda et al. 2020).
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._budget import excess_bytes
from qtn._pytree import pytree
from qtn.sensing.generator import Generator, Letters, bloch_rotation, turned
from qtn.sensing.generator import generator as build
from qtn.sensing.train_fisher import lower_problem, starting_train
from qtn.states.basis import PAULI_MATRICES
from qtn.states.local import apply_each_site
from qtn.states.named import plus
from qtn.states.trains import MPDO, MPS, require_count, to_mixed
from qtn.tensors.dominant import dominant_half_sweep
from qtn.tensors.quadratic import half_sweep, quadratic_value
from qtn.tensors.train import add, apply_each, change, mirror, right_canonical, scale, widen

PRODUCT = np.einsum("bij,cjk,aki->abc", *[PAULI_MATRICES] * 3) / 2
"""Coefficient of P_a in P_b P_c."""

NOISE = 1e-2
"""Size of what is added to the first state."""


@pytree
class BestState:
    """A state, and how well it measures."""

    state: MPS

    fisher: Float[Array, ""]
    """Fisher information of the angle after the noise, a lower bound of that of the best state."""

    rounds: Float[Array, ""]
    """How often measurement and state were improved."""


def best_probe_state(
    num_sites: int,
    noise: Any,
    *,
    bond: int = 4,
    operator_bond: int = 4,
    generator: Letters = None,
    tolerance: float = 1e-5,
    most: int = 200,
) -> BestState:
    """Return the pure state that measures best through noise on every qubit, among trains of a bond.

    Args:
        num_sites: number of qubits n.
        noise: Pauli transfer matrix (4, 4) of every qubit, or (n, 4, 4), after the parameter has turned it.
        bond: of the state.
        operator_bond: of the measurement L.
        generator: what turns, see `quantum_fisher`; None = Z/2 of every qubit.
        tolerance: relative growth in one round at which the search ends; rounds that gain 1e-3 may be followed by ones
            that gain more.
        most: rounds, at most.

    Returns:
        found: a state, and a Fisher information that it reaches at least.

    Raises:
        ValueError: if a number is out of range, `noise` has another shape, or trains do not fit into memory.

    Note:
        The value never falls, but may end below the largest. Its derivative by the noise, with state and L held fixed,
        is that of the optimum (envelope theorem).

    References:
        Chabuda, Dziarmaga, Osborne, Demkowicz-Dobrzanski, Nature Communications 11, 250 (2020).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.channels import dephasing
        >>> found = best_probe_state(4, dephasing(0.0).ptm())
        >>> round(float(found.fisher), 4)  # without noise the GHZ state
        16.0
    """
    count = require_count("num_sites", num_sites, 2)
    bonds = require_count("bond", bond), require_count("operator_bond", operator_bond, 2)
    _require_memory(count, *bonds)
    matrices = _noise_of_each(count, noise)
    ends_at, most = _checks.non_negative("tolerance", tolerance), require_count("most", most)
    turn = build(count, generator)
    fixed = jax.lax.stop_gradient((matrices, ends_at))
    state, operator, rounds = _search(*_start(count, *bonds, turn), *fixed, turn, most)
    fisher = _value(state, operator, matrices, turn)
    return BestState(state=MPS(train=state), fisher=fisher, rounds=rounds)


def _noise_of_each(count: int, noise: Any) -> Float[Array, "n 4 4"]:
    """Return one matrix for each qubit."""
    matrices = _checks.require("noise", noise, np.isfinite, "be finite")
    if matrices.shape not in ((4, 4), (count, 4, 4)):
        raise ValueError(
            f"Argument `noise` must be one Pauli transfer matrix (4, 4), or one for each of {count} qubits, but has "
            f"shape {matrices.shape}: `channel.ptm()` gives it."
        )
    return jnp.broadcast_to(matrices, (count, 4, 4))


def _require_memory(count: int, bond: int, operator_bond: int) -> None:
    """Refuse trains that do not fit into memory: state after noise and its slope, and the square of L."""
    numbers = count * (100 * bond**4 + 16 * operator_bond**4) + (operator_bond * bond) ** 4
    if said := excess_bytes(8 * numbers, "take a smaller `bond`, `operator_bond` or `num_sites`"):
        raise ValueError(f"The best state of {count} qubits {said}.")


@jax.jit
def _search(
    state: Array, operator: Array, matrices: Array, tolerance: Array, turn: Generator, most: Any
) -> tuple[Array, Array, Float[Array, ""]]:
    """Return state and L when a round does not make them better any more, and the rounds that it took."""

    def again(search: Any) -> Any:
        state, operator, value, _, rounds = search
        state, operator, found = _round(state, operator, matrices, turn)
        return state, operator, found, value, rounds + 1

    def goes_on(search: Any) -> Array:
        *_, value, before, rounds = search
        return (rounds < most) & ((rounds < 2) | (value - before > tolerance * value))

    begin = jnp.asarray(state, complex), operator, jnp.zeros(()), jnp.zeros(()), jnp.zeros(())
    state, operator, *_, rounds = jax.lax.while_loop(goes_on, again, begin)
    return state, operator, rounds


def _start(n: int, bond: int, operator_bond: int, turn: Generator) -> tuple[Array, Array]:
    """Return a first state, near |+> of every qubit, and a first L."""
    start = plus(n)
    shaken = widen(start.train, bond) + NOISE * jax.random.normal(jax.random.key(1), (n, bond, 2, bond))
    state = right_canonical(shaken.at[0, 1:].set(0.0).at[-1, :, :, 1:].set(0.0))
    rate = turned(to_mixed(start), turn)
    return state.at[0].divide(jnp.linalg.norm(state[0])), starting_train(rate, operator_bond)


def _mixed(state: Array, matrices: Array, turn: Generator) -> tuple[MPDO, MPDO]:
    """Return the state after the noise, and its derivative."""
    pure = to_mixed(MPS(train=state))
    found = [apply_each_site(each, matrices) for each in (pure, turned(pure, turn))]
    return MPDO(train=found[0].train), MPDO(train=found[1].train)


def _value(state: Array, operator: Array, matrices: Array, turn: Generator) -> Float[Array, ""]:
    return quadratic_value(*lower_problem(*_mixed(state, matrices, turn)), operator)


def _round(state: Array, operator: Array, matrices: Array, turn: Generator) -> tuple[Array, Array, Float[Array, ""]]:
    """Return the next state and L; both are right-canonical before and after."""
    problem = lower_problem(*_mixed(state, matrices, turn))
    back = (mirror(problem[0][0]), problem[0][1]), mirror(problem[1])
    operator = mirror(half_sweep(*problem, operator)[0])
    operator = mirror(half_sweep(*back, operator)[0])
    observable = state_problem(operator, matrices, turn)
    state = mirror(dominant_half_sweep(observable, state)[0])
    turned_back = jnp.swapaxes(observable[::-1], 1, 4)
    state, value = dominant_half_sweep(turned_back, state)
    return mirror(state), operator, value


def state_problem(operator: Array, matrices: Array, turn: Generator) -> Array:
    """Return noise^+ (i [H, 2 L] - L^2) as an operator train (n, w, 2, 2, w), from the Pauli coefficients of L."""
    n, chi = operator.shape[:2]
    adjoint = jnp.swapaxes(matrices, 1, 2)
    inside = apply_each(operator, adjoint)
    moved = change(inside, apply_each(inside, jnp.swapaxes(bloch_rotation(turn), 1, 2)))
    square = jnp.einsum("nxby,nucv,abc->nxuayv", operator, operator, PRODUCT).reshape(n, chi**2, 4, chi**2)
    whole = add(scale(moved, 2.0).astype(complex), scale(apply_each(square, adjoint), -1.0))
    return jnp.einsum("nxay,aij->nxijy", whole, PAULI_MATRICES)
