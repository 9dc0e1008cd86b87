"""Codes of links: drawings, and tables of loss and error by cause. Plain values in, SVG, HTML and text out."""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from qtn.report.svg import FONT, GUIDE, INK, PALE, line_at, text_at
from qtn.report.tables import rows_table, rows_text

WIDTH, LEVEL, DOT, TOP = 640.0, 64.0, 3.0, 16.0
MOST_DOTS = 120
"""Photons of a level that are drawn one by one; beyond, a wedge stands for the children of one."""

MOST_CELLS = 40
"""Blocks, photons of a block, and arms that are drawn."""

CAUSE_COLUMNS = (("cause", "cause"), ("loss", "attempts lost"), ("error", "error of the pair"))


def distinct(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the rows of links with codes, each with the links that it stands for; equal ones once."""
    found: list[tuple[list[int], Mapping[str, Any]]] = []
    for row in rows:
        if "code" not in row:
            continue
        same = next((places for places, other in found if alike(row, other)), None)
        if same is None:
            found.append(([row["link"]], row))
        else:
            same.append(row["link"])
    return [("link " + ", ".join(map(str, places)) if len(places) < 6 else span(places), row) for places, row in found]


def alike(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Whether two links have the same code and the same causes of loss."""
    return all(first[key] == second[key] for key in ("code", "num_stations", "causes"))


def span(places: Sequence[int]) -> str:
    """Return many links in a few words."""
    return f"{len(places)} links from {places[0]} to {places[-1]}"


def title(row: Mapping[str, Any]) -> str:
    """Return the code of a link in words."""
    code = row["code"]
    words = {
        "tree": lambda: f"tree code {code['branching']}, {code['choice']}",
        "parity": lambda: f"parity code ({code['num_blocks']}, {code['block_size']})",
        "repeater_graph_state": lambda: (
            f"repeater graph state, {code['num_arms']} arms to either side, inner photons "
            + (f"in trees {code['branching']}" if code["branching"] else "plain")
        ),
        "stabiliser": lambda: (
            f"stabiliser code of {len(code['generators'])} generators" if code["generators"] else "no code"
        ),
    }[code["model"]]()
    photons = f"{code['num_photons']} photon" + ("s" if code["num_photons"] > 1 else "")
    stations = f"{row['num_stations']:g} station" + ("s" if row["num_stations"] != 1 else "")
    return f"{words}: {photons}, {stations}"


def codes_part(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the part of the page on codes; empty where no link has one."""
    parts = [
        f"<h3>{html.escape(f'{name}: {title(row)}')}</h3>"
        f'<div class="wide">{draw_code(row["code"])}</div>{rows_table(CAUSE_COLUMNS, row["causes"])}'
        for name, row in distinct(rows)
    ]
    note = (
        "<p>Each cause alone, over the whole link, with everything else perfect; the last line is all of them, "
        "without what memories at the ends lose while they wait.</p>"
    )
    return f"<h2>Codes</h2>{''.join(parts)}{note}" if parts else ""


def codes_text(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return codes and causes as lines of text; none where no link has a code."""
    lines = []
    for name, row in distinct(rows):
        lines += ["", f"{name}: {title(row)}; each cause alone:", rows_text(CAUSE_COLUMNS, row["causes"])]
    return lines


def draw_code(code: Mapping[str, Any]) -> str:
    """Draw a code as an SVG element: its photons, and what entangles them.

    Args:
        code: "model" and structure, as `qtn evaluate --json` prints them.
    """
    draw = {
        "tree": lambda: tree(code["branching"]),
        "parity": lambda: parity(code["num_blocks"], code["block_size"]),
        "repeater_graph_state": lambda: graph_state(code["num_arms"]),
        "stabiliser": lambda: stabiliser(code["generators"] or [code["logical_x"], code["logical_z"]]),
    }[code["model"]]
    shapes, height = draw()
    name = html.escape(f"{code['model'].replace('_', ' ')} of {code['num_photons']} photons")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH:.0f} {height:.0f}" '
        f'width="{WIDTH:.0f}" height="{height:.0f}" font-family="sans-serif" font-size="{FONT:g}" fill="{INK}">'
        f"<title>{name}</title>{''.join(shapes)}</svg>"
    )


