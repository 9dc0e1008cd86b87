"""Shares of a network in words and as plain data: who gets what over which paths, and which link to improve first."""

from typing import TYPE_CHECKING, Any

import numpy as np

from qtn.services.demands import Fairness, Kind

if TYPE_CHECKING:
    from qtn.services.share_network import NetworkShare

UNITS = {Kind.KEY: "bit/s", Kind.PAIRS: "pairs/s"}
MOST = 30
"""Demands and links that are told in words."""


def plain(found: "NetworkShare") -> dict[str, Any]:
    """Return rates, ways and prices as plain data."""
    rates, flows, fidelities = (np.asarray(x) for x in (found.rates, found.way_flows, found.way_fidelities))
    rows = []
    for place, each in enumerate(found.share.demands):
        used = [w for w, way in enumerate(found.ways) if way.demand == place and flows[w] > 1e-9 * rates[place]]
        ways = [
            {
                "path": list(map(str, found.ways[w].path)),
                "rounds": found.ways[w].rounds,
                "rate_hz": float(flows[w]),
                "fidelity": float(fidelities[w]),
            }
            for w in used
        ]
        rows.append({"users": list(each.users), "kind": str(each.kind), "rate_hz": float(rates[place]), "ways": ways})
    used, prices = np.asarray(found.share.used), np.asarray(found.share.link_prices)
    links = [
        {"between": list(pair), "used": float(used[i]), "price": float(prices[i])}
        for i, pair in enumerate(found.share.links)
    ]
    return {"demands": rows, "links": links, "trusted": list(found.trusted)}


def sentences(found: "NetworkShare") -> list[str]:
    """Return the same in words."""
    data = plain(found)
    said = []
    for each, row in zip(found.share.demands, data["demands"][:MOST], strict=False):
        over = "; ".join(
            f"{' - '.join(way['path'])} {way['rate_hz'] / row['rate_hz']:.0%}"
            + (f", {way['rounds']} rounds of distillation" if way["rounds"] else "")
            for way in row["ways"]
        )
        told = f"{each.title}: {row['rate_hz']:.4g} {UNITS[each.kind]}"
        said.append(f"{told} over {over}." if over else f"{told}.")
    if len(found.share.demands) > MOST:
        said.append(f"{len(found.share.demands) - MOST} more demands are in the JSON of `qtn evaluate --json`.")
    return [*said, *_prices(found, data["links"]), *_relays(found)]


def _prices(found: "NetworkShare", links: list[dict[str, Any]]) -> list[str]:
    """Return which links are worth most."""
    unit = "" if found.share.fairness is Fairness.PROPORTIONAL else "/s"
    paid = sorted((row for row in links if row["price"] > 1e-9), key=lambda row: -row["price"])
    if not paid:
        return ["No link limits anybody: welfare does not grow with a better link."]
    told = ", ".join(f"{' - '.join(map(str, row['between']))} {row['price']:.4g}{unit}" for row in paid[:MOST])
    first = " - ".join(map(str, paid[0]["between"]))
    return [
        f"Prices of links (welfare for as much time again): {told}.",
        f"Improve {first} first: 1 % faster, it adds {paid[0]['price'] / 100:.3g} to the welfare.",
    ]


def _relays(found: "NetworkShare") -> list[str]:
    """Return which nodes read keys."""
    if not found.trusted:
        return []
    return [f"Trusted relays, which read the keys that pass: {', '.join(map(str, found.trusted))}."]
