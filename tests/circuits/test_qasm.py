"""OpenQASM programs against dense state vectors with every branch enumerated."""

import math
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from qtn import channels
from qtn.channels.readout import Misread
from qtn.circuits import gates as gate_families
from qtn.circuits import noise_model, run
from qtn.circuits.qasm import bit_probabilities, counts, expectation, load_qasm, read_out
from qtn.states import MPS, reduced
from tests.oracles import branches as oracle
from tests.oracles import circuits as dense
from tests.oracles import gate_matrices as m

Q2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
Q3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
A, B, C = 0.7, -1.3, 0.4
MIX = "ry(0.7) q[0]; ry(1.1) q[1]; ry(2.0) q[2]; rz(0.3) q; "
MIXED = [("gate", m.spin(m.Y, a), (k,)) for k, a in enumerate((0.7, 1.1, 2.0))]
MIXED += [("gate", m.spin(m.Z, 0.3), (k,)) for k in range(3)]


def by_engine(found, sites):
    """The reduced state of some sites at the end, by `run`; no state here needs a bond of 64."""
    state, _ = run(found.circuit, max_bond=64, relative=1e-13)
    state = state if found.readout is None else run(found.readout, state=state)[0]
    return reduced(state, sites).matrix


def by_matrices(found, sites):
    """The same with dense matrices, where nothing is compiled: for the many gates."""
    n = found.circuit.num_sites
    rho = dense.zero(n)
    for op in (*found.circuit.operations, *(found.readout.operations if found.readout else ())):
        for k, place in enumerate(op.sites):
            angles = [column[k] for column in op.parameters]
            kraus = {"MEASURE": [oracle.ZERO, oracle.ONE], "RESET": [oracle.ZERO, oracle.LOWER]}.get(op.name)
            if op.name == "CHANNEL":
                kraus = channels.kraus_from_ptm(angles[0])
            elif kraus is None:
                kraus = [angles[0] if op.name == "UNITARY" else known(op.name, tuple(float(a) for a in angles))]
            rho = dense.apply(rho, [np.asarray(k) for k in kraus], place)
    others = [site for site in range(n) if site not in sites]
    assert list(sites) == sorted(sites)
    return dense.trace_out(rho, others) if others else rho


@cache
def known(name, angles):
    return np.asarray(gate_families.GATES[name].matrix(*angles))


def compare(text, n, bits, program, inputs=None, state_of=by_engine):
    """The state of the qubits and the joint distribution of the bits, after all measurements."""
    found = load_qasm(text, inputs)
    expected = oracle.branches(n, program, bits)
    rho = state_of(found, [site for _, site in found.qubits])
    np.testing.assert_allclose(rho, oracle.density(expected), atol=1e-11)
    written = [k for k, bit in enumerate(found.bits) if bit.site is not None]
    if written:
        diagonal = np.real(np.diag(state_of(found, [found.bits[k].site for k in written])))
        table = {}
        for values, probability in oracle.distribution(expected).items():
            index = int("".join(str(values[k]) for k in written), 2)
            table[index] = table.get(index, 0.0) + probability
        np.testing.assert_allclose(diagonal, [table.get(i, 0.0) for i in range(len(diagonal))], atol=1e-11)


GATES = {
    "x": m.X, "y": m.Y, "z": m.Z, "h": m.H, "s": m.phase(np.pi / 2), "sdg": m.phase(-np.pi / 2),
    "t": m.phase(np.pi / 4), "tdg": m.phase(-np.pi / 4), "sx": m.SX, "sxdg": m.SX.conj().T, "id": m.ONE,
    f"rx({A})": m.spin(m.X, A), f"ry({A})": m.spin(m.Y, A), f"rz({A})": m.spin(m.Z, A), f"p({A})": m.phase(A),
    f"u1({A})": m.phase(A), f"u2({A},{B})": m.u(np.pi / 2, A, B), f"u3({A},{B},{C})": m.u(A, B, C),
    f"u({A},{B},{C})": m.u(A, B, C), f"U({A},{B},{C})": m.u(A, B, C), "u0(1)": m.ONE,
    "cx": m.control(m.X), "CX": m.control(m.X), "cy": m.control(m.Y), "cz": m.control(m.Z), "ch": m.control(m.H),
    "cs": m.control(m.phase(np.pi / 2)), "csx": m.control(m.SX), f"cp({A})": m.control(m.phase(A)),
    f"cu1({A})": m.control(m.phase(A)), f"crx({A})": m.control(m.spin(m.X, A)),
    f"cry({A})": m.control(m.spin(m.Y, A)), f"crz({A})": m.control(m.spin(m.Z, A)),
    f"cu3({A},{B},{C})": m.control(m.u(A, B, C)), f"cu({A},{B},{C},0.9)": m.control(np.exp(0.9j) * m.u(A, B, C)),
    "swap": m.SWAP, "iswap": m.ISWAP, f"rxx({A})": m.spin(dense.kron(m.X, m.X), A),
    f"ryy({A})": m.spin(dense.kron(m.Y, m.Y), A), f"rzz({A})": m.spin(dense.kron(m.Z, m.Z), A),
    "ccx": m.control(m.control(m.X)), "ccz": m.control(m.control(m.Z)), "cswap": m.control(m.SWAP), "rccx": m.RCCX,
    "c3x": m.control(m.control(m.control(m.X))), "c4x": m.control(m.control(m.control(m.control(m.X)))),
}  # fmt: skip


