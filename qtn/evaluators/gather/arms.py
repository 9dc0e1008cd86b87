"""Arms of a gathering along the paths of a graph: every user to one hub, all on one time grid."""

import dataclasses
from collections.abc import Iterable, Sequence

from qtn import _checks
from qtn.evaluators.outcome import Outcome
from qtn.evaluators.pairs import Pairs, pairs_of
from qtn.evaluators.paths import Swaps, declared_paths, delivering_graph, halves
from qtn.evaluators.plan import LADDER
from qtn.evaluators.renewal import Renewal
from qtn.links.chain import Chain
from qtn.links.graph import Graph, Name
from qtn.schedules.tree import Schedule


def arms_to_hub(
    graph: Graph,
    users: Iterable[Name],
    hub: Name,
    schedule: Schedule | Swaps = halves,
    *,
    paths: Iterable[Sequence[Name]] = (),
    evaluator: Renewal | None = None,
) -> list[Pairs]:
    """Return the pairs that each user of a graph shares with a hub, as `qtn.gather` takes them.

    Args:
        graph: links and nodes; arms that share a link are made as if each had it for itself.
        users: names of nodes, two or more, each once.
        hub: name of the node where all arms end; no user.
        schedule: as of `qtn.evaluate_pairs`.
        paths: as of `qtn.evaluate_pairs`.
        evaluator: with `step` and `num_steps`, one grid for all arms; None = the finest step and the longest grid that
            any of them would choose alone.

    Returns:
        arms: user left, hub right; one for each user, in order.

    Raises:
        ValueError: if a user or the hub is not there or no path joins them, or no affordable grid holds all arms.

    Note:
        As exact as that grid (see `qtn.gather`): where attempt times of arms have no common step, a smaller `step`
        tells how far. Differentiable in every number of the graph.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn import abstract_link, gather
        >>> from qtn.links.graph import graph
        >>> link = abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9)
        >>> star = graph({("ann", "hub"): link, ("bob", "hub"): link, ("eve", "hub"): link})
        >>> found = gather(arms_to_hub(star, ["ann", "bob", "eve"], "hub"), star.node("hub"))
        >>> round(float(found.mean_time), 9)  # 22/7
        3.142857143
    """
    names = tuple(users)
    if hub in names or len(names) < 2 or len(set(names)) < len(names):
        raise ValueError(
            f"Argument `users` must name two or more nodes, each once and none of them the hub {hub!r:.80}, but is "
            f"{names!r:.200}."
        )
    declared, prepared = declared_paths(graph, paths), delivering_graph(graph)
    lines = [prepared.chain(declared.get((name, hub)) or graph.path(name, hub)) for name in names]
    trees = [schedule if isinstance(schedule, Schedule) else schedule(line) for line in lines]
    how = common_grid(Renewal(), lines, trees) if evaluator is None else evaluator
    return [pairs_of(how.evaluate(line, tree), line) for line, tree in zip(lines, trees, strict=True)]


def common_grid(evaluator: Renewal, lines: Sequence[Chain], trees: Sequence[Schedule]) -> Renewal:
    """Return an evaluator with the finest step and the longest grid that any chain would choose alone.

    Raises:
        ValueError: if no affordable grid is that fine and that long.
    """
    alone: list[Outcome] = [
        evaluator.evaluate(*_checks.constant((line, tree))) for line, tree in zip(lines, trees, strict=True)
    ]
    steps = [float(each.info.step) for each in alone]
    step, longest = min(steps), max(s * each.info.num_steps for s, each in zip(steps, alone, strict=True))
    length = next((length for length in LADDER if length * step >= longest * (1 - 1e-9)), None)
    if length is None:
        raise ValueError(
            f"The fastest arm needs a step of {step:.3g} s and the slowest one a grid of {longest:.3g} s, which is "
            f"{longest / step:.3g} steps; at most {LADDER[-1]} are chosen. Give `evaluator=Renewal(step=..., "
            "num_steps=...)`."
        )
    return dataclasses.replace(evaluator, step=step, num_steps=length)
