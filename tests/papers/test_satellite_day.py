"""The day of `experiments/satellite_day`: its numbers again, and those of its README."""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import orbits

HERE = Path(__file__).parents[2] / "experiments" / "satellite_day"


@pytest.fixture(scope="module")
def results():
    return json.loads((HERE / "results.json").read_text())


@pytest.fixture(scope="module")
def keys():
    sys.path.insert(0, str(HERE))
    try:
        import day
    finally:
        sys.path.remove(str(HERE))
    path, place = day.path()
    within = orbits.find_windows(path, place, 0.0, day.DAY)

    def of(mask_deg):
        seen = orbits.passes(path, place, 0.0, day.DAY, jnp.radians(mask_deg), within=within, num_nodes=128)
        return jnp.sum(day.block_keys(day.arrival(seen), seen.dwell))

    return jax.jit(jax.value_and_grad(of))


def test_the_best_mask_lies_inside_and_is_flat(results, keys):
    best = results["best_mask_deg"]
    key, slope = keys(best)
    np.testing.assert_allclose(key, results["best_key_bits"], rtol=1e-9)
    assert 3 < best < 15 and abs(float(slope)) < 1.0
    for mask, name in ((0.0, "key_at_mask_0_bits"), (16.0, "key_at_mask_16_bits")):
        there, uphill = keys(mask)
        np.testing.assert_allclose(there, results[name], rtol=1e-9)
        assert float(there) < float(key) and float(uphill) * (best - mask) > 0


def test_the_readme_has_the_numbers_of_the_run(results):
    text = (HERE / "README.md").read_text()
    mega = {
        name: f"{value / 1e6:.4f}"
        for name, value in results.items()
        if name.endswith("_bits") and value.__class__ is float
    }
    for name in (
        "key_at_mask_0",
        "best_key",
        "key_at_mask_16",
        "asymptotic_at_mask_0",
        "asymptotic_at_mask_16",
        "asymptotic_at_best",
    ):
        assert mega[f"{name}_bits"] in text, name
    assert f"{results['best_mask_deg']:.2f} degrees" in text
    assert all(f"{bits:,.0f}" in text for bits in results["best_key_of_passes_bits"])
    assert results["num_passes"] == 4 and results["largest_rise_of_asymptotic"] < 2e-6
    for name in ("least", "most"):
        assert f"{100 * results[f'inflation_minutes_of_the_clock_{name}']:+.2f} %".replace("0.", ".") in text
    assert f"{100 * results['inflation_minutes_from_rise_asymptotic']:.2f} %".replace("0.", ".") in text
    assert f"{-100 * results['inflation_minutes_from_rise']:.2f} %".replace("0.", ".") in text
    assert f"{sum(results['constellation_num_passes'])} passes" in text
    assert f"{results['constellation_key_mbit']:.1f} Mbit" in text
    assert results["constellation_seconds_warm"] < 10 and len(results["constellation_gradient"]) == 10
