"""Applications: what pairs are used for, from the file to every reader of numbers."""

import json

import jax
import numpy as np
import pytest

from qtn.cli.app import run
from qtn.dqc.teleportation import Side, teleportation
from qtn.evaluators.renewal import Renewal
from qtn.merit.quantities import QUANTITIES
from qtn.problem.application.application import Application
from qtn.problem.application.teleportation import Teleportation
from qtn.problem.evaluation import evaluated, merits
from qtn.problem.evaluators import level_of
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.problem.names import numeric_leaves, with_values
from qtn.problem.planner import optimise
from qtn.problem.quantities import quantities_of
from qtn.problem.run import differentiate
from qtn.problem.schema import Config
from qtn.problem.sweep import SweepTask
from qtn.problem.table import tables_in
from qtn.steps.level import PAULI
from tests.problem.larger import Balance, Punctuality, enlarge

FILE = """
schema = 1
[chain]
num_links = 2
link = { model = "abstract", p_success = 0.2, attempt_time_s = 1.0, werner = 0.95 }
node = { memory = { model = "depolarising", time_constant_s = 50.0 }, gates = { two_qubit = 0.99, readout = 0.98 } }
[schedule]
tree = "swap(0, 1, cutoff_time=6.0)"
"""
TELEPORT = FILE + '[application]\nmodel = "teleportation"\n'
FIDELITY, RATE = "teleportation_fidelity", "teleportation_rate_hz"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.toml").write_text(FILE)
    (tmp_path / "used.toml").write_text(
        TELEPORT + f'[optimise]\nmaximise = "{RATE}"\nminimum = {{ {FIDELITY} = 0.86 }}\n'
        'parameters = ["schedule.cutoff_times"]\n'
    )
    return tmp_path


def printed(capsys, *arguments):
    assert run(list(arguments)) == 0
    text = capsys.readouterr().out
    return json.loads(text) if "--json" in arguments else text


def test_names_of_all_applications_differ_from_the_others():
    kinds = [*tables_in(Config.model_fields["application"].annotation)]
    names = [*QUANTITIES, *(each.name for kind in kinds for each in kind.quantities)]
    assert Teleportation in kinds and all(issubclass(kind, Application) for kind in kinds)
    assert len(set(names)) == len(names)
    assert all(each.in_use for kind in kinds for each in kind.quantities)


def test_perfect_ends_teleport_as_well_as_the_pair_allows():
    problem = loads(TELEPORT.replace(", gates = { two_qubit = 0.99, readout = 0.98 }", ""))
    found = {name: float(x) for name, x in merits(problem, evaluated(problem).result, clip=True).items()}
    assert found[FIDELITY] == pytest.approx((2 * found["fidelity"] + 1) / 3, abs=1e-14)
    assert found[RATE] == pytest.approx(found["rate_hz"], rel=1e-14)


def test_evaluate_and_compare_print_it(folder, capsys):
    found, plain = (printed(capsys, "evaluate", name, "--json") for name in ("used.toml", "plain.toml"))
    summary = Renewal().summarise(*evaluated(loads(TELEPORT)).system)
    assert found[FIDELITY] == pytest.approx(float(teleportation(summary, loads(TELEPORT).chain).fidelity), rel=1e-12)
    assert found["application"]["model"] == "teleportation"
    assert "above what measuring the qubit" in found["application"]["sentences"][0]
    assert plain == {name: x for name, x in found.items() if name not in (FIDELITY, RATE, "application")}
    text = printed(capsys, "evaluate", "used.toml")
    assert f"{'teleportation rate':32s} {found[RATE]:.10g} Hz" in text and "Teleportation is above" in text
    assert printed(capsys, "compare", "used.toml", "used.toml", "--json")["ratio"][FIDELITY] == 1.0
    for pair in (("used.toml", "plain.toml"), ("plain.toml", "used.toml")):
        assert printed(capsys, "compare", *pair, "--json")["ratio"][FIDELITY] is None
        assert FIDELITY in printed(capsys, "compare", *pair)


def test_the_other_end_may_send():
    ends = FILE.replace("node = {", "nodes = [{ gates = { readout = 0.9 } }, {}, {}]\nunused = {").replace(
        "unused = { memory", "#"
    )
    left, right = (loads(ends + f'[application]\nmodel = "teleportation"\nsender = "{end}"\n') for end in Side)
    low, high = (float(merits(each, evaluated(each).result, clip=True)[FIDELITY]) for each in (left, right))
    assert low < high - 0.05


