"""Constrained maximisation: problems with known solutions and multipliers, laws of the optimum, failures."""

import dataclasses
import math

import jax.numpy as jnp
import numpy as np
import pytest

from qtn.optimisation.bounded import Interval
from qtn.optimisation.constrained import ConstrainedSettings, maximise_subject_to

BOX = Interval(-5.0, 5.0)
UNIT = Interval(0.0, 1.0)
FREE = Interval()


@dataclasses.dataclass(frozen=True)
class Case:
    """A problem with its solution and the evaluations it may take."""

    model: object
    initial: dict
    bounds: dict
    parameters: dict
    multipliers: dict
    bound_multipliers: dict = dataclasses.field(default_factory=dict)
    options: dict = dataclasses.field(default_factory=dict)
    evaluations: int = 40


def rosenbrock(p):
    return -((1 - p["x"]) ** 2) - 100 * (p["y"] - p["x"] ** 2) ** 2


def decay(p):
    """Rate against fidelity of a link of a memory with cut-off time t: rises, and the fidelity falls, with t."""
    return {"rate": 1e4 * (1 - jnp.exp(-p["t"] / 1e-2)), "fidelity": 0.5 + 0.5 * jnp.exp(-p["t"] / 1e-1)}


def hs71(p):
    """Hock and Schittkowski, problem 71."""
    a, b, c, d = (p[name] for name in "abcd")
    square = a**2 + b**2 + c**2 + d**2 - 40
    return -(a * d * (a + b + c) + c), {"product": a * b * c * d - 25, "above": square, "below": -square}


def water(p):
    """Water-filling: maximise sum log(noise_i + power_i) under a budget."""
    noise = jnp.linspace(0.1, 2.0, 30)
    power = jnp.stack([p[f"p{i}"] for i in range(30)])
    return jnp.sum(jnp.log(noise + power)), {"budget": 10.0 - jnp.sum(power)}


def water_filled():
    noise = np.linspace(0.1, 2.0, 30)
    levels = [(10 + noise[:k].sum()) / k for k in range(1, 31)]
    level = next(v for k, v in enumerate(levels, 1) if v > noise[k - 1] and (k == 30 or v <= noise[k]))
    return level, np.maximum(level - noise, 0.0)


