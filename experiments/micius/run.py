"""What the satellite Micius measured, predicted from three numbers: `python experiments/micius/run.py`."""

import json
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import matplotlib  # noqa: E402

matplotlib.use("Agg")

import jax.numpy as jnp  # noqa: E402
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from scipy.optimize import brentq  # noqa: E402

from qtn import chsh_value, qkd  # noqa: E402
from qtn.hardware.earth import EARTH_RADIUS  # noqa: E402
from qtn.hardware.free_space import FreeSpace, free_space, transmissivity  # noqa: E402
from qtn.merit.entropy import binary_entropy  # noqa: E402
from qtn.orbits import Passes, at_rest, orbit, passes, station  # noqa: E402
from qtn.states.pair import from_fidelity, pauli_from_bell  # noqa: E402

HERE = Path(__file__).parent
ALTITUDE = 500e3
MOST_RANGE = 1200e3
"""[m], at which the published loss and rate calibrate."""

DIFFRACTION_DB, RATE_FAR, SIFTED, DETECTED = 22.0, 1000.0, 1_671_072, 3_551_136
"""The three numbers that calibrate: loss and sifted rate [bit/s] at 1,200 km, and sifted of all detected bits."""

OPTICS, DETECTORS, PULSE_RATE, QBER = 0.16, 0.5, 1e8, 0.011
SENT = qkd.pulses([0.8, 0.1, 0.0], [0.5, 0.25, 0.25])
MEAN_PHOTONS = float(np.dot(SENT.intensities, SENT.probabilities))
PUBLISHED = {
    "rate_645_km_hz": 12_000,
    "sifted_bits_of_pass": 1_671_072,
    "key_bits_of_pass": 300_939,
    "pairs_loss_db": [64, 82],
    "pairs_per_second": 1.1,
    "chsh": 2.37,
    "coincidences_2020_hz": 2.2,
    "asymptotic_2020_hz": 0.43,
    "key_bits_2020": 372,
}


def sine(distance: Any) -> Any:
    """Return the sine of the elevation at a distance [m]."""
    return (ALTITUDE**2 + 2 * EARTH_RADIUS * ALTITUDE - distance**2) / (2 * EARTH_RADIUS * distance)


def calibrated(radius: float = 0.5) -> FreeSpace:
    """Return the optics that the loss and the rate at 1,200 km fix, with a telescope of some radius [m]."""
    reached = 10 ** (-DIFFRACTION_DB / 10)
    angle = 0.5 * np.sqrt(-2 / np.log1p(-reached)) / MOST_RANGE
    sent = PULSE_RATE * MEAN_PHOTONS * SIFTED / DETECTED
    air = RATE_FAR / (sent * reached * OPTICS * DETECTORS)
    return free_space(
        receiver_radius=radius,
        wavelength=850e-9,
        divergence=angle,
        zenith_transmissivity=air ** sine(MOST_RANGE),
    )


def line(loss: float = 0.0) -> qkd.PulseLine:
    """Return source and receiver; what is not sifted, besides bits of unequal bases, counts as lost."""
    kept = OPTICS * DETECTORS * 2 * SIFTED / DETECTED
    return qkd.PulseLine(sent=SENT, receive=qkd.receiver(loss, kept, 0.0, QBER), pulse_rate=jnp.asarray(PULSE_RATE))


def pulses_down() -> tuple[dict[str, Any], Passes, qkd.PulsePasses]:
    """Return the numbers of 2017, BB84; and its pass. Both bases give a key, tested by the other one."""
    optics, seen = calibrated(), at_rest(ALTITUDE, 645e3, duration=273.0, num_nodes=64)
    passed = qkd.along(line(), transmissivity(optics, seen.slant_range, seen.elevation), seen.dwell)
    near = qkd.along(line(), [[transmissivity(optics, 645e3, np.arcsin(sine(645e3)))]], [[1.0]])
    counts = jax.tree.map(lambda leaf: leaf[0], passed.counts())
    demand = qkd.Security(secrecy=0.5e-9, correctness=1e-15)
    blocks: dict[str, Any] = {tail: qkd.decoy_key(SENT, counts, demand, tail=tail) for tail in ("fung", "exact")}
    keys = {tail: 2 * float(block.key_bits) for tail, block in blocks.items()}
    return (
        {
            "half_angle_urad": 1e6 * float(np.asarray(optics.divergence)),
            "zenith_loss_db": -10 * np.log10(float(optics.zenith_transmissivity)),
            "rate_645_km_hz": 2 * float(near.sifted()[0][0]),
            "sifted_bits_of_pass": 2 * float(passed.sifted()[0][0]),
            "key_bits_of_pass": keys["fung"],
            "key_bits_of_pass_exact_tail": keys["exact"],
        },
        seen,
        passed,
    )


def pairs_down(apart: float, radii: tuple[float, float], altitude: float = ALTITUDE) -> tuple[Passes, list[Any]]:
    """Return the pass along the line between two stations, up to 2,400 km for both ways, and how much arrives."""
    half = apart / EARTH_RADIUS / 2
    around = orbit(altitude, 0.0)

    def ways(time: float) -> float:
        """Return the sum of both distances [m]."""
        angles = np.array([float(around.mean_motion) * time + side * half for side in (-1, 1)])
        square = 4 * EARTH_RADIUS * (EARTH_RADIUS + altitude) * np.sin(angles / 2) ** 2
        return float(np.sum(np.sqrt(square + altitude**2)))

    end: Any = brentq(lambda time: ways(time) - 2400e3, 0.0, 600.0)
    ends = [station(0.0, side * half) for side in (-1, 1)]
    seen = passes(around, ends, -end, 2 * end, rotation=0.0)
    arrive = [
        transmissivity(calibrated(radius), seen.slant_range[i], seen.elevation[i]) for i, radius in enumerate(radii)
    ]
    return seen, arrive


