"""What is wrong with a run of a circuit, told through the file: cut bonds, waits that depend, numbers out of range."""

import dataclasses
import json

import jax.numpy as jnp
import pytest

from qtn.cli.app import run as command
from qtn.dqc.computation import DEPENDENT, is_outside
from qtn.dqc.over_chain import Causes
from qtn.problem.evaluation import evaluated, used
from qtn.problem.load import load
from qtn.problem.run import report_numbers
from qtn.report.page import sentences

FILE = """
schema = 1
[application]
model = "circuit"
file = "fourier.qasm"
qpus = [2, 2]
max_bond = 1
waits = "independent"
[application.processor]
buffer = 2
[application.pairs]
rate_hz = 20.0
werner = 0.95
"""


def fourier(num_qubits):
    """Phases between all qubits that are in superposition: bonds as wide as they get."""
    lines = ["OPENQASM 2.0;", 'include "qelib1.inc";', f"qreg q[{num_qubits}];", "h q;"]
    lines += [f"cu1({0.7 * (i + 1)}) q[{i}],q[{j}];" for i in range(num_qubits) for j in range(i)]
    return "\n".join([*lines, "h q;", ""])


@pytest.fixture
def file(tmp_path):
    (tmp_path / "fourier.qasm").write_text(fourier(4))
    (tmp_path / "file.toml").write_text(FILE)
    return tmp_path / "file.toml"


def test_cut_bonds_and_waits_that_depend_are_told(file):
    problem = load(file)
    evaluation = evaluated(problem)
    numbers = report_numbers(evaluation)
    told = numbers["application"]["warnings"]
    assert told[0] == DEPENDENT
    assert told[1].startswith("Kept 0.0")
    assert "increase application.max_bond" in told[2]
    assert any(line.startswith("The state without noise") and "Bonds were cut" in line for line in told)
    assert 0 < numbers["circuit_kept"] < 0.1
    assert f"<p>Warning: {DEPENDENT}</p>" in sentences(numbers)

    (fidelity, *_), whole = used(problem, evaluation.result, names=["circuit_fidelity"])
    wide = dataclasses.replace(whole.use.computation, fidelity=jnp.asarray(1.5), observables=jnp.asarray([-1.2]))
    causes = Causes(without_waits=jnp.asarray(3.0), with_perfect_pairs=jnp.ones(()), with_perfect_gates=jnp.ones(()))
    use = dataclasses.replace(whole.use, computation=wide, causes=causes)
    assert jnp.isnan(fidelity.of(dataclasses.replace(whole, use=use)))
    assert [line.split(",")[0] for line in use.warnings()[-3:]] == [
        "The fidelity came out as 1.5",
        "Observable 0 came out as -1.2",
        "The fidelity without waits came out as 3",
    ]


@pytest.mark.parametrize(
    ("value", "lower", "outside"), [(1 + 1e-12, 0.0, False), (1.1, 0.0, True), (-0.5, -1.0, False)]
)
def test_rounding_is_no_mistake(value, lower, outside):
    assert is_outside(value, lower) is outside


@pytest.mark.slow
def test_a_fidelity_that_means_nothing_is_left_out(file, monkeypatch, capsys):
    (file.parent / "fourier.qasm").write_text(fourier(6))
    monkeypatch.chdir(file.parent)
    settings = ["application.qpus=[3,3]", "application.max_bond=2", "application.processor.buffer=0"]
    options = [part for setting in settings for part in ("--set", setting)]
    assert command(["evaluate", "file.toml", "--json", *options]) == 0
    said = capsys.readouterr()
    numbers = json.loads(said.out)
    assert numbers["circuit_fidelity"] is None
    assert "outside [0, 1]: it means nothing" in numbers["application"]["warnings"][-1]
    assert "warning: The fidelity came out as" in said.err
    assert command(["evaluate", "file.toml", *options]) == 0
    assert "fidelity of the circuit" not in capsys.readouterr().out
    assert command(["gradient", "file.toml", "--of", "circuit_fidelity", "--json", *options]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["value"] is None
    assert "warning: The fidelity came out as" in said.err
