"""Planning a problem file: search, limits, requirements, placement and fronts, with their errors."""

import itertools
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import qtn
from qtn.merit.quantities import QUANTITIES
from qtn.problem.cost import Factors, hardware_cost, improved, improvement
from qtn.problem.evaluation import merits, outcome
from qtn.problem.front import front, read_names
from qtn.problem.load import load, loads
from qtn.problem.messages import ProblemError
from qtn.problem.names import with_values
from qtn.problem.planner import optimise
from qtn.problem.schema import Config
from qtn.schedules.text import parse, to_text
from tests.problem.declared import declared_numbers

DELFT = Path(__file__).parents[2] / "experiments" / "delft_eindhoven" / "problem.toml"
LINK = '{ model = "single_click", length_km = %s, attenuation_db_per_km = 0.2, efficiency = 0.3, visibility = 0.9, bright_state = 0.05, emission_time_s = 1e-6 }'
NODE = 'node = { memory = { model = "dephasing", t2_s = 0.1 }, gates = { two_qubit = 0.99, readout = 0.995 } }'
CLICKS = f"schema = 1\n[chain]\nnum_links = 2\nlink = {LINK % 25.0}\n{NODE}\n"
ABSTRACT = """
schema = 1
[chain]
num_links = %d
link = { model = "abstract", p_success = 0.1, attempt_time_s = 1.0, werner = 0.96 }
node = { memory = { model = "depolarising", time_constant_s = 2e3 }, swap = { p_success = 0.8 } }
"""


def test_the_tree_may_be_left_to_the_search():
    problem = loads(ABSTRACT % 3 + "[optimise]\nsearch = { max_rounds = 1 }\n")
    assert problem.config.optimise.parameters == []
    found = optimise(problem)
    assert found.found.method == "exhaustive" and len(found.choices) == 10
    best = problem.with_schedule(found.best.schedule)
    value = float(merits(best, outcome(best), clip=False)["secret_key_rate_hz"])
    assert value == pytest.approx(found.best.score, rel=1e-6)
    assert value > max(choice.score for choice in found.choices[1:])
    with pytest.raises(ValueError, match=r"schedule\.tree: is missing"):
        outcome(problem)


def test_a_fixed_order_keeps_the_swaps_of_the_file():
    text = (
        ABSTRACT % 4
        + '[schedule]\ntree = "swap(0, swap(1, swap(2, 3)))"\n[optimise]\nsearch = { max_rounds = 1, order = "fixed" }\n'
    )
    best = to_text(optimise(loads(text)).best.schedule)
    assert best.replace("distill(", "").count("swap(") == 3
    bare = best.replace("distill", "").replace("(0)", "0").replace("(1)", "1").replace("(2)", "2").replace("(3)", "3")
    assert bare.index("0") < bare.index("1") < bare.index("2") < bare.index("3")


def test_bright_states_are_tuned_with_the_tree():
    clear = CLICKS.replace("visibility = 0.9", "visibility = 0.98")
    problem = loads(clear + '[optimise]\nparameters = ["chain.link.bright_state"]\nsearch = { max_rounds = 1 }\n')
    found = optimise(problem)
    alone = optimise(loads(clear + "[optimise]\nsearch = { max_rounds = 1 }\n"))
    assert found.best.score > alone.best.score
    bright = found.best.values["chain.link.bright_state"]
    best = problem.with_schedule(found.best.schedule)
    around = [
        float(
            merits(best, outcome(best, {"chain.link.bright_state": bright * factor}), clip=False)["secret_key_rate_hz"]
        )
        for factor in (0.99, 1.0, 1.01)
    ]
    assert max(around) == around[1]


@pytest.mark.slow
def test_without_key_the_state_gets_better_instead_of_the_waiting_longer():
    problem = loads(
        CLICKS
        + '[schedule]\ntree = "swap(0, 1)"\n[optimise]\nminimum = { rate_hz = 1.0 }\nparameters = ["chain.link.bright_state"]\n'
    )
    before = float(merits(problem, outcome(problem), clip=False)["secret_fraction"])
    assert before < 0
    assert optimise(problem).best.merits["secret_fraction"] > before


