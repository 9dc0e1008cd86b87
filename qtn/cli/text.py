"""Results as aligned text."""

from collections.abc import Mapping
from typing import Any

from qtn.merit.quantities import Quantity
from qtn.report.codes import codes_text
from qtn.report.passes import passes_text
from qtn.report.tables import (
    about_pairs,
    edge_words,
    joins_note,
    joins_text,
    link_passes_text,
    links_text,
    pairs_text,
)

BOUNDS = (
    ("plob_rate_hz", "PLOB bound of direct transmission", "bit/s"),
    ("repeater_rate_hz", "bound with ideal repeaters", "bit/s"),
    ("plob_bits_per_use", "PLOB bound a use of the channel", "bit"),
    ("repeater_bits_per_use", "with ideal repeaters, a use", "bit"),
)


def evaluation_text(numbers: dict[str, Any], quantities: Mapping[str, Quantity]) -> str:
    """Return the results of an evaluation, one line each, with units."""
    lines = []
    for name, each in quantities.items():
        lines += [row(each.words, numbers[name], each.unit)] if numbers[name] is not None else []
        if name == "fidelity":
            weights = ", ".join(f"{weight:.6g}" for weight in numbers["bell_diagonal"])
            lines.append(f"{'Bell weights (I, X, Y, Z)':32s} {weights}")
    lines += [row(words, numbers[key], unit) for key, words, unit in BOUNDS if numbers.get(key) is not None]
    for level, time in numbers["waiting_time_quantiles_s"].items():
        lines.append(row(f"waiting time, {float(level):.0%} quantile", time, "s"))
    info = numbers["info"]
    if "num_samples" in info:
        errors = info["standard_errors"]
        lines.append(f"{'samples':32s} {info['num_samples']}; standard errors:")
        lines += [
            row(f"  {each.words}", errors[name], each.unit) for name, each in quantities.items() if name in errors
        ]
        lines += [numbers["left_out"]] if "left_out" in numbers else []
        return "\n".join(lines)
    lines += [grid_line(info)] if "num_steps" in info else []
    lines += [numbers["left_out"]] if "left_out" in numbers else []
    lines += numbers.get("application", {}).get("sentences", [])
    if numbers.get("plob_bits_per_use", 0) is None:
        lines.append(f"{'PLOB bound':32s} unknown: the loss of the channel is not given; add merit.direct_loss_db")
    if "deadline" in numbers:
        lines += deadline_lines(numbers["deadline"])
    if "storage_times_s" in numbers:
        stored = numbers["storage_times_s"]
        lines.append(f"{'storage time at each node':32s} {', '.join(f'{time:.6g}' for time in stored)} s")
        lines.append(row("mean age of the pair", sum(stored), "s"))
    if numbers.get("pairs"):
        lines += ["", about_pairs(numbers), "", pairs_text(numbers["pairs"])]
    if numbers.get("links"):
        lines += ["", links_text(numbers["links"]), *codes_text(numbers["links"])]
    lines += passes_text(numbers.get("passes", []))
    if "link_passes" in numbers:
        lines += ["", link_passes_text(numbers["link_passes"])]
    if numbers.get("joins"):
        lines += ["", joins_text(numbers["joins"]), joins_note(numbers)]
    return "\n".join(lines)


def grid_line(info: dict[str, Any]) -> str:
    """Say on which time grid an outcome stands, and what it hides."""
    return (
        f"{'time grid':32s} {info['num_steps']} steps of {info['step_s']:.6g} s, error at most "
        f"{info['grid_error']:.1e}, tail {info['tail_mass']:.1e}"
    )


def deadline_lines(found: dict[str, Any]) -> list[str]:
    """Return what comes of giving up at a deadline, one line each."""
    lines = [row(f"pair by {found['time_s']:g} s", found["probability"], "")]
    if found["fidelity"] is not None:
        lines.append(row("  fidelity of such pairs", found["fidelity"], ""))
        lines.append(row("  mean time, giving up then", found["mean_time_s"], "s"))
    return lines


def row(name: str, value: float, unit: str) -> str:
    """Return one aligned line."""
    return f"{name:32s} {value:.10g} {unit}".rstrip()


def lattice_lines(found: dict[str, Any]) -> list[str]:
    """Say what derivatives by one attempt time alone are, where links deliver on common times."""
    links, moved = found["ties"], "what moves the attempt time of one link alone (length, index, emission)"
    lines = []
    if links:
        named = ", ".join(map(str, links[:6])) + (", ..." if len(links) > 6 else "")
        lines.append(f"Links {named} take equally long: by {moved} slopes to both sides differ; shown is an average.")
    if found["multiples"]:
        lines.append(f"Attempt times are multiples of a common time: by {moved} derivatives are one-sided.")
    return lines


BETTER = "1 % better (1 % less error or loss, 1 % more time; to first order)"


def gradient_text(of: Quantity, found: dict[str, Any], info: dict[str, Any]) -> str:
    """Return value, gains, derivatives and elasticities, the largest first, and what the outcome hides."""
    elasticity, slopes, gain = found["elasticity"], found["gradient"], found["gain"]
    names = list(dict.fromkeys([*gain, *elasticity, *slopes]))
    width = max(len(name) for name in names)
    head = f"{'number':{width}s}  {'1 % better':>12s}  {'elasticity':>12s}  derivative"
    along = f" along {' - '.join(found['path'])}" if "path" in found else ""
    lines = [f"{of.name} = {found['value']:.10g}{along}", "", head]
    for name in names:
        columns = (f"{column[name]:+12.5g}" if name in column else " " * 12 for column in (gain, elasticity))
        edge = f"  ({edge_words(found['edges'][name])})" if name in found["edges"] else ""
        lines.append(f"{name:{width}s}  {'  '.join(columns)}  {slopes[name]:.6g}{edge}")
    unit = f" [{of.unit}]" if of.unit else ""
    lines += ["", *([f"{BETTER}: change of the merit{unit}, largest first"] if gain else [])]
    lines += ["elasticity: % change of the merit for +1 % of the number"]
    lines += lattice_lines(found)
    if "num_samples" in info:
        time, state = info["mean_time_standard_error_s"], info["state_standard_error"]
        errors = f"standard errors {time:.2g} s (mean time), at most {state:.2g} (each Pauli coefficient)"
        lines.append(f"{'samples':32s} {info['num_samples']}; {errors}")
    elif "num_steps" in info:
        lines.append(grid_line(info))
    if found["value"] == 0 and of.clipped:
        lines.append(
            "There is no key: derivatives and elasticities are those of the unclipped figure, which is negative."
        )
    return "\n".join(lines)