def scramble(n):
    text = "".join(f"u3({0.5 + k},{0.2 * k},{0.9 - k}) q[{k}];" for k in range(n))
    return text, [("gate", m.u(0.5 + k, 0.2 * k, 0.9 - k), (k,)) for k in range(n)]


@pytest.mark.parametrize("name", GATES)
def test_standard_gates(name):
    """On the last qubits in reverse order, so that neither neighbours nor order are special."""
    k = int(np.log2(len(GATES[name])))
    n, sites = max(k, 2), tuple(reversed(range(max(k, 2) - k, max(k, 2))))
    text, program = scramble(n)
    call = f"{name} {','.join(f'q[{s}]' for s in sites)};"
    compare(f"{Q2}qreg q[{n}];{text}{call}", n, 0, [*program, ("gate", GATES[name], sites)], state_of=by_matrices)


@pytest.mark.parametrize("name", [name for name in GATES if len(GATES[name]) <= 8])
def test_conditional_and_controlled_gates(name):
    """Under `if` on a measured bit, and under `ctrl @` where the phase of the gate shows."""
    k = int(np.log2(len(GATES[name])))
    n, sites, matrix = k + 1, tuple(range(1, k + 1)), GATES[name]
    text, program = scramble(n)
    wires = ",".join(f"q[{s}]" for s in sites)
    measured = [*program, ("measure", 0, 0), ("if", lambda bits: bits[0] == 1, [("gate", matrix, sites)])]
    compare(
        f"{Q2}qreg q[{n}]; creg c[1];{text} measure q[0]->c[0]; if(c==1) {name} {wires};",
        n,
        1,
        measured,
        state_of=by_matrices,
    )
    if name[:2] in ("u2", "u3"):  # their files give them half of the phase of U
        matrix = matrix * np.exp(-0.5j * ((A + B) if name[1] == "2" else (B + C)))
    matrix = matrix * np.exp(0.5j * A) if name[0] == "U" else matrix
    controlled = [*program, ("gate", m.control(matrix), (0, *sites))]
    compare(f"{Q3}qubit[{n}] q;{text} ctrl @ {name} q[0],{wires};", n, 0, controlled, state_of=by_matrices)


def gates(*pairs):
    return [("gate", matrix, sites) for matrix, sites in pairs]


def power(matrix, exponent):
    """The principal power of a unitary matrix, whose eigenvalue -1 has the phase pi."""
    values, vectors = scipy.linalg.schur(matrix, output="complex")
    phases = np.angle(np.diag(values))
    phases = np.where(phases < -np.pi + 1e-9, np.pi, phases)
    return vectors @ np.diag(np.exp(1j * exponent * phases)) @ vectors.conj().T


