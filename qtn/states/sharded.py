"""Numbers of states whose trains are split over devices or processes."""

from typing import Any

import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Float

from qtn._array import Array
from qtn.states.basis import PAULI_MATRICES, TRACE
from qtn.states.trains import MPDO, MPS
from qtn.tensors.sharded import sharded_product


def sharded_fidelity(state: MPDO, target: MPS, *, mesh: Mesh | None = None) -> Float[Array, ""]:
    """Return <target| rho |target> of the normalised state, every device contracting a run of neighbouring sites.

        F = 2^-n sum_a r_a <target| P_a |target> / (tr rho <target|target>)

    Args:
        state: train (n, w, 4, w), n a multiple of the number of devices.
        target: train (n, chi, 2, chi). Both may be split already (`qtn.tensors.sharded.shard_sites`), so that no
            process ever holds a whole one; under `jax.jit` what is computed site by site from split arrays stays split.
        mesh: from `qtn.tensors.sharded.site_mesh`; all devices of all processes by default.

    Returns:
        fidelity: the same in every process.

    Raises:
        ValueError: if the trains differ in length, or n is no multiple of the number of devices.

    Note:
        Exact and differentiable. A device carries chi^2 w rows, so that its arithmetic is up to chi^2 w times that of
        `fidelity_to` on its share; memory is that of its share.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.states import ghz, to_mixed
        >>> round(float(sharded_fidelity(to_mixed(ghz(4)), ghz(4))), 12)
        1.0
    """
    if state.num_sites != target.num_sites:
        raise ValueError(f"Argument `target` must have {state.num_sites} sites, but has {target.num_sites}.")
    chi, w = target.bond, state.bond
    corner = jnp.zeros((1, chi, w, chi), target.train.dtype).at[0, 0, 0, 0].set(1.0)
    paulis = jnp.asarray(PAULI_MATRICES)
    raw = sharded_product(_sandwich, (target.train, state.train), corner, shared=paulis, mesh=mesh)[0, 0, 0, 0]
    edge = jnp.zeros((1, w), state.train.dtype).at[0, 0].set(1.0)
    trace = sharded_product(_traced, state.train, edge, mesh=mesh)[0, 0]
    corner = jnp.zeros((1, chi, chi), target.train.dtype).at[0, 0, 0].set(1.0)
    norm = sharded_product(_norm, target.train, corner, mesh=mesh)[0, 0, 0]
    return jnp.real(raw) / (trace * jnp.real(norm))


def _sandwich(rows: Array, site: tuple[Array, Array], paulis: Any) -> Array:
    """Move bra, Pauli vector and ket one site to the right."""
    psi, r = site
    half = jnp.einsum("xawb,bjc->xawjc", rows, psi)
    half = jnp.einsum("xawjc,wpv->xajpcv", half, r)
    half = jnp.einsum("xajpcv,pij->xaicv", half, paulis)
    return jnp.einsum("xaicv,aid->xdvc", half, jnp.conj(psi)) / 2


def _traced(rows: Array, site: Array, _: Any) -> Array:
    """Trace one site out."""
    return rows @ jnp.einsum("aib,i->ab", site, jnp.asarray(TRACE))


def _norm(rows: Array, site: Array, _: Any) -> Array:
    """Move bra and ket one site to the right."""
    return jnp.einsum("xaic,aid->xdc", jnp.einsum("xab,bic->xaic", rows, site), jnp.conj(site))
