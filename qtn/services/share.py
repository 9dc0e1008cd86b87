"""Links that many users share: who gets what, over which paths, and what each link is worth."""

import dataclasses
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Float
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra

from qtn import _checks
from qtn._array import Array
from qtn._budget import Budget
from qtn._pytree import pytree, static
from qtn.services.demands import Demand, Fairness, Name, demands_of
from qtn.services.moves import rate_moves
from qtn.services.optimum import Optimum, Routes, optimum

CELLS = Budget(20_000_000, "demands times links", "share parts of the network, or sum demands of neighbours")
ROUNDS = 200
"""Most times that paths are added."""

Link = tuple[Name, Name]


@pytree
class Share:
    """Who gets what, and what it costs; see `share`."""

    welfare: Float[Array, ""]
    """What was maximised."""

    rates: Float[Array, " demands"]
    """What each demand gets [1/s]."""

    link_prices: Float[Array, " links"]
    """By how much welfare grows with what each link has."""

    link_loads: Float[Array, "demands links"]
    """How much each demand takes of each link."""

    capacities: Float[Array, " links"]
    """What each link has."""

    demand_values: Float[Array, " demands"]
    """By how much welfare would grow if a demand got one more unit without using a link."""

    dual: Float[Array, ""]
    """The bound on welfare that the prices prove; equal to it."""

    path_rates: Float[Array, " paths"]
    """What goes over each of `paths` [1/s]."""

    demands: tuple[Demand, ...] = static()
    links: tuple[Link, ...] = static()
    fairness: Fairness = static()

    paths: tuple[tuple[int, tuple[Name, ...]], ...] = static(default=())
    """(demand, nodes) of each path in use; none under a transformation of JAX."""

    kinks: tuple[Link, ...] = static(default=())
    """Links where more and less are worth something different: their price is one of many."""

    @property
    def prices(self) -> dict[Link, Array]:
        """Return by how much welfare grows with the rate of each link, by link."""
        return {link: self.link_prices[place] for place, link in enumerate(self.links)}

    @property
    def flows(self) -> dict[Link, dict[tuple[Name, ...], float]]:
        """Return by users what goes over each path [1/s]; users with several demands are one entry."""
        found: dict[Link, dict[tuple[Name, ...], float]] = {each.users: {} for each in self.demands}
        for (place, nodes), rate in zip(self.paths, np.asarray(self.path_rates), strict=True):
            of_users = found[self.demands[place].users]
            of_users[nodes] = of_users.get(nodes, 0.0) + float(rate)
        return found

    @property
    def used(self) -> Float[Array, " links"]:
        """Return the part of each link that is in use."""
        has = jnp.where(self.capacities > 0, self.capacities, 1.0)
        return jnp.where(self.capacities > 0, jnp.sum(self.link_loads, axis=0) / has, 0.0)

    @property
    def worth(self) -> dict[Link, Array]:
        """Return price times rate of each link: by how much welfare grows if it gets better by a part."""
        return {link: self.link_prices[i] * self.capacities[i] for i, link in enumerate(self.links)}

    def warnings(self) -> list[str]:
        """Return one sentence with a cure for each thing that is wrong with concrete numbers."""
        if not self.kinks:
            return []
        some = ", ".join(f"{a}-{b}" for a, b in self.kinks[:6]) + (", ..." if len(self.kinks) > 6 else "")
        return [
            f"The prices of {some} are among several that prove the optimum: more of such a link is worth something "
            "else than less of it (links that limit users together). Change their rates to see which way counts."
        ]