CX, RX = m.control(m.X), m.spin(m.X, 0.8)
CASES = {
    "definitions": (
        Q2 + "gate two(a,b) r,s { rx(a/2) r; cx r,s; rz(-b^2) s; } gate three(a) x1,y1 { two(a,a+1) y1,x1; }"
        " qreg q[3]; three(0.8) q[2],q[0];",
        3, 0, gates((m.spin(m.X, 0.4), (0,)), (CX, (0, 2)), (m.spin(m.Z, -(1.8**2)), (2,))),
    ),
    "powers bind first": (Q2 + "qreg q[1]; rx(2^3*0.1-2^-1) q[0];", 1, 0, gates((m.spin(m.X, 0.3), (0,)))),
    "functions": (
        Q2 + "qreg q[1]; rx(sin(pi/6)+sqrt(ln(exp(1)))) q[0];", 1, 0, gates((m.spin(m.X, 1.5), (0,))),
    ),
    "registers are applied element by element": (
        Q2 + "qreg a[2]; qreg b[2]; h a; cx a,b; cx a[0],b; barrier a,b;",
        4, 0, gates((m.H, (0,)), (m.H, (1,)), (CX, (0, 2)), (CX, (1, 3)), (CX, (0, 2)), (CX, (0, 3))),
    ),
    "constants, loops, slices, aliases": (
        Q3 + "const int n = 3; qubit[n] q; let odd = q[1:2:2] ++ q[2]; for int i in [0:n-1] { rx(0.8*(i+1)) q[i]; }"
        " for uint k in {2, 0} ry(0.8) q[k]; x odd; h q[0:1]; z q[-1];",
        3, 0, [*gates(*((m.spin(m.X, 0.8 * (k + 1)), (k,)) for k in range(3))),
               *gates(*((m.spin(m.Y, 0.8), (k,)) for k in (2, 0))),
               *gates((m.X, (1,)), (m.X, (2,)), (m.H, (0,)), (m.H, (1,)), (m.Z, (2,)))],
    ),
    "modifiers": (
        Q3 + "qubit[3] q; h q; ctrl @ inv @ pow(2) @ rx(0.4) q[0],q[1]; negctrl @ s q[2],q[0]; ctrl(2) @ z q[0],q[1],q[2];"
        " pow(0.5) @ rz(1.6) q[0]; inv @ sx q[1]; ctrl @ gphase(0.4) q[2]; gphase(1.0); pow(-2) @ t q[0];"
        " negctrl(2) @ y q[0],q[1],q[2]; inv @ iswap q[0],q[1]; ctrl @ inv @ swap q[2],q[0],q[1];",
        3, 0, [*gates(*((m.H, (k,)) for k in range(3))), *gates(
            (m.control(m.spin(m.X, -0.8)), (0, 1)), (m.control(m.phase(np.pi / 2), 0), (2, 0)),
            (m.control(m.control(m.Z)), (0, 1, 2)), (RX @ RX.conj().T @ m.spin(m.Z, 0.8), (0,)),
            (m.SX.conj().T, (1,)), (m.phase(0.4), (2,)), (m.phase(-np.pi / 2), (0,)),
            (m.control(m.control(m.Y, 0), 0), (0, 1, 2)), (m.ISWAP.conj().T, (0, 1)), (m.control(m.SWAP), (2, 0, 1)))],
    ),
    "a controlled definition keeps its phase": (
        Q3 + "gate g(a) r { gphase(a); rz(a) r; } qubit[2] q; h q; ctrl @ g(0.6) q[1],q[0];",
        2, 0, gates((m.H, (0,)), (m.H, (1,)), (m.control(np.exp(0.6j) * m.spin(m.Z, 0.6)), (1, 0))),
    ),
    "measure in the middle, then on": (
        Q3 + "qubit[3] q; bit[2] c;" + MIX + "c[0] = measure q[0]; h q[0]; c[1] = measure q[0]; cx q[0],q[1];",
        3, 2, [*MIXED, ("measure", 0, 0), *gates((m.H, (0,))), ("measure", 0, 1), *gates((CX, (0, 1)))],
    ),
    "a bit is written twice": (
        Q3 + "qubit[3] q; bit c;" + MIX + "c = measure q[0]; if (c) h q[1]; c = measure q[1]; if (c) h q[2];",
        3, 1, [*MIXED, ("measure", 0, 0), ("if", lambda b: b[0], gates((m.H, (1,)))), ("measure", 1, 0),
               ("if", lambda b: b[0], gates((m.H, (2,))))],
    ),
    "reset and use again": (
        Q2 + "qreg q[3]; creg c[2];" + MIX + "measure q[0]->c[0]; reset q[0]; rx(0.8) q[0]; measure q[0]->c[1];"
        " if(c==2) h q[1]; reset q;",
        3, 2, [*MIXED, ("measure", 0, 0), ("reset", 0), *gates((RX, (0,))), ("measure", 0, 1),
               ("if", lambda b: b == (0, 1), gates((m.H, (1,)))), ("reset", 0), ("reset", 1), ("reset", 2)],
    ),
    "whole registers compared": (
        Q2 + "qreg q[3]; creg c[3];" + MIX + "measure q->c; h q; if(c==5) u3(0.7,-1.3,0.4) q[1]; if(c==0) cx q[0],q[2];",
        3, 3, [*MIXED, *(("measure", k, k) for k in range(3)), *gates(*((m.H, (k,)) for k in range(3))),
               ("if", lambda b: b == (1, 0, 1), gates((m.u(A, B, C), (1,)))),
               ("if", lambda b: b == (0, 0, 0), gates((CX, (0, 2))))],
    ),
    "conditions": (
        Q3 + "qubit[3] q; bit[2] c; bit d;" + MIX + "c = measure q[0:1]; d = measure q[2];"
        " if (c[0] && !d) { h q[0]; } else { s q[1]; h q[1]; }  if (c != 2 || d == 1) ry(0.8) q[2];"
        " if (c[1]) { if (d) { x q[0]; } else { reset q[2]; } }",
        3, 3, [*MIXED, *(("measure", k, k) for k in range(3)),
               ("if", lambda b: b[0] and not b[2], gates((m.H, (0,)))),
               ("if", lambda b: not (b[0] and not b[2]), gates((m.phase(np.pi / 2), (1,)), (m.H, (1,)))),
               ("if", lambda b: b[:2] != (0, 1) or b[2], gates((m.spin(m.Y, 0.8), (2,)))),
               ("if", lambda b: b[1] and b[2], gates((m.X, (0,)))),
               ("if", lambda b: b[1] and not b[2], [("reset", 2)])],
    ),
    "bits compared with bits": (
        Q3 + "qubit[3] q; bit[2] c; bit[2] d;" + MIX + "c = measure q[0:1]; d[0] = measure q[2];"
        " if (c[0] == c[1]) h q[0]; if (c != d) ry(0.8) q[2];",
        3, 4, [*MIXED, *(("measure", k, k) for k in range(3)),
               ("if", lambda b: b[0] == b[1], gates((m.H, (0,)))),
               ("if", lambda b: b[:2] != b[2:], gates((m.spin(m.Y, 0.8), (2,))))],
    ),
    "bits that are never written": (
        Q3 + 'qubit[2] q; bit[2] c = "10"; bit d; if (c[1]) x q[0]; if (d) x q[1]; if (c == 2) h q[1];'
        ' if (c == "01") x q[0]; bit e = measure q[1]; measure q[0];',
        2, 4, [*gates((m.X, (0,)), (m.H, (1,))), ("measure", 1, 3), ("measure", 0, None)],
    ),
    "measurements inside if": (
        Q3 + "qubit[3] q; bit[2] c; bit d;" + MIX + "c[0] = measure q[0]; c[1] = measure q[1]; h q[0]; h q[1];"
        " if (c[0]) { c[1] = measure q[1]; d = measure q[0]; } else { measure q[2]; } h q; if (c[1] && d) x q[0];",
        3, 3, [*MIXED, ("measure", 0, 0), ("measure", 1, 1), *gates((m.H, (0,)), (m.H, (1,))),
               ("if", lambda b: b[0], [("measure", 1, 1), ("measure", 0, 2)]), ("if", lambda b: not b[0], [("measure", 2, None)]),
               *gates(*((m.H, (k,)) for k in range(3))), ("if", lambda b: b[1] and b[2], gates((m.X, (0,))))],
    ),
    "subroutines": (
        Q3 + "qubit[3] q; bit[2] c; def f(qubit a, qubit[2] b, int k) { rx(0.4*k) a; cx a, b[1]; }"
        " def read(qubit a) -> bit { h a; return measure a; }" + MIX + "f(q[2], q[0:1], 2); c[0] = read(q[0]); bit e = read(q[1]);",
        3, 3, [*MIXED, *gates((RX, (2,)), (CX, (2, 1)), (m.H, (0,))), ("measure", 0, 0), *gates((m.H, (1,))), ("measure", 1, 2)],
    ),
    "variables": (
        Q3 + "qubit[2] q; int[32] i = 1; float[64] a; a = 0.4; while (i < 3) { i += 1; a *= 2; } rx(a / i * 1.5) q[0];"
        " for int k in [0:2] { i = i + k; const int once = k; } if (i == 6 && !(a > 3)) { x q[1]; } else { h q[1]; }",
        2, 0, gates((m.spin(m.X, 0.8), (0,)), (m.X, (1,))),
    ),
    "waiting": (Q3 + "qubit[2] q; h q[0]; delay[100ns] q[0]; delay[2dt]; x q[1];", 2, 0, gates((m.H, (0,)), (m.X, (1,)))),
    "physical qubits": (Q3 + "bit c; h $1; cx $1, $0; c = measure $0;", 2, 1, [*gates((m.H, (1,)), (CX, (1, 0))), ("measure", 0, 0)]),
    "broken powers": (
        Q3 + "qubit[3] q; h q; pow(0.5) @ x q[0]; ctrl @ pow(0.5) @ y q[0], q[1]; pow(-0.3) @ U(0.7, -1.3, 0.4) q[2];"
        " pow(0.5) @ cx q[2], q[0]; pow(0.25) @ swap q[0], q[1]; pow(0.5) @ iswap q[1], q[2]; pow(0.5) @ sxdg q[0];",
        3, 0, [*gates(*((m.H, (k,)) for k in range(3))), *gates(
            (power(m.X, 0.5), (0,)), (m.control(power(m.Y, 0.5)), (0, 1)), (power(np.exp(0.35j) * m.u(A, B, C), -0.3), (2,)),
            (m.control(power(m.X, 0.5)), (2, 0)), (power(m.SWAP, 0.25), (0, 1)), (power(m.ISWAP, 0.5), (1, 2)),
            (power(m.SX.conj().T, 0.5), (0,)))],
    ),
    "many controls": (
        Q3 + "qubit[6] q; h q; ctrl(5) @ x q[0], q[1], q[2], q[3], q[4], q[5]; ctrl(2) @ negctrl(2) @ ry(0.7) q[5], q[4], q[0], q[1], q[2];",
        6, 0, [*gates(*((m.H, (k,)) for k in range(6))), *gates(
            (m.control(m.control(m.control(m.control(CX)))), (0, 1, 2, 3, 4, 5)),
            (m.control(m.control(m.control(m.control(m.spin(m.Y, A), 0), 0))), (5, 4, 0, 1, 2)))],
    ),
    "barriers under conditions": (
        Q3 + "qubit[1] q; bit[1] m; h q[0]; m[0] = measure q[0]; if (m == 1) barrier q; if (m == 1) x q[0];",
        1, 1, [*gates((m.H, (0,))), ("measure", 0, 0), ("if", lambda b: b[0], gates((m.X, (0,))))],
    ),
    "numbers from outside": (Q3 + "input float a; qubit q; rx(2.0*a) q;", 1, 0, gates((RX, (0,)))),
}  # fmt: skip


