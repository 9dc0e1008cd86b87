"""Circuits of 18 to 98 qubits that stay weakly entangled, as QASMBench has them: `write(folder)` writes OpenQASM 2.

Li, Stein, Krishnamoorthy, Ang, 2023, ACM Trans. Quantum Comput. 4, 10, arXiv:2005.13018.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

Lines = list[str]


def bernstein_vazirani(n: int, chance: np.random.Generator) -> tuple[Lines, str]:
    """All bits of the secret that are 1 act on the last qubit."""
    secret = chance.integers(0, 2, n - 1)
    hadamards = [f"h q[{k}];" for k in range(n - 1)]
    asked = [f"cx q[{k}],q[{n - 1}];" for k in range(n - 1) if secret[k]]
    return [f"x q[{n - 1}];", f"h q[{n - 1}];", *hadamards, *asked, *hadamards], f"Z0 Z{n - 2}"


def cat(n: int, chance: np.random.Generator) -> tuple[Lines, str]:
    """A ladder of CX."""
    return ["h q[0];", *(f"cx q[{k}],q[{k + 1}];" for k in range(n - 1))], "X" * n


def w_state(n: int, chance: np.random.Generator) -> tuple[Lines, str]:
    """One excitation, moved on qubit by qubit."""
    lines = [f"x q[{n - 1}];"]
    for k in range(n - 1, 0, -1):
        angle = math.acos(math.sqrt(1 / (k + 1)))
        lines += [f"ry({-angle!r}) q[{k - 1}];", f"cz q[{k}],q[{k - 1}];", f"ry({angle!r}) q[{k - 1}];"]
    return [*lines, *(f"cx q[{k - 1}],q[{k}];" for k in range(1, n))], f"Z0 Z{n - 1}"


def ising(n: int, chance: np.random.Generator) -> tuple[Lines, str]:
    """One Trotter step of a chain."""
    lines = [f"h q[{k}];" for k in range(n)]
    for k in [*range(0, n - 1, 2), *range(1, n - 1, 2)]:
        lines += [f"cx q[{k}],q[{k + 1}];", f"rz({chance.uniform(-1, 1)!r}) q[{k + 1}];", f"cx q[{k}],q[{k + 1}];"]
    return [*lines, *(f"rx({chance.uniform(-1, 1)!r}) q[{k}];" for k in range(n))], f"Z{n // 2} Y{n // 2 + 1}"


def adder(n: int, chance: np.random.Generator) -> tuple[Lines, str]:
    """Cuccaro's adder of two registers, one of which holds a superposition: carry, a, b, sum."""
    bits = (n - 2) // 2
    a, b = range(1, 1 + bits), range(1 + bits, 1 + 2 * bits)
    carries = [0, *a]
    lines = [f"x q[{k}];" for k in a if chance.integers(2)] + [f"x q[{k}];" for k in b[1:]] + [f"h q[{b[0]}];"]
    for c, y, x in zip(carries, b, a, strict=False):
        lines += [f"cx q[{x}],q[{y}];", f"cx q[{x}],q[{c}];", f"ccx q[{c}],q[{y}],q[{x}];"]
    lines.append(f"cx q[{a[-1]}],q[{n - 1}];")
    for c, y, x in reversed(list(zip(carries, b, a, strict=False))):
        lines += [f"ccx q[{c}],q[{y}],q[{x}];", f"cx q[{x}],q[{c}];", f"cx q[{c}],q[{y}];"]
    return lines, f"Z{b[0]} Z{b[-1]}"


def counterfeit_coin(n: int, chance: np.random.Generator) -> tuple[Lines, str]:
    """The coins of a random weighing; the balance is measured, and what follows depends on it."""
    hadamards = [f"h q[{k}];" for k in range(n - 1)]
    lines = [*hadamards, *(f"cx q[{k}],q[{n - 1}];" for k in range(n - 1)), f"measure q[{n - 1}] -> c[{n - 1}];"]
    lines += [f"if(c==0) x q[{n - 1}];", f"if(c==0) h q[{n - 1}];", f"cx q[{n // 2}],q[{n - 1}];"]
    return [*lines, *hadamards], f"X{n // 2} X{n - 1}"


def nearest_neighbours(n: int, chance: np.random.Generator) -> tuple[Lines, str]:
    """The swap test of two products."""
    half = (n - 1) // 2
    lines = [f"ry({chance.uniform(0.9, 1.4)!r}) q[{k}];" for k in range(1, n)]
    swaps = [f"cswap q[0],q[{1 + k}],q[{1 + half + k}];" for k in range(half)]
    return [*lines, "h q[0];", *swaps, "h q[0];"], "Z0"


def fourier(n: int, chance: np.random.Generator) -> tuple[Lines, str]:
    """The Fourier transform of a product."""
    lines = [f"x q[{k}];" for k in range(n) if chance.integers(2)]
    for k in range(n):
        lines.append(f"h q[{k}];")
        lines += [f"cu1({math.pi / 2 ** (j - k)!r}) q[{j}],q[{k}];" for j in range(k + 1, n)]
    return [*lines, *(f"swap q[{k}],q[{n - 1 - k}];" for k in range(n // 2))], f"X{n - 1} X{n - 2}"


FAMILIES: dict[str, tuple[Callable[[int, np.random.Generator], tuple[Lines, str]], tuple[int, ...]]] = {
    "bv": (bernstein_vazirani, (19, 30, 70)),
    "cat": (cat, (22, 35, 65)),
    "wstate": (w_state, (27, 36, 76)),
    "ising": (ising, (26, 34, 66, 98)),
    "adder": (adder, (28, 64)),
    "cc": (counterfeit_coin, (18, 32, 64)),
    "knn": (nearest_neighbours, (25, 31, 67)),
    "qft": (fourier, (18, 29, 63)),
}
"""Family, and the numbers of qubits that QASMBench has of it."""


def write(folder: Path) -> dict[str, str]:
    """Write all circuits; return the observable of each by name."""
    observables = {}
    for name, (family, sizes) in FAMILIES.items():
        for n in sizes:
            lines, observables[f"{name}_n{n}"] = family(n, np.random.default_rng(n))
            head = ["OPENQASM 2.0;", 'include "qelib1.inc";', f"qreg q[{n}];", f"creg c[{n}];"]
            (folder / f"{name}_n{n}.qasm").write_text("\n".join([*head, *lines]) + "\n")
    return observables
