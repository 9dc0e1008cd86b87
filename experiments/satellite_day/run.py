"""The key of a day against the elevation mask: `python experiments/satellite_day/run.py`."""

import json
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import matplotlib  # noqa: E402

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from constellation import constellation  # noqa: E402
from day import DAY, arrival, block_keys, optics, path, slot_key  # noqa: E402

from qtn import orbits  # noqa: E402
from qtn.hardware.free_space import transmissivity  # noqa: E402
from qtn.optimisation.bounded import Interval  # noqa: E402
from qtn.optimisation.constrained import maximise_subject_to  # noqa: E402

HERE = Path(__file__).parent
ORBIT, STATION = path()
WITHIN = orbits.find_windows(ORBIT, STATION, 0.0, DAY)
MASKS = np.arange(0.0, 16.5, 0.5)
NODES = 128
GRID = 60.0


def seen(mask: Any) -> orbits.Passes:
    """Return the passes of the day above a mask [rad]."""
    return orbits.passes(ORBIT, STATION, 0.0, DAY, mask, within=WITHIN, num_nodes=NODES)


@jax.jit
def keys(mask_deg: Any) -> tuple[Any, Any]:
    """Return the finite key and the key without end (k,) of each pass [bit]."""
    day = seen(jnp.radians(mask_deg))
    return block_keys(arrival(day), day.dwell), slot_key(arrival(day), day.dwell)


def best_mask() -> tuple[float, float, float]:
    """Return the mask with the longest finite key of the day [degrees], that key [bit], and its slope there."""
    found = maximise_subject_to(
        lambda x: (jnp.sum(keys(x["mask_deg"])[0]) / 1e6, {}), {"mask_deg": 3.0}, {"mask_deg": Interval(0.5, 16.0)}
    )
    best = float(found.parameters["mask_deg"])
    return best, 1e6 * found.value, float(jax.grad(lambda x: jnp.sum(keys(x)[0]))(best))


def on_grid(time: Any, mask: Any) -> tuple[Any, Any]:
    """Return the finite key and the key without end of the day [bit], every time (k, n) in sight a whole minute."""
    view = orbits.sight(ORBIT, STATION, time)
    up = view.elevation >= mask - 1e-9
    eta = jnp.where(up, transmissivity(optics(), view.slant_range, view.elevation), 0.0)
    lengths = jnp.where(up, GRID, 0.0)
    return jnp.sum(block_keys(eta, lengths)), jnp.sum(slot_key(eta, lengths))


@jax.jit
def minutes_of_the_clock(offset: Any, mask: Any) -> tuple[Any, Any]:
    """Return `on_grid` where a clock that began at an offset [s] says when a minute begins."""
    first = offset + GRID * jnp.ceil((WITHIN.lower[0] - offset) / GRID)
    return on_grid(first[:, None] + GRID * jnp.arange(25), mask)


@jax.jit
def minutes_from_rise(mask: Any) -> tuple[Any, Any]:
    """Return `on_grid` where the first minute begins as the satellite rises above the mask."""
    return on_grid(seen(mask).rise[:, None] + GRID * jnp.arange(25), mask)


def figure(results: dict[str, Any], table: dict[str, np.ndarray]) -> None:
    """Draw the passes, the key against the mask, and what a grid makes of it."""
    best = results["best_mask_deg"]
    drawn, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    low = seen(0.0)
    for number, (time, elevation) in enumerate(zip(low.time, low.elevation, strict=True)):
        middle = (time[0] + time[-1]) / 2
        axes[0].plot((time - middle) / 60, np.degrees(elevation), label=f"{middle / 3600:.1f} h, pass {number + 1}")
    axes[0].axhline(best, color="black", linestyle=":", label=f"best mask, {best:.1f} degrees")
    axes[0].set(xlabel="time from the middle of the pass [min]", ylabel="elevation [degrees]", ylim=(0, 46))
    axes[0].legend(fontsize=8, loc="upper right", ncols=2)
    axes[1].plot(MASKS, table["finite"] / 1e6, label="finite, each pass one block")
    axes[1].plot(MASKS, table["asymptotic"] / 1e6, label="without end, each moment its own")
    axes[1].plot(best, results["best_key_bits"] / 1e6, "o", color="C0")
    axes[1].set(xlabel="elevation mask [degrees]", ylabel="key of the day [Mbit]", ylim=(0, None))
    axes[1].legend(fontsize=8)
    for name, colour in (("finite", "C0"), ("asymptotic", "C1")):
        axes[2].plot(table["offset"], 100 * table[f"clock_{name}"], color=colour, label=f"{name}, minutes of the clock")
        axes[2].axhline(100 * table[f"rise_{name}"], color=colour, linestyle="--", label=f"{name}, minutes from rise")
    axes[2].axhline(0, color="black", linewidth=0.8)
    axes[2].set(xlabel="second at which the clock's minute begins [s]", ylabel="excess of the key on a 60 s grid [%]")
    axes[2].set_ylim(-0.75, 1.3)
    axes[2].legend(fontsize=8, loc="upper right")
    drawn.savefig(HERE / "figure.png", dpi=120)


def main() -> None:
    """Compute, draw, and write down."""
    values = [keys(mask) for mask in MASKS]
    table = {name: np.array([np.sum(v[i]) for v in values]) for i, name in enumerate(("finite", "asymptotic"))}
    best, key, slope = best_mask()
    by_pass, endless = keys(best)
    offsets = np.arange(0.0, GRID, 1.0)
    clock = np.array([minutes_of_the_clock(offset, np.radians(best)) for offset in offsets])
    rising = minutes_from_rise(np.radians(best))
    table |= {"offset": offsets}
    for i, (name, exact) in enumerate((("finite", key), ("asymptotic", float(np.sum(endless))))):
        table[f"clock_{name}"] = clock[:, i] / exact - 1
        table[f"rise_{name}"] = np.array(rising[i] / exact - 1)
    inflated = table["clock_finite"]
    results = {
        "num_passes": len(WITHIN.satellite),
        "highest_elevations_deg": np.round(np.degrees(np.max(seen(0.0).elevation, -1)), 2).tolist(),
        "best_mask_deg": best,
        "best_key_bits": key,
        "slope_at_best_bits_per_deg": slope,
        "best_key_of_passes_bits": np.round(by_pass).tolist(),
        "key_at_mask_0_bits": float(table["finite"][0]),
        "key_at_mask_16_bits": float(table["finite"][-1]),
        "asymptotic_at_mask_0_bits": float(table["asymptotic"][0]),
        "asymptotic_at_mask_16_bits": float(table["asymptotic"][-1]),
        "asymptotic_at_best_bits": float(np.sum(endless)),
        "largest_rise_of_asymptotic": float(np.max(np.diff(table["asymptotic"])) / table["asymptotic"][0]),
        "inflation_minutes_from_rise": float(table["rise_finite"]),
        "inflation_minutes_from_rise_asymptotic": float(table["rise_asymptotic"]),
        "inflation_minutes_of_the_clock_mean": float(np.mean(inflated)),
        "inflation_minutes_of_the_clock_least": float(np.min(inflated)),
        "inflation_minutes_of_the_clock_most": float(np.max(inflated)),
    }
    results |= constellation()
    (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    figure(results, table)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
