"""Two hundred smooth problems with known optima, with corners, flat and keyless ground: none ends below its start."""

import numpy as np
import pytest

from qtn.optimisation.bounded import Interval
from qtn.optimisation.constrained import climb_subject_to
from qtn.optimisation.first_order import Adam
from qtn.optimisation.settings import ConstrainedSettings, Steps

EACH = 25
"""Problems of a kind."""


def quadratic(random, n, limit):
    """Concave: -(x - c)^T D (x - c) in a box, or under a . x <= b: optimum at D^-1 a short of c."""
    centre, weights, normal = random.uniform(-2, 2, n), random.uniform(0.1, 10, n), random.normal(size=n)
    short = random.uniform(0.1, 1.0) / (normal @ (normal / weights)) if limit else 0.0
    best = centre - short * normal / weights
    box = np.full(n, -6.0), np.full(n, 6.0)
    if not limit:
        box = random.uniform(-3, 0, n), random.uniform(0.1, 3, n)
        best = np.clip(centre, *box)

    def model(x):
        gap, value, slope = x - centre, [], []
        if limit:
            value, slope = [normal @ (best - x)], [-normal]
        return np.array([-2 * weights * gap, *slope]), np.array([-gap @ (weights * gap), *value])

    return model, box, best, False


def ball(random, n, limit):
    """Concave: a . x within a ball, or near a point within it: a x - |x|^2."""
    normal, radius = random.normal(size=n), random.uniform(0.5, 2)
    curved = 0.0 if limit else np.linalg.norm(normal) / radius
    best = normal / np.linalg.norm(normal) * (radius if limit else radius / 2)

    def model(x):
        value = np.array([normal @ x - curved * (x @ x), radius**2 - x @ x])
        return np.array([normal - 2 * curved * x, -2 * x]), value

    return model, (np.full(n, -3.0), np.full(n, 3.0)), best, False


def bump(random, n, logarithmic):
    """The product of x^a exp(-b x), in a box that holds the optimum a / b or not; linear or logarithmic scale."""
    a, b = random.uniform(0.5, 3, n), random.uniform(1, 10, n)
    lower = np.full(n, 1e-4 if logarithmic else 0.0)
    upper = a / b * random.uniform(0.7, 6, n)
    best = np.clip(a / b, lower, upper)

    def model(x):
        safe = np.maximum(x, 1e-300)
        value = np.exp(np.sum(a * np.log(safe) - b * safe))
        return (value * (a / safe - b))[None], np.array([value])

    return model, (lower, upper), best, logarithmic


def corner(random, n, _):
    """A sum of x^2 exp(-b x) - c x: the corner x = 0 is a local optimum, worse than the inner one."""
    b, c = random.uniform(4, 12, n), random.uniform(1e-4, 3e-3, n)
    grid = np.linspace(0, 1, 200_001)[:, None]
    best = grid[np.argmax(grid**2 * np.exp(-b * grid) - c * grid, axis=0), 0]

    def model(x):
        part = np.exp(-b * x)
        return ((2 * x - b * x**2) * part - c)[None], np.array([np.sum(x**2 * part - c * x)])

    return model, (np.zeros(n), np.ones(n)), best, False


def plateau(random, n, _):
    """A Gaussian bump over a plateau of another height."""
    centre, width, floor = random.uniform(0.2, 0.8, n), random.uniform(0.15, 0.4), random.choice([0.0, 1.0, -2.0])

    def model(x):
        gap = x - centre
        value = np.exp(-gap @ gap / (2 * width**2))
        return (-gap / width**2 * value)[None], np.array([floor + value])

    return model, (np.zeros(n), np.ones(n)), centre, False


def keyless(random, n, flat):
    """The geometric mean of w x times the key 1 - mean(w x) / z; where there is none flat, or the key over a time."""
    weights, zero, time = random.uniform(1, 3, n), random.uniform(0.2, 0.9), random.uniform(0.5, 20)

    def model(x):
        y = np.maximum(weights * x, 1e-12)
        key, speed = 1 - np.mean(y) / zero, np.exp(np.mean(np.log(y)))
        if key > 0:
            return (weights / n * (key * speed / y - speed / zero))[None], np.array([key * speed])
        scale = 0.0 if flat else 1 / time
        return (-scale * weights / (n * zero))[None], np.array([scale * key])

    return model, (np.zeros(n), np.ones(n)), zero / (2 * weights), False


KINDS = {
    "quadratic in a box": (quadratic, False),
    "quadratic under a line": (quadratic, True),
    "in a ball": (ball, False),
    "on a ball": (ball, True),
    "bump": (bump, False),
    "bump on a logarithmic scale": (bump, True),
    "corner": (corner, False),
    "plateau": (plateau, False),
    "keyless": (keyless, False),
    "keyless and flat": (keyless, True),
}
"""Name -> builder and its variant."""