LEVEL, POWER = water_filled()
DISC = math.cos(math.pi / 4)
CASES = {
    "linear-quadratic": Case(
        lambda p: (-(p["x"] ** 2) - 2 * p["y"] ** 2, {"line": p["x"] + p["y"] - 1}),
        {"x": 3.0, "y": -2.0},
        {"x": BOX, "y": BOX},
        {"x": 2 / 3, "y": 1 / 3},
        {"line": 4 / 3},
    ),
    "linear in a disc": Case(
        lambda p: (p["x"] + p["y"], {"disc": 1 - p["x"] ** 2 - p["y"] ** 2}),
        {"x": 0.1, "y": -0.3},
        {"x": BOX, "y": BOX},
        {"x": DISC, "y": DISC},
        {"disc": DISC},
    ),
    "product under a budget": Case(
        lambda p: (p["x"] * p["y"], {"budget": 1 - p["x"] - p["y"]}),
        {"x": 0.1, "y": 0.2},
        {"x": UNIT, "y": UNIT},
        {"x": 0.5, "y": 0.5},
        {"budget": 0.5},
    ),
    "rosenbrock, disc idle": Case(
        lambda p: (rosenbrock(p), {"disc": 4 - p["x"] ** 2 - p["y"] ** 2}),
        {"x": -1.2, "y": 1.0},
        {"x": BOX, "y": BOX},
        {"x": 1.0, "y": 1.0},
        {"disc": 0.0},
        evaluations=80,
    ),
    "rosenbrock in a disc": Case(
        lambda p: (rosenbrock(p), {"disc": 1.5 - p["x"] ** 2 - p["y"] ** 2}),
        {"x": -1.2, "y": 1.0},
        {"x": FREE, "y": FREE},
        {"x": 0.907233960511, "y": 0.822755456315},
        {"disc": 0.0386509488},
        evaluations=80,
    ),
    "active bounds": Case(
        lambda p: (3 * p["x"] - p["y"] - (p["z"] - 0.3) ** 2, {}),
        {"x": 0.5, "y": 0.5, "z": 0.9},
        {"x": UNIT, "y": Interval(0.25, 4.0), "z": FREE},
        {"x": 1.0, "y": 0.25, "z": 0.3},
        {},
        {"x": 3.0, "y": -1.0},
    ),
    "bound and constraint": Case(
        lambda p: (2 * p["x"] + p["y"], {"sum": 1.5 - p["x"] - p["y"], "idle": 7 - p["x"]}),
        {"x": 0.0, "y": 0.0},
        {"x": UNIT, "y": UNIT},
        {"x": 1.0, "y": 0.5},
        {"sum": 1.0, "idle": 0.0},
        {"x": 1.0},
    ),
    "equality by two inequalities": Case(
        lambda p: (
            -((p["x"] - 2) ** 2) - p["y"] ** 2,
            {"above": p["x"] * p["y"] - 1, "below": 1 - p["x"] * p["y"]},
        ),
        {"x": 4.0, "y": 3.0},
        {"x": BOX, "y": BOX},
        {"x": 2.106919340376, "y": 0.474626617563},
        {"above": 0.450540852197, "below": 0.0},
        evaluations=60,
    ),
    "logarithmic, in SI": Case(
        lambda p: (decay(p)["rate"], {"fidelity": decay(p)["fidelity"] - 0.95}),
        {"t": 0.5},
        {"t": Interval(1e-6, 1e2)},
        {"t": -0.1 * math.log(0.9)},
        {"fidelity": 1e6 * 0.9**10 / (5 * 0.9)},
        options={"log": ("t",)},
    ),
    "hock-schittkowski 71": Case(
        hs71,
        {"a": 1.0, "b": 5.0, "c": 5.0, "d": 1.0},
        {name: Interval(1.0, 5.0) for name in "abcd"},
        {"a": 1.0, "b": 4.7429994, "c": 3.8211503, "d": 1.3794082},
        {"product": 0.5522937, "above": 0.0, "below": 0.1614686},
        {"a": -1.0878712},
    ),
    "water-filling of 30": Case(
        water,
        {f"p{i}": 0.1 for i in range(30)},
        {f"p{i}": Interval(0.0, 10.0) for i in range(30)},
        {f"p{i}": float(part) for i, part in enumerate(POWER)},
        {"budget": 1 / LEVEL},
        {f"p{i}": 1 / n - 1 / LEVEL for i, n in enumerate(np.linspace(0.1, 2.0, 30)) if POWER[i] == 0},
        evaluations=60,
    ),
}


def solved(case, **options):
    return maximise_subject_to(case.model, case.initial, case.bounds, **case.options, **options)


CONSTRAINED = {name: case for name, case in CASES.items() if case.multipliers}
every = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
constrained = pytest.mark.parametrize("case", CONSTRAINED.values(), ids=CONSTRAINED)


@every
def test_solution_and_multipliers_are_the_known_ones(case):
    fit = solved(case)
    assert fit.feasible and fit.converged and fit.status == "Converged."
    assert fit.kkt_residual < 1e-6
    assert fit.num_evaluations <= case.evaluations
    assert fit.parameters == pytest.approx(case.parameters, rel=2e-6, abs=2e-6)
    assert fit.multipliers == pytest.approx(case.multipliers, rel=1e-4, abs=1e-6)
    assert fit.bound_multipliers == pytest.approx(case.bound_multipliers, rel=1e-4, abs=1e-6)


@constrained
def test_multiplier_is_the_slope_of_the_best_value_by_the_level_of_the_constraint(case):
    fit = solved(case)
    one_sided = "above" in case.multipliers  # the other half of an equality must move along
    for name, multiplier in fit.multipliers.items():
        if one_sided and name in ("above", "below"):
            continue
        step = 1e-4 * (abs(fit.slacks[name]) if abs(fit.slacks[name]) > 1e-6 else 0.1)
        values = [solved(shifted(case, {name: sign * step})).value for sign in (1, -1)]
        assert (values[0] - values[1]) / (2 * step) == pytest.approx(multiplier, rel=1e-3, abs=1e-5)


def shifted(case, levels):
    """The case with each slack g replaced by g + level."""

    def model(p):
        value, slacks = case.model(p)
        return value, {name: slack + levels.get(name, 0.0) for name, slack in slacks.items()}

    return dataclasses.replace(case, model=model)


