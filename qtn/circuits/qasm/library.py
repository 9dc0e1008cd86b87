"""The gates of `qelib1.inc` and `stdgates.inc` as steps."""

from collections.abc import Callable
from typing import Any, NamedTuple

from qtn.circuits.qasm.steps import PI, Step, controlled, step


class Standard(NamedTuple):
    """A gate of the standard files."""

    num_parameters: int
    num_qubits: int
    steps: Callable[..., list[Step]]
    """angles -> steps on the wires 0, 1, ..."""


def _native(name: str, num_qubits: int = 1, num_parameters: int = 0) -> Standard:
    return Standard(num_parameters, num_qubits, lambda *angles: [step(name, range(num_qubits), *angles)])


def _control(name: str, num_parameters: int = 0) -> Standard:
    """Control one step on the last wire by wire 0."""
    return Standard(num_parameters, 2, lambda *angles: list(controlled(step(name, 1, *angles), 0)))


def _cu(theta: Any, phi: Any, lam: Any, gamma: Any) -> list[Step]:
    return [step("P", 0, gamma), *controlled(step("U", 1, theta, phi, lam), 0)]


def _ccx(a: int = 0, b: int = 1, c: int = 2) -> list[Step]:
    """Return the six CX of qelib1.inc."""
    pair = [step("CX", (b, c)), step("TDG", c), step("CX", (a, c)), step("T", c)]
    last = [step("CX", (b, c)), step("TDG", c), step("CX", (a, c)), step("T", b), step("T", c), step("H", c)]
    end = [step("CX", (a, b)), step("T", a), step("TDG", b), step("CX", (a, b))]
    return [step("H", c), *pair, *last, *end]


def _rccx() -> list[Step]:
    parts = [step("T", 2), step("CX", (1, 2)), step("TDG", 2), step("CX", (0, 2))]
    return [step("H", 2), *parts, step("T", 2), step("CX", (1, 2)), step("TDG", 2), step("H", 2)]


def _many_controls(num_controls: int) -> list[Step]:
    return list(controlled(step("X", num_controls), *range(num_controls)))


STANDARD: dict[str, Standard] = {
    **{name: _native(name.upper()) for name in ("x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx")},
    **{name: _native(name.upper(), 1, 1) for name in ("rx", "ry", "rz", "p")},
    **{name: _native(name.upper(), 2) for name in ("cx", "cy", "cz", "swap", "iswap")},
    **{name: _native(name.upper(), 2, 1) for name in ("cp", "crz", "rxx", "ryy", "rzz")},
    **{name: _native("I") for name in ("id", "i")},
    **{name: _native("P", 1, 1) for name in ("u1", "phase")},
    **{name: _native("CP", 2, 1) for name in ("cu1", "cphase")},
    "u0": Standard(1, 1, lambda _: [step("I", 0)]),
    "u2": Standard(2, 1, lambda phi, lam: [step("U", 0, PI / 2, phi, lam)]),
    **{name: _native("U", 1, 3) for name in ("u3", "u")},
    "CX": _native("CX", 2),
    "sxdg": Standard(0, 1, lambda: [step("H", 0), step("SDG", 0), step("H", 0)]),
    "ch": _control("H"),
    "csx": _control("SX"),
    "cs": _control("S"),
    "crx": _control("RX", 1),
    "cry": _control("RY", 1),
    "cu3": _control("U", 3),
    "cu": Standard(4, 2, _cu),
    "ccx": Standard(0, 3, _ccx),
    "ccz": Standard(0, 3, lambda: [step("H", 2), *_ccx(), step("H", 2)]),
    "cswap": Standard(0, 3, lambda: [step("CX", (2, 1)), *_ccx(), step("CX", (2, 1))]),
    "rccx": Standard(0, 3, _rccx),
    "c3x": Standard(0, 4, lambda: _many_controls(3)),
    "c4x": Standard(0, 5, lambda: _many_controls(4)),
}
"""By name; `U` and the empty gphase are built in and not listed here."""

OTHER_NAMES = {"cnot": "cx", "ccnot": "ccx", "toffoli": "ccx", "fredkin": "cswap", "hadamard": "h", "not": "x"}
"""What people write for some of them; suggested, not understood."""
