"""Swap as soon as possible attempt by attempt, with failing swaps, cut-offs and carry-over. Python loops and NumPy only."""

import numpy as np


class Memories:
    """Pairs as [first node, last node, decay so far]; qubits as node -> birth time, None once measured."""

    def __init__(self, n, p, swap, cutoffs, together, kept, rate, rng):
        self.n, self.p, self.swap, self.cutoffs = n, p, swap, cutoffs
        self.together, self.kept, self.rate, self.rng = together, kept, rate, rng
        self.pairs = []

    def stores(self, node):
        return self.kept or node not in (0, self.n)

    def waiting(self, link):
        """Whether a link attempts: its memories are free, and under `together` it is part of no pair."""
        for first, last, births, _ in self.pairs:
            if self.together and first <= link < last:
                return False
            if (first == link and births[0] is not None) or (last == link + 1 and births[1] is not None):
                return False
        return True

    def step(self, now):
        """One attempt of every link that attempts, all swaps, delivery, cut-offs; returns ages summed, or None."""
        for link in [link for link in range(self.n) if self.waiting(link)]:
            if self.rng.random() < self.p[link]:
                births = [now if self.stores(link) else None, now if self.stores(link + 1) else None]
                self.pairs.append([link, link + 1, births, 0.0])
        for node in range(1, self.n):
            left = [pair for pair in self.pairs if pair[1] == node]
            right = [pair for pair in self.pairs if pair[0] == node]
            if left and right:
                a, b = left[0], right[0]
                self.pairs = [pair for pair in self.pairs if pair is not a and pair is not b]
                if self.rng.random() < self.swap[node]:
                    waited = self.rate[node] * (2 * now - a[2][1] - b[2][0])
                    self.pairs.append([a[0], b[1], [a[2][0], b[2][1]], a[3] + b[3] + waited])
        whole = [pair for pair in self.pairs if pair[:2] == [0, self.n]]
        if whole:
            births = whole[0][2]
            ends = sum(
                r * (now - t) for r, t in zip((self.rate[0], self.rate[-1]), births, strict=True) if t is not None
            )
            self.pairs = [] if self.together else [pair for pair in self.pairs if pair is not whole[0]]
            return np.exp(-whole[0][3] - ends)
        self.pairs = [pair for pair in self.pairs if not self.too_old(pair, now)]
        return None

    def too_old(self, pair, now):
        nodes = (pair[0], pair[1])
        return any(t is not None and now - t >= self.cutoffs[node] for node, t in zip(nodes, pair[2], strict=True))


def run(deliveries, skipped=0, seed=0, **options):
    """(intervals, coherences) of deliveries after the first `skipped`."""
    memories = Memories(rng=np.random.default_rng(seed), **options)
    found, now, last = [], 0, 0
    while len(found) < deliveries + skipped:
        now += 1
        coherence = memories.step(now)
        if coherence is not None:
            found.append((now - last, coherence))
            last = now
    return np.array(found[skipped:]).T
