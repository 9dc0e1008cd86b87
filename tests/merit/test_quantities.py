"""The registry of quantities: what each row declares is true of its function."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from qtn import bb84_fraction, chsh_fraction, hashing_fraction, preprocessed, six_state_fraction
from qtn.evaluators.outcome import Summary
from qtn.merit.quantities import QUANTITIES, Better, Delivered, delivered, values_of
from qtn.states.pair import bell_from_pauli, pauli_from_bell
from qtn.steps.level import BELL_DIAGONAL, PAULI

PERFECT = pauli_from_bell(jnp.array([1.0, 0.0, 0.0, 0.0]))
NOISE = pauli_from_bell(jnp.full(4, 0.25))
FRACTIONS = {
    "bb84": bb84_fraction,
    "six_state": six_state_fraction,
    "hashing": hashing_fraction,
    "chsh_di": chsh_fraction,
    "preprocessed": preprocessed(hashing_fraction, 0.1),
    "best preprocessing": preprocessed(chsh_fraction, None),
}


def pair(state, mean_time=4.0, fraction=bb84_fraction):
    """A delivered pair."""
    return Delivered(result=Summary(mean_time=jnp.asarray(mean_time), state=state, info=None), fraction=fraction)


def skewed():
    """Pauli coefficients of a pure state that is not Bell-diagonal, (4, 4)."""
    paulis = np.array([np.eye(2), [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    vector = np.array([0.8, 0.1, 0.2 + 0.1j, 0.5])
    vector = vector / np.linalg.norm(vector)
    rho = np.outer(vector, vector.conj())
    operators = [[np.kron(a, b) for b in paulis] for a in paulis]
    return jnp.asarray([[np.trace(each @ rho).real for each in row] for row in operators])


def test_rows_stand_under_their_names():
    assert list(QUANTITIES) == [each.name for each in QUANTITIES.values()]
    assert all(each.words for each in QUANTITIES.values())


@pytest.mark.parametrize("fraction", FRACTIONS.values(), ids=FRACTIONS)
@pytest.mark.parametrize("row", QUANTITIES.values(), ids=QUANTITIES)
def test_the_level_is_what_twirling_leaves_unchanged(row, fraction):
    state = skewed()
    values = [float(row.of(pair(each, fraction=fraction))) for each in (state, pauli_from_bell(bell_from_pauli(state)))]
    assert np.isclose(*values, rtol=1e-12) == (row.depends_on(fraction) == BELL_DIAGONAL)


@pytest.mark.parametrize("row", QUANTITIES.values(), ids=QUANTITIES)
def test_a_perfect_pair_reaches_the_bounds(row):
    value = float(row.of(pair(PERFECT)))
    if row.most is not None:
        assert value == pytest.approx(row.most, rel=1e-12)
    if row.per_pair is not None:
        assert value * 4.0 == pytest.approx(row.per_pair, rel=1e-12)
    worse = float(row.of(pair(NOISE, 8.0)))
    assert (worse < value) == (row.better is Better.MORE)


@pytest.mark.parametrize("name", [name for name, each in QUANTITIES.items() if each.clipped])
def test_clipped_quantities_are_cut_at_0_only_for_people(name):
    raw, read = (values_of([QUANTITIES[name]], pair(NOISE), clip=clip)[name] for clip in (False, True))
    assert float(raw) == pytest.approx(-1.0 if name == "secret_fraction" else -0.25)  # two random bits, 4 s
    assert float(read) == 0.0
    good = [values_of([QUANTITIES[name]], pair(PERFECT), clip=clip)[name] for clip in (False, True)]
    assert good[0] == good[1] > 0


def test_other_quantities_are_never_cut():
    values = values_of(QUANTITIES.values(), pair(NOISE), clip=True)
    assert float(values["coherent_information"]) == pytest.approx(-1.0)
    assert float(values["hashing_yield"]) == pytest.approx(-1.0)


def test_the_chain_is_built_only_for_those_that_read_it():
    result, row = pair(PERFECT).result, QUANTITIES["fidelity"]
    refuse = lambda: pytest.fail("built")  # noqa: E731
    assert delivered([row], result, refuse, bb84_fraction).setting is None
    with pytest.raises(pytest.fail.Exception, match="built"):
        delivered([dataclasses.replace(row, in_use=True)], result, refuse, bb84_fraction)


def test_an_unknown_key_protocol_may_see_the_whole_state():
    assert QUANTITIES["secret_fraction"].depends_on(lambda state: state[0, 0]) == PAULI
