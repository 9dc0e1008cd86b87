"""How good a pair is given when it arrives."""

import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.evaluators.outcome import Outcome
from qtn.merit.entropy import NOTHING
from qtn.merit.pair import bell_weights


def fidelity_in_time(outcome: Outcome) -> Float[Array, "t"]:
    """Return the fidelity of a pair given that it is delivered at each grid time.

    Args:
        outcome: what an evaluator returned.

    Returns:
        fidelity: (t,), at `outcome.times`; nan where nothing is delivered.

    Note:
        Exact up to the errors of the outcome; differentiable where something is delivered.
    """
    probability = outcome.probability
    delivered = probability > NOTHING
    return jnp.where(delivered, outcome.bell_weights[:, 0] / jnp.where(delivered, probability, 1.0), jnp.nan)


def delivered_by(outcome: Outcome, deadline: float) -> tuple[Float[Array, "4 4"], Float[Array, ""]]:
    """Return the mean pair given that it is delivered by a deadline, and how probable that is.

    A network that gives up at the deadline and starts again delivers this pair; its mean time is
    E[min(T, deadline)] / probability.

    Args:
        outcome: what an evaluator returned.
        deadline: [s]; pairs at exactly this grid time count.

    Returns:
        pair: (4, 4), Pauli coefficients, pair[0, 0] = 1; maximally mixed if nothing can be delivered.
        probability: P(T <= deadline).

    Raises:
        ValueError: if `deadline` is negative or lies beyond the grid.

    Note:
        Exact on an exact grid; on a coarse one the deadline is blurred by a step. Differentiable with respect to the
        outcome, not to the deadline, in which the answer is a staircase.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> import qtn
        >>> link = qtn.abstract_link(p_success=0.5, attempt_time=1.0, werner=1.0)
        >>> line = qtn.chain(link, qtn.node(qtn.depolarising_memory(5.0)), num_links=2)
        >>> pair, probability = delivered_by(qtn.evaluate(line, qtn.nested(1)), 1.0)
        >>> [round(float(x), 12) for x in (pair[3, 3], probability)]  # both links at once: no waiting
        [1.0, 0.25]
    """
    _checks.non_negative("deadline", deadline)
    last = _checks.known(outcome.times[-1])
    if last is not None and deadline > last:
        raise ValueError(
            f"Argument `deadline` must not lie beyond the time grid, which ends at {float(last):g} s, but is "
            f"{deadline:g}: evaluate on a longer grid."
        )
    inside = outcome.times <= deadline * (1 + 1e-12)
    probability = jnp.sum(jnp.where(inside, outcome.probability, 0.0))
    total = jnp.tensordot(jnp.where(inside, 1.0, 0.0), outcome.resolved_states, 1)
    mixed = jnp.zeros((4, 4)).at[0, 0].set(1.0)
    delivered = probability > NOTHING
    return jnp.where(delivered, total / jnp.where(delivered, probability, 1.0), mixed), probability


def fidelity_by(outcome: Outcome, deadline: float) -> Float[Array, ""]:
    """Return the mean fidelity of pairs that are delivered by a deadline [s]; see `delivered_by`."""
    return bell_weights(delivered_by(outcome, deadline)[0])[0]
