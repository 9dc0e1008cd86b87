"""The best cut-off for the key of a finite block: `python experiments/finite_key_cutoff/run.py`."""

import json
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import matplotlib  # noqa: E402

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

from qtn.problem.evaluation import evaluated, merits  # noqa: E402
from qtn.problem.load import load  # noqa: E402
from qtn.problem.planner import optimise  # noqa: E402
from qtn.qkd import Keys, Security  # noqa: E402

HERE = Path(__file__).parent
CUTOFF = "schedule.cutoff_times.0"
BLOCKS = (60.0, 100.0, 600.0, 3_600.0, 36_000.0, 360_000.0)
STEP = 1e-4


def tuned(maximise: str) -> tuple[float, float]:
    """Return the best cut-off [s] and rate [bit/s] that the optimiser finds for the file."""
    found = optimise(load(HERE / "problem.toml", [f"optimise.maximise={maximise}"]))
    return found.parameters[CUTOFF], found.value


def main() -> None:
    """Write the figure and the numbers."""
    problem = load(HERE / "problem.toml")
    cutoffs = STEP * np.arange(20, 300, 5)
    results = [evaluated(problem, {CUTOFF: float(x)}).result for x in cutoffs]
    names = ["secret_key_rate_hz"]
    endless = np.array([float(merits(problem, x, names=names, clip=True)[names[0]]) for x in results])
    last = int(np.argmax(endless))
    numbers = {"cutoff_ms_endless": 1e3 * cutoffs[last], "rate_endless": endless[last]}
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    best = []
    for seconds in BLOCKS:
        keys = np.array([rate_of(x, seconds) for x in results])
        here = int(np.argmax(keys))
        best.append(1e3 * cutoffs[here])
        numbers[f"cutoff_ms_{seconds:g}s"] = 1e3 * cutoffs[here]
        numbers[f"rate_{seconds:g}s"] = keys[here]
        numbers[f"rate_{seconds:g}s_at_endless_cutoff"] = keys[last]
        if seconds in (100.0, 600.0, 36_000.0):
            left.plot(1e3 * cutoffs, keys / keys.max(), label=f"block of {seconds:g} s")
    left.plot(1e3 * cutoffs, endless / endless.max(), "k--", label="without end")
    left.set(xlabel="cut-off [ms]", ylabel="key rate over its best", ylim=(0, 1.05))
    left.legend()
    right.semilogx(BLOCKS, best, "o-", label="finite key")
    right.axhline(1e3 * cutoffs[last], color="k", linestyle="--", label="without end")
    right.set(xlabel="block [s]", ylabel="best cut-off [ms]")
    right.legend()
    for name, of in (("finite_key_rate_hz", "600s"), ("secret_key_rate_hz", "endless")):
        cutoff, value = tuned(name)
        numbers |= {f"optimiser_cutoff_ms_{of}": 1e3 * cutoff, f"optimiser_rate_{of}": value}
    figure.tight_layout()
    figure.savefig(HERE / "figure.png", dpi=120)
    numbers = {name: float(x) for name, x in numbers.items()}
    (HERE / "results.json").write_text(json.dumps(numbers, indent=2) + "\n")
    print(json.dumps(numbers, indent=2))


def rate_of(result: Any, seconds: float) -> float:
    """Return the finite-key rate [bit/s] of a block; 0 without a key."""
    return max(float(Keys(security=Security(), seconds=seconds).run(result, None).key.rate), 0.0)


if __name__ == "__main__":
    main()
