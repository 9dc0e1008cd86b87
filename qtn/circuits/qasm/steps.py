"""Named gates on wires, and the two things done with them: inversion and control, both exact, phases included.

A step that is controlled becomes a few steps of the same kind: outer parts that cancel are left uncontrolled (H in
H P H), only the core is. The same rules serve `ctrl @` (a quantum control) and `if` (a classical bit as control).
"""

import math
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


def controlled_all(steps: list[Step], control: int) -> list[Step]:
    """Control every step of a sequence by one wire."""
    return [part for given in steps for part in controlled(given, control)]


def controlled(given: Step, control: int) -> list[Step]:
    """Control one step by one wire."""
    name, angles = given.name, given.angles
    if name == "I":
        return []
    if name == "GPHASE":
        return [step("P", control, *angles)]
    if len(given.wires) == 1:
        return _controlled_one(name, angles, control, given.wires[0])
    return _controlled_two(name, angles, control, *given.wires)


def _controlled_one(name: str, angles: tuple[Any, ...], c: int, q: int) -> list[Step]:
    if name in ("X", "Y", "Z"):
        return [step("C" + name, (c, q))]
    if name in PHASES:
        return [step("CP", (c, q), PHASES[name])]
    if name in ("P", "RZ"):
        return [step({"P": "CP", "RZ": "CRZ"}[name], (c, q), *angles)]
    if name == "H":
        return [step("RY", q, -PI / 4), step("CZ", (c, q)), step("RY", q, PI / 4)]
    if name == "SX":
        return [step("H", q), step("CP", (c, q), PI / 2), step("H", q)]
    if name == "RX":
        return [step("H", q), step("CRZ", (c, q), *angles), step("H", q)]
    if name == "RY":
        return [step("RX", q, PI / 2), step("CRZ", (c, q), *angles), step("RX", q, -PI / 2)]
    theta, phi, lam = angles  # U = exp(i (phi + lam) / 2) RZ(phi) RY(theta) RZ(lam)
    turn = [step("CRZ", (c, q), lam), *_controlled_one("RY", (theta,), c, q), step("CRZ", (c, q), phi)]
    return [step("P", c, (phi + lam) / 2), *turn]


def _controlled_two(name: str, angles: tuple[Any, ...], c: int, a: int, b: int) -> list[Step]:
    cx = step("CX", (a, b))
    if name == "CX":
        return [step("H", b), *_controlled_two("CP", (PI,), c, a, b), step("H", b)]
    if name == "CY":
        return [step("SDG", b), *controlled(cx, c), step("S", b)]
    if name == "CZ":
        return _controlled_two("CP", (PI,), c, a, b)
    if name == "CP":  # c a b = c (a + b - (a xor b)) / 2
        half = angles[0] / 2
        return [step("CP", (c, a), half), step("CP", (c, b), half), cx, step("CP", (c, b), -half), cx]
    if name == "CRZ":
        half = angles[0] / 2
        return [step("CRZ", (c, b), half), cx, step("CRZ", (c, b), -half), cx]
    if name == "RZZ":
        return [cx, step("CRZ", (c, b), *angles), cx]
    if name in ("RXX", "RYY"):
        before = [step("H", q) if name == "RXX" else step("RX", q, PI / 2) for q in (a, b)]
        return [*before, *_controlled_two("RZZ", angles, c, a, b), *inverted(before)]
    if name == "SWAP":
        return [step("CX", (b, a)), *controlled(cx, c), step("CX", (b, a))]
    parts = [step("RXX", (a, b), -PI / 2), step("RYY", (a, b), -PI / 2)]  # ISWAP
    return controlled_all(parts, c)
