"""Four users on a ring with a hub share its links: `python experiments/metro_network/run.py`."""

import itertools
import json
import time
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import matplotlib  # noqa: E402

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

import qtn  # noqa: E402
from qtn import services  # noqa: E402
from qtn.problem.names import root_table, setting_with  # noqa: E402
from qtn.services.in_words import plain  # noqa: E402

HERE = Path(__file__).parent
NODES, DEMANDS = 60, (25, 50, 100, 200)


def metro() -> tuple[Any, Any]:
    """Return the network of the file, and its demands."""
    problem = qtn.load(HERE / "metro.toml")
    setting = setting_with(problem, {})
    places = {name: each["at"] for name, each in root_table(problem, {})["nodes"].items()}
    return setting, places


def by_fairness(setting: Any) -> dict[str, Any]:
    """Return shares for each kind of fairness, without and with a trusted hub."""
    found = {}
    for fairness, trusted in itertools.product(("max_min", "proportional", "total"), ((), ("hub",))):
        use = services.share_network(setting.chain, setting.application.demands, fairness, trusted=trusted)
        found[f"{fairness}{', trusted hub' if trusted else ''}"] = use
    return found


def cost() -> list[dict[str, Any]]:
    """Return how long shares and prices of a random planar-like network of 60 nodes take."""
    rng = np.random.default_rng(1)
    at = rng.random((NODES, 2))
    far = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    links = {(int(np.argmin(far[i, :i])), i): 0.0 for i in range(1, NODES)}
    near = sorted((far[i, j], i, j) for i, j in itertools.combinations(range(NODES), 2) if (i, j) not in links)
    links |= {(i, j): 0.0 for _, i, j in near[:30]}
    rates = {(i, j): float(1000 * np.exp(-8 * far[i, j])) for i, j in links}
    pairs = list(itertools.combinations(range(NODES), 2))
    rows = []
    for count in DEMANDS:
        asked = [pairs[i] for i in rng.choice(len(pairs), count, replace=False)]
        for fairness in services.Fairness:
            start = time.perf_counter()
            found = services.share(rates, asked, fairness)
            taken = time.perf_counter() - start
            gap = abs(float(found.dual - found.welfare))
            rows.append({"demands": count, "fairness": str(fairness), "seconds": taken, "duality_gap": gap})
    return rows


def draw(setting: Any, places: Any, use: Any) -> None:
    """Draw who uses which link, and what each link is worth."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.8))
    asked, loads = use.share.demands, np.asarray(use.share.link_loads)
    colours = [f"C{i}" for i in range(len(asked))]
    for i, (a, b) in enumerate(use.share.links):
        start, end = np.array(places[a]), np.array(places[b])
        normal = np.array([-(end - start)[1], (end - start)[0]]) / np.linalg.norm(end - start)
        left.plot(*np.transpose([start, end]), color="0.85", lw=1, zorder=0)
        used = [d for d in range(len(asked)) if loads[d, i] > 1e-6]
        for k, d in enumerate(used):
            shift = normal * 0.06 * (k - (len(used) - 1) / 2)
            left.plot(*np.transpose([start + shift, end + shift]), color=colours[d], lw=1 + 7 * loads[d, i])
    for name, at in places.items():
        left.annotate(name, at, ha="center", va="center", bbox={"boxstyle": "round", "fc": "w"}, zorder=3)
    labels = [f"{a}, {b}: {float(r):.0f}/s" for (a, b), r in zip((d.users for d in asked), use.rates, strict=True)]
    for colour, label in zip(colours, labels, strict=True):
        left.plot([], [], color=colour, lw=3, label=label)
    left.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=2, fontsize=8, frameon=False)
    left.set_title("Who uses which link (width: part of its time)")
    left.axis("off")
    left.set_xlim(-1.4, 1.4)
    order = np.argsort(np.asarray(use.share.link_prices))
    names = [" - ".join(use.share.links[i]) for i in order]
    right.barh(names, np.asarray(use.share.link_prices)[order])
    right.set_xlabel("price: growth of sum of w log(rate) per part of link speed")
    right.set_title("Which link first")
    figure.tight_layout()
    figure.savefig(HERE / "figure.png", dpi=130)


def main() -> None:
    """Share, draw and write all numbers."""
    setting, places = metro()
    found = by_fairness(setting)
    draw(setting, places, found["proportional"])
    tables: dict[str, Any] = {
        name: plain(use) | {"welfare": float(use.welfare), "duality_gap": abs(float(use.share.dual - use.welfare))}
        for name, use in found.items()
    }
    bank = services.key_budget(
        float(found["proportional"].rates[0]),
        channels=10,
        block_time=60.0,
        p_abort=0.05,
        consume_rate=1000.0,
        secret=services.secrecy(kem="ML-KEM-768", kem_years=20.0, cipher_years=30.0, wanted_years=25.0),
    )
    budget = {"sentences": bank.sentences(), "interface": bank.key_delivery("bank", "hospital")}
    results = {"shares": tables, "bank": budget, "cost": cost()}
    (HERE / "results.json").write_text(json.dumps(results, indent=1, default=str) + "\n")
    for name, table in tables.items():
        rates = "  ".join(f"{row['rate_hz']:9.2f}" for row in table["demands"])
        print(f"{name:28s} {rates}  gap {table['duality_gap']:.1e}")
    for row in results["cost"]:
        print(
            f"{row['demands']:4d} demands {row['fairness']:13s} {row['seconds']:7.2f} s  gap {row['duality_gap']:.1e}"
        )
    print("\n".join(bank.sentences()))


if __name__ == "__main__":
    main()
