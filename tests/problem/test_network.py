"""Network files: pairs of users along their paths, every number by its name, and what is wrong with a file."""

import json

import numpy as np
import pytest

from qtn.cli.app import run
from qtn.problem.evaluation import evaluated, merits
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.problem.names import bounds, expand, numeric_leaves
from qtn.problem.planner import optimise
from qtn.problem.run import differentiate, report_numbers
from qtn.problem.sweep import SweepTask
from qtn.problem.validity import Validity

LINK = 'model = "double_click", attenuation_db_per_km = 0.2, efficiency = 0.8'
NODE = '[network.node]\nmemory = { model = "dephasing", t2_s = 0.5 }\n'
RING = f"""
schema = 1
[network]
users = ["bank", "lab", "clinic"]
{NODE}
[network.link]
model = "double_click"
attenuation_db_per_km = 0.2
efficiency = 0.8
[network.links]
bank_hub = {{ between = ["bank", "hub"], length_km = 10.0 }}
hub_lab = {{ between = ["hub", "lab"], length_km = 12.0, efficiency = 0.7 }}
lab_clinic = {{ between = ["lab", "clinic"], length_km = 30.0 }}
clinic_bank = {{ between = ["clinic", "bank"], length_km = 25.0 }}
"""
CHAIN = f"""
schema = 1
[chain]
links = [{{ {LINK}, length_km = 10.0 }}, {{ {LINK.replace("0.8", "0.7")}, length_km = 12.0 }}]
{NODE.replace("network", "chain")}
[schedule]
tree = "swap(0, 1)"
"""


def values(text, overrides=()):
    problem = loads(text, overrides)
    return {name: float(x) for name, x in merits(problem, evaluated(problem).result, clip=True).items()}


@pytest.mark.parametrize("pair", ['["bank", "lab"]', '["lab", "bank"]'], ids=["there", "back"])
def test_a_pair_gets_what_the_chain_along_its_path_gives(pair):
    """To 1e-12."""
    found, chain = values(RING, [f"network.pair={pair}"]), values(CHAIN)
    assert found == pytest.approx(chain, rel=1e-12, abs=1e-13)


def test_every_pair_has_a_row():
    problem = loads(RING)
    found = report_numbers(evaluated(problem))
    rows = {tuple(row["pair"]): row for row in found["pairs"]}
    assert {pair: row["path"] for pair, row in rows.items()} == {
        ("bank", "lab"): ["bank", "hub", "lab"],
        ("bank", "clinic"): ["bank", "clinic"],
        ("lab", "clinic"): ["lab", "clinic"],
    }
    assert rows["bank", "lab"]["rate_hz"] == found["rate_hz"] and rows["bank", "lab"]["length_km"] == 22.0
    for pair in (("bank", "clinic"), ("lab", "clinic")):
        alone = values(RING, [f"network.pair={json.dumps(pair)}"])
        assert rows[pair]["secret_key_rate_hz"] == pytest.approx(alone["secret_key_rate_hz"], rel=1e-12)
    used = {link["name"]: link["num_pairs"] for link in found["network"]["links"]}
    assert used == {"bank_hub": 1, "hub_lab": 1, "lab_clinic": 1, "clinic_bank": 1}


def test_numbers_have_names_and_slopes():
    problem = loads(RING, ["network.links.hub_lab.length_km=14.123"])
    leaves = numeric_leaves(problem)
    assert leaves["network.links.hub_lab.length_km"] == 14.123 and leaves["network.nodes.hub.memory.t2_s"] == 0.5
    assert len(expand(problem, ["network.links.*.efficiency"])) == 4
    assert bounds(problem, "network.links.bank_hub.efficiency").upper == 1.0
    slopes = differentiate(problem, "rate_hz")[0]["gradient"]
    chain = differentiate(loads(CHAIN, ["chain.links.1.length_km=14.123"]), "rate_hz")[0]["gradient"]
    assert slopes["network.links.hub_lab.length_km"] == pytest.approx(chain["chain.links.1.length_km"], rel=1e-9)
    ends = [values(RING, [f"network.links.hub_lab.length_km={length}"])["rate_hz"] for length in (14.133, 14.113)]
    slope = (ends[0] - ends[1]) / 0.02
    assert slopes["network.links.hub_lab.length_km"] == pytest.approx(slope, rel=1e-3)  # each end has its own grid
    assert slopes["network.links.lab_clinic.length_km"] == 0.0


