"""The numbers: one compiled scan over rounds for every shape of operation."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Float

from qtn._array import Array
from qtn.evaluators.full_state.layout import Spec, split_bonds
from qtn.states.trains import ORTHONORMAL
from qtn.tensors.split import truncation
from qtn.tensors.train import compress, from_sites

Pools = dict[tuple[int, int], Float[Array, "rows left 4 right"]]
Operator = tuple[Array, ...]


@partial(jax.jit, static_argnames="spec")
def run_segment(
    spec: Spec, pools: Pools, ages: Float[Array, "uses 4 4"], stack: Operator, index: tuple[Array, ...]
) -> tuple[Pools, Float[Array, ""], Float[Array, "rounds ops 3"]]:
    """Run the rounds of a segment one after the other, the operations of a round side by side.

    Args:
        spec: shape of the operations.
        pools: of the shapes that the operations read or make.
        ages: decay of every use of a slot.
        stack: the numbers of the operator, stacked.
        index: (reads, index, ages, writes, valid) of the segment.

    Returns:
        pools: afterwards.
        log_norm: sum of the logarithms of the norms that were divided out.
        cuts: per operation discarded weight, weight before, and 1 where a derivative may be missing.
    """
    act = partial({"generate": _generate, "along": _along, "cut": _cut}.get(str(spec.operator[0]), _window), spec)

    def step(pools: Pools, there: tuple[Array, ...]) -> tuple[Pools, tuple[Array, Array]]:
        reads, number, uses, writes, valid = there
        sites = [pools[left, right][reads[:, k]] for k, (left, right, _) in enumerate(spec.inputs)]
        made, log_norm, cuts = jax.vmap(act)(sites, ages[uses], tuple(part[number[:, 0]] for part in stack))
        pools = dict(pools)
        for k, shape in enumerate(spec.outputs):
            pools[shape] = pools[shape].at[writes[:, k]].set(made[k], mode="drop")
        return pools, (jnp.sum(jnp.where(valid, log_norm, 0.0)), jnp.where(valid[:, None], cuts, 0.0))

    pools, (logs, cuts) = lax.scan(step, pools, index)
    return pools, jnp.sum(logs), cuts


def _read(spec: Spec, sites: list[Array]) -> list[Array]:
    """Return the sites as they are read: (left, 4, right)."""
    return [
        jnp.swapaxes(site, 0, 2) if flipped else site for site, (_, _, flipped) in zip(sites, spec.inputs, strict=True)
    ]


def _generate(_spec: Spec, _sites: list[Array], _ages: Array, operator: Operator) -> tuple[list[Array], Array, Array]:
    """Make a pair: r[i, j] as (1, 4, 4) and (4, 4, 1)."""
    return [jnp.eye(4)[None], operator[0][:, :, None]], jnp.zeros(()), jnp.zeros(3)


def _along(spec: Spec, sites: list[Array], ages: Array, operator: Operator) -> tuple[list[Array], Array, Array]:
    """Apply one tensor of an operator train: v i j w , a j b -> (v a) i (w b)."""
    site = _read(spec, sites)[0]
    if spec.places:
        site = jnp.einsum("ij,ajb->aib", ages[0], site)
    wide = jnp.einsum("vijw,ajb->vaiwb", operator[0], site)
    return [wide.reshape(wide.shape[0] * wide.shape[1], 4, -1)], jnp.zeros(()), jnp.zeros(3)


def _cut(spec: Spec, sites: list[Array], _ages: Array, _operator: Operator) -> tuple[list[Array], Array, Array]:
    """Compress a train to the bond of the spec, optimally in the Hilbert-Schmidt norm at every bond."""
    train = from_sites(_read(spec, sites)) * ORTHONORMAL
    out, info = compress(train, truncation(spec.max_bond))
    lost = lax.stop_gradient(jnp.sum(info.discarded_weight))
    kept = lax.stop_gradient(jnp.sum(out[-1] ** 2))
    flagged = jnp.any(info.degenerate) | jnp.any(info.rank_deficient)
    made = [out[k, :left, :, :right] / ORTHONORMAL for k, (left, right) in enumerate(spec.outputs)]
    return made, jnp.zeros(()), jnp.stack([lost, kept + lost, flagged.astype(float)])


def _window(spec: Spec, sites: list[Array], ages: Array, operator: Operator) -> tuple[list[Array], Array, Array]:
    """Contract a window, let its slots decay, apply the operator, and split without cutting."""
    count, acting = len(sites), len(spec.places)
    theta, *rest = _read(spec, sites)
    for site in rest:
        theta = jnp.tensordot(theta, site, 1)
    left, right = theta.shape[0], theta.shape[-1]
    for k, place in enumerate(spec.places):
        theta = jnp.moveaxis(jnp.tensordot(ages[k], theta, [[1], [1 + place]]), 0, 1 + place)
    spectators = [place for place in range(count) if place not in spec.places]
    theta = jnp.transpose(theta, [1 + p for p in (*spec.places, *spectators)] + [0, count + 1])
    flat = _apply(spec, operator, theta.reshape(4**acting, -1)) if acting else theta
    after = len(spec.outputs)
    theta = flat.reshape((4,) * after + (left, right))
    theta = jnp.transpose(theta, [after, *spec.order, after + 1])
    square = jnp.sum(theta**2)
    norm = jnp.sqrt(jnp.where(square > 0, square, 1.0))
    log_norm = jnp.where(square > 0, jnp.log(norm), -jnp.inf)
    return _split(theta / norm, left, right, after), log_norm, jnp.zeros(3)


def _apply(spec: Spec, operator: Operator, theta: Array) -> Array:
    """Apply a matrix (J, K), or the sum over o of two local ones (o, J, K) x (o, J', K') and a last matrix."""
    if spec.operator[0] != "distill":
        return operator[0] @ theta
    first, second, last = operator
    theta = theta.reshape(first.shape[2], second.shape[2], -1)
    moved = jnp.einsum("okI,IJs->okJs", first, theta)
    return last @ jnp.einsum("olJ,okJs->kls", second, moved).reshape(16, -1)


def _split(theta: Array, left: int, right: int, count: int) -> list[Array]:
    """Return sites of `split_bonds`: identities around one site that holds all numbers."""
    if count == 0:
        return []
    bonds = split_bonds(left, right, count)
    centre = next((k for k in range(count) if bonds[k + 1] != 4 * bonds[k]), count - 1)
    sites = [jnp.eye(4 * bonds[k]).reshape(bonds[k], 4, -1) for k in range(centre)]
    sites.append(theta.reshape(bonds[centre], 4, bonds[centre + 1]))
    return sites + [jnp.eye(4 * bonds[k + 1]).reshape(-1, 4, bonds[k + 1]) for k in range(centre + 1, count)]
