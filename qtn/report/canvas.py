"""Place the marks of a schedule on a canvas and write them as SVG."""

import html
from collections.abc import Iterable
from typing import Any

from qtn.report.figures import BLUE, GREEN, GREY
from qtn.report.marks import Mark
from qtn.report.svg import (
    FONT,
    GUIDE,
    INK,
    LEGEND,
    LINE,
    PALE,
    SMALL,
    box_at,
    clock,
    diamond,
    hourglass,
    line_at,
    sample,
    shortened,
    text_at,
    times,
    width_of,
)

MOST_NAME = 28
INSET, LANE, GAP = 5.0, 5.0, 13.0
WIDEST, NARROWEST, LEAST_WIDTH, MARGIN = 120.0, 46.0, 460.0, 14.0


class Canvas:
    """Places marks and writes them."""

    def __init__(self, origin: int, names: list[str], marks: list[Mark], top: Mark) -> None:
        self.origin, self.names, self.marks, self.top = origin, names, marks, top
        self.pitch = self.fit()
        self.labels = [shortened(name, MOST_NAME) for name in names]
        widths = [width_of(label, FONT) for label in self.labels]
        self.slanted = any(width > self.pitch - 6 for width in widths)
        inner = self.pitch * (len(names) - 1)
        if self.slanted:
            left = max([0.0, *(0.72 * width + 6 - i * self.pitch for i, width in enumerate(widths))])
            self.left, right, self.foot = max(40.0, left), 16.0, 0.72 * max(widths) + 26
        else:
            self.left, right, self.foot = max(40.0, widths[0] / 2), max(16.0, widths[-1] / 2), 30.0
        self.left += MARGIN
        self.width = self.left + inner + right + MARGIN
        if self.width < LEAST_WIDTH:
            self.left += (LEAST_WIDTH - self.width) / 2
            self.width = LEAST_WIDTH
        self.heights = self.rows()
        self.chain = MARGIN + 34 + self.heights[top.level] + top.above

    def fit(self) -> float:
        """Choose the lines of each label, and return the distance of neighbouring nodes that holds them."""
        pitch = min(WIDEST, max(NARROWEST, 860 / (len(self.names) - 1)))
        needs = [pitch]
        for mark in self.marks:
            span, inset = mark.last + 1 - mark.first, 2 * (INSET + LANE * mark.lane)
            whole = " ".join(mark.words)
            mark.lines = (whole,) if width_of(whole) + 8 + inset <= span * pitch else mark.words
            needs += [(width_of(line) + 8 + inset) / span for line in mark.lines]
            needs.append((self.time_width(mark) + inset - 6) / span if mark.time else 0)
            if mark.kind == "swap" and mark.time:
                arm = min(mark.children[0].last + 1 - mark.first, mark.last - mark.children[0].last)
                needs.append((self.time_width(mark) / 2 + inset / 2 + 3) / arm)
        return max(needs)

    def rows(self) -> dict[int, float]:
        """Return the height of each level above the chain."""
        levels: dict[int, list[Mark]] = {}
        for mark in self.marks:
            levels.setdefault(mark.level, []).append(mark)
        heights, reached = {}, 8.0
        for level in sorted(levels):
            heights[level] = reached + GAP + max(mark.below for mark in levels[level])
            reached = heights[level] + max(mark.above for mark in levels[level])
        return heights

    @staticmethod
    def time_width(mark: Mark) -> float:
        """Return the width of a time with its icon."""
        return 14 + width_of(mark.time)

    def x(self, node: int) -> float:
        """Return where a node stands."""
        return self.left + (node - self.origin) * self.pitch

    def y(self, mark: Mark) -> float:
        """Return the height of a mark."""
        return self.chain - self.heights[mark.level]

    def ends(self, mark: Mark) -> tuple[float, float]:
        """Return where the memories of a pair stand."""
        inset = min(INSET + LANE * mark.lane, 0.3 * self.pitch)
        return self.x(mark.first) + inset, self.x(mark.last + 1) - inset

    def name(self, node: int) -> str:
        """Return the name of a node."""
        return self.names[node - self.origin]

    def memories(self) -> Iterable[str]:
        """Draw what holds each pair until it is used."""
        for parent in self.marks:
            for child in parent.children:
                for x in self.ends(child):
                    yield line_at(x, self.y(child), x, self.y(parent))
        peak = MARGIN + 22
        for x in self.ends(self.top):
            yield line_at(x, self.y(self.top), x, peak)
            yield f'<path d="M{x - 3.5:.1f},{peak + 6:.1f}l3.5,-6l3.5,6" fill="none"/>'

    def mark(self, mark: Mark) -> Iterable[str]:
        """Draw one mark."""
        (left, right), y = self.ends(mark), self.y(mark)
        wide, middle = right - left, (left + right) / 2
        between = f"{self.name(mark.first)} – {self.name(mark.last + 1)}"
        spare = "spare " if mark.lane else ""
        hollow = f'fill="white" stroke="{BLUE}" stroke-width="1.4" stroke-dasharray="4 2"'
        paint = hollow if mark.lane else f'fill="{BLUE}"'
        if mark.kind == "link":
            yield box_at(left, y, wide, 7.0, f'class="{spare}link" {paint}', f"link {mark.first}: {between}")
        elif mark.kind == "repeat":
            yield box_at(left, y, wide, 15.0, f'class="repeat" {hollow}', f"pair {between}, made {mark.words[0]}")
        elif mark.kind == "wait":
            dots = ' stroke-dasharray="1.5 3" stroke-width="1.5"'
            yield f'<g class="wait" stroke="{INK}">{line_at(left, y, right, y, dots)}</g>'
            yield from self.timed(mark, middle, y, hourglass)
        elif mark.kind == "swap":
            node = mark.children[0].last + 1
            middle = self.x(node)
            yield box_at(left, y, wide, 4.0, f'class="segment" {paint}', f"pair {between}")
            yield diamond(middle, y, f"swap at {self.name(node)}", f' class="{spare}swap"')
        else:
            paint = f'class="distill" fill="{PALE}" stroke="{GREEN}" stroke-width="1.4"'
            yield box_at(left, y, wide, 2 * mark.below, paint, f"distill {between}: {' '.join(mark.words)}", radius=5.0)
        for row, line in enumerate(mark.lines):
            yield text_at((left + right) / 2, y + LINE * (row - (len(mark.lines) - 1) / 2), line)
        over = y - mark.below - 7
        if mark.time and mark.kind != "wait":
            yield from self.timed(mark, middle, over, clock)
            over -= 15
        if mark.copies > 1:
            yield text_at((left + right) / 2, over, times(mark.copies), more=' class="copies" font-weight="bold"')
        if mark.number:
            yield text_at(left + 4, y - mark.below - 6, f"#{mark.number}", "start")

    def timed(self, mark: Mark, x: float, y: float, icon: Any) -> Iterable[str]:
        """Draw a time with its icon, centred, on a white ground."""
        wide = self.time_width(mark)
        ground = box_at(x - wide / 2 - 1, y, wide + 2, 12.0, 'fill="white"')
        shown = icon(x - wide / 2 + 5, y) + text_at(x - wide / 2 + 13, y, mark.time, "start")
        yield f'<g class="{"wait-time" if mark.kind == "wait" else "cutoff"}">{ground}{shown}</g>'

    def nodes(self) -> Iterable[str]:
        """Draw the chain with the names of its nodes."""
        yield line_at(self.x(self.origin), self.chain, self.x(self.top.last + 1), self.chain, f' stroke="{GREY}"')
        for node, label in enumerate(self.labels, self.origin):
            x = self.x(node)
            yield f'<circle class="node" cx="{x:.1f}" cy="{self.chain:.1f}" r="4.5" fill="{INK}"/>'
            turn = f' transform="rotate(-45 {x:.1f} {self.chain + 14:.1f})"' if self.slanted else ""
            more = f' class="name"{turn}'
            drop = 14 if self.slanted else 18
            yield text_at(x, self.chain + drop, label, "end" if self.slanted else "middle", FONT, more)

    def legend(self, y: float) -> tuple[list[str], float]:
        """Draw the entries that this drawing needs, and return them with the height that they reach."""
        kinds = {mark.kind for mark in self.marks}
        kinds |= {"copies"} if any(mark.copies > 1 for mark in self.marks) else set()
        kinds |= {"cutoff"} if any(mark.time and mark.kind != "wait" for mark in self.marks) else set()
        kinds |= {"spare"} if any(mark.lane for mark in self.marks) else set()
        pieces, x = [], MARGIN
        for kind, words in LEGEND.items():
            wide = 30 + width_of(words)
            if kind not in kinds:
                continue
            if x + wide > self.width - MARGIN and x > MARGIN:
                x, y = MARGIN, y + 20
            pieces += [sample(kind, x, y), text_at(x + 30, y, words, "start")]
            x += wide + 14
        return pieces, y + 10 + MARGIN

    def svg(self) -> str:
        """Return the drawing."""
        entries, height = self.legend(self.chain + self.foot + 16)
        steps = {kind: sum(mark.kind == kind for mark in self.marks) for kind in ("link", "swap", "distill", "wait")}
        drawn = ", ".join(f"{kind} {count}" for kind, count in steps.items() if count)
        ends = f"{html.escape(self.names[0])} to {html.escape(self.names[-1])}"
        axis, top = self.x(self.origin) - 30, MARGIN + 16
        middle = (self.chain + top) / 2
        turned = f' transform="rotate(-90 {axis - 8:.1f} {middle:.1f})" fill="{GREY}"'
        guides = [line_at(self.x(n), self.chain, self.x(n), top + 10) for n in range(self.origin, self.top.last + 2)]
        arrow = f'<path d="M{axis - 3.5:.1f},{top + 6:.1f}l3.5,-6l3.5,6" fill="none" stroke="{GREY}"/>'
        pieces = [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {self.width:.1f} {height:.1f}" '
            f'width="{self.width:.0f}" height="{height:.0f}" font-family="Helvetica, Arial, sans-serif" '
            f'font-size="{SMALL:g}" fill="{INK}">',
            f"<title>Schedule from {ends}</title>",
            f"<desc>Nodes along the bottom, steps upwards in the order in which they depend. Drawn: {drawn}.</desc>",
            f'<rect width="{self.width:.1f}" height="{height:.1f}" fill="white"/>',
            f'<g stroke="{GUIDE}" stroke-dasharray="2 3">{"".join(guides)}</g>',
            line_at(axis, self.chain, axis, top, f' stroke="{GREY}"') + arrow,
            text_at(axis - 8, middle, "order of steps" if self.chain - top > 90 else "order", more=turned),
            f'<g stroke="{GREY}" stroke-width="1.3">{"".join(self.memories())}</g>',
            *(piece for mark in self.marks for piece in self.mark(mark)),
            text_at((self.x(self.origin) + self.x(self.top.last + 1)) / 2, MARGIN + 8, "pair delivered"),
            *self.nodes(),
            f'<g class="legend">{"".join(entries)}</g>',
            "</svg>",
        ]
        return "\n".join(pieces) + "\n"
