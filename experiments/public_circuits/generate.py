"""Write the circuits of the comparison as OpenQASM 2 and 3 files: python generate.py.

Families with loops, constants, inputs or modifiers are written a second time without them (NAME.plain.qasm), in
OpenQASM 2: what the importers of other programs read, and a check of the first.

Every family is the textbook one; numbers that a family leaves open come from a fixed seed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

FOLDER = Path(__file__).parent / "circuits"
HEAD2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
HEAD3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


class Case(NamedTuple):
    """A circuit file and what is asked of it."""

    text: Callable[[], str]
    observables: tuple[str, ...]
    method: str
    """Simulation method of Aer that is exact here; "shots" where it can only sample."""
    inputs: tuple[tuple[str, float], ...] = ()
    plain: Callable[[], str] | None = None
    """The same without loops, constants, inputs and modifiers."""


def ghz(n: int) -> str:
    """Return (|0...0> + |1...1>) / sqrt 2, measured."""
    ladder = "".join(f"cx q[{k}],q[{k + 1}];\n" for k in range(n - 1))
    return f"{HEAD2}qreg q[{n}];\ncreg c[{n}];\nh q[0];\n{ladder}measure q -> c;\n"


def w_state(n: int) -> str:
    """Return one excitation shared by n qubits: split off with the right amplitude, one after the other."""
    lines = [f"{HEAD3}const int n = {n};\nqubit[n] q;\nx q[0];\nfor int k in [0:n - 2] {{"]
    lines += ["  cry(2 * arccos(sqrt(1.0 / (n - k)))) q[k], q[k + 1];", "  cx q[k + 1], q[k];", "}\n"]
    return "\n".join(lines)


def plain_w_state(n: int) -> str:
    """Return the same with its loop written out."""
    angles = [2 * np.arccos(np.sqrt(1 / (n - k))) for k in range(n - 1)]
    lines = [f"cry({angle!r}) q[{k}],q[{k + 1}];\ncx q[{k + 1}],q[{k}];" for k, angle in enumerate(map(float, angles))]
    return f"{HEAD2}qreg q[{n}];\nx q[0];\n" + "\n".join(lines) + "\n"


def qft(n: int) -> str:
    """Return the Fourier transform of a superposition of two basis states, without the reversal."""
    lines = ["h q[0];", *(f"cx q[0],q[{k}];" for k in range(2, n, 3)), "x q[1];"]
    for target in reversed(range(n)):
        lines.append(f"h q[{target}];")
        lines += [f"cu1(pi/2^{target - control}) q[{control}],q[{target}];" for control in reversed(range(target))]
    return f"{HEAD2}qreg q[{n}];\n" + "\n".join(lines) + "\n"


def adder(bits: int) -> str:
    """Return Cuccaro's ripple-carry adder b += a, for a in a superposition of 2^2 numbers (quant-ph/0410184)."""
    gates = "gate majority a,b,c { cx c,b; cx c,a; ccx a,b,c; }\ngate unmajority a,b,c { ccx a,b,c; cx c,a; cx a,b; }\n"
    name = {("c", 0): 0} | {("b", k): 1 + 2 * k for k in range(bits)} | {("a", k): 2 + 2 * k for k in range(bits)}
    rng = np.random.default_rng(1)
    lines = [f"x q[{name['a', k]}];" for k in range(bits) if rng.integers(2)]
    lines += [f"x q[{name['b', k]}];" for k in range(bits) if rng.integers(2)]
    lines += [f"h q[{name['a', 0]}];", f"ry(0.7) q[{name['a', bits // 2]}];"]
    carries = [name["c", 0], *(name["a", k] for k in range(bits))]
    steps = [f"{carries[k]}],q[{name['b', k]}],q[{name['a', k]}" for k in range(bits)]
    lines += [f"majority q[{wires}];" for wires in steps]
    lines.append(f"cx q[{carries[-1]}],q[{2 * bits + 1}];")
    lines += [f"unmajority q[{wires}];" for wires in reversed(steps)]
    return f"{HEAD2}{gates}qreg q[{2 * bits + 2}];\n" + "\n".join(lines) + "\n"


def qaoa_ring(n: int, layers: int) -> str:
    """Return QAOA for MaxCut on a ring, with its angles as inputs (arXiv:1411.4028)."""
    names = [f"{kind}{k}" for k in range(layers) for kind in ("gamma", "beta")]
    lines = [HEAD3 + "".join(f"input float {name};\n" for name in names) + f"qubit[{n}] q;\nh q;"]
    for k in range(layers):
        lines += [
            f"for int i in [0:{n - 2}] {{",
            f"  cx q[i], q[i + 1];  rz(gamma{k}) q[i + 1];  cx q[i], q[i + 1];",
            "}",
        ]
        lines += [f"cx q[{n - 1}], q[0];  rz(gamma{k}) q[0];  cx q[{n - 1}], q[0];", f"rx(2 * beta{k}) q;"]
    return "\n".join(lines) + "\n"


