"""The model that is tuned: its gradients against jax.grad of the evaluator and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qtn
from qtn.evaluators.extrapolate import summarise_on
from qtn.merit.quantities import Setting
from qtn.optimisation.bounded import Interval
from qtn.planning.grids import search_plans
from qtn.planning.objective import Objective
from qtn.planning.tuning import Tuning
from qtn.schedules.tree import Schedule
from qtn.states.pair import pauli_from_bell

TREE = qtn.parse('swap(wait(distill(0, protocol="dejmps"), 2.0), 1, cutoff_time=6.0)')
FREE = {"p": 0.4, "time": 1.3137, "t2": 80.0, "swap": 0.8, "cutoff": 6.4}


def system(numbers):
    """Two links; attempt times without a common spacing, so that grids are extrapolated."""
    links = [
        qtn.abstract_link(p_success=p, attempt_time=time, werner=w)
        for p, time, w in ((numbers["p"], 1.0, 0.97), (0.5, numbers["time"], 0.98))
    ]
    nodes = qtn.node(qtn.dephasing_memory(numbers["t2"]), qtn.gates(0.995, 0.99), numbers["swap"])
    times = jnp.asarray(numbers["cutoff"], dtype=float)[None]
    return qtn.chain(links, nodes), Schedule(tree=TREE.tree, cutoff_times=times, wait_times=TREE.wait_times)


TUNING = Tuning(
    system,
    dict.fromkeys(FREE, Interval(0.0, 1e3)),
    Objective("fidelity", minimum={"rate_hz": 0.01}),
    constraints=lambda numbers: {"room": 1 - numbers["p"] ** 2},
)
CONSTANTS = {"keyless_time": 10.0, "bias": {"rate_hz": 1.0}}


@pytest.fixture(scope="module")
def model():
    """The model, its grids, and its gradients by all numbers."""
    found = TUNING.model(FREE)
    plan = search_plans([system(FREE)], found.level)[0]
    return found, plan, found.gradients(plan, FREE, list(FREE), CONSTANTS)


def test_values_are_those_of_the_evaluator(model):
    found, plan, (_, values) = model
    summary = summarise_on(plan, *system(FREE), found.level)
    np.testing.assert_allclose(found.values(plan, FREE)[0], summary.mean_time, rtol=1e-12)
    expected = [TUNING.value(FREE, summary, 10.0), np.log(1 / float(summary.mean_time) / 0.01), 1 - 0.4**2]
    assert found.slack_names(FREE, found.values(plan, FREE), CONSTANTS) == ["rate_hz", "room"]
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    assert plan.extrapolated


def test_gradients_are_those_of_jax_and_of_finite_differences(model):
    found, plan, (jacobian, _) = model

    def rate(numbers):
        return -jnp.log(summarise_on(plan, *system(numbers), found.level).mean_time)

    expected = jax.grad(rate)(FREE)
    np.testing.assert_allclose(jacobian[1], [expected[name] for name in FREE], rtol=1e-9)
    for column, name in enumerate(FREE):
        step = 1e-5 * FREE[name]
        ends = [
            found.gradients(plan, FREE | {name: FREE[name] + sign * step}, [], CONSTANTS)[1] for sign in (1.0, -1.0)
        ]
        slopes = (ends[0] - ends[1]) / (2 * step)  # attempts that move across grid points bend the function
        np.testing.assert_allclose(jacobian[:, column], slopes, rtol=2e-5, atol=1e-9)


def test_numbers_that_are_not_free_have_no_column(model):
    found, plan, (jacobian, values) = model
    fewer, same = found.gradients(plan, FREE, ["swap", "p"], CONSTANTS)
    np.testing.assert_allclose(fewer, jacobian[:, [3, 0]], rtol=1e-12)
    np.testing.assert_array_equal(same, values)


def test_a_grid_that_is_too_short_says_nothing(model):
    """Pairs that come after its end would count as if nobody waited for them."""
    found, plan, _ = model
    slow = FREE | {"p": FREE["p"] / 100}
    assert np.all(np.isnan(found.values(plan, slow)))
    assert np.isnan(found.gradients(plan, slow, list(FREE), CONSTANTS)[1][0])


def test_without_key_the_fidelity_rises_over_a_fixed_time():
    """The secret fraction would prefer classical correlations (1/2, 0, 0, 1/2), with less of it missing, to Werner."""
    key = Objective()
    classical, werner, good = ([0.5, 0.01, 0.0, 0.49], [0.76, 0.08, 0.08, 0.08], [0.97, 0.01, 0.01, 0.01])
    states = np.array([pauli_from_bell(jnp.array(weights)) for weights in (classical, werner, good)])
    merits = key.merits(np.full(3, 20.0), states, Setting)
    assert merits["secret_fraction"][0] > merits["secret_fraction"][1]
    np.testing.assert_allclose(key.value(merits, 5.0), [-0.5 / 5, -0.24 / 5, merits["secret_fraction"][2] / 20])
    np.testing.assert_allclose(key.scores(merits), [-0.5, -0.24, merits["secret_fraction"][2] / 20])
    np.testing.assert_allclose(Objective("secret_fraction").scores(merits), [-0.5, -0.24, merits["secret_fraction"][2]])
