"""All pairs of users of a graph: each along its path, by whatever evaluates a chain."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence

from qtn import _budget
from qtn._pytree import pytree, static
from qtn.evaluators.delivery import delivering
from qtn.evaluators.evaluate import Evaluator
from qtn.evaluators.outcome import Result, Summary
from qtn.evaluators.renewal import Renewal
from qtn.links.chain import Chain, chain
from qtn.links.graph import Graph, Name, steps
from qtn.links.link import Link
from qtn.schedules.families import balanced
from qtn.schedules.tree import Schedule

Swaps = Callable[[Chain], Schedule]
"""Says in which order the links of a path are joined."""


@pytree
class Route:
    """What a path between two users delivers."""

    path: tuple[Name, ...] = static()
    """Names of its nodes, both users included."""

    schedule: Schedule
    """In which order its links were joined, from the first user to the second."""

    result: Summary
    """Mean waiting time [s] and mean state, the first user on the left."""


def halves(chain: Chain) -> Schedule:
    """Return `balanced` over a chain."""
    return balanced(chain.num_links)


def evaluate_pairs(
    graph: Graph,
    users: Iterable[Name] | None = None,
    schedule: Schedule | Swaps = halves,
    *,
    paths: Iterable[Sequence[Name]] = (),
    evaluator: Evaluator[Result] | None = None,
) -> dict[tuple[Name, Name], Route]:
    """Evaluate the path between every two users of a graph.

    Args:
        graph: links and nodes, each pair of users as if it had them for itself.
        users: names of nodes, two or more, in order; all nodes by default.
        schedule: for all paths, which then have as many links as it joins; or a function of the chain along a path,
            such as `lambda chain: sequential(chain.num_links)`.
        paths: names of nodes along a path, for pairs that do not take the shortest one (`Graph.path`).
        evaluator: how; `Renewal()` by default: whatever depends on Bell weights is exact.

    Returns:
        routes: (user, later user) -> what the path between them delivers.

    Raises:
        ValueError: if a user is not there, is named twice or alone, no path joins two of them, or a schedule does not
            fit.

    Note:
        Exact where the evaluator is; differentiable in every number of the graph. Links are evaluated once, and all
        paths run through the same compiled joins.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn import abstract_link
        >>> from qtn.links.graph import graph
        >>> link = abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9)
        >>> star = graph({("ann", "hub"): link, ("bob", "hub"): link, ("eve", "hub"): link})
        >>> found = evaluate_pairs(star, ["ann", "bob", "eve"])
        >>> list(found), round(float(found["ann", "eve"].result.mean_time), 9)
        ([('ann', 'bob'), ('ann', 'eve'), ('bob', 'eve')], 2.666666667)
    """
    names = users_of(graph, users)
    declared = declared_paths(graph, paths)
    prepared, how = delivering_graph(graph), Renewal() if evaluator is None else evaluator
    found: dict[tuple[Name, Name], Route] = {}
    for pair in itertools.combinations(names, 2):
        path = declared.get(pair) or graph.path(*pair)
        along = prepared.chain(path)
        tree = schedule if isinstance(schedule, Schedule) else schedule(along)
        try:
            found[pair] = Route(path=path, schedule=tree, result=how.summarise(along, tree))
        except ValueError as error:
            raise ValueError(f"From {pair[0]} to {pair[1]}: {error}") from error
    return found


def users_of(graph: Graph, users: Iterable[Name] | None) -> tuple[Name, ...]:
    """Return the users, checked; all nodes where none are named.

    Raises:
        ValueError: if one is not there or named twice, there are fewer than two, or too many pairs.
    """
    names = graph.names if users is None else tuple(users)
    for name in names:
        if name not in graph.names:
            graph.path(name, name)  # says which there are
    if len(names) < 2 or len(set(names)) < len(names):
        raise ValueError(f"Argument `users` must name two or more nodes, each once, but is {names!r:.80}.")
    _budget.PAIRS.require(len(names) * (len(names) - 1) // 2)
    return names


def declared_paths(graph: Graph, paths: Iterable[Sequence[Name]]) -> dict[tuple[Name, Name], tuple[Name, ...]]:
    """Return paths by their ends, in both directions.

    Raises:
        ValueError: if one is no path of the graph, or two have the same ends.
    """
    found: dict[tuple[Name, Name], tuple[Name, ...]] = {}
    for each in map(tuple, paths):
        steps(graph.structure, each)
        if (each[0], each[-1]) in found:
            raise ValueError(
                f"Argument `paths` must hold one path between {each[0]!r} and {each[-1]!r}, but holds two."
            )
        found |= {(each[0], each[-1]): each, (each[-1], each[0]): each[::-1]}
    return found


def delivering_graph(graph: Graph) -> Graph:
    """Return a graph in place of each of whose links stands what it delivers; see `delivering`."""

    def delivered(position: int, link: Link) -> Link:
        ends = [graph.node(graph.names[place]) for place in graph.structure.ends[position]]
        return delivering(chain([link], ends, herald_decay=graph.structure.herald_decay)).links[0]

    return dataclasses.replace(graph, links=tuple(delivered(k, link) for k, link in enumerate(graph.links)))
