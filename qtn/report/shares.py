"""The part of the page on users who share a network: who gets what, who uses which link, what each link is worth."""

import html
import itertools
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from qtn.report.graph_drawing import draw_rows
from qtn.report.schedules import number, table

UNITS = {"key": "bit/s", "pairs": "pairs/s"}


def shares_part(numbers: Mapping[str, Any]) -> str:
    """Return the drawing of the network and both tables; empty where no users share one."""
    use = numbers.get("application", {})
    if use.get("model") != "shares":
        return ""
    takers = users_of_links(use["demands"])
    drawn = {**numbers["network"], "links": [drawn_link(link, use, takers) for link in numbers["network"]["links"]]}
    wanted = [
        [
            html.escape(" and ".join(each["users"])),
            f"{number(each['rate_hz'])} {UNITS[each['kind']]}",
            "<br>".join(
                f"{html.escape(' - '.join(way['path']))}: {number(way['rate_hz'])}, fidelity {way['fidelity']:.4f}"
                + (f", rounds of distillation: {way['rounds']}" if way["rounds"] else "")
                for way in each["ways"]
            ),
        ]
        for each in use["demands"]
    ]
    worth = [
        [
            html.escape(" - ".join(link["between"])),
            f"{link['used']:.0%}",
            number(link["price"]),
            html.escape("; ".join(takers[frozenset(link["between"])])) or "&ndash;",
        ]
        for link in sorted(use["links"], key=lambda link: -link["price"])
    ]
    return (
        f'<h2>Who uses which link</h2><div class="wide">{draw_rows(drawn)}</div>'
        "<p>Links are as wide as the part of their time that is in use.</p>"
        f"<h2>Who gets what</h2>{table(['users', 'rate', 'over'], wanted)}"
        f"<h2>What links are worth</h2>{table(['link', 'time in use', 'price', 'used by'], worth)}"
        "<p>Price: by how much the welfare grows with as much time of the link again; 1 % faster adds a hundredth of "
        "it. A link without a price limits nobody.</p>"
    )


def users_of_links(demands: Any) -> dict[frozenset[str], list[str]]:
    """Return who uses each link."""
    found: dict[frozenset[str], list[str]] = defaultdict(list)
    for each in demands:
        over = [frozenset(ends) for way in each["ways"] for ends in itertools.pairwise(way["path"])]
        for link in dict.fromkeys(over):
            found[link].append(" and ".join(each["users"]))
    return found


def drawn_link(link: Mapping[str, Any], use: Mapping[str, Any], takers: Mapping[frozenset[str], list[str]]) -> Any:
    """Return a link as it is drawn: with the part of its time in use, and who uses it."""
    ends = frozenset(link["between"])
    own = next(each for each in use["links"] if frozenset(each["between"]) == ends)
    by = f" by {'; '.join(takers[ends])}" if ends in takers else ""
    return {**link, "share": own["used"], "told": f"{own['used']:.0%} of its time in use{by}; price {own['price']:.4g}"}