COMPARED = ("whole registers compared", "bits compared with bits")


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case in COMPARED else ()) for case in CASES]
)
def test_constructs(case):
    inputs = {"a": 0.4} if "outside" in case else None
    compare(*CASES[case], inputs, by_engine if "measure" in CASES[case][0] else by_matrices)


def test_a_bit_keeps_its_first_value_where_it_is_not_measured():
    program = load_qasm(Q3 + 'qubit[2] q; bit c; bit d = "1"; h q[0]; c = measure q[0]; if (c) d = measure q[1];')
    found = bit_probabilities(program, run(program.circuit)[0])
    assert float(found["d[0]"]) == pytest.approx(0.5)


def test_whole_numbers_of_version_2_are_real():
    """As QASMBench writes cc_n64 and sat_n11: registers wider than 64 bits, no version, angles beyond 2^63."""
    wide = f"qreg q[1]; creg c[70]; measure q[0] -> c[69]; if (c == {2**69}) x q[0]; if (c == 0) rx(pi / {2**64}) q[0];"
    program = load_qasm(f'include "qelib1.inc"; {wide} rx(1/2) q[0];')
    assert float(expectation(program, run(program.circuit)[0], "Z0")) == pytest.approx(np.cos(0.5))


def test_another_order_of_sites_says_the_same():
    """Pairs far from each other are brought together: bonds shrink, and no answer changes."""
    pairs = "".join(f"ry(0.{k + 3}) q[{k}]; cx q[{k}], q[{k + 6}]; ry(0.2) q[{k + 6}];" for k in range(6))
    text = f"{Q2}qreg q[12]; creg c[12]; {pairs} rzz(0.4) q[2], q[9]; measure q -> c;"
    plain, moved = load_qasm(text), load_qasm(text, arrange=True)
    assert [site for _, site in plain.qubits] == list(range(12)) != [site for _, site in moved.qubits]
    states = [run(program.circuit, relative=1e-12)[0] for program in (plain, moved)]
    assert states[1].bond < states[0].bond / 4
    for observed in ("Z0 Z6", "X2 X8 Z3", "Y9 Y2"):
        first, second = (expectation(*each, observed) for each in zip((plain, moved), states, strict=True))
        assert float(first) == pytest.approx(float(second), abs=1e-12)
    for first, second in zip(
        *(bit_probabilities(*each).items() for each in zip((plain, moved), states, strict=True)), strict=True
    ):
        assert first[0] == second[0] and float(first[1]) == pytest.approx(float(second[1]), abs=1e-12)


