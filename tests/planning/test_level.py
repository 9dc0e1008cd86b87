"""Searches where pairs are more than their Bell weights, and where a round consumes more than one pair."""

import jax.numpy as jnp
import numpy as np
import pytest

import qtn
from qtn.evaluators.renewal import Renewal
from qtn.hardware.memory import relaxing_memory
from qtn.planning.level import level_for
from qtn.planning.objective import Objective, characters
from qtn.planning.search import SearchSettings, search
from qtn.planning.space import SearchSpace, growth
from qtn.schedules.tree import Schedule
from qtn.states.pair import BELL_FROM_CHARACTERS, bell_from_pauli
from qtn.steps.distill import PROTOCOLS
from qtn.steps.level import LEVELS, PAULI, X_TYPE
from tests.planning.test_space import every_tree

EPL, CODE_3, DOUBLE, DEJMPS = (PROTOCOLS[name] for name in ("epl", "code3", "double_selection", "dejmps"))


def relaxing(num_links, seed=None):
    """A chain with finite T1; uneven if there is a seed."""
    random = np.random.default_rng(seed)
    shift = [0.0 if seed is None else random.uniform(-0.2, 0.2) for _ in range(num_links + 1)]
    links = [qtn.abstract_link(p_success=0.5 + d, attempt_time=1.0, werner=0.96) for d in shift[:-1]]
    nodes = [qtn.node(relaxing_memory(t1=120 * (1 + d), t2=90.0), p_swap=0.9) for d in shift]
    return qtn.chain(links, nodes)


def scores(chain, space, objective):
    """The score of every tree of a space, by the evaluator."""
    times = qtn.parse("0").cutoff_times, qtn.parse("0").wait_times
    found = []
    for tree in every_tree(0, chain.num_links - 1, space):
        summary = Renewal().summarise(chain, Schedule(tree=tree, cutoff_times=times[0], wait_times=times[1]))
        merits = objective.merits(
            np.asarray(summary.mean_time)[None], np.asarray(summary.state)[None], lambda: objective.on(chain)
        )
        found.append(float(objective.scores(merits)[0]))
    return found


@pytest.mark.parametrize(
    ("chain", "space"),
    [
        pytest.param(
            relaxing(2, seed=1), SearchSpace(max_rounds=1, protocols=(DEJMPS,)), marks=pytest.mark.slow
        ),
        (relaxing(2), SearchSpace(max_rounds=1, protocols=(EPL,))),
        (relaxing(3), SearchSpace(max_rounds=0)),
        pytest.param(
            relaxing(1), SearchSpace(max_rounds=1, protocols=(CODE_3, DOUBLE)), marks=pytest.mark.slow
        ),
        pytest.param(
            qtn.chain(qtn.abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9), num_links=2),
            SearchSpace(max_rounds=1, protocols=(CODE_3,)),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["T1, uneven", "T1, epl", "T1, equal links", "T1, three pairs", "three pairs"],
)  # fmt: skip
def test_exhaustive_search_finds_what_the_evaluator_finds(chain, space):
    objective = Objective("fidelity")
    found = search(chain, space, objective, settings=SearchSettings(method="exhaustive"))
    assert found.best.score == pytest.approx(max(scores(chain, space, objective)), rel=1e-7)


def test_mirror_images_are_different_schedules_where_memories_relax():
    space, objective = SearchSpace(max_rounds=0), Objective("fidelity")
    found = search(relaxing(3), space, objective)
    assert found.num_trees == 2
    assert sorted(leader.score for leader in found.leaders) == pytest.approx(
        sorted(scores(relaxing(3), space, objective)), rel=1e-7
    )
    kept = qtn.chain(qtn.abstract_link(p_success=0.5, attempt_time=1.0, werner=0.96), num_links=3)
    assert search(kept, space, objective).num_trees == 1


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS)
def test_characters_are_those_of_the_pauli_coefficients(level):
    random = np.random.default_rng(0)
    ends = tuple(qtn.node(relaxing_memory(t1=t1, t2=1.0)) for t1 in (2.0, np.inf))
    states = np.stack([np.asarray(level.from_pauli(jnp.asarray(random.normal(size=(4, 4))), *ends)) for _ in range(3)])
    found = characters(level, ends, states)
    expected = bell_from_pauli(jnp.stack([level.to_pauli(jnp.asarray(state), *ends) for state in states]))
    np.testing.assert_allclose(found @ BELL_FROM_CHARACTERS.T, expected, atol=1e-14)


def test_more_pairs_need_more_memories():
    assert dict(growth(SearchSpace(max_rounds=2, protocols=(CODE_3,), pumping=True))) == {1: 1, 3: 1, 9: 1, 5: 1}
    link = qtn.chain([qtn.abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9)])
    space = SearchSpace(max_rounds=1, protocols=(CODE_3,), slots=2)
    assert search(link, space).num_trees == 1


@pytest.mark.parametrize(
    ("names", "given", "words"),
    [
        (("code5",), None, "code5 joins 5 pairs.*Possible here: bbpssw, dejmps, cnot, epl, double_selection, code3"),
        (("epl",), LEVELS["bell_diagonal"], "'bell_diagonal' is not exact here"),
    ],
)
def test_protocols_that_no_level_holds_are_refused(names, given, words):
    with pytest.raises(ValueError, match=words):
        level_for(relaxing(2), [PROTOCOLS[name] for name in names], given)


def test_protocols_may_be_possible_alone_only():
    line = qtn.chain(qtn.abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9), num_links=2)
    with pytest.raises(ValueError, match="Each of epl, code5 is possible alone, but not together"):
        level_for(line, [EPL, PROTOCOLS["code5"]])
    assert level_for(line, [EPL]) == X_TYPE and level_for(line, [EPL], PAULI) == PAULI
