"""Numbers that any step of two pairs may carry: cut-offs, run times and latencies, and which go together."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, TypedDict

from qtn import _checks
from qtn._array import Array
from qtn._ranges import NON_NEGATIVE, NON_NEGATIVE_OR_INF, POSITIVE, PROBABILITY, SIZES, Range, bounded
from qtn.schedules.arguments import scalar
from qtn.schedules.tree import Rules

Number = float | int | Array
"""A number, which may be traced."""


class Limits(TypedDict, total=False):
    """What a step may be told besides its pairs; each may be None: does not apply."""

    cutoff_time: Number | None
    """Age at which the pair that came first is discarded, and all made anew [s]; inf = never."""
    cutoff_width: Number | None
    """Makes that cut-off soft: a pair survives the age a with chance 1 / (1 + exp((a - cutoff_time) / width)) [s]."""
    run_time: Number | None
    """How long an attempt may take until all its pairs are there, before it is started anew [s]; inf = for ever."""
    min_fidelity: Number | None
    """Fidelity to Phi+ below which a pair is discarded, whether it is new or has waited."""
    latency: Number | None
    """How long gates and messages take before success or failure is known; pairs decay meanwhile [s]."""


@dataclasses.dataclass(frozen=True)
class Limit:
    """One kind of number of a step."""

    array: str
    """Array of `Schedule` that holds it."""
    rule: str
    """What it must be, as the end of a sentence."""
    range: Range
    unit: str = "in seconds, a number such as 0.01"

    def rule_for(self, value: float) -> str:
        """Return the rule that a value breaks."""
        return f"be {self.rule}" if bounded(value) else SIZES


LIMITS = {
    "cutoff_time": Limit("cutoff_times", "non-negative", NON_NEGATIVE_OR_INF),
    "cutoff_width": Limit("cutoff_widths", "positive and finite", POSITIVE),
    "run_time": Limit("cutoff_times", "non-negative", NON_NEGATIVE_OR_INF),
    "min_fidelity": Limit("min_fidelities", "in [0, 1]", PROBABILITY, "as a number such as 0.9"),
    "latency": Limit("wait_times", "non-negative and finite", NON_NEGATIVE),
}
"""By name, in the order in which they are written."""

RANGES = {limit.array: limit.range for limit in LIMITS.values()}
"""What the numbers of each array of a `Schedule` may be."""


def conflict(names: Collection[str], step: str, num_pairs: int = 2) -> str | None:
    """Return why numbers of these names cannot be given together to a step, as a sentence without its end, or None.

    Args:
        names: of `LIMITS`.
        step: "swap", "distill" or "pump".
        num_pairs: how many pairs the step joins.
    """
    if "cutoff_width" in names and "cutoff_time" not in names:
        return "cutoff_width makes a cutoff_time soft, but there is none: give both"
    if "min_fidelity" in names and "cutoff_time" in names:
        return "min_fidelity and cutoff_time both discard waiting pairs: give one of them"
    if step == "pump" and "min_fidelity" in names:
        return "pump takes a cutoff_time, not a min_fidelity"
    soft = [name for name in ("cutoff_width", "min_fidelity") if name in names]
    if num_pairs > 2 and soft:
        return f"{soft[0]} needs a step of two pairs, but this protocol joins {num_pairs}: give a cutoff_time"
    return None


def checked(name: str, value: Any) -> Array:
    """Check one number of a step.

    Raises:
        ValueError: if it is out of range.
    """
    limit = LIMITS[name]
    number = scalar(name, value)
    known = _checks.known(number)
    rule = limit.rule_for(0.0 if known is None else float(known))
    return _checks.require(name, number, lambda v: float(v) in limit.range, rule)


def rules_of(slots: Mapping[str, int]) -> tuple[int | None, Rules]:
    """Return the slot of the age cut-off, and all others."""
    others = {name: slot for name, slot in slots.items() if name != "cutoff_time"}
    return slots.get("cutoff_time"), Rules(**others)


def slots_of(cutoff: int | None, rules: Rules) -> dict[str, int]:
    """Return the slots that are in use by name, in the order in which they are written."""
    found = {"cutoff_time": cutoff, **{name: getattr(rules, name) for name in LIMITS if name != "cutoff_time"}}
    return {name: slot for name in LIMITS if (slot := found[name]) is not None}