def dot(x: float, y: float, fill: str = INK) -> str:
    """Return one photon."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{DOT}" fill="{fill}" stroke="{INK}"/>'


def wedge(x: float, top: float, bottom: float, half: float) -> str:
    """Return what stands for children that are too many to be drawn."""
    return (
        f'<path d="M {x:.1f} {top:.1f} L {x - half:.1f} {bottom:.1f} L {x + half:.1f} {bottom:.1f} Z" fill="{PALE}"/>'
    )


def tree(branching: Sequence[int]) -> tuple[list[str], float]:
    """Draw the levels of a tree from its root, which is measured away, down."""
    right = WIDTH - 110.0
    places, lines, dots = [right / 2], [], [dot(right / 2, TOP, "white")]
    labels = [text_at(WIDTH, TOP, "root, measured away", "end")]
    count = 1
    for level, children in enumerate(branching, 1):
        y, above = TOP + LEVEL * level, TOP + LEVEL * (level - 1)
        count *= children
        labels.append(text_at(WIDTH, y, f"{count} photons", "end"))
        if len(places) * children <= MOST_DOTS:
            below = [(i + 0.5) * right / (len(places) * children) for i in range(len(places) * children)]
            lines += [line_at(places[i // children], above, x, y, f' stroke="{GUIDE}"') for i, x in enumerate(below)]
            dots += [dot(x, y) for x in below]
            places = below
        else:
            half = min(12.0, 0.42 * right / len(places))
            dots += [wedge(x, above + DOT, y, half) for x in places]
            labels += [text_at(WIDTH, y + 14, f"{children} below each", "end")]
    return [*lines, *dots, *labels], TOP + LEVEL * len(branching) + 24


def parity(num_blocks: int, block_size: int) -> tuple[list[str], float]:
    """Draw the photons of a parity code, one box for each block."""
    rows, columns = min(num_blocks, MOST_CELLS), min(block_size, MOST_CELLS)
    step = 14.0
    shapes = []
    for row in range(rows):
        y = TOP + step * row
        size = f'y="{y - 6:.1f}" width="{step * columns + 4:.1f}" height="12"'
        shapes.append(f'<rect x="8" {size} rx="5" fill="{PALE}" stroke="{GUIDE}"/>')
        shapes += [dot(17 + step * column, y) for column in range(columns)]
    more = f"{num_blocks} blocks of {block_size} photons"
    shapes.append(text_at(step * columns + 24, TOP, more, "start"))
    return shapes, 20 + step * rows


def graph_state(num_arms: int) -> tuple[list[str], float]:
    """Draw the inner photons of a repeater graph state in a circle, with their arms outside."""
    count, radius = 2 * min(num_arms, MOST_CELLS // 2), 70.0
    centre = (110.0, 110.0)

    def place(i: int, distance: float) -> tuple[float, float]:
        angle = 2 * math.pi * (i + 0.5) / count + math.pi / 2
        return centre[0] + distance * math.cos(angle), centre[1] + distance * math.sin(angle)

    inner, outer = [place(i, radius) for i in range(count)], [place(i, radius + 28) for i in range(count)]
    lines = [line_at(*a, *b, f' stroke="{GUIDE}"') for i, a in enumerate(inner) for b in inner[:i]]
    arms = [line_at(*a, *b, f' stroke="{INK}"') for a, b in zip(inner, outer, strict=True)]
    dots = [dot(*x) for x in inner] + [dot(*x, "white") for x in outer]
    words = ["inner photons, all entangled with each other", "white: arms, for Bell measurements"]
    if 2 * num_arms > count:
        words.append(f"{count} of {2 * num_arms} are drawn")
    labels = [text_at(240.0, 90.0 + TOP * i, each, "start") for i, each in enumerate(words)]
    return [*lines, *arms, *dots, *labels], 220.0


def stabiliser(strings: Sequence[str]) -> tuple[list[str], float]:
    """Draw the generators of a code, one row each, one column for each photon."""
    step = 18.0
    shapes = []
    for row, string in enumerate(strings):
        for column, letter in enumerate(string):
            x, y = 20 + step * column, TOP + step * row
            shapes.append(text_at(x, y, "·" if letter == "I" else letter, size=FONT))
    shapes.append(text_at(40 + step * len(strings[0]), TOP, "generators by photon", "start"))
    return shapes, 24 + step * len(strings)
