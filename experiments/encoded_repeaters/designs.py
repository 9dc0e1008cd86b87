"""Costs of one-way chains for whole tables of codes at once, and the best of each table.

    cost = N L_att / (rate tau_ph L)

stations by attenuation length, for each key by emission time (Borregaard et al., Phys. Rev. X 10, 021071 (2020)). N is
the number of stations that measure; between them repeater graph states have sources, which are not counted.
"""

from collections.abc import Callable

import numpy as np

from qtn import codes
from qtn.codes.graph_state import end_time, graph_time
from qtn.codes.parity import parity_success, parity_time
from qtn.codes.tree import indirect, photons_of, tree_time

ATTENUATION_KM, EMISSION_S, GATE_S, EFFICIENCY = 20.0, 1e-9, 1e-7, 0.95
MOST_PHOTONS, MOST_STATIONS = 300, 1500

Score = Callable[[np.ndarray], np.ndarray]


def six_state(kept: np.ndarray) -> np.ndarray:
    """Return the six-state fraction of Werner pairs that keep X, Y and Z with a mean sign."""
    right = (1 + 3 * kept) / 4
    wrong = (1 - right) / 3
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 + right * np.log2(right) + 3 * np.where(wrong > 0, wrong * np.log2(wrong), 0.0)


def added_up(error: float, stations: np.ndarray) -> np.ndarray:
    """Return the mean sign if errors add up as the papers say: one of three with 1 - (1 - error)^N."""
    return 1 - 4 / 3 * (1 - (1 - error) ** stations)


def multiplied(error: float, stations: np.ndarray) -> np.ndarray:
    """Return the mean sign of Pauli channels one after the other."""
    return (1 - 4 / 3 * error) ** stations


def arrives(length_km: float, spacings: np.ndarray) -> np.ndarray:
    """Return the probability that a photon passes one spacing and the devices."""
    return EFFICIENCY * np.exp(-length_km / spacings / ATTENUATION_KM)


def costs(length_km: float, stations: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Return the costs; infinite where there is no key."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.where(rate > 0, stations * ATTENUATION_KM / (rate * EMISSION_S * length_km), np.inf)


def tree_rates(rows: np.ndarray, length_km: float, error: float, rule: codes.Choice, kept=multiplied) -> np.ndarray:
    """Return key by time of trees (b0, b1, b2, stations)."""
    *branching, stations = rows.T.astype(float)
    success = codes.tree_success(branching, 1 - arrives(length_km, stations), rule)
    return success**stations * six_state(kept(error, stations)) / tree_time(branching, EMISSION_S, GATE_S)


def parity_rates(rows: np.ndarray, length_km: float, error: float) -> np.ndarray:
    """Return key by time of parity codes (n, m, stations)."""
    n, m, stations = rows.T.astype(float)
    success = parity_success(n, m, 1 - arrives(length_km, stations))
    return success**stations * six_state(multiplied(error, stations)) / parity_time(n, m, EMISSION_S, GATE_S)


def plain_rates(rows: np.ndarray, length_km: float, error: float) -> np.ndarray:
    """Return key by time of single photons without a code (stations)."""
    stations = rows[:, -1].astype(float)
    return arrives(length_km, stations) ** stations * six_state(multiplied(error, stations)) / EMISSION_S


def graph_rates(rows: np.ndarray, length_km: float, error: float) -> np.ndarray:
    """Return key by time of repeater graph states (arms, b0, b1, stations that measure)."""
    arms, b0, b1, stations = rows.T.astype(float)
    eta = arrives(length_km, 2 * stations)
    found = indirect([b0, b1], 1 - eta)
    p_x, p_z = found[0], (eta + (1 - eta) * found[1]) ** b0
    connect = (1 - (1 - eta**2 / 2) ** arms) ** stations
    success = connect * (p_x**2 * p_z ** (2 * arms - 2)) ** (stations - 1)
    made = graph_time(arms, [b0, b1], EMISSION_S, GATE_S), end_time(arms, EMISSION_S, GATE_S)
    time = np.where(stations > 1, *made)
    return success * six_state(multiplied(error, stations - 1)) / time


def best(rates: Callable[[np.ndarray], np.ndarray], length_km: float, table: np.ndarray, stations=None) -> codes.Found:
    """Return the entry of least cost; its score is minus the cost."""
    numbers = range(1, MOST_STATIONS + 1) if stations is None else stations
    return codes.best_of_table(lambda rows: -costs(length_km, rows[:, -1], rates(rows)), table, numbers)


def trees() -> np.ndarray:
    """Return all trees of three levels with at least two children everywhere."""
    return codes.branchings(3, MOST_PHOTONS)


def parity_codes() -> np.ndarray:
    """Return all parity codes (n, m) that undo a loss."""
    return np.array([(n, m) for n in range(2, 151) for m in range(2, 151) if n * m <= MOST_PHOTONS])


def graph_states(most_photons: int) -> np.ndarray:
    """Return repeater graph states (arms, b0, b1), their inner photons in trees of two levels."""
    inner = [tuple(row) for row in codes.branchings(2, most_photons // 4).tolist()]
    sizes = [(arms, *tree) for tree in inner for arms in range(1, most_photons // 2)]
    return np.array([size for size in sizes if 2 * size[0] * (1 + photons_of(size[1:])) <= most_photons])
