"""The search against brute force, its methods against each other, and its promises."""

import functools

import numpy as np
import pytest

import qtn
from qtn.planning.objective import Objective
from qtn.planning.search import SearchSettings, search
from qtn.planning.space import SearchSpace
from qtn.schedules.tree import Distill, Schedule, Swap, subtrees
from qtn.steps.distill import BBPSSW, DEJMPS
from tests.planning.test_space import every_tree


def uneven(num_links, seed=0):
    random = np.random.default_rng(seed)
    links = [
        qtn.abstract_link(p_success=random.uniform(0.02, 0.9), attempt_time=1.0, werner=random.uniform(0.93, 0.99))
        for _ in range(num_links)
    ]
    nodes = [
        qtn.node(
            qtn.dephasing_memory(random.uniform(2e3, 1e4)),
            qtn.gates(two_qubit=random.uniform(0.99, 1.0), readout=0.995),
            random.uniform(0.5, 1.0),
        )
        for _ in range(num_links + 1)
    ]
    return qtn.chain(links, nodes)


def even(num_links, p=0.1, werner=0.96):
    memory = qtn.depolarising_memory(2e3)
    return qtn.chain(
        qtn.abstract_link(p_success=p, attempt_time=1.0, werner=werner),
        qtn.node(memory, p_swap=0.8),
        num_links=num_links,
    )


def by_hand(chain, tree, objective):
    schedule = Schedule(tree=tree, cutoff_times=qtn.parse("0").cutoff_times, wait_times=qtn.parse("0").wait_times)
    found = qtn.evaluate(chain, schedule)
    merits = objective.merits(
        np.asarray(found.mean_time)[None], np.asarray(found.state)[None], lambda: objective.on(chain)
    )
    return float(objective.scores(merits)[0])


@pytest.mark.parametrize(
    ("chain", "space"),
    [
        (uneven(2), SearchSpace(max_rounds=2, pumping=True)),
        pytest.param(uneven(3, 1), SearchSpace(max_rounds=1, protocols=(DEJMPS,)), marks=pytest.mark.slow),
        pytest.param(even(3), SearchSpace(max_rounds=1), marks=pytest.mark.slow),
        (uneven(1, 2), SearchSpace(max_rounds=3, protocols=(BBPSSW, DEJMPS))),
    ],
    ids=["pumping", "uneven", "even", "one link"],
)
def test_exhaustive_search_finds_what_brute_force_finds(chain, space):
    objective = Objective()
    expected = max(by_hand(chain, tree, objective) for tree in every_tree(0, chain.num_links - 1, space))
    found = search(chain, space, objective, settings=SearchSettings(method="exhaustive"))
    assert found.best.score == pytest.approx(expected, rel=1e-6)
    assert found.guarantee.startswith("Optimal")


@functools.cache
def of_an_uneven_chain(seed, method):
    return search(uneven(4, seed), SearchSpace(max_rounds=1), settings=SearchSettings(method=method, num_leaders=1))


