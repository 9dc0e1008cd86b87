"""Stabiliser codes against sums over every error, loss and syndrome, and against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import codes
from qtn.codes.binary import commute, pauli_of
from tests.oracles import codes as oracle

NOISE = {
    "depolarising": [0.94, 0.02, 0.02, 0.02],
    "dephasing": [0.9, 0.0, 0.0, 0.1],
    "all_different": [0.88, 0.05, 0.01, 0.06],
    "strong": [0.4, 0.2, 0.1, 0.3],
}
SMALL = {
    "five_qubit": codes.FIVE_QUBIT,
    "repetition": codes.stabiliser_code(["ZZI", "IZZ"]),
    "four_qubit": codes.stabiliser_code(["XXXX", "ZZZZ", "ZZII"]),
    "own_operators": codes.stabiliser_code(["XX"], logical_x="XI", logical_z="ZZ"),
}


def check(code, loss, pauli):
    p_success, weights = oracle.maximum_likelihood(code.generators, code.logical_x, code.logical_z, loss, pauli)
    found = code.logical(loss=loss, pauli=pauli)
    np.testing.assert_allclose(found.p_success, p_success, atol=1e-12)
    np.testing.assert_allclose(found.weights, weights, atol=1e-12)


@pytest.mark.parametrize("loss", [0.0, 0.2])
@pytest.mark.parametrize("pauli", NOISE.values(), ids=NOISE)
@pytest.mark.parametrize("code", SMALL.values(), ids=SMALL)
def test_decoding_is_that_of_enumeration(code, pauli, loss):
    check(code, loss, pauli)


@pytest.mark.parametrize("pauli", ["depolarising", "all_different"])
def test_seven_qubits(pauli):
    check(codes.STEANE, 0.1, NOISE[pauli])


@pytest.mark.parametrize("code", [*SMALL.values(), codes.STEANE, codes.SHOR], ids=[*SMALL, "steane", "shor"])
def test_losses_alone(code):
    best = oracle.optimal_p_success(code.generators, 0.3)
    assert abs(code.logical(loss=0.3).p_success - best) < 1e-12


CODES_WITH_TIES = {**SMALL, "steane": codes.STEANE, "shor": codes.SHOR}
ALONE = {"no_errors": [1.0, 0, 0, 0], "dephasing": [0.95, 0, 0, 0.05]}


@pytest.mark.parametrize("loss", [0.0, 0.1])
@pytest.mark.parametrize("start", ALONE.values(), ids=ALONE)
@pytest.mark.parametrize("code", CODES_WITH_TIES.values(), ids=CODES_WITH_TIES)
def test_slopes_where_errors_are_impossible_are_those_of_depolarising(code, start, loss):
    """X, Y and Z compete for the same syndromes: slopes of each alone would not add up."""

    def point(error):
        return [a + error * (1 / 4 - a) for a in start]

    def weights(error):
        return code.logical(loss=loss, pauli=jnp.stack(point(error))).weights

    step = 1e-5
    a, b, c = (code.logical(loss=loss, pauli=point(k * step)).weights for k in range(3))
    np.testing.assert_allclose(jax.jacfwd(weights)(0.0), (-3 * a + 4 * b - c) / (2 * step), atol=2e-7)


def eigenvalues(weights):
    return oracle.CHARACTERS @ weights


def test_closed_forms():
    x = 0.95
    found = eigenvalues(codes.FIVE_QUBIT.logical(pauli=[(1 + x) / 2, 0, 0, (1 - x) / 2]).weights)
    np.testing.assert_allclose(found, [1, *2 * [(15 * x - 10 * x**3 + 3 * x**5) / 8], 1], atol=1e-13)
    p = (1 - x) / 4
    found = eigenvalues(codes.FIVE_QUBIT.logical(pauli=[1 - 3 * p, p, p, p]).weights)
    np.testing.assert_allclose(found[1:], 3 * [(5 * x**3 - 3 * x**5) / 2], atol=1e-13)
    q = (1 - x) / 2
    found = eigenvalues(codes.STEANE.logical(pauli=[(1 - q) ** 2, q * (1 - q), q * q, q * (1 - q)]).weights)
    np.testing.assert_allclose(found[[1, 3]], 2 * [(7 * x**3 - 3 * x**7) / 4], atol=1e-13)
    assert codes.FIVE_QUBIT.logical(pauli=[0.99, 0, 0, 0.01]).weights[3] == pytest.approx(9.8506e-6, rel=1e-5)


def test_ties_of_the_steane_code_are_shared():
    p = 0.05 / 4
    found = eigenvalues(codes.STEANE.logical(pauli=[1 - 3 * p, p, p, p]).weights)[1:]
    assert (found > 0.9718).all() and (found < 0.9739).all()


def with_spectators(count):
    """Return the code of five photons with photons that carry nothing."""
    spectators = ["I" * 5 + "".join("Z" if i == j else "I" for i in range(count)) for j in range(count)]
    five = codes.FIVE_QUBIT
    return codes.stabiliser_code(
        [g + "I" * count for g in five.generators] + spectators,
        logical_x=five.logical_x + "I" * count,
        logical_z=five.logical_z + "I" * count,
    )


@pytest.mark.parametrize("count", [3, pytest.param(7, marks=pytest.mark.slow)])
def test_photons_that_carry_nothing_change_nothing(count):
    large, five = with_spectators(count), codes.FIVE_QUBIT
    found, expected = (code.logical(pauli=NOISE["all_different"]).weights for code in (large, five))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(large.logical(loss=0.1).p_success, five.logical(loss=0.1).p_success, rtol=1e-12)


def test_losses_with_errors_have_a_limit():
    large = with_spectators(7)
    with pytest.raises(ValueError, match="up to 10 photons, but the code has 12"):
        large.logical(loss=0.1, pauli=NOISE["strong"])


@pytest.mark.parametrize("code", SMALL.values(), ids=SMALL)
def test_logical_operators(code):
    x, z = pauli_of(code.logical_x), pauli_of(code.logical_z)
    assert not commute(x, z)
    assert all(commute(pauli_of(g), each) for g in code.generators for each in (x, z))


def test_lower_case_is_as_good():
    lower = codes.stabiliser_code(["zzi", "izz"], logical_x="xxx", logical_z="zii")
    assert lower == codes.stabiliser_code(["ZZI", "IZZ"], logical_x="XXX", logical_z="ZII")


ERRORS = {
    "anticommute": (["XZ", "ZI"], {}, "`generators` must commute, but XZ and ZI do not"),
    "two_qubits": (["XXXX", "ZZZZ"], {}, "4 photons need 3 independent generators, but 2 are given, of which 2"),
    "no_qubit": (["XX", "ZZ"], {}, "must encode one qubit, for which 2 photons need 1 independent generators, but 2"),
    "dependent": (["ZZI", "IZZ", "ZIZ"], {}, "must be independent, but of 3 only 2 are"),
    "letters": (["XQ"], {}, "`generators[0]` must be a string of the letters I, X, Y and Z, but is 'XQ'"),
    "lengths": (["XX", "Z"], {}, "`generators[1]` must have 2 letters like the first, but Z has 1"),
    "none": ([], {}, "must list at least one Pauli string, but is []"),
    "thirteen": (["X" * 13], {}, "at most 12 photons, but has 13"),
    "thousands": (["ZZI"] * 20_000, {}, "3 photons need 2 independent generators, but 20,000 are given."),
    "one_operator": (["ZZI", "IZZ"], {"logical_x": "XXX"}, "must be given together"),
    "not_logical": (["ZZI", "IZZ"], {"logical_x": "XII", "logical_z": "ZII"}, "must commute with all generators"),
    "commuting": (["ZZI", "IZZ"], {"logical_x": "ZII", "logical_z": "IZI"}, "must not commute with each other"),
    "short_operator": (["ZZI", "IZZ"], {"logical_x": "XX", "logical_z": "ZII"}, "must have 3 letters"),
}


@pytest.mark.parametrize(("generators", "options", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(generators, options, message):
    with pytest.raises(ValueError) as error:
        codes.stabiliser_code(generators, **options)
    assert message in str(error.value)
