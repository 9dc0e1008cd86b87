"""The front door: evaluate a schedule on a chain."""

from typing import Protocol, runtime_checkable

from qtn.evaluators.outcome import Outcome
from qtn.evaluators.renewal import Renewal
from qtn.links.chain import Chain
from qtn.schedules.tree import Schedule


@runtime_checkable
class Evaluator(Protocol):
    """What turns a chain and a schedule into an outcome."""

    def evaluate(self, chain: Chain, schedule: Schedule) -> Outcome:
        """Return the outcome."""
        ...


def evaluate(chain: Chain, schedule: Schedule, *, evaluator: Evaluator = Renewal()) -> Outcome:
    """Evaluate a schedule on a chain.

    Args:
        chain: links and nodes.
        schedule: tree of steps over all links of the chain, with its cut-offs and waits.
        evaluator: how; `Renewal()` is exact up to the grid error that it reports.

    Returns:
        Mean waiting time [s], mean delivered state, their distribution over time, and their errors.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.links.abstract import abstract_link
        >>> from qtn.links.chain import chain
        >>> from qtn.schedules.families import nested
        >>> line = chain(abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9), num_links=2)
        >>> outcome = evaluate(line, nested(1))
        >>> print(f"{outcome.mean_time:.12f}")  # (3 - 2 p) / (p (2 - p))
        2.666666666667
    """
    return evaluator.evaluate(chain, schedule)
