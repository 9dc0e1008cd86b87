"""How the best rates move when links get better or routes take less: the conditions of the optimum, differentiated."""

import numpy as np

from qtn.services.demands import Fairness
from qtn.services.optimum import Optimum, Routes

SEEN = 1e-7
"""Part of the largest from which flows and prices count as there."""


def rate_moves(routes: Routes, best: Optimum, fairness: Fairness) -> tuple[np.ndarray, np.ndarray]:
    """Return derivatives of the rates: by the capacities, and by what routes cost at the prices.

    A change of what routes take, dU, changes the rates like the capacities -dU x and the costs dU' prices together.

    Returns:
        by_capacity: (demands, links).
        by_cost: (demands, routes).

    Note:
        Implicit derivative of the conditions of Karush, Kuhn and Tucker with the same links full and the same routes
        in use. Where several flows are best, the rates move as little as they can.
    """
    if fairness is Fairness.MAX_MIN:
        free = best.rates < routes.wanted
        by_capacity = np.where(free, routes.weights, 0.0)[:, None] * best.prices
        return by_capacity, np.zeros((len(routes.weights), len(routes.owner)))
    on = np.flatnonzero(best.flows > SEEN * best.rates[routes.owner])
    full, serves = _full(routes, best, fairness), routes.serves.toarray()[:, on]
    use, limited = routes.use.toarray()[full][:, on], _limited(routes, best)
    rows = np.concatenate([use, serves[limited]])
    rates = np.where(best.rates > 0, best.rates, 1.0)
    curved = routes.weights / rates**2 if fairness is Fairness.PROPORTIONAL else np.zeros(len(rates))
    size, unit = len(on), best.flows[on]
    matrix = np.zeros((size + len(rows),) * 2)
    matrix[:size, :size] = (serves.T * curved) @ serves
    matrix[:size, size:], matrix[size:, :size] = rows.T, rows
    left = np.concatenate([unit, np.ones(len(rows))])
    left[size:] = 1 / np.maximum(np.abs(rows * unit).max(axis=1, initial=0.0), 1e-300)
    inverse = np.linalg.pinv(left[:, None] * matrix * left, rcond=1e-11, hermitian=True)
    inverse = left[:, None] * inverse * left
    by_capacity = np.zeros((len(rates), len(routes.capacities)))
    by_capacity[:, full] = serves @ inverse[:size, size : size + len(full)]
    by_cost = np.zeros((len(rates), len(routes.owner)))
    by_cost[:, on] = -serves @ inverse[:size, :size]
    return by_capacity, by_cost


def _full(routes: Routes, best: Optimum, fairness: Fairness) -> np.ndarray:
    """Return the links that limit somebody."""
    if fairness is Fairness.TOTAL:
        left = routes.capacities - routes.use @ best.flows
        return np.flatnonzero(left <= SEEN * routes.capacities)
    worth = best.prices * routes.capacities
    return np.flatnonzero(worth > SEEN * worth.max(initial=1e-300))


def _limited(routes: Routes, best: Optimum) -> np.ndarray:
    """Return the demands that have what they want."""
    return np.flatnonzero(best.rates >= routes.wanted * (1 - SEEN))