@pytest.mark.slow
def test_gradients_know_the_gates_of_the_ends():
    problem, step = loads(TELEPORT), 1e-6
    for of in (FIDELITY, RATE):
        slopes = differentiate(problem, of)[0]["gradient"]
        assert slopes.keys() == numeric_leaves(problem).keys()
        for name in ("chain.node.gates.readout", "chain.node.swap.p_success", "schedule.cutoff_times.0"):
            value = numeric_leaves(problem)[name] - (0.5 if "cutoff" in name else 2 * step)
            sides = [{name: value + sign * step} for sign in (1, -1)]
            rise = [float(merits(problem, evaluated(problem, x).result, x, clip=False)[of]) for x in sides]
            here = differentiate(problem, of, {name: value})[0]["gradient"][name]
            assert here == pytest.approx((rise[0] - rise[1]) / (2 * step), rel=1e-5, abs=1e-9)
    perfect = loads(FILE.replace("0.99", "1.0").replace("0.98", "1.0") + '[application]\nmodel = "teleportation"\n')
    assert all(np.isfinite(x) for x in differentiate(perfect, FIDELITY)[0]["gradient"].values())


def test_optimise_maximises_it_under_its_own_limit(folder, capsys):
    found = printed(capsys, "optimise", "used.toml", "--json", "--set", "schedule.cutoff_times.0=2.0")
    assert found["limits"][FIDELITY]["value"] >= 0.86 * (1 - 1e-6)
    start = printed(capsys, "evaluate", "used.toml", "--json", "--set", "schedule.cutoff_times.0=2.0")
    assert found["best"]["value"] > start[RATE]
    page = (folder / "used-report" / "report.html").read_text()
    assert "teleportation fidelity" in page and "Teleportation is above what measuring" in page


@pytest.mark.slow
def test_least_hardware_for_it():
    text = (
        TELEPORT
        + f'[optimise]\nminimise = "hardware_cost"\nminimum = {{ {FIDELITY} = 0.89 }}\nparameters = ["chain.link.werner"]\n'
    )
    found = optimise(loads(text))
    assert found.value > 1.0
    assert found.best.merits[FIDELITY] == pytest.approx(0.89, rel=1e-6)


def test_searches_rank_by_it_and_say_what_was_not_compared():
    text = TELEPORT.replace('tree = "swap(0, 1, cutoff_time=6.0)"\n', "")
    text += f'[optimise]\nmaximise = "{FIDELITY}"\nsearch = {{ max_rounds = 1, method = "%s" }}\n'
    best = [optimise(loads(text % method)) for method in ("exhaustive", "pareto")]
    assert best[0].value == pytest.approx(best[1].value, rel=1e-9)
    scores = [choice.merits[FIDELITY] for choice in best[0].choices]
    assert scores == sorted(scores, reverse=True)
    assert best[0].found.guarantee.startswith("Optimal")
    assert "Teleportation fidelity ranks the leaders, and is not among what is compared" in best[1].found.guarantee


def test_sweeps_store_it_with_derivatives():
    text = (
        TELEPORT
        + f'[sweep]\njob = "gradient"\noutputs = ["{FIDELITY}", "{RATE}"]\naxes = {{ "chain.node.gates.readout" = [0.95, 1.0] }}\n'
    )
    made = SweepTask(loads(text))
    values, reasons = made(np.arange(2))
    assert reasons == ["", ""]
    assert {column.name: column.unit for column in made.job.columns}[RATE] == "Hz"
    right = differentiate(loads(TELEPORT, ["chain.node.gates.readout=0.95"]), FIDELITY)[0]
    name = "chain.node.gates.readout"
    assert values[FIDELITY][0] == pytest.approx(right["value"], rel=1e-9)
    assert values[f"d_{FIDELITY}_d_{name}"][0] == pytest.approx(right["gradient"][name], rel=1e-8)


def test_samples_have_its_standard_error():
    sampled = loads(TELEPORT + '[evaluate]\nevaluator = "sampled"\nnum_samples = 2000\n')
    found = evaluated(sampled)
    exact = float(merits(sampled, evaluated(loads(TELEPORT)).result, clip=True)[FIDELITY])
    error = float(
        found.result.standard_error(lambda each: merits(sampled, each, names=[FIDELITY], clip=False)[FIDELITY])
    )
    assert 0 < error < 0.01
    assert float(merits(sampled, found.result, clip=True)[FIDELITY]) == pytest.approx(exact, abs=4 * error)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            'model = "teleport"',
            "application.model: must be one of 'teleportation', 'circuit', 'key', 'conference', 'sensor', 'shares', but "
            "is 'teleport'; did you mean `teleportation`?",
        ),
        ("sender = 'left'", "application.model: is missing; add `model = ...`"),
        ('model = "teleportation"\nsender = "up"', "application.sender: must be 'left' or 'right', but is 'up'"),
        ('model = "teleportation"\nend = 1', "application.end: is an unknown key; did you mean `sender`?"),
    ],
    ids=["model", "no model", "sender", "key"],
)
def test_wrong_tables_say_so(change, message):
    with pytest.raises(ProblemError) as raised:
        loads(
            FILE + f"[application]\n{change}\n[optimise]\nmaximise = '{FIDELITY}'\nparameters = ['chain.link.werner']\n"
        )
    assert raised.value.errors == [message]


