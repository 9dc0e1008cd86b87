"""What text and report say of a distributed circuit, in sentences."""

import math
from collections.abc import Mapping
from typing import Any

from qtn.problem.application.circuit_rows import CAUSES

MOST_COUNTS = 8
"""Outcomes of shots that are told."""


def sentences(numbers: Mapping[str, Any]) -> list[str]:
    """Return all of them, from the quantities by name and what was drawn."""
    return [*waits(numbers), *causes(numbers), *processors(numbers), *samples(numbers)]


def waits(numbers: Mapping[str, Any]) -> list[str]:
    """Say how long it waits."""
    pairs, time, waiting = (numbers[f"circuit_{name}"] for name in ("pairs", "time_s", "waiting_s"))
    share = f", {waiting / time:.1%} of its time" if time > 0 else ""
    return [f"A run waits {waiting:.4g} s for pairs{share}; pairs that it takes: {pairs:.0f}."]


def causes(numbers: Mapping[str, Any]) -> list[str]:
    """Say what to improve first."""
    found = {name: numbers[name] for name in CAUSES if name in numbers}
    if not found or any(value is None for value in found.values()):
        return []
    best = max(found, key=lambda name: found[name])
    told = ", ".join(f"{CAUSES[name][0]} {value:.4f}" for name, value in found.items())
    return [f"Its fidelity would be {told}: {CAUSES[best][1]} help most.", *even_rate(numbers)]


def even_rate(numbers: Mapping[str, Any]) -> list[str]:
    """Say at which pair rate waits would cost as much as the errors of pairs: log fidelities add, waits are times."""
    whole = numbers["circuit_fidelity"]
    if whole is None:
        return []
    at_once, perfect = (numbers[f"circuit_fidelity_{name}"] for name in ("without_waits", "with_perfect_pairs"))
    if not (0 < whole < at_once and whole < perfect):
        return []
    rate = numbers["rate_hz"] * math.log(at_once / whole) / math.log(perfect / whole)
    return [
        f"Below about {rate:.3g} pairs a second waits cost more than the errors of pairs (estimated: what waits cost "
        "is taken as proportional to their length)."
    ]


def processors(numbers: Mapping[str, Any]) -> list[str]:
    """Say on which of several sets of processors the circuit does best."""
    start = "circuit_fidelity_alternative_"
    found = {int(name.removeprefix(start)): x for name, x in numbers.items() if name.startswith(start)}
    known = {place: value for place, value in found.items() if value is not None}
    if not found or len(known) < len(found) or numbers.get("circuit_fidelity") is None:
        return []
    ranked = sorted([(numbers["circuit_fidelity"], -1), *((value, place) for place, value in known.items())])[::-1]

    def named(place: int) -> str:
        return "those of application.qpus" if place < 0 else f"those of application.alternatives.{place}"

    told = ", ".join(f"{named(place)} {value:.4f}" for value, place in ranked[1:])
    value, place = ranked[0]
    return [f"Of all processors that are compared {named(place)} do best: fidelity {value:.4f} ({told})."]


def samples(numbers: Mapping[str, Any]) -> list[str]:
    """Say what shots gave, and how sure trajectories are."""
    lines = []
    if (counts := numbers.get("counts")) is not None:
        total = sum(counts.values())
        often = ", ".join(f"{bits} ({count})" for bits, count in list(counts.items())[:MOST_COUNTS])
        more = f" and {len(counts) - MOST_COUNTS} others" if len(counts) > MOST_COUNTS else ""
        none = "Shots: none, as many runs of many qubits were averaged; set application.waits to bond or independent."
        lines.append(f"Shots: {total}, of which {often}{more}." if total else none)
    if (errors := numbers.get("standard_errors")) is not None:
        told = ", ".join(f"{name} {value:.2g}" for name, value in errors.items())
        lines.append(f"Estimated from {numbers['trajectories']} trajectories; standard errors: {told or 'none'}.")
    return lines
