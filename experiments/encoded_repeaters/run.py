"""When does encoding pay? Trees, parity codes and repeater graph states against memories and against no repeater.

    python experiments/encoded_repeaters/run.py

prints the tables of README.md, writes results.json and figure.png, and checks every design with the links of the
library.
"""

import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

import qtn
from qtn import codes

jax.config.update("jax_enable_x64", True)

import crossover as cross  # noqa: E402
import designs  # noqa: E402
import figure  # noqa: E402
import memories  # noqa: E402

HERE = Path(__file__).parent
ERROR = 1e-4
LENGTHS = [100, 125, 150, 175, 200, 250, 300, 400, 500, 600, 700, 850, 1000, 1200, 1400, 1700, 2000]
BLIND, ADAPTIVE = codes.Choice

PUBLISHED = {
    "501 km": {"km": 501.18723362727246, "error": 1e-3, "rate_hz": 7862.61967873, "cost": 766372.0792},
    "955 km": {"km": 954.9925860214369, "error": 1e-3, "rate_hz": 1.43639897723, "cost": None},
    "100 km": {"km": 100.0, "error": 1e-4, "rate_hz": None, "cost": 51789.0},
    "1000 km": {"km": 1000.0, "error": 1e-4, "rate_hz": None, "cost": 199821.0},
}
"""Chains of trees by the blind rule: the two public rows of Wo et al. 2023, two optima of Borregaard et al. 2020."""


def tree_row(published: dict[str, Any], rule: codes.Choice) -> dict[str, Any]:
    """Search the least cost of a chain of trees, with errors added up as the papers say, and add ours."""
    length, error = published["km"], published["error"]
    rates = partial(designs.tree_rates, length_km=length, error=error, rule=rule)
    began = time.perf_counter()
    found = designs.best(partial(rates, kept=designs.added_up), length, designs.trees())
    seconds = time.perf_counter() - began
    entry = np.array([found.entry])
    return {
        "branching": list(found.entry[:3]),
        "stations": found.entry[3],
        "rate_hz": float(rates(entry, kept=designs.added_up)[0]),
        "cost": -found.score,
        "rate_multiplied_hz": float(rates(entry)[0]),
        "search_s": round(seconds, 2),
    }


def parity_chain() -> dict[str, float]:
    """Return the photons of both halves of all stations by distance and key, for a chain of parity codes."""
    code, spacing, length = codes.parity_code(13, 6), 1.5, 1000.0
    success = code.logical(loss=1 - 0.99 * np.exp(-spacing / 20)).p_success ** (length / spacing)
    return {"p_success": float(success), "cost": float(2 * code.num_photons / (success * spacing))}


KINDS = {
    "trees, adaptive": partial(designs.tree_rates, error=ERROR, rule=ADAPTIVE),
    "trees, blind": partial(designs.tree_rates, error=ERROR, rule=BLIND),
    "parity codes": partial(designs.parity_rates, error=ERROR),
    "graph states": partial(designs.graph_rates, error=ERROR),
    "no code": partial(designs.plain_rates, error=ERROR),
}
GRAPH_PHOTONS = 1000
MOST_CHECKED_KM = 300
"""Up to which a design without a code is checked: farther away its loss is 1 but for the last digits of a number."""


def tables() -> dict[str, np.ndarray]:
    """Return the codes of each kind."""
    trees = designs.trees()
    return {
        "trees, adaptive": trees,
        "trees, blind": trees,
        "parity codes": designs.parity_codes(),
        "graph states": designs.graph_states(GRAPH_PHOTONS),
        "no code": np.zeros((1, 0), dtype=np.int64),
    }


def design(kind: str, length: float, table: np.ndarray) -> dict[str, Any]:
    """Return the design of least cost at one distance [km], checked with the link that it is."""
    rates = partial(KINDS[kind], length_km=length)
    coarse = range(1, designs.MOST_STATIONS, 10) if kind == "graph states" else None
    found = designs.best(rates, length, table, coarse)
    if coarse is not None:
        around = range(max(1, found.entry[-1] - 12), found.entry[-1] + 13)
        near = np.abs(table - np.array(found.entry[:-1])).max(axis=1) <= 2
        found = designs.best(rates, length, table[near], around)
    key = float(rates(np.array([found.entry]))[0])
    if kind != NO_CODE or length <= MOST_CHECKED_KM:
        cross.checked(rate_of(kind, found.entry), key, length)
    return {"entry": list(found.entry), "rate_hz": key, "cost": -found.score}


