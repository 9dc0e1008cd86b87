"""Pairs of users of a graph: a line is the chain, a star has closed forms, a ring goes the shorter way round."""

import itertools

import jax
import numpy as np
import pytest

from qtn import (
    Renewal,
    Sampled,
    abstract_link,
    balanced,
    chain,
    dephasing_memory,
    evaluate,
    evaluate_pairs,
    fidelity,
    gates,
    graph,
    node,
    parse,
    search,
    secret_key_rate,
    sequential,
    single_click,
)
from qtn.planning.space import SearchSpace

NODES = {name: node(dephasing_memory(t2=0.02 + 0.005 * k), gates(two_qubit=0.99)) for k, name in enumerate("abcd")}


def click(length, bright=0.1):
    return single_click(
        length_left=0.4 * length,
        length_right=0.6 * length,
        loss_left=0.4 * length * 2e-4,
        loss_right=0.6 * length * 2e-4,
        bright_state=[bright, 0.5 * bright],
    )


LINE = {("a", "b"): click(10e3), ("c", "b"): click(14e3, 0.2), ("c", "d"): click(10e3, 0.15)}


@pytest.mark.parametrize("order", [sequential, balanced], ids=["sequential", "balanced"])
def test_a_line_is_the_chain(order):
    """To 1e-12, with unlike links and nodes, one link written from its other end."""
    found = evaluate_pairs(graph(LINE, NODES), "abcd", lambda chain: order(chain.num_links))["a", "d"]
    turned = single_click(
        length_left=0.6 * 14e3,
        length_right=0.4 * 14e3,
        loss_left=0.6 * 14e3 * 2e-4,
        loss_right=0.4 * 14e3 * 2e-4,
        bright_state=[0.1, 0.2],
    )
    by_hand = chain([LINE["a", "b"], turned, LINE["c", "d"]], list(NODES.values()))
    outcome = Renewal().evaluate(by_hand, order(3))
    assert found.path == tuple("abcd")
    np.testing.assert_allclose(found.result.mean_time, outcome.mean_time, rtol=1e-12)
    np.testing.assert_allclose(found.result.bell_diagonal, outcome.bell_diagonal, rtol=1e-12, atol=1e-14)


def test_a_star_has_the_closed_form_of_two_links():
    """E[max of two geometric times] = 1/p + 1/q - 1/(p + q - p q), and w = w1 w2 without decay."""
    arms = {"ann": (0.5, 0.9), "bob": (0.2, 0.95), "eve": (0.7, 0.8), "joe": (0.1, 0.99)}
    links = {(name, "hub"): abstract_link(p_success=p, attempt_time=1.0, werner=w) for name, (p, w) in arms.items()}
    found = evaluate_pairs(graph(links), arms)
    assert list(found) == list(itertools.combinations(arms, 2))
    for (one, other), route in found.items():
        (p, v), (q, w) = arms[one], arms[other]
        assert route.path == (one, "hub", other)
        np.testing.assert_allclose(route.result.mean_time, 1 / p + 1 / q - 1 / (p + q - p * q), rtol=1e-10)
        np.testing.assert_allclose(fidelity(route.result.state), (1 + 3 * v * w) / 4, rtol=1e-12)


def ring(**options):
    links = {
        pair: abstract_link(p_success=0.3, attempt_time=1.0, werner=0.9) for pair in ("ab", "bc", "cd", "de", "ea")
    }
    return graph({tuple(pair): link for pair, link in links.items()}, **options)


def test_a_declared_path_takes_the_place_of_the_shortest():
    found = evaluate_pairs(ring(), "abc", paths=["cdea"])
    assert found["a", "b"].path == tuple("ab")
    assert found["a", "c"].path == tuple("aedc")
    werner = (4 * fidelity(found["a", "c"].result.state) - 1) / 3
    np.testing.assert_allclose(werner, 0.9**3, rtol=1e-12)


def test_one_schedule_and_one_searched_for_each_path():
    given = evaluate_pairs(ring(), "acd"[:2], parse("swap(0, 1, cutoff_time=3)"))["a", "c"]
    assert float(given.schedule.cutoff_times[0]) == 3.0

    def best(line):
        return search(line, SearchSpace(max_rounds=1)).best.schedule

    found, plain = (evaluate_pairs(ring(), "ac", how)["a", "c"] for how in (best, parse("swap(0, 1)")))
    assert secret_key_rate(found.result) >= secret_key_rate(plain.result)


def test_slopes_of_all_pairs_by_every_link():
    def total(p):
        links = {
            pair: abstract_link(p_success=p[k], attempt_time=1.0, werner=0.95) for k, pair in enumerate(("ah", "bh"))
        }
        links["ch"] = abstract_link(p_success=0.4, attempt_time=1.0, werner=0.95)
        star = graph({tuple(pair): link for pair, link in links.items()})
        return sum(1 / route.result.mean_time for route in evaluate_pairs(star, "abc").values())

    at, step = np.array([0.3, 0.5]), 1e-6
    slopes = jax.grad(total)(at)
    for k in range(2):
        move = step * np.eye(2)[k]
        np.testing.assert_allclose(slopes[k], (total(at + move) - total(at - move)) / (2 * step), rtol=1e-6)


def test_other_evaluators_take_the_same_paths():
    found = evaluate_pairs(ring(), "ac", evaluator=Sampled(num_samples=20_000))["a", "c"].result
    exact = evaluate_pairs(ring(), "ac")["a", "c"].result
    np.testing.assert_allclose(found.mean_time, exact.mean_time, rtol=0.03)  # three standard errors


def test_all_nodes_are_users_unless_some_are_named():
    assert len(evaluate_pairs(ring())) == 10


WRONG = {
    "a user that is no node": (lambda: evaluate_pairs(ring(), "ax"), "no node 'x'"),
    "one user": (lambda: evaluate_pairs(ring(), "a"), "two or more nodes"),
    "a user twice": (lambda: evaluate_pairs(ring(), "aba"), "each once"),
    "users not joined": (
        lambda: evaluate_pairs(graph({("a", "b"): LINE["a", "b"], ("c", "d"): LINE["c", "d"]}), "abd"),
        "No path joins 'a' and 'd'",
    ),
    "a path declared twice": (
        lambda: evaluate_pairs(ring(), "ac", paths=["abc", "cdea"]),
        "one path between 'c' and 'a'",
    ),
    "a path by no link": (lambda: evaluate_pairs(ring(), "ac", paths=["adc"]), "from 'a' to 'd', but no link"),
    "a schedule of other paths": (lambda: evaluate_pairs(ring(), "abc", parse("0")), "From a to c: .*"),
    "too many": (
        lambda: evaluate_pairs(graph({(k, k + 1): LINE["a", "b"] for k in range(300)})),
        "needs 45,150 pairs of users, but at most 20,000",
    ),
}


@pytest.mark.parametrize(("run", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_a_cure(run, message):
    with pytest.raises(ValueError, match=message):
        run()


def test_a_link_delivers_the_same_alone_and_in_a_graph():
    found = evaluate_pairs(graph(LINE, NODES), "ab")["a", "b"].result
    alone = evaluate(chain([LINE["a", "b"]], [NODES["a"], NODES["b"]]), parse("0"))
    np.testing.assert_allclose(found.bell_diagonal, alone.bell_diagonal, rtol=1e-12, atol=1e-14)
