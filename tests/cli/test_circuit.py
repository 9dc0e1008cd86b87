"""`qtn circuit` as a user meets it."""

import json

import numpy as np
import pytest

from qtn.cli.app import run

PROGRAM = """OPENQASM 3.0;
include "stdgates.inc";
input float theta;
qubit[2] q;
bit[2] c;
ry(theta) q[0];
c[0] = measure q[0];
if (c[0]) { x q[1]; }
c[1] = measure q[1];
"""
NOISE = """
one_qubit = { model = "dephasing", p = 0.01 }
readout = { p_one = 0.1, p_zero = 0.2 }
gates.ry = { model = "pauli", px = 0.05, py = 0.0, pz = 0.0 }
qubits.1 = { model = "relaxation", time_s = 0.0, t1_s = 1.0, t2_s = 1.0 }
"""
RIGHT = 0.25  # of the first qubit to be 1 for theta = pi / 3
ONE = RIGHT * 0.95 + (1 - RIGHT) * 0.05
"""After the flip that follows ry; the second qubit is then the record of the first, read wrongly again."""
RECORD = ONE * 0.8 + (1 - ONE) * 0.1


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "F.qasm").write_text(PROGRAM)
    (tmp_path / "noise.toml").write_text(NOISE)
    return tmp_path


COMMAND = ["circuit", "F.qasm", "--input", "theta=1.0471975511965976"]


def test_json(capsys):
    options = ["--observable", "ZI", "--observable", "Z0 Z1", "--shots", "400", "--seed", "1", "--json"]
    assert run([*COMMAND, *options]) == 0
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert output.err.startswith("qtn: 1 x ")
    assert found["observables"] == pytest.approx({"ZI": 0.5, "Z0 Z1": 1.0}, abs=1e-12)
    assert found["bits"] == pytest.approx({"c[0]": RIGHT, "c[1]": RIGHT}, abs=1e-12)
    assert set(found["counts"]) == {"00", "11"} and sum(found["counts"].values()) == 400
    assert abs(found["counts"]["11"] - 100) < 5 * (400 * RIGHT * (1 - RIGHT)) ** 0.5
    assert found["bit_order"] == "c[1]c[0]"
    assert found["info"]["fidelity_estimate"] == 1 and found["num_qubits"] == 2
    assert run([*COMMAND, *options]) == 0
    assert json.loads(capsys.readouterr().out)["counts"] == found["counts"]


def test_text_with_noise_and_derivatives(capsys):
    assert run([*COMMAND, "--noise", "noise.toml", "--observable", "IZ", "--gradient", "--shots", "10"]) == 0
    lines = capsys.readouterr().out.replace(", bits in the order c[1]c[0]", "").splitlines()[1:-1]
    found = {name.strip(): float(value) for name, value in (line.rsplit(maxsplit=1) for line in lines)}
    assert found["<IZ>"] == pytest.approx(1 - 2 * RECORD)
    assert found["probability of c[0] = 1"] == pytest.approx(RECORD)
    assert found["probability of c[1] = 1"] == pytest.approx(RECORD * 0.8 + (1 - RECORD) * 0.1)
    assert found["d/d readout.p_one"] == pytest.approx(-2 * (1 - ONE))
    assert found["d/d readout.p_zero"] == pytest.approx(2 * ONE)
    assert found["d/d gates.ry.px"] == pytest.approx(-2 * 0.7 * (1 - 2 * RIGHT))
    assert found["d/d input.theta"] == pytest.approx(-2 * 0.7 * 0.9 * 0.75**0.5 / 2)
    assert found["d/d one_qubit.p"] == pytest.approx(0.0, abs=1e-12) and "d/d qubits.1.t1_s" in found
    assert found["samples"] == 10


