"""What a parameter turns: one-qubit generators, and how a state changes under them."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array, library
from qtn._pytree import pytree
from qtn.states.basis import PAULI_MATRICES
from qtn.states.dense import DensityMatrix
from qtn.states.measures import letters_of
from qtn.states.trains import MPDO, MPS
from qtn.tensors.train import apply_each, change

State = DensityMatrix | MPS | MPDO
Letters = Mapping[int, str] | str | None


@pytree
class Generator:
    """H = 1/2 sum_k axes[k] . (X_k, Y_k, Z_k): the state is turned by exp(-i theta H)."""

    axes: Float[Array, "n 3"]

    @property
    def num_sites(self) -> int:
        """Number of qubits."""
        return self.axes.shape[0]


def generator(num_sites: int, letters: Letters = None, weights: Any = None) -> Generator:
    """Build H = 1/2 sum_k w_k P_k, a sum of one-qubit operators.

    Args:
        num_sites: number of qubits n.
        letters: {site: "X"}, as observables are written, or one letter for each site, "ZZI"; None = Z on all sites.
            The letters are *added*: {0: "Z", 1: "Z"} is (Z_0 + Z_1)/2.
        weights: (n,), one weight for each site, of either sign; None = 1.

    Raises:
        ValueError: if a site is not there, a letter is none, or there is not one weight for each site.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> generator(2, weights=[1.0, -1.0]).axes[:, 2].tolist()
        [1.0, -1.0]
    """
    if isinstance(letters, Mapping):
        for site in letters:
            if isinstance(site, bool) or not isinstance(site, int) or not 0 <= site < num_sites:
                raise ValueError(
                    f"Argument `generator` must name sites in 0..{num_sites - 1}, but names {site!r}: the state has "
                    f"{num_sites} qubits."
                )
    found = letters_of("Z" * num_sites if letters is None else letters, num_sites, "generator")
    axes: Any = np.eye(4)[found][:, 1:]
    if weights is None:
        return Generator(axes=axes)
    weights = _checks.require("weights", weights, np.isfinite, "be finite")
    if weights.shape != (num_sites,):
        raise ValueError(
            f"Argument `weights` must hold one number for each of {num_sites} sites, but has shape {weights.shape}."
        )
    return Generator(axes=library(weights).asarray(axes) * weights[:, None])


def site_matrices(turn: Generator) -> Array:
    """Return the one-qubit operators axes[k] . (X, Y, Z) / 2, (n, 2, 2)."""
    return jnp.einsum("nk,kij->nij", jnp.asarray(turn.axes, dtype=complex), PAULI_MATRICES[1:]) / 2


def whole_matrix(turn: Generator) -> Array:
    """Return H as a matrix (2^n, 2^n)."""
    n, found = turn.num_sites, jnp.zeros((1, 1), dtype=complex)
    for matrix in site_matrices(turn):
        found = jnp.kron(found, jnp.eye(2)) + jnp.kron(jnp.eye(len(found)), matrix)
    return found.reshape(2**n, 2**n)


def bloch_rotation(turn: Generator) -> Float[Array, "n 4 4"]:
    """Return what the generator does to Pauli coefficients of each site: r' = axes x r."""
    axes = jnp.asarray(turn.axes)
    zero = jnp.zeros_like(axes[:, 0])
    x, y, z = axes.T
    rows = [[zero, zero, zero, zero], [zero, zero, -z, y], [zero, z, zero, -x], [zero, -y, x, zero]]
    return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)


def turned(state: State, turn: Generator) -> Any:
    """Return the derivative of a state by the angle: -i H psi, or -i [H, rho].

    Returns:
        rate: of the kind of `state`, not normalised.

    Note:
        Exact; trains have twice the bond.
    """
    if isinstance(state, DensityMatrix):
        whole = whole_matrix(turn)
        return DensityMatrix(matrix=-1j * (whole @ state.matrix - state.matrix @ whole))
    if isinstance(state, MPS):
        return MPS(train=change(state.train, apply_each(state.train, -1j * site_matrices(turn))))
    return MPDO(train=change(state.train, apply_each(state.train, bloch_rotation(turn))))
