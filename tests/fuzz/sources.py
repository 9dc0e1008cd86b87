"""Texts that are mutated: whole problem files, circuits, trees, axes and overrides."""

from pathlib import Path

from tests.problem.files import CLICKS, FOUR_LINKS

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SWEEP = """
[sweep]
mode = "grid"
axes = { "chain.link.werner" = { start = 0.8, stop = 0.99, num = 5 }, "chain.link.p_success" = [0.1, 0.2] }
"""
PROBLEMS = [FOUR_LINKS, CLICKS, FOUR_LINKS + SWEEP]
PROBLEMS += [file.read_text() for file in sorted(EXPERIMENTS.rglob("*.toml"))]
PUBLIC = sorted((EXPERIMENTS / "public_circuits" / "circuits").glob("*_8.qasm"))
FEATURES = """OPENQASM 3.0;
include "stdgates.inc";
const int n = 3;
qubit[n] q;
bit[2] c = "01";
gate twice(a) x1, y1 { rx(a / 2.0) x1; ctrl @ h x1, y1; inv @ pow(2) @ t y1; }
for int i in [0:n - 2] { twice(pi / 4 * i) q[i], q[i + 1]; }
c[0] = measure q[0];
if (c[0] == 1 && !c[1]) { x q[1]; } else { reset q[2]; }
ctrl(2) @ z q[0], q[1], q[2];
c[1] = measure q[2];
"""
OLD = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[3];
creg c[3];
h q;
cx q[0], q[1];
u3(pi/2, 0.3^2, -pi) q[2];
measure q[0] -> c[0];
if (c == 1) x q[2];
barrier q;
measure q -> c;
"""
CIRCUITS = [FEATURES, OLD, *(file.read_text() for file in PUBLIC)]
TREES = [
    "swap(swap(distill(0), distill(1)), swap(distill(2), distill(3)))",
    "swap(swap(0, 1, cutoff_time=0.5), swap(pump(2, 2, rounds=2), wait(3, 1e-3)), min_fidelity=0.5)",
]
AXES = ['"chain.link.werner" = { start = 0.8, stop = 0.99, num = 5 }', '"schedule.tree" = ["swap(0, 1)", "0"]']
OVERRIDES = ["chain.link.werner=0.9", "schedule.cutoff_times.0=0.5", 'chain.node.memory={ model = "perfect" }']
