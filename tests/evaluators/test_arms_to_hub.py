"""Arms of a gathering along the paths of a graph."""

import jax
import numpy as np
import pytest

from qtn import (
    Renewal,
    abstract_link,
    arms_to_hub,
    chain,
    dephasing_memory,
    evaluate,
    gather,
    graph,
    nested,
    node,
    pairs_of,
)

SUCCESS = {"ann": 0.3, "bob": 0.2, "eve": 0.6}


def link(p, time=1.0):
    return abstract_link(p_success=p, attempt_time=time, werner=0.95)


def star(success=tuple(SUCCESS.values()), **options):
    links = {(name, "hub"): link(p) for name, p in zip(SUCCESS, success, strict=True)}
    return graph(links, node(dephasing_memory(t2=20.0)), **options)


def test_unlike_arms_have_the_closed_form_of_the_slowest():
    """E[max] by inclusion and exclusion of geometric times."""
    found = gather(arms_to_hub(star(), SUCCESS, "hub"), star().node("hub"))
    p, q, r = SUCCESS.values()
    either = [1 - np.prod([1 - x for x in some]) for some in ((p, q), (p, r), (q, r), (p, q, r))]
    wanted = 1 / p + 1 / q + 1 / r - sum(1 / x for x in either[:3]) + 1 / either[3]
    np.testing.assert_allclose(found.mean_time, wanted, rtol=1e-9)


def test_arms_over_several_links_are_those_of_the_chains():
    longer = graph(
        {("hub", "ann"): link(0.3), ("bob", "mid"): link(0.4), ("hub", "mid"): link(0.5)},
        node(dephasing_memory(t2=30.0)),
    )
    how = Renewal(step=1.0, num_steps=1024)
    found = arms_to_hub(longer, ["ann", "bob"], "hub", evaluator=how)
    ends = node(dephasing_memory(t2=30.0))
    lines = [chain([link(0.3)], ends), chain([link(0.4), link(0.5)], ends)]
    by_hand = [pairs_of(how.evaluate(line, nested(k)), line) for k, line in enumerate(lines)]
    for one, other in zip(found, by_hand, strict=True):
        np.testing.assert_allclose(one.states, other.states, rtol=1e-12, atol=1e-15)


def test_arms_of_different_attempts_share_the_finest_step():
    unlike = graph({("ann", "hub"): link(0.3, 1.0), ("bob", "hub"): link(0.1, 2.0)})
    one, other = arms_to_hub(unlike, ["ann", "bob"], "hub")
    assert one.step == other.step and one.states.shape == other.states.shape
    np.testing.assert_allclose([one.mean_time, other.mean_time], [1 / 0.3, 2 / 0.1], rtol=1e-9)


def test_slopes_by_links_of_the_graph():
    def correlations(p):
        how = Renewal(step=1.0, num_steps=256)
        return arms_to_hub(star([p, 0.2, 0.6]), SUCCESS, "hub", evaluator=how)[0].states[:5, 3, 3].sum()

    slope, step = jax.grad(correlations)(0.3), 1e-5
    wanted = (correlations(0.3 + step) - correlations(0.3 - step)) / (2 * step)
    np.testing.assert_allclose(slope, wanted, rtol=1e-6)


def test_a_single_pair_of_arms_is_the_path_over_the_hub():
    found = gather(arms_to_hub(star(), ["ann", "bob"], "hub"), star().node("hub"))
    path = evaluate(star().chain(["ann", "hub", "bob"]), nested(1))
    np.testing.assert_allclose(found.mean_time, path.mean_time, rtol=1e-9)


WRONG = {
    "the hub as a user": (lambda: arms_to_hub(star(), ["ann", "hub"], "hub"), "none of them the hub 'hub'"),
    "one user": (lambda: arms_to_hub(star(), ["ann"], "hub"), "two or more nodes"),
    "a user twice": (lambda: arms_to_hub(star(), ["ann", "ann"], "hub"), "each once"),
    "no such hub": (lambda: arms_to_hub(star(), ["ann", "bob"], "hut"), "no node 'hut'"),
    "no path": (
        lambda: arms_to_hub(graph({("a", "b"): link(0.5), ("c", "d"): link(0.5)}), ["a", "c"], "d"),
        "No path joins 'a' and 'd'",
    ),
    "no grid": (
        lambda: arms_to_hub(graph({("a", "h"): link(0.5, 1e-9), ("b", "h"): link(0.5, 1.0)}), "ab", "h"),
        "The fastest arm needs a step of .* Give `evaluator=Renewal",
    ),
}


@pytest.mark.parametrize(("run", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_a_cure(run, message):
    with pytest.raises(ValueError, match=message):
        run()
