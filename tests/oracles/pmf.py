"""The published algorithm for nested swaps: waiting-time distribution and Werner parameter by sums and FFT. NumPy only.

Written from the equations of Brand, Coopmans, Elkouss (arXiv:1912.07688) and Li, Coopmans, Elkouss (arXiv:2005.04946):
the joint distribution of two arrival times is summed over the earlier one, and attempts are compounded by a Fourier
transform of a geometric series. All links of a level are alike, so a level costs one join.
"""

import numpy as np


def links(p, werner, num_steps):
    """Distribution (t,) of a link, T = 1, 2, ..., and its Werner parameter at each time."""
    times = np.arange(num_steps)
    mass = np.where(times > 0, p * (1 - p) ** np.maximum(times - 1, 0), 0.0)
    return mass, np.full(num_steps, werner)


def swapped(mass, werner, p_swap, coherence):
    """One attempt of a swap of two such segments: (success, success x Werner parameter, failure), each (t,).

    The earlier pair waits for the later one and loses exp(-wait / coherence).
    """
    num_steps = len(mass)
    fade = np.exp(-np.arange(num_steps) / coherence)[::-1]
    weighted = mass * werner
    both, good = np.zeros(num_steps), np.zeros(num_steps)
    for t in range(num_steps):
        earlier = mass[:t].sum()
        both[t] = mass[t] * (2 * earlier + mass[t])
        waited = weighted[:t] @ fade[num_steps - 1 - t : num_steps - 1]
        good[t] = weighted[t] * (2 * waited + weighted[t])
    return p_swap * both, p_swap * good, (1 - p_swap) * both


def compounded(success, weighted, failure):
    """Repeat attempts until one succeeds: (distribution (t,), Werner parameter at each time)."""
    num_steps = len(success)
    size = 2 * num_steps
    repeats = 1 / (1 - np.fft.rfft(failure, size))
    mass = np.fft.irfft(np.fft.rfft(success, size) * repeats, size)[:num_steps]
    good = np.fft.irfft(np.fft.rfft(weighted, size) * repeats, size)[:num_steps]
    return mass, np.divide(good, mass, out=np.zeros(num_steps), where=mass > 1e-30)


def nested(levels, p, werner, p_swap, coherence, num_steps):
    """Distribution (t,) and Werner parameter (t,) of 2^levels links that are swapped in pairs."""
    mass, kept = links(p, werner, num_steps)
    for _ in range(levels):
        mass, kept = compounded(*swapped(mass, kept, p_swap, coherence))
    return mass, kept
