"""Choose the smallest state level that is exact for a chain and a schedule, or say why a given one is not."""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from qtn import _checks
from qtn.evaluators.delivery import delivered_links
from qtn.hardware.memory import RelaxingMemory
from qtn.links.chain import Chain
from qtn.schedules.policy import SwapAsap
from qtn.schedules.tree import Distill, Schedule, Swap, subtrees
from qtn.steps.level import BELL_DIAGONAL, LEVELS, MOST_PAIRS, PAULI, Level, PauliLevel, carries

T = TypeVar("T")

MOST_WHOLE_LINKS = 32
"""Links up to which the whole state is evaluated although nobody asked for it."""

TOLERANCE = 1e-13
"""Largest Pauli coefficient of a link that may be dropped: rounding."""


def choose_level(chain: Chain, schedule: Schedule, *, whole: bool = False) -> PauliLevel:
    """Return the smallest level that is exact.

    Args:
        chain: links and nodes.
        schedule: tree of steps.
        whole: whether it must hold the whole delivered state, and not only its Bell weights.

    Raises:
        ValueError: if there is none, or it depends on traced numbers (under jit or vmap).
    """
    reasons: list[str] = []
    for level in LEVELS.values():
        reasons = obstacles(level, chain, schedule, whole=whole)
        if not reasons:
            return level
    raise ValueError(f"No state level can hold this problem: {reasons[0]}.")


def require_level(level: PauliLevel, chain: Chain, schedule: Schedule, *, whole: bool = False) -> None:
    """Check that a level is exact, as far as that does not depend on traced numbers (for those see `where_exact`).

    Raises:
        ValueError: with the reason why it is not.
    """
    reasons = _obstacles_of_steps(level, chain, schedule)
    if not reasons and _states_matter(level, chain, schedule, whole) and _known_states(chain) is not None:
        reasons = _obstacles_of_states(level, chain, schedule, whole)
    for reason in reasons:
        raise ValueError(f"The state level {level.name!r} is not exact here: {reason}. Leave the level to be chosen.")


def where_exact(level: Level, chain: Chain, schedule: Schedule, found: T, *, whole: bool = False) -> T:
    """Return what was found, all NaN if links deliver, at traced numbers, what the level does not hold."""
    if not isinstance(level, PauliLevel) or not _states_matter(level, chain, schedule, whole):
        return found
    if _known_states(chain) is not None:
        return found  # checked before
    states = jax.lax.stop_gradient(jnp.stack([each.state for each in delivered_links(chain)]))
    exact = jnp.max(jnp.abs(states.at[:, *level.indices].set(0.0))) < TOLERANCE
    return jax.tree.map(lambda number: jnp.where(exact, number, jnp.nan), found)


def whole_level(chain: Chain, schedule: Schedule | SwapAsap) -> PauliLevel | None:
    """Return the smallest level that holds the whole state that a chain of known numbers delivers; None = none does."""
    if isinstance(schedule, SwapAsap):
        return PAULI
    try:
        return choose_level(chain, schedule, whole=True)
    except ValueError:
        return None


def holds_all(evaluator: Any, chain: Chain, schedule: Schedule | SwapAsap) -> bool:
    """Whether an evaluator holds the whole state that a chain of known numbers delivers, and not only Bell weights."""
    level = getattr(evaluator, "level", PAULI)  # full states have none
    if isinstance(schedule, SwapAsap):
        level = level or PAULI
        return level == PAULI or not _drops(level, chain)
    if level is None:
        level = choose_level(chain, schedule, whole=evaluator.whole_state)
    return not isinstance(level, PauliLevel) or level == PAULI or not _drops(level, chain)


def _drops(level: PauliLevel, chain: Chain) -> bool:
    """Whether links deliver Pauli coefficients that a level does not hold."""
    states = _known_states(chain)
    assert states is not None, "of known numbers"
    states[:, *level.indices] = 0.0
    return not np.all(np.abs(states) < TOLERANCE)


def obstacles(level: PauliLevel, chain: Chain, schedule: Schedule, *, whole: bool = False) -> list[str]:
    """Return the reasons why a level is not exact, as parts of sentences."""
    return _obstacles_of_steps(level, chain, schedule) or _obstacles_of_states(level, chain, schedule, whole)


