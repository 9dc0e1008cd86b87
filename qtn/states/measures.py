"""Numbers of a state: expectation values, fidelities, entropies."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.states.basis import PAULI_MATRICES, TRACE, effect
from qtn.states.trains import MPDO, MPS, TrainState, to_mixed, weight
from qtn.tensors.contract import evaluate, overlap, overlap_operator, sandwich
from qtn.tensors.train import check_site, schmidt_values

LETTERS = {"I": 0, "X": 1, "Y": 2, "Z": 3}


def expect_product(state: TrainState, operators: Any) -> Float[Array, ""]:
    """Return Re <O1 x ... x On> of the normalised state, operators (n, 2, 2) Hermitian."""
    return _raw_product(state, jnp.asarray(operators, dtype=complex)) / weight(state)


def _raw_product(state: TrainState, operators: Array) -> Array:
    if operators.shape != (state.num_sites, 2, 2):
        raise ValueError(f"Argument `operators` must have shape ({state.num_sites}, 2, 2), but has {operators.shape}.")
    if isinstance(state, MPS):
        return jnp.real(overlap(state.train, state.train, operators))
    return evaluate(state.train, effect(operators))


def expect(state: TrainState, paulis: Mapping[int, str] | str) -> Float[Array, ""]:
    """Return the expectation value of one Pauli string of the normalised state.

    Args:
        state: any train state.
        paulis: "IXZ..." with one letter per site, or {site: "X"} for the others identity.

    Example:
        >>> from qtn.states import ghz
        >>> round(float(expect(ghz(5), "XXXXX")), 12), round(float(expect(ghz(5), {0: "Z", 4: "Z"})), 12)
        (1.0, 1.0)
    """
    return expect_product(state, PAULI_MATRICES[letters_of(paulis, state.num_sites)])


def letters_of(paulis: Mapping[int, str] | str, num_sites: int, name: str = "paulis") -> list[int]:
    """Return the number of the letter at each site: 0 for I, 1 for X, 2 for Y, 3 for Z; errors say `name`."""
    if isinstance(paulis, str):
        if len(paulis) != num_sites:
            raise ValueError(
                f"Argument `{name}` must have one letter for each of {num_sites} sites, but is {paulis!r}."
            )
        entries = dict(enumerate(paulis))
    else:
        entries = {check_site(site, num_sites): letter for site, letter in paulis.items()}
    for letter in entries.values():
        if letter not in LETTERS:
            raise ValueError(f"Argument `{name}` must consist of I, X, Y, Z, but holds {letter!r}.")
    return [LETTERS[entries.get(site, "I")] for site in range(num_sites)]


def expect_sum(
    state: TrainState, terms: Sequence[Mapping[int, str] | str], coefficients: Any = None
) -> Float[Array, ""]:
    """Return sum_k c_k <P_k> for Pauli strings P_k (one compiled contraction, whatever their number)."""
    letters = jnp.asarray([letters_of(term, state.num_sites) for term in terms])
    coefficients = jnp.ones(len(terms)) if coefficients is None else _checks.real(coefficients)
    values = jax.lax.map(lambda row: _raw_product(state, jnp.asarray(PAULI_MATRICES)[row]), letters, batch_size=16)
    return jnp.dot(coefficients, values) / weight(state)


def expect_mpo(state: TrainState, operator: Array) -> Float[Array, ""]:
    """Return Re <O> of the normalised state for an operator train (n, w, 2, 2, w), legs (left, out, in, right)."""
    if isinstance(state, MPS):
        return jnp.real(overlap_operator(state.train, operator, state.train)) / weight(state)
    rows = jnp.einsum("nvijw,aji->nvaw", operator, PAULI_MATRICES) / 2
    return jnp.real(overlap(jnp.conj(rows), state.train)) / weight(state)


def fidelity_to(state: TrainState, target: MPS) -> Float[Array, ""]:
    """Return <target| rho |target> of the normalised state and a normalised pure target.

    Note:
        Exact and differentiable; cost chi chi_target^2 per site for an `MPDO`.
    """
    if state.num_sites != target.num_sites:
        raise ValueError(f"Argument `target` must have {state.num_sites} sites, but has {target.num_sites}.")
    if isinstance(state, MPS):
        return jnp.abs(overlap(target.train, state.train)) ** 2 / (weight(state) * weight(target))
    return sandwich(target.train, state.train, jnp.asarray(PAULI_MATRICES)) / (weight(state) * weight(target))


def purity(state: TrainState) -> Float[Array, ""]:
    """Return tr(rho^2) of the normalised state."""
    if isinstance(state, MPS):
        return jnp.ones(())
    return overlap(state.train, state.train, factor=0.5) / weight(state) ** 2


def hilbert_schmidt(first: TrainState, second: TrainState) -> Float[Array, ""]:
    """Return tr(rho sigma), not normalised."""
    return overlap(to_mixed(first).train, to_mixed(second).train, factor=0.5)


def entanglement_entropy(state: MPS) -> Float[Array, "bonds"]:
    """Return the von Neumann entropy [ebit] across every bond.

    Note:
        Values only: the derivative of single Schmidt values does not exist where they coincide.
    """
    squares = schmidt_values(state.train) ** 2
    p = squares / jnp.sum(squares, axis=1, keepdims=True)
    return -jnp.sum(jnp.where(p > 0, p * jnp.log2(jnp.where(p > 0, p, 1.0)), 0.0), axis=1)


def pure_log_negativity(state: MPS) -> Float[Array, "bonds"]:
    """Return the log-negativity [ebit] across every bond of a pure state: 2 log2 of the sum of Schmidt values."""
    s = schmidt_values(state.train)
    return 2 * jnp.log2(jnp.sum(s, axis=1) / jnp.sqrt(jnp.sum(s**2, axis=1)))


@jax.jit
def positivity_probe(state: MPDO) -> Float[Array, ""]:
    """Return the smallest eigenvalue over all reduced states of two neighbours, normalised.

    A negative value proves that truncation left the set of states; a non-negative one proves nothing more.
    """
    n = state.num_sites
    matrices = jnp.einsum("naib,i->nab", state.train, TRACE)
    start = jnp.zeros(state.bond).at[0].set(1.0)
    lefts = jax.lax.scan(lambda v, m: (v @ m, v), start, matrices)[1]
    rights = jax.lax.scan(lambda v, m: (m @ v, v), start, matrices[::-1])[1][::-1]
    pairs = jnp.einsum("na,naib,nbjc,nc->nij", lefts[: n - 1], state.train[:-1], state.train[1:], rights[1:])
    states = jnp.einsum("nij,iab,jcd->nacbd", pairs, PAULI_MATRICES, PAULI_MATRICES).reshape(-1, 4, 4) / 4
    return jnp.min(jnp.linalg.eigvalsh(states)) / weight(state)
