"""At the ends of ranges slopes that mean nothing are not printed as derivatives."""

import numpy as np
import pytest

from qtn.cli.app import run
from qtn.problem.load import loads
from qtn.problem.run import differentiate

CLICKS = """
schema = 1
[chain]
num_links = 1
link = { model = "double_click", length_km = 20.0, attenuation_db_per_km = 0.2, %s }
[schedule]
tree = "0"
"""
PAIR = """
schema = 1
[chain]
num_links = 2
link = { model = "abstract", p_success = 0.5, attempt_time_s = 1.0, %s }
node = { gates = { two_qubit = %s, readout = 0.99 }, memory = { model = "dephasing", t2_s = 50.0 } }
[schedule]
tree = "swap(0, 1)"
"""


def entropy(x):
    return -x * np.log2(x) - (1 - x) * np.log2(1 - x)


def test_infinite_slopes_are_told_as_such():
    """With visibility V and no dark counts the error rate in X is (1 - V)/2, and the fraction 1 - h of it."""
    found = differentiate(loads(CLICKS % "visibility = 1.0"), "secret_fraction")[0]
    assert set(found["edges"]) == {"chain.link.visibility", "chain.link.dark_count_probability"}
    assert all(edge["diverges"] for edge in found["edges"].values())
    edge = found["edges"]["chain.link.visibility"]
    assert edge["step"] == pytest.approx(-1e-3) and edge["slope"] == pytest.approx(entropy(0.0005) / 1e-3, rel=1e-9)
    assert found["gradient"]["chain.link.visibility"] == edge["slope"] == found["elasticity"]["chain.link.visibility"]


def test_one_infinite_slope_does_not_spoil_the_others():
    found = differentiate(loads(CLICKS % "visibility = 0.9"), "secret_fraction")[0]
    assert set(found["edges"]) == {"chain.link.dark_count_probability"}  # the error rate in Z is 0
    slope = np.log2((1 - 0.05) / 0.05) / 2  # of 1 - h[(1 - V)/2]
    assert found["gradient"]["chain.link.visibility"] == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("of", ["secret_key_rate_hz", "fidelity", "log_negativity"])
def test_ends_of_ranges_with_a_slope_are_differentiated(of):
    """Gates that are perfect, of pairs that are not: fidelities and entropies are smooth there."""
    found = differentiate(loads(PAIR % ("werner = 0.95", "1.0")), of)[0]
    assert found["edges"] == {}
    below = differentiate(loads(PAIR % ("werner = 0.95", str(1 - 1e-6))), of)[0]
    slope = (found["value"] - below["value"]) / 1e-6
    assert found["gradient"]["chain.node.gates.two_qubit"] == pytest.approx(slope, rel=1e-3)


def test_steep_is_not_infinite():
    found = differentiate(loads(CLICKS % "visibility = 1.0, dark_count_probability = 1e-7"), "secret_fraction")[0]
    assert found["edges"] == {}


def test_bell_weights_keep_their_sum():
    """1 - H of the weights, by the first that is 0: over a step of 0.001 taken from the largest."""
    link = "bell_diagonal = [0.9, 0.1, 0.0, 0.0], p_success = 1.0, attempt_time_s = 1.0"
    text = f'schema = 1\n[chain]\nnum_links = 1\nlink = {{ model = "abstract", {link} }}\n[schedule]\ntree = "0"\n'
    found = differentiate(loads(text), "hashing_yield")[0]
    edge = found["edges"]["chain.link.bell_diagonal.2"]
    before, after = (-np.sum(np.array(w) * np.log2(w)) for w in ([0.9, 0.1], [0.899, 0.1, 0.001]))
    assert edge["diverges"] and edge["slope"] == pytest.approx((before - after) / 1e-3, rel=1e-9)


def test_the_text_says_what_is_shown(tmp_path, capsys):
    path = tmp_path / "clicks.toml"
    path.write_text(CLICKS % "visibility = 1.0")
    assert run(["gradient", str(path), "--of", "secret_fraction"]) == 0
    said = capsys.readouterr().out
    assert "6.20406  (over a step of -0.001: the derivative diverges)" in said