@pytest.mark.parametrize("name", ["equality by two inequalities", "hock-schittkowski 71"])
def test_equality_multiplier_is_the_slope_when_both_halves_move(name):
    fit, step = solved(CASES[name]), 1e-4
    up, down = (solved(shifted(CASES[name], {"above": s, "below": -s})).value for s in (step, -step))
    net = fit.multipliers["above"] - fit.multipliers["below"]
    assert (up - down) / (2 * step) == pytest.approx(net, rel=1e-3)


@pytest.mark.parametrize("name", ["active bounds", "bound and constraint", "hock-schittkowski 71"])
def test_bound_multiplier_is_the_slope_of_the_best_value_by_the_end(name):
    case = CASES[name]
    for parameter, multiplier in solved(case).bound_multipliers.items():
        values = []
        for shift in (1e-4, -1e-4):
            end = "upper" if multiplier > 0 else "lower"
            old = case.bounds[parameter]
            new = dataclasses.replace(old, **{end: getattr(old, end) + shift})
            start = min(max(case.initial[parameter], new.lower), new.upper)
            moved = {"bounds": {**case.bounds, parameter: new}, "initial": {**case.initial, parameter: start}}
            values.append(solved(dataclasses.replace(case, **moved)).value)
        assert (values[0] - values[1]) / 2e-4 == pytest.approx(multiplier, rel=1e-3)


@every
def test_units_change_multipliers_but_not_the_solution(case):
    """Value in 1e-6 and slacks in 1e3 of the old units: multipliers in 1e-9."""

    def model(p):
        value, slacks = case.model(p)
        return 1e-6 * value, {name: 1e3 * slack for name, slack in slacks.items()}

    fit = solved(dataclasses.replace(case, model=model))
    assert fit.converged
    assert fit.parameters == pytest.approx(case.parameters, rel=2e-6, abs=2e-6)
    assert {name: 1e9 * part for name, part in fit.multipliers.items()} == pytest.approx(
        case.multipliers, rel=1e-4, abs=1e-6
    )


def test_contradictory_constraints_end_half_way_without_an_exception():
    model = lambda p: (p["y"], {"more": p["x"] - 3, "less": 1 - p["x"]})  # noqa: E731
    fit = maximise_subject_to(model, {"x": 0.5, "y": 0.0}, {"x": BOX, "y": UNIT})
    assert not fit.feasible and not fit.converged
    assert fit.parameters["x"] == pytest.approx(2.0, abs=1e-6)  # both miss by 1: the least sum of squares
    assert fit.slacks == pytest.approx({"more": -1.0, "less": -1.0}, abs=1e-6)
    assert fit.status.startswith("No feasible point found: the closest misses `")
    assert fit.num_evaluations < 60


def test_infeasible_in_the_box_ends_at_the_bound():
    model = lambda p: (-p["x"] * p["y"], {"far": p["x"] + p["y"] ** 2 - 3})  # noqa: E731
    fit = maximise_subject_to(model, {"x": 0.2, "y": 0.3}, {"x": UNIT, "y": UNIT})
    assert not fit.feasible
    assert fit.parameters == pytest.approx({"x": 1.0, "y": 1.0}, abs=1e-6)
    assert np.array_equal(fit.start_values, [-math.inf])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_trial_points_where_the_model_is_not_finite_are_stepped_back_from(bad):
    def model(p):
        value = -((p["x"] - 0.8) ** 2) + 0.1 * p["x"] * p["y"] + 3 * p["y"]
        wall = p["x"] ** 2 + p["y"] ** 2
        return jnp.where(wall > 1.3, bad, value), {"disc": 1 - wall}

    fit = maximise_subject_to(model, {"x": 0.0, "y": -0.9}, {"x": BOX, "y": BOX})
    assert fit.converged
    assert fit.parameters["x"] ** 2 + fit.parameters["y"] ** 2 == pytest.approx(1.0)
    assert math.isfinite(fit.value)


def test_square_root_with_its_edge_at_the_optimum_is_survived():
    """Slope and value are NaN beyond x + y = 1, where the unconstrained optimum is cut."""
    model = lambda p: (p["x"] + 2 * p["y"] + jnp.sqrt(1 - p["x"] - p["y"]), {})  # noqa: E731
    fit = maximise_subject_to(model, {"x": 0.2, "y": 0.2}, {"x": UNIT, "y": Interval(0.0, 0.9)})
    assert fit.converged
    assert fit.parameters == pytest.approx({"x": 0.0, "y": 0.9}, abs=1e-6)


