"""Quantum Fisher information: how precisely a parameter can be read off a state, by any measurement.

The variance of an unbiased estimate from n copies is at least 1 / (n F). Exact for pure and dense states, and for GHZ
states up to flips, damping and loss of coherence; for other mixed trains a lower bound that comes with an upper one.
"""

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.sensing.dense_fisher import dense_fisher
from qtn.sensing.generator import Generator, Letters, State, bloch_rotation, turned
from qtn.sensing.generator import generator as build
from qtn.sensing.ghz_fisher import blocks_fisher, ghz_blocks, turns_about_z
from qtn.sensing.train_fisher import FisherInfo, bounded, upper_bound
from qtn.states.basis import PAULI_MATRICES
from qtn.states.dense import DensityMatrix, dense
from qtn.states.trains import MPDO, MPS, normalise, require_count, weight
from qtn.states.two_qubits import Pair, pair_to_mixed
from qtn.tensors.contract import overlap
from qtn.tensors.train import change

MOST_DENSE = 7
"""Qubits up to which mixed trains are written out."""

BONDS = (4, 8)
"""Bonds of operator trains that are tried one after the other."""

LOOSE = 1e-3
"""Relative distance of the bounds above which a lone number comes with a warning."""


class LooseFisherWarning(UserWarning):
    """The bounds of a Fisher information lie apart."""


def quantum_fisher(state: State | Pair, generator: Letters = None, *, weights: Any = None) -> Float[Array, ""]:
    """Return the quantum Fisher information of a state about the angle of exp(-i theta H), H = 1/2 sum_k w_k P_k.

        F = tr(rho' L),   (rho L + L rho) / 2 = rho' = -i [H, rho]

    Args:
        state: `DensityMatrix`, `MPS`, `MPDO` or `Pair`; normalised here.
        generator: {site: "X"} as observables are written, but the letters are added, each with its half; None = Z on
            all sites, so that n product qubits have F = n and a GHZ state n^2.
        weights: (n,), one for each site, of either sign; None = 1.

    Returns:
        fisher: F [1/rad^2]. Of a mixed train of more than 7 qubits that is no GHZ state up to flips, damping and
            loss of coherence, the lower bound of `fisher_bounds`.

    Raises:
        ValueError: if a site is not there or a letter is none.

    Note:
        Exact but for the lower bounds, which warn (`LooseFisherWarning`) if the upper one is more than .1 % away.
        Differentiable by all numbers of the state.

    References:
        Braunstein and Caves, Phys. Rev. Lett. 72, 3439 (1994).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.states import ghz, plus
        >>> round(float(quantum_fisher(ghz(100))), 8), round(float(quantum_fisher(plus(100))), 8)
        (10000.0, 100.0)
        >>> round(float(quantum_fisher(ghz(5), {0: "Z", 4: "Z"})), 12)
        4.0
    """
    value, info = fisher_bounds(state, generator, weights=weights)
    _warn(info)
    return value


def _warn(info: FisherInfo) -> None:
    gap = _checks.known(_checks.constant(info.gap))
    if gap is not None and gap > LOOSE and not info.exact:
        warnings.warn(
            f"The Fisher information lies between {float(_checks.constant(info.lower)):.6g} and "
            f"{float(_checks.constant(info.upper)):.6g}; what is returned is the lower end. Use `fisher_bounds` with a "
            f"`bond` above {info.bond}.",
            LooseFisherWarning,
            stacklevel=3,
        )


def fisher_bounds(
    state: State | Pair, generator: Letters = None, *, weights: Any = None, bond: int | None = None
) -> tuple[Float[Array, ""], FisherInfo]:
    """Return the quantum Fisher information of `quantum_fisher`, and between which bounds it lies.

    Args:
        state: as there.
        generator: as there.
        weights: as there.
        bond: of the operator trains of a mixed train. None = exact where that is possible, else 4 and then 8 if the
            bounds are more than 1e-6 apart (4 alone where numbers cannot be seen, under `jit`).

    Returns:
        value: exact, or the lower bound.
        info: bounds, equal where the value is exact.

    Note:
        Both bounds hold for every non-negative state; an `MPDO` that was truncated may be none. Derivatives are those
        of the lower bound with its operator held fixed, right up to the square root of what it lacks.

    References:
        Macieszczak 2013, arXiv:1312.1356; Chabuda, Dziarmaga, Osborne, Demkowicz-Dobrzanski, Nature Communications
        11, 250 (2020).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.states import werner_pair
        >>> value, info = fisher_bounds(werner_pair(0.9))
        >>> round(float(value), 12), info.exact  # 4 v^2 / (v + (1 - v) / 2)
        (3.410526315789, True)
    """
    state = pair_to_mixed(state) if isinstance(state, Pair) else state
    turn = build(state.num_sites, generator, weights)
    if bond is not None and isinstance(state, MPDO):
        return _between(_normalised(state), turn, require_count("bond", bond, 2))
    value = _exactly(state, turn)
    if value is not None:
        return _exact(value)
    assert isinstance(state, MPDO)
    state = _normalised(state)
    value, info = _between(state, turn, BONDS[0])
    gap = _checks.known(_checks.constant(info.gap))
    return (value, info) if gap is None or gap < 1e-6 else _between(state, turn, BONDS[1], info)