def _obstacles_of_steps(level: PauliLevel, chain: Chain, schedule: Schedule) -> list[str]:
    reasons = []
    protocols = {part.protocol for part in subtrees(schedule.tree) if isinstance(part, Distill)}
    for protocol in sorted(protocols, key=lambda each: each.name):
        if carries(level, protocol):
            continue
        if level != BELL_DIAGONAL and protocol.num_pairs > MOST_PAIRS[level.name]:
            reasons.append(
                f"{protocol.name} joins {protocol.num_pairs} pairs, and it holds at most {MOST_PAIRS[level.name]}"
            )
        else:
            reasons.append(f"{protocol.name} makes Pauli coefficients that it does not have")
    if level == BELL_DIAGONAL and any(relaxes(node.memory) for node in chain.nodes):
        reasons.append("a memory relaxes (finite T1)")
    return reasons


def _obstacles_of_states(level: PauliLevel, chain: Chain, schedule: Schedule, whole: bool) -> list[str]:
    if not _states_matter(level, chain, schedule, whole):
        return []
    if _known_states(chain) is None:
        raise ValueError(
            "A state level cannot be chosen from traced numbers: fix it outside jit and vmap with "
            "`evaluator = Renewal().planned(chain, schedule)`, and use that evaluator inside, or give `level`."
        )
    if not _drops(level, chain):
        return []
    if level == BELL_DIAGONAL and optical(chain, schedule):
        return ["a swap by linear optics mixes other Pauli coefficients that a link heralds into the Bell weights"]
    return ["a link heralds a state with other Pauli coefficients"]


def _states_matter(level: PauliLevel, chain: Chain, schedule: Schedule, whole: bool) -> bool:
    """Whether coefficients that the level does not hold would change what is wanted of it, if links heralded them."""
    return whole or optical(chain, schedule) if level == BELL_DIAGONAL else level != PAULI


def _known_states(chain: Chain) -> np.ndarray | None:
    """Return the states (n, 4, 4) that links deliver, or None if they are traced."""
    states = [_checks.known(each.state) for each in _checks.constant(delivered_links(chain))]
    return None if any(state is None for state in states) else np.array(states)


def optical(chain: Chain, schedule: Schedule) -> bool:
    """Whether a swap is done by linear optics."""
    swaps = [part for part in subtrees(schedule.tree) if isinstance(part, Swap)]
    return any(chain.node(part.right.first).optics is not None for part in swaps)


def states_decide(chain: Chain, schedule: Schedule) -> bool:
    """Whether the success of a swap depends on its pairs: linear optics on pairs that are not Bell-diagonal."""
    return optical(chain, schedule) and bool(obstacles(BELL_DIAGONAL, chain, schedule))


def corrections_matter(chain: Chain, schedule: Schedule) -> str:
    """Return why it matters when the Pauli corrections of swaps are applied; empty where it does not."""
    if any(relaxes(node.memory) for node in chain.nodes):
        return "a memory relaxes (finite T1)"
    swaps = [part for part in subtrees(schedule.tree) if isinstance(part, Swap)]
    if any(meets_uncorrected(chain, part) for part in swaps) and states_decide(chain, schedule):
        return "linear optics measures qubits to be corrected, of pairs that are not Bell-diagonal"
    return ""


def meets_uncorrected(chain: Chain, part: Swap | Distill) -> bool:
    """Whether a step that tells some states only acts on qubits whose correction would be pending if it were tracked.

    It is the right end of a pair that is corrected: of both pairs in a distillation, of the left one in a swap.
    """
    if isinstance(part, Distill):
        return part.last > part.first
    return chain.node(part.right.first).optics is not None and part.left.last > part.left.first


def relaxes(memory: object) -> bool:
    """Whether a memory relaxes; one with T1 = inf, or a traced T1 that is known to be inf, does not."""
    if not isinstance(memory, RelaxingMemory):
        return False
    t1 = _checks.known(_checks.constant(memory.t1))
    return t1 is None or bool(np.isfinite(t1))
