"""In which order the links of a path are joined, as a file says it."""

from collections.abc import Sequence
from typing import Any

from qtn.links.chain import Chain
from qtn.planning.objective import Objective
from qtn.planning.search import search
from qtn.planning.space import SearchSpace
from qtn.problem.choices import Swaps
from qtn.schedules.arguments import span
from qtn.schedules.families import balanced, sequential
from qtn.schedules.tree import Schedule, Tree


def schedule_of(problem: Any) -> Schedule | None:
    """Return the tree of a file, checked, or that which `network.swaps` names; None where it is left to a search.

    Raises:
        ValueError: if the tree does not fit the path.
    """
    if problem.given_schedule is not None:
        require_path(problem.given_schedule.tree, problem.root.route(problem.document["network"]))
        return problem.given_schedule
    table = problem.config.optimise
    return None if table is not None and table.search is not None else swapped(problem, problem.chain)


def require_path(tree: Tree, path: Sequence[str]) -> None:
    """Raise unless a tree joins all links of a path.

    Raises:
        ValueError: with both.
    """
    count = len(path) - 1
    if (tree.first, tree.last) != (0, count - 1):
        links = "link 0" if count == 1 else f"links 0 to {count - 1}"
        raise ValueError(
            f"schedule.tree: joins {span(tree)}, but the path {' - '.join(path)} has {links}; correct it, or leave it "
            "out for the order of network.swaps"
        )


def swapped(problem: Any, chain: Chain) -> Schedule:
    """Return the tree over a chain that `network.swaps` names."""
    swaps = problem.config.network.swaps
    if swaps is Swaps.BEST and chain.num_links > 2:
        return search(chain, SearchSpace(max_rounds=0), Objective(fraction=problem.fraction)).best.schedule
    return (sequential if swaps is Swaps.SEQUENTIAL else balanced)(chain.num_links)
