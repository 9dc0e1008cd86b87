"""The best state of several sensors under noise: measurement and state by turns."""

import jax
import numpy as np
import pytest

from qtn import channels, sensing, states


def best(p, tolerance=1e-6):
    return sensing.best_probe_state(4, channels.dephasing(p).ptm(), tolerance=tolerance)


@pytest.mark.slow
def test_without_noise_it_is_the_ghz_state():
    assert best(0.0).fisher == pytest.approx(16, rel=1e-6)


@pytest.mark.slow
def test_with_noise_it_beats_product_and_ghz_states_and_stays_below_the_limit():
    p = 0.15
    found = best(p)
    noise = channels.dephasing(p).ptm()
    exact = float(sensing.quantum_fisher(states.apply_each_site(states.to_mixed(found.state), noise)))
    assert float(found.fisher) <= exact * (1 + 1e-12) and found.fisher == pytest.approx(exact, rel=1e-3)
    kept = (1 - 2 * p) ** 2
    assert max(4 * kept, 16 * kept**4) * 1.01 < exact < 4 * kept / (1 - kept)  # Escher et al. 2011
    slope = float(jax.grad(lambda x: best(x).fisher)(p))
    sides = [float(best(p + sign * 1e-3, 1e-9).fisher) for sign in (1, -1)]
    assert slope == pytest.approx((sides[0] - sides[1]) / 2e-3, rel=2e-2)
    assert np.isfinite(slope) and slope < 0


@pytest.mark.slow
def test_twenty_qubits_reach_what_tnqmetro_reaches_also_under_jit():
    """TNQMetro 1.1.0 with bonds 4 and 2: 9.245623; coherence exp(-1/2)."""

    @jax.jit
    def fisher(strength):
        p = (1 - jax.numpy.exp(-strength / 2)) / 2
        return sensing.best_probe_state(20, channels.dephasing(p).ptm(), operator_bond=2).fisher

    assert fisher(1.0) >= 9.245623
    assert fisher(1.0) == pytest.approx(9.24825, rel=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": np.eye(3)}, r"`noise` must be one Pauli transfer matrix \(4, 4\), or one for each of 3 qubits"),
        ({"noise": np.full((4, 4), np.nan)}, "`noise` must be finite"),
        ({"tolerance": -1.0}, "`tolerance` must be non-negative"),
        ({"most": 0}, "`most` must be a whole number >= 1"),
        ({"num_sites": 10**9}, "best state of 1000000000 qubits needs .* GB of memory"),
        ({"bond": 10**6}, "needs .* GB of memory, .*: take a smaller `bond`"),
    ],
)
def test_what_does_not_fit_is_said(change, message):
    with pytest.raises(ValueError, match=message):
        sensing.best_probe_state(**({"num_sites": 3, "noise": np.eye(4)} | change))


def test_what_is_wrong_is_said():
    with pytest.raises(ValueError, match="`num_sites` must be a whole number >= 2, but is 1"):
        sensing.best_probe_state(1, np.eye(4))
    with pytest.raises(ValueError, match="`operator_bond` must be a whole number >= 2, but is 1"):
        sensing.best_probe_state(3, np.eye(4), operator_bond=1)
