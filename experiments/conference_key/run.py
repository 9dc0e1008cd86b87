"""When one key of many users beats pair keys over the same arms: `python experiments/conference_key/run.py`."""

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

import qtn  # noqa: E402
from qtn import qkd  # noqa: E402

HERE = Path(__file__).parent
USERS = (2, 3, 4, 5, 6, 8, 10, 12)
LENGTHS_KM = (2, 5, 10, 15, 20, 30, 40, 50, 60)
HARDWARE = {
    "visibility": 0.99,
    "efficiency": 0.8,
    "t2": 1.0,
    "two_qubit": 0.998,
    "readout": 0.999,
}
"""Of every arm and the hub; T2 [s] of dephasing."""


def line_of(length_km: Any, numbers: dict[str, Any]) -> qtn.Chain:
    """Return one arm: user, double-click link over fibre of .2 dB/km, hub."""
    link = qtn.double_click(
        length_left=500.0 * length_km,
        length_right=500.0 * length_km,
        loss_left=0.1 * length_km,
        loss_right=0.1 * length_km,
        efficiency=numbers["efficiency"],
        visibility=numbers["visibility"],
    )
    memory = qtn.dephasing_memory(numbers["t2"])
    hub = qtn.node(memory, qtn.gates(numbers["two_qubit"], numbers["readout"]))
    return qtn.chain([link], [qtn.node(memory), hub])


def arm_of(line: qtn.Chain, evaluator: Any = None) -> Any:
    """Return the pairs that an arm delivers."""
    return qtn.pairs_of(qtn.evaluate(line, qtn.nested(0), evaluator=evaluator or qtn.Renewal()), line)


def rates(users: int, arm: Any, hub: Any, **options: Any) -> dict[str, float]:
    """Return the key rates of all users, by how the key is made; 0 without a key."""
    options = {"ends": "measured"} | options
    group = qtn.gather([arm] * users, hub, **options)
    found = {"ghz": qkd.conference_key(group).rate}
    found |= {via: qkd.pairwise_key([arm] * users, hub, via=via, **options).rate for via in ("neighbours", "leader")}
    return {name: max(float(rate), 0.0) for name, rate in found.items()} | {
        "time_s": float(group.mean_time),
        "fidelity": float(group.fidelity()),
    }


def table() -> dict[str, Any]:
    """Return the rates over users and lengths."""
    found: dict[str, Any] = {}
    for length in LENGTHS_KM:
        line = line_of(float(length), HARDWARE)
        arm = arm_of(line)
        for users in USERS:
            found[f"{users} users, {length} km"] = rates(users, arm, line.node(1))
    return found


def without_noise() -> dict[str, float]:
    """Return the advantage of GHZ states where nothing but waiting counts: 2 E[slowest of 2] / E[slowest of n]."""
    line = qtn.chain([qtn.abstract_link(p_success=0.05, attempt_time=1.0, werner=1.0)], [qtn.node(), qtn.node()])
    arm, found = arm_of(line), {}
    for users in USERS:
        of = rates(users, arm, None)
        found[str(users)] = of["ghz"] / of["neighbours"]
    return found


def elasticities(users: int, length_km: float) -> dict[str, float]:
    """Return by how many percent the key rate of GHZ states rises with one percent of each number."""
    grid = qtn.Renewal().planned(line_of(length_km, HARDWARE), qtn.nested(0))

    def rate(numbers: dict[str, Any]) -> Any:
        line = line_of(length_km, numbers)
        return qkd.conference_key(qtn.gather([arm_of(line, grid)] * users, line.node(1), ends="measured")).rate

    value, slopes = jax.value_and_grad(rate)({name: jnp.asarray(each) for name, each in HARDWARE.items()})
    return {name: float(slopes[name] * HARDWARE[name] / value) for name in HARDWARE}


def best_cutoff(users: int, length_km: float, t2: float) -> dict[str, float]:
    """Return what giving up old pairs is worth with short memories, at its best of all whole attempts."""
    line = line_of(length_km, HARDWARE | {"t2": t2})
    arm, hub = arm_of(line), line.node(1)
    step = float(arm.step)

    @jax.jit
    def with_cutoff(cutoff: Any) -> Any:
        return qkd.conference_key(qtn.gather([arm] * users, hub, ends="measured", cutoff_time=cutoff)).rate

    found = [float(with_cutoff(k * step)) for k in range(1, 61)]
    plain = qkd.conference_key(qtn.gather([arm] * users, hub, ends="measured"))
    return {
        "rate_never": max(float(plain.rate), 0.0),
        "rate_best": max(found),
        "cutoff_attempts": 1 + int(np.argmax(found)),
        "attempt_time_s": step,
    }


def draw(numbers: dict[str, Any]) -> None:
    """Draw rates over users, and who wins where."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2))
    for length, style in ((10, "-"), (40, "--")):
        for name, colour in (("ghz", "C0"), ("neighbours", "C1"), ("leader", "C2")):
            words = {"ghz": "GHZ states", "neighbours": "pairs of neighbours", "leader": "pairs with a leader"}[name]
            values = [numbers["rates"][f"{n} users, {length} km"][name] or np.nan for n in USERS]
            left.semilogy(USERS, values, f"o{style}", color=colour, label=f"{words}, {length} km", markersize=4)
    left.set(xlabel="users", ylabel="key of all users [bit/s]", ylim=(1.5, None))
    left.legend(fontsize=8, ncols=2, loc="lower left")
    cells = [[numbers["rates"][f"{n} users, {length} km"] for n in USERS] for length in LENGTHS_KM]
    values = np.array([[each["ghz"] / each["neighbours"] for each in row] for row in cells])
    mesh = right.pcolormesh(
        range(len(USERS) + 1), range(len(LENGTHS_KM) + 1), values, cmap="RdBu", vmin=0, vmax=2, edgecolors="white"
    )
    for (row, column), value in np.ndenumerate(values):
        right.text(column + 0.5, row + 0.5, f"{value:.2f}", ha="center", va="center", fontsize=8)
    right.set_xticks(np.arange(len(USERS)) + 0.5, [str(n) for n in USERS])
    right.set_yticks(np.arange(len(LENGTHS_KM)) + 0.5, [str(each) for each in LENGTHS_KM])
    right.set(xlabel="users", ylabel="length of an arm [km]", title="GHZ states / pairs of neighbours")
    figure.colorbar(mesh, ax=right)
    figure.tight_layout()
    figure.savefig(HERE / "figure.png", dpi=120)


def main() -> None:
    """Write the figure and the numbers."""
    numbers: dict[str, Any] = {"rates": table(), "advantage_without_noise": without_noise()}
    numbers["thresholds"] = {
        protocol: {str(n): qkd.white_noise_threshold(n, protocol) for n in (2, 3, 4, 5)}
        for protocol in qkd.ConferenceProtocol
    }
    numbers["elasticities, 5 users, 20 km"] = elasticities(5, 20.0)
    numbers["cut-off, 4 users, 20 km, T2 = 10 ms"] = best_cutoff(4, 20.0, 0.01)
    (HERE / "results.json").write_text(json.dumps(numbers, indent=1) + "\n")
    draw(numbers)
    print(json.dumps({name: each for name, each in numbers.items() if name != "rates"}, indent=1))
    for length in LENGTHS_KM:
        row = [numbers["rates"][f"{n} users, {length} km"] for n in USERS]
        print(f"{length:3d} km:", *(f"{each['ghz']:9.3f}/{each['neighbours']:9.3f}" for each in row))


if __name__ == "__main__":
    main()
