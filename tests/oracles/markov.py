"""Chains of a few links with age cut-offs as a Markov chain, attempt by attempt. NumPy only.

A tree is a link number or (left, right, cutoff), cutoff None = never. The state of the chain says, for every pair that
is there, how long it has waited and how many steps of decay it carries.
"""

import numpy as np

TRYING = "trying"


def start(tree):
    """State of a fresh start."""
    return TRYING if isinstance(tree, int) else (start(tree[0]), start(tree[1]))


def ready(state):
    return isinstance(state, tuple) and state[0] == "ready"


def advance(tree, state, p, a):
    """Return [(chance, next state)] one attempt later; ("ready", 0, n) = delivered with n steps of decay.

    Links succeed with chance p[link]; swaps succeed with chance a, at once; a failed swap or a cut-off starts both sides
    anew; each step in which a pair waits adds one step of decay.
    """
    if isinstance(tree, int):
        return [(p[tree], ("ready", 0, 0)), (1 - p[tree], TRYING)]
    ways = [(1.0, ())]
    for child, own in zip(tree[:2], state, strict=True):
        moves = [(1.0, ("ready", own[1] + 1, own[2] + 1))] if ready(own) else advance(child, own, p, a)
        ways = [(chance * c, (*before, after)) for chance, before in ways for c, after in moves]
    found = []
    for chance, pair in ways:
        ages = [own[1] for own in pair if ready(own)]
        if len(ages) == 2:
            found.append((chance * a, ("ready", 0, pair[0][2] + pair[1][2])))
            found.append((chance * (1 - a), start(tree)))
        elif ages and tree[2] is not None and ages[0] >= tree[2]:
            found.append((chance, start(tree)))
        else:
            found.append((chance, pair))
    return found


def moments(tree, p, a, decay, tolerance=1e-17):
    """Return the mean time to delivery and the mean of decay^n."""
    now, mean, quality, time = {start(tree): 1.0}, 0.0, 0.0, 0
    while sum(now.values()) > tolerance:
        time, after = time + 1, {}
        for state, chance in now.items():
            for c, following in advance(tree, state, p, a):
                if ready(following):
                    mean += chance * c * time
                    quality += chance * c * decay ** following[2]
                else:
                    after[following] = after.get(following, 0.0) + chance * c
        now = after
    return mean, quality


def dense(mean, quality, num_links, werner):
    """Return mean time and the state matrix of a Werner chain: fidelity 1/4 + 3/4 w^n quality."""
    weight = werner**num_links * quality
    phi = np.array([1, 0, 0, 1]) / np.sqrt(2)
    return mean, weight * np.outer(phi, phi) + (1 - weight) * np.eye(4) / 4
