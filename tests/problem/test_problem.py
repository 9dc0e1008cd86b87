"""What a good file means: numbers, names, derivatives, defaults."""

import math
from typing import Any

import jax
import numpy as np
import pytest

from qtn.problem.cost import gains, improved
from qtn.problem.evaluation import evaluated
from qtn.problem.load import loads
from qtn.problem.names import bounds, expand, numeric_leaves, with_values
from qtn.problem.run import gradient, report_numbers
from tests.problem.files import CLICKS, FOUR_LINKS


def numbers(text, *overrides):
    problem = loads(text, overrides)
    return report_numbers(evaluated(problem))


def test_published_key_rate_and_keys_of_the_contract():
    found = numbers(FOUR_LINKS)
    np.testing.assert_allclose(found["secret_key_rate_hz"], 6.90238181e-5, rtol=2e-9)
    assert set(found) == {
        "mean_time_s", "rate_hz", "fidelity", "bell_diagonal", "qber_x", "qber_y", "qber_z", "secret_fraction",
        "secret_key_rate_hz", "log_negativity", "coherent_information", "hashing_yield", "chsh",
        "waiting_time_quantiles_s", "plob_rate_hz", "repeater_rate_hz", "plob_bits_per_use", "repeater_bits_per_use",
        "links", "joins", "info",
    }  # fmt: skip
    assert found["plob_rate_hz"] is None
    assert set(found["waiting_time_quantiles_s"]) == {"0.05", "0.5", "0.95"}
    assert set(found["info"]) == {"tail_mass", "grid_error", "step_s", "num_steps"}


def test_plob_of_the_whole_fibre():
    loss = 6.0 + 2.5 + 40 * 0.2
    expected = -1e6 * np.log2(1 - 10 ** (-loss / 10))
    np.testing.assert_allclose(numbers(CLICKS)["plob_rate_hz"], expected, rtol=1e-12)


def test_units_arrive_in_si():
    chain: Any = loads(CLICKS).chain  # links and memories of known models
    np.testing.assert_allclose([chain.links[0].length_left, chain.links[1].length_left], [30e3, 20e3])
    np.testing.assert_allclose(chain.links[1].loss_right, 4.0)
    np.testing.assert_allclose(chain.nodes[1].memory.t2, 0.8)
    assert float(chain.nodes[2].gates.readout) == 1.0


def test_overrides_change_the_result_like_the_file():
    edited = numbers(FOUR_LINKS.replace("9.2e-4", "0.01"))
    assert numbers(FOUR_LINKS, "chain.link.p_success=0.01") == edited
    assert numbers(FOUR_LINKS, "chain.num_links=4", "time.step_s=16.0")["info"]["step_s"] == 16.0


def test_cutoff_override_is_written_into_the_tree():
    problem = loads(CLICKS, ["schedule.cutoff_times.0=0.07", "schedule.wait_times.0=2e-4"])
    assert problem.config.schedule.tree == "swap(0, wait(1, 0.0002), cutoff_time=0.07)"
    assert float(problem.schedule.cutoff_times[0]) == 0.07


SMOOTH_CLICKS = (
    CLICKS.replace(", cutoff_time=0.05", "") + "[time]\nnum_steps = 16384\n"
)  # a cut-off between staggered attempts is a fine staircase


@pytest.mark.parametrize(
    "text",
    [pytest.param(FOUR_LINKS, id="abstract"), pytest.param(SMOOTH_CLICKS, id="clicks", marks=pytest.mark.slow)],
)
def test_every_name_is_accepted_by_set_and_has_the_right_derivative(text):
    problem = loads(text)
    leaves = numeric_leaves(problem)
    for name, slope in gradient(problem, "fidelity")["gradient"].items():
        if name.endswith("num_modes") or not np.isfinite(leaves[name]):
            continue
        h = 1e-4 * (leaves[name] or 1e-3)
        (low, f_low), (high, f_high) = [(v, fidelity_at(text, name, v)) for v in allowed(text, name, leaves[name], h)]
        # 1e-2: attempts that end between grid points have slopes of their own
        np.testing.assert_allclose((f_high - f_low) / (high - low), slope, rtol=1e-2, atol=1e-5, err_msg=name)


def allowed(text, name, value, h):
    """Two values round a number, or beside it where it stands on an end of its range."""
    sides = [side for side in (value - h, value, value + h) if accepted(text, name, side)]
    return sides[0], sides[-1]