@pytest.mark.slow
def test_cutoffs_are_searched_and_end_on_whole_attempts():
    text = ABSTRACT.replace("2e3", "60.0").replace("0.96", "0.98") % 2
    found = optimise(loads(text + "[optimise]\nsearch = { max_rounds = 0, cutoffs = true }\n"))
    cutoff = float(found.best.schedule.cutoff_times[0])
    assert cutoff == round(cutoff)
    problem = loads(text + f'[schedule]\ntree = "swap(0, 1, cutoff_time={cutoff})"\n')
    rates = {
        shift: float(
            merits(problem, outcome(problem, {"schedule.cutoff_times.0": cutoff + shift}), clip=False)[
                "secret_key_rate_hz"
            ]
        )
        for shift in (-1.0, 0.0, 1.0)
    }
    assert max(rates, key=rates.get) == 0.0


def test_requirements_are_met_at_least_cost():
    names = '["chain.link.efficiency", "chain.link.visibility", "chain.node.memory.t2_s", "chain.link.bright_state"]'
    limits = "{ rate_hz = 100.0, fidelity = 0.8 }"
    text = (
        CLICKS
        + f'[optimise]\nminimise = "hardware_cost"\nminimum = {limits}\nparameters = {names}\nsearch = {{ max_rounds = 1 }}\n'
    )
    problem = loads(text)
    found = optimise(problem)
    best, tuned = found.best, found.best.tuned
    assert best.violation == 0 and tuned.kkt_residual < 1e-6
    assert best.merits["rate_hz"] == pytest.approx(100.0, rel=1e-5)
    assert best.merits["fidelity"] == pytest.approx(0.8, rel=1e-5)
    assert all(multiplier > 0 for multiplier in tuned.multipliers.values())
    assert best.values["chain.link.efficiency"] >= 0.3 and best.values["chain.node.memory.t2_s"] >= 0.1
    chain, schedule = with_values(problem.with_schedule(best.schedule), best.values)
    assert chain.num_links == 2 and schedule.tree == best.schedule.tree


@pytest.mark.slow
def test_a_cost_above_ten_beats_a_missed_limit():
    link = '{ model = "abstract", p_success = 0.1, attempt_time_s = 1e-3, werner = 0.98 }'
    node = '{ memory = { model = "dephasing", t2_s = 1.0 }, gates = { two_qubit = 0.99, readout = 0.99 } }'
    text = f"schema = 1\n[chain]\nlinks = [{', '.join([link] * 4)}]\nnodes = [{', '.join([node] * 5)}]\n"
    names = '["chain.nodes.*.gates.two_qubit", "chain.nodes.*.gates.readout", "chain.nodes.*.memory.t2_s"]'
    text += f'[optimise]\nminimise = "hardware_cost"\nminimum = {{ fidelity = 0.9 }}\nparameters = {names}\n'
    found = optimise(loads(text + "search = { max_rounds = 0 }\n"))
    assert len(found.best.values) == 15
    assert found.best.violation == 0, found.status
    assert found.best.merits["fidelity"] == pytest.approx(0.9, rel=1e-5)
    assert -found.best.score > 15


def test_infeasible_targets_are_said_with_the_closest_point():
    text = (
        CLICKS
        + '[optimise]\nmaximise = "rate_hz"\nminimum = { fidelity = 0.999 }\nparameters = ["chain.link.bright_state"]\nsearch = { max_rounds = 0 }\n'
    )
    found = optimise(loads(text))
    assert found.best.violation > 0
    assert "No feasible point found" in found.status and "fidelity" in found.status and "0.999" in found.status


@pytest.mark.slow
def test_repeaters_on_a_symmetric_route_are_placed_symmetrically():
    links = "[" + ", ".join(LINK % length for length in (20.0, 50.0)) + "]"
    text = f'schema = 1\n[chain]\nlinks = {links}\n{NODE}\n[schedule]\ntree = "swap(0, 1)"\n[optimise]\nmaximise = "rate_hz"\nparameters = ["chain.positions_km"]\n'
    found = optimise(loads(text))
    assert found.best.values["chain.positions_km.1"] == pytest.approx(35.0, rel=1e-6)


