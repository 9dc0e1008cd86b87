"""Clocks and sensors from a file: numbers, slopes, the best hardware, and what is refused."""

import json
import math

import jax
import numpy as np
import pytest

from qtn import evaluate, sensing, states
from qtn.cli.app import run
from qtn.evaluators.gather import gather
from qtn.evaluators.pairs import pairs_of
from qtn.problem.evaluation import evaluated, merits
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.problem.planner import optimise
from qtn.problem.run import differentiate
from tests.oracles import sensing as oracle

FILE = """
schema = 1
[chain]
num_links = 1
link = { model = "abstract", p_success = 0.3, attempt_time_s = 0.01, bell_diagonal = [0.94, 0.02, 0.01, 0.03] }
node = { memory = { model = "t1t2", t1_s = 3.0, t2_s = 2.0 }, gates = { two_qubit = 0.99, readout = 0.98 } }
[schedule]
tree = "0"
[application]
model = "sensor"
dephasing_hz = 0.5
"""
GROUP = FILE + "users = 3\n"


def numbers(text, values=None):
    problem = loads(text)
    result = evaluated(problem, values or {}).result
    return {name: float(x) for name, x in merits(problem, result, values or {}, clip=False).items()}


def test_gathered_states_against_their_density_matrix():
    found, problem = numbers(GROUP), loads(GROUP)
    arm = pairs_of(evaluate(problem.chain, problem.schedule), problem.chain)
    group = gather([arm] * 3, problem.chain.node(1))
    matrix = np.asarray(states.dense(group.state).matrix)
    time = found["sensor_probe_time_s"]
    probed = oracle.through(matrix, oracle.pauli(0, 0, (1 - math.exp(-0.5 * time)) / 2))
    assert found["sensor_fisher"] == pytest.approx(oracle.quantum_fisher(probed, oracle.total(3)), rel=1e-9)
    assert found["sensor_waiting_s"] == pytest.approx(float(group.mean_time), rel=1e-12)
    rate = time**2 * found["sensor_fisher"] / found["sensor_cycle_s"]
    assert found["sensor_information_s"] == pytest.approx(rate, rel=1e-12)
    assert found["sensor_uncertainty_hz"] == pytest.approx(1 / (2 * math.pi * math.sqrt(rate)), rel=1e-12)
    apart = 3 / (2 * math.e * 0.5)
    assert found["sensor_gain"] == pytest.approx(math.sqrt(rate / apart), rel=1e-12)
    assert sensing.group_fisher(group) == pytest.approx(oracle.quantum_fisher(matrix, oracle.total(3)), rel=1e-10)
    assert float(sensing.group_parity_fisher(group)) < float(sensing.group_fisher(group))


def test_two_clocks_at_the_ends_of_a_chain():
    found, problem = numbers(FILE + "probe_time_s = 0.2\n"), loads(FILE)
    comparison = sensing.clock_comparison(evaluate(problem.chain, problem.schedule))
    assert found["sensor_fisher"] == pytest.approx(float(comparison.fisher) * math.exp(-4 * 0.5 * 0.2), rel=1e-10)
    assert found["sensor_cycle_s"] == pytest.approx(0.2 + 0.01 / 0.3, rel=1e-9)


def test_the_best_probe_time_is_the_best():
    best = numbers(GROUP)
    for factor in (0.97, 1.03):
        other = numbers(GROUP + f"probe_time_s = {factor * best['sensor_probe_time_s']}\n")
        assert other["sensor_information_s"] < best["sensor_information_s"]


def test_stability_of_clocks():
    """Of strontium: the uncertainty after one second over the frequency, for files that say it."""
    text = GROUP + "frequency_hz = 429.228e12\n"
    found = numbers(text)
    assert found["sensor_stability"] == pytest.approx(found["sensor_uncertainty_hz"] / 429.228e12, rel=1e-12)
    assert "sensor_stability" not in numbers(GROUP)
    slopes = differentiate(loads(text), "sensor_stability")[0]["gradient"]
    name, place = "chain.link.p_success", 0.3
    sides = [numbers(text, {name: place + sign * 1e-5})["sensor_stability"] for sign in (1, -1)]
    assert slopes[name] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-5)
    assert slopes["application.frequency_hz"] * 429.228e12 == pytest.approx(-found["sensor_stability"], rel=1e-12)


