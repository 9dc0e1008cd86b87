"""What a threshold costs, what it catches, and what Eve knows: `python experiments/eavesdropper/run.py`."""

import json
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)

import matplotlib  # noqa: E402

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

from qtn import qkd  # noqa: E402

HERE = Path(__file__).parent
BLOCKS = ((10_000, 0.01), (100_000, 0.025), (1_000_000, 0.05))


def over_thresholds(best: qkd.Session, error_rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Return thresholds, and the throughput of each with the best number of compared bits kept."""
    k = float(best.num_test)
    errors = np.unique(np.round(k * np.linspace(error_rate, 0.06, 40)))
    values = [_throughput(error_rate, float(best.num_raw), k, j) for j in errors]
    return errors / k, np.array(values)


def _throughput(error_rate: float, raw: float, k: float, j: float) -> float:
    try:
        return float(qkd.session(error_rate, raw, num_test=k, max_errors=j).throughput)
    except ValueError:  # no key with this test
        return 0.0


def main() -> None:
    """Write the figure and the numbers."""
    numbers: dict[str, float] = {}
    best = {}
    for raw, rate in BLOCKS:
        for tail in ("serfling", "exact"):
            best[raw, tail] = found = qkd.session(rate, raw, tail=tail)
            numbers[f"throughput_{tail}_{raw:.0e}".replace("e+0", "e")] = float(found.throughput)
            numbers[f"p_abort_{tail}_{raw:.0e}".replace("e+0", "e")] = float(found.p_abort)
    test = qkd.sequential_test(0.03, 0.25)
    for name, rate in (("honest", 0.03), ("attacked", 0.25)):
        numbers[f"wald_bits_{name}"] = float(getattr(test, f"bits_{name}"))
        numbers[f"exact_bits_{name}"] = float(qkd.exact_bits(test, 0.03, 0.25, rate).mean_bits)
    for fraction in (1.0, 0.4):
        attack = qkd.intercept_resend(fraction)
        numbers[f"bits_to_detect_{fraction:g}"] = qkd.bits_to_detect(attack, 1e-9)
    caught = qkd.session(0.01, 10_000, attack=qkd.intercept_resend(0.1))
    numbers["p_undetected_intercept_0.1"] = float(caught.p_undetected)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    thresholds, values = over_thresholds(best[10_000, "exact"], 0.01)
    left.plot(100 * thresholds, values, ".-", label="10,000 raw bits, 1 % errors")
    left.set(xlabel="abort above [% of errors]", ylabel="throughput [bit a signal]", ylim=(0, None))
    left.legend()
    angles = np.linspace(0, np.pi / 2, 40)
    probe = lambda t, kind: qkd.entangling_probe(t, kind)  # noqa: E731
    for kind in qkd.Cloner:
        seen = [100 * float(qkd.error_rate(probe(t, kind))) for t in angles]
        knows = [float(qkd.holevo_information(probe(t, kind))) for t in angles]
        right.plot(seen, knows, label=kind.value.replace("_", " ") + " probe")
    fractions = np.linspace(0, 1, 5)
    right.plot(25 * fractions, fractions / 2, label="intercept and resend")
    right.set(xlabel="errors that the test sees [%]", ylabel="what Eve knows (Holevo) [bit]", xlim=(0, 30))
    right.legend()
    figure.tight_layout()
    figure.savefig(HERE / "figure.png", dpi=120)
    (HERE / "results.json").write_text(json.dumps(numbers, indent=2) + "\n")
    print(json.dumps(numbers, indent=2))
    print(*caught.sentences(), sep="\n")


if __name__ == "__main__":
    main()
