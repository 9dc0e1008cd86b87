"""Named gates on wires, and the two things done with them: inversion and control, both exact, phases included.

A step that is controlled becomes a few steps of the same kind: outer parts that cancel are left uncontrolled (H in
H P H), only the core is. The same rules serve `ctrl @` (a quantum control) and `if` (a classical bit as control).
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

PI = math.pi
PHASES = {"S": PI / 2, "SDG": -PI / 2, "T": PI / 4, "TDG": -PI / 4}
ADJOINT = {"S": "SDG", "SDG": "S", "T": "TDG", "TDG": "T"}


@dataclass(frozen=True)
class Step:
    """One gate of `qtn.circuits.gates.GATES` on wires, or GPHASE on none, or a UNITARY with its matrix as angle."""

    name: str
    wires: tuple[int, ...]
    angles: tuple[Any, ...] = ()


def step(name: str, wires: Any, *angles: Any) -> Step:
    """Return a step; `wires` may be one number."""
    return Step(name, (wires,) if isinstance(wires, int) else tuple(wires), angles)


def inverse(given: Step) -> list[Step]:
    """Return the inverse of one step."""
    name, wires, angles = given.name, given.wires, given.angles
    if name in ADJOINT:
        return [Step(ADJOINT[name], wires)]
    if name == "SX":
        return [step("H", wires), step("SDG", wires), step("H", wires)]
    if name == "ISWAP":
        return [step("RXX", wires, PI / 2), step("RYY", wires, PI / 2)]
    if name == "U":
        return [step("U", wires, -angles[0], -angles[2], -angles[1])]
    if name == "UNITARY":
        return [step("UNITARY", wires, angles[0].conj().T)]
    return [Step(name, wires, tuple(-angle for angle in angles))]


def inverted(steps: list[Step]) -> list[Step]:
    """Return the inverse of a sequence."""
    return [part for given in reversed(steps) for part in inverse(given)]


def controlled_all(steps: Iterable[Step], *controls: int) -> Iterator[Step]:
    """Control every step of a sequence by all of some wires."""
    for given in steps:
        yield from controlled(given, *controls)


def controlled(given: Step, *controls: int) -> Iterator[Step]:
    """Control one step by all of some wires, without further wires: the number of steps grows as their square."""
    name, angles = given.name, given.angles
    if name == "GPHASE":
        yield from _phase(controls, *angles)
    elif len(given.wires) == 2:
        yield from _controlled_two(name, angles, controls, *given.wires)
    elif name != "I":
        yield from _controlled_one(name, angles, controls, given.wires[0])


def _controlled_one(name: str, angles: tuple[Any, ...], controls: tuple[int, ...], q: int) -> Iterator[Step]:
    if name == "X":
        yield from _flip(controls, q)
    elif name in PHASES:
        yield from _phase((*controls, q), PHASES[name])
    elif name == "P":
        yield from _phase((*controls, q), *angles)
    elif name == "Z":
        yield from [step("CZ", (*controls, q))] if len(controls) == 1 else _phase((*controls, q), PI)
    elif name == "RZ":
        yield from _turn(controls, q, angles[0])
    elif name == "U":  # exp(i (phi + lam) / 2) RZ(phi) RY(theta) RZ(lam)
        theta, phi, lam = angles
        yield from _phase(controls, (phi + lam) / 2)
        yield from controlled_all([step("RZ", q, lam), step("RY", q, theta), step("RZ", q, phi)], *controls)
    elif name == "Y" and len(controls) == 1:
        yield step("CY", (*controls, q))
    else:
        before, core, after = _conjugated(name, angles, q)
        yield before
        yield from controlled(core, *controls)
        yield after


def _conjugated(name: str, angles: tuple[Any, ...], q: int) -> tuple[Step, Step, Step]:
    """Return a one-qubit gate as V^-1, core, V: the outer parts cancel where the core is not applied."""
    if name == "Y":
        return step("SDG", q), step("X", q), step("S", q)
    if name == "H":
        return step("RY", q, -PI / 4), step("Z", q), step("RY", q, PI / 4)
    if name == "SX":
        return step("H", q), step("P", q, PI / 2), step("H", q)
    if name == "RX":
        return step("H", q), step("RZ", q, *angles), step("H", q)
    return step("RX", q, PI / 2), step("RZ", q, *angles), step("RX", q, -PI / 2)  # RY


def _controlled_two(name: str, angles: tuple[Any, ...], controls: tuple[int, ...], a: int, b: int) -> Iterator[Step]:
    cx = step("CX", (a, b))
    if name in ("CX", "CY", "CZ", "CP", "CRZ"):
        yield from controlled(Step(name[1:], (b,), angles), *controls, a)
    elif name == "RZZ":
        yield from [cx, *_turn(controls, b, *angles), cx]
    elif name in ("RXX", "RYY"):
        before = [step("H", q) if name == "RXX" else step("RX", q, PI / 2) for q in (a, b)]
        yield from [*before, *_controlled_two("RZZ", angles, controls, a, b), *inverted(before)]
    elif name == "SWAP":
        yield from [step("CX", (b, a)), *_flip((*controls, a), b), step("CX", (b, a))]
    else:  # ISWAP
        yield from controlled_all([step("RXX", (a, b), -PI / 2), step("RYY", (a, b), -PI / 2)], *controls)


def _turn(controls: tuple[int, ...], q: int, angle: Any) -> Iterator[Step]:
    """RZ on one wire where all controls are 1."""
    if len(controls) == 1:
        yield step("CRZ", (*controls, q), angle)
        return
    kept, flipping = (controls[:1], controls[1:]) if len(controls) == 2 else ((), controls)
    for sign in (0.5, -0.5):
        yield from controlled(step("RZ", q, sign * angle), *kept) if kept else [step("RZ", q, sign * angle)]
        yield from _flip(flipping, q)


def _phase(wires: tuple[int, ...], angle: Any) -> Iterator[Step]:
    """Multiply by exp(i angle) where all wires are 1; Barenco et al. 1995, arXiv:quant-ph/9503016, Lemma 7.5."""
    if len(wires) < 3:
        yield step("P" if len(wires) == 1 else "CP", wires, angle)
    elif len(wires) == 3:  # c a b = c (a + b - (a xor b)) / 2
        c, a, b = wires
        half, cx = angle / 2, step("CX", (a, b))
        yield from [step("CP", (c, a), half), step("CP", (c, b), half), cx, step("CP", (c, b), -half), cx]
    else:
        *most, last, target = wires
        for sign in (0.5, -0.5):
            yield step("CP", (last, target), sign * angle)
            yield from _flip(tuple(most), last, (target,))
        yield from _phase((*most, target), angle / 2)


def _flip(controls: tuple[int, ...], target: int, free: tuple[int, ...] = ()) -> Iterator[Step]:
    """Flip a wire where all controls are 1; wires that are free come back as they were, whatever they hold."""
    n = len(controls)
    if n == 1:
        yield step("CX", (*controls, target))
    elif n == 2 or not free:
        yield from [step("H", target), *_phase((*controls, target), PI), step("H", target)]
    elif len(free) >= n - 2:  # a ladder, Lemma 7.2
        rungs = [*free[: n - 2], target]
        up = [((controls[k + 1], rungs[k - 1]), rungs[k]) for k in range(1, n - 1)]
        foot = ((controls[0], controls[1]), rungs[0])
        for pair in (*up[::-1], foot, *up, *up[-2::-1], foot, *up[:-1]):
            yield from _flip(*pair)
    else:  # half of the controls each, Lemma 7.3
        half = (n + 1) // 2
        first, rest = controls[:half], controls[half:]
        for _ in range(2):
            yield from _flip(first, free[0], (*rest, target))
            yield from _flip((*rest, free[0]), target, first)
