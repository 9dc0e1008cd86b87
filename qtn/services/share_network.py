"""Hardware that many users share: who gets what over which paths, and what each link is worth."""

from collections.abc import Callable, Iterable
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Float
from scipy import sparse

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.evaluators.evaluate import Evaluator
from qtn.evaluators.paths import halves
from qtn.evaluators.renewal import Renewal
from qtn.links.chain import Chain
from qtn.links.graph import Graph, Name
from qtn.merit.key_rate import Fraction, bb84_fraction
from qtn.schedules.tree import Schedule
from qtn.services.demands import Demand, Fairness, demands_of
from qtn.services.in_words import plain, sentences
from qtn.services.moves import rate_moves
from qtn.services.optimum import Optimum, Routes, optimum
from qtn.services.share import CELLS, Link, Share, kinks
from qtn.services.ways import Segment, Way, delivered_by, fidelities_of, ways_of
from qtn.steps.distill import BBPSSW, DistillationProtocol


@pytree
class NetworkShare:
    """Who gets what of hardware that all share; see `share_network`."""

    share: Share
    """Rates, prices and loads; the capacity of each link is its time, 1."""

    way_flows: Float[Array, " ways"]
    """What goes over each of `ways` [1/s]."""

    way_fidelities: Float[Array, " ways"]
    """Lowest fidelity of a pair along each."""

    segment_rates: Float[Array, " segments"]
    """What each of `segments` makes if it has its links for itself [1/s]."""

    ways: tuple[Way, ...] = static()
    segments: tuple[Segment, ...] = static()
    trusted: tuple[Name, ...] = static()

    @property
    def welfare(self) -> Float[Array, ""]:
        """Return what was maximised."""
        return self.share.welfare

    @property
    def rates(self) -> Float[Array, " demands"]:
        """Return what each demand gets [1/s]."""
        return self.share.rates

    @property
    def prices(self) -> dict[Link, Array]:
        """Return by how much welfare grows with the time of each link, by link: as if it were faster by a part."""
        return self.share.prices

    @property
    def fidelities(self) -> Float[Array, " demands"]:
        """Return the lowest fidelity of a pair that each demand uses; NaN where it gets nothing."""
        flows, found = np.asarray(self.way_flows), np.asarray(self.way_fidelities)
        rates = np.asarray(self.rates)
        lowest: Any = np.full(len(self.share.demands), np.nan)
        for way, flow, value in zip(self.ways, flows, found, strict=True):
            if flow > 1e-9 * rates[way.demand]:
                lowest[way.demand] = np.fmin(lowest[way.demand], value)
        return lowest

    def sentences(self) -> list[str]:
        """Return who gets what over which paths, and what links are worth, in words; of concrete numbers."""
        return sentences(self)

    def plain(self) -> dict[str, Any]:
        """Return rates, ways and prices as plain data, for JSON; of concrete numbers."""
        return plain(self)

    def warnings(self) -> list[str]:
        """Return one sentence with a cure for each thing that is wrong with concrete numbers."""
        found = self.share.warnings()
        rates = np.asarray(self.rates)
        for place, each in enumerate(self.share.demands):
            own = [way for way in self.ways if way.demand == place]
            if rates[place] == 0 and all(np.min(np.asarray(self.segment_rates)[list(w.segments)]) <= 0 for w in own):
                found.append(
                    f"No path gives {each.title} a key: the best pairs have a fidelity of {self._best(place):.4g}. "
                    "Trust a node between them, allow distillation, or improve links."
                )
        return found

    def _best(self, place: int) -> float:
        """Return the best fidelity of any way to serve a demand."""
        of = zip(self.ways, np.asarray(self.way_fidelities), strict=True)
        return max(float(value) for way, value in of if way.demand == place)


@pytree
class Sharing:
    """Users who share a network; see `share_network`."""

    demands: tuple[Demand, ...] = static()
    fairness: Fairness = static(default=Fairness.MAX_MIN)
    trusted: tuple[Name, ...] = static(default=())
    fraction: Fraction = static(default=bb84_fraction)

    def run(self, result: Any, graph: Graph) -> NetworkShare:
        """Return what that gives."""
        return share_network(graph, self.demands, self.fairness, trusted=self.trusted, fraction=self.fraction)