def test_both_versions_say_the_same():
    old = load_qasm(Q2 + "qreg q[2]; creg c[1]; h q[0]; measure q[0]->c[0]; if(c==1) ry(pi/3) q[1];")
    new = load_qasm(Q3 + "qubit[2] q; bit c; h q[0]; c = measure q[0]; if (c) { ry(pi/3) q[1]; }")
    one, two = (run(program.circuit)[0] for program in (old, new))
    np.testing.assert_array_equal(one.train, two.train)


PUBLIC = Path(__file__).parents[2] / "experiments" / "public_circuits" / "circuits"
ANGLES = {"gamma0": 0.6, "beta0": 0.4, "gamma1": 0.9, "beta1": 0.25}


@pytest.mark.parametrize("name", ["ising_64", "phase_estimation_12", "qaoa_ring_20", "w_50"])
def test_public_circuits_with_loops_are_those_written_out(name):
    loops = load_qasm(PUBLIC / f"{name}.qasm", ANGLES if "qaoa" in name else None)
    plain = load_qasm(PUBLIC / f"{name}.plain.qasm")
    one, two = (
        [
            (op.name, op.sites[k], [c[k] for c in op.parameters])
            for op in p.circuit.operations
            for k in range(len(op.sites))
        ]
        for p in (loops, plain)
    )
    assert [item[:2] for item in one] == [item[:2] for item in two] and len(one) > 30
    for (_, _, first), (_, _, second) in zip(one, two, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-9)  # angles up to 2 pi 2^10


