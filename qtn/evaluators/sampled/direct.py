"""Swap-asap without failures: independent delivery times say everything, and nothing has to be simulated."""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn.evaluators.asap.line import Line
from qtn.evaluators.sampled.draws import attempts_needed, log_counts
from qtn.evaluators.sampled.record import Record


def draw_deliveries(line: Line, num_samples: int, key: Array) -> tuple[Record, Float[Array, "m"]]:
    """Draw when each link delivers; the rest follows.

    Returns:
        (record, log_weight): (m, n) times, differentiable with respect to attempt times, and the logarithm of the
        probability of the draws.
    """
    needed = attempts_needed(key, line.p_success, (num_samples, line.num_links))
    born = needed * line.attempt_time
    before = jnp.concatenate([born[:, :1], born[:, :-1]], axis=1)
    log_weight = log_counts(line.p_success, 1.0, needed - 1).sum(axis=1)
    record = Record(born=born, swapped=jnp.maximum(before, born), completed=jnp.max(born, axis=1))
    return jax.tree.map(jnp.asarray, record), log_weight
