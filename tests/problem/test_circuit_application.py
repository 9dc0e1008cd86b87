"""Distributed circuits in problem files: numbers, slopes, short forms, observables, mistakes, reports."""

import json
import os

import jax
import numpy as np
import pytest

from qtn.circuits.qasm import load_qasm
from qtn.cli.app import run as command
from qtn.dqc import distribute, pairs_of, processor, run
from qtn.hardware.gates import gates
from qtn.hardware.memory import relaxing_memory
from qtn.problem.axes import planned
from qtn.problem.evaluation import evaluated, merits
from qtn.problem.load import load
from qtn.problem.messages import ProblemError
from qtn.problem.names import chain_with, expand, numeric_leaves, setting_with
from qtn.problem.run import differentiate, report_numbers
from qtn.problem.sweep import SweepTask

QASM = """OPENQASM 3.0;
include "stdgates.inc";
input float theta;
qubit[3] q;
h q[0];
cx q[0], q[1];
rx(theta) q[1];
cx q[1], q[2];
"""
FILE = """
schema = 1
[chain]
num_links = 1
link = { model = "abstract", p_success = 0.3, attempt_time_s = 0.02, werner = 0.95 }
node = { memory = { model = "dephasing", t2_s = 0.4 } }
[schedule]
tree = "0"
[application]
model = "circuit"
file = "circuit.qasm"
qpus = [1, 2]
inputs = [0.4]
observables = ["Z0 Z1", "XXX"]
waits = "batch"
num_nodes = 6
[application.processor]
memory = { model = "t1t2", t1_s = 1.0, t2_s = 0.8 }
gates = { two_qubit = 0.98, readout = 0.97, two_qubit_time_s = 0.001, readout_time_s = 0.002 }
one_qubit = 0.999
latency_s = 0.0005
"""
SHORT = FILE.split("[chain]")[0] + "[application]" + FILE.split("[application]")[1]
PAIRS = "pairs = { werner = 0.95, rate_hz = 15.0, p_success = 0.3, coherence_time_s = 0.4 }\n[application.processor]"
NAMES = (
    "chain.link.werner",
    "chain.link.attempt_time_s",
    "chain.link.p_success",
    "application.processor.memory.t2_s",
    "application.processor.gates.two_qubit",
    "application.processor.latency_s",
    "application.inputs.0",
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "circuit.qasm").write_text(QASM)
    (tmp_path / "file.toml").write_text(FILE)
    return tmp_path


def found(problem, values=None, names=None):
    numbers = merits(problem, evaluated(problem, values).result, values, names, clip=True)
    return {name: float(x) for name, x in numbers.items()}


def fidelity(problem, values):
    return found(problem, values, ["circuit_fidelity"])["circuit_fidelity"]


def test_numbers_are_those_of_the_library(folder):
    problem = load(folder / "file.toml")
    evaluation, numbers = evaluated(problem), found(problem)
    own = processor(
        relaxing_memory(1.0, 0.8),
        gates(0.98, 0.97, two_qubit_time=0.001, readout_time=0.002),
        one_qubit=0.999,
        latency=0.0005,
    )
    program = load_qasm(QASM, {"theta": 0.4})
    pairs = pairs_of(evaluation.result, problem.chain)
    strings = [{0: "Z", 1: "Z"}, "XXX"]
    direct = run(distribute(program, [1, 2]), pairs, own, observables=strings, waits="batch", num_nodes=6)
    assert numbers["circuit_fidelity"] == pytest.approx(float(direct.fidelity), abs=1e-12)
    assert numbers["circuit_observable_0"] == pytest.approx(float(direct.observables[0]), abs=1e-12)
    assert numbers["circuit_observable_1"] == pytest.approx(float(direct.observables[1]), abs=1e-12)
    assert numbers["circuit_time_s"] == pytest.approx(float(direct.mean_time), rel=1e-12)
    assert numbers["circuit_rate_hz"] == pytest.approx(1 / float(direct.mean_time), rel=1e-12)
    assert numbers["circuit_time_95_s"] == pytest.approx(float(direct.quantiles([0.95])[0]), rel=1e-12)
    assert numbers["circuit_pairs"] == direct.num_pairs == 1
    said = report_numbers(evaluation)["application"]
    assert said["model"] == "circuit" and "pairs that it takes: 1" in said["sentences"][0]


@pytest.mark.parametrize("waits", ["independent", pytest.param("batch", marks=pytest.mark.slow)])
def test_slopes(folder, waits):
    problem = load(folder / "file.toml", [f"application.waits='{waits}'", "application.observables=[]"])
    slopes = differentiate(problem, "circuit_fidelity")[0]["gradient"]
    assert slopes.keys() == numeric_leaves(problem).keys()
    for name in NAMES:
        value = numeric_leaves(problem)[name]
        step = 1e-6 * value
        rise = [fidelity(problem, {name: value + sign * step}) for sign in (1, -1)]
        assert slopes[name] == pytest.approx((rise[0] - rise[1]) / (2 * step), rel=2e-5, abs=1e-8), name


