"""Links that many users share: the best rates, the prices that prove it, and their derivatives."""

import itertools
import math
import re

import jax
import numpy as np
import pytest

from qtn.services import Fairness, demand, share
from tests.oracles.flows import shared

SIX = {(3, 4): 2000.0, (4, 5): 17000.0, (0, 3): 5700.0, (1, 4): 8000.0, (0, 1): 500.0, (1, 2): 1000.0}
RING = {("a", "b"): 5.0, ("b", "c"): 3.0, ("c", "a"): 4.0}
ASKED = [("a", "b"), ("a", "c")]
WEIGHED = [demand("a", "b", weight=2.0), demand("a", "c"), demand("b", "c", weight=0.5)]


def random_network(seed, size=7, extra=5):
    rng = np.random.default_rng(seed)
    links = {(int(rng.integers(i)), i): float(rng.lognormal()) for i in range(1, size)}
    while len(links) < size - 1 + extra:
        a, b = sorted(rng.choice(size, 2, replace=False).tolist())
        links.setdefault((a, b), float(rng.lognormal()))
    pairs = list(itertools.combinations(range(size), 2))
    chosen = [pairs[i] for i in rng.choice(len(pairs), 6, replace=False)]
    return links, chosen, rng.uniform(0.5, 2.0, 6)


def test_six_nodes_share_the_link_that_limits_them():
    found = share(SIX, list(itertools.combinations(range(6), 2)), "max_min")
    assert np.allclose(found.rates, 200, rtol=1e-12)
    assert {link for link, price in found.prices.items() if price > 1e-12} == {(1, 2)}
    assert found.prices[1, 2] == pytest.approx(1 / 5, rel=1e-12)
    assert found.kinks == ()


def test_all_pairs_are_the_default():
    assert np.allclose(share(SIX).rates, 200, rtol=1e-12)
    assert [each.users for each in share(SIX).demands] == list(itertools.combinations(range(6), 2))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("fairness", ["max_min", "total"])
