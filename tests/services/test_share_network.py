"""Hardware that many users share: rates of ways, trusted nodes, distillation, and gradients by hardware."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import abstract_link, chain, evaluate, fidelity, nested, secret_key_rate
from qtn.links.graph import graph
from qtn.services import demand, share, share_network

STAR = {("ann", "hub"): 0.1, ("bob", "hub"): 0.2, ("eve", "hub"): 0.15}
SQUARE = STAR | {("ann", "bob"): 0.05, ("bob", "eve"): 0.06}


def network(chances, fidelity=0.97):
    links = {pair: abstract_link(p_success=p, attempt_time=1e-3, fidelity=fidelity) for pair, p in chances.items()}
    return graph(links)


def alone(first, second, level=1, rounds=None):
    links = [abstract_link(p_success=p, attempt_time=1e-3, fidelity=0.97) for p in (first, second)]
    return evaluate(chain(links), nested(level, rounds=rounds))


def test_one_pair_gets_what_its_chain_delivers():
    found = share_network(network(STAR), [demand("ann", "bob", kind="pairs")])
    there = alone(0.1, 0.2)
    assert found.rates[0] == pytest.approx(1 / float(there.mean_time), rel=1e-12)
    assert found.fidelities[0] == pytest.approx(float(fidelity(there.state)), rel=1e-12)


def test_users_of_a_star_take_turns():
    found = share_network(network(STAR), [("ann", "bob"), ("ann", "eve")])
    first, second = (float(secret_key_rate(alone(0.1, p))) for p in (0.2, 0.15))
    assert np.allclose(found.rates, 1 / (1 / first + 1 / second), rtol=1e-9)  # the link of ann is full
    assert found.prices["ann", "hub"] == pytest.approx(found.welfare, rel=1e-9)


def test_trusted_nodes_make_it_a_network_of_links():
    alone_rates = {
        pair: float(secret_key_rate(evaluate(network({pair: p}).chain(pair), nested(0)))) for pair, p in SQUARE.items()
    }
    pairs = [("ann", "eve"), ("ann", "bob"), ("bob", "eve")]
    found = share_network(network(SQUARE), pairs, "proportional", trusted=["hub", "ann", "bob", "eve"])
    expected = share(alone_rates, pairs, "proportional")
    assert np.allclose(found.rates, expected.rates, rtol=1e-9)
    assert [float(x) for x in found.prices.values()] == pytest.approx(
        [float(x) for x in expected.worth.values()], rel=1e-8, abs=1e-9
    )


def test_distillation_is_taken_where_fidelity_asks_for_it():
    asked = demand("ann", "bob", kind="pairs", least_fidelity=0.95, rounds=1)
    found = share_network(network(STAR), [asked])
    distilled = alone(0.1, 0.2, rounds=(1, 0))
    assert found.rates[0] == pytest.approx(1 / float(distilled.mean_time), rel=1e-9)
    assert found.fidelities[0] == pytest.approx(float(fidelity(distilled.state)), rel=1e-12)


@pytest.mark.parametrize(
    "fairness, trusted",
    [
        ("proportional", ("hub",)),
        *(
            pytest.param(fairness, trusted, marks=pytest.mark.slow)
            for fairness, trusted in [("max_min", ()), ("max_min", ("hub",)), ("proportional", ()), ("total", ())]
        ),
    ],
)
def test_gradients_by_hardware(fairness, trusted):
    names = list(SQUARE)
    asked = [demand("ann", "eve", weight=2.0, rounds=1), demand("bob", "eve", kind="pairs", least_fidelity=0.93)]

    def shared(chances):
        return share_network(network(dict(zip(names, chances, strict=True))), asked, fairness, trusted=trusted)

    def numbers(chances):
        found = shared(chances)
        return jnp.append(found.rates, found.welfare)

    values = jnp.array(list(SQUARE.values()))
    *slopes, slope = jax.jacrev(numbers)(values)
    slopes = jnp.stack(slopes)
    assert np.all(np.isfinite(slope))
    for place in (0, 3):
        step = 1e-5 * np.eye(len(names))[place]
        more, less = (shared(np.asarray(values) + sign * step) for sign in (1, -1))
        assert slope[place] == pytest.approx(float(more.welfare - less.welfare) / 2e-5, rel=1e-5, abs=1e-5)
        assert np.asarray(slopes[:, place]) == pytest.approx((more.rates - less.rates) / 2e-5, rel=1e-4, abs=1e-3)
        assert abs(float(more.share.dual - more.welfare)) < 1e-9


def test_a_graph_in_is_a_graph_out():
    slope = jax.grad(lambda x: share_network(x, [("ann", "bob")]).welfare)(network(STAR))
    assert float(slope.links[0].p_success) > 0 and float(slope.links[2].p_success) == 0


@pytest.mark.parametrize("fairness", ["max_min", "proportional", "total"])
def test_bad_pairs_give_no_key_and_no_nan(fairness):
    found = share_network(network(STAR, fidelity=0.6), [("ann", "bob"), ("ann", "eve")], fairness)
    assert found.rates.tolist() == [0.0, 0.0]
    assert all(price == 0 for price in found.prices.values())
    assert "No path gives ann and bob a key" in found.warnings()[0]
    slope = jax.grad(lambda x: share_network(x, [("ann", "bob")], "max_min").welfare)(network(STAR, fidelity=0.6))
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(slope))


@pytest.mark.parametrize(
    "asked, options, said",
    [
        ([("ann", "zoe")], {}, "Demand 0 names the user 'zoe'"),
        ([("ann", "bob")], {"trusted": ["zoe"]}, "`trusted` names 'zoe', but the nodes are 'ann', 'hub'"),
        (
            [demand("ann", "bob", least_fidelity=0.99)],
            {},
            "Demand 0: ann and bob ask for a fidelity of 0.99, but the best that any of their paths allows is 0.9412",
        ),
        ([demand("ann", "bob", num_paths=20)] * 10_000, {}, "ways to serve demands"),
    ],
)
def test_wrong_demands_say_so(asked, options, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        share_network(network(STAR), asked, **options)


def test_users_in_two_parts_say_so():
    apart = network({("ann", "hub"): 0.1, ("bob", "eve"): 0.2})
    with pytest.raises(ValueError, match="Demand 0: no path joins ann and bob"):
        share_network(apart, [("ann", "bob")])
