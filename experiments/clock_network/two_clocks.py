"""Two clocks with a pair, clocks with GHZ states: gains, Huelga's limit, and stability against averaging time."""

import math
from typing import Any

import numpy as np
from sizes import ATTEMPT, gathered

from qtn import chain, evaluate, nested, single_click
from qtn.sensing import clock_comparison, group_fisher, largest_hidden_bias, ramsey, time_transfer
from qtn.states import ghz, plus, werner_pair

STRONTIUM = 429.228e12
"""Frequency of the clocks [Hz]."""
TIMES = np.logspace(0, 5, 51)
"""Averaging times [s]."""


def gains() -> dict[str, Any]:
    """Return how much a pair helps to compare two clocks, and what dephasing leaves of a GHZ state."""
    perfect = clock_comparison(werner_pair(1.0))
    clicks = []
    for bright in (0.01, 0.05, 0.1, 0.2):
        line = chain(
            single_click(loss_left=2.0, loss_right=2.0, length_left=10e3, length_right=10e3, bright_state=bright),
            num_links=1,
        )
        found = clock_comparison(evaluate(line, nested(0)))
        clicks.append({"bright_state": bright, "gain": float(found.gain), "gain_unstable": float(found.gain_unstable)})
    pairs = {str(v): float(clock_comparison(werner_pair(v)).fisher) for v in (0.6, 0.8, 0.9, 1.0)}
    limit = [float(ramsey(each, dephasing_rate=0.5).information_rate) for each in (ghz(8), plus(8))]
    return {
        "gain": float(perfect.gain),
        "gain_unstable": float(perfect.gain_unstable),
        "werner_fisher": pairs,
        "single_click_20_km": clicks,
        "huelga": {"ghz": limit[0], "product": limit[1], "n_over_2_e_gamma": 8 / (2 * math.e * 0.5)},
    }


def stability() -> dict[str, Any]:
    """Return the instability of strontium clocks against averaging time: alone, and with a GHZ state of 4 or 8."""
    curves = {"averaging_s": TIMES.tolist()}
    for probe in (0.05, 1.0):
        for users in (4, 8):
            group = gathered(300.0, 10.0, users)
            fisher, waiting = float(group_fisher(group)), float(group.mean_time)
            rates = {"shared": probe**2 * fisher / (probe + waiting), "apart": users * probe}
            for name, rate in rates.items():
                curve = 1 / (2 * math.pi * np.sqrt(rate * TIMES)) / STRONTIUM
                curves[f"{users} clocks, {probe:g} s, {name}"] = curve.tolist()
    return curves


def transfer() -> dict[str, Any]:
    """Return how well photons set two clocks 10 km apart, and what a delaying adversary hides."""
    plain = time_transfer(10e3, 30e-12, correlation_time=1e-12)
    band, alike, opposite = 1e-9, [0.17, 0.17], [0.17, -0.17]
    rows = {
        "no_dispersion": plain,
        "dispersion": time_transfer(10e3, 30e-12, correlation_time=1e-12, dispersion=alike, bandwidth=band),
        "cancelled": time_transfer(10e3, 30e-12, correlation_time=1e-12, dispersion=opposite, bandwidth=band),
        "accidentals": time_transfer(10e3, 30e-12, correlation_time=1e-12, accidental_rate=1e6 * 1e6),
    }
    found = {name: {"width_s": float(x.width), "at_1_s": float(x.uncertainty_after(1.0))} for name, x in rows.items()}
    hidden = {
        "round_trip_known_to_1_ps_s": float(largest_hidden_bias(1e-12)),
        "and_a_faster_way_s": float(largest_hidden_bias(1e-12, length=10e3, index=1.468)),
    }
    return {"precision": found, "largest_hidden_bias": hidden, "attempt_s": ATTEMPT}