@pytest.mark.parametrize("swaps", ["nested", "sequential", "best"])
def test_swaps_choose_the_tree_of_every_path(swaps):
    longer = RING.replace('"bank", "hub"', '"bank", "mid"').replace(
        "hub_lab =", 'mid_hub = { between = ["mid", "hub"], length_km = 1.0 }\nhub_lab ='
    )
    problem = loads(longer, [f'network.swaps="{swaps}"'])
    assert problem.schedule.tree.last == 2
    assert len(report_numbers(evaluated(problem))["pairs"]) == 3


def test_a_declared_path_and_a_given_tree_are_kept():
    found = loads(
        RING + '[schedule]\ntree = "swap(0, 1, cutoff_time=0.1)"\n', ['network.paths=[["lab","clinic","bank"]]']
    )
    assert found.root.route(found.document["network"]) == ("bank", "clinic", "lab")
    assert float(found.schedule.cutoff_times[0]) == 0.1
    policy = loads(RING + '[schedule]\npolicy = "swap_asap"\n')
    assert len(report_numbers(evaluated(policy))["pairs"]) == 3


def test_points_of_a_sweep_say_where_another_path_is_shorter():
    possible = Validity(loads(RING))
    assert possible({"network.links.hub_lab.length_km": 20.0}) == ""
    said = possible({"network.links.hub_lab.length_km": 50.0})
    assert said.startswith(
        "the shortest path is bank - clinic - lab here, but bank - hub - lab in the file: declare one"
    )


@pytest.mark.slow
def test_it_is_swept():
    axes = '[sweep]\noutputs = ["rate_hz"]\naxes = { "network.links.hub_lab.length_km" = [12.0, 20.0, 50.0] }\n'
    found, reasons = SweepTask(loads(RING + axes))(np.arange(3))
    assert reasons[:2] == ["", ""]
    assert reasons[2].startswith("the shortest path is bank - clinic - lab here, but bank - hub - lab in the file")
    alone = values(RING, ["network.links.hub_lab.length_km=20.0"])["rate_hz"]
    np.testing.assert_allclose(found["rate_hz"][:2], [values(RING)["rate_hz"], alone], rtol=1e-6)


def test_it_is_optimised_for_a_pair():
    text = RING.replace("double_click", "single_click").replace(
        "efficiency = 0.8", "efficiency = 0.8\nbright_state = 0.1"
    )
    problem = loads(
        text + '[optimise]\nparameters = ["network.links.bank_hub.bright_state"]\nsearch = { max_rounds = 0 }\n'
    )
    found = optimise(problem)
    assert found.value > values(text)["secret_key_rate_hz"]


def test_commands_know_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.toml").write_text(RING)
    assert run(["check", "net.toml"]) == 0
    said = capsys.readouterr().out
    assert (
        said.startswith("net.toml: good: 4 nodes, 4 links, 3 users, path bank - hub - lab,")
        and "tree swap(0, 1)" in said
    )
    assert run(["evaluate", "net.toml"]) == 0
    said = capsys.readouterr().out
    assert "Numbers above are those of bank and lab, along bank - hub - lab." in said and "clinic_bank" not in said
    assert run(["gradient", "net.toml", "--of", "fidelity"]) == 0
    said = capsys.readouterr().out
    assert " along bank - hub - lab\n" in said and "network.nodes.hub.memory.t2_s" in said


def test_applications_use_the_pair():
    found = values(RING + '[application]\nmodel = "teleportation"\n')
    assert found["teleportation_fidelity"] == pytest.approx((2 * found["fidelity"] + 1) / 3, rel=1e-12)