def solved(kind, seed, **options):
    """One problem from a random start: (fit, value of the start or None, best value, whether values never fell)."""
    build, variant = KINDS[kind]
    random = np.random.default_rng([seed, list(KINDS).index(kind)])
    n = int(random.integers(1, 6))
    model, (lower, upper), best, logarithmic = build(random, n, variant)
    first = np.exp(random.uniform(np.log(lower), np.log(upper))) if logarithmic else random.uniform(lower, upper)
    names, told = [f"x{i}" for i in range(n)], []
    _, at_start = model(first)
    fit = climb_subject_to(
        ["limit"][: len(at_start) - 1],
        model,
        dict(zip(names, first, strict=True)),
        {name: Interval(*ends) for name, *ends in zip(names, lower, upper, strict=True)},
        log=names if logarithmic else (),
        report=told.append,
        **options,
    )
    start = at_start[0] if np.all(at_start[1:] >= 0) else None
    values = [each.value for each in told if each.violation <= 1e-8]
    return fit, start, model(best)[1][0], values


def reached(fit, best):
    return fit.feasible and fit.value >= best - 1e-6 * max(abs(best), 1e-6)


LEAST = dict.fromkeys(KINDS, EACH) | {"keyless and flat": 21}
"""How many end at the known optimum: where all is flat, some starts in five dimensions see nothing else."""


@pytest.mark.parametrize("kind", KINDS)
def test_no_search_ends_below_its_start_and_most_end_at_the_optimum(kind):
    count = 0
    for seed in range(EACH):
        fit, start, best, values = solved(kind, seed)
        assert start is None or fit.value >= start
        assert np.all(np.diff(values) >= 0)
        assert fit.value <= best + 1e-6 * max(abs(best), 1e-6)
        assert not fit.converged or reached(fit, best)
        count += reached(fit, best)
    assert count >= LEAST[kind]


@pytest.mark.parametrize("kind", ["quadratic in a box", "quadratic under a line", "on a ball", "corner"])
def test_first_order_steps_come_near(kind):
    settings = ConstrainedSettings(method=Steps.FIRST_ORDER, max_evaluations=400)
    for seed in range(3):
        fit, start, best, _ = solved(kind, seed, settings=settings)
        assert start is None or fit.value >= start
        assert fit.feasible and fit.value == pytest.approx(best, rel=1e-2, abs=1e-2)


def test_many_parameters_take_first_order_steps_by_themselves():
    """Second-order steps would solve a quadratic of 201 numbers at once, and take a cubic time for each."""
    n = 201
    goal = np.linspace(0.1, 0.9, n)
    names = [f"x{i}" for i in range(n)]
    fits = {
        method: climb_subject_to(
            [],
            lambda x: (-2 * (x - goal)[None], np.array([-np.sum((x - goal) ** 2)])),
            dict.fromkeys(names, 0.5),
            dict.fromkeys(names, Interval(0.0, 1.0)),
            settings=ConstrainedSettings(method=method, max_evaluations=200),
        )
        for method in (Steps.AUTO, Steps.FIRST_ORDER)
    }
    assert fits[Steps.AUTO].parameters == fits[Steps.FIRST_ORDER].parameters
    np.testing.assert_allclose(list(fits[Steps.AUTO].parameters.values()), goal, atol=0.02)


def test_first_order_steps_survive_noise():
    """Gradients with noise as large as themselves near the optimum; the mean of the end is near it all the same."""
    random = np.random.default_rng(0)

    def noisy(x):
        return (-2 * (x - 0.3) + 0.2 * random.normal(size=2))[None], np.array([-np.sum((x - 0.3) ** 2)])

    settings = ConstrainedSettings(method=Steps.FIRST_ORDER, max_evaluations=300)
    box = {"x": Interval(0.0, 1.0), "y": Interval(0.0, 1.0)}
    fit = climb_subject_to([], noisy, {"x": 0.9, "y": 0.1}, box, settings=settings)
    assert list(fit.parameters.values()) == pytest.approx([0.3, 0.3], abs=0.02)


def parabola(n, noise=0.0, seed=0):
    """-|x - 0.3|^2 with noisy values, counted."""
    random, seen = np.random.default_rng(seed), []

    def model(x):
        seen.append(x)
        return (-2 * (x - 0.3))[None], np.array([-np.sum((x - 0.3) ** 2) + noise * random.normal()])

    names = [f"x{i}" for i in range(n)]
    return model, names, dict.fromkeys(names, Interval(0.0, 1.0)), seen


