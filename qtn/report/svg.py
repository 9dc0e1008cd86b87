"""Shapes and texts of a drawing as SVG."""

import html
import math
import re
import unicodedata

from qtn.report.figures import BLUE, GREEN, ORANGE

UNITS = {1.0: "s", 1e-3: "ms", 1e-6: "µs", 1e-9: "ns"}
INK, PALE, GUIDE = "#222222", "#E3F4EE", "#DDDDDD"
FONT, SMALL = 12.0, 10.0
LINE = 12.0
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def readable(seconds: float, unit_s: float | None = None) -> str:
    """Return a time for people, three digits: 0.0125 -> "12.5 ms"; infinity is "never"."""
    if math.isinf(seconds):
        return "never"
    if unit_s is None:
        fitting = [unit for unit in UNITS if seconds >= 0.9995 * unit]
        unit_s = max(fitting) if fitting else (min(UNITS) if seconds > 0 else 1.0)
    return f"{seconds / unit_s:.3g} {UNITS[unit_s]}"


def clean(name: str) -> str:
    """Return a name as one line of characters that XML allows."""
    return re.sub(r"[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "�", re.sub(r"[\t\r\n]", " ", name))


def shortened(name: str, most: int) -> str:
    """Return a name of at most `most` characters."""
    name = clean(name)
    return name if len(name) <= most else name[: most - 1] + "…"


def width_of(text: str, size: float = SMALL) -> float:
    """Return an upper estimate of the width of a text in common sans-serif fonts."""

    def em(character: str) -> float:
        if unicodedata.east_asian_width(character) in "WF":
            return 1.05
        return 0.95 if character in "mwMW@%—…" else 0.75 if character.isupper() else 0.62

    return size * sum(map(em, text))


def text_at(x: float, y: float, content: str, anchor: str = "middle", size: float = SMALL, more: str = "") -> str:
    """Return a text centred on a height."""
    size_attribute = "" if size == SMALL else f' font-size="{size:g}"'
    place = f'x="{x:.1f}" y="{y + 0.35 * size:.1f}" text-anchor="{anchor}"'
    return f"<text {place}{size_attribute}{more}>{html.escape(content)}</text>"


def line_at(x1: float, y1: float, x2: float, y2: float, more: str = "") -> str:
    """Return a line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"{more}/>'


def box_at(x: float, y: float, width: float, height: float, more: str, title: str = "", radius: float = 2.0) -> str:
    """Return a rectangle that is centred on a height, with a tooltip."""
    place = f'x="{x:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}"'
    return f"<rect {place} {more}><title>{html.escape(title)}</title></rect>" if title else f"<rect {place} {more}/>"


def diamond(x: float, y: float, title: str = "", more: str = "") -> str:
    """Return the mark of a swap."""
    tooltip = f"<title>{html.escape(title)}</title>" if title else ""
    path = f'd="M{x:.1f},{y - 8:.1f}l8,8l-8,8l-8,-8z"'
    return f'<path {path} fill="{ORANGE}" stroke="white" stroke-width="1.2"{more}>{tooltip}</path>'


def clock(x: float, y: float) -> str:
    """Return the mark of a cut-off."""
    hands = f'<path d="M{x:.1f},{y - 3:.1f}v3h2.4" fill="none" stroke="{INK}"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.6" fill="white" stroke="{INK}" stroke-width="1.2"/>{hands}'


def hourglass(x: float, y: float) -> str:
    """Return the mark of a wait."""
    return f'<path d="M{x - 4:.1f},{y - 5:.1f}h8l-8,10h8z" fill="white" stroke="{INK}" stroke-width="1.2"/>'


LEGEND = {
    "link": "pair of a link",
    "swap": "swap at a node",
    "distill": "distillation: rounds × protocol",
    "copies": "made 4 times, with all below it",
    "cutoff": "cut-off: age at which a pair is discarded",
    "wait": "wait",
    "spare": "pair that is consumed",
    "repeat": "made again, as the part #1",
}


def sample(kind: str, x: float, y: float) -> str:
    """Return the mark beside an entry of the legend, 24 wide."""
    blue = f'stroke="{BLUE}"'
    samples = {
        "link": lambda: box_at(x, y, 24.0, 7.0, f'fill="{BLUE}"'),
        "swap": lambda: diamond(x + 12, y),
        "distill": lambda: box_at(x, y, 24.0, 12.0, f'fill="{PALE}" stroke="{GREEN}" stroke-width="1.4"', radius=4.0),
        "copies": lambda: text_at(x + 12, y, "×4", more=' font-weight="bold"'),
        "cutoff": lambda: clock(x + 12, y),
        "wait": lambda: hourglass(x + 12, y),
        "spare": lambda: box_at(x, y, 24.0, 6.0, f'fill="white" {blue} stroke-dasharray="4 2"'),
        "repeat": lambda: text_at(x + 12, y, "as #1"),
    }
    return samples[kind]()


def times(copies: int) -> str:
    """Return a number of copies: ×4, ×2¹⁰⁰."""
    exponent = copies.bit_length() - 1
    return f"×{copies}" if copies < 10_000 or copies != 2**exponent else f"×2{str(exponent).translate(SUPERSCRIPTS)}"
