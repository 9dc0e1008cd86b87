"""In which order the links of a path are joined, as a file says it."""

from typing import Any

from qtn.links.chain import Chain
from qtn.planning.objective import Objective
from qtn.planning.search import search
from qtn.planning.space import SearchSpace
from qtn.problem.choices import Swaps
from qtn.schedules.builders import check_spans
from qtn.schedules.families import balanced, sequential
from qtn.schedules.tree import Schedule


def schedule_of(problem: Any) -> Schedule | None:
    """Return the tree of a file, checked, or that which `network.swaps` names; None where it is left to a search.

    Raises:
        ValueError: if the tree does not fit the path.
    """
    count = problem.chain.num_links
    if problem.given_schedule is not None:
        try:
            check_spans(problem.given_schedule, count)
        except ValueError as error:
            path = " - ".join(problem.root.route(problem.document["network"]))
            raise ValueError(f"schedule.tree: {error} The path is {path}, of {count} links.") from None
        return problem.given_schedule
    table = problem.config.optimise
    return None if table is not None and table.search is not None else swapped(problem, problem.chain)


def swapped(problem: Any, chain: Chain) -> Schedule:
    """Return the tree over a chain that `network.swaps` names."""
    swaps = problem.config.network.swaps
    if swaps is Swaps.BEST and chain.num_links > 2:
        return search(chain, SearchSpace(max_rounds=0), Objective(fraction=problem.fraction)).best.schedule
    return (sequential if swaps is Swaps.SEQUENTIAL else balanced)(chain.num_links)
