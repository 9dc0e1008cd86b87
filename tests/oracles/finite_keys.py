"""Finite keys from whole numbers: hypergeometric sums, bounds by trying, sessions; NumPy and SciPy only."""

import numpy as np
from scipy.special import gammaln
from scipy.stats import binom


def h(x):
    return float(-x * np.log2(x) - (1 - x) * np.log2(1 - x)) if 0 < x < 1 else 0.0


def log_choose(n, k):
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def log_tail(j, k, n, total):
    """log P(at most j of k compared bits are wrong | `total` of n + k are), term by term."""
    x = np.arange(j + 1.0)
    x = x[total - x <= n]
    terms = log_choose(k, x) + log_choose(n, total - x) - log_choose(n + k, total)
    return terms.max() + np.log(np.exp(terms - terms.max()).sum())


def largest_rate(j, k, n, log_failure):
    low, high = j * (n + k) / k, j + n
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if log_tail(j, k, n, middle) > log_failure else (low, middle)
    return (high - j) / n


def serfling_rate(j, k, n, secrecy):
    return j / k + np.sqrt((n + k) / (n * k) * (k + 1) / k * np.log(4 / secrecy))


def throughput(j, k, n, phase_error, error_rate, secrecy, correctness):
    """(1 - p_abort) l / M of a session."""
    key = n * (1 - h(min(phase_error, 0.5))) - 1.1 * n * h(j / k) - np.log2(2 / (secrecy**2 * correctness))
    return binom.cdf(j, k, error_rate) * key / (np.sqrt(n) + np.sqrt(k)) ** 2