def accepted(text, name, value):
    try:
        loads(text, [f"{name}={value!r}"])
    except ValueError:
        return False
    return True


def fidelity_at(text, name, value):
    problem = loads(text, [f"{name}={value!r}"])
    return float(problem.evaluator.summarise(problem.chain, problem.schedule).bell_diagonal[0])


def test_elasticities_are_sorted_and_skip_zero_and_infinity():
    found = gradient(loads(SMOOTH_CLICKS), "secret_key_rate_hz")
    sizes = [abs(value) for value in found["elasticity"].values()]
    assert sizes == sorted(sizes, reverse=True)
    assert "chain.nodes.1.memory.t1_s" not in found["elasticity"]
    assert found["gradient"].keys() == numeric_leaves(loads(SMOOTH_CLICKS)).keys()


def test_gains_are_those_of_numbers_that_are_better_by_a_hundredth():
    problem = loads(SMOOTH_CLICKS)
    of, leaves = "fidelity", numeric_leaves(problem)
    found = gradient(problem, of)
    sizes = [abs(value) for value in found["gain"].values()]
    assert sizes == sorted(sizes, reverse=True) and len(sizes) > 5
    assert not any("bright_state" in name or "cutoff" in name for name in found["gain"]), "settings cost nothing"
    smooth = {name: gain for name, gain in found["gain"].items() if "num_modes" not in name}
    for name, gain in list(smooth.items())[:3]:
        values = [
            gradient(problem, of, {name: float(improved(name, leaves[name], 1 + step))})["value"]
            for step in (1e-4, -1e-4)
        ]
        assert gain == pytest.approx(0.01 * (values[0] - values[1]) / 2e-4, rel=1e-4), name


def test_what_is_perfect_gains_nothing():
    numbers = {"chain.node.gates.readout": 1.0, "chain.node.memory.t2_s": math.inf, "chain.link.p_click": 0.0}
    assert gains(numbers, dict.fromkeys(numbers, 1.0)) == {}


def test_a_chain_without_nodes_names_the_numbers_of_its_perfect_node():
    text = FOUR_LINKS[: FOUR_LINKS.index("[chain.node]")] + FOUR_LINKS[FOUR_LINKS.index("[schedule]") :]
    problem = loads(text)
    assert {"chain.node.gates.readout", "chain.node.swap.p_success"} <= numeric_leaves(problem).keys()
    assert bounds(problem, "chain.node.gates.readout").upper == 1.0
    assert numeric_leaves(loads(text, ["chain.node.gates.readout=0.9"]))["chain.node.gates.readout"] == 0.9


def test_patterns():
    problem = loads(CLICKS)
    assert expand(problem, ["chain.links.*.bright_state"]) == [
        "chain.links.0.bright_state.0",
        "chain.links.0.bright_state.1",
    ]
    assert expand(problem, ["schedule.cutoff_times"]) == ["schedule.cutoff_times.0"]
    assert expand(problem, ["chain.links.*.visibility"]) == ["chain.links.0.visibility", "chain.links.1.visibility"]
    assert expand(loads(FOUR_LINKS), ["chain.links.*.werner"]) == ["chain.link.werner"]


def test_bounds_come_from_the_schema():
    problem = loads(CLICKS)
    ends = {
        "chain.links.0.bright_state.1": (0.0, 1.0),
        "chain.links.0.length_left_km": (0.0, np.inf),
        "chain.links.0.refractive_index": (1.0, np.inf),
        "schedule.cutoff_times.0": (0.0, np.inf),
    }
    assert {name: (bounds(problem, name).lower, bounds(problem, name).upper) for name in ends} == ends


def test_time_table_is_used():
    found = numbers(FOUR_LINKS + "[time]\nnum_steps = 8192\n")
    assert found["info"]["num_steps"] == 8192


def test_gradient_through_the_document_equals_that_of_the_chain():
    problem = loads(FOUR_LINKS)
    slope = jax.grad(
        lambda w: problem.evaluator.summarise(*with_values(problem, {"chain.link.werner": w})).bell_diagonal[0]
    )(0.952)
    np.testing.assert_allclose(slope, gradient(problem, "fidelity")["gradient"]["chain.link.werner"], rtol=1e-12)
