"""All pairs of users of a national network: `python experiments/backbone/run.py`."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import matplotlib  # noqa: E402

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

import qtn  # noqa: E402
from qtn.evaluators.paths import Route  # noqa: E402

HERE = Path(__file__).parent
FIBRE_KM = 0.2
"""Attenuation [dB/km]."""
NAMED = (
    ("Aachen", "Koeln"),
    ("Frankfurt", "Koeln"),
    ("Berlin", "Hamburg"),
    ("Berlin", "Muenchen"),
    ("Hamburg", "Muenchen"),
    ("Flensburg", "Konstanz"),
)
"""Pairs of the table in the README."""


def hardware(length: float) -> Any:
    """Return a double-click link over fibre of some length [m]."""
    half = {"length_left": length / 2, "length_right": length / 2}
    loss = {"loss_left": FIBRE_KM * length / 2e3, "loss_right": FIBRE_KM * length / 2e3}
    return qtn.double_click(**half, **loss, efficiency=0.8, visibility=0.99, num_modes=1000)


def backbone(topology: Any) -> qtn.Graph:
    """Return the graph of a topology with the hardware of `network.toml`."""
    node = qtn.node(qtn.dephasing_memory(t2=10.0), qtn.gates(two_qubit=0.999, readout=0.999))
    return qtn.graph(
        {pair: hardware(length) for pair, length in topology.lengths.items()}, node, lengths=topology.lengths
    )


def row(graph: qtn.Graph, route: Route) -> dict[str, Any]:
    """Return what a pair of users gets."""
    lengths = graph.structure.lengths or ()
    return {
        "links": len(route.path) - 1,
        "length_km": sum(lengths[position] for position in graph.positions(route.path)) / 1e3,
        "rate_hz": 1 / float(route.result.mean_time),
        "fidelity": float(qtn.fidelity(route.result.state)),
        "key_bit_s": max(0.0, float(qtn.secret_key_rate(route.result))),
        "grid_error": float(route.result.info.grid_error),
    }


def main() -> None:
    """Evaluate all pairs, draw, store."""
    topology = qtn.read_topology("germany50.json", HERE)
    graph = backbone(topology)
    began, used_before = time.perf_counter(), time.process_time()
    routes = qtn.evaluate_pairs(graph)
    seconds = time.perf_counter() - began
    rows = {f"{left} - {right}": row(graph, route) for (left, right), route in routes.items()}
    used = Counter(position for route in routes.values() for position in graph.positions(route.path))
    keys = np.array([each["key_bit_s"] for each in rows.values()])
    found = {
        "nodes": len(graph.names),
        "links": len(graph.links),
        "pairs": len(rows),
        "seconds": round(seconds, 1),
        "processor_seconds": round(time.process_time() - used_before, 1),
        "longest": {name: max(each[name] for each in rows.values()) for name in ("links", "length_km", "grid_error")},
        "key_bit_s": {"least": keys.min(), "median": float(np.median(keys)), "most": keys.max()},
        "most_used": {" - ".join(graph.pairs[position]): count for position, count in used.most_common(5)},
        "named": {" - ".join(pair): row(graph, routes.get(pair) or routes[pair[1], pair[0]]) for pair in NAMED},
        "rows": rows,
    }
    path = HERE / "results.json"
    star = json.loads(path.read_text()).get("star") if path.exists() else None  # of star.py
    path.write_text(json.dumps(found | ({} if star is None else {"star": star}), indent=1) + "\n")
    draw(topology, graph, used, rows)
    print(json.dumps({key: value for key, value in found.items() if key != "rows"}, indent=1))


def draw(topology: Any, graph: qtn.Graph, used: Counter[int], rows: dict[str, dict[str, Any]]) -> None:
    """Draw who is joined, and key against length."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 6), width_ratios=(1.15, 1), layout="constrained")
    most = max(used.values())
    for position, pair in enumerate(graph.pairs):
        x, y = np.array([topology.places[name] for name in pair]).T
        left.plot(x, y, color="#0072B2", lw=0.5 + 5 * used[position] / most, alpha=0.6, solid_capstyle="round")
    x, y = np.array([topology.places[name] for name in graph.names]).T
    left.plot(x, y, "o", color="#222222", ms=4)
    for name in graph.names:
        left.annotate(name, topology.places[name], (3, 3), textcoords="offset points", fontsize=6)
    left.set(title="paths of all pairs", aspect=1 / np.cos(np.radians(51)), xlabel="longitude", ylabel="latitude")
    left.margins(0.09)
    links = np.array([each["links"] for each in rows.values()])
    points = right.scatter(
        [each["length_km"] for each in rows.values()],
        [each["key_bit_s"] for each in rows.values()],
        c=links,
        s=8,
        cmap="viridis",
    )
    right.set(yscale="log", xlabel="length of the path [km]", ylabel="key rate [bit/s]", title="each pair by itself")
    figure.colorbar(points, label="links of the path")
    figure.savefig(HERE / "figure.png", dpi=130)


if __name__ == "__main__":
    main()
