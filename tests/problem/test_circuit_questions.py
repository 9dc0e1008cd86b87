"""Questions to a distributed circuit in a file: on which processors, what shots give, trajectories of wide circuits."""

import json

import numpy as np
import pytest

from qtn.cli.app import run as command
from qtn.dqc import distribute, pairs_of, processor, run
from qtn.hardware.gates import gates
from qtn.hardware.memory import dephasing_memory
from qtn.problem.application.circuit_sentences import processors
from qtn.problem.evaluation import evaluated
from qtn.problem.load import load
from qtn.problem.messages import ProblemError
from qtn.problem.names import numeric_leaves, setting_with
from qtn.problem.run import report_numbers

QASM = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[3];
h q[0];
cx q[0],q[1];
cx q[0],q[2];
"""
FILE = """
schema = 1
[application]
model = "circuit"
file = "ghz.qasm"
qpus = [2, 1]
waits = "independent"
observables = ["ZZI"]
[application.processor]
gates = { two_qubit = 0.99, readout = 0.97 }
memory = { model = "dephasing", t2_s = 1.0 }
[[application.alternatives]]
qpus = [3]
processor = { gates = { two_qubit = 0.9 } }
[[application.alternatives]]
qpus = [1, 1, 1]
placement = [2, 1, 0]
[application.pairs]
rate_hz = 15.0
fidelity = 0.95
p_success = 0.3
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "ghz.qasm").write_text(QASM)
    (tmp_path / "file.toml").write_text(FILE)
    return tmp_path / "file.toml"


@pytest.mark.slow
def test_how_many_processors_are_worth_it(file):
    """The same circuit on other processors, with their own gates where they are given."""
    evaluation = evaluated(load(file))
    numbers = report_numbers(evaluation)
    program = setting_with(evaluation.problem, {}).application.distributed.circuit
    pairs, memory = pairs_of(evaluation.result, evaluation.problem.chain), dephasing_memory(1.0)
    one = run(distribute(program, [3]), pairs, processor(gate_set=gates(0.9)))
    own = processor(memory, gates(0.99, 0.97))
    three = run(distribute(program, [1, 1, 1], [2, 1, 0]), pairs, own, waits="independent")
    assert numbers["circuit_fidelity_alternative_0"] == pytest.approx(float(one.fidelity), abs=1e-12)
    assert numbers["circuit_fidelity_alternative_1"] == pytest.approx(float(three.fidelity), abs=1e-12)
    assert numbers["circuit_time_alternative_0_s"] == 0.0 < numbers["circuit_time_alternative_1_s"]
    said = numbers["application"]["sentences"][-1]
    best = max((numbers["circuit_fidelity"], "application.qpus"), (float(one.fidelity), "application.alternatives.0"))
    assert said.startswith(f"Of all processors that are compared those of {best[1]} do best: fidelity {best[0]:.4f}")
    assert "application.alternatives.0.processor.gates.two_qubit" in numeric_leaves(evaluation.problem)


@pytest.mark.slow
def test_shots(file):
    """GHZ: both outcomes about equally often, up to what flips; the seed decides."""
    drawn = []
    for seed in (1, 1, 2):
        problem = load(file, ["application.alternatives=[]", "application.shots=4000", f"application.seed={seed}"])
        numbers = report_numbers(evaluated(problem))
        drawn.append(numbers["application"]["counts"])
    assert drawn[0] == drawn[1] != drawn[2] and sum(drawn[0].values()) == 4000
    assert list(drawn[0].values()) == sorted(drawn[0].values(), reverse=True)
    equal = sum(count for bits, count in drawn[0].items() if bits[0] == bits[1]) / 4000
    expected = (1 + (2 * 0.97 - 1) ** 2 * numbers["circuit_observable_0"]) / 2
    assert abs(equal - expected) < 4 * np.sqrt(expected * (1 - expected) / 4000)
    assert numbers["application"]["sentences"][-1].startswith("Shots: 4000, of which ")


@pytest.mark.slow
def test_trajectories_in_place_of_the_mixed_state(file, monkeypatch, capsys):
    exact = report_numbers(evaluated(load(file)))
    text = FILE.replace('waits = "independent"', "trajectories = 400")
    file.write_text(text)
    numbers = report_numbers(evaluated(load(file)))
    use = numbers["application"]
    assert use["trajectories"] == 400 and use["sentences"][-1].startswith("Estimated from 400 trajectories; standard")
    for name, error in use["standard_errors"].items():
        assert abs(numbers[name] - exact[name]) < 4 * error < 0.3
    assert numbers["circuit_time_s"] == pytest.approx(exact["circuit_time_s"], rel=1e-12)
    monkeypatch.chdir(file.parent)
    assert command(["gradient", "file.toml", "--of", "circuit_fidelity"]) == 2
    assert "Trajectories need known numbers" in capsys.readouterr().err
    assert command(["evaluate", "file.toml", "--json", "--set", "application.observables=['III']"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["circuit_observable_0"] == 1
    assert "no spread among 400 trajectories" in said.err


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        (
            "alternatives.0.qpus=[2]",
            "application.alternatives.0.qpus: .*must hold the 3 qubits of the circuit.*1 too few",
        ),
        ("alternatives.1.placement=[0,1]", "application.alternatives.1.placement: .*no processor is given for qubit 2"),
        ("alternatives.1.placement='no.json'", "application.alternatives.1.placement: .*no.json: there is no such"),
        ("alternatives.0.qpu=[3]", "application.alternatives.0.qpu: is an unknown key; did you mean `qpus`"),
        ("alternatives=3", "application.alternatives: must be"),
        ("shots=0", "application.shots: must lie in"),
        ("trajectories=16", "application.waits: says how waits are averaged, but application.trajectories draw theirs"),
        ("trajectories=1", "application.trajectories: must lie in"),
    ],
)
def test_mistakes_name_the_key(file, setting, error):
    with pytest.raises(ProblemError, match=error):
        load(file, [f"application.{setting}"])


def test_trajectories_have_no_slopes_to_optimise_by(file):
    file.write_text(
        FILE.replace('waits = "independent"', "trajectories = 16\nshots = 3") + "[optimise]\n[sweep]\naxes={}\n"
    )
    with pytest.raises(ProblemError) as told:
        load(file)
    assert (
        "application.trajectories: give estimates without slopes, at one point; remove it, or [optimise] and [sweep]"
        in told.value.errors
    )
    assert "application.shots: are drawn of a mixed state, and application.trajectories keep none; remove one" in (
        told.value.errors
    )


def test_the_best_processors_are_named():
    """From numbers alone: in descending order, nothing where a fidelity is unknown."""
    numbers = {"circuit_fidelity": 0.8, "circuit_fidelity_alternative_0": 0.9, "circuit_fidelity_alternative_1": 0.7}
    assert processors(numbers) == [
        "Of all processors that are compared those of application.alternatives.0 do best: fidelity 0.9000 (those of "
        "application.qpus 0.8000, those of application.alternatives.1 0.7000)."
    ]
    assert processors(numbers | {"circuit_fidelity": None}) == []
    assert processors({"circuit_fidelity": 0.8}) == []
