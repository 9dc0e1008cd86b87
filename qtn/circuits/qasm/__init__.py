"""OpenQASM 2 and 3 programs as circuits, parsed by the reference grammar (`openqasm3`).

    program = load_qasm(Path("teleport.qasm"))
    state, info = qtn.run(program.circuit, noise)
    expectation(program, state, "Z0 Z5");  counts(program, read_out(program, state, noise), 1000, key=key)

| construct | OpenQASM 2 | OpenQASM 3 |
|---|---|---|
| registers | `qreg q[n]; creg c[n];` | `qubit[n] q; bit[n] c;`, also `= "0101"`; `let a = q[0:2] ++ q[5];`; `$0` |
| gates | `U CX`, qelib1.inc | `U gphase`, stdgates.inc; both files name the same gates (below) |
| definitions | `gate g(a) q, r { ... }`, nested | the same; `def f(qubit a, int n) { ... return measure a; }` |
| modifiers | | `ctrl @`, `ctrl(k) @`, `negctrl @`, `inv @`, `pow(k) @` (k whole; broken for known gates on one qubit) |
| numbers | pi, + - * / ^, sin cos tan exp ln sqrt | also `const`, `input float`, `**`, `%`, mod, arcsin, floor |
| variables | | `int`, `uint`, `float`, `angle` whose values are known; `=`, `+=`, `-=`, `*=`, `/=`, `**=`, `%=` |
| whole registers | `h q; cx q, r; measure q -> c;` | the same; slices `q[0:2]`, `q[{0, 3}]`, `q[-1]` |
| measurement | `measure q -> c;` anywhere | `c = measure q; bit b = measure q[0]; measure q;` anywhere, in `if` too |
| reset, barrier | yes; `barrier` does nothing | the same; `delay[t] q` is `id`, whatever t, with the noise of `id` |
| conditions | `if (c == n)` of one statement | `if ... else ...` of bits (==, !=, !, &&, ||) or numbers |
| loops | | `for int i in [a:b]`, `[a:step:b]`, `{a, b}`, `while`, of known numbers |

Gates: x y z h s sdg t tdg sx sxdg id rx ry rz p u1 u2 u3 u, cx cy cz ch cs csx cp cu1 crx cry crz cu cu3 swap iswap rxx
ryy rzz, ccx ccz cswap rccx c3x c4x. Everything else (`while` of bits, `switch`, `extern`, `box`, pulses, arrays,
variables that depend on measurements, `opaque` gates in use) is an error with line, column and cure; so is what asks
for more than `qtn._budget` allows, before it is done.

Conventions. Measurements are averaged: a state holds all outcomes with their probabilities, and its classical bits
are sites of the train. A bit that was never written is 0. Observables are those of the qubits before the measurements
that end the program. Noise follows each gate of the file once, for gates of one and two qubits; gates of three and
more, and those that the file defines, are made of parts, and it follows the parts; a gate under a modifier is one
gate. Many controls are done without further qubits, in steps that grow as the square of their number. The noise of a
conditional gate follows also where the gate is not applied (its time passes); a conditional reset has none. The noise
of MEASURE acts on the record, not on the qubit. In OpenQASM 3 `U(theta, phi, lambda)` carries the phase
exp(i theta / 2) of its specification, which only `ctrl @` can see.
"""

from qtn.circuits.qasm.program import (
    Bit,
    Program,
    bit_order,
    bit_probabilities,
    counts,
    expectation,
    load_qasm,
    observable,
    read_out,
    require_bits,
)
from qtn.circuits.qasm.source import QasmError

__all__ = [
    "Bit",
    "Program",
    "QasmError",
    "bit_order",
    "bit_probabilities",
    "counts",
    "expectation",
    "load_qasm",
    "observable",
    "read_out",
    "require_bits",
]