@pytest.mark.parametrize("file", sorted(PUBLIC.glob("*.qasm")), ids=lambda file: file.stem)
def test_public_circuits_can_be_read(file):
    program = load_qasm(file, ANGLES if file.name == "qaoa_ring_20.qasm" else None)
    assert len(program.qubits) == int(file.stem.removesuffix(".plain").rsplit("_", 1)[1])


def test_pure_programs_stay_pure_and_keep_what_a_last_measurement_would_destroy():
    program = load_qasm(Q2 + "qreg q[3]; creg c[3]; h q[0]; cx q[0],q[1]; cx q[1],q[2]; measure q->c;")
    state, _ = run(program.circuit)
    assert isinstance(state, MPS) and program.circuit.num_sites == 3
    np.testing.assert_allclose(
        [expectation(program, state, text) for text in ("XXX", "Z0 Z2", "IZI")], [1, 1, 0], atol=1e-12
    )
    assert set(counts(program, read_out(program, state), 50, key=jax.random.key(0))) == {"000", "111"}


def test_samples_follow_the_joint_distribution():
    """A fixed key; five standard deviations of a binomial."""
    text, n, bits, operations = CASES["conditions"]
    program = load_qasm(text)
    found = counts(program, read_out(program, run(program.circuit, relative=1e-13)[0]), 4000, key=jax.random.key(3))
    for values, probability in oracle.distribution(oracle.branches(n, operations, bits)).items():
        key = f"{values[1]}{values[0]} {values[2]}"
        assert abs(found.get(key, 0) / 4000 - probability) < 5 * math.sqrt(probability * (1 - probability) / 4000)
    assert sum(found.values()) == 4000


NOISE = noise_model(
    one_qubit=channels.amplitude_damping(0.1),
    two_qubit=channels.depolarising(0.05, 2),
    by_name={"MEASURE": Misread(p_one=jnp.asarray(0.1), p_zero=jnp.asarray(0.2))},
)