def share_network(
    graph: Graph,
    demands: Iterable[Demand | Link] | None = None,
    fairness: Fairness | str = Fairness.MAX_MIN,
    *,
    trusted: Iterable[Name] = (),
    schedule: Callable[[Chain], Schedule] = halves,
    evaluator: Evaluator[Any] | None = None,
    fraction: Fraction = bb84_fraction,
    protocol: DistillationProtocol = BBPSSW,
) -> NetworkShare:
    """Share the links of a graph among users, who take turns: each path has all its links for a part of the time.

        max W(r),   r_d = sum over ways of flow,   sum over ways through a link of flow / (rate of the way) <= 1

    The rate of a way is that of the exact outcome of its path if it had its links for itself. A trusted node reads the
    keys that it relays: it splits paths of keys into segments that take turns by themselves.

    Args:
        graph: links and nodes.
        demands: pairs of nodes, or what `demand` returns; None = every pair of nodes. Each is served over its
            `num_paths` shortest paths, with 0 to `rounds` rounds of distillation of each link's pairs.
        fairness: what is maximised; see `share`.
        trusted: names of nodes that relay keys.
        schedule: in which order the links of a path are joined, as a function of its chain.
        evaluator: of paths; `Renewal()` by default.
        fraction: secret bits of a pair, for keys.
        protocol: how pairs of links are distilled.

    Returns:
        found: shares, prices and ways.

    Raises:
        ValueError: if users are not there or not connected, a trusted node is not there, or a demand asks for a
            fidelity that none of its ways has (it then says the best one).

    Note:
        Exact for the candidate paths. Differentiable to first order in every number of the graph: welfare by the prices
        (envelope theorem), `rates` by the conditions of the optimum. Switching between paths takes no time, and
        memories are empty when a path gets its turn: means over long turns.

    References:
        See `share`; Chakraborty, Elkouss, Rijsman, Wehner, IEEE Trans. Quantum Eng. 1, 4101321 (2020),
        arXiv:2005.14304.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn import abstract_link
        >>> from qtn.links.graph import graph
        >>> link = abstract_link(p_success=0.5, attempt_time=1.0, werner=1.0)
        >>> star = graph({("ann", "hub"): link, ("bob", "hub"): link, ("eve", "hub"): link})
        >>> found = share_network(star, [("ann", "bob"), ("ann", "eve")], trusted=["hub"])
        >>> found.rates.round(9).tolist(), float(found.prices["ann", "hub"].round(9))  # half of ann's 1/2
        ([0.25, 0.25], 0.25)
    """
    kind = _checks.choice("fairness", fairness, Fairness)
    asked = demands_of(demands, graph.names)
    relays = tuple(trusted)
    for name in relays:
        if name not in graph.names:
            raise ValueError(
                f"Argument `trusted` names {name!r}, but the nodes are {', '.join(map(repr, graph.names))}."
            )
    CELLS.require(len(asked) * len(graph.links))
    ways, segments = ways_of(graph, asked, frozenset(relays))
    how = Renewal() if evaluator is None else evaluator
    rates, fidelities = delivered_by(graph, segments, schedule, how, fraction, protocol)
    plan = _Plan(graph, asked, kind, ways, segments)
    along = fidelities_of(ways, fidelities)
    known = not any(isinstance(each, Tracer) for each in (rates, fidelities))
    if known:
        plan.require_fidelities(np.asarray(along))
    return NetworkShare(
        share=plan.shared(rates, along, known),
        way_flows=plan.flows,
        way_fidelities=along,
        segment_rates=rates,
        ways=ways,
        segments=segments,
        trusted=relays,
    )


