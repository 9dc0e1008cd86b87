"""Check the arguments of the builders."""

import operator
from typing import Any

from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.schedules.tree import Schedule, Tree
from qtn.steps.distill import DistillationProtocol

MAX_ROUNDS = 100
"""Most rounds of one recurrence: they consume 2^100 pairs."""


def check_spans(schedule: Schedule, num_links: int) -> None:
    """Raise unless a schedule spans the links 0 to num_links - 1 of a chain."""
    tree = tree_of("schedule", schedule)
    if (tree.first, tree.last) != (0, num_links - 1):
        whole = "link 0" if num_links == 1 else f"links 0 to {num_links - 1}"
        raise ValueError(
            f"Argument `schedule` must span {whole}, as the chain has num_links = {num_links}, but spans {span(tree)}."
        )


def span(tree: Tree) -> str:
    """Name the links that a tree spans."""
    return f"link {tree.first}" if tree.first == tree.last else f"links {tree.first} to {tree.last}"


def require_protocol(protocol: Any) -> None:
    """Raise unless `protocol` is a distillation protocol."""
    if not isinstance(protocol, DistillationProtocol):
        raise TypeError(
            f"Argument `protocol` must be a DistillationProtocol, but is {protocol!r}: use `qtn.BBPSSW` or "
            "`qtn.DEJMPS`."
        )


def tree_of(name: str, schedule: Any) -> Tree:
    """Return the tree of a schedule."""
    if not isinstance(schedule, Schedule):
        raise TypeError(f"Argument `{name}` must be a Schedule, but is {schedule!r}: use `elementary(0)` for link 0.")
    return schedule.tree


def whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """Check that a number is whole and in range."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"Argument `{name}` must be a whole number, but is {value!r}.") from None
    if number < least or (most is not None and number > most):
        bounds = f"at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"Argument `{name}` must be {bounds}, but is {number}.")
    return number


def scalar(name: str, value: Any) -> Float[Array, ""]:
    """Check that a value is one number."""
    number = _checks.real(value)
    if number.shape != ():
        raise ValueError(f"Argument `{name}` must be one number, but has shape {number.shape}.")
    return number


def cutoff(cutoff_time: Any) -> Float[Array, ""]:
    """Check one cut-off."""
    return _checks.non_negative("cutoff_time", scalar("cutoff_time", cutoff_time))