def plain_qaoa_ring(n: int, layers: int) -> str:
    """Return the same with its loops written out and its inputs filled in."""
    angles, lines = dict(ANGLES), [f"{HEAD2}qreg q[{n}];\nh q;"]
    for k in range(layers):
        for i in range(n):
            a, b = i, (i + 1) % n
            lines.append(f"cx q[{a}],q[{b}]; rz({angles[f'gamma{k}']}) q[{b}]; cx q[{a}],q[{b}];")
        lines.append(f"rx({2 * angles[f'beta{k}']}) q;")
    return "\n".join(lines) + "\n"


def hidden_shift(n: int) -> str:
    """Return the shift of the bent function x0 x1 + x2 x3 + ... by one query (arXiv:0811.3208), measured."""
    shift = np.random.default_rng(2).integers(2, size=n)
    flips = "".join(f"x q[{k}];\n" for k in range(n) if shift[k])
    pairs = "".join(f"cz q[{k}],q[{k + 1}];\n" for k in range(0, n - 1, 2))
    return f"{HEAD2}qreg q[{n}];\ncreg c[{n}];\nh q;\n{flips}{pairs}{flips}h q;\n{pairs}h q;\nmeasure q -> c;\n"


def bernstein_vazirani(n: int) -> str:
    """Return the parity of a secret by one query; the last qubit holds the answer's sign."""
    secret = np.random.default_rng(3).integers(2, size=n - 1)
    oracle = "".join(f"cx q[{k}],q[{n - 1}];\n" for k in range(n - 1) if secret[k])
    ends = "".join(f"measure q[{k}] -> c[{k}];\n" for k in range(n - 1))
    return f"{HEAD2}qreg q[{n}];\ncreg c[{n - 1}];\nx q[{n - 1}];\nh q;\nbarrier q;\n{oracle}h q;\n{ends}"


def teleportation(hops: int) -> str:
    """Return a qubit that is teleported again and again, with corrections after each measurement."""
    n = 2 * hops + 1
    lines = [f"{HEAD3}qubit[{n}] q;\nbit[{2 * hops}] c;\nry(1.1) q[0];\nrz(0.4) q[0];"]
    for k in range(hops):
        a, b, t = 2 * k, 2 * k + 1, 2 * k + 2
        lines += [f"h q[{b}];", f"cx q[{b}], q[{t}];", f"cx q[{a}], q[{b}];", f"h q[{a}];"]
        lines += [f"c[{a}] = measure q[{a}];", f"c[{b}] = measure q[{b}];"]
        lines += [f"if (c[{b}]) {{ x q[{t}]; }}", f"if (c[{a}]) {{ z q[{t}]; }}"]
    return "\n".join(lines) + "\n"


def ising(n: int, steps: int) -> str:
    """Return a Trotterised quench of the transverse-field Ising chain."""
    body = f"  for int i in [0:2:{n - 2}] {{ rzz(0.2) q[i], q[i + 1]; }}\n"
    body += f"  for int i in [1:2:{n - 2}] {{ rzz(0.2) q[i], q[i + 1]; }}\n  rx(0.3) q;\n"
    rzz = "gate rzz(a) x, y { cx x, y; rz(a) y; cx x, y; }\n"
    return f"{HEAD3}{rzz}qubit[{n}] q;\nh q[{n // 2}];\nfor int t in [1:{steps}] {{\n{body}}}\n"


def plain_ising(n: int, steps: int) -> str:
    """Return the same with its loops written out."""
    lines = [f"{HEAD2}qreg q[{n}];\nh q[{n // 2}];"]
    for _ in range(steps):
        for start in (0, 1):
            lines += [
                f"cx q[{i}],q[{i + 1}]; rz(0.2) q[{i + 1}]; cx q[{i}],q[{i + 1}];" for i in range(start, n - 1, 2)
            ]
        lines.append("rx(0.3) q;")
    return "\n".join(lines) + "\n"