class _Plan:
    """What is known of a network before its numbers are."""

    def __init__(
        self,
        graph: Graph,
        demands: tuple[Demand, ...],
        fairness: Fairness,
        ways: tuple[Way, ...],
        segments: tuple[Segment, ...],
    ):
        self.demands, self.fairness, self.ways, self.pairs = demands, fairness, ways, graph.pairs
        self.weights = np.asarray([each.weight for each in demands])
        self.wanted = np.asarray([each.wanted for each in demands])
        self.least = np.asarray([each.least_fidelity for each in demands])
        self.owner = np.asarray([way.demand for way in ways])
        over = [graph.positions(path) for path, _, _ in segments]
        entries = [(i, w, s) for w, way in enumerate(ways) for s in way.segments for i in over[s]]
        self.link, self.way, self.segment = np.asarray(entries).T
        self.flows: Any = None

    def require_fidelities(self, fidelities: np.ndarray) -> None:
        """Raise unless some way is good enough for each demand."""
        for place, each in enumerate(self.demands):
            own = np.flatnonzero(self.owner == place)
            best = own[np.argmax(fidelities[own])]
            if fidelities[best] < each.least_fidelity:
                way = self.ways[best]
                path = " - ".join(map(str, way.path))
                raise ValueError(
                    f"Demand {place}: {each.title} ask for a fidelity of {each.least_fidelity}, but the best that any "
                    f"of their paths allows is {fidelities[best]:.6g} ({path}, {way.rounds} rounds of distillation): "
                    "ask for less, allow more rounds or paths, or improve links."
                )

    def solved(self, rates: Any, fidelities: Any) -> tuple[Routes, Optimum, np.ndarray]:
        """Return the optimum for known numbers, and which ways can be used."""
        makes, good = np.asarray(rates, dtype=float), np.asarray(fidelities) >= self.least[self.owner]
        alive = np.isfinite(makes) & (makes > 0)
        good[self.way[~alive[self.segment]]] = False
        on = np.flatnonzero(good)
        column = np.cumsum(good) - 1
        kept = good[self.way]
        use = sparse.csr_array(
            (1 / makes[self.segment[kept]], (self.link[kept], column[self.way[kept]])),
            shape=(len(self.pairs), len(on)),
        )
        routes = Routes(
            use=use,
            owner=self.owner[on],
            capacities=np.ones(len(self.pairs)),
            weights=self.weights,
            wanted=self.wanted,
        )
        return routes, self._optimum(routes), on

    def _optimum(self, routes: Routes) -> Optimum:
        """Return the optimum; nothing where there is no way."""
        if len(routes.owner):
            return optimum(routes, self.fairness)
        nothing, welfare = np.zeros(len(self.weights)), -np.inf if self.fairness is Fairness.PROPORTIONAL else 0.0
        return Optimum(np.zeros(0), nothing, np.zeros(len(self.pairs)), nothing, welfare, welfare)

    def numbers(self, rates: Any, fidelities: Any) -> tuple[np.ndarray, ...]:
        """Return all numbers of an optimum, with one entry for each way, and derivatives of the rates."""
        routes, best, on = self.solved(rates, fidelities)
        by_capacity, cost = rate_moves(routes, best, self.fairness) if len(on) else (_none(self, 0), _none(self, 1))
        flows, by_cost = np.zeros(len(self.ways)), np.zeros((len(self.weights), len(self.ways)))
        flows[on], by_cost[:, on] = best.flows, cost
        loads = routes.serves @ (sparse.diags_array(best.flows) @ routes.use.T) if len(on) else None
        load = np.zeros((len(self.weights), len(self.pairs))) if loads is None else loads.toarray()
        found = best.welfare, best.rates, best.prices, load, best.values, best.dual, flows, by_capacity, by_cost
        return tuple(np.asarray(each, dtype=float) for each in found)

    def shared(self, rates: Any, fidelities: Any, known: bool) -> Share:
        """Return the shares; to first order, as the rates of segments move."""
        size, links, ways = len(self.weights), len(self.pairs), len(self.ways)
        if known:
            solved: Any = self.numbers(rates, fidelities)
        else:
            shapes = [(), (size,), (links,), (size, links), (size,), (), (ways,), (size, links), (size, ways)]
            kinds = tuple(jax.ShapeDtypeStruct(shape, np.float64) for shape in shapes)
            held = jax.lax.stop_gradient((jnp.asarray(rates), jnp.asarray(fidelities)))
            solved = jax.pure_callback(self.numbers, kinds, *held, vmap_method="sequential")
        welfare, gets, prices, loads, values, dual, self.flows, by_capacity, by_cost = solved
        if not known:
            moved = self._moved(rates)
            per_link = jnp.zeros(links).at[self.link].add(-self.flows[self.way] * moved)
            per_way = jnp.zeros(ways).at[self.way].add(prices[self.link] * moved)
            welfare = welfare + prices @ per_link
            gets = gets + by_capacity @ per_link + by_cost @ per_way
        return Share(
            welfare=welfare,
            rates=gets,
            link_prices=prices,
            link_loads=loads,
            capacities=cast(Array, np.ones(links)),
            demand_values=values,
            dual=dual,
            demands=self.demands,
            links=self.pairs,
            fairness=self.fairness,
            **self._in_use(rates, fidelities, known),
        )

    def _moved(self, rates: Any) -> Array:
        """Return by how much more time each entry takes: zero, with a derivative where the way is alive."""
        alive = rates > 0
        time = jnp.where(alive, 1 / jnp.where(alive, rates, 1.0), 0.0)
        return (time - jax.lax.stop_gradient(time))[self.segment]

    def _in_use(self, rates: Any, fidelities: Any, known: bool) -> dict[str, Any]:
        """Return paths and kinks, of known numbers."""
        if not known:
            return {"path_rates": jnp.zeros(0)}
        routes, best, on = self.solved(rates, fidelities)
        busy = [i for i in range(len(on)) if best.flows[i] > 1e-9 * best.rates[routes.owner[i]]]
        ways = [self.ways[on[i]] for i in busy]
        return {
            "path_rates": best.flows[busy],
            "paths": tuple((way.demand, way.path) for way in ways),
            "kinks": tuple(self.pairs[i] for i in kinks(routes, self.fairness)) if len(on) else (),
        }


def _none(plan: _Plan, which: int) -> np.ndarray:
    """Return derivatives of nothing: by links, or by no way."""
    return np.zeros((len(plan.weights), 0 if which else len(plan.pairs)))
