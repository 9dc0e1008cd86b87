"""A quantity more: one row of the registry, and everything that reads quantities knows it."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

import qtn
from qtn.cli.app import run
from qtn.merit.quantities import QUANTITIES, Better, Quantity
from qtn.planning.objective import Objective
from qtn.planning.search import SearchSettings, search
from qtn.planning.space import SearchSpace
from qtn.problem.evaluation import merits, outcome
from qtn.problem.front import front, read_names
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.problem.planner import optimise
from qtn.problem.run import differentiate
from qtn.problem.sweep import SweepTask
from qtn.steps.level import PAULI

FILE = """
schema = 1
[chain]
num_links = 2
link = { model = "abstract", p_success = 0.2, attempt_time_s = 1.0, werner = 0.95 }
node = { memory = { model = "depolarising", time_constant_s = 50.0 }, gates = { two_qubit = 0.99, readout = 0.98 } }
[schedule]
tree = "swap(0, 1, cutoff_time=6.0)"
"""
SEARCHED = FILE.replace('tree = "swap(0, 1, cutoff_time=6.0)"', "")

PURITY = Quantity(
    "purity_x",
    "pu",
    "purity of the pair",
    lambda found: jnp.sum(found.result.state**2) / 4,
    level=PAULI,
    better=Better.MORE,
    most=1.0,
)
USED = Quantity(
    "used_hz",
    "use/s",
    "rate of good uses",
    lambda found: (2 * found.setting.chain.nodes[0].gates.readout - 1) * (found.result.state[3, 3] - 0.5) / found.result.mean_time,
    in_use=True,
    clipped=True,
    better=Better.MORE,
    per_pair=1.0,
)  # fmt: skip


@pytest.fixture(autouse=True)
def more(monkeypatch):
    for each in (PURITY, USED):
        monkeypatch.setitem(QUANTITIES, each.name, each)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.toml").write_text(
        FILE + '[optimise]\nmaximise = "purity_x"\nparameters = ["schedule.cutoff_times"]\n'
    )
    (tmp_path / "sampled.toml").write_text(FILE + '[evaluate]\nevaluator = "sampled"\nnum_samples = 200\n')
    return tmp_path


def printed(capsys, *arguments):
    """Return what a command prints, JSON if it was asked for."""
    assert run(list(arguments)) == 0
    text = capsys.readouterr().out
    return json.loads(text) if "--json" in arguments else text


def test_evaluate_and_compare_print_it(folder, capsys):
    found = printed(capsys, "evaluate", "a.toml", "--json")
    assert found["purity_x"] == pytest.approx(sum(weight**2 for weight in found["bell_diagonal"]), rel=1e-12)
    text = printed(capsys, "evaluate", "a.toml")
    assert f"{'purity of the pair':32s} {found['purity_x']:.10g} pu" in text
    assert f"{'rate of good uses':32s} {found['used_hz']:.10g} use/s" in text
    ratios = printed(capsys, "compare", "a.toml", "a.toml", "--json")["ratio"]
    assert ratios["purity_x"] == ratios["used_hz"] == 1.0


def test_samples_have_its_standard_error(folder, capsys):
    found = printed(capsys, "evaluate", "sampled.toml", "--json")
    assert 0 < found["info"]["standard_errors"]["purity_x"] < 0.1
    assert found["info"]["standard_errors"]["used_hz"] > 0
    assert "  purity of the pair " in printed(capsys, "evaluate", "sampled.toml").split("standard errors")[1]


def test_gradients_by_every_number_those_of_the_end_nodes_too():
    problem, step = loads(FILE), 1e-6
    slopes = differentiate(problem, "used_hz")[0]["gradient"]
    for name in ("chain.node.gates.readout", "chain.link.werner", "chain.node.memory.time_constant_s"):
        value = {"readout": 0.98, "werner": 0.95}.get(name.rsplit(".")[-1], 50.0)
        ends = [value * (1 + sign * step) for sign in (1, -1)]
        rise = [float(merits(problem, outcome(problem, {name: x}), {name: x}, clip=False)["used_hz"]) for x in ends]
        assert slopes[name] == pytest.approx((rise[0] - rise[1]) / (2 * value * step), rel=1e-6)


def test_gradient_names_the_choices(folder, capsys):
    assert run(["gradient", "a.toml", "--of", "luck"]) == 2
    assert "secret_key_rate_hz, purity_x, used_hz, but is 'luck'" in capsys.readouterr().err
    words = printed(capsys, "gradient", "--help").split()
    assert words[words.index("purity_x") + 1 :][:2] == ["or", "used_hz."]


@pytest.mark.slow
def test_sweeps_store_it_with_words_and_unit():
    text = (
        FILE
        + '[sweep]\noutputs = ["purity_x", "used_hz"]\njob = "gradient"\n[sweep.axes]\n"chain.node.gates.readout" = [0.9, 1.0]\n'
    )
    made = SweepTask(loads(text))
    told = {column.name: (column.unit, column.long_name) for column in made.job.columns}
    assert told["purity_x"] == ("pu", "purity of the pair")
    assert told["d_used_hz_d_chain.node.gates.readout"][0] == "use/s"
    values, reasons = made(np.arange(2))
    assert reasons == ["", ""]
    right = differentiate(loads(FILE, ["chain.node.gates.readout=0.9"]), "used_hz")[0]
    assert values["used_hz"][0] == pytest.approx(right["value"], rel=1e-9)
    name = "chain.node.gates.readout"
    assert values[f"d_used_hz_d_{name}"][0] == pytest.approx(right["gradient"][name], rel=1e-8)


@pytest.mark.slow
def test_optimise_reports_it(folder, capsys):
    found = printed(capsys, "optimise", "a.toml", "--json")
    page = (folder / "a-report" / "report.html").read_text()
    assert "purity of the pair [pu]" in page and "rate of good uses [use/s]" in page
    assert found["best"]["value"] > printed(capsys, "evaluate", "a.toml", "--json")["purity_x"]


def test_limits_on_it_are_kept():
    problem = loads(
        FILE + '[optimise]\nmaximise = "rate_hz"\nminimum = { purity_x = 0.72 }\nparameters = ["chain.link.werner"]\n'
    )
    assert optimise(problem).best.merits["purity_x"] >= 0.72 * (1 - 2e-6)


def test_a_search_ranks_its_leaders_by_it_and_says_what_it_did_not_compare():
    line = qtn.chain(qtn.abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9), num_links=2)
    space, objective = SearchSpace(max_rounds=1), Objective("purity_x", minimum={"used_hz": 0.01})
    found, front_ = (
        search(line, space, objective, settings=SearchSettings(method)) for method in ("exhaustive", "pareto")
    )
    weights = np.array([leader.bell_diagonal for leader in found.leaders])
    np.testing.assert_allclose([leader.score for leader in found.leaders], np.sum(weights**2, axis=1), rtol=1e-12)
    assert np.all(np.diff([leader.score for leader in found.leaders]) <= 0)
    assert found.guarantee.startswith("Optimal") and "Purity" not in found.guarantee
    assert "Purity of the pair depends on more of the state than is compared." in front_.guarantee
    assert "compared" in search(line, space, settings=SearchSettings("pareto")).guarantee


def test_a_bound_per_pair_bounds_the_horizon():
    assert Objective("used_hz").longest(0.1) == 10.0
    assert Objective("purity_x").longest(0.1) == np.inf
    assert Objective("purity_x", minimum={"used_hz": 0.25}).longest(0.1) == 4.0


def test_fronts_between_it_and_others():
    names = read_names("purity_x,rate", QUANTITIES)
    assert names == ("purity_x", "rate_hz")
    assert read_names("key_rate,used", QUANTITIES) == ("secret_key_rate_hz", "used_hz")
    better = ["chain.node.memory.time_constant_s=1e5", "chain.node.gates.two_qubit=1.0", "chain.node.gates.readout=1.0"]
    found = front(loads(SEARCHED + "[optimise]\nsearch = { max_rounds = 1 }\n", better), *names, num_points=3)
    assert found.choices[0].merits["purity_x"] > found.choices[-1].merits["purity_x"]
    assert found.choices[0].merits["rate_hz"] < found.choices[-1].merits["rate_hz"]


def test_files_that_name_quantities_wrongly_are_told_every_mistake():
    text = (
        FILE
        + """
