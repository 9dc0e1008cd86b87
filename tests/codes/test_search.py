"""Searches over whole numbers: moves to neighbours find what whole tables hold, and both the published trees."""

import numpy as np
import pytest

from qtn import codes
from qtn.codes.tree import tree_time


def score(entries, length, error, choice):
    """Minus the published cost of a chain of trees (Borregaard et al. 2020; Wo et al. 2023): minus infinity = no key."""
    rows = np.asarray(entries)
    branching, stations = list(rows[:, :3].T.astype(float)), rows[:, 3].astype(float)
    arrive = codes.tree_success(branching, 1 - 0.95 * np.exp(-length / stations / 20), choice)
    wrong = 1 - (1 - error) ** stations
    key = 1 + (1 - wrong) * np.log2(1 - wrong) + wrong * np.log2(wrong / 3)
    time = tree_time(branching, 1e-9, 1e-7)
    with np.errstate(divide="ignore", over="ignore"):
        cost = stations * 20 * time / (arrive**stations * key * 1e-9 * length)
    return np.where(key > 0, -cost, -np.inf)


def allowed(entry):
    b0, b1, b2, stations = entry
    return min(b0, b1, b2) >= 2 and b0 * (1 + b1 * (1 + b2)) <= 300 and stations >= 1


ROWS = {
    "published": (501.18723362727246, 1e-3, "blind", (4, 14, 4, 151), 766372.0792),
    "near": (100.0, 1e-4, "blind", (3, 10, 4, 34), 47570.4466),
    "far": (1000.0, 1e-4, "blind", (4, 12, 4, 518), 199820.3017),
    "adaptive": (501.18723362727246, 1e-3, "adaptive", (7, 13, 2, 104), 185836.8214),
    "adaptive_far": (1000.0, 1e-4, "adaptive", (6, 11, 2, 291), 88496.3364),
}


@pytest.mark.parametrize(("length", "error", "rule", "entry", "cost"), ROWS.values(), ids=ROWS)
def test_best_trees(length, error, rule, entry, cost):
    def of(entries):
        return score(entries, length, error, codes.Choice(rule))

    whole = codes.best_of_table(of, codes.branchings(3, 300), range(1, 601))
    assert whole.entry == entry
    assert -whole.score == pytest.approx(cost, rel=1e-9)
    starts = [(*tree, int(length / 3)) for tree in ((4, 14, 4), (3, 6, 3), (5, 10, 4), (8, 10, 2))]
    climbed = codes.climb(of, starts, allowed)
    assert climbed.entry == entry
    assert climbed.num_scored < 5000 < whole.num_scored == 1365 * 600


def test_branchings_are_all_there_are():
    found = {tuple(row) for row in codes.branchings(3, 40, least=1).tolist()}
    every = {(a, b, c) for a in range(1, 41) for b in range(1, 41) for c in range(1, 41) if a * (1 + b * (1 + c)) <= 40}
    assert found == every
    assert len(codes.branchings(2, 3)) == 0


def test_large_tables_are_scored_in_parts():
    rows = codes.branchings(1, 3000, least=1)
    found = codes.best_of_table(lambda entries: -abs(entries[:, 0] * 1.0 - entries[:, 1]), rows, range(2500, 2700))
    assert found.entry == (2500, 2500) and found.num_scored == 600_000


def test_every_entry_is_scored_once():
    seen = []

    def of(entries):
        seen.extend(entries)
        return [-float((a - 20) ** 2 + (a - b) ** 2) for a, b in entries]

    found = codes.climb(of, [(1, 1)], lambda entry: min(entry) >= 0)
    assert found.entry == (20, 20) and len(seen) == len(set(seen)) == found.num_scored


def test_scores_that_are_no_numbers_are_the_worst():
    def of(entries):
        return [np.nan if a < 3 else -float(a) for (a,) in entries]

    assert codes.climb(of, [(1,)], lambda entry: entry[0] > 0).entry == (3,)
    assert codes.best_of_table(lambda rows: np.array(of(rows)), codes.branchings(1, 9, least=1)).entry == (3,)


def test_errors():
    with pytest.raises(ValueError, match="holds no entries: nothing fits into the limits"):
        codes.best_of_table(lambda entries: entries[:, 0], codes.branchings(2, 3))
    with pytest.raises(ValueError, match=r"`starts` must hold an entry that is allowed, but holds \[\(0, 1\)\]"):
        codes.climb(lambda entries: [0.0] * len(entries), [(0, 1)], lambda entry: min(entry) > 0)
    with pytest.raises(ValueError, match="`depth` must be a whole number of at least 1, but is 0"):
        codes.branchings(0, 10)
