"""Which pairs every two processors share."""

import dataclasses
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qtn import _checks
from qtn.dqc.program import Couple
from qtn.evaluators.outcome import Result
from qtn.evaluators.pairs import Pairs, pairs_of


def pairs_for(pairs: Any, couples: Sequence[Couple]) -> dict[Couple, Pairs]:
    """Return the pairs of each couple that needs some.

    Args:
        pairs: `Pairs` or a result such as an `Outcome` for all couples, or {(processor, processor): either}, whose left
            end is at the first processor of the couple.
        couples: that need pairs, the smaller number first.

    Raises:
        ValueError: if a couple has no pairs or is given twice, a key is no couple, or time grids differ.
    """
    built: dict[tuple[int, bool], Pairs] = {}  # one record for one result: equal couples share their law

    def made(given: Any, turned: bool = False) -> Pairs:
        key = id(given), turned
        if turned and key not in built:
            whole = made(given)
            states, memories = whole.states.swapaxes(1, 2), (whole.memories[1], whole.memories[0])
            built[key] = dataclasses.replace(whole, states=states, memories=memories)
        if key not in built:
            built[key] = given if isinstance(given, Pairs) else pairs_of(given)
        return built[key]

    if not isinstance(pairs, Mapping):
        if not isinstance(pairs, (Pairs, Result)):
            raise TypeError(
                f"Argument `pairs` must be `Pairs` or an outcome, or a mapping of couples to them, but is "
                f"{pairs!r:.60}."
            )
        return dict.fromkeys(couples, made(pairs))
    known = _by_couple(pairs)
    missing = [couple for couple in couples if couple not in known]
    if missing:
        a, b = missing[0]
        raise ValueError(
            f"Argument `pairs` has none between processors {a} and {b}, but the circuit needs some: add `({a}, {b})`, "
            "or place the qubits so that these two share no gate."
        )
    found = {couple: made(*known[couple]) for couple in couples}
    _require_one_grid([each.step for each in found.values()])
    return found


def _by_couple(pairs: Mapping[Any, Any]) -> dict[Couple, tuple[Any, bool]]:
    """Return what is given for each couple, and whether its left end is at the larger processor."""
    found: dict[Couple, tuple[Any, bool]] = {}
    for ends, given in pairs.items():
        number = [operator.index(each) for each in ends if _is_whole(each)] if isinstance(ends, tuple) else []
        if len(number) != 2 or number[0] == number[1] or min(number) < 0 or len(ends) != 2:
            raise ValueError(
                "Argument `pairs` must map couples of different processors, such as (0, 1), but has the key "
                f"{ends!r:.60}."
            )
        if not isinstance(given, (Pairs, Result)):
            raise TypeError(f"Argument `pairs` must hold `Pairs` or outcomes, but at {ends} holds {given!r:.60}.")
        couple = min(number), max(number)
        if couple in found:
            raise ValueError(
                f"Argument `pairs` holds pairs between processors {couple[0]} and {couple[1]} twice, as {couple} and "
                f"{couple[::-1]}: keep one; the left end of its pairs is at the processor that is named first."
            )
        found[couple] = given, couple != tuple(number)
    return found


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _require_one_grid(steps: Sequence[Any]) -> None:
    """Raise unless all pairs count time in the same steps."""
    different = list({id(step): step for step in steps}.values())
    known = [_checks.known(step) for step in different]
    numbers = [float(step) for step in known if step is not None]
    if len(different) > 1 and len(numbers) < len(different):
        raise ValueError(
            "Argument `pairs` holds several time grids that JAX traces, which may differ: give all couples the same "
            "step, as `steady_pairs(..., step=step)` does; pairs of results on one grid by "
            "`dataclasses.replace(pairs, step=step)`."
        )
    if numbers and max(numbers) > min(numbers) * (1 + 1e-9):
        raise ValueError(
            f"Argument `pairs` holds time grids of {min(numbers):.6g} and {max(numbers):.6g} s: take one step, as in "
            "`steady_pairs(..., step=...)`, or evaluate with `Renewal(step=..., num_steps=...)`."
        )