def share(
    rates: Mapping[Any, Any],
    demands: Iterable[Demand | Link] | None = None,
    fairness: Fairness | str = Fairness.MAX_MIN,
) -> Share:
    """Share links of known rates among users, over any number of paths.

        max W(r),   r_d = sum of the flows of d over its paths,   sum of the flows over a link <= its rate

    W is min r_d / w_d ("max_min"), sum w_d log r_d ("proportional") or sum w_d r_d ("total"). Nodes relay keys and are
    trusted, or join pairs without loss: a unit over a path takes a unit of each of its links.

    Args:
        rates: (node, node) -> what the link makes [1/s], either way round; may be traced.
        demands: pairs of nodes, or what `demand` returns; None = every pair of nodes, alike. With "max_min", who
            wants less than the others gets just that.
        fairness: what is maximised; a `Fairness` or its word.

    Returns:
        found: welfare, rates, flows and prices: `prices[link]` is the derivative of welfare by the rate of a link.

    Raises:
        ValueError: if a link is there twice or joins a node with itself, a rate is negative, users are not connected,
            or a demand asks for a fidelity, which rates do not have.

    Note:
        Exact to about 1e-10, over all paths: those of least price are added until none is better (column generation).
        "max_min" maximises the rate of whoever has least, over its weight; all others get as much, and what is left
        stays unused. Differentiable, to first order, by the rates of links: welfare by its prices (envelope theorem; on
        one side where `kinks` says so), `rates` by the conditions of the optimum; not flows and prices themselves.

    References:
        Shahrokhi, Matula, J. ACM 37, 318 (1990); Kelly, Maulloo, Tan, J. Oper. Res. Soc. 49, 237 (1998);
        Milgrom, Segal, Econometrica 70, 583 (2002).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> ring = {("a", "b"): 5.0, ("b", "c"): 3.0, ("c", "a"): 4.0}
        >>> found = share(ring, [("a", "b"), ("a", "c")])
        >>> found.rates.round(9).tolist(), float(found.welfare)
        ([4.5, 4.5], 4.5)
        >>> {nodes: round(rate, 9) for nodes, rate in found.flows["a", "c"].items()}
        {('a', 'c'): 4.0, ('a', 'b', 'c'): 0.5}
    """
    links, values = _links(rates)
    kind = _checks.choice("fairness", fairness, Fairness)
    names = tuple(dict.fromkeys(name for link in links for name in link))
    wanted = demands_of(demands, names)
    CELLS.require(len(wanted) * len(links))
    graph = Graph(names, links)
    graph.require_connected(wanted)
    for place, each in enumerate(wanted):
        if each.least_fidelity > 0:
            raise ValueError(
                f"Demand {place} asks for a fidelity of {each.least_fidelity}, but rates alone say nothing about "
                "fidelity: use `share_network`."
            )
    if any(isinstance(value, Tracer) for value in values):
        return _traced(graph, jnp.stack([_checks.real(value) for value in values]), wanted, kind)
    capacities = np.asarray([float(value) for value in values])
    best, paths = _over_all_paths(graph, capacities, wanted, kind)
    return _shared(graph, capacities, wanted, kind, best, paths)


def _links(rates: Mapping[Link, Any]) -> tuple[tuple[Link, ...], list[Any]]:
    """Return links and their checked rates."""
    if not rates:
        raise ValueError("Argument `rates` must hold at least one link, but is empty.")
    seen: dict[frozenset[Name], Link] = {}
    for link in rates:
        if not isinstance(link, tuple) or len(link) != 2 or link[0] == link[1]:
            raise ValueError(f"Argument `rates` must join two different nodes, but has the link {link!r}.")
        if (other := seen.setdefault(frozenset(link), link)) != link:
            raise ValueError(f"Argument `rates` has the link {link!r} twice, as {other!r} too: add their rates.")
    values = [_checks.non_negative_finite(f"rates[{link!r}]", rate) for link, rate in rates.items()]
    for link, value in zip(rates, values, strict=True):
        if np.shape(value):
            raise ValueError(f"Argument `rates[{link!r}]` must be one number, but has shape {np.shape(value)}.")
    return tuple(rates), values


