"""The front door: evaluate a schedule on a chain."""

from typing import Protocol, TypeVar, overload, runtime_checkable

from qtn.evaluators.levels import MOST_WHOLE_LINKS, whole_level
from qtn.evaluators.outcome import Outcome, Result, Summary
from qtn.evaluators.renewal import Renewal
from qtn.links.chain import Chain
from qtn.schedules.builders import check_spans
from qtn.schedules.policy import SwapAsap, require_schedule
from qtn.schedules.tree import Schedule

R = TypeVar("R", bound=Result, covariant=True)


@runtime_checkable
class Evaluator(Protocol[R]):
    """What turns a chain and a schedule into a result.

    `Renewal`, `Asap`, `Sampled` and `FullState` are evaluators. Which schedules and hardware one takes, it says itself:
    what it cannot do it refuses by name, with a cure.
    """

    def evaluate(self, chain: Chain, schedule: Schedule | SwapAsap, /) -> R:
        """Return means, quantiles of the waiting time, and errors."""
        ...

    def summarise(self, chain: Chain, schedule: Schedule | SwapAsap, /) -> Summary:
        """Return the means and their errors alone, which may take less work."""
        ...


@overload
def evaluate(chain: Chain, schedule: Schedule) -> Outcome: ...


@overload
def evaluate(chain: Chain, schedule: Schedule | SwapAsap, *, evaluator: Evaluator[R]) -> R: ...


def evaluate(chain: Chain, schedule: Schedule | SwapAsap, *, evaluator: Evaluator[Result] | None = None) -> Result:
    """Evaluate a schedule on a chain.

    Args:
        chain: links and nodes.
        schedule: tree of steps over all links of the chain, with its cut-offs and waits; or `swap_asap()`.
        evaluator: how; `Renewal()` (trees) and `Asap()` (swap-asap) are exact up to the grid error that they report,
            `Sampled()` (both) and `FullState()` (trees) draw samples and report standard errors; None = that of
            `usual_evaluator`.

    Returns:
        Mean waiting time [s], mean delivered state, their distribution over time, and their errors.

    Raises:
        TypeError: if the evaluator is for the other kind of schedule, or this is none.

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
    require_schedule(schedule)
    return (evaluator or usual_evaluator(chain, schedule)).evaluate(chain, schedule)


def usual_evaluator(chain: Chain, schedule: Schedule | SwapAsap) -> Renewal:
    """Return `Renewal()`, on short chains with the whole delivered state, so that any quantity of it is exact.

    The Bell weights, and so fidelity, error rates and most keys, are those of the smallest level, which costs less:
    `evaluator = Renewal()` asks for it. What depends on more is then that of the twirled pair; see
    `Renewal.whole_state`, which longer chains must ask for.
    """
    if isinstance(schedule, SwapAsap):
        return Renewal()  # it says which evaluators take policies
    check_spans(schedule, chain.num_links)
    short = chain.num_links <= MOST_WHOLE_LINKS
    return Renewal(whole_state=short and whole_level(chain, schedule) is not None)
