"""One figure for each part."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

HERE = Path(__file__).parent


def oxford(found: dict[str, Any]) -> None:
    """Draw published and predicted numbers, and what each part of the hardware costs."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = ["teleported CZ\n(calibrates)", "Grover\n(predicted)"]
    ours = [found["teleported_cz_fidelity"], found["grover_predicted"]]
    left.bar([0, 1], ours, 0.5, color="#4477aa", label="qtn")
    published = [0.862, found["grover_published"]], [0.009, 0.01]
    left.errorbar([0, 1], *published, fmt="o", color="black", capsize=4, label="published")
    left.bar([2], [found["grover_with_one_moved_qubit"]], 0.5, color="#aaccee")
    left.set_xticks([0, 1, 2], [*names, "Grover, one qubit\nmoved instead"])
    left.set_ylim(0.5, 1.0)
    left.yaxis.set_major_formatter(PercentFormatter(1.0))
    left.set_title("Two ion traps, one CZ a pair")
    left.legend()
    lost = found["lost_to_first_order"]
    right.barh([name.replace(" of the ", "\nof the ") for name in lost], list(lost.values()), color="#cc6677")
    right.xaxis.set_major_formatter(PercentFormatter(1.0))
    right.set_title("What Grover loses to each (slope)")
    figure.savefig(HERE / "oxford.png", dpi=130)


def scaling(rows: list[dict[str, Any]]) -> None:
    """Draw fidelity and time against rate and fidelity of pairs, and pairs used."""
    figure = Figure(figsize=(13, 8), layout="constrained")
    (by_rate, by_pair), (time, used) = figure.subplots(2, 2)
    for row, colour in zip(_with_grid(rows), ("#4477aa", "#66ccee", "#228833", "#cc6677"), strict=False):
        name = f"{row['family']} {row['num_qubits']} on {row['num_qpus']}"
        at = [p for p in row["points"] if p["pair_fidelity"] == 0.99]
        by_rate.semilogx([p["rate_hz"] for p in at], [p["fidelity"] for p in at], "o-", color=colour, label=name)
        time.loglog([p["rate_hz"] for p in at], [p["time_s"] for p in at], "o-", color=colour, label=name)
        at = sorted((p for p in row["points"] if p["rate_hz"] == 100.0), key=lambda p: p["pair_fidelity"])
        by_pair.plot([p["pair_fidelity"] for p in at], [p["fidelity"] for p in at], "o-", color=colour, label=name)
    by_rate.set(xlabel="pair rate [Hz]", ylabel="circuit fidelity", title="pairs of 0.99", ylim=(0, 1))
    by_pair.set(xlabel="pair fidelity", ylabel="circuit fidelity", title="100 pairs a second", ylim=(0, 1))
    time.set(xlabel="pair rate [Hz]", ylabel="mean run time [s]", title="waiting, until gates take longer")
    by_rate.legend(fontsize=8)
    names = [f"{row['family']} {row['num_qubits']}/{row['num_qpus']}" for row in rows]
    places = range(len(rows))
    used.barh(
        [k + 0.2 for k in places], [row["pairs_unshared"] for row in rows], 0.38, color="#bbbbbb", label="one a gate"
    )
    used.barh([k - 0.2 for k in places], [row["pairs"] for row in rows], 0.38, color="#4477aa", label="shared")
    used.set_yticks(list(places), names)
    used.set_xscale("log")
    used.set(xlabel="pairs", title="qubits / processors")
    used.legend(fontsize=8)
    figure.savefig(HERE / "scaling.png", dpi=130)


def _with_grid(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if len(row["points"]) > 3]


def rounds(found: dict[str, Any]) -> None:
    """Draw pair and circuit against rounds of purification."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    colours = ("#cc6677", "#ddaa33", "#228833", "#4477aa")
    for answer, colour in zip(found["best"], colours, strict=True):
        own = [row for row in found["rows"] if row["t2_s"] == answer["t2_s"]]
        for axes, key, wanted in (
            (left, "pair_fidelity", "rounds_for_the_pair"),
            (right, "circuit_fidelity", "rounds_for_the_circuit"),
        ):
            axes.plot(
                [row["rounds"] for row in own],
                [row[key] for row in own],
                "o-",
                color=colour,
                label=f"T2 = {answer['t2_s']:g} s",
            )
            best = own[answer[wanted]]
            axes.plot(best["rounds"], best[key], "*", color=colour, markersize=16)
    left.set(xlabel="rounds of purification", ylabel="fidelity of a pair", title="best for the pair (star)")
    right.set(xlabel="rounds of purification", ylabel="fidelity of the circuit", title="best for the circuit (star)")
    right.legend(fontsize=8)
    figure.savefig(HERE / "rounds.png", dpi=130)
