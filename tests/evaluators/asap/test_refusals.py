"""What Asap does not evaluate, and what to use instead."""

import jax
import numpy as np
import pytest

from qtn import Asap, Ends, Restart, abstract_link, chain, depolarising_memory, nested, node, stacked, swap_asap
from qtn.evaluators.ladder import settled
from qtn.hardware.linear_optics import linear_optics

LINK = abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9)


def line(p_swap=1.0):
    return chain(LINK, node(depolarising_memory(10.0), p_swap=p_swap), num_links=3)


@pytest.mark.parametrize(
    ("p_swap", "policy", "error", "message"),
    [
        (0.5, swap_asap(), ValueError, r"node 1 has p_swap = 0.5: failed swaps restart; use Sampled\(num_samples"),
        (1.0, swap_asap(restart=Restart.CARRY_OVER), ValueError, r"entanglement carries over: use Sampled\("),
        (
            1.0,
            swap_asap(cutoff_times=3.0),
            ValueError,
            r"no cut-offs, because pairs that grow too old restart: use Sampled",
        ),
        (1.0, nested(1), TypeError, r"the policy swap_asap\(\), not a Schedule: use Renewal\(\)"),
    ],
    ids=["probabilistic", "carry_over", "cutoff", "tree"],
)
def test_refused(p_swap, policy, error, message):
    with pytest.raises(error, match=message):
        Asap().summarise(line(p_swap), policy)


def test_linear_optics():
    optics = node(depolarising_memory(10.0), optics=linear_optics())
    with pytest.raises(ValueError, match="not by linear optics: use a tree and Renewal"):
        Asap().summarise(chain(LINK, optics, num_links=2), swap_asap())


def test_infinite_cutoffs_are_none():
    policy = swap_asap(cutoff_times=np.inf)
    assert float(Asap().summarise(line(), policy).mean_time) == float(Asap().summarise(line(), swap_asap()).mean_time)


def test_traced_numbers_need_a_plan():
    with pytest.raises(ValueError, match=r"cannot be chosen from traced numbers.*`evaluator = Asap\(\).planned"):
        jax.jit(lambda each: Asap().summarise(each, swap_asap()).mean_time)(line())


def test_planned_works_under_jit_and_marks_failing_swaps():
    planned = Asap().planned(line(), swap_asap())
    mean = jax.jit(lambda each: planned.summarise(each, swap_asap()).mean_time)
    np.testing.assert_allclose(mean(line()), Asap().summarise(line(), swap_asap()).mean_time, rtol=1e-12)
    assert np.isnan(mean(line(0.5)))


def test_stride():
    with pytest.raises(ValueError, match="`stride` must be at least 1, but is 0"):
        Asap(stride=0).summarise(line(), swap_asap())


def test_impossible_grids():
    links = [abstract_link(p_success=p, attempt_time=t, werner=0.9) for p, t in ((1e-9, 1.0), (0.5, 2**0.5))]
    arrays = stacked(chain(links))
    tried = []
    with pytest.raises(
        ValueError, match="No affordable time grid resolves this chain: the slowest link takes 1e\\+09 s"
    ):
        settled(Asap().search(arrays, swap_asap(ends=Ends.KEPT)), lambda plan: tried.append(plan) or 1.0)
    assert [plan.finest.num_steps for plan in tried] == [1024, 4096]
    with pytest.raises(ValueError, match=r"step_s = 1 needs .* steps to hold the distribution"):
        Asap(step=1.0).summarise(arrays, swap_asap())