class Graph:
    """Which nodes links join."""

    def __init__(self, names: tuple[Name, ...], links: tuple[Link, ...]):
        self.names, self.links = names, links
        self.place = {name: i for i, name in enumerate(names)}
        self.ends = np.asarray([(self.place[a], self.place[b]) for a, b in links])
        self.between = {frozenset(link): i for i, link in enumerate(links)}

    def matrix(self, lengths: np.ndarray) -> sparse.csr_array:
        """Return (nodes, nodes) of lengths of links, in both directions."""
        first, second = self.ends.T
        both = np.concatenate([first, second]), np.concatenate([second, first])
        return sparse.csr_array((np.tile(lengths, 2), both), shape=(len(self.names),) * 2)

    def require_connected(self, demands: tuple[Demand, ...]) -> None:
        """Raise unless users of a demand are in one part."""
        _, part = connected_components(self.matrix(np.ones(len(self.links))))
        for place, each in enumerate(demands):
            first, second = (part[self.place[user]] for user in each.users)
            if first != second:
                inside = [str(name) for name in self.names if part[self.place[name]] == first]
                some = ", ".join(inside[:12]) + (", ..." if len(inside) > 12 else "")
                raise ValueError(
                    f"Demand {place}: no path joins {each.title}; {each.users[0]} reaches {some}. Add a link."
                )

    def shortest(self, lengths: np.ndarray, demands: tuple[Demand, ...]) -> tuple[np.ndarray, list[list[int]]]:
        """Return the length of the shortest path of each demand, and its nodes."""
        sources = sorted({self.place[each.users[0]] for each in demands})
        row = {source: i for i, source in enumerate(sources)}
        far, before = dijkstra(self.matrix(lengths), indices=sources, return_predecessors=True)
        found = []
        for each in demands:
            source, node = (self.place[user] for user in each.users)
            nodes = [node]
            while node != source:
                node = int(before[row[source], node])
                nodes.append(node)
            found.append(nodes[::-1])
        ends = [(row[self.place[a]], self.place[b]) for a, b in (each.users for each in demands)]
        return np.asarray([far[end] for end in ends]), found

    def links_of(self, nodes: list[int]) -> tuple[int, ...]:
        """Return the links of a path."""
        names = [self.names[node] for node in nodes]
        return tuple(self.between[frozenset(pair)] for pair in itertools.pairwise(names))


def _over_all_paths(
    graph: Graph, capacities: np.ndarray, demands: tuple[Demand, ...], fairness: Fairness
) -> tuple[tuple[Routes, Optimum], list[tuple[int, list[int]]]]:
    """Return the optimum over all paths, and the paths that it took to find it."""
    weights = np.asarray([each.weight for each in demands])
    wanted = np.asarray([each.wanted for each in demands])
    wide = np.where(capacities > 0, 1 + 1e-3 * np.median(capacities) / np.maximum(capacities, 1e-300), np.inf)
    wide = np.minimum(wide, 1e6)
    paths = list(enumerate(graph.shortest(wide, demands)[1]))
    known = {(owner, graph.links_of(nodes)) for owner, nodes in paths}
    for _ in range(ROUNDS):
        routes = _routes(graph, paths, capacities, weights, wanted)
        best = optimum(routes, fairness)
        tiny = 1e-12 * max(float(best.prices.max()), 1e-300)
        lengths, nodes = graph.shortest(best.prices + tiny, demands)
        better = np.flatnonzero(lengths < best.values * (1 - 1e-10) - tiny * len(graph.names))
        new = [(int(i), nodes[i]) for i in better if (int(i), graph.links_of(nodes[i])) not in known]
        if not new:
            return (routes, best), paths
        paths += new
        known |= {(owner, graph.links_of(each)) for owner, each in new}
    raise ValueError(f"The paths of {len(demands)} demands were not all found in {ROUNDS} rounds: ask for fewer.")