@pytest.mark.parametrize("max_runs", [1, 4])
@pytest.mark.parametrize(("n", "budget"), [*((1, b) for b in (1, 2, 3, 4, 5, 9, 10, 11)), (201, 20), (201, 41)])
def test_first_order_steps_end_with_the_budget(n, budget, max_runs):
    model, names, box, seen = parabola(n)
    settings = ConstrainedSettings(method="first_order", max_evaluations=budget, max_runs=max_runs)
    fit = climb_subject_to([], model, dict.fromkeys(names, 0.9), box, settings=settings)
    assert fit.num_evaluations == len(seen) <= budget
    assert fit.value > -n * 0.6**2 or budget == 1


def test_first_order_steps_of_another_length_compile_nothing():
    model, names, box, _ = parabola(7)
    counts = []
    for budget in (30, 30, 40, 55):
        settings = ConstrainedSettings(method=Steps.FIRST_ORDER, max_evaluations=budget, first_step=budget / 100)
        climb_subject_to([], model, dict.fromkeys(names, 0.9), box, settings=settings)
        counts.append(Adam.step._cache_size())  # pyright: ignore[reportAttributeAccessIssue]
    assert counts[0] == counts[-1] > 0


@pytest.mark.parametrize("first", [0.9, 0.3], ids=["far", "at the optimum"])
def test_value_of_a_noisy_objective_is_no_luck(first):
    """The largest of 200 values with noise .05 round 0 is some .14; the mean of 18 is 0 within .012."""
    fits = []
    for seed in range(10):
        model, names, box, seen = parabola(2, noise=0.05, seed=seed)
        settings = ConstrainedSettings(method=Steps.FIRST_ORDER, max_evaluations=200)
        start = {name: float(first) for name in names}
        fits.append(climb_subject_to([], model, start, box, settings=settings))
        assert fits[-1].num_evaluations == len(seen) <= 200
        assert list(fits[-1].parameters.values()) == pytest.approx([0.3, 0.3], abs=0.02)
    values = [fit.value for fit in fits]
    assert np.max(np.abs(values)) < 0.05
    assert np.mean(values) == pytest.approx(0.0, abs=0.012)  # three times the scatter of this mean


def test_a_start_that_beats_noisy_steps_is_kept():
    """Gradients that point away: the start is the optimum, and its value is evaluated anew."""
    random = np.random.default_rng(1)

    def model(x):
        return (2 * (x - 0.3) + 0.1)[None], np.array([-np.sum((x - 0.3) ** 2) + 0.01 * random.normal()])

    settings = ConstrainedSettings(method=Steps.FIRST_ORDER, max_evaluations=100)
    fit = climb_subject_to([], model, {"x": 0.3}, {"x": Interval(0.0, 1.0)}, settings=settings)
    assert fit.parameters["x"] == pytest.approx(0.3, abs=1e-8)
    assert fit.value == pytest.approx(0.0, abs=0.012)  # of a few values


def test_noisy_steps_end_within_the_limits():
    random = np.random.default_rng(2)

    def model(x):
        values = np.array([np.sum(x) + 0.05 * random.normal(), 1 - x @ x])
        return np.stack([np.ones(2), -2 * x]), values

    settings = ConstrainedSettings(method=Steps.FIRST_ORDER, max_evaluations=300)
    box = {"x": Interval(0.0, 1.0), "y": Interval(0.0, 1.0)}
    fit = climb_subject_to(["disc"], model, {"x": 0.1, "y": 0.2}, box, settings=settings)
    assert fit.feasible and fit.slacks["disc"] >= -1e-7
    assert list(fit.parameters.values()) == pytest.approx([0.5**0.5] * 2, abs=0.03)
    assert fit.value == pytest.approx(2**0.5, abs=0.05)  # single values scatter by that


def test_first_order_steps_without_noise_report_what_the_model_says():
    model, names, box, _ = parabola(3)
    settings = ConstrainedSettings(method=Steps.FIRST_ORDER, max_evaluations=100)
    told = []
    fit = climb_subject_to([], model, dict.fromkeys(names, 0.9), box, settings=settings, report=told.append)
    assert fit.value == -np.sum((np.array(list(fit.parameters.values())) - 0.3) ** 2) == told[-1].value


@pytest.mark.parametrize(("method", "tolerance"), [("second_order", 1e-6), ("first_order", 1e-2)])
def test_rounding_of_zero_is_no_noise(method, tolerance):
    """Values and gradients of some 1e-17 round a far peak: it is looked for, by Adam with the last 15 steps."""
    random = np.random.default_rng(3)

    def model(x):
        rounding, gap = 1e-17 * random.normal(size=2), x[0] - 0.25
        height, slope = (0.04 - gap**2, -2 * gap) if abs(gap) < 0.2 else (0.0, 0.0)
        return np.array([[slope + rounding[0]]]), np.array([height + rounding[1]])

    settings = ConstrainedSettings(method=method)
    fit = climb_subject_to([], model, {"x": 0.9}, {"x": Interval(0.0, 1.0)}, settings=settings)
    assert fit.parameters["x"] == pytest.approx(0.25, abs=tolerance)
