"""Search spaces: their size is known before anything is evaluated."""

import itertools

import pytest

import qtn
from qtn.planning.segments import Segments
from qtn.planning.space import SearchSpace, count, describe
from qtn.schedules.tree import Distill, Elementary, Swap
from qtn.steps.distill import BBPSSW, DEJMPS


def line(num_links, alike=True):
    links = [
        qtn.abstract_link(p_success=0.5 / (1 if alike else i + 1), attempt_time=1.0, werner=0.9)
        for i in range(num_links)
    ]
    return qtn.chain(links)


def segments_of(chain, **options):
    return Segments(chain, **options)


def every_tree(first, last, space):
    """Every tree of a segment by the definition, symmetric ones included."""
    plain = [Elementary(first)] if first == last else []
    for middle in range(first + 1, last + 1):
        pairs = itertools.product(every_tree(first, middle - 1, space), every_tree(middle, last, space))
        plain += [Swap(a, b, None) for a, b in pairs]
    found, now = list(plain), [(tree, tree, 0) for tree in plain]
    for _ in range(space.max_rounds):
        now = [
            (Distill(tree, consumed, protocol, None), base, done + 1)
            for tree, base, done in now
            for protocol in space.protocols
            for consumed in ([tree, base] if space.pumping and done else [tree])
        ]
        found += [tree for tree, _, _ in now]
    return found


@pytest.mark.parametrize(("rounds", "number"), [(0, 2), (1, 138), (2, 1971)])
def test_published_numbers_of_distinct_trees_of_four_links(rounds, number):
    assert count(SearchSpace(max_rounds=rounds), segments_of(line(4))) == (number, True)


@pytest.mark.parametrize(
    "space",
    [
        SearchSpace(max_rounds=1),
        SearchSpace(max_rounds=2, pumping=True),
        SearchSpace(max_rounds=1, protocols=(BBPSSW, DEJMPS)),
        SearchSpace(max_rounds=0, protocols=()),
    ],
    ids=["one round", "pumping", "two protocols", "no distillation"],
)
@pytest.mark.parametrize("num_links", [1, 2, 3])
def test_without_symmetry_every_tree_counts(num_links, space):
    number, exact = count(space, segments_of(line(num_links, alike=False)))
    assert exact and number == len(every_tree(0, num_links - 1, space))


@pytest.mark.parametrize("slots", [1, 2, 3, 4, 6, 8])
def test_slots_count_trees_whose_nodes_hold_all_pairs_at_once(slots):
    space = SearchSpace(max_rounds=2, pumping=True, slots=slots)

    def demand(tree, link):
        if isinstance(tree, Elementary):
            return int(tree.first == link)
        return sum(demand(child, link) for child in tree.children)

    def fits(tree):
        copies = [0, *(demand(tree, link) for link in range(2)), 0]
        return max(a + b for a, b in itertools.pairwise(copies)) <= slots

    chain = line(2, alike=False)
    expected = sum(map(fits, every_tree(0, 1, space)))
    assert count(space, segments_of(chain, mirror=False)) == (expected, True)


def test_a_given_order_of_swaps_leaves_only_the_rounds():
    order = qtn.parse("swap(distill(0), swap(1, 2))").tree
    number, exact = count(SearchSpace(max_rounds=1, order=order), segments_of(line(3), order=order))
    assert exact and number == 2**5


def test_large_spaces_are_counted_and_read_well():
    number, exact = count(SearchSpace(max_rounds=2), segments_of(line(20)))
    assert exact and number > 10**18
    assert describe(1971, True) == "1,971 distinct trees"
    assert describe(10**400, False) == "at most 1e400 distinct trees"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_rounds": -1}, "max_rounds"),
        ({"protocols": ()}, "protocols"),
        ({"protocols": (BBPSSW, BBPSSW)}, "once"),
        ({"slots": 0}, "slots"),
    ],
)
def test_impossible_spaces_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        SearchSpace(**options)
