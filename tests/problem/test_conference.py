"""Conference keys in problem files: numbers, slopes, limits, mistakes, sentences."""

import json

import numpy as np
import pytest

from qtn import gather, pairs_of, qkd
from qtn.cli.app import run as command
from qtn.evaluators.renewal import Renewal
from qtn.problem.evaluation import evaluated, merits
from qtn.problem.load import load, loads
from qtn.problem.messages import ProblemError
from qtn.problem.names import numeric_leaves
from qtn.problem.planner import optimise
from qtn.problem.run import differentiate, report_numbers

FILE = """
schema = 1
[chain]
num_links = 1
link = { model = "abstract", p_success = 0.3, attempt_time_s = 1e-3, werner = 0.99 }
[[chain.nodes]]
memory = { model = "dephasing", t2_s = 0.08 }
[[chain.nodes]]
memory = { model = "dephasing", t2_s = 0.2 }
gates = { two_qubit = 0.995, readout = 0.998 }
[schedule]
tree = "0"
[application]
model = "conference"
users = 4
"""
KEPT = FILE + 'ends = "kept"\ncutoff_time_s = 0.006\nprotocol = "ghz_diagonal"\npairwise = "leader"\ncheck = "y"\n'


def found(problem, values=None):
    return {name: float(x) for name, x in merits(problem, evaluated(problem, values).result, values, clip=True).items()}


@pytest.mark.parametrize("text", [FILE, KEPT], ids=["defaults", "all keys"])
def test_numbers_are_those_of_the_library(text):
    problem = loads(text)
    numbers, kept = found(problem), text == KEPT
    arm = pairs_of(Renewal().evaluate(problem.chain, problem.schedule), problem.chain)
    options = {"ends": "kept", "cutoff_time": 0.006} if kept else {"ends": "measured"}
    terms = {"protocol": "ghz_diagonal" if kept else "bb84"}
    group = gather([arm] * 4, problem.chain.node(1), **options)
    key = qkd.conference_key(group, **terms)
    via = "leader" if kept else "neighbours"
    pairs = qkd.pairwise_key([arm] * 4, problem.chain.node(1), via=via, **terms, **options)
    expected = {
        "conference_key_rate_hz": key.rate,
        "conference_fraction": key.fraction,
        "pairwise_key_rate_hz": pairs.rate,
        "secret_sharing_rate_hz": qkd.secret_sharing(group, check="y" if kept else "z").rate,
        "conference_rate_hz": 1 / group.mean_time,
        "conference_time_95_s": group.quantiles(np.array([0.95]))[0],
        "conference_p_success": group.p_success,
        "ghz_fidelity": group.fidelity(),
        "conference_qber_x": key.qber_x,
        "conference_qber_z": max(key.qber_z),
    }
    for name, value in expected.items():
        assert numbers[name] == pytest.approx(float(value), rel=1e-12), name
    assert ("anonymous_pair_fidelity" in numbers) is kept
    if kept:
        pair = qkd.anonymous_pair(group, 0, 3)
        assert numbers["anonymous_pair_fidelity"] == pytest.approx(float(pair.bell_diagonal[0]), rel=1e-12)
    assert numbers["conference_key_rate_hz"] > 0


def test_slopes():
    problem = loads(KEPT.replace("0.006", "0.0064"))
    slopes = differentiate(problem, "conference_key_rate_hz")[0]["gradient"]
    assert slopes.keys() == numeric_leaves(problem).keys()
    for name in (
        "chain.link.werner",
        "chain.nodes.0.memory.t2_s",
        "chain.nodes.1.gates.readout",
        "application.cutoff_time_s",
    ):
        value = numeric_leaves(problem)[name]
        step = 1e-6 * value
        rise = [found(problem, {name: value + sign * step})["conference_key_rate_hz"] for sign in (1, -1)]
        assert slopes[name] == pytest.approx((rise[0] - rise[1]) / (2 * step), rel=2e-5), name


