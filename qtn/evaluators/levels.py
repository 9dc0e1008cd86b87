"""Choose the smallest state level that is exact for a chain and a schedule, or say why a given one is not."""

from collections.abc import Iterator

import jax
import numpy as np

from qtn import _checks
from qtn.evaluators.fold import heralded_links
from qtn.hardware.memory import RelaxingMemory
from qtn.links.chain import Chain
from qtn.schedules.tree import Distill, Schedule, Swap, subtrees
from qtn.steps.level import BELL_DIAGONAL, LEVELS, MOST_PAIRS, PAULI, PauliLevel, carries

TOLERANCE = 1e-13
"""Largest Pauli coefficient of a link that may be dropped: rounding."""


def choose_level(chain: Chain, schedule: Schedule) -> PauliLevel:
    """Return the smallest level that is exact.

    Raises:
        ValueError: if there is none, or it depends on traced numbers (under jit or vmap).
    """
    reasons: list[str] = []
    for level in LEVELS.values():
        reasons = list(obstacles(level, chain, schedule))
        if not reasons:
            return level
    raise ValueError(f"No state level can hold this problem: {reasons[0]}.")


def require_level(level: PauliLevel, chain: Chain, schedule: Schedule) -> None:
    """Check that a level is exact, as far as traced numbers let that be known.

    Raises:
        ValueError: with the reason why it is not.
    """
    for reason in obstacles(level, chain, schedule, given=True):
        raise ValueError(f"The state level {level.name!r} is not exact here: {reason}. Leave the level to be chosen.")


def obstacles(level: PauliLevel, chain: Chain, schedule: Schedule, *, given: bool = False) -> Iterator[str]:
    """Return the reasons why a level is not exact, as parts of sentences; who gives it answers for traced states."""
    protocols = {part.protocol for part in subtrees(schedule.tree) if isinstance(part, Distill)}
    for protocol in sorted(protocols, key=lambda each: each.name):
        if carries(level, protocol):
            continue
        if level != BELL_DIAGONAL and protocol.num_pairs > MOST_PAIRS[level.name]:
            yield f"{protocol.name} joins {protocol.num_pairs} pairs, and it holds at most {MOST_PAIRS[level.name]}"
        else:
            yield f"{protocol.name} makes Pauli coefficients that it does not have"
    if level == BELL_DIAGONAL:
        if any(relaxes(node.memory) for node in chain.nodes):
            yield "a memory relaxes (finite T1)"
        elif optical(chain, schedule) and not all(holds(level, each.state, given) for each in heralded_links(chain)):
            yield "a swap by linear optics mixes other Pauli coefficients that a link heralds into the Bell weights"
    elif level != PAULI and not all(holds(level, each.state, given) for each in heralded_links(chain)):
        yield "a link heralds a state with other Pauli coefficients"


def optical(chain: Chain, schedule: Schedule) -> bool:
    """Whether a swap is done by linear optics."""
    swaps = [part for part in subtrees(schedule.tree) if isinstance(part, Swap)]
    return any(chain.node(part.right.first).optics is not None for part in swaps)


def relaxes(memory: object) -> bool:
    """Whether a memory relaxes; one with T1 = inf, or a traced T1 that is known to be inf, does not."""
    if not isinstance(memory, RelaxingMemory):
        return False
    t1 = _checks.known(jax.lax.stop_gradient(memory.t1))
    return t1 is None or bool(np.isfinite(t1))


def holds(level: PauliLevel, state: object, given: bool) -> bool:
    """Whether a state has no other coefficients than those of a level; traced ones do if the level is `given`."""
    known = _checks.known(jax.lax.stop_gradient(state))
    if known is None and given:
        return True
    if known is None:
        raise ValueError(
            "A state level cannot be chosen from traced numbers: fix it outside jit and vmap with "
            "`evaluator = Renewal().planned(chain, schedule)`, and use that evaluator inside, or give `level`."
        )
    dropped = np.array(known)
    dropped[level.indices] = 0.0
    return bool(np.all(np.abs(dropped) < TOLERANCE))
