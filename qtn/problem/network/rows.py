"""What reports say of a network: the path between two users, and what every pair of users gets."""

import itertools
from collections import Counter
from typing import Any

from qtn.evaluators.paths import delivering_graph
from qtn.merit.quantities import QUANTITIES, Delivered, values_of
from qtn.problem.chain.rows import chain_rows
from qtn.problem.evaluators import build_policy, evaluator_of
from qtn.problem.network.network import Network, lengths_of, pair_of, path_of, users_of
from qtn.problem.network.schedules import swapped
from qtn.schedules.latency import with_latencies
from qtn.steps.level import BELL_DIAGONAL


def network_rows(evaluation: Any) -> dict[str, Any]:
    """Return all of it by the names of `qtn evaluate --json`.

    Returns:
        what `chain_rows` has of the path between the two users, whose rows of links have a "name"; {"path": its nodes,
        "pairs": see `pair_rows`,
        "network": see `drawn_rows`}.
    """
    table = evaluation.table
    rows = chain_rows(evaluation, Network.link_tables(table))
    for row, name in zip(rows["links"], Network.link_names(table), strict=True):
        row["name"] = name
    pairs = pair_rows(evaluation)
    return {**rows, "path": list(Network.route(table)), "pairs": pairs, "network": drawn_rows(table, pairs)}


def drawn_rows(table: dict[str, Any], pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what there is to be drawn.

    Returns:
        {"nodes": rows {"name", "at" or None, "user": whether it is one}, "links": rows {"name", "between", "length_km"
        or None, "num_pairs": how many pairs of users have a path over it}}.
    """
    users, lengths = users_of(table), lengths_of(table)
    used = Counter(frozenset(ends) for row in pairs for ends in itertools.pairwise(row["path"]))
    nodes = [{"name": name, "at": each.get("at"), "user": name in users} for name, each in table["nodes"].items()]
    links = [
        {
            "name": name,
            "between": list(each["between"]),
            "length_km": None if lengths is None else lengths[position] / 1e3,
            "num_pairs": used[frozenset(each["between"])],
        }
        for position, (name, each) in enumerate(table["links"].items())
    ]
    return {"nodes": nodes, "links": links}


def pair_rows(evaluation: Any) -> list[dict[str, Any]]:
    """Return what each two users get, as if they had the network for themselves.

    Returns:
        rows: {"pair": names, "path": names, "num_links", "length_km" or None, "grid_error" if there is a grid}, and
            each quantity of a pair that depends on its Bell weights, by name; None where the key is one of more of it.
    """
    problem, table = evaluation.problem, evaluation.table
    whole = Network.graph(table, herald_decay=problem.config.evaluate.herald_decay)
    prepared, evaluator = delivering_graph(whole), evaluator_of(problem.config)
    lengths, wanted, rows = lengths_of(table), quantities_of_pairs(problem), []
    for pair in itertools.combinations(users_of(table), 2):
        own = set(pair) == set(pair_of(table))
        path = Network.route(table) if own else path_of(table, pair)
        path = path if path[0] == pair[0] else path[::-1]
        along = () if own else system_along(evaluation, prepared.chain(path), path)
        found = evaluation.result if own else evaluator.summarise(*along)
        numbers = values_of(wanted, Delivered(result=found, fraction=problem.fraction), clip=True)
        ways = () if lengths is None else (lengths[position] for position in whole.positions(path))
        rows.append(
            {
                "pair": list(pair),
                "path": list(path),
                "num_links": len(path) - 1,
                "length_km": None if lengths is None else sum(ways) / 1e3,
                **{name: float(value) for name, value in numbers.items()},
            }
        )
    return rows


def quantities_of_pairs(problem: Any) -> list[Any]:
    """Return the quantities that depend on nothing but mean time and Bell weights."""
    return [each for each in QUANTITIES.values() if each.depends_on(problem.fraction) == BELL_DIAGONAL]


def system_along(evaluation: Any, chain: Any, path: Any) -> tuple[Any, Any]:
    """Return what evaluates along a path: its chain, and the tree that `swaps` names or the policy of the file."""
    problem = evaluation.problem
    if problem.policy is not None:
        return chain, build_policy(problem.document["schedule"])
    schedule, latency = swapped(problem, chain), problem.config.schedule.latency
    if latency == "none":
        return chain, schedule
    times = Network.message_times(evaluation.table | {"route": path}) if latency == "messages" else None
    return chain, with_latencies(schedule, chain, times)
