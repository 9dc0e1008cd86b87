"""Key against distance with and without decoys, and for finite blocks: `python experiments/decoy_bb84/run.py`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import matplotlib  # noqa: E402

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from scipy.optimize import brentq  # noqa: E402

from qtn import qkd  # noqa: E402
from qtn.planning.pulses import best_pulses  # noqa: E402
from qtn.problem.evaluation import evaluated, merits  # noqa: E402
from qtn.problem.load import load  # noqa: E402
from qtn.problem.planner import optimise  # noqa: E402

HERE = Path(__file__).parent
CORRECTNESS = 1e-15


def gys(length: float) -> qkd.Receiver:
    """Return the line of Gobby, Yuan and Shields (2004) at a length [km]."""
    return qkd.receiver(0.21 * length, 0.045, 0.85e-6, 0.033)


def lim(length: float) -> qkd.Receiver:
    """Return the line of Lim et al. (2014) at a length [km]."""
    return qkd.receiver(0.2 * length, 0.1, 6e-7, 5e-3, 0.04)


RATES = {
    "all decoys": lambda x: qkd.asymptotic_rate(gys(x), 0.48, qkd.single_photons(gys(x))),
    "vacuum and weak": lambda x: qkd.asymptotic_rate(gys(x), 0.48, qkd.vacuum_and_weak(gys(x), 0.48, 0.05)),
    "no decoys, best intensity": lambda x: jnp.max(
        jax.vmap(lambda mu: qkd.rate_without_decoys(gys(x), mu))(jnp.geomspace(1e-4, 0.5, 200))
    ),
}


def last_length(rate: Callable[[float], Any], low: float) -> float:
    """Return the length [km] at which a rate vanishes."""
    found: Any = brentq(lambda x: float(rate(x)), low, 200.0)
    return found


def finite(length: float, key_detections: float, tail: str) -> float:
    """Return secret bits per pulse of the best settings; the block has so many detections in the key basis.

    Its secrecy is 1e-15 per bit of the key, as published: found by repetition.
    """
    line, secrecy = lim(length), 1e-15 * key_detections / 3
    bits, num_pulses = 0.0, 1.0
    for _ in range(3):
        security = qkd.Security(secrecy=secrecy, correctness=CORRECTNESS)
        sent = best_pulses(line, security=security, key_detections=key_detections, tail=tail)
        num_pulses = key_detections / float(jnp.sum(qkd.expected_counts(sent, line, 1.0).key_detections))
        bits = float(qkd.decoy_key(sent, qkd.expected_counts(sent, line, num_pulses), security, tail=tail).key_bits)
        if bits <= 0:
            return 0.0
        secrecy = 1e-15 * bits
    return bits / num_pulses


def of_file() -> dict[str, float]:
    """Return what problem.toml gives, with its settings and with the best ones."""
    problem = load(HERE / "problem.toml")
    names = ["finite_key_rate_hz", "p_abort", "p_undetected", "phase_error"]
    found = merits(problem, evaluated(problem).result, names=names, clip=True)
    numbers = {f"file_{name}": float(value) for name, value in found.items()}
    best = optimise(problem)
    numbers["file_best_finite_key_rate_hz"] = best.value
    return numbers | {f"file_best_{name.split('.')[-1]}": value for name, value in best.parameters.items()}


def main() -> None:
    """Write the figure and the numbers."""
    numbers = {"rate_100km_all_decoys": float(RATES["all decoys"](100.0))}
    for name, rate in RATES.items():
        low = 10.0 if "no" in name else 100.0
        numbers[f"last_km_{name.replace(',', '').replace(' ', '_')}"] = last_length(rate, low)
    for tail in ("fung", "exact"):
        for block in (1e7, 1e9):
            numbers[f"rate_100km_{tail}_{block:.0e}".replace("e+0", "e")] = finite(100.0, block, tail)
        rates = [numbers[f"rate_100km_{tail}_1e{power}"] for power in (9, 7)]
        numbers[f"ratio_1e9_1e7_{tail}"] = rates[0] / rates[1]
    numbers |= of_file()
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    lengths = np.linspace(0, 145, 80)
    for name, rate in RATES.items():
        values = np.array([float(rate(x)) for x in lengths])
        left.semilogy(lengths, np.where(values > 0, values, np.nan), label=name)
    left.set(xlabel="fibre [km]", ylabel="secret bits a pulse", title="without end")
    left.legend()
    for block, colour in ((1e5, "C0"), (1e7, "C1")):
        for tail, style in (("fung", "--"), ("exact", "-")):
            values = np.array([finite(x, block, tail) for x in (0.0, 40.0, 80.0, 120.0, 150.0)])
            label = f"{block:.0e} detections, {'published' if tail == 'fung' else 'exact'} tail".replace("e+0", "e")
            right.semilogy((0, 40, 80, 120, 150), np.where(values > 0, values, np.nan), colour + style, label=label)
    right.set(xlabel="fibre [km]", ylabel="secret bits a pulse", title="finite blocks, best settings")
    right.legend()
    figure.tight_layout()
    figure.savefig(HERE / "figure.png", dpi=120)
    (HERE / "results.json").write_text(json.dumps(numbers, indent=2) + "\n")
    print(json.dumps(numbers, indent=2))


if __name__ == "__main__":
    main()
