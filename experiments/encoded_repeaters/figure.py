"""Key and cost against distance."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

STYLES = {
    "trees, adaptive": ("#0072B2", "-"),
    "trees, blind": ("#0072B2", "--"),
    "parity codes": ("#D55E00", "-"),
    "graph states": ("#009E73", "-"),
    "no code": ("#E69F00", "-"),
    "memories": ("#666666", "-"),
    "memories, 100 a link": ("#666666", "--"),
    "no repeater (PLOB)": ("#000000", ":"),
}


def write(lengths: list[int], found: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Draw key and cost by distance."""
    drawing = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for name, (colour, line) in STYLES.items():
        rows, fastest = found[name], found.get(f"{name}, best key", found[name])
        left.plot(lengths, [row["rate_hz"] for row in fastest], line, color=colour, label=name)
        if all(row["cost"] is not None for row in rows):
            right.plot(lengths, [row["cost"] for row in rows], line, color=colour, label=name)
    left.set_ylabel("secret key [bit/s]")
    left.set_ylim(10, 1e7)
    right.set_ylabel("cost: stations by attenuation length, for a key by emission time")
    right.yaxis.label.set_size(8)
    right.set_ylim(10, 1e9)
    for axes in (left, right):
        axes.set_yscale("log")
        axes.set_xlabel("distance [km]")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    drawing.legend(*left.get_legend_handles_labels(), loc="outside right center", frameon=False)
    drawing.suptitle("Designs of least cost at each distance; keys of memories: chains of best key", fontsize=10)
    drawing.savefig(path, dpi=110)
