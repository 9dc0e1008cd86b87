"""Shares of a network by flows over directed arcs, one commodity a demand; knows no paths."""

import numpy as np
from scipy.optimize import linprog


def shared(rates, demands, weights, fairness):
    """Return the best welfare and the prices of the links: max_min or total, without limits of what is wanted."""
    links = list(rates)
    names = sorted({name for link in links for name in link})
    place = {name: i for i, name in enumerate(names)}
    arcs = [(a, b, i) for i, (a, b) in enumerate(links)] + [(b, a, i) for i, (a, b) in enumerate(links)]
    num_arcs, num_demands = len(arcs), len(demands)
    size = num_arcs * num_demands + num_demands + 1  # flows, rates, the common rate
    equal, upper, limits = [], [], []
    for d, (source, sink) in enumerate(demands):
        for name in names:
            row = np.zeros(size)
            for j, (a, b, _) in enumerate(arcs):
                row[d * num_arcs + j] += (a == name) - (b == name)
            row[num_arcs * num_demands + d] = (name == sink) - (name == source)
            equal.append(row)
        row = np.zeros(size)
        row[-1], row[num_arcs * num_demands + d] = weights[d], -1
        upper.append(row)
        limits.append(0.0)
    for i, link in enumerate(links):
        row = np.zeros(size)
        for d in range(num_demands):
            for j, arc in enumerate(arcs):
                row[d * num_arcs + j] = arc[2] == i
        upper.append(row)
        limits.append(rates[link])
    cost = np.zeros(size)
    if fairness == "max_min":
        cost[-1] = -1
    else:
        cost[num_arcs * num_demands : -1] = -np.asarray(weights)
    assert place
    found = linprog(cost, A_ub=np.array(upper), b_ub=limits, A_eq=np.array(equal), b_eq=np.zeros(len(equal)))
    return -found.fun, dict(zip(links, -found.ineqlin.marginals[num_demands:], strict=True))