def test_slopes():
    text = GROUP + "cutoff_time_s = 0.05\n"
    slopes = differentiate(loads(text), "sensor_information_s")[0]["gradient"]
    for name in ("chain.link.p_success", "application.dephasing_hz", "chain.node.gates.readout"):
        place = {"chain.link.p_success": 0.3, "application.dephasing_hz": 0.5, "chain.node.gates.readout": 0.98}[name]
        sides = [numbers(text, {name: place + sign * 1e-5})["sensor_information_s"] for sign in (1, -1)]
        assert slopes[name] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-5)
    assert all(np.isfinite(x) for x in slopes.values())


def test_parity_of_many_users():
    """Perfect gates and pairs with phase errors alone: n^2 (1 - 2p)^(2n), for parity and for the best measurement."""
    text = FILE.replace("[0.94, 0.02, 0.01, 0.03]", "[0.99, 0.0, 0.0, 0.01]").replace(
        'node = { memory = { model = "t1t2", t1_s = 3.0, t2_s = 2.0 }, gates = { two_qubit = 0.99, readout = 0.98 } }',
        "",
    )
    for users, measurement in ((4, "best"), (30, "parity")):
        more = f'users = {users}\nprobe_time_s = 1e-9\nmeasurement = "{measurement}"\n'
        found = numbers(text + more)["sensor_fisher"]
        assert found == pytest.approx(users**2 * 0.98 ** (2 * users), rel=1e-7)


@pytest.mark.slow
def test_optimise():
    text = GROUP + "cutoff_time_s = 0.08\n"
    text += '[optimise]\nmaximise = "sensor_gain"\nparameters = ["application.cutoff_time_s"]\n'
    assert optimise(loads(text)).value >= numbers(text)["sensor_gain"]


def test_print(tmp_path, capsys):
    (tmp_path / "clocks.toml").write_text(GROUP)
    assert run(["evaluate", str(tmp_path / "clocks.toml"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["application"]["model"] == "sensor"
    assert "of each cycle is waiting" in found["application"]["sentences"][0]
    assert found["sensor_information_s"] == pytest.approx(numbers(GROUP)["sensor_information_s"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("probe_time_s = 0.0", "application.probe_time_s: must be positive and finite, but is 0.0"),
        ('probe_time_s = "best"', "application.probe_time_s: must be a number or 'optimised', but is 'best'"),
        ("users = 1", "application.users: must lie in [2, 100], but is 1"),
        (
            "users = 11",
            'application.measurement: "best" takes up to 10 users, but application.users is 11; use "parity"',
        ),
        (
            "cutoff_time_s = 1.0",
            "application.cutoff_time_s: is for users who gather at a hub; add `users`, or remove it",
        ),
    ],
)
def test_what_is_refused(change, message):
    with pytest.raises(ProblemError) as raised:
        loads(FILE + change + "\n")
    assert raised.value.errors == [message]
    with pytest.raises(ProblemError, match=r"probe_time_s: must be given where dephasing_hz is 0 or absent"):
        loads(FILE.replace("dephasing_hz = 0.5", ""))


def test_quantities_that_a_table_must_ask_for():
    with pytest.raises(ProblemError) as raised:
        loads(GROUP + '[sweep]\noutputs = ["sensor_stability"]\naxes = { "application.dephasing_hz" = [0.1] }\n')
    words = "'sensor_stability' is there if [application] has `frequency_hz`, of the clocks; add that"
    assert raised.value.errors == [f"sweep.outputs.0: {words}"]


def test_errors_in_python():
    problem = loads(FILE)
    result = evaluate(problem.chain, problem.schedule)
    with pytest.raises(ValueError, match="`probe_time` must be given where `dephasing_rate` is 0"):
        sensing.sensing(result, problem.chain)
    arm = pairs_of(result, problem.chain)
    with pytest.raises(ValueError, match="at most 10 users"):
        sensing.group_fisher(gather([arm] * 11))
    assert np.isfinite(jax.grad(lambda x: sensing.sensing(result, problem.chain, dephasing_rate=x).gain)(0.5))
