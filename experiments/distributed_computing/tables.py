"""The tables of README.md from results.json: python experiments/distributed_computing/tables.py."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def markdown(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def oxford(found: dict[str, Any]) -> str:
    """Return calibration, prediction and slopes."""
    rows = [
        ["local gates p2", f"{found['two_qubit']:.4f}", "calibrated"],
        ["teleported CZ", f"{found['teleported_cz_fidelity']:.4f}", "0.862(9)"],
        ["Grover", f"{found['grover_predicted']:.4f}", "0.71(1)"],
        ["Grover, one qubit moved", f"{found['grover_with_one_moved_qubit']:.4f}", ""],
        *([f"slope of Grover by {name}", f"{slope:.3f}", ""] for name, slope in found["slopes"].items()),
    ]
    return markdown(["number", "qtn", "published"], rows)


def rounds(found: dict[str, Any]) -> str:
    """Return the best rounds."""
    rows = [
        [
            f"{each['t2_s']:g}",
            each["rounds_for_the_pair"],
            each["rounds_for_the_circuit"],
            f"{each['circuit_fidelity']:.4f}",
            f"{each['circuit_fidelity_with_the_best_pair']:.4f}",
            f"{each['circuit_fidelity_without']:.4f}",
        ]
        for each in found["best"]
    ]
    head = ["T2 [s]", "best for the pair", "best for the circuit", "its fidelity", "with the best pair", "with none"]
    return markdown(head, rows)


def scaling(found: list[dict[str, Any]]) -> str:
    """Return pairs, and what runs give at their first and last point."""
    rows = []
    for each in found:
        base = next((p for p in each["points"] if (p["rate_hz"], p["pair_fidelity"]) == (100.0, 0.99)), None)
        numbers = [""] * 5
        if base is not None:
            errors = [f"{abs(base[key]):.0e}" for key in ("trace_drift", "wait_error")]
            numbers = [f"{base['fidelity']:.4f}", f"{base['time_s']:.3f}", each["bond"], *errors]
        counts = [each[key] for key in ("pairs", "pairs_fewest", "pairs_cut", "pairs_unshared", "layers")]
        rows.append([f"{each['family']} {each['num_qubits']} on {each['num_qpus']}", *counts, *numbers])
    head = ["circuit", "pairs", "fewest", "cut", "one a gate", "layers", "fidelity", "time [s]"]
    return markdown([*head, "bond", "trace drift", "wait error"], rows)


def wide(found: list[dict[str, Any]]) -> str:
    """Return fidelities with standard errors."""
    seen = {True: "{:.3f} +- {:.3f}", False: "below {2:.2f}"}  # three of all trajectories, where none kept any
    rows = [
        [
            f"{each['family']} {each['num_qubits']} on {each['num_qpus']}",
            each["pairs"],
            seen[each["fidelity"] > 1e-9].format(
                each["fidelity"], each["standard_error"], 3 / (each["num_waits"] * each["num_trajectories"])
            ),
            f"{each['num_waits']} x {each['num_trajectories']}",
            f"{1 - each['kept_at_worst']:.0e}",
            f"{each['seconds']:.0f}",
        ]
        for each in found
    ]
    head = ["circuit", "pairs", "fidelity", "waits x trajectories", "cut at worst", "seconds"]
    return markdown(head, rows)


def aer(found: list[dict[str, Any]]) -> str:
    """Return agreement and times."""
    rows = []
    for each in found:
        name = f"{each['family']} {each['num_qubits']}"
        if "aer" not in each:
            rows.append([name, each["pairs"], each["peer"], "", "", "", "", ""])
            continue
        largest = max(each["aer_errors"].values())
        rows.append(
            [
                name,
                each["pairs"],
                f"{each['largest_deviation_in_errors']:.1f}",
                f"{largest:.1e}",
                f"{abs(each['trace_drift']):.0e}",
                f"{each['aer_s']:.1f}, {each['aer_shots']} shots",
                f"{each['first_s']:.1f} / {each['again_s']:.3f}",
                f"{each['aer_over_again']:.3g}",
            ]
        )
    head = ["circuit", "pairs", "deviation / error", "error of Aer", "drift of qtn", "Aer [s]", "qtn first / again [s]"]
    return markdown([*head, "Aer / again"], rows)


def main() -> None:
    """Print all tables."""
    results = json.loads((Path(__file__).parent / "results.json").read_text())
    for name, found in results.items():
        print(name, globals()[name](found), sep="\n\n", end="\n\n")


if __name__ == "__main__":
    main()
