"""Show how a long computation goes on: a bar on a terminal, a line now and then elsewhere."""

import math
import sys
import time
from types import TracebackType

from tqdm import tqdm

from qtn.planning.objective import DEAREST, OUTSIDE

EVERY_S = 5.0
"""Seconds between two lines where there is no terminal."""


class Watch:
    """Called with what is going on, the best so far and the number of evaluations so far."""

    def __init__(self, merit: str) -> None:
        self.merit, self.phase, self.told = merit, "", 0.0
        self.total = self.before = 0
        self.terminal = sys.stderr.isatty()
        self.bar = tqdm(unit=" candidates", file=sys.stderr, disable=not self.terminal)

    def __enter__(self) -> "Watch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()

    def __call__(self, phase: str, best: float, evaluations: int) -> None:
        """Show progress; a count that falls belongs to a new search."""
        self.total += evaluations - self.before if evaluations >= self.before else evaluations
        self.before = evaluations
        words = ": ".join(filter(None, (phase, described(self.merit, best))))
        phase = phase.partition(",")[0]
        if self.terminal:
            self.bar.update(self.total - self.bar.n)
            self.bar.set_postfix_str(words)
        elif phase != self.phase or time.monotonic() - self.told > EVERY_S:
            print(f"{words}, {self.total} candidates", file=sys.stderr, flush=True)
            self.told = time.monotonic()
        self.phase = phase


def described(merit: str, score: float) -> str:
    """Return a score for people; that of a cost is negative."""
    cost = merit == "hardware_cost"
    if score == -math.inf and not cost:
        return ""
    if score <= (DEAREST if cost else OUTSIDE):
        return "nothing within the limits yet"
    return f"best {merit} {-score if cost else score:.6g}"
