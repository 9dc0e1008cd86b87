"""Eavesdroppers: error rates, what Eve holds against dense isometries, detection, Wald's test, gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import channels
from qtn.qkd import (
    attacked,
    bits_to_detect,
    entangling_probe,
    error_rate,
    eve_states,
    exact_bits,
    guessing_probability,
    holevo_information,
    intercept_resend,
    p_accepted,
    sequential_test,
)
from qtn.qkd.detection import detection_sentence

ATTACKS = {
    "intercept": intercept_resend(0.4),
    "all": intercept_resend(1.0),
    "none": intercept_resend(0.0),
    "covariant": entangling_probe(0.9),
    "universal": entangling_probe(1.1, "universal"),
}
STATES = {"z": np.eye(2), "x": np.array([[1, 1], [1, -1]]) / np.sqrt(2)}


def h(x):
    return -x * np.log2(x) - (1 - x) * np.log2(1 - x)


def entropy(rho):
    values = np.linalg.eigvalsh(rho)
    return -sum(v * np.log2(v) for v in values if v > 1e-13)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_attacks_are_channels(attack):
    kraus = np.asarray(attack.kraus())
    assert np.allclose(channels.ptm_from_kraus(kraus), attack.ptm(), atol=1e-12)
    assert np.allclose(np.einsum("kba,kbc->ac", kraus.conj(), kraus), np.eye(2))
    for basis in ("z", "x"):
        assert np.allclose(np.trace(eve_states(attack, basis), axis1=1, axis2=2), 1)


@pytest.mark.parametrize("basis", ["z", "x"])
@pytest.mark.parametrize("name", ["covariant", "universal"])
def test_eve_keeps_what_the_isometry_leaves_her(name, basis):
    attack = ATTACKS[name]
    kraus = np.asarray(attack.kraus())
    for bit, state in enumerate(STATES[basis].T):
        joint = np.einsum("eba,a->be", kraus, state)  # Bob, Eve
        assert np.allclose(joint.T @ joint.conj(), eve_states(attack, basis)[bit])
        wrong = np.linalg.norm(STATES[basis][:, 1 - bit] @ joint) ** 2
        assert wrong == pytest.approx(float(error_rate(attack, basis)), abs=1e-12)


@pytest.mark.parametrize("basis", ["z", "x"])
def test_intercept_and_resend(basis):
    """QBER p/4; once the basis is told Eve knows half of the bits that she measured."""
    attack = intercept_resend(0.4)
    assert error_rate(attack, basis) == pytest.approx(0.1, abs=1e-14)
    assert guessing_probability(attack, basis) == pytest.approx(0.6, abs=1e-12)
    assert holevo_information(attack, basis) == pytest.approx(0.2, abs=1e-12)


def test_cloners_are_cases_of_the_probe():
    covariant = entangling_probe(np.pi / 4)
    assert 1 - error_rate(covariant) == pytest.approx(0.8535533906, abs=1e-10)
    assert guessing_probability(covariant) == pytest.approx(0.8535533906, abs=1e-10)
    universal = entangling_probe(2 * np.arcsin(np.sqrt(1 / 6)), "universal")
    assert [float(1 - (1 - universal.ptm()[i, i]) / 2) for i in (1, 2, 3)] == pytest.approx([5 / 6] * 3)


def test_the_probe_knows_what_bb84_subtracts():
    """Holevo quantity of the phase-covariant probe: h(D); of the universal one: H(1 - 3D/2, D/2, D/2, D/2) - h(D)."""
    d = float(np.sin(0.45) ** 2)
    assert holevo_information(entangling_probe(0.9)) == pytest.approx(h(d), abs=1e-12)
    weights = np.array([1 - 1.5 * d, d / 2, d / 2, d / 2])
    expected = -np.sum(weights * np.log2(weights)) - h(d)
    assert holevo_information(entangling_probe(0.9, "universal")) == pytest.approx(expected, abs=1e-12)


def test_an_attacked_pair_shows_the_errors():
    pair = jnp.array([1.0, 0.0, 0.0, 0.0])
    for attack in ATTACKS.values():
        seen = attacked(pair, attack)
        for basis, i in (("x", 1), ("z", 3)):
            assert (1 - seen[i, i]) / 2 == pytest.approx(float(error_rate(attack, basis)), abs=1e-14)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("build", [intercept_resend, entangling_probe], ids=["intercept", "probe"])
def test_gradients(build, strength):
    for of in (error_rate, guessing_probability, holevo_information):
        value, slope = jax.value_and_grad(lambda x, of=of: of(build(x)))(strength)
        assert np.isfinite(value) and np.isfinite(slope)
        if strength == 0.3:
            difference = (of(build(strength + 1e-6)) - of(build(strength - 1e-6))) / 2e-6
            assert slope == pytest.approx(float(difference), rel=1e-6)


def test_bits_to_detect():
    assert (bits_to_detect(intercept_resend(1.0), 1e-9), bits_to_detect(intercept_resend(0.4), 1e-9)) == (73, 197)
    assert p_accepted(0.1, 197, 0) == pytest.approx(0.9**197, rel=1e-9)
    assert bits_to_detect(intercept_resend(1.0), 0.75) == 1


def test_walds_test_and_its_exact_course():
    test = sequential_test(0.03, 0.25, 1e-6, 1e-9)
    assert (test.bits_honest, test.bits_attacked) == (pytest.approx(111.5, abs=0.05), pytest.approx(41.0, abs=0.05))
    honest, attack = (exact_bits(test, 0.03, 0.25, rate) for rate in (0.03, 0.25))
    assert (honest.mean_bits, attack.mean_bits) == (pytest.approx(112.251, abs=5e-4), pytest.approx(43.584, abs=5e-4))
    assert honest.p_alarm < 1e-6 and 1 - attack.p_alarm < 1e-9 + 1e-13


def test_the_exact_course_agrees_with_samples():
    test = sequential_test(0.05, 0.2, 1e-2, 1e-2)
    error, right = np.log(4.0), np.log(0.8 / 0.95)
    steps = np.where(np.random.default_rng(2).random((5_000, 1_500)) < 0.1, error, right).cumsum(axis=1)
    over = (steps >= float(test.alarm_above)) | (steps <= float(test.accept_below))
    last = over.argmax(axis=1)
    assert over.any(axis=1).all()
    found = exact_bits(test, 0.05, 0.2, 0.1)
    assert abs((last + 1).mean() - found.mean_bits) < 4 * (last + 1).std() / np.sqrt(5_000)
    alarms = (steps[np.arange(5_000), last] > 0).mean()
    assert abs(alarms - found.p_alarm) < 4 * np.sqrt(alarms * (1 - alarms) / 5_000)


def test_sequential_bits_have_slopes():
    slopes = jax.grad(lambda q: sequential_test(q[0], q[1]).bits_attacked)((0.03, 0.25))
    for i, x in enumerate((0.03, 0.25)):
        moved = [[0.03, 0.25] for _ in range(2)]
        moved[0][i], moved[1][i] = x + 1e-6, x - 1e-6
        up, down = (sequential_test(*q).bits_attacked for q in moved)
        assert slopes[i] == pytest.approx(float(up - down) / 2e-6, rel=1e-6)


@pytest.mark.parametrize(
    "p, said", [(1e-20, "surely"), (1e-9, "with probability 1 - 1e-09"), (0.25, "with probability 0.75")]
)
def test_sentences(p, said):
    assert said in detection_sentence(p, 200.0, 0.02)


BAD = [
    (lambda: intercept_resend(1.4), r"`fraction` must lie in \[0, 1\]"),
    (lambda: entangling_probe(2.0), "`angle` must lie in .0, pi/2."),
    (lambda: entangling_probe(0.1, "best"), "`cloner` must be 'phase_covariant' or 'universal'"),
    (lambda: error_rate(intercept_resend(0.1), "y"), "`basis` must be 'z' or 'x'"),
    (lambda: bits_to_detect(intercept_resend(0.0)), "makes no errors"),
    (lambda: bits_to_detect(intercept_resend(0.1), 0.0), "`p_undetected` must lie in"),
    (lambda: sequential_test(0.3, 0.25), "`under_attack` must be above `honest`"),
    (lambda: sequential_test(0.0, 0.25), "`honest` must lie in"),
]


@pytest.mark.parametrize("call, message", BAD, ids=[message[:14] for _, message in BAD])
def test_wrong_numbers_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