def pairs_2017() -> dict[str, Any]:
    """Return the numbers of 2017, pairs: Delingha and Lijiang, telescopes of 1.2 and 1.8 m, 5.9 MHz."""
    seen, arrive = pairs_down(1203e3, (0.6, 0.9))
    received = np.asarray(arrive[0] * arrive[1]) * (OPTICS * DETECTORS) ** 2
    loss = -10 * np.log10(received)
    return {
        "pairs_loss_db": [float(loss.min()), float(loss.max())],
        "pairs_per_second": float(np.sum(5.9e6 * received * seen.dwell) / np.sum(seen.dwell)),
        "pairs_pass_s": float(np.sum(seen.dwell)),
        "chsh": float(chsh_value(pauli_from_bell(from_fidelity(0.869)))),
    }


def entropy(rate: float) -> float:
    """Return h(rate) [bit]."""
    return float(binary_entropy(jnp.asarray(rate)))


def block_2020(error_rate: float, bits: float, p_failure: float, demand: float = 1e-10) -> float:
    """Return the key of both bases, each half of the bits and tested by the other one.

    The bound on phase errors fails with a given probability; the rest is that of `qtn.qkd.finite_key`.
    """
    half = bits / 2
    phase = float(qkd.highest_rate(error_rate * half, half, half, p_failure))
    kept = 1 - entropy(phase) - 1.19 * entropy(error_rate)
    return 2 * float(half * kept - np.log2(2 / demand**3))


def pairs_2020() -> dict[str, Any]:
    """Return the numbers of 2020: Delingha and Nanshan, two telescopes of 1.2 m, secrecy 1e-10."""
    seen, arrive = pairs_down(1120e3, (0.6, 0.6))
    received = np.asarray(arrive[0] * arrive[1]) * (OPTICS * DETECTORS) ** 2
    bits, composable = 3100.0, (1e-10 / 4) ** 2
    limit: Any = brentq(lambda rate: block_2020(rate, bits, 1e-10), 0.03, 0.1)
    fraction = 1 - 2.19 * entropy(0.045)
    return {
        "coincidences_2020_hz": float(np.sum(5.9e6 * received * seen.dwell) / np.sum(seen.dwell)),
        "asymptotic_2020_hz": 1.1 * float(fraction),
        "key_bits_2020": block_2020(0.045, bits, 1e-10),
        "qber_limit_2020": limit,
        "key_bits_2020_of_3410_sifted": block_2020(0.045, 3410.0, 1e-10),
        "key_bits_2020_composable": block_2020(0.045, bits, composable),
    }


def draw(seen: Passes, passed: qkd.PulsePasses) -> None:
    """Write the figure: the pass of 2017, and the key of 2020 against its error rate."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    time, dwell = np.asarray(seen.time[0]), np.asarray(seen.dwell[0])
    rates = [float(qkd.along(line(), [[eta]], [[1.0]]).sifted()[0][0]) * 2 for eta in arriving(passed)]
    left.plot(time, np.array(rates) / 1e3, color="C0", label="sifted bits, predicted")
    left.plot([0.0], [12.0], "k^", label="published at 645 km")
    left.set(xlabel="time from the nearest point [s]", ylabel="sifted [kbit/s]", ylim=(0, 18))
    other = left.twinx()
    other.plot(time, np.asarray(seen.slant_range[0]) / 1e3, color="C1", label="distance")
    other.set(ylabel="distance [km]", ylim=(500, 1700))
    lines = [*left.get_lines(), *other.get_lines()]
    left.legend(lines, [str(each.get_label()) for each in lines], loc="upper center")
    left.set_title(f"BB84, 2017: one pass of {dwell.sum():.0f} s")
    rate = np.linspace(0.02, 0.075, 60)
    right.plot(100 * rate, [block_2020(x, 3100.0, 1e-10) for x in rate], label="bound fails with 1e-10 (as published)")
    right.plot(100 * rate, [block_2020(x, 3100.0, (1e-10 / 4) ** 2) for x in rate], label="composable to 1e-10")
    right.plot([4.5], [372], "k^", label="published")
    right.axhline(0, color="grey", linewidth=0.8)
    right.set(xlabel="error rate [%]", ylabel="key of 3,100 sifted bits [bit]", title="Pairs, 2020", ylim=(-300, None))
    right.legend()
    figure.savefig(HERE / "figure.png", dpi=120)


def arriving(passed: qkd.PulsePasses) -> np.ndarray:
    """Return how much arrives along a pass, before the receiver."""
    return np.asarray(passed.receive.transmissivity[0]) / float(line().receive.transmissivity)


def main() -> None:
    """Write the figure and the numbers."""
    numbers, seen, passed = pulses_down()
    numbers |= pairs_2017() | pairs_2020()
    draw(seen, passed)
    (HERE / "results.json").write_text(json.dumps(numbers, indent=2) + "\n")
    for name, value in numbers.items():
        print(f"{name:32} {value if isinstance(value, list) else f'{value:,.4g}'}   {PUBLISHED.get(name, '')}")


if __name__ == "__main__":
    main()
