"""Files with users who share a network: `model = "shares"`."""

import json
from pathlib import Path

import numpy as np
import pytest

from qtn.problem.evaluation import evaluated, merits
from qtn.problem.load import load, loads
from qtn.problem.messages import ProblemError
from qtn.problem.names import setting_with
from qtn.problem.run import report_numbers

STAR = """
schema = 1
[network]
users = ["ann", "bob", "eve"]
[network.link]
model = "abstract"
attempt_time_s = 1e-3
fidelity = 0.97
[network.links]
a = { between = ["ann", "hub"], p_success = 0.1 }
b = { between = ["bob", "hub"], p_success = 0.2 }
e = { between = ["eve", "hub"], p_success = 0.15 }
[application]
model = "shares"
[[application.demands]]
users = ["ann", "bob"]
[[application.demands]]
users = ["ann", "eve"]
weight = 2.0
"""
METRO = Path(__file__).parents[2] / "experiments" / "metro_network"


def numbers(text, overrides=()):
    problem = loads(text, overrides)
    return {name: float(x) for name, x in merits(problem, evaluated(problem).result, clip=True).items()}


def test_demands_have_rates():
    found = numbers(STAR)
    assert found["demand_1_hz"] == pytest.approx(2 * found["demand_0_hz"], rel=1e-9)
    assert found["share_welfare"] == pytest.approx(found["demand_0_hz"], rel=1e-12)
    assert found["share_total_hz"] == pytest.approx(3 * found["share_least_hz"], rel=1e-9)


def test_better_links_and_trusted_hubs_give_more():
    base, better = numbers(STAR), numbers(STAR, ["network.links.a.p_success=0.12"])
    trusted = numbers(STAR, ['application.trusted=["hub"]'])
    assert base["share_welfare"] < better["share_welfare"] < trusted["share_welfare"]


def test_keys_have_the_protocol_of_the_file():
    six = numbers(STAR + '[merit]\nprotocol = "six_state"\n')
    assert six["share_welfare"] > numbers(STAR)["share_welfare"]


def test_json_has_rates_ways_and_prices():
    told = json.loads(json.dumps(report_numbers(evaluated(loads(STAR)))["application"]))
    assert [row["users"] for row in told["demands"]] == [["ann", "bob"], ["ann", "eve"]]
    assert told["demands"][0]["ways"][0]["path"] == ["ann", "hub", "bob"]
    assert told["links"][0]["price"] > 0 == told["links"][1]["price"]
    assert any("Improve ann - hub first" in sentence for sentence in told["sentences"])


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('["ann", "eve"]', '["ann", "zoe"]', "application.demands.1.users: there is no node 'zoe'; nodes are ann, hub"),
        ('["ann", "eve"]', '["ann", "ann"]', "application.demands.1.users: must be two different nodes"),
        ("weight = 2.0", "weight = 0.0", "application.demands.1.weight: must"),
        ("weight = 2.0", "rounds = 9", "application.demands.1.rounds: must"),
        ('model = "shares"', 'model = "shares"\nfairness = "equal"', "application.fairness: must be 'max_min'"),
        ('model = "shares"', 'model = "shares"\ntrusted = ["zoe"]', "application.trusted: there is no node 'zoe'"),
    ],
)
def test_wrong_demands_name_their_key(old, new, said):
    with pytest.raises(ProblemError, match=said.replace("(", r"\(")):
        loads(STAR.replace(old, new))


def test_too_good_demands_say_what_is_possible():
    text = STAR.replace("weight = 2.0", "least_fidelity = 0.99")
    with pytest.raises(ValueError, match=r"the best that any of their paths allows is 0\.9412"):
        numbers(text)


def test_derivatives_from_files_are_refused():
    import jax

    problem = loads(STAR)
    with pytest.raises(ValueError, match="evaluated, but not differentiated"):
        jax.grad(lambda p: setting_with(problem, {"network.links.a.p_success": p}).chain.links[0].p_success)(0.1)


def test_numbers_of_the_metro_network():
    """Those that its README names."""
    kept = json.loads((METRO / "results.json").read_text())
    problem = load(METRO / "metro.toml")
    setting = setting_with(problem, {})
    found = setting.application.run(None, setting.chain)
    rows = kept["shares"]["proportional"]["demands"]
    assert np.allclose(found.rates, [row["rate_hz"] for row in rows], rtol=1e-7)
    for table in kept["shares"].values():
        assert table["duality_gap"] <= 1e-9 * max(1.0, abs(table["welfare"]))
    assert max(row["seconds"] for row in kept["cost"] if row["demands"] == 200) < 30
