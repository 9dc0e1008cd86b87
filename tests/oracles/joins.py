"""Joins of two pairs by sums over all pairs of arrival times; NumPy only, knows nothing of the library.

Arrivals are arrays (k, n): unnormalised state vectors at the times 0, 1, .. n - 1 that decay in components.
"""

import numpy as np


class Sums:
    """Collects what an attempt delivers and when it fails."""

    def __init__(self, k, n):
        self.success, self.failure = np.zeros((k, n)), np.zeros(n)

    def join(self, step_map, first, second, time):
        out = np.einsum("cab,a,b->c", step_map, first, second)
        if time < self.failure.size:
            self.success[:, time] += out
            self.failure[time] += first[0] * second[0] - out[0]

    def fail(self, mass, time):
        """Spread over the neighbours of a real time."""
        low = int(np.floor(time))
        for at, share in ((low, 1 - (time - low)), (low + 1, time - low)):
            if 0 <= at < self.failure.size:
                self.failure[at] += mass * share


def waited(vector, rates, age):
    return vector * np.exp(-rates * age)


def join_soft(x, y, step_map, rates, survive, mean_age):
    """A pair may be discarded at any age: survive(a) is its chance, mean_age(a) when it goes within (a - 1, a]."""
    k, n = x.shape
    sums = Sums(k, n)
    for s in range(n):
        for t in range(n):
            first, second, age = x[:, s], y[:, t], abs(s - t)
            a, b = (first, waited(second, rates[1], age)) if s > t else (waited(first, rates[0], age), second)
            left = np.sqrt(survive(age))
            sums.join(step_map, a * left, b * left, max(s, t))
            for older in range(1, age + 1):
                gone = survive(older - 1) - survive(older)
                sums.fail(first[0] * second[0] * gone, min(s, t) + mean_age(older))
    return sums


def join_faithful(x, y, step_map, rates, rows, minimum):
    """Discard a pair below a fidelity; ages are whole."""
    k, n = x.shape

    def good(pair, which, age):
        state = waited(pair / pair[0], rates[which], age)
        return rows[which] @ state >= minimum

    def lasts(pair, which):
        age = 0
        while age <= n and good(pair, which, age + 1):
            age += 1
        return age

    sums = Sums(k, n)
    for s in range(n):
        for t in range(n):
            first, second = x[:, s], y[:, t]
            if first[0] == 0 or second[0] == 0:
                continue
            mass, age = first[0] * second[0], abs(s - t)
            early, late = ((first, 0), (second, 1)) if s <= t else ((second, 1), (first, 0))
            if not good(*early, 0) or (s == t and not good(*late, 0)):
                sums.fail(mass, min(s, t))
            elif age > lasts(*early):
                sums.fail(mass, min(s, t) + lasts(*early))
            elif not good(*late, 0):
                sums.fail(mass, max(s, t))
            else:
                a, b = (first, waited(second, rates[1], age)) if s > t else (waited(first, rates[0], age), second)
                sums.join(step_map, a, b, max(s, t))
    return sums


def pump(x, y, step_map, rates, survive, fail_ages):
    """The second pair is started when the first is there; fail_ages(u): [(chance, age)] if it takes u steps."""
    k, n = x.shape
    sums = Sums(k, n)
    for s in range(n):
        for u in range(n):
            left = survive(u)
            sums.join(step_map, waited(x[:, s], rates, u) * left, y[:, u], s + u)
            for chance, age in fail_ages(u):
                sums.fail(x[0, s] * y[0, u] * chance, s + age)
    return sums


def within(sums, limit):
    """Give up an attempt that has not ended at a whole limit."""
    ended = (sums.success[0] + sums.failure)[: limit + 1].sum()
    sums.success[:, limit + 1 :] = 0
    sums.failure[limit + 1 :] = 0
    sums.failure[limit] += 1 - ended
    return sums