[optimise]
maximise = "qber_x"
minimum = { purity_x = 1.5, fidelty = 0.9, chsh = "high", used_hz = 0.0 }
parameters = ["chain.link.werner"]
[sweep]
outputs = ["purity_x", "luck", ["chsh"]]
[sweep.axes]
"chain.link.werner" = [0.9]
"""
    )
    with pytest.raises(ProblemError) as error:
        loads(text)
    for words in (
        "optimise.maximise: must be 'rate_hz', 'fidelity', 'log_negativity', 'coherent_information', 'hashing_yield', 'chsh', "
        "'secret_fraction', 'secret_key_rate_hz', 'purity_x' or 'used_hz', but is 'qber_x'",
        "optimise.minimum.purity_x: must lie in (0, 1), but is 1.5",
        "optimise.minimum.fidelty: is an unknown key; did you mean `fidelity`?",
        "optimise.minimum.chsh: must be a number, but is 'high'",
        "optimise.minimum.used_hz: must be positive and finite, but is 0.0",
        "'purity_x' or 'used_hz', but is 'luck'",
        "sweep.outputs.2: must be 'mean_time_s', ",
    ):
        assert words in str(error.value)
    assert len(error.value.errors) == 7


def test_the_text_of_an_evaluation_is_that_of_before_with_the_rows_at_its_end(folder, capsys):
    lines = printed(capsys, "evaluate", "a.toml").splitlines()
    assert [line[:32].rstrip() for line in lines[:15]] == [
        "mean waiting time", "pair rate", "fidelity", "Bell weights (I, X, Y, Z)", "QBER in X", "QBER in Y", "QBER in Z",
        "log-negativity", "coherent information", "hashing yield", "largest CHSH value", "secret fraction",
        "secret-key rate", "purity of the pair", "rate of good uses",
    ]  # fmt: skip
    assert [line.split(" ")[-1] for line in lines[7:15] if line.split(" ")[-1][0].isalpha()] == [
        "ebit", "ebit", "ebit", "bit", "bit/s", "pu", "use/s",
    ]  # fmt: skip


def test_the_json_schema_lists_it(capsys):
    tables = json.loads(printed(capsys, "schema"))["$defs"]
    assert "purity_x" in tables["Optimise"]["properties"]["maximise"]["enum"]
    limits = tables["Optimise"]["properties"]["minimum"]["anyOf"][0]["properties"]
    assert {"type": "number", "exclusiveMinimum": 0.0, "exclusiveMaximum": 1.0}.items() <= limits["purity_x"].items()
    assert "qber_x" not in limits
    assert "qber_x" in tables["Sweep"]["properties"]["outputs"]["anyOf"][0]["items"]["enum"]