def _normalised(state: MPDO) -> MPDO:
    found = normalise(state)
    assert isinstance(found, MPDO)
    return found


def _exactly(state: State, turn: Generator) -> Float[Array, ""] | None:
    """Return the Fisher information where there is a way that is exact."""
    if isinstance(state, MPS):
        return pure_fisher(state, turned(state, turn))
    if isinstance(state, MPDO) and state.bond == 1:
        return product_fisher(state, turn)
    if isinstance(state, DensityMatrix) or state.num_sites <= MOST_DENSE:
        whole = state if isinstance(state, DensityMatrix) else dense(state)
        return dense_fisher(whole.matrix, turned(whole, turn).matrix)
    blocks = ghz_blocks(state) if turns_about_z(turn) else None
    return None if blocks is None else blocks_fisher(blocks, turn)


def _between(
    state: MPDO, turn: Generator, bond: int, before: FisherInfo | None = None
) -> tuple[Float[Array, ""], FisherInfo]:
    """Return the lower bound of operator trains of a bond, and both bounds."""
    value, _ = bounded(state, turned(state, turn), bond)
    upper = upper_bound(state, turn, bond)
    upper = upper if before is None else jnp.minimum(upper, before.upper)
    return value, FisherInfo(lower=value, upper=upper, bond=bond)


@jax.jit
def product_fisher(state: MPDO, turn: Generator) -> Float[Array, ""]:
    """Return the Fisher information of a product state: the sum of those of its qubits."""
    vectors = state.train[:, 0, :, 0] / state.train[:, 0, :1, 0]
    rates = jnp.einsum("nij,nj->ni", bloch_rotation(turn), vectors)
    matrices = [jnp.einsum("na,aij->nij", each, PAULI_MATRICES) / 2 for each in (vectors, rates)]
    return jnp.sum(jax.vmap(dense_fisher)(*matrices))


@jax.jit
def pure_fisher(state: MPS, rate: MPS) -> Float[Array, ""]:
    """Return 4 (<psi'|psi'> - |<psi|psi'>|^2) of a normalised state."""
    norm = weight(state)
    across = overlap(state.train, rate.train) / norm
    apart = overlap(rate.train, rate.train) / norm
    return 4 * (jnp.real(apart) - jnp.abs(across) ** 2)


def fisher_along(
    family: Callable[[Array], State], at: Any, *, bond: int = BONDS[0]
) -> tuple[Float[Array, ""], FisherInfo]:
    """Return the quantum Fisher information about any number that a state depends on.

    Args:
        family: returns the normalised state for a value of the parameter: through any channel or circuit.
        at: value of the parameter, a scalar.
        bond: of the operator train for mixed trains of more than 7 qubits.

    Returns:
        value: exact, or a lower bound.
        info: bounds; no upper one is known (infinite) where the value is a lower bound.

    Note:
        The derivative of the state is taken by JAX, exactly; the result can be differentiated again, by other numbers
        too.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.channels import dephasing
        >>> from qtn.states import apply_each_site, plus, to_mixed
        >>> def family(p):  # how well a dephasing probability is known from three qubits: 3 / (p (1 - p))
        ...     return apply_each_site(to_mixed(plus(3)), dephasing(p).ptm())
        >>> round(float(fisher_along(family, 0.1)[0]), 9)
        33.333333333
    """
    found: tuple[State, Any] = jax.jvp(family, (_checks.real(at) * 1.0,), (jnp.ones(()),))
    state, tangent = found
    if isinstance(state, DensityMatrix):
        return _exact(dense_fisher(state.matrix, tangent.matrix))
    rate: Any = dataclasses.replace(state, train=change(state.train, tangent.train))
    if isinstance(state, MPS):
        return _exact(pure_fisher(state, rate))
    if state.num_sites <= MOST_DENSE:
        return _exact(dense_fisher(dense(state).matrix, dense(rate).matrix))
    value, _ = bounded(state, rate, require_count("bond", bond, 2))
    return value, FisherInfo(lower=value, upper=jnp.asarray(jnp.inf), bond=bond)


def _exact(value: Float[Array, ""]) -> tuple[Float[Array, ""], FisherInfo]:
    return value, FisherInfo(lower=value, upper=value, bond=1, exact=True)
