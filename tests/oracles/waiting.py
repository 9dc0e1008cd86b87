"""Closed forms and brute-force sums for waiting times. NumPy only."""

import itertools
from math import comb

import numpy as np


def mean_of_slowest(n, p):
    """Mean of the largest of n geometric variables."""
    q = 1 - p
    return sum((-1) ** (k + 1) * comb(n, k) / (1 - q**k) for k in range(1, n + 1))


def two_links(p, a):
    """Mean time of two links and a swap of success probability a."""
    return (3 - 2 * p) / (a * p * (2 - p))


def two_links_cutoff(p, a, tau, z):
    """(mean time, E[z^|T1 - T2| | success]) when both links are discarded at min + tau."""
    q = 1 - p
    success = 1 - 2 * q ** (tau + 1) / (2 - p)
    k = np.arange(tau + 1)
    mean = (1 / (p * (2 - p)) + 2 * p / (2 - p) * np.sum(k * q**k) + (1 - success) * tau) / (a * success)
    kept = p / (2 - p) * (1 + 2 * q * z * (1 - (q * z) ** tau) / (1 - q * z)) / success
    return mean, kept


def join_by_sums(x, y, success, rates, cutoffs):
    """One attempt by a double sum over arrival times.

    x, y: (t, k) delivered; success(first, second) -> (k,); rates: two (k,) per step; cutoffs: [(weight, whole)].
    Returns (t, k) successes and (t,) failures.
    """
    steps, size = x.shape
    good, bad = np.zeros((steps, size)), np.zeros(steps)
    for t1, t2 in itertools.product(range(steps), repeat=2):
        for weight, limit in cutoffs:
            end = max(t1, t2)
            if abs(t1 - t2) <= limit:
                out = success(x[t1] * np.exp(-rates[0] * (end - t1)), y[t2] * np.exp(-rates[1] * (end - t2)))
                good[end] += weight * out
                bad[end] += weight * (x[t1, 0] * y[t2, 0] - out[0])
            elif min(t1, t2) + limit < steps:
                bad[min(t1, t2) + limit] += weight * x[t1, 0] * y[t2, 0]
    return good, bad


def restart(good, bad):
    """Delivered distribution with restarts, by the renewal equation."""
    out = np.zeros_like(good)
    for t in range(len(good)):
        out[t] = good[t] + sum(bad[s] * out[t - s] for s in range(t + 1)) if bad[0] == 0 else np.nan
    return out