def test_front_is_sorted_and_nothing_on_it_is_beaten():
    text = CLICKS + '[optimise]\nparameters = ["chain.link.bright_state"]\nsearch = { max_rounds = 1 }\n'
    found = front(loads(text), "rate_hz", "fidelity", num_points=3)
    fidelities = [choice.merits["fidelity"] for choice in found.choices]
    rates = [choice.merits["rate_hz"] for choice in found.choices]
    assert len(found.choices) == 3
    assert fidelities == sorted(fidelities) and rates == sorted(rates, reverse=True)


def test_a_front_goes_no_further_than_is_worth_knowing():
    text = CLICKS + '[optimise]\nparameters = ["chain.link.bright_state"]\nsearch = { max_rounds = 0 }\n'
    found = front(loads(text), "rate_hz", "fidelity", num_points=2)
    assert found.choices[0].merits["fidelity"] == pytest.approx(0.5, abs=1e-4), "the rate alone would go to 0"
    best = found.choices[0].merits["rate_hz"]
    assert found.choices[-1].merits["rate_hz"] > 1e-3 * best, "dark counts spoil slower pairs first"
    assert found.floors == pytest.approx({"fidelity": 0.5, "rate_hz": 1e-3 * best})
    limited = text.replace("[optimise]", "[optimise]\nminimum = { fidelity = 0.7, rate_hz = 200.0 }")
    own = front(loads(limited), "fidelity", "rate_hz", num_points=2)
    assert own.choices[-1].merits["fidelity"] == pytest.approx(0.7, abs=1e-4)
    assert own.choices[0].merits["rate_hz"] == pytest.approx(200.0, rel=1e-3)


def test_a_front_leaves_out_what_cannot_be_computed_and_says_why(monkeypatch):
    module = sys.modules["qtn.problem.front"]
    whole = module.optimise

    def failing(problem, **others):
        table = problem.config.optimise
        if table.maximise == "rate_hz" and table.minimum.get("fidelity", 0.5) != 0.5:
            raise ValueError("No grid.")
        return whole(problem, **others)

    monkeypatch.setattr(module, "optimise", failing)
    text = CLICKS + '[optimise]\nparameters = ["chain.link.bright_state"]\nsearch = { max_rounds = 0 }\n'
    found = front(loads(text), "rate_hz", "fidelity", num_points=3)
    assert len(found.choices) == 2 and list(found.skipped.values()) == ["No grid."]
    level = (found.choices[0].merits["fidelity"] + found.choices[1].merits["fidelity"]) / 2
    assert list(found.skipped) == pytest.approx([level])
    assert found.sentences[-1] == f"No point at fidelity {level:.6g}: No grid."


@pytest.mark.parametrize("method", ["exhaustive", "pareto"])
def test_a_front_without_numbers_is_that_of_every_schedule(method):
    text = ABSTRACT % 2 + f'[optimise]\nsearch = {{ max_rounds = 1, method = "{method}" }}\n'
    problem, asked = loads(text), []
    found = front(problem, "rate_hz", "fidelity", num_points=30, report=lambda phase, best, done: asked.append(phase))
    assert asked.count("point 2 of 30: search") == 0
    points = []
    for a, b, c in itertools.product((0, 1), repeat=3):
        tree = f"swap({'distill(0)' if a else 0}, {'distill(1)' if b else 1})"
        each = problem.with_schedule(parse(f"distill({tree})" if c else tree))
        result = outcome(each)
        points.append(list(map(float, merits(each, result, names=("rate_hz", "fidelity"), clip=True).values())))
    kept = [p for p in points if not any(q[0] >= p[0] and q[1] >= p[1] and q != p for q in points)]
    own = [[choice.merits[name] for name in ("rate_hz", "fidelity")] for choice in found.choices]
    np.testing.assert_allclose(own, np.unique(np.round(sorted(kept, key=lambda p: p[1]), 12), axis=0)[::-1], rtol=1e-6)


HARDWARE = sorted({name for name, _, _, number in declared_numbers(Config) if number.better})


@pytest.mark.parametrize("name", HARDWARE)
def test_improvement_and_improved_are_inverse(name):
    base = 0.3
    better = float(improved(name, base, 2.5))
    assert float(improvement(name, base, better)) == pytest.approx(2.5, rel=1e-9)
    factors = Factors({name: base})
    assert factors.of({name: better, "other": 7.0}) == pytest.approx({name: 2.5, "other": 7.0}, rel=1e-9)
    assert factors.numbers(factors.of({name: better})) == pytest.approx({name: better}, rel=1e-9)
    assert factors.improved({name: better, "other": 7.0}) == pytest.approx({name: 2.5}, rel=1e-9)
    assert factors.cost({name: 2.5, "other": 7.0}) == 2.5
    assert float(hardware_cost({name: base}, {name: better})) == pytest.approx(2.5, rel=1e-9)


