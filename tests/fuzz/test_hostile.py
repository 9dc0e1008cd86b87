"""Inputs that ran for minutes or to gigabytes: refused in sentences, with the number and the way out."""

import resource
import subprocess
import sys
import time

import pytest

from qtn.cli.app import run
from tests.problem.files import FOUR_LINKS

Q3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
WIRES = ", ".join(f"q[{k}]" for k in range(1001))
DOUBLING = "gate g0 a { h a; h a; } " + "".join(f"gate g{k} a {{ g{k - 1} a; g{k - 1} a; }} " for k in range(1, 24))

CIRCUITS = {
    "qubits": ("qubit[100000000] q; h q;", "3:1: needs 100,000,000 qubits, but at most 10,000 are allowed: declare"),
    "bits": ("qubit q; bit[1000000] c;", "3:10: needs 1,000,000 classical bits, but at most 10,000 are allowed"),
    "a tower of powers": ("qubit q; rx(9**9**9**9) q;", "`9**387420489` exceeds the 64 bits of whole numbers: write"),
    "a shift": ("qubit q; rx(1 << 100000000) q;", "`1<<100000000` exceeds the 64 bits"),
    "a power": ("qubit q; pow(10000000) @ h q;", "3:10: needs 10,000,000 gates in all, but at most 500,000 are"),
    "a loop": ("qubit q; for int i in [0:10000000] { h q; }", "needs 10,000,001 passes through loops, but at most 500"),
    "loops": (
        "qubit q; for int i in [0:999] { for int j in [0:999] { } }", "passes through loops, but at most 500,000",
    ),
    "a loop without end": ("qubit q; int i = 2; while (i > 1) { }", "needs 500,001 passes through loops, but at most"),
    "definitions that double": (f"{DOUBLING} qubit q; g23 q;", "needs 16,777,216 gates in all, but at most 500,000"),
    "powers of powers": (
        "gate g a { pow(9999) @ h a; } qubit q; pow(9999) @ g q;", "needs 99,980,001 gates in all, but at most",
    ),
    "a thousand controls": (f"qubit[1001] q; ctrl(1000) @ x {WIRES};", "gates in all, but at most 500,000 are allowed"),
    "controls without qubits": ("qubit[2] q; ctrl(1000000000) @ x q[0], q[1];", "`x` acts on 1 qubit(s), but 0 are"),
    "a long slice": ("qubit[3] q; h q[0:1000000000];", "1000000001 elements are picked from a register of size 3"),
    "a size": ("const int n = 2**100000000; qubit q;", "exceeds the 64 bits of whole numbers"),
    "a whole number": ("qubit q; rx(9223372036854775808) q;", "is 9223372036854775808, but whole numbers have 64 bits"),
    "an index": ("qubit q; h q[9223372036854775808];", "but whole numbers have 64 bits"),
    "a large number": ("qubit q; rx(10.0**400) q;", "cannot be computed: its size exceeds every number"),
    "a small number": ("qubit q; rx(5e-324) q;", "must be 0, or lie between 1e-300 and 1e+300 in size, but is 5e-324"),
    "digits": (f"qubit q; rx({'9' * 5000}) q;", "needs 5,000 digits in one number, but at most 300 are allowed: round"),
    "nested if": (f"qubit q; bit c; {'if (c) {' * 300} x q; {'}' * 300}", "needs 101 brackets inside each other"),
    "parentheses": (f"qubit q; rx({'(' * 500}1{')' * 500}) q;", "needs 101 brackets inside each other, but at most 100"),
    "minus without end": (f"qubit q; rx({'-' * 9000}1) q;", "expressions or statements are nested too deeply"),
}  # fmt: skip
ACCEPTED = {
    "minus": ("-" * 200 + "1", 1.0),
    "a sum": ("+".join(["0.01"] * 300), 3.0),
    "parentheses": ("(" * 90 + "0.5" + ")" * 90, 0.5),
}
LINK = "attempt_time_s = 1.0"
CHAIN = 'schema = 1\n[chain]\nnum_links = 1024\nlink = { model = "abstract", p_success = 0.5, attempt_time_s = 1e-3 }\n'
SEQUENTIAL = f"{'swap(' * 1023}0, {'), '.join(map(str, range(1, 1024)))})"
PROBLEMS = {
    "an axis": (
        FOUR_LINKS + '[sweep]\naxes."chain.link.werner" = { start = 0.8, stop = 0.9, num = 100000000 }',
        "sweep.axes: Axis `chain.link.werner`: needs 100,000,000 points, but at most 10,000,000 are allowed: lower",
    ),
    "crossed axes": (
        FOUR_LINKS + "[sweep]\n" + "".join(
            f'axes."chain.link.{name}" = {{ start = 0.8, stop = 0.9, num = 100000 }}\n' for name in ("werner", "p_success")
        ),
        "sweep.axes: needs 10,000,000,000 points, but at most 10,000,000 are allowed",
    ),
    "a deep tree": (
        FOUR_LINKS.replace("distill(0)", "wait(" * 20000 + "0" + ", 0.1)" * 20000),
        "schedule.tree: needs 20,003 steps of a schedule inside each other, but at most 2,000 are allowed",
    ),
    "sequential links": (
        CHAIN.replace(" }\n", ", werner = 0.99 }\nnode = { swap = { p_success = 0.5 } }\n")
        + f'[schedule]\ntree = "{SEQUENTIAL}"',
        "takes about 1e+30 s, beyond every time grid: lengthen a cut-off, take fewer rounds",
    ),
    "rounds": (
        FOUR_LINKS.replace("distill(0)", "distill(0, rounds=100)"), "Joining link 0 takes about 2e+30 s, beyond every",
    ),
    "a long grid": (FOUR_LINKS + "[time]\nnum_steps = 2147483647", "time.num_steps: needs 1.1e+03 GB of memory, but"),
    "a large number": (FOUR_LINKS.replace(LINK, f"attempt_time_s = 1{'0' * 400}"), "but is a whole number of more than"),
    "a small number": (
        FOUR_LINKS.replace(LINK, "attempt_time_s = 5e-324"),
        "chain.link.attempt_time_s: must be 0, or lie between 1e-300 and 1e+300 in size, but is 5e-324",
    ),
    "digits": (FOUR_LINKS.replace(LINK, f"attempt_time_s = {'9' * 5000}"), "it holds a whole number of thousands of di"),
    "a seed": (FOUR_LINKS + '[evaluate]\nevaluator = "sampled"\nseed = 99999999999999999999', "evaluate.seed: must lie"),
    "links": (FOUR_LINKS.replace("num_links = 4", "num_links = 9223372036854775808"), "must span links 0 to 92233720368"),
    "nesting": ("a = " + "[" * 5000 + "]" * 5000, "is not valid TOML: it is nested too deeply"),
}  # fmt: skip
NOISE = {
    "nesting": ("a = " + "[" * 5000 + "]" * 5000, "is not valid TOML: it is nested too deeply"),
    "a qubit": (
        f'qubits.{"9" * 5000} = {{ model = "dephasing", p = 0.1 }}',
        "there is no such qubit; the qubits are 0..0",
    ),
    "a probability": ('one_qubit = { model = "dephasing", p = 5e-324 }', "must be 0, or lie between 1e-300 and 1e+300"),
}
OPTIONS = {
    "seed": (["--shots", "3", "--seed", "9" * 40], "less than or equal to 4294967295"),
    "shots": (["--shots", "9" * 14], "less than or equal to 10000000"),
    "trajectories": (["--trajectories", "9" * 14], "less than or equal to 10000000"),
    "bond": (["--max-bond", "9" * 40], "less than or equal to 1048576"),
    "input": (["--input", f"a={'9' * 5000}"], "must hold finite numbers, but a is inf"),
    "observable": (["--observable", f"Z{'9' * 5000}"], "must consist of I, X, Y, Z, as in ZZII or Z0 X5"),
}