BAD = """
one_qubit = { model = "depolarizing", p = 1e-3 }
two_qubit = { model = "pauli", px = 1.3, py = 0.1 }
readout = { p_ne = 0.1 }
gats.cx = 3
"""


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        (["F.qasm"], ["F.qasm:3:1: the input `theta` has no value: give --input theta=VALUE."]),
        (["none.qasm"], ["none.qasm: there is no such file"]),
        (["F.qasm", "--input", "theta=x"], ["--input theta=x: must be NAME=NUMBER, as in theta=0.3"]),
        ([*COMMAND[1:], "--observable", "ZZZ"], ["observable 'ZZZ': must have one letter for each of 2 qubits, but has 3"]),
        ([*COMMAND[1:], "--observable", "Q"], ["observable 'Q': must consist of I, X, Y, Z"]),
        ([*COMMAND[1:], "--gradient"], ["--gradient: needs an --observable"]),
        ([*COMMAND[1:], "--noise", "none.toml"], ["none.toml: there is no such file; it may hold", "one_qubit = {"]),
        (
            [*COMMAND[1:], "--noise", "bad.toml"],
            [
                "bad.toml: one_qubit.model: must be one of 'depolarising', 'dephasing', 'pauli', 'amplitude_damping'",
                "bad.toml: two_qubit.px: must lie in [0, 1], but is 1.3",
                "bad.toml: two_qubit.pz: is missing; add `pz = ...`",
                "bad.toml: readout.p_ne: is an unknown key; did you mean `p_one`?",
                "bad.toml: gats: is an unknown key; did you mean `gates`?",
            ],
        ),
        (
            [*COMMAND[1:], "--noise", "apart.toml"],
            [
                "apart.toml: gates.cnot: must be one of i, x, y, z, h",
                "apart.toml: gates.cx: ",
                "apart.toml: qubits.7: there is no such qubit; the qubits are 0..1",
                "apart.toml: one_qubit: ",
            ],
        ),
        ([*COMMAND[1:], "--noise", "torn.toml"], ["torn.toml: is not valid TOML"]),
        ([*COMMAND[1:], "--shots", "-1"], ["qtn: "]),
        ([*COMMAND[1:], "--device", "tpu"], ["--device: must be auto, cpu or gpu"]),
    ],
)  # fmt: skip
def test_errors_are_sentences(options, messages, files, capsys):
    (files / "bad.toml").write_text(BAD)
    (files / "torn.toml").write_text("one_qubit = {")
    (files / "apart.toml").write_text(
        'one_qubit = { model = "pauli", px = 0.5, py = 0.5, pz = 0.5 }\n'
        'gates.cnot = { model = "dephasing", p = 0.1 }\n'
        'gates.cx = { model = "relaxation", time_s = 1.0, t1_s = 1.0, t2_s = 3.0 }\n'
        'qubits.7 = { model = "dephasing", p = 0.1 }\n'
    )
    assert run(["circuit", *options]) == 2
    output = capsys.readouterr()
    assert output.out == "" and all(message in output.err for message in messages), output.err
    assert "Traceback" not in output.err


def test_trajectories_estimate_the_same(capsys):
    options = ["--noise", "noise.toml", "--observable", "ZI", "--trajectories", "300", "--seed", "2"]
    assert run([*COMMAND, *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    right = {"c[0]": ONE * 0.8 + (1 - ONE) * 0.1, "c[1]": RECORD * 0.8 + (1 - RECORD) * 0.1}
    for name, value in right.items():
        error = found["standard_errors"]["bits"][name]
        assert 0.01 < error < 0.05
        assert abs(found["bits"][name] - value) < 4 * error, name
    assert found["info"]["worst_fidelity_estimate"] == pytest.approx(1.0) and found["info"]["impossible"] == 0.0
    assert abs(found["observables"]["ZI"] - (1 - 2 * ONE)) < 4 * found["standard_errors"]["observables"]["ZI"]
    assert run([*COMMAND, *options, "--shots", "3"]) == 2
    assert "--trajectories: gives means and standard errors only" in capsys.readouterr().err


def test_a_program_without_bits_has_nothing_to_sample(files, capsys):
    (files / "G.qasm").write_text("qubit q;")
    assert run(["circuit", "G.qasm", "--shots", "3"]) == 2
    assert "The program measures nothing: add `bit[n] c; c = measure q;`" in capsys.readouterr().err


def test_a_missing_parser_is_an_input_error(monkeypatch, capsys):
    def missing(*_, **__):
        raise ImportError("install the parser")

    monkeypatch.setattr("qtn.problem.circuits.load_qasm", missing)
    assert run(COMMAND) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "install the parser"


def test_bonds_that_are_cut_are_said(files, capsys):
    """All couples are joined: no order of sites makes that fit."""
    turned = "".join(f"ry(0.{k + 2}) q[{k}]; " for k in range(8))
    pairs = turned + "".join(f"rzz(0.7) q[{k}], q[{other}]; " for k in range(8) for other in range(k)) + turned
    (files / "G.qasm").write_text(f'include "stdgates.inc"; qubit[8] q; {pairs}')
    assert run(["circuit", "G.qasm", "--max-bond", "2", "--observable", "Z0 Z4"]) == 0
    assert "warning: Bonds were cut: increase --max-bond until" in capsys.readouterr().err
    (files / "G.qasm").write_text("OPENQASM 2.0;\nqreg q[1];")
    assert run(["circuit", "G.qasm", "--shots", "3"]) == 2
    assert "The program measures nothing: add `creg c[n]; measure q -> c;` to sample" in capsys.readouterr().err


def test_a_circuit_of_which_nothing_would_be_left_is_refused(files, capsys):
    """Random blocks as in quantum volume, at a bond that is far too small: in words of the command line."""
    chance, lines = np.random.default_rng(0), ['OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[24];']
    for _ in range(24):
        for a, b in chance.permutation(24).reshape(12, 2):
            turns = "".join(f"u3({','.join(map(str, chance.uniform(0, 3, 3)))}) q[{k}];" for k in (a, b))
            lines.append(f"{turns} cx q[{a}],q[{b}]; {turns} cx q[{b}],q[{a}];")
    (files / "G.qasm").write_text("\n".join(lines))
    assert run(["circuit", "G.qasm", "--observable", "Z0", "--max-bond", "4"]) == 2
    *_, said = capsys.readouterr().err.splitlines()
    assert "on two sites, cut to --max-bond, 0.000" in said and "less than a state at random has (2^-24)" in said
    assert "Without cuts bonds up to 4,096 may be needed, 0.716 GB for all of them: use fewer qubits or" in said
