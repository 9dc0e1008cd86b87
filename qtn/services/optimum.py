"""Who gets what on given routes: the best rates, and the prices of what they use."""

import dataclasses
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from qtn.services.demands import Fairness
from qtn.services.interior import proportional

TIGHT = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}


@dataclasses.dataclass(frozen=True)
class Routes:
    """Ways to serve demands, each of which takes something of some links; all numbers are known."""

    use: sparse.csr_array
    """(links, routes), what of a link one unit of a route takes."""
    owner: np.ndarray
    """(routes,), which demand it serves."""
    capacities: np.ndarray
    """(links,), what there is."""
    weights: np.ndarray
    """(demands,)."""
    wanted: np.ndarray
    """(demands,), inf = as much as there is."""

    @property
    def serves(self) -> sparse.csr_array:
        """Return (demands, routes), 1 where a route serves a demand."""
        count = len(self.owner)
        return sparse.csr_array((np.ones(count), (self.owner, np.arange(count))), shape=(len(self.weights), count))


@dataclasses.dataclass(frozen=True)
class Optimum:
    """The best flows and the prices."""

    flows: np.ndarray
    """(routes,)."""
    rates: np.ndarray
    """(demands,)."""
    prices: np.ndarray
    """(links,), by how much welfare grows with the capacity."""
    values: np.ndarray
    """(demands,), by how much welfare would grow if a demand got a unit for nothing."""
    welfare: float
    dual: float
    """The bound on welfare that the prices prove; equal to it."""


def optimum(routes: Routes, fairness: Fairness) -> Optimum:
    """Return the best flows on given routes."""
    return {
        Fairness.MAX_MIN: max_min,
        Fairness.TOTAL: total,
        Fairness.PROPORTIONAL: proportionally,
    }[fairness](routes)


def max_min(routes: Routes) -> Optimum:
    """Maximise the common rate over weight; who wants less gets what it wants, and no more."""
    scale, inverse, use, serves = _parts(routes)
    wanted = routes.wanted / scale
    enough = np.zeros(len(wanted), dtype=bool)
    while True:
        column = np.where(enough, 0.0, -routes.weights)
        left: Any = sparse.vstack([use, -serves])
        right = np.concatenate([np.zeros(len(inverse)), -column])[:, None]
        most = np.concatenate([routes.capacities * inverse, -np.where(enough, wanted, 0.0)])
        found = _solved(
            np.append(np.zeros(len(routes.owner)), -1.0), sparse.hstack([left, sparse.csr_array(right)]), most
        )
        level = max(float(found.x[-1]), 0.0)
        more = ~enough & (wanted <= level * routes.weights)
        enough = enough | more
        if not more.any() or enough.all():
            break
    rates = np.where(enough, np.where(enough, wanted, 0.0), level * routes.weights)
    prices, values = np.split(-found.ineqlin.marginals, [len(inverse)])
    dual = float(prices @ (routes.capacities * inverse))
    if enough.all():  # nothing is scarce
        level = dual = float(np.min(rates / routes.weights))
        prices, values = np.zeros_like(prices), np.zeros_like(values)
    dual -= float(values[enough] @ wanted[enough])
    got = serves @ found.x[:-1]
    flows = found.x[:-1] * np.where(got > 0, rates / np.where(got > 0, got, 1.0), 0.0)[routes.owner]
    return Optimum(flows * scale, rates * scale, prices * inverse * scale, values, level * scale, dual * scale)


def total(routes: Routes) -> Optimum:
    """Maximise the sum of weight x rate."""
    scale, inverse, use, serves = _parts(routes)
    limited = np.isfinite(routes.wanted)
    most = np.concatenate([routes.capacities * inverse, routes.wanted[limited] / scale])
    found = _solved(-routes.weights[routes.owner], sparse.vstack([use, serves[limited]]), most)
    duals = -found.ineqlin.marginals
    values = routes.weights.copy()
    values[limited] -= duals[len(inverse) :]
    rates = serves @ found.x
    return Optimum(
        flows=found.x * scale,
        rates=rates * scale,
        prices=duals[: len(inverse)] * inverse * scale,
        values=values,
        welfare=float(routes.weights @ rates) * scale,
        dual=float(duals @ most) * scale,
    )


def proportionally(routes: Routes) -> Optimum:
    """Maximise the sum of weight x log(rate); -inf where somebody gets nothing."""
    best = _alone(routes)
    serves, live = routes.serves, np.flatnonzero(best > 0)
    served = np.asarray(serves[:, live].sum(axis=1)).ravel() > 0
    flows = np.zeros(len(routes.owner))
    prices, values = np.zeros(len(routes.capacities)), np.where(served, 0.0, np.inf)
    if not served.any():
        return Optimum(flows, serves @ flows, prices, values, -np.inf, -np.inf)
    limited = served & np.isfinite(routes.wanted)
    taken = np.asarray(routes.use[:, live].sum(axis=1)).ravel() > 0
    unit = np.zeros(len(routes.weights))  # rates of each demand are counted in what it would get alone
    np.maximum.at(unit, routes.owner, best)
    inverse, columns = 1 / routes.capacities[taken], unit[routes.owner[live]]
    use: Any = (routes.use[taken][:, live] * inverse[:, None]) * columns[None, :]
    rows: Any = sparse.vstack([serves[limited][:, live], sparse.csr_array(use)]).tocsr()
    most = np.concatenate([routes.wanted[limited] / unit[limited], np.ones(len(inverse))])
    heavy, some = routes.weights[served].sum(), int(limited.sum())
    given = serves[served][:, live].tocsr(), most, routes.weights[served] / heavy
    x, duals = proportional(rows, *given, disjoint=some)
    flows[live] = x * columns
    rates = serves @ flows
    prices[taken] = duals[some:] * inverse * heavy
    values[served] = routes.weights[served] / rates[served]
    values[limited] -= duals[:some] * heavy / unit[limited]
    if not served.all():
        return Optimum(flows, rates, prices, values, -np.inf, -np.inf)
    welfare = float(routes.weights @ np.log(rates))
    return Optimum(flows, rates, prices, values, welfare, welfare + heavy * (float(duals @ most) - 1))


def _alone(routes: Routes) -> np.ndarray:
    """Return (routes,), the rate of each if it had all links for itself."""
    use = routes.use.tocoo()
    found = np.full(len(routes.owner), np.inf)
    np.minimum.at(found, use.coords[1], routes.capacities[use.coords[0]] / use.data)
    return found


def _parts(routes: Routes) -> tuple[float, np.ndarray, sparse.csr_array, sparse.csr_array]:
    """Return a unit of rates, a factor for each link, what routes take in these units, and which demand they serve."""
    alone = _alone(routes)
    scale = float(np.median(alone[alone > 0])) if (alone > 0).any() else 1.0
    largest = float(routes.capacities.max())
    floor = largest if largest > 0 else 1.0
    inverse = 1 / np.where(routes.capacities > 0, routes.capacities, floor)
    return scale, inverse, sparse.csr_array(routes.use * (inverse * scale)[:, None]), routes.serves


def _solved(cost: np.ndarray, rows: Any, most: np.ndarray) -> Any:
    """Solve a linear program with HiGHS: least cost x, rows x <= most, x >= 0."""
    found = linprog(cost, A_ub=sparse.csr_array(rows), b_ub=most, bounds=(0, None), method="highs", options=TIGHT)
    if found.status != 0:
        raise ValueError(f"The rates could not be shared: {found.message}")
    return found
