"""The derivative of a figure of merit with respect to every number of hardware and schedule."""

from collections.abc import Callable

import jax
from jax.core import Tracer
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.evaluators.evaluate import Evaluator, usual_evaluator
from qtn.evaluators.outcome import Result, Summary
from qtn.evaluators.renewal import Renewal
from qtn.evaluators.tape import backwards
from qtn.links.chain import Chain
from qtn.merit.key_rate import secret_key_rate
from qtn.schedules.policy import SwapAsap
from qtn.schedules.tree import Schedule


@pytree
class Gradient:
    """Value and derivatives of a merit; the derivatives have the types and field names of what they refer to."""

    value: Float[Array, ""]
    """The merit."""

    chain: Chain
    """Its derivative with respect to each number of the chain."""

    schedule: Schedule | SwapAsap
    """Its derivative with respect to cut-off and waiting times; right derivatives at whole cut-offs."""


def gradient(
    chain: Chain,
    schedule: Schedule | SwapAsap,
    *,
    of: Callable[[Summary], Float[Array, ""]] = lambda summary: secret_key_rate(summary, clip=False),
    evaluator: Evaluator[Result] | None = None,
) -> Gradient:
    """Differentiate a merit with respect to the whole chain and schedule, in reverse mode.

    Args:
        chain: links and nodes.
        schedule: tree of steps, or `swap_asap()`.
        of: any differentiable function of the mean delivered pair; the unclipped BB84 key rate by default.
        evaluator: as in `qtn.evaluate`; `FullState()` has no derivative and says so.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn import abstract_link, chain, nested
        >>> line = chain(abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9), num_links=2)
        >>> found = gradient(line, nested(1), of=lambda summary: summary.mean_time)
        >>> round(float(found.chain.links[0].p_success), 9)  # d/dp (3 - 2 p) / (p (2 - p))
        -6.222222222
    """
    evaluator = evaluator or usual_evaluator(chain, schedule)
    if isinstance(evaluator, Renewal) and not any(isinstance(x, Tracer) for x in jax.tree.leaves((chain, schedule))):
        value, slopes = backwards(evaluator.summarise, (chain, schedule), jax.value_and_grad(of))
    else:
        value, slopes = jax.value_and_grad(lambda system: of(evaluator.summarise(*system)))((chain, schedule))
    return Gradient(value=value, chain=slopes[0], schedule=slopes[1])