@pytest.mark.parametrize("name", HARDWARE)
@pytest.mark.parametrize("factor", [1.0, 2.5, 1e4])
def test_numbers_have_derivatives_by_their_factors(name, factor):
    number = lambda k: improved(name, 0.3, k)  # noqa: E731
    step = 1e-6 * factor
    slope = (number(factor + step) - number(factor - step)) / (2 * step)
    assert float(jax.grad(number)(factor)) == pytest.approx(float(slope), rel=1e-4, abs=1e-12)


BAD = {
    "no tree, no search": ("", ["schedule.tree: is missing"]),
    "no parameters, no search": ('[schedule]\ntree = "swap(0, 1)"\n[optimise]\nmaximise = "fidelity"\n', ["optimise.parameters: is missing"]),
    "unknown protocol": ('[optimise]\nsearch = { protocols = ["epll"] }\n', ["optimise.search.protocols.0: must be 'bbpssw'"]),
    "no protocol": ("[optimise]\nsearch = { protocols = [] }\n", ["optimise.search.protocols: must hold 1"]),
    "negative rounds": ("[optimise]\nsearch = { max_rounds = -1 }\n", ["optimise.search.max_rounds: must lie in [0, 20], but is -1"]),
    "misspelt": ("[optimise]\nsearch = { max_round = 1 }\n", ["optimise.search.max_round: is an unknown key; did you mean `max_rounds`?"]),
    "fixed without tree": ('[optimise]\nsearch = { order = "fixed" }\n', ["optimise.search.order"]),
    "fidelity above 1": ('[optimise]\nmaximise = "rate_hz"\nminimum = { fidelity = 1.2 }\nsearch = {}\n', ["optimise.minimum.fidelity: must lie in (0, 1), but is 1.2"]),
    "limit on the maximum": ('[optimise]\nmaximise = "rate_hz"\nminimum = { rate_hz = 2.0 }\nsearch = {}\n', ["optimise.minimum.rate_hz: is what is maximised"]),
    "cost without target": ('[optimise]\nminimise = "hardware_cost"\nsearch = {}\n', ["optimise.minimise: needs a target"]),
    "both directions": ('[optimise]\nmaximise = "rate_hz"\nminimise = "hardware_cost"\nminimum = { fidelity = 0.9 }\nsearch = {}\n', ["optimise.minimise: both maximise and minimise"]),
    "time without tree": ('[optimise]\nparameters = ["schedule.cutoff_times"]\nsearch = {}\n', ["optimise.parameters"]),
    "positions of a shared link": ('[optimise]\nparameters = ["chain.positions_km"]\nsearch = {}\n', ["[[chain.links]]"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_bad_requests_are_refused_by_name(text, words):
    with pytest.raises(ProblemError) as error:
        loads(ABSTRACT % 2 + text)
    for each in words:
        assert each in str(error.value)


def test_perfect_hardware_cannot_be_improved():
    text = (
        ABSTRACT % 2
        + '[optimise]\nminimise = "hardware_cost"\nminimum = { fidelity = 0.9 }\nparameters = ["chain.node.gates"]\nsearch = {}\n'
    )
    with pytest.raises(ValueError, match=r"chain.node.gates.two_qubit: is 1, which no factor improves"):
        optimise(loads(text))


def test_a_limit_of_the_file_holds_in_python_too():
    """Without the limit the fastest has a lower fidelity."""
    text = CLICKS.replace("visibility = 0.9", "visibility = 0.98") + '[schedule]\ntree = "swap(0, 1)"\n[optimise]\n'
    text += 'maximise = "rate_hz"\nparameters = ["chain.link.bright_state"]\n'
    found = qtn.optimise(loads(text + "minimum = { fidelity = 0.8 }\n"))
    free = qtn.optimise(loads(text))
    assert found.best.merits["fidelity"] == pytest.approx(0.8, rel=1e-6) and found.best.violation == 0
    assert free.best.merits["fidelity"] < 0.8 and free.value > found.value == found.best.merits["rate_hz"]


@pytest.mark.parametrize(
    "start", [None, *(pytest.param(bright, marks=pytest.mark.slow) for bright in (0.3, 0.05, 0.01))], ids=str
)
def test_the_main_job_ends_at_the_same_optimum_from_every_start(start):
    """Adam took 1,350 gradients and ended at 0.0417268, the optimum of a shorter time grid."""
    names = [f"chain.links.{i}.bright_state.{j}" for i in (0, 1) for j in (0, 1)]
    told = []
    problem = load(DELFT, [] if start is None else [f"{name}={start}" for name in names])
    found = qtn.optimise(problem, report=lambda phase, best, evaluations: told.append(best))
    assert found.value == pytest.approx(0.0416536, rel=1e-6)
    assert found.num_gradients == len(found.history) <= 450
    assert np.all(np.diff(told) >= 0)
    assert "starts agree" in found.status or "starts differ" in found.status


@pytest.mark.slow
def test_short_grids_of_a_search_are_told_as_such():
    """Their best may be too high by a fifth: it stands in the phase, and what is told as the best holds."""
    told, phases = [], []

    def report(phase, best, evaluations):
        phases.append(phase)
        told.append(best)

    found = qtn.optimise(
        loads(ABSTRACT % 3 + "[optimise]\nsearch = { max_rounds = 1, cutoffs = true }\n"), report=report
    )
    assert any(phase.startswith("search, about ") for phase in phases)
    assert np.isfinite(told[-1]) and np.all(np.diff([each for each in told if np.isfinite(each)]) >= 0)
    assert max(told) <= found.value * (1 + 1e-6)


def test_too_few_slots_are_said():
    with pytest.raises(ValueError, match="slots"):
        optimise(loads(ABSTRACT % 2 + "[optimise]\nsearch = { slots = 1 }\n"))


@pytest.mark.parametrize("text", ["rate", "rate,rate", "rate,speed", "rate,fidelity,rate"])
def test_bad_fronts_are_refused(text):
    with pytest.raises(ValueError, match="--front: must name two of"):
        read_names(text, QUANTITIES)


@pytest.mark.slow
def test_starts_whose_repeaters_would_cross_are_left_out():
    link = LINK.replace("length_km = %s, ", "")
    found = optimise(
        loads(
            f"schema = 1\n[chain]\nlengths_km = [25.0, 25.0, 25.0, 25.0]\nlink = {link}\n{NODE}\n[schedule]\n"
            'tree = "swap(swap(0, 1), swap(2, 3))"\n[optimise]\nmaximise = "rate_hz"\nparameters = ["chain.positions_km"]\n'
        )
    )
    places = [found.parameters[f"chain.positions_km.{i}"] for i in (1, 2, 3)]
    assert places == pytest.approx([25.0, 50.0, 75.0], abs=0.5)
    assert len(found.best.tuned.start_scores) == 3


@pytest.mark.slow
def test_whole_numbers_stay_whole_and_no_worse_than_the_file():
    file = CLICKS.replace("bright_state = 0.05", "bright_state = 0.05, num_modes = 49")
    file += '[schedule]\ntree = "swap(0, 1)"\n[optimise]\nminimise = "hardware_cost"\nminimum = { rate_hz = %s }\n'
    problem = loads(file % 1.0 + 'parameters = ["chain.link.num_modes"]\n')
    rate = float(merits(problem, outcome(problem), clip=True)["rate_hz"])
    for limit, modes in ((0.9999 * rate, 49), (0.1 * rate, 49), (1.5 * rate, None)):
        found = optimise(loads(file % limit + 'parameters = ["chain.link.num_modes"]\n')).parameters[
            "chain.link.num_modes"
        ]
        assert found == pytest.approx(round(found), rel=1e-12)
        assert round(found) == modes if modes else round(found) > 49


def test_an_interrupt_before_tuning_keeps_what_was_searched(monkeypatch):
    problem = loads(CLICKS + '[optimise]\nparameters = ["chain.link.bright_state"]\nsearch = { max_rounds = 0 }\n')
    monkeypatch.setattr("qtn.problem.planner.tune", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    found = optimise(problem)
    assert found.interrupted and len(found.choices) >= 1 and found.status.startswith("Interrupted")