def test_welfare_and_prices_are_those_of_flows_over_arcs(seed, fairness):
    links, pairs, weights = random_network(seed)
    found = share(links, [demand(*p, weight=w) for p, w in zip(pairs, weights, strict=True)], fairness)
    welfare, prices = shared(links, pairs, weights, fairness)
    assert found.welfare == pytest.approx(welfare, rel=1e-9)
    if not found.kinks:
        assert [found.prices[link] for link in links] == pytest.approx([prices[link] for link in links], abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_proportional_shares_meet_the_conditions_of_the_optimum(seed):
    links, pairs, weights = random_network(seed)
    found = share(links, [demand(*p, weight=w) for p, w in zip(pairs, weights, strict=True)], "proportional")
    capacities, prices = np.array(list(links.values())), np.array(list(found.prices.values()))
    loads = np.sum(found.link_loads, axis=0)
    assert np.all(loads <= capacities * (1 + 1e-9)) and np.all(prices >= 0)
    assert np.abs(prices * (capacities - loads)).max() < 1e-9
    assert prices @ capacities == pytest.approx(weights.sum(), rel=1e-9)
    for pair, rate, weight in zip(pairs, found.rates, weights, strict=True):
        cheapest = min(sum(prices[list(links).index(link)] for link in path) for path in simple_paths(links, *pair))
        assert cheapest == pytest.approx(weight / rate, rel=1e-9)  # all that it uses is on cheapest paths


def simple_paths(links, source, sink, seen=()):
    if source == sink:
        yield []
        return
    for link in links:
        if source in link:
            other = link[0] if link[1] == source else link[1]
            if other not in (*seen, source):
                yield from ([link, *rest] for rest in simple_paths(links, other, sink, (*seen, source)))


@pytest.mark.parametrize("wanted", [math.inf, 0.3])
@pytest.mark.parametrize("fairness", list(Fairness))
@pytest.mark.parametrize("seed", range(3))
def test_prices_times_rates_add_up(seed, fairness, wanted):
    links, pairs, weights = random_network(seed)
    asked = [demand(*p, weight=w) for p, w in zip(pairs[1:], weights[1:], strict=True)]
    found = share(links, [demand(*pairs[0], wanted=wanted), *asked], fairness)
    scale = weights.sum() if fairness is Fairness.PROPORTIONAL else abs(found.welfare)
    assert abs(found.dual - found.welfare) < 1e-9 * scale
    assert found.rates[0] <= wanted * (1 + 1e-9)


def test_strong_duality_in_plain_sums():
    links, pairs, _ = random_network(0)
    for fairness in ("max_min", "total"):
        found = share(links, pairs, fairness)
        assert sum(found.worth.values()) == pytest.approx(found.welfare, rel=1e-9)


@pytest.mark.parametrize("fairness", list(Fairness))
def test_gradients_are_prices(fairness):
    def welfare(rates):
        return share(rates, WEIGHED, fairness).welfare

    slope = jax.grad(welfare)(RING)
    for link, rate in RING.items():
        step = 1e-5 * rate
        more, less = (welfare(RING | {link: rate + sign * step}) for sign in (1, -1))
        assert slope[link] == pytest.approx((more - less) / (2 * step), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("fairness", list(Fairness))
def test_rates_have_derivatives(fairness):
    slopes = jax.jacrev(lambda rates: share(rates, WEIGHED, fairness).rates)(RING)
    for link, rate in RING.items():
        step = 1e-4 * rate
        more, less = (share(RING | {link: rate + sign * step}, WEIGHED, fairness).rates for sign in (1, -1))
        assert np.asarray(slopes[link]) == pytest.approx((more - less) / (2 * step), rel=1e-5, abs=1e-6)


def test_compiled_shares_are_the_same():
    found = jax.jit(lambda rates: share(rates, ASKED, "proportional"))(RING)
    assert np.allclose(found.rates, share(RING, ASKED, "proportional").rates, rtol=1e-12)
    assert found.fairness is Fairness.PROPORTIONAL


def test_flows_use_several_paths():
    found = share(RING, ASKED)
    assert found.flows["a", "c"] == pytest.approx({("a", "c"): 4.0, ("a", "b", "c"): 0.5})
    assert sum(found.path_rates) == pytest.approx(sum(found.rates), rel=1e-12)
    assert np.allclose(found.used, [1.0, 0.5 / 3, 1.0])


def test_who_wants_little_gets_it_and_no_more():
    found = share({("a", "b"): 10.0}, [demand("a", "b", wanted=2.0), demand("b", "a"), demand("a", "b", weight=3.0)])
    assert np.allclose(found.rates, [2.0, 2.0, 6.0])
    plenty = share({("a", "b"): 10.0}, [demand("a", "b", wanted=2.0)])
    assert (plenty.rates.tolist(), plenty.welfare, plenty.prices["a", "b"]) == ([2.0], 2.0, 0.0)


def test_links_in_series_have_a_kink():
    found = share({("a", "b"): 1.0, ("b", "c"): 1.0}, [("a", "c")])
    assert set(found.kinks) == {("a", "b"), ("b", "c")}
    assert "more of such a link is worth something else" in found.warnings()[0]
    assert share(RING, ASKED).warnings() == []


@pytest.mark.parametrize("fairness", list(Fairness))
def test_a_dead_link_leaves_the_others(fairness):
    dead = RING | {("c", "d"): 0.0}
    found = share(dead, [("a", "b"), ("a", "d")], fairness)
    assert found.rates[1] == 0
    assert all(np.isfinite(price) for price in found.prices.values())
    nothing = share(dict.fromkeys(RING, 0.0), ASKED, fairness)
    assert nothing.rates.tolist() == [0.0, 0.0]
    assert found.rates[0] > 0 or fairness is Fairness.MAX_MIN


@pytest.mark.parametrize("fairness", list(Fairness))
def test_rates_of_many_orders_of_magnitude(fairness):
    wide = {("a", "b"): 1e9, ("b", "c"): 1e-3, ("c", "a"): 1.0}
    found = share(wide, ASKED, fairness)
    scale = 2.0 if fairness is Fairness.PROPORTIONAL else abs(found.welfare)
    assert abs(found.dual - found.welfare) < 1e-9 * scale
    assert np.all(np.sum(found.link_loads, axis=0) <= np.array(list(wide.values())) * (1 + 1e-9))


@pytest.mark.parametrize(
    "rates, asked, options, said",
    [
        ({}, None, {}, "must hold at least one link"),
        ({("a", "a"): 1.0}, None, {}, "two different nodes, but has the link ('a', 'a')"),
        ({("a", "b"): 1.0, ("b", "a"): 2.0}, None, {}, "has the link ('b', 'a') twice, as ('a', 'b') too"),
        ({("a", "b"): -1.0}, None, {}, "`rates[('a', 'b')]` must be non-negative and finite, but is -1.0"),
        ({("a", "b"): math.inf}, None, {}, "must be non-negative and finite"),
        ({("a", "b"): [1.0, 2.0]}, None, {}, "must be one number"),
        (RING, [("a", "x")], {}, "Demand 0 names the user 'x', but the nodes are 'a', 'b', 'c'"),
        (RING, [], {}, "must hold at least one demand"),
        (RING, None, {"fairness": "equal"}, "'max_min', 'proportional' or 'total', but is 'equal'"),
        (RING | {("d", "e"): 1.0}, [("a", "d")], {}, "Demand 0: no path joins a and d; a reaches a, b, c"),
        (RING, [demand("a", "b", least_fidelity=0.9)], {}, "asks for a fidelity of 0.9, but rates alone say nothing"),
    ],
)
def test_wrong_networks_say_so(rates, asked, options, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        share(rates, asked, **options)


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"second": "a"}, "two different users"),
        ({"weight": 0.0}, "`weight` must be positive"),
        ({"wanted": -1.0}, "`wanted` must be positive"),
        ({"least_fidelity": 1.5}, "`least_fidelity` must lie in [0, 1]"),
        ({"kind": "money"}, "'key' or 'pairs', but is 'money'"),
        ({"num_paths": 0}, "whole number from 1 to 20"),
        ({"rounds": 9}, "whole number from 0 to 4"),
    ],
)
def test_wrong_demands_say_so(wrong, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        demand(**({"first": "a", "second": "b"} | wrong))


def test_too_much_is_refused_first():
    many = {(0, i): 1.0 for i in range(1, 5001)}
    with pytest.raises(ValueError, match="demands times links"):
        share(many, [demand(1, 2)] * 5000)