def test_several_starts_find_the_higher_peak_and_the_same_for_a_seed():
    def model(p):
        peaks = jnp.exp(-50 * (p["x"] - 0.2) ** 2) + 2 * jnp.exp(-50 * (p["x"] - 0.8) ** 2)
        return peaks, {"left": 0.75 - p["x"]}

    one, several, again = (
        maximise_subject_to(model, {"x": 0.1}, {"x": UNIT}, settings=ConstrainedSettings(num_starts=n, seed=3))
        for n in (1, 6, 6)
    )
    assert one.parameters["x"] == pytest.approx(0.2, abs=1e-3)
    assert several.parameters["x"] == pytest.approx(0.75)
    assert several.start_values.shape == (6,)
    assert several.parameters == again.parameters and several.num_evaluations == again.num_evaluations


def test_equal_ends_fix_a_parameter_and_free_ones_are_unbounded():
    model = lambda p: (-((p["x"] - 40) ** 2) + p["x"] * p["k"] - jnp.log(p["r"]) ** 2, {})  # noqa: E731
    bounds = {"x": Interval(upper=1e3), "k": Interval(2.0, 2.0), "r": Interval(lower=1e-12)}
    fit = maximise_subject_to(model, {"x": 0.0, "k": 2.0, "r": 1e-6}, bounds, log=("r",))
    assert fit.converged
    assert fit.parameters == pytest.approx({"x": 41.0, "k": 2.0, "r": 1.0}, rel=1e-6)
    assert fit.bound_multipliers == pytest.approx({"k": 41.0}, rel=1e-5)


def test_model_is_traced_once_and_counted():
    traces, reports = [], []

    def model(p):
        traces.append(None)
        return p["x"] * p["y"], {"budget": 1 - p["x"] - p["y"]}

    box = {"x": UNIT, "y": UNIT}
    fit = maximise_subject_to(model, {"x": 0.1, "y": 0.2}, box, report=reports.append)
    assert len(traces) <= 2  # shapes, gradients
    assert [r.num_evaluations for r in reports] == list(range(1, fit.num_evaluations + 1))
    assert reports[-1].value == fit.value and reports[-1].kkt_residual == fit.kkt_residual


def test_interrupt_keeps_the_best_so_far():
    seen = []

    def report(progress):
        seen.append(progress)
        if len(seen) == 5:
            raise KeyboardInterrupt

    fit = solved(CASES["rosenbrock, disc idle"], report=report)
    assert fit.interrupted and not fit.converged and fit.feasible
    assert fit.value == seen[-1].value
    assert fit.status == "Interrupted: this is the best so far."


def test_budget_of_evaluations_is_kept_and_said():
    fit = solved(CASES["rosenbrock, disc idle"], settings=ConstrainedSettings(max_evaluations=7))
    assert fit.num_evaluations == 7 and not fit.converged
    assert "Increase `max_evaluations`" in fit.status


def fine(p):
    return -(p["x"] ** 2), {}


MISTAKES = {
    "no parameters": (fine, {}, {}, {}, "`initial` must name at least one"),
    "names differ": (fine, {"x": 0.0}, {"y": BOX}, {}, "`initial` and `bounds` .* differ in: x, y"),
    "start outside": (
        fine,
        {"x": 7.0},
        {"x": BOX},
        {},
        r"`initial\['x'\]` must lie in \[-5.0, 5.0\], but is 7.0. Move",
    ),
    "start nan": (fine, {"x": math.nan}, {"x": BOX}, {}, r"`initial\['x'\]` must lie .* but is nan"),
    "ends swapped": (fine, {"x": 0.0}, {"x": Interval(1.0, -1.0)}, {}, r"lower <= upper, but is \[1.0, -1.0\]"),
    "log of nothing": (fine, {"x": 0.0}, {"x": BOX}, {"log": ("z",)}, "`log` must name parameters .* but has: z"),
    "log from zero": (fine, {"x": 0.5}, {"x": UNIT}, {"log": ("x",)}, r"lower > 0 .* but lower is 0.0. Raise it"),
    "no slacks": (lambda p: p["x"], {"x": 0.0}, {"x": BOX}, {}, "`model` must return"),
    "vector slack": (lambda p: (p["x"], {"v": jnp.ones(2)}), {"x": 0.0}, {"x": BOX}, {}, "smooth minimum"),
    "nan start": (lambda p: (jnp.log(p["x"]), {}), {"x": -1.0}, {"x": BOX}, {}, "Move `initial`, or increase"),
    "no starts": (
        fine,
        {"x": 0.0},
        {"x": BOX},
        {"settings": ConstrainedSettings(num_starts=0)},
        "`settings.num_starts` must be at least 1, but is 0",
    ),
}