OPEN = "schema = 1\n[network]\n[network.links]\n"
TWO = f'{OPEN}ab = {{ between = ["a", "b"], length_km = 1.0, {LINK} }}\n'
LONE = "[network.nodes]\na = {}\nb = {}\nc = {}\n"
SECOND = f'cd = {{ between = ["c", "d"], length_km = 1.0, {LINK} }}\n'
WRONG = {
    "an unknown node": (
        TWO + "[network.nodes]\na = {}\nbb = {}\n",
        "network.links.ab.between: there is no node 'b'; did you mean 'bb'?",
    ),
    "an isolated node": (TWO + LONE, "network.nodes.c: is joined by no link; add one, or remove the node"),
    "a link to itself": (TWO.replace('"b"', '"a"'), "network.links.ab.between: joins 'a' with itself"),
    "doubled links": (
        TWO + SECOND.replace('"c"', '"b"').replace('"d"', '"a"'),
        "network.links.cd.between: joins 'b' and 'a', as links.ab does; keep one of them, with `num_memories = ...`",
    ),
    "no ends": (TWO.replace('between = ["a", "b"], ', ""), "network.links.ab.between: is missing; add the names"),
    "three ends": (TWO.replace('"b"]', '"b", "c"]'), "network.links.ab.between: must hold 2 values, but holds 3"),
    "users not connected": (TWO + SECOND, "network.users: no path joins 'a' and 'c'; add a link"),
    "a user that is no node": (
        TWO.replace("[network.links]", 'users = ["a", "x"]\n[network.links]'),
        "network.users.1: there is no node 'x'; nodes are 'a', 'b'",
    ),
    "a user twice": (
        TWO.replace("[network.links]", 'users = ["a", "b", "a"]\n[network.links]'),
        "network.users.2: names 'a' twice; name it once",
    ),
    "a pair that is no user": (
        TWO.replace("[network.links]", 'users = ["a", "b"]\npair = ["a", "x"]\n[network.links]'),
        "network.pair.1: there is no node 'x'",
    ),
    "one user": (
        TWO.replace("[network.links]", 'users = ["a"]\n[network.links]'),
        "network.users: must hold 2 values, but holds 1",
    ),
    "a chain beside it": (TWO + "[chain]\nnum_links = 1\n", "[chain] and [network] are given, but a file is about one"),
    "a path by no link": (
        TWO.replace("[network.links]", 'paths = [["a", "b", "c"]]\n[network.links]'),
        "network.paths.0: there is no node 'c'",
    ),
    "a name with a space": (TWO.replace("ab =", '"a b" ='), "network.links: names 'a b', which no dotted key holds"),
    "a link without a click": (
        TWO.replace("1.0", "1e5"),
        "network.links.ab: The success probability must be positive",
    ),
    "nodes as a number": (
        f"{OPEN}ab = 1\n[network.node]\n".replace("[network]", "[network]\nnodes = 3"),
        "network.nodes: must be",
    ),
    "a number of a link": (
        TWO.replace("1.0", "-1.0"),
        "network.links.ab.length_km: must be at least 0 and finite, but is -1.0",
    ),
    "a key of no link": (TWO.replace("length_km", "lenght_km"), "network.links.ab.lenght_km: is an unknown key"),
    "what no link takes": (
        TWO.replace("[network.links]", "[network.link]\nefficiency = 0.5\n[network.links]"),
        "network.link.efficiency: is not used, as each of [network.links] has its own",
    ),
    "a tree of another path": (
        TWO + '[schedule]\ntree = "swap(0, 1)"\n',
        "schedule.tree: joins links 0 to 1, but the path a - b has link 0; correct it, or leave it out",
    ),
    "no links": ("schema = 1\n[network]\n", "network.links: is missing; add the table [network.links]"),
    "links as an array": ("schema = 1\n[network]\nlinks = [1]\n", "network.links: must be a table, but is an array"),
    "a code that measures": (
        'schema = 1\n[network.links]\nab = { between = ["a", "b"], model = "one_way", length_km = 5.0, num_stations = 2, '
        'attenuation_length_km = 20.0, code = { model = "plain" } }\n',
        'network.links.ab.ends: must be "stored"',
    ),
    "another application": (
        TWO + '[application]\nmodel = "conference"\nusers = 3\n',
        "application.model: uses pairs of [chain], but this file is about [network]",
    ),
    "names in a chain": (
        CHAIN.replace("length_km = 10.0", 'length_km = 10.0, between = ["a", "b"]'),
        "chain.links.0.between: names nodes of a [network]",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_a_cure(text, message):
    with pytest.raises(ProblemError) as caught:
        loads(text)
    assert any(message in error for error in caught.value.errors), caught.value.errors