def follow(rho, sites):
    kraus = channels.amplitude_damping(0.1).kraus() if len(sites) == 1 else None
    kraus = dense.depolarising_kraus(0.05, 2) if kraus is None else np.asarray(kraus)
    return dense.apply(rho, kraus, sites)


@pytest.mark.parametrize("condition", ["", "if(c==0) "])
@pytest.mark.parametrize("name", ["h", "sxdg", "cx", f"crx({A})"])
def test_noise_follows_a_gate_of_the_file_once(name, condition):
    """However many steps the gate takes; conditional gates too, here with a condition that is always met."""
    k = int(np.log2(len(GATES[name])))
    sites = tuple(range(1, k + 1))
    wires = ",".join(f"q[{s}]" for s in sites)
    before = "measure q[0]->c[0]; " if condition else ""
    program = load_qasm(f"{Q2}qreg q[3]; creg c[1]; {before}U(0.3,0.1,0.2) q[1]; {condition}{name} {wires};")
    quiet = noise_model(one_qubit=NOISE.one_qubit, two_qubit=NOISE.two_qubit)
    rho = follow(dense.apply(dense.zero(3), [m.u(0.3, 0.1, 0.2)], (1,)), (1,))
    rho = follow(dense.apply(rho, [GATES[name]], sites), sites)
    state, _ = run(program.circuit, quiet)
    np.testing.assert_allclose(reduced(state, [s for _, s in program.qubits]).matrix, rho, atol=1e-12)


def test_definitions_see_the_constants_before_them():
    text = 'include "stdgates.inc"; const float a = 0.3; gate g(b) q { rx(a + b) q; } qubit q; g(0.4) q;'
    program = load_qasm(text)
    np.testing.assert_allclose(expectation(program, run(program.circuit)[0], "Z"), np.cos(0.7), atol=1e-12)


def test_noise_of_a_qubit_leaves_its_record_alone():
    program = load_qasm('include "stdgates.inc"; qubit q; bit[2] c; x q; c[0] = measure q; c[1] = measure q;')
    noise = noise_model(by_site={site: channels.amplitude_damping(0.1) for _, site in program.qubits})
    final = read_out(program, run(program.circuit, noise)[0], noise)
    found = bit_probabilities(program, final)
    np.testing.assert_allclose([found["c[0]"], found["c[1]"]], 0.9, atol=1e-12)  # x decays once, records do not


@pytest.mark.parametrize("last", [True, False], ids=["at the end", "in the middle"])
def test_a_wrong_readout_changes_the_record_and_what_depends_on_it(last):
    """One in the qubit, read as 0 with probability 0.2: the X that should undo it is then not applied."""
    after = "" if last else "if(c==1) x q[0];"
    program = load_qasm(f"{Q2}qreg q[1]; creg c[1]; x q[0]; measure q[0]->c[0]; {after}")
    noise = noise_model(by_name={"MEASURE": NOISE.by_name["MEASURE"]})
    state, _ = run(program.circuit, noise)
    np.testing.assert_allclose(expectation(program, state, "Z"), -1.0 if last else 0.8 - 0.2, atol=1e-12)
    found = bit_probabilities(program, read_out(program, state, noise))
    np.testing.assert_allclose(found["c[0]"], 0.8, atol=1e-12)


@pytest.mark.slow
def test_inputs_and_noise_have_derivatives():
    text = Q3 + (
        "input float a; input angle b; qubit[3] q; bit c; rx(a) q[0]; cry(a*b) q[0],q[1]; c = measure q[1];"
        " if (c) u3(sin(b),a,b) q[2]; ctrl @ rx(a) q[2],q[0]; cu(a,b,0.1,a) q[0],q[2];"
    )

    def value(numbers):
        program = load_qasm(text, {"a": numbers[0], "b": numbers[1]})
        noise = noise_model(two_qubit=channels.depolarising(numbers[2], 2))
        return expectation(program, run(program.circuit, noise)[0], "ZIY")

    point, step = jnp.array([0.7, 0.5, 0.02]), 1e-5
    slopes = [(value(point.at[k].add(step)) - value(point.at[k].add(-step))) / (2 * step) for k in range(3)]
    np.testing.assert_allclose(jax.grad(value)(point), slopes, atol=1e-8)
    assert min(abs(slope) for slope in slopes) > 1e-3