def _routes(
    graph: Graph, paths: list[tuple[int, list[int]]], capacities: np.ndarray, weights: np.ndarray, wanted: np.ndarray
) -> Routes:
    """Return paths as routes."""
    over = [graph.links_of(nodes) for _, nodes in paths]
    columns = np.repeat(np.arange(len(over)), [len(each) for each in over])
    rows = np.concatenate([np.asarray(each) for each in over])
    use = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(capacities), len(paths)))
    owner = np.asarray([owner for owner, _ in paths])
    return Routes(use=use, owner=owner, capacities=capacities, weights=weights, wanted=wanted)


def _loads(routes: Routes, flows: np.ndarray) -> np.ndarray:
    """Return what each demand takes of each link, (demands, links)."""
    found = routes.serves @ (sparse.diags_array(flows) @ routes.use.T)
    return np.asarray(found.toarray())


def _shared(
    graph: Graph,
    capacities: np.ndarray,
    demands: tuple[Demand, ...],
    fairness: Fairness,
    found: tuple[Routes, Optimum],
    paths: list[tuple[int, list[int]]],
) -> Share:
    """Return the record of an optimum."""
    best: Any
    routes, best = found
    has: Any = capacities
    loads: Any = _loads(routes, best.flows)
    welfare: Any = np.asarray(best.welfare)
    dual: Any = np.asarray(best.dual)
    threshold = 1e-9 * max(float(best.rates.max()), 1e-300)
    busy = [i for i in range(len(paths)) if best.flows[i] > threshold]
    return Share(
        welfare=welfare,
        rates=best.rates,
        link_prices=best.prices,
        link_loads=loads,
        capacities=has,
        demand_values=best.values,
        dual=dual,
        path_rates=best.flows[busy],
        demands=demands,
        links=graph.links,
        fairness=fairness,
        paths=tuple((paths[i][0], tuple(graph.names[node] for node in paths[i][1])) for i in busy),
        kinks=tuple(graph.links[i] for i in kinks(routes, fairness)),
    )


def kinks(routes: Routes, fairness: Fairness) -> list[int]:
    """Return the links whose price differs for a bit more and a bit less of every link, on these routes."""
    step = 1e-6 * np.random.default_rng(0).uniform(0.5, 1.0, len(routes.capacities))
    more, less = (
        optimum(dataclasses.replace(routes, capacities=routes.capacities * (1 + sign * step)), fairness).prices
        for sign in (1, -1)
    )
    worth = np.abs(more - less) * routes.capacities
    scale = float((np.maximum(more, less) * routes.capacities).max())
    return [int(i) for i in np.flatnonzero(worth > 1e-3 * scale)] if scale > 0 else []


def _traced(graph: Graph, capacities: Array, demands: tuple[Demand, ...], fairness: Fairness) -> Share:
    """Return the record of an optimum for rates that are traced."""
    size, count = len(demands), len(graph.links)
    held = jax.lax.stop_gradient(capacities)

    def solve(known: Any) -> tuple[np.ndarray, ...]:
        has = np.asarray(known, dtype=float)
        (routes, best), _ = _over_all_paths(graph, has, demands, fairness)
        by_capacity, _ = rate_moves(routes, best, fairness)
        numbers = best.welfare, best.rates, best.prices, _loads(routes, best.flows), best.values, best.dual, by_capacity
        return tuple(np.asarray(x, dtype=float) for x in numbers)

    shapes = [(), (size,), (count,), (size, count), (size,), (), (size, count)]
    answer = [jax.ShapeDtypeStruct(shape, np.float64) for shape in shapes]
    value, rates, prices, loads, values, dual, by_capacity = jax.pure_callback(
        solve, tuple(answer), held, vmap_method="sequential"
    )
    moved = capacities - held
    return Share(
        welfare=value + prices @ moved,
        rates=rates + by_capacity @ moved,
        link_prices=prices,
        link_loads=loads,
        capacities=capacities,
        demand_values=values,
        dual=dual,
        path_rates=jnp.zeros(0),
        demands=demands,
        links=graph.links,
        fairness=fairness,
    )
