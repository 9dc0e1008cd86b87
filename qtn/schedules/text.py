"""Read and write schedules as text: swap(distill(0, rounds=2), distill(1), cutoff_time=0.2).

    schedule  =  link number  |  swap(a, b)  |  distill(a)  |  distill(a, b)  |  pump(a, b)  |  wait(a, seconds)
    options      all but wait: cutoff_time, cutoff_width, run_time, min_fidelity, latency (see `Limits`);
                 distill: rounds (one segment only), protocol;  pump: rounds, protocol

White space and newlines are free, a trailing comma is allowed. Nothing in the text is ever evaluated.
"""

from typing import Any

from qtn import _checks
from qtn.schedules.arguments import MAX_ROUNDS, require_protocol, tree_of
from qtn.schedules.limits import LIMITS, slots_of
from qtn.schedules.reader import Reader
from qtn.schedules.tokens import MAX_CHARACTERS, ScheduleTextError
from qtn.schedules.tree import NUMBERS, Distill, Elementary, Schedule, Swap, Tree, Wait
from qtn.steps.distill import BBPSSW, PROTOCOLS, DistillationProtocol

__all__ = ["ScheduleTextError", "parse", "to_text"]


def parse(text: str, *, protocol: DistillationProtocol = BBPSSW) -> Schedule:
    """Read a schedule from text.

    Args:
        text: such as "swap(distill(0, rounds=2), 1, cutoff_time=0.2)"; times in seconds.
        protocol: what `distill` means where the text does not say `protocol="..."`.

    Returns:
        The schedule; slots are numbered in the order in which the times stand in the text.

    Raises:
        ScheduleTextError: if the text is wrong; the message shows where, and what was expected.

    Note:
        Times are read to the last bit; any depth of nesting is read.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> schedule = parse("swap(distill(0, rounds=2, cutoff_time=0.2), wait(1, 0.01), cutoff_time=0.5)")
        >>> schedule.cutoff_times.tolist(), schedule.wait_times.tolist()
        ([0.2, 0.5], [0.01])
        >>> parse("swap(0, 2)")
        Traceback (most recent call last):
        ...
        qtn.schedules.tokens.ScheduleTextError: swap needs neighbouring segments, but the left one ...
          swap(0, 2)
                  ^
    """
    _checks.require_double_precision()
    require_protocol(protocol)
    if not isinstance(text, str):
        raise TypeError(f'Argument `text` must be a text such as "swap(0, 1)", but is {text!r}.')
    return Reader(text, protocol).schedule()


def to_text(schedule: Schedule, *, protocol: DistillationProtocol = BBPSSW) -> str:
    """Write a schedule as text that `parse` reads.

    Args:
        schedule: what to write; its times must be concrete.
        protocol: what `distill` means without `protocol="..."`; give the same to `parse`.

    Returns:
        One line; numbers are the shortest that read back to the last bit.

    Raises:
        ValueError: if a time is traced, a protocol has no name in the text form, or the text is too long.

    Note:
        Exact: for schedules from the builders or `parse`, `parse(to_text(s))` equals `s`. A slot that was
        shared by hand between several steps (other than the rounds of one recurrence) is written for each.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.schedules.builders import distill, elementary, swap
        >>> from qtn.steps.distill import DEJMPS
        >>> pair = distill(elementary(0), rounds=2, protocol=DEJMPS, cutoff_time=0.2)
        >>> to_text(swap(pair, elementary(1)))
        'swap(distill(0, rounds=2, protocol="dejmps", cutoff_time=0.2), 1)'
    """
    require_protocol(protocol)
    pending: list[Tree | str] = [tree_of("schedule", schedule)]
    writer = _Writer(schedule, protocol)
    pieces: list[str] = []
    length = 0
    while pending:
        item = pending.pop()
        if not isinstance(item, str):
            pending.extend(reversed(writer.parts(item)))
            continue
        pieces.append(item)
        length += len(item)
        if length > MAX_CHARACTERS:
            raise ValueError(
                f"Argument `schedule` must fit in a text of {MAX_CHARACTERS} characters, but does not: "
                "sub-trees that it shares are written out again and again."
            )
    return "".join(pieces)


class _Writer:
    """Writes one step at a time."""

    def __init__(self, schedule: Schedule, protocol: DistillationProtocol) -> None:
        self.protocol = protocol
        self.numbers = {name: _concrete(name, getattr(schedule, name)) for name in NUMBERS}

    def parts(self, tree: Tree) -> list[Tree | str]:
        """Return the text of a step, with its operands still to be written."""
        if isinstance(tree, Elementary):
            return [str(tree.position)]
        if isinstance(tree, Wait):
            return ["wait(", tree.child, f", {self.numbers['wait_times'][tree.duration]!r})"]
        if isinstance(tree, Swap):
            return ["swap(", tree.left, ", ", tree.right, f"{self._limits(tree)})"]
        end = f"{self._protocol(tree)}{self._limits(tree)})"
        below, rounds = _unwound(tree)
        many = f", rounds={rounds}" if rounds > 1 else ""
        if tree.sequential:
            other: list[Tree | str] = [] if below == tree.consumed else [", ", tree.consumed]
            return ["pump(", below, *other, many, end]
        if tree.kept != tree.consumed:
            return ["distill(", tree.kept, ", ", tree.consumed, end]
        return ["distill(", below, many, end]

    def _limits(self, tree: Swap | Distill) -> str:
        slots = slots_of(tree.cutoff, tree.rules).items()
        return "".join(f", {name}={self.numbers[LIMITS[name].array][slot]!r}" for name, slot in slots)

    def _protocol(self, tree: Distill) -> str:
        if tree.protocol == self.protocol:
            return ""
        name = tree.protocol.name
        if PROTOCOLS.get(name) != tree.protocol:
            raise ValueError(
                f"Argument `schedule` must hold protocols that the text form knows ({', '.join(PROTOCOLS)}), "
                f"but holds {name!r}: pass it as `protocol`."
            )
        return f', protocol="{name}"'


def _concrete(name: str, times: Any) -> list[float]:
    """Return times as Python floats."""
    values = _checks.known(times)
    if values is None:
        raise ValueError(f"Argument `schedule` must hold concrete numbers, but `{name}` is traced: use it outside jit.")
    return values.tolist()


def _unwound(tree: Distill) -> tuple[Tree, int]:
    """Return what a recurrence or a pump starts from, and its number of rounds."""
    below, rounds = tree.kept, 1
    while (
        isinstance(below, Distill)
        and (below.consumed == tree.consumed if tree.sequential else below.kept == below.consumed)
        and (below.protocol, below.cutoff, below.rules) == (tree.protocol, tree.cutoff, tree.rules)
        and below.sequential == tree.sequential
        and rounds < MAX_ROUNDS
    ):
        below, rounds = below.kept, rounds + 1
    return below, rounds