def rate_of(kind: str, entry: tuple[int, ...]) -> cross.Rate:
    """Return the key of a design, by the links of the library."""
    *sizes, stations = entry
    if kind == NO_CODE:
        return cross.one_way(codes.PLAIN, stations)
    if kind == "parity codes":
        return cross.one_way(codes.parity_code(*sizes), stations)
    if kind == "graph states":
        return cross.graph_state(codes.repeater_graph_state(sizes[0], sizes[1:]), stations)
    return cross.one_way(codes.tree_code(sizes, choice=ADAPTIVE if "adaptive" in kind else BLIND), stations)


def memory_designs(length: float, count: float) -> dict[str, dict[str, Any]]:
    """Return the chains of memories of least cost, and of best key, at one distance [km]."""
    rows = {}
    for goal, (num_links, rate) in memories.best(length, ERROR, count).items():
        cost = float(designs.costs(length, np.array(num_links), np.array(rate)))
        rows[goal] = {"entry": [num_links], "rate_hz": rate, "cost": cost}
    return rows


def by_distance() -> dict[str, list[dict[str, Any]]]:
    """Return designs of all kinds at all distances."""
    found: dict[str, list[dict[str, Any]]] = {}
    for kind, table in tables().items():
        found[kind] = [design(kind, length, table) for length in LENGTHS]
    for count, name in MEMORIES.items():
        rows = [memory_designs(length, count) for length in LENGTHS]
        found |= {name: [row["cost"] for row in rows], f"{name}, best key": [row["key"] for row in rows]}
    plob = [float(cross.plob(1e3 * length, cross.HARDWARE)) for length in LENGTHS]
    return found | {"no repeater (PLOB)": [{"entry": [], "rate_hz": rate, "cost": None} for rate in plob]}


def crossovers(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return where one kind delivers the key of another for the last time, both as they are at the next distance."""
    encoded = ["trees, adaptive", "trees, blind", "parity codes", "graph states"]
    rows = {}
    for first, second in [(a, b) for b in (PLOB, NO_CODE, BEST_KEY) for a in (*encoded, BEST_KEY) if a != b]:
        ahead = [a["rate_hz"] > b["rate_hz"] for a, b in zip(found[first], found[second], strict=True)]
        change = next((i for i in reversed(range(1, len(LENGTHS))) if ahead[i] != ahead[i - 1]), None)
        if change is None:
            continue
        one, other = (fixed(name, found[name][change]["entry"], LENGTHS[change]) for name in (first, second))
        rows[f"{first} and {second}"] = cross.crossover(one, other, LENGTHS[change - 1] - 50, LENGTHS[change] + 100)
    return rows


PLOB = "no repeater (PLOB)"
NO_CODE = "no code"
MEMORIES = {1.0: "memories", 100.0: "memories, 100 a link"}
BEST_KEY = "memories, best key"


def fixed(name: str, entry: list[int], length: float) -> cross.Rate:
    """Return the key of a design of any kind."""
    if name == PLOB:
        return cross.plob
    return cross.memory_chain(entry[0], length) if name == BEST_KEY else rate_of(name, tuple(entry))


def table(rows: dict[str, dict[str, Any]], columns: list[str]) -> None:
    """Print rows of numbers."""
    print("| |", " | ".join(columns), "|")
    for name, row in rows.items():
        cells = [row.get(column) for column in columns]
        print(f"| {name} |", " | ".join(f"{x:.10g}" if isinstance(x, float) else str(x) for x in cells), "|")


def main() -> None:
    """Compute everything, print it and write it down."""
    results: dict[str, Any] = {"published": PUBLISHED}
    for rule in codes.Choice:
        results[rule.value] = {name: tree_row(row, rule) for name, row in PUBLISHED.items()}
        print(f"\n{rule.value}")
        table(results[rule.value], ["branching", "stations", "rate_hz", "cost", "rate_multiplied_hz", "search_s"])
    results["parity"] = parity_chain()
    print("\nparity (13, 6):", results["parity"])
    found = by_distance()
    results["by_distance"] = {"km": LENGTHS, **found}
    for kind, rows in found.items():
        print(f"\n{kind}")
        table({f"{km} km": row for km, row in zip(LENGTHS, rows, strict=True)}, ["entry", "rate_hz", "cost"])
    results["crossovers"] = crossovers(found)
    for name, row in results["crossovers"].items():
        print(f"\n{name}: {row['km']:.1f} km; per cent of a number:", row["km_per_percent"])
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    figure.write(LENGTHS, found, HERE / "figure.png")
    print("\nqtn", qtn.__version__)


if __name__ == "__main__":
    main()
