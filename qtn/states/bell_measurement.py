"""Bell measurements with feed-forward, averaged exactly: entanglement swapping and teleportation on a train."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.states.basis import BELL_SIGNS
from qtn.states.pair import CHARACTERS_FROM_BELL
from qtn.states.trains import MPDO, TrainState, to_mixed
from qtn.tensors.train import check_site, from_sites, mirror, widen


def _signs(readout: Any) -> Float[Array, "4"]:
    """Return S_k m_k: the sign of <P P> on Phi+, times the character of readout errors (e1, e2)."""
    z, x = _checks.probability("readout", readout)
    flips = jnp.stack([z * x, z * (1 - x), (1 - z) * (1 - x), (1 - z) * x])
    return jnp.asarray(BELL_SIGNS) * (jnp.asarray(CHARACTERS_FROM_BELL) @ flips)


def bell_measure(state: TrainState, site: int, *, correct: int, readout: Any = (1.0, 1.0)) -> MPDO:
    """Measure `site` and `site + 1` in the Bell basis, correct a third qubit, average over outcomes, drop the two.

    The Pauli that the outcome asks for is applied to `correct`, so that a Phi+ pair would be teleported through:

        r'[.., k, ..] = sum over a = k of S_k m_k r[.., a, a, .., k, ..],   S = (1, 1, -1, 1)

    Args:
        state: any train state.
        site: first of the two neighbours that are measured.
        correct: another site, anywhere.
        readout: (e1, e2), the probabilities that the bits z and x are read right.

    Returns:
        state: two sites fewer; later sites move up by two.

    Note:
        Exact and differentiable; sites and bonds that do not lie between `site` and `correct` are not touched.

    References:
        Zukowski, Zeilinger, Horne and Ekert 1993, Phys. Rev. Lett. 71, 4287.
    """
    mixed = to_mixed(state)
    n = mixed.num_sites
    check_site(site, n - 1)
    if check_site(correct, n) in (site, site + 1):
        raise ValueError(f"Argument `correct` must be a third site, but is {correct} of the measured pair.")
    signs = _signs(readout)
    if correct > site:
        return MPDO(train=_feed_forward(mixed.train, signs, site, correct))
    return MPDO(train=mirror(_feed_forward(mirror(mixed.train), signs, n - 2 - site, n - 1 - correct)))


def _feed_forward(train: Array, signs: Array, site: int, correct: int) -> Array:
    """Contract `site`, `site + 1` and carry their common Pauli index to `correct`, which lies to the right."""
    chi = train.shape[1]
    link = jnp.einsum("k,akb,bkc->akc", signs, train[site], train[site + 1])
    target, between = train[correct], train[site + 2 : correct]
    if not len(between):
        moved = jnp.einsum("akc,ckb->akb", link, target)
        return jnp.concatenate([train[:site], moved[None], train[correct + 1 :]])
    wires = jnp.einsum("naib,kl->nkailb", between, jnp.eye(4)).reshape(-1, 4 * chi, 4, 4 * chi)
    first = jnp.tensordot(link.reshape(chi, 4 * chi), wires[0], 1)
    last = jnp.einsum("ckb,kl->lckb", target, jnp.eye(4)).reshape(4 * chi, 4, chi)
    wide = [jnp.pad(first, ((0, 3 * chi), (0, 0), (0, 0))), *wires[1:], jnp.pad(last, ((0, 0), (0, 0), (0, 3 * chi)))]
    return jnp.concatenate([widen(train[:site], 4 * chi), jnp.stack(wide), widen(train[correct + 1 :], 4 * chi)])


@jax.jit
def swap_all(state: MPDO, *, readout: Any = (1.0, 1.0)) -> MPDO:
    """Bell-measure every inner pair (1, 2), (3, 4), ... of a chain and correct its last qubit.

    # r'[i, k] = r_0[i] prod_j (S_k m_k r_(2j-1)[k] r_2j[k]) r_last[k]: for each k a product of matrices

    Args:
        state: an even number n of qubits, e.g. `pairs(werner_pair(w), n // 2)`.
        readout: as for `bell_measure`, the same for all.

    Returns:
        state: qubits 0 and n - 1.

    Note:
        Exact and differentiable; cost 16 n chi^2, one compiled scan for any n of the same shape.
    """
    n, chi = state.num_sites, state.bond
    if n < 2 or n % 2:
        raise ValueError(f"Argument `state` must have an even number of sites, but has {n}.")
    signs = _signs(readout)
    inner = state.train[1:-1].reshape(-1, 2, chi, 4, chi)
    start = jnp.tile(state.train[0, 0], (4, 1, 1))  # k, i, bond

    def step(carry: Array, both: Array) -> tuple[Array, None]:
        carry = jnp.einsum("kia,akb->kib", carry, both[0])
        return jnp.einsum("k,kia,akb->kib", signs, carry, both[1]), None

    carry = lax.scan(step, start, inner)[0]
    first = jnp.eye(4)[None]
    last = jnp.einsum("kia,ak->ik", carry, state.train[-1, :, :, 0])[:, :, None]
    return MPDO(train=from_sites([first, last]))