@pytest.mark.parametrize(("model", "initial", "bounds", "options", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_name_argument_value_and_cure(model, initial, bounds, options, message):
    with pytest.raises(ValueError, match=message):
        maximise_subject_to(model, initial, bounds, **options)


def test_a_worse_corner_is_no_answer():
    """The first step leads into the corner x = 0, which is stationary and worse than the start."""
    model = lambda p: (p["x"] ** 2 * jnp.exp(-8 * p["x"]) - 1e-3 * p["x"], {})  # noqa: E731
    fit = maximise_subject_to(model, {"x": 0.3}, {"x": UNIT})
    assert fit.converged and fit.kkt_residual < 1e-7
    assert fit.parameters["x"] == pytest.approx(0.2464, abs=1e-4)
    assert fit.value == pytest.approx(0.00821, abs=5e-6)


@pytest.mark.parametrize("start", [0.0, 0.5])
def test_a_gradient_of_zero_proves_nothing(start):
    """(x - 1/2)^2 at its minimum, and x^2 at its minimum in a corner."""
    fit = maximise_subject_to(lambda p: ((p["x"] - start) ** 2, {}), {"x": start}, {"x": UNIT})
    assert fit.converged and fit.value == max(start, 1 - start) ** 2


@pytest.mark.parametrize("method", ["second_order", "first_order"])
@pytest.mark.parametrize("height", [0.0, 1.0, -2e6])
@pytest.mark.parametrize("budget", [1, 2, 8, 300])
def test_flat_ground_is_no_optimum(budget, height, method):
    settings = ConstrainedSettings(method=method, max_evaluations=budget)
    fit = maximise_subject_to(lambda p: (0 * p["x"] + height, {}), {"x": 0.3}, {"x": UNIT}, settings=settings)
    assert not fit.converged and fit.kkt_residual == math.inf and fit.value == height
    assert fit.status.startswith("The objective is flat wherever it was looked at: move the start")


@pytest.mark.parametrize("slope", [1e-17, -1e-16, 0.0])
@pytest.mark.parametrize(("method", "tolerance"), [("second_order", 1e-6), ("first_order", 1e-3)])
@pytest.mark.parametrize("first", [0.9, 0.7])
def test_a_far_peak_is_found_from_ground_that_is_flat_but_for_rounding(slope, first, method, tolerance):
    """Along a gradient of 1e-17 lies a corner, which is no answer."""
    model = lambda p: (jnp.maximum(0.04 - (p["x"] - 0.25) ** 2, 0.0) + slope * p["x"], {})  # noqa: E731
    settings = ConstrainedSettings(method=method)
    fit = maximise_subject_to(model, {"x": first}, {"x": UNIT}, settings=settings)
    assert fit.parameters["x"] == pytest.approx(0.25, abs=tolerance)
    assert fit.converged or method == "first_order"


def test_ground_that_is_flat_but_for_rounding_is_no_optimum():
    model = lambda p: (1e-17 * jnp.sin(50 * p["x"]), {})  # noqa: E731
    fit = maximise_subject_to(model, {"x": 0.3}, {"x": UNIT})
    assert not fit.converged and fit.kkt_residual == math.inf


@pytest.mark.parametrize(("method", "tolerance"), [("second_order", 1e-6), ("first_order", 1e-3)])
def test_nan_does_not_spread(method, tolerance):
    """The first steps leap into the region where value and gradient are NaN."""
    model = lambda p: (jnp.where(p["x"] > 0.6, jnp.nan, p["x"] * (0.5 - p["x"])), {})  # noqa: E731
    settings = ConstrainedSettings(method=method, first_step=2.0)
    fit = maximise_subject_to(model, {"x": 0.05}, {"x": UNIT}, settings=settings)
    assert fit.parameters["x"] == pytest.approx(0.25, abs=tolerance)
    assert fit.value == pytest.approx(0.0625, abs=tolerance**2)


def test_a_wrong_method_is_told_with_the_choices():
    message = "Argument `method` must be 'auto', 'second_order' or 'first_order', but is 'adam'."
    with pytest.raises(ValueError, match=message):
        ConstrainedSettings(method="adam")