def repetition_code(distance: int) -> str:
    """Return a bit-flip code: rotated data, all parities measured, and the most likely flips undone."""
    data, checks = distance, distance - 1
    lines = [f"{HEAD2}qreg d[{data}];\nqreg a[{checks}];\ncreg m[{checks}];\nry(0.9) d[0];"]
    lines += [f"cx d[{k}],d[{k + 1}];" for k in range(data - 1)]
    lines += [f"rx({0.7 + 0.1 * k:.1f}) d[{k}];" for k in range(data)]
    for k in range(checks):
        lines += [f"cx d[{k}],a[{k}];", f"cx d[{k + 1}],a[{k}];", f"measure a[{k}] -> m[{k}];", f"reset a[{k}];"]
    for pattern in range(1, 2**data // 2):
        flips = next(f for f in (pattern, 2**data - 1 - pattern) if f.bit_count() <= data // 2)
        syndrome = sum(((flips >> k ^ flips >> (k + 1)) & 1) << k for k in range(checks))
        lines += [f"if(m=={syndrome}) x d[{k}];" for k in range(data) if flips >> k & 1]
    return "\n".join(lines) + "\n"


def quantum_volume(n: int, depth: int) -> str:
    """Return layers of random two-qubit blocks (three CX, random rotations) on random pairs (arXiv:1811.12926)."""
    rng, lines = np.random.default_rng(4), []

    def turn(qubit: int) -> str:
        return "u3({:.6f},{:.6f},{:.6f}) q[{}];".format(*rng.uniform(0, np.pi, 3), qubit)

    for _ in range(depth):
        order = rng.permutation(n)
        for a, b in zip(order[::2], order[1::2], strict=False):
            lines += [turn(a), turn(b)]
            for first, second in ((a, b), (b, a), (a, b)):
                lines += [f"cx q[{first}],q[{second}];", turn(a), turn(b)]
    return f"{HEAD2}qreg q[{n}];\n" + "\n".join(lines) + "\n"


def phase_estimation(n: int) -> str:
    """Return the phase 2 pi 0.3 of a P gate on n - 1 bits, with controlled powers and the inverse transform."""
    bits = n - 1
    lines = [f"{HEAD3}const int bits = {bits};\nqubit[bits] q;\nqubit r;\nbit[bits] c;\nx r;\nh q;"]
    lines.append("for int k in [0:bits - 1] {\n  ctrl @ pow(2 ** k) @ p(2 * pi * 0.3) q[k], r;\n}")
    for target in range(bits):
        k = bits - 1 - target
        lines += [
            f"cp(-pi / {2.0 ** (higher - k):.1f}) q[{higher}], q[{k}];" for higher in reversed(range(k + 1, bits))
        ]
        lines.append(f"h q[{k}];")
    return "\n".join(lines) + "\nc = measure q;\n"


def plain_phase_estimation(n: int) -> str:
    """Return the same with its loop written out and every power multiplied in."""
    bits = n - 1
    lines = [f"{HEAD2}qreg q[{bits}];\nqreg r[1];\ncreg c[{bits}];\nx r;\nh q;"]
    lines += [f"cu1(2*pi*0.3*{2**k}) q[{k}],r[0];" for k in range(bits)]
    for k in reversed(range(bits)):
        lines += [f"cu1(-pi/2^{higher - k}) q[{higher}],q[{k}];" for higher in reversed(range(k + 1, bits))]
        lines.append(f"h q[{k}];")
    return "\n".join(lines) + "\nmeasure q -> c;\n"


ANGLES = (("gamma0", 0.6), ("beta0", 0.4), ("gamma1", 0.9), ("beta1", 0.25))
CASES = {
    "ghz_8": Case(lambda: ghz(8), ("XXXXXXXX", "Z0 Z7", "YYXXXXXX", "Z3"), "statevector"),
    "adder_8": Case(lambda: adder(3), ("Z1", "Z3 Z5", "Z7", "X2"), "statevector"),
    "qft_8": Case(lambda: qft(8), ("Z0", "X3", "X2 Z7", "Y5 Z6"), "statevector"),
    "repetition_code_9": Case(lambda: repetition_code(5), ("Z0", "Z2 Z3", "XXXXXIIII"), "shots"),
    "quantum_volume_10": Case(lambda: quantum_volume(10, 10), ("Z0 Z9", "X3", "ZZZZZZZZZZ"), "statevector"),
    "phase_estimation_12": Case(
        lambda: phase_estimation(12),
        ("Z0", "Z5", "X3 X4", "Z10"),
        "statevector",
        plain=lambda: plain_phase_estimation(12),
    ),
    "qft_16": Case(lambda: qft(16), ("Z0", "X7 X8", "X2 Z15", "Y5 Z6"), "statevector"),
    "teleportation_17": Case(lambda: teleportation(8), ("X16", "Y16", "Z16"), "statevector, in every shot"),
    "qaoa_ring_20": Case(
        lambda: qaoa_ring(20, 2),
        ("Z0 Z1", "Z0 Z19", "X5", "Z3 Z9"),
        "statevector",
        ANGLES,
        lambda: plain_qaoa_ring(20, 2),
    ),
    "hidden_shift_40": Case(lambda: hidden_shift(40), ("Z0", "Z7", "Z18 Z39", "X3"), "stabilizer"),
    "w_50": Case(
        lambda: w_state(50),
        ("Z0", "Z10 Z40", "X0 X49", "Y24 Y25"),
        "matrix_product_state",
        plain=lambda: plain_w_state(50),
    ),
    "adder_62": Case(lambda: adder(30), ("Z1", "Z31 Z61", "Z35", "X2"), "matrix_product_state"),
    "ising_64": Case(
        lambda: ising(64, 5),
        ("Z31", "X32", "Z31 Z33", "Y30 Z31"),
        "matrix_product_state",
        plain=lambda: plain_ising(64, 5),
    ),
    "bernstein_vazirani_80": Case(lambda: bernstein_vazirani(80), ("Z0", "Z10 Z70", "Z33", "X79"), "stabilizer"),
    "ghz_100": Case(lambda: ghz(100), ("X" * 100, "Z0 Z99", "Z50"), "stabilizer"),
}
"""In order of their number of qubits, which ends their names."""


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, case in CASES.items():
        (FOLDER / f"{name}.qasm").write_text(case.text())
        if case.plain is not None:
            (FOLDER / f"{name}.plain.qasm").write_text(case.plain())


if __name__ == "__main__":
    main()
