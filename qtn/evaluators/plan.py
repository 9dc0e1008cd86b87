"""A set of time grids for one evaluation, and what it costs."""

from qtn._pytree import pytree, static
from qtn.evaluators.grid import TimeGrid

LADDER = (1024, 4096, 16384, 65536, 262144, 1048576, 2097152)
"""Grid lengths that are tried; few, so that few are compiled. The longest takes some 1.4 GiB, with derivatives 5."""

COARSE = LADDER[1:5]
"""Of these, lengths of grids that are extrapolated: shorter ones gain nothing, longer ones are not affordable."""

NUM_LIFETIMES = 36.0
"""Length of a grid in mean lifetimes of the slowest sub-tree: exp(-36) = 2e-16."""

BYTES_PER_STEP = 2500
"""Working memory per grid step of one join and its derivative, measured."""


class TooLongError(ValueError):
    """No time grid is long enough for a join, and fine enough for its shortest time."""


@pytree
class GridPlan:
    """The grids that one evaluation uses: one that is exact, or several that are extrapolated."""

    grids: tuple[TimeGrid, ...]
    """From fine to coarse, all of one length."""

    extrapolated: bool = static(default=False)
    """Whether results are extrapolated; else further grids only bound the error of the first."""

    @property
    def finest(self) -> TimeGrid:
        """Return the grid on which time-resolved results are given."""
        return self.grids[0]


def memory_needed(num_steps: float) -> str:
    """Return how much memory a grid needs, for people.

    Example:
        >>> memory_needed(1e6)
        '2.33 GiB'
    """
    size = num_steps * BYTES_PER_STEP
    for unit in ("GiB", "TiB", "PiB"):
        size /= 1024 if unit != "GiB" else 2**30
        if size < 1000 or unit == "PiB":
            break
    return f"{size:.3g} {unit}"
