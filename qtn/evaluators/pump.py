"""Join two pairs of which the second is started when the first is there (sequential pumping)."""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn.evaluators.cutoffs import edge, postponed, survival
from qtn.evaluators.join import Attempt
from qtn.tensors.recurrence import convolve, delayed


@jax.jit
def pumped(
    kept: Float[Array, "k t"],
    fresh: Float[Array, "k t"],
    step_map: Float[Array, "k k k"],
    rates: Float[Array, "k"],
    cutoff: Float[Array, ""],
    lattice: Float[Array, ""],
) -> Attempt:
    """Join a pair with a fresh one that is started when the first is ready.

        success[t] = sum_u B(D^u kept[t - u], fresh[u]),  u <= tau

    Args:
        kept: (k, t), delivered distribution of the pair that waits.
        fresh: (k, t), of the other one, from its own start.
        step_map: (k, k, k), successful branch.
        rates: (k,), decay per step of the pair that waits.
        cutoff: longest wait [steps], inclusive; inf = none.
        lattice: of the grid on which fresh pairs arrive, see `TimeGrid`.

    Note:
        Exact, differentiable; FFTs of 2t points, k^2 of them.
    """
    length = kept.shape[1]
    taps = edge(cutoff, lattice, length)
    in_time = taps.weights @ (jnp.arange(length) <= taps.steps[:, None]).astype(float)
    late = 1 - (jnp.arange(length) <= taps.steps[:, None]).astype(float) @ fresh[0]
    cut = jnp.zeros(length)
    for weight, missed, step in zip(taps.weights, late, taps.steps, strict=True):
        cut += weight * missed * delayed(kept[:1], step)[0]
    return _sequence(kept, fresh * in_time, step_map, rates, postponed(cut, taps.lateness))


@jax.jit
def pumped_soft(
    kept: Float[Array, "k t"],
    fresh: Float[Array, "k t"],
    step_map: Float[Array, "k k k"],
    rates: Float[Array, "k"],
    cutoff: Float[Array, ""],
    width: Float[Array, ""],
) -> Attempt:
    """Join as `pumped` does, with a soft cut-off of this width [steps]."""
    kernel = survival(cutoff, width, kept.shape[1])
    missing = 1 - jnp.cumsum(fresh[0]) + fresh[0]  # not there one step before
    ends = kernel.late * missing + delayed((kernel.early * missing)[None], jnp.asarray(-1))[0]
    return _sequence(kept, fresh * kernel.left, step_map, rates, convolve(kept[0], ends))


def _sequence(
    kept: Float[Array, "k t"],
    fresh: Float[Array, "k t"],
    step_map: Float[Array, "k k k"],
    rates: Float[Array, "k"],
    cut: Float[Array, "t"],
) -> Attempt:
    """Convolve both distributions with the step in between."""
    decay = jnp.exp(-rates[:, None] * jnp.arange(kept.shape[1]))

    def one(total: Float[Array, "k t"], each: tuple[Array, Array, Array]) -> tuple[Float[Array, "k t"], None]:
        pair, fade, matrix = each
        return total + convolve(pair[None], (matrix @ fresh) * fade), None

    parts = kept, decay, jnp.moveaxis(step_map, 1, 0)
    success, _ = jax.lax.scan(jax.checkpoint(one), jnp.zeros_like(kept), parts)
    return Attempt(success=success, failure=convolve(kept[0], fresh[0]) - success[0] + cut)