SLOW = ("a deep tree", "a loop without end", "loops")
"""Where checking the types of every call takes longest: in fresh processes only."""
SECONDS = 15
"""Of computing, while every call is checked for its types; `test_fresh_processes` demands less."""


def refused(arguments, message, capsys):
    """In time, with less than 1 GB and with one sentence."""
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert run(arguments) == 2
    assert time.process_time() - start < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1e6
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("qtn: 1 x ")]
    assert len(lines) == 1 and message in lines[0], lines


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "G.qasm").write_text("qubit q; bit c; c = measure q;")
    return tmp_path


@pytest.mark.parametrize("name", [name for name in CIRCUITS if name not in SLOW])
def test_circuits(name, folder, capsys):
    (folder / "F.qasm").write_text(Q3 + CIRCUITS[name][0])
    refused(["circuit", "F.qasm"], CIRCUITS[name][1], capsys)


def test_an_empty_circuit(folder, capsys):
    (folder / "F.qasm").write_text(" \n")
    refused(["circuit", "F.qasm"], "F.qasm:1:1: the file is empty; a program begins with `OPENQASM 3.0;", capsys)


@pytest.mark.parametrize("name", ACCEPTED)
def test_long_expressions_are_read(name):
    from qtn.circuits.qasm import load_qasm

    text, value = ACCEPTED[name]
    (rotation,) = load_qasm(f"{Q3}qubit q; rx({text}) q;").circuit.operations
    assert float(rotation.parameters[0][0]) == pytest.approx(value)


@pytest.mark.parametrize("name", [name for name in PROBLEMS if name not in SLOW])
def test_problem_files(name, folder, capsys):
    (folder / "F.toml").write_text(PROBLEMS[name][0])
    command = ["sweep", "F.toml", "--out", "R.zarr"] if "[sweep]" in PROBLEMS[name][0] else ["evaluate", "F.toml"]
    refused(command, PROBLEMS[name][1], capsys)


@pytest.mark.parametrize("name", NOISE)
def test_noise_files(name, folder, capsys):
    (folder / "F.toml").write_text(NOISE[name][0])
    refused(["circuit", "G.qasm", "--noise", "F.toml"], NOISE[name][1], capsys)


@pytest.mark.parametrize("name", OPTIONS)
def test_options(name, capsys):
    refused(["circuit", "G.qasm", *OPTIONS[name][0]], OPTIONS[name][1], capsys)


MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(code)
"""
"""A small process starts the command: what it needs is not mixed up with what the tests hold."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["circuit", "problem"])
def test_fresh_processes(kind, folder):
    """The start of Python included: less than 5 s of computing and 1 GB."""
    for text, message in (CIRCUITS if kind == "circuit" else PROBLEMS).values():
        file = folder / f"F.{'qasm' if kind == 'circuit' else 'toml'}"
        file.write_text(Q3 + text if kind == "circuit" else text)
        command = "circuit" if kind == "circuit" else "sweep" if "[sweep]" in text else "evaluate"
        options = ["--out", "R.zarr"] if command == "sweep" else []
        asked = [sys.executable, "-m", "qtn", command, str(file), *options]
        process = subprocess.run([sys.executable, "-c", MEASURED, *asked], capture_output=True, text=True, timeout=120)
        seconds, kilobytes = map(float, process.stdout.split()[-2:])
        assert process.returncode == 2 and message in process.stderr
        assert seconds < 5 and kilobytes < 1e6, message
