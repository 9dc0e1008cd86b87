"""One figure for each part that is a curve."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

HERE = Path(__file__).parent
COLOURS = ("#cc6677", "#ddaa33", "#228833", "#4477aa")


def sizes(found: dict[str, Any]) -> None:
    """Draw the gain against size for one memory, and the best size against rate for all."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    rates = sorted({row["rate_hz"] for row in found["rows"]})
    memories = sorted({row["t2_s"] for row in found["rows"]})
    for rate, colour in zip(rates, COLOURS, strict=True):
        own = next(row for row in found["rows"] if row["rate_hz"] == rate and row["t2_s"] == memories[-1])
        gains = [each["gain"] for each in own["sizes"]]
        left.semilogx([each["users"] for each in own["sizes"]], gains, "o-", color=colour, label=f"{rate:g} pairs/s")
        left.plot(own["best"]["users"], own["best"]["gain"], "*", color=colour, markersize=16)
    for memory, colour in zip(memories, COLOURS, strict=True):
        own = [row for row in found["rows"] if row["t2_s"] == memory]
        sizes_of = [row["best"]["users"] for row in own]
        right.loglog([row["rate_hz"] for row in own], sizes_of, "o-", color=colour, label=f"T2 = {memory:g} s")
    left.axhline(1.0, color="grey", linewidth=0.8)
    left.set(xlabel="users", ylabel="gain over clocks apart", title=f"T2 = {memories[-1]:g} s, best size (star)")
    right.set(xlabel="pairs of an arm a second", ylabel="best number of users", title="best size")
    right.set_yticks([2, 3, 4, 6, 8, 12, 20, 30], ["2", "3", "4", "6", "8", "12", "20", "30"])
    right.minorticks_off()
    left.legend(fontsize=8)
    right.legend(fontsize=8)
    figure.savefig(HERE / "sizes.png", dpi=130)


def stability(found: dict[str, Any]) -> None:
    """Draw the instability against averaging time."""
    figure = Figure(figsize=(7, 4.4), layout="constrained")
    axes = figure.subplots()
    names = [name for name in found if name != "averaging_s"]
    for place, name in enumerate(names):
        shared = name.endswith("shared")
        axes.loglog(found["averaging_s"], found[name], "-" if shared else "--", color=COLOURS[place // 2], label=name)
    axes.set(
        xlabel="averaging time [s]", ylabel="fractional instability", title="strontium clocks, probe of 50 ms or 1 s"
    )
    axes.legend(fontsize=8)
    figure.savefig(HERE / "stability.png", dpi=130)


def design(found: dict[str, Any]) -> None:
    """Draw gain and size against rounds of distillation."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    lasers = sorted({row["longest_probe_s"] for row in found["rows"]})
    for laser, colour in zip(lasers, (COLOURS[3], COLOURS[0]), strict=True):
        own = [row for row in found["rows"] if row["longest_probe_s"] == laser]
        rounds = [row["rounds"] for row in own]
        left.plot(rounds, [row["gain"] for row in own], "o-", color=colour, label=f"laser good for {laser:g} s")
        right.plot(rounds, [row["size_by_gradient"] for row in own], "o-", color=colour, label="by gradient")
        right.plot(rounds, [row["size"] for row in own], "x", color="black")
    left.axhline(1.0, color="grey", linewidth=0.8)
    left.set(xlabel="rounds of distillation", ylabel="gain over clocks apart", xticks=rounds)
    right.set(xlabel="rounds of distillation", ylabel="clocks", xticks=rounds, title="best size (x: whole numbers)")
    left.legend(fontsize=8)
    figure.savefig(HERE / "design.png", dpi=130)