@pytest.mark.parametrize("seed", [3, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("method", ["pareto", pytest.param("beam", marks=pytest.mark.slow)])
def test_fast_searches_find_the_optimum_of_an_uneven_chain(seed, method):
    best, fast = (of_an_uneven_chain(seed, each) for each in ("exhaustive", method))
    assert fast.best.score == pytest.approx(best.best.score, rel=1e-7)
    assert fast.evaluated < best.evaluated and fast.method == method
    assert "No proof" in fast.guarantee if method == "pareto" else fast.guarantee.startswith("None")


def test_leaders_are_distinct_sorted_and_evaluated_in_full():
    chain = uneven(3, 5)
    found = search(chain, SearchSpace(max_rounds=1), settings=SearchSettings(num_leaders=5))
    assert len({leader.schedule.tree for leader in found.leaders}) == 5
    scores = [leader.score for leader in found.leaders]
    assert scores == sorted(scores, reverse=True)
    for leader in found.leaders:
        outcome = qtn.evaluate(chain, leader.schedule)
        assert leader.mean_time == pytest.approx(float(outcome.mean_time), rel=1e-6)
        assert leader.merits["fidelity"] == pytest.approx(float(outcome.bell_diagonal[0]), abs=1e-6)
    assert all(leader.searched_score == pytest.approx(leader.score, rel=0.02) for leader in found.leaders)


@pytest.mark.slow
def test_a_mirrored_chain_has_the_mirrored_optimum():
    chain = uneven(4, 6)
    backward = qtn.chain([chain.links[i] for i in range(3, -1, -1)], [chain.node(i) for i in range(4, -1, -1)])
    settings = SearchSettings(num_leaders=1)
    there, back = (search(each, SearchSpace(max_rounds=1), settings=settings).best for each in (chain, backward))
    assert there.score == pytest.approx(back.score, rel=1e-9)


def test_a_given_order_is_kept():
    order = qtn.parse("swap(0, swap(1, swap(2, 3)))").tree
    found = search(even(4), SearchSpace(max_rounds=1, order=order), settings=SearchSettings(num_leaders=3))
    for leader in found.leaders:
        joints = [(s.first, s.right.first) for s in subtrees(leader.schedule.tree) if isinstance(s, Swap)]
        assert set(joints) == {(2, 3), (1, 2), (0, 1)}


def test_slots_limit_the_pairs_at_every_node():
    chain = even(2, werner=0.93)
    pure = Objective("secret_fraction")
    free = search(chain, SearchSpace(max_rounds=2), pure).best
    tight = search(chain, SearchSpace(max_rounds=2, slots=2), pure).best
    assert any(isinstance(part, Distill) for part in subtrees(free.schedule.tree))
    assert not any(isinstance(part, Distill) for part in subtrees(tight.schedule.tree))
    assert tight.score < free.score


def test_minimum_fidelity_is_respected_and_costs_rate():
    chain = even(3)
    free = search(chain, SearchSpace(max_rounds=1), Objective("rate_hz")).best
    bound = search(chain, SearchSpace(max_rounds=1), Objective("rate_hz", minimum={"fidelity": 0.93})).best
    assert free.merits["fidelity"] < 0.93 <= bound.merits["fidelity"] and bound.violation == 0
    assert bound.merits["rate_hz"] < free.merits["rate_hz"]


def test_an_unreachable_minimum_gives_the_closest_schedule():
    found = search(even(3), SearchSpace(max_rounds=1), Objective("rate_hz", minimum={"fidelity": 0.9999})).best
    assert found.violation > 0 and 0.9 < found.merits["fidelity"] < 0.9999


def test_chains_without_key_are_ranked_by_how_far_they_are_from_it():
    found = search(even(2, werner=0.6), SearchSpace(max_rounds=0))
    assert found.best.merits["secret_fraction"] < 0
    assert found.best.score == pytest.approx(found.best.merits["fidelity"] - 1, rel=1e-12)


def test_cutoffs_help_where_memories_are_short():
    memory = qtn.depolarising_memory(60.0)
    chain = qtn.chain(qtn.abstract_link(p_success=0.1, attempt_time=1.0, werner=0.98), qtn.node(memory), num_links=2)
    without = search(chain, SearchSpace(max_rounds=0)).best
    found = search(chain, SearchSpace(max_rounds=0, cutoffs=True)).best
    assert found.score > 1.05 * without.score and found.schedule.cutoff_times.size == 1


def test_an_interrupt_keeps_the_best_so_far():
    def stop(progress):
        if progress.phase == "search":
            raise KeyboardInterrupt

    found = search(even(4), SearchSpace(max_rounds=1), report=stop)
    assert found.interrupted and found.best.score > 0 and "interrupted" in found.guarantee


def test_an_interrupt_before_anything_was_found_is_passed_on():
    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(even(2), SearchSpace(), report=stop)


def test_progress_grows_and_the_search_is_deterministic():
    seen = []
    first = search(even(3), SearchSpace(max_rounds=1), report=seen.append)
    assert [p.evaluated for p in seen] == sorted(p.evaluated for p in seen)
    assert {p.phase for p in seen} == {"quick look", "search"}
    assert search(even(3), SearchSpace(max_rounds=1)).best.score == first.best.score


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Objective("speed"), "speed.*choose from"),
        (lambda: Objective(minimum={"fidelity": 1.2}), r"minimum\.fidelity: must lie in \(0, 1\)"),
        (lambda: Objective(minimum={"rate_hz": 0.0}), "minimum.rate_hz: must be positive"),
        (lambda: search(even(2), SearchSpace(slots=1)), "slots"),
    ],
)
def test_bad_requests_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