def test_measured_ends_teleport_nothing():
    line = FILE.replace('tree = "swap(0, 1, cutoff_time=6.0)"', 'policy = "swap_asap"')
    with pytest.raises(ProblemError, match=r'schedule\.ends: must be "kept", because application\.model = "teleport'):
        loads(line + '[application]\nmodel = "teleportation"\n')
    kept = loads(line + 'ends = "kept"\n[application]\nmodel = "teleportation"\n')
    assert 0.5 < float(merits(kept, evaluated(kept).result, clip=True)[FIDELITY]) < 1


def test_without_the_table_there_are_no_such_quantities():
    with pytest.raises(ProblemError, match=r"optimise\.maximise: 'teleportation_fidelity' belongs to"):
        loads(FILE + f"[optimise]\nmaximise = '{FIDELITY}'\nparameters = ['chain.link.werner']\n")
    assert quantities_of(loads(FILE).document) == QUANTITIES


@pytest.fixture
def larger(monkeypatch):
    enlarge(monkeypatch)


CLICK = 'link = { model = "single_click", length_left_km = 5.0, length_right_km = 25.0, attenuation_db_per_km = 0.2, bright_state = [0.1, 0.3] }'
TILTED = FILE.replace(FILE.splitlines()[4], CLICK)


def test_who_needs_the_whole_state_gets_it(larger):
    problem = loads(TILTED + '[application]\nmodel = "balance"\n')
    assert level_of(problem.config) == PAULI and level_of(loads(TILTED).config) is None
    exact = Renewal(level=PAULI).summarise(*with_values(problem, {})).state
    found = merits(problem, evaluated(problem).result, clip=True)["tilt"]
    assert float(found) == pytest.approx(float(exact[3, 0] - exact[0, 3]), abs=1e-12)
    assert abs(float(found)) > 0.01
    with pytest.raises(ProblemError, match=r'evaluate\.level: must be "pauli", because application\.model = "balance"'):
        loads(TILTED + '[application]\nmodel = "balance"\n[evaluate]\nlevel = "bell_diagonal"\n')
    assert Balance.needs == "state" and Punctuality.needs == "outcome"


PUNCTUAL = FILE + '[application]\nmodel = "punctuality"\ndeadline_s = 20.5\n'


def test_who_needs_the_distribution_gets_it(larger):
    problem = loads(PUNCTUAL)
    result = evaluated(problem).result
    value = float(merits(problem, result, clip=True)["in_time"])
    assert value == pytest.approx(
        float(np.sum(np.asarray(result.probability)[np.asarray(result.times) < 20.5])), abs=1e-9
    )
    slopes = differentiate(problem, "in_time")[0]["gradient"]
    sides = [{"chain.link.p_success": 0.2 + sign * 1e-6} for sign in (1, -1)]
    rise = [float(merits(problem, evaluated(problem, x).result, x, clip=False)["in_time"]) for x in sides]
    assert slopes["chain.link.p_success"] == pytest.approx((rise[0] - rise[1]) / 2e-6, rel=1e-6)
    assert "application.deadline_s" in slopes
    text = (
        PUNCTUAL + '[sweep]\njob = "gradient"\noutputs = ["in_time"]\naxes = { "chain.link.p_success" = [0.2, 0.3] }\n'
    )
    values, reasons = SweepTask(loads(text))(np.arange(2))
    assert reasons == ["", ""] and values["in_time"][0] == pytest.approx(value, rel=1e-9)
    assert values["d_in_time_d_chain.link.p_success"][0] == pytest.approx(slopes["chain.link.p_success"], rel=1e-8)


@pytest.mark.slow
def test_numbers_are_tuned_for_the_distribution(larger):
    text = (
        PUNCTUAL
        + '[optimise]\nmaximise = "in_time"\nminimum = { fidelity = 0.82 }\nparameters = ["schedule.cutoff_times"]\n'
    )
    found = optimise(loads(text))
    assert found.best.merits["fidelity"] >= 0.82 * (1 - 1e-6)
    trials = [evaluated(loads(text), {"schedule.cutoff_times.0": float(tau)}).result for tau in range(1, 60)]
    problem = loads(text)
    values = [merits(problem, each, clip=True) for each in trials]
    best = max(float(each["in_time"]) for each in values if float(each["fidelity"]) >= 0.82)
    assert found.value == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            '[evaluate]\nevaluator = "sampled"\n',
            'evaluate.evaluator: "sampled" knows no distribution of the waiting time',
        ),
        (
            '[optimise]\nmaximise = "in_time"\nsearch = {}\n',
            "optimise.search: keeps no distribution of the waiting time",
        ),
    ],
    ids=["samples", "search"],
)
def test_what_cannot_resolve_time_is_refused(larger, more, message):
    with pytest.raises(ProblemError) as raised:
        loads(PUNCTUAL + more)
    assert any(error.startswith(message) for error in raised.value.errors)


def test_an_application_is_a_pytree_with_numbers(larger):
    problem = loads(PUNCTUAL)
    assert numeric_leaves(problem)["application.deadline_s"] == 20.5
    assert jax.tree.leaves(Punctuality.build({"deadline_s": 2.0})) == [2.0]
