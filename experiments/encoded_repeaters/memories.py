"""The best chain of memories with the same detectors and the same error of an operation, for comparison."""

from typing import Any

import numpy as np
from designs import ATTENUATION_KM, EFFICIENCY, costs

import qtn

T2_S, INITIALISATION_S = 1.0, 1e-6
LINKS = [1 << level for level in range(9)]


def chain(
    length: Any,
    num_links: int,
    error: Any,
    *,
    memories: Any = 1.0,
    efficiency: Any = EFFICIENCY,
    attenuation_length: Any = 1e3 * ATTENUATION_KM,
    t2: Any = T2_S,
    initialisation: Any = INITIALISATION_S,
) -> qtn.Chain:
    """Return a chain of double-click links between memories, of equal lengths that sum up to `length` [m]."""
    each = length / num_links
    loss = 10 / np.log(10) * each / 2 / attenuation_length
    link = qtn.double_click(
        length_left=each / 2,
        length_right=each / 2,
        loss_left=loss,
        loss_right=loss,
        efficiency=efficiency,
        emission_time=initialisation,
    )
    gates = qtn.gates(two_qubit=1 - 16 / 15 * error)
    node = qtn.node(memory=qtn.dephasing_memory(t2), gate_set=gates)
    return qtn.chain(qtn.multiplexed_link(link, memories), node, num_links=num_links)


def key_rate(evaluator: qtn.Renewal, line: qtn.Chain) -> Any:
    """Return the secret key by time [bit/s] of nested swaps; negative where there is no key."""
    found = evaluator.summarise(line, schedule(line.num_links))
    return qtn.six_state_fraction(found.bell_diagonal) / found.mean_time


def schedule(num_links: int) -> qtn.Schedule:
    """Return swaps that double the distance."""
    return qtn.nested(num_links.bit_length() - 1)


def best(length_km: float, error: float, memories: float) -> dict[str, tuple[int, float]]:
    """Return the numbers of links, powers of two, of least cost and of best key, each with its key by time [bit/s]."""
    rates = {
        count: float(key_rate(qtn.Renewal(), chain(1e3 * length_km, count, error, memories=memories)))
        for count in LINKS
        if length_km / count < 200  # longer links pass one photon in 1e4
    }
    cost = {count: float(costs(length_km, np.array(count), np.array(rate))) for count, rate in rates.items()}
    least, most = min(cost, key=cost.__getitem__), max(rates, key=rates.__getitem__)
    return {"cost": (least, rates[least]), "key": (most, rates[most])}
