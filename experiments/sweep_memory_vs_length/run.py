"""Longest links that still yield key, and what memories cost, from the sweep of this folder; writes results.json.

    python experiments/sweep_memory_vs_length/run.py [RUN.zarr]

The sweep runs first, or goes on, unless it is done.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure

from qtn.problem.sweep import sweep_shard
from qtn.sweeps.dataset import open_dataset

jax.config.update("jax_enable_x64", True)
HERE = Path(__file__).parent
LENGTH, MEMORY, MODES = "chain.link.length_km", "chain.node.memory.t2_s", "chain.link.num_modes"
SHOWN = {"t2_s": (0.01, 0.043, 0.3), "num_modes": (1, 9, 113)}


def nearest(values: np.ndarray, wanted: float) -> int:
    """Return the place of the value of an axis that is nearest on a logarithmic scale."""
    return int(np.argmin(np.abs(np.log(values / wanted))))


def results(data: Any) -> dict[str, Any]:
    """Return the numbers of the README by name."""
    rate = data["secret_key_rate_hz"].transpose(MODES, MEMORY, LENGTH)
    lengths, memories, modes = (data[name].to_numpy() for name in (LENGTH, MEMORY, MODES))
    longest = np.array([[max((x for x, r in zip(lengths, row, strict=True) if r > 0), default=0.0) for row in plane]
                        for plane in rate.to_numpy()])  # fmt: skip
    table = [
        {
            "t2_s": float(memories[j]),
            "num_modes": float(modes[i]),
            "longest_link_with_key_km": float(longest[i, j]),
            "longer_than_swept": bool(longest[i, j] == lengths[-1]),
        }
        for i in (nearest(modes, m) for m in SHOWN["num_modes"])
        for j in (nearest(memories, t) for t in SHOWN["t2_s"])
    ]
    ten, third = nearest(modes, 10), nearest(memories, 0.3)
    share = rate[ten, third].to_numpy() / rate[ten, -1].to_numpy()
    return {
        "points": int(rate.size),
        "failed": int((data["done"].to_numpy() == 2).sum()),
        "largest_grid_error": float(data["grid_error"].max()),
        "longest_links": table,
        "share_of_perfect_memories": [
            {"length_km": float(x), "share": float(s)} for x, s in zip(lengths, share, strict=True)
        ],
        "saturated_rate_hz": float(rate[-1, -1, 0]),
    } | {"axes": {"t2_s": memories.tolist(), "num_modes": modes.tolist(), "longest_km": longest.tolist()}}


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw the longest link with key by coherence time and modes."""
    drawing = Figure(figsize=(6.4, 4.4), layout="constrained")
    plot = drawing.subplots()
    axes = found["axes"]
    image = plot.pcolormesh(axes["t2_s"], axes["num_modes"], np.array(axes["longest_km"]), shading="nearest")
    plot.set_xscale("log")
    plot.set_yscale("log")
    plot.set_xlabel("coherence time of memories [s]")
    plot.set_ylabel("modes tried in one attempt")
    drawing.colorbar(image, label="longest link with key [km]")
    plot.set_title("Four links, swapped by linear optics; 100 km is the longest tried", fontsize=9)
    drawing.savefig(path, dpi=110)


def main() -> None:
    """Run the sweep and write its numbers."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(sys.argv[1] if len(sys.argv) > 1 else f"{folder}/RUN.zarr")
        sweep_shard(HERE / "problem.toml", store, resume=True)
        found = results(open_dataset(store))
    draw(found, HERE / "figure.png")
    (HERE / "results.json").write_text(json.dumps(found, indent=1) + "\n")
    for row in found["longest_links"]:
        print(f"{row['t2_s']:8.3g} s {row['num_modes']:8.4g} modes: {row['longest_link_with_key_km']:6.1f} km")


if __name__ == "__main__":
    main()
