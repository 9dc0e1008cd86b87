"""What each step of a schedule delivers: where time is spent, and where fidelity is lost."""

import dataclasses

from jaxtyping import Float

from qtn._array import Array
from qtn._checks import at_hand
from qtn.evaluators.extrapolate import root_values
from qtn.evaluators.fold import Fold
from qtn.evaluators.join import moments
from qtn.schedules.tree import Distill, Swap, subtrees


@dataclasses.dataclass(frozen=True)
class Join:
    """One swap or distillation, with all below it."""

    step: Swap | Distill
    mean_time: Float[Array, ""]
    """Mean time until it delivers, restarts included [s]."""
    state: Float[Array, "4 4"]
    """Mean delivered state: Pauli coefficients."""
    p_success: Float[Array, ""]
    """Probability that one attempt succeeds: neither the step fails nor a cut-off strikes."""


def joins(fold: Fold) -> tuple[Join, ...]:
    """Return the distinct joins of the schedule of a fold, children first."""
    tree = fold.schedule.tree
    attempt = fold.root()
    found = []
    for part in subtrees(tree):
        if isinstance(part, Swap | Distill):
            summary = moments(attempt) if part == tree else fold.summary(part)
            values = at_hand(fold.run(root_values, fold.level, summary, fold.ends(part), fold.step))
            found.append(
                Join(step=part, mean_time=values[0], state=values[1:].reshape(4, 4), p_success=summary.p_success)
            )
    return tuple(found)
