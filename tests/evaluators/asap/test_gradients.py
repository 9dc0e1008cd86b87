"""Derivatives of swap-asap with respect to every number, stored or recomputed, and at the edges."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import Asap, Ends, abstract_link, chain, depolarising_memory, fidelity, node, stacked, swap_asap
from tests.evaluators.asap.test_asap import KINDS, random_line

SMALL = Asap(step=1.0, num_steps=9)
FIELDS = ("p_success", "attempt_time", "state", "rates", "two_qubit", "readout")


def merit(line, ends=Ends.MEASURED, evaluator=SMALL):
    summary = evaluator.summarise(line, swap_asap(ends=ends))
    return jnp.sum(summary.state * jnp.arange(16.0).reshape(4, 4)) / 50 + 0.1 * summary.mean_time


VALUE_AND_GRADIENT = jax.jit(jax.value_and_grad(merit), static_argnums=(1, 2))
"""One program for slopes and the values that finite differences need."""


def value(*arguments):
    return float(VALUE_AND_GRADIENT(*arguments)[0])


def gradient(*arguments):
    return VALUE_AND_GRADIENT(*arguments)[1]


MEASURED, KEPT = KINDS.values()
BOTH = [
    pytest.param(False, MEASURED, id="diagonal-measured"),
    pytest.param(True, MEASURED, id="relaxing-measured", marks=pytest.mark.slow),
    pytest.param(False, KEPT, id="diagonal-kept", marks=pytest.mark.slow),
    pytest.param(True, KEPT, id="relaxing-kept"),
]


@pytest.mark.parametrize(("relaxing", "ends"), BOTH)
def test_reverse_mode_against_finite_differences(relaxing, ends):
    line = random_line(3, relaxing, [1, 2, 1])
    planned = SMALL.planned(line, swap_asap(ends=ends))
    slope = gradient(line, ends, planned)
    rng = np.random.default_rng(3)
    for name in FIELDS:
        direction = jnp.asarray(rng.normal(size=getattr(line, name).shape))
        if name == "attempt_time":  # equal links stay equal, and the slower one falls behind its multiple of them
            direction = jnp.ones(3)

        def moved(h, name=name, direction=direction):
            return value(dataclasses.replace(line, **{name: getattr(line, name) + h * direction}), ends, planned)

        h = 1e-5
        if name == "attempt_time":
            numeric = (-3 * moved(0) + 4 * moved(h) - moved(2 * h)) / (2 * h)
        else:
            numeric = (moved(h) - moved(-h)) / (2 * h)
        np.testing.assert_allclose(jnp.vdot(getattr(slope, name), direction), numeric, rtol=2e-6, err_msg=name)


def test_unit_attempts_move_like_any_others():
    """Equal links share the step of the grid: their slopes are the average over which of them is its reference."""
    line = dataclasses.replace(random_line(3, False), attempt_time=jnp.ones(3))
    planned = SMALL.planned(line, swap_asap())
    slope = gradient(line, Ends.MEASURED, planned).attempt_time

    def right(direction, reference):
        values = [value(dataclasses.replace(line, attempt_time=jnp.asarray(1 + h * direction)), Ends.MEASURED,
                        general(planned, reference)) for h in (0.0, 1e-5, 2e-5)]  # fmt: skip
        return (-3 * values[0] + 4 * values[1] - values[2]) / 2e-5

    alone = np.array([right(one, reference) for one, reference in zip(np.eye(3), (1, 0, 0), strict=True)])
    np.testing.assert_allclose(slope, alone + (right(np.ones(3), 0) - alone.sum()) / 3, rtol=1e-6)


def general(planned, reference):
    """The same grids laid on another link, of which it is not known that a step is an attempt."""
    assert planned.plan is not None
    changes = {"attempts": (1.0, 1.0, 2.0), "reference": reference}
    grids = tuple(dataclasses.replace(grid, **changes) for grid in planned.plan.grids)
    return dataclasses.replace(planned, plan=dataclasses.replace(planned.plan, grids=grids))


def test_recomputing_changes_nothing():
    line = random_line(9, True)
    stored = SMALL.planned(line, swap_asap())
    again = dataclasses.replace(stored, stride=3)
    for a, b in zip(*(jax.tree.leaves(gradient(line, Ends.MEASURED, e)) for e in (stored, again)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


def memory_of_gradient(line, evaluator):
    """Temporary bytes of the compiled gradient."""
    compiled = jax.jit(jax.grad(merit), static_argnums=(1, 2)).lower(line, Ends.MEASURED, evaluator).compile()
    return compiled.memory_analysis().temp_size_in_bytes


@pytest.mark.slow
def test_memory_of_the_reverse_pass():
    line = random_line(64, False)
    stored = Asap(step=1.0, num_steps=512).planned(line, swap_asap())
    message = 3 * 512 * 8
    assert memory_of_gradient(line, stored) < 2 * 64 * message
    assert memory_of_gradient(line, dataclasses.replace(stored, stride=8)) < 3 * 2 * 8 * message


@pytest.mark.slow
def test_gradient_of_a_chain_is_a_chain():
    links = [abstract_link(p_success=p, attempt_time=1.0, werner=0.9) for p in (0.2, 0.4)]
    line = chain(links, node(depolarising_memory(30.0)))

    planned = SMALL.planned(line, swap_asap())

    @jax.jit
    @jax.grad
    def slope_of(line):
        return 1 - fidelity(planned.summarise(line, swap_asap()).bell_diagonal)

    slope, by_arrays = slope_of(line), slope_of(stacked(line))
    assert jax.tree.structure(slope) == jax.tree.structure(line)
    np.testing.assert_allclose([link.p_success for link in slope.links], by_arrays.p_success, rtol=1e-12)
    assert all(link.p_success > 0 or link.p_success < 0 for link in slope.links)


@pytest.mark.parametrize("change", ["p_success", "rates", "state"])
def test_finite_at_the_edges(change):
    edge = {"p_success": jnp.ones(3), "rates": jnp.zeros((4, 3)), "state": jnp.zeros((3, 4, 4)).at[:, 0, 0].set(1.0)}
    line = dataclasses.replace(random_line(3, False), **{change: edge[change]})
    slope = gradient(line, Ends.MEASURED, SMALL.planned(random_line(3, False), swap_asap()))
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(slope))


def test_forward_mode_agrees():
    line = random_line(3, True, [1, 2, 1])
    planned = SMALL.planned(line, swap_asap(ends=KEPT))
    rng = np.random.default_rng(5)
    tangent = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), line)
    tangent = dataclasses.replace(tangent, p_swap=jnp.zeros(4))
    forward = jax.jit(lambda *at: jax.jvp(lambda each: merit(each, KEPT, planned), (at[0],), (at[1],))[1])(
        line, tangent
    )
    reverse = gradient(line, KEPT, planned)
    total = sum(jnp.vdot(a, b) for a, b in zip(jax.tree.leaves(reverse), jax.tree.leaves(tangent), strict=True))
    np.testing.assert_allclose(forward, total, rtol=1e-10)


@pytest.mark.slow
def test_thousands_of_links():
    line = random_line(4096, False)
    line = dataclasses.replace(
        line, rates=line.rates * 1e-5, readout=1 - (1 - line.readout) * 1e-4, two_qubit=1 - (1 - line.two_qubit) * 1e-4,
        state=jnp.asarray(np.diag([1.0, 1.0, -1.0, 1.0])) * jnp.ones((4096, 1, 1)),
    )  # fmt: skip
    evaluator = Asap(step=1.0, num_steps=128, stride=64).planned(line, swap_asap())
    _, slope = at = VALUE_AND_GRADIENT(line, Ends.MEASURED, evaluator)
    direction = jnp.asarray(np.random.default_rng(1).normal(size=4096)) * 1e-3
    ends = [value(dataclasses.replace(line, p_success=line.p_success + h * direction), Ends.MEASURED, evaluator)
            for h in (1e-3, -1e-3)]  # fmt: skip
    np.testing.assert_allclose(jnp.vdot(slope.p_success, direction), (ends[0] - ends[1]) / 2e-3, rtol=1e-4)
    assert np.isfinite(at[0])