def short_form(folder, settings=(), end=""):
    (folder / "short.toml").write_text(SHORT.replace("[application.processor]", PAIRS) + end)
    return load(folder / "short.toml", settings)


def test_pairs_in_place_of_a_chain(folder):
    """Their numbers stand for those of the chain, also where they are moved."""
    short, long = short_form(folder), load(folder / "file.toml")
    leaves, moved = numeric_leaves(short), {"application.pairs.rate_hz": 30.0, "application.pairs.p_success": 0.2}
    assert leaves["application.pairs.rate_hz"] == 15.0 and not [name for name in leaves if name.startswith("chain")]
    theirs = {"chain.link.attempt_time_s": 0.2 / 30.0, "chain.link.p_success": 0.2}
    for ours, other in (({}, {}), (moved, theirs)):
        chains = chain_with(short, ours), chain_with(long, other)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-15), *chains)


@pytest.mark.slow
def test_slopes_by_pairs(folder):
    problem = short_form(folder)
    slopes = differentiate(problem, "circuit_fidelity")[0]["gradient"]
    for key in ("werner", "rate_hz", "p_success", "coherence_time_s"):
        name = f"application.pairs.{key}"
        value = numeric_leaves(problem)[name]
        rise = [fidelity(problem, {name: value * (1 + sign * 1e-6)}) for sign in (1, -1)]
        assert slopes[name] == pytest.approx((rise[0] - rise[1]) / (2e-6 * value), rel=2e-5, abs=1e-8), name


@pytest.mark.slow
def test_causes_and_what_helps_most(folder):
    problem = load(folder / "file.toml", ["application.causes=true", "application.waits='independent'"])
    numbers = found(problem)
    parts = {
        name: numbers[f"circuit_fidelity_{name}"]
        for name in ("without_waits", "with_perfect_pairs", "with_perfect_gates")
    }
    assert all(value > numbers["circuit_fidelity"] for value in parts.values())
    said = report_numbers(evaluated(problem))["application"]["sentences"]
    assert "help most" in said[1] and said[2].startswith("Below about")
    fast = found(problem, {"chain.link.attempt_time_s": 1e-12})
    assert parts["without_waits"] == pytest.approx(fast["circuit_fidelity"], abs=1e-6)


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        ('application.file="no.qasm"', "application.file: .*no.qasm: there is no such file"),
        ("application.qpus=[1,1]", "application.qpus: .*must hold the 3 qubits of the circuit.*1 too few"),
        ("application.placement=[0,1]", "application.placement: .*no processor is given for qubit 2"),
        ("application.placement=[0,0,1]", "application.placement: .*1 too many"),
        ('application.observables=["ZZ"]', "application.observables.0: .*one letter for each of 3 qubits"),
        ("application.inputs=[]", "application.file: .*theta"),
        ("application.inputs=[0.1,0.2]", "application.file: the circuit has 1 inputs"),
        ("application.processor.gates.readout=1.5", "application.processor.gates.readout: must lie in"),
        ("application.num_nodes=0", "application.num_nodes: must"),
        ("application.pairs={rate_hz=1.0,werner=0.9}", r"application.pairs: stands for \[chain\] and \[schedule\]"),
        (
            "application.waits='bond'|application.num_nodes=9",
            'application.num_nodes: must be at most 4 with `waits="bond"',
        ),
        ('application.sharing="often"', "application.sharing: must be 'none', 'in_order' or 'fewest'"),
    ],
)
def test_mistakes_name_the_key(folder, setting, error):
    with pytest.raises(ProblemError, match=error) as told:
        load(folder / "file.toml", setting.split("|"))
    assert len(told.value.errors) == 1


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ('{"0": 0, "1": 1}', "application.placement: .*place.json: no processor is given for qubit 2"),
        ("[0, 0, 1]", "application.placement: .*place.json: processor 0 holds 1 qubits, but 2 are placed on it: 1 too"),
        ("[0, 1", "application.placement: .*place.json: is not valid JSON"),
    ],
)
def test_mistakes_of_a_placement_file_name_it(folder, content, error):
    (folder / "place.json").write_text(content)
    with pytest.raises(ProblemError, match=error) as told:
        load(folder / "file.toml", ['application.placement="place.json"'])
    assert len(told.value.errors) == 1


def test_a_placement_file_that_changes_is_read_again(folder):
    for version, content in enumerate(("[0, 1, 1]", "[0, 1, 0]", "[0, 0, 1]")):
        (folder / "place.json").write_text(content)
        os.utime(folder / "place.json", ns=(0, version))
        problem = load(folder / "file.toml", ['application.placement="place.json"', "application.qpus=[2,2]"])
        use = setting_with(problem, {}).application
        assert use.distributed.placement == tuple(json.loads(content))


def test_a_file_without_pairs_is_told_of_both_forms(folder):
    (folder / "file.toml").write_text(SHORT)
    with pytest.raises(ProblemError) as told:
        load(folder / "file.toml")
    assert told.value.errors == [
        "application.pairs: is missing; add [application.pairs] with `rate_hz = ...` and `fidelity = ...`, or a "
        "[chain] with its [schedule]"
    ]


