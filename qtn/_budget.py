"""How much one problem may ask for: counted before anything is allocated, and refused with the number and a way out."""

import dataclasses
import os
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Budget:
    """The most of something that may be asked for."""

    most: int
    """Largest count that is accepted."""

    what: str
    """What is counted, in the plural."""

    cure: str
    """What to do instead."""

    def excess(self, count: int) -> str | None:
        """Return the sentence that refuses a count; None where it fits.

        Example:
            >>> QUBITS.excess(20), QUBITS.excess(10**8)
            (None, 'needs 100,000,000 qubits, but at most 10,000 are allowed: declare fewer')
        """
        if count <= self.most:
            return None
        return f"needs {counted(count)} {self.what}, but at most {self.most:,} are allowed: {self.cure}"

    def require(self, count: int) -> None:
        """Refuse a count that does not fit.

        Raises:
            ValueError: with the count, the most, and a way out.
        """
        if said := self.excess(count):
            raise ValueError(said)


POINTS = Budget(10_000_000, "points", "lower `num`, or make a sweep of each part")
QUBITS = Budget(10_000, "qubits", "declare fewer")
BITS = Budget(10_000, "classical bits", "declare fewer")
STEPS = Budget(500_000, "gates in all", "shorten loops, powers and definitions, or split the program")
PASSES = Budget(500_000, "passes through loops", "shorten the ranges")
CHARACTERS = Budget(10_000_000, "characters", "write repetitions as `for` loops, or split the file")
PAIRS = Budget(20_000, "pairs of users", "name fewer users")
STORIES = Budget(2_000, "steps of a schedule inside each other", "join short segments first, or take fewer rounds")
PLACES = Budget(2_000_000, "swaps of neighbours", "put qubits that gates join near each other, or run without gradient")
SHOTS = Budget(10_000_000, "samples", "draw fewer; errors fall with their square root")
TRAJECTORIES = Budget(10_000_000, "trajectories", "draw fewer; errors fall with their square root")
BOND = Budget(2**20, "for one bond", "no machine holds more")
NESTING = Budget(100, "brackets inside each other", "name the inner parts")
DIGITS = Budget(300, "digits in one number", "round it: numbers are kept to 16 digits")


def counted(count: int) -> str:
    """Return a count in words that stay short."""
    return f"{count:,}" if count < 10**15 else "more than 10^15"


def memory() -> int:
    """Return the memory of this machine, or what its container leaves of it [bytes]."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # a system that does not say
        whole = 2**63 - 1
    try:
        return min(whole, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):
        return whole


def excess_bytes(count: int, cure: str) -> str | None:
    """Return the sentence that refuses to allocate bytes; None where they fit into the memory of this machine."""
    if count <= (available := memory()):
        return None
    return f"needs {count / 1e9:,.3g} GB of memory, but this machine has {available / 1e9:.3g} GB: {cure}"