@pytest.mark.slow
def test_the_cut_off_is_optimised():
    text = KEPT.replace("t2_s = 0.08", "t2_s = 0.02")
    text += '[optimise]\nmaximise = "conference_key_rate_hz"\nparameters = ["application.cutoff_time_s"]\n'
    problem = loads(text)
    best = optimise(problem)
    values = [found(problem, {"application.cutoff_time_s": k * 1e-3})["conference_key_rate_hz"] for k in range(1, 12)]
    assert best.value >= max(values) * (1 - 1e-6)


WRONG = {
    "one user": ("users = 1", r"application.users: must lie in \[2, 100\], but is 1"),
    "names": ('users = ["A", "B"]', "application.users: names users of a network, but all users are alike here"),
    "network": ("users = 4\n[network]\nlinks = 3", "network: \\[chain\\] and \\[network\\] are given"),
    "cut-off": ("users = 4\ncutoff_time_s = 0.0", "application.cutoff_time_s: must be positive, but is 0.0"),
    "probe": ("users = 4\nprobe_time_s = 0", "application.probe_time_s: is an unknown key"),
    "many": ('users = 13\nprotocol = "ghz_diagonal"', 'takes up to 12 users, but application.users is 13; use "bb84"'),
    "check": ('users = 4\ncheck = "w"', "application.check: must be 'y' or 'z', but is 'w'"),
}


@pytest.mark.parametrize(("line", "message"), WRONG.values(), ids=WRONG)
def test_mistakes_are_named(line, message):
    with pytest.raises(ProblemError, match=message):
        loads(FILE.replace("users = 4", line))


def test_a_hub_of_linear_optics_is_named():
    optics = FILE.replace("gates = { two_qubit = 0.995, readout = 0.998 }", 'swap = { model = "linear_optics" }')
    with pytest.raises(ProblemError, match=r'chain.nodes.1.swap.model: "linear_optics" joins two halves'):
        loads(optics)
    with pytest.raises(ProblemError, match=r'evaluate.evaluator: "sampled" knows no distribution'):
        loads(FILE + '[evaluate]\nevaluator = "sampled"\n')


def test_text_json_and_sentences(tmp_path, capsys):
    (tmp_path / "file.toml").write_text(FILE)
    assert command(["evaluate", str(tmp_path / "file.toml")]) == 0
    text = capsys.readouterr().out
    assert "key of all users" in text and "To bring one key to all users" in text
    assert command(["evaluate", str(tmp_path / "file.toml"), "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["application"]["model"] == "conference"
    assert numbers["conference_key_rate_hz"] == pytest.approx(
        found(load(tmp_path / "file.toml"))["conference_key_rate_hz"]
    )


SENTENCES = {
    "no key": ({"conference_key_rate_hz": 0.0, "pairwise_key_rate_hz": 0.0}, "Neither GHZ states nor pairs"),
    "pairs only": ({"conference_key_rate_hz": 0.0, "pairwise_key_rate_hz": 2.0}, "pair keys over the same arms give 2"),
    "GHZ only": (
        {"conference_key_rate_hz": 2.0, "pairwise_key_rate_hz": 0.0},
        "where pair keys over the same arms give none",
    ),
    "GHZ": (
        {"conference_key_rate_hz": 3.0, "pairwise_key_rate_hz": 2.0},
        "GHZ states are 1.5 times as fast as pair keys",
    ),
    "pairs": (
        {"conference_key_rate_hz": 2.0, "pairwise_key_rate_hz": 5.0},
        "pair keys are 2.5 times as fast as GHZ states",
    ),
}


@pytest.mark.parametrize(("numbers", "words"), SENTENCES.values(), ids=SENTENCES)
def test_what_is_said(numbers, words):
    (line,) = type(loads(FILE).config.application).lines(numbers)
    assert words in line


def test_a_short_grid_is_told():
    said = report_numbers(evaluated(loads(FILE + "[time]\nstep_s = 1e-3\nnum_steps = 64\n")))["application"]["warnings"]
    assert said == []
    slow = loads(KEPT.replace("0.006", "0.0001") + "[time]\nstep_s = 1e-3\nnum_steps = 64\n")
    (told,) = report_numbers(evaluated(slow))["application"]["warnings"]
    assert "of the waiting time for a GHZ state" in told and "time.num_steps" in told
