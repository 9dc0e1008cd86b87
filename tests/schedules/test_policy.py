"""The policy that swaps as soon as possible, as data."""

import jax
import numpy as np
import pytest

from qtn import Ends, Restart, SwapAsap, swap_asap
from qtn.schedules.policy import cutoff_of_nodes


def test_defaults_are_every_state_from_scratch_and_measured_ends():
    assert swap_asap() == SwapAsap(restart=Restart.TOGETHER, ends=Ends.MEASURED)
    assert len({swap_asap(), swap_asap(), swap_asap(restart=Restart.CARRY_OVER)}) == 2


def test_cutoffs_are_numbers_and_the_rest_is_structure():
    leaves, structure = jax.tree.flatten(swap_asap(cutoff_times=[1.0, np.inf, 2.0]))
    assert [leaf.tolist() for leaf in leaves] == [[1.0, np.inf, 2.0]]
    assert structure != jax.tree.structure(swap_asap(ends=Ends.KEPT, cutoff_times=[1.0, np.inf, 2.0]))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (swap_asap(), [np.inf] * 3),
        (swap_asap(cutoff_times=0.5), [0.5] * 3),
        (swap_asap(cutoff_times=[np.inf, 0.5, np.inf]), [np.inf, 0.5, np.inf]),
    ],
    ids=["none", "shared", "each"],
)
def test_cutoffs_of_nodes(policy, expected):
    assert cutoff_of_nodes(policy, 2).tolist() == expected


def test_gradients_flow_through_cutoffs():
    slope = jax.grad(lambda t: cutoff_of_nodes(swap_asap(cutoff_times=t), 3).sum())(0.5)
    assert float(slope) == 4.0


def test_words_mean_what_members_mean():
    assert swap_asap(restart="carry_over", ends="kept") == swap_asap(restart=Restart.CARRY_OVER, ends=Ends.KEPT)
    assert swap_asap(restart="carry_over").restart is Restart.CARRY_OVER


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"restart": "at_once"}, "`restart` must be 'together' or 'carry_over', but is 'at_once'"),
        ({"ends": "True"}, "`ends` must be 'measured' or 'kept', but is 'True'"),
    ],
    ids=["restart", "ends"],
)
def test_other_words_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        swap_asap(**options)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (-1.0, "`cutoff_times` must be non-negative, but is -1.0"),
        ([], r"one time or one for each node, but has shape \(0,\)"),
    ],
    ids=["negative", "empty"],
)
def test_bad_cutoffs(times, message):
    with pytest.raises(ValueError, match=message):
        swap_asap(cutoff_times=times)


def test_number_of_cutoffs_must_fit():
    with pytest.raises(
        ValueError, match="holds 2 cut-offs, but the chain has num_links = 4: give one for all nodes, or 5"
    ):
        cutoff_of_nodes(swap_asap(cutoff_times=[1.0, 2.0]), 4)