def test_numbers_of_pairs_are_swept_and_optimised(folder):
    wish = """
[optimise]
maximise = "circuit_fidelity"
parameters = ["application.pairs"]
[sweep]
outputs = ["circuit_time_s"]
axes = { "application.pairs.rate_hz" = [1.0, 2.0], "application.pairs.p_success" = [0.1, 0.3] }
"""
    problem = short_form(folder, end=wish)
    moved = [f"application.pairs.{key}" for key in ("rate_hz", "werner", "coherence_time_s", "p_success")]
    assert sorted(expand(problem, ["application.pairs"])) == sorted(moved)
    structures, _ = planned(problem)
    assert structures.traced == ("application.pairs.rate_hz", "application.pairs.p_success")
    columns, reasons = SweepTask(problem)(np.arange(4))
    assert not any(reasons)
    np.testing.assert_allclose(columns["circuit_time_s"] - columns["circuit_time_s"][2], [0.5, 0.5, 0, 0], atol=1e-9)


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        ("optimise.parameters=['chain.link.werner']", "`chain.link.werner` matches no number"),
        ("chain.link.werner=0.5", r"application.pairs: stands for \[chain\] and \[schedule\], but \[chain\] is given"),
        ("application.pairs.p_success=1e-9", r"application.pairs.p_success: must lie in \[0.0001, 1\]"),
        (
            "application.pairs.fidelity=0.9",
            "application.pairs: needs exactly one of werner, fidelity, bell_diagonal, but has werner and fidelity",
        ),
        ("application.pairs.rate_hz=0.0", "application.pairs.rate_hz: must"),
        ("application.pairs.rate_hz=1e-320", "application.pairs.rate_hz: is too small: an attempt would take"),
        ("application.pairs=3", "application.pairs: must be a table"),
        ("application.pairs.rate=3.0", "application.pairs.rate: is an unknown key; did you mean `rate_hz`"),
    ],
)
def test_mistakes_in_pairs_name_the_key(folder, setting, error):
    with pytest.raises(ProblemError, match=error) as told:
        short_form(folder, [setting])
    assert len(told.value.errors) == 1


@pytest.mark.slow
def test_sweep_over_numbers_and_links(folder):
    sweep = """
[sweep]
outputs = ["circuit_fidelity", "circuit_time_s"]
axes = { "application.processor.memory.t2_s" = [0.4, 0.8], "application.processor.links" = [1, 2] }
"""
    (folder / "file.toml").write_text(FILE.replace('"batch"', '"independent"') + sweep)
    task = SweepTask(load(folder / "file.toml"))
    columns, reasons = task(np.arange(4))
    assert not any(reasons)
    fidelity, time = columns["circuit_fidelity"].reshape(2, 2), columns["circuit_time_s"].reshape(2, 2)
    assert np.all(fidelity[1] > fidelity[0]) and np.all(time[:, 1] < time[:, 0])


@pytest.mark.slow
def test_optimise_and_report(folder, monkeypatch, capsys):
    wish = """
[optimise]
maximise = "circuit_fidelity"
parameters = ["application.processor.cutoff_time_s"]
"""
    text = FILE.replace('"batch"', '"independent"').replace("latency_s", "buffer = 1\ncutoff_time_s = 1.0\nlatency_s")
    (folder / "file.toml").write_text(text + wish)
    monkeypatch.chdir(folder)
    assert command(["optimise", "file.toml", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["best"]["value"] >= found(load(folder / "file.toml"))["circuit_fidelity"]
    page = (folder / "file-report" / "report.html").read_text()
    assert "fidelity of the circuit" in page and "A run waits" in page


@pytest.mark.slow
def test_infinite_numbers_have_slopes(folder):
    perfect = load(
        folder / "file.toml",
        [
            "application.processor.gates.two_qubit=1.0",
            "application.processor.memory.t1_s=inf",
            "application.waits='independent'",
        ],
    )
    slopes = differentiate(perfect, "circuit_fidelity")[0]["gradient"]
    assert all(np.isfinite(slope) for slope in slopes.values())


@pytest.mark.slow
def test_a_circuit_that_measures_has_observables_but_no_fidelity(folder):
    text = """OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q; bit c;
h q[0]; cx q[0], q[1]; c = measure q[1];
if (c) x q[0];
cx q[0], q[2];
"""
    (folder / "circuit.qasm").write_text(text)
    options = ["application.inputs=[]", "application.observables=['Z0','Z2','Z1']", "application.causes=true"]
    options += ["application.processor.memory={model='perfect'}", "application.processor.gates.readout=1.0"]
    options += [
        "application.processor.gates.two_qubit=1.0",
        "application.processor.one_qubit=1.0",
        "chain.link.werner=1.0",
    ]
    numbers = found(load(folder / "file.toml", options))
    assert not [name for name in numbers if "fidelity" in name and name.startswith("circuit")]
    seen = [numbers[f"circuit_observable_{k}"] for k in range(3)]
    np.testing.assert_allclose(seen, [1.0, 1.0, 0.0], atol=1e-9)
