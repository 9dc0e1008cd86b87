"""Size, probe time and rounds of distillation together: the first two by gradient, as real numbers, for each round.

One clock holds a half of every pair and joins them by telegates (`qtn.sensing.fused_fisher`); K - 1 equal sources work
at once, so the waiting time is that of the slowest, mean time x H_(K-1). Both are smooth in K.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import digamma
from scipy.optimize import minimize

from qtn import DEJMPS, Renewal, abstract_link, chain, distill, elementary
from qtn.hardware.memory import dephasing_memory
from qtn.hardware.node import node
from qtn.sensing import fused_fisher

GAMMA = 0.5
"""Dephasing of a probe [1/s]."""
LASERS = (0.1, 1.0)
"""Longest probe that the laser of all clocks allows [s]."""
ATTEMPT, P_SUCCESS = 1e-3, 0.3
T2 = 2.0
PAIR = (0.94, 0.02, 0.02, 0.02)
ROUNDS = (0, 1, 2, 3, 4)


def delivered(rounds: int) -> tuple[np.ndarray, float]:
    """Return Bell weights and mean time [s] of a pair after rounds of recurrence."""
    link = abstract_link(p_success=P_SUCCESS, attempt_time=ATTEMPT, bell_diagonal=list(PAIR))
    line = chain(link, num_links=1, nodes=node(memory=dephasing_memory(T2)))
    tree = elementary(0)
    for _ in range(rounds):
        tree = distill(tree, tree, protocol=DEJMPS)
    found = Renewal().summarise(line, tree)
    return np.asarray(found.bell_diagonal), float(found.mean_time)


def log_gain(log: Any, weights: Any, mean_time: float, longest: float) -> Any:
    """Return twice the logarithm of the gain over K clocks apart that never wait, of log (K - 1) and log T."""
    apart = jnp.log(jnp.exp(log[0]) + 1) + math.log(longest) - 2 * GAMMA * longest
    return log_information(log, weights, mean_time) - apart


def log_information(log: Any, weights: Any, mean_time: float) -> Any:
    """Return the logarithm of the information in every second, of log (K - 1) and log T."""
    others, probe = jnp.exp(log[0]), jnp.exp(log[1])
    i, x, y, z = weights
    right, wrong = (i - z) ** 2 / (i + z), jnp.where(x + y > 0, (x - y) ** 2 / (x + y), 0.0)
    both, tilt = right + wrong, (right - wrong) / (right + wrong)
    fisher = both**others * (1 + 2 * others * tilt + others + others * (others - 1) * tilt**2)
    waiting = mean_time * (digamma(others + 1) + np.euler_gamma)
    kept = -2 * (others + 1) * GAMMA * probe
    return 2 * jnp.log(probe) + jnp.log(fisher) + kept - jnp.log(probe + waiting)


def row(rounds: int, longest: float) -> dict[str, Any]:
    """Return the best real size and probe time by gradient, and the best whole size next to it.

    Clocks apart use the longest probe of the laser, which is shorter than their own best, 1 / (2 gamma), here.
    """
    weights, mean_time = delivered(rounds)
    slopes = jax.jit(jax.value_and_grad(lambda log: -log_gain(log, weights, mean_time, longest)))
    limits = [(0.0, math.log(1000.0)), (math.log(1e-4), math.log(longest))]
    found = minimize(lambda log: tuple(map(np.asarray, slopes(log))), [1.0, -4.0], jac=True, bounds=limits, tol=1e-14)
    real = math.exp(found.x[0])

    def whole(others: int) -> tuple[float, float]:
        size = math.log(others)
        fun = lambda t: -float(log_gain([size, t[0]], weights, mean_time, longest))  # noqa: E731
        line = minimize(fun, [found.x[1]], bounds=limits[1:])
        return -float(line.fun), math.exp(line.x[0])

    others = max({max(1, math.floor(real)), math.ceil(real)}, key=lambda count: whole(count)[0])
    value, probe = whole(others)
    waiting = mean_time * sum(1 / k for k in range(1, others + 1))
    fisher = float(fused_fisher([list(weights)] * others)) * math.exp(-2 * (others + 1) * GAMMA * probe)
    information = fisher * probe**2 / (probe + waiting)
    assert math.isclose(
        math.log(information),
        float(log_information([math.log(others), math.log(probe)], weights, mean_time)),
        rel_tol=1e-9,
    )
    return {
        "longest_probe_s": longest,
        "rounds": rounds,
        "pair_fidelity": float(weights[0]),
        "pair_time_s": mean_time,
        "size_by_gradient": 1 + real,
        "size": 1 + others,
        "probe_s": probe,
        "waiting_s": waiting,
        "information_s": information,
        "gain": math.exp(value / 2),
        "uncertainty_hz": 1 / (2 * math.pi * math.sqrt(information)),
        "gradients": int(found.nfev),
    }


def rows() -> dict[str, Any]:
    """Return the best design for each number of rounds, and the best of all, for each laser."""
    found = [row(rounds, longest) for longest in LASERS for rounds in ROUNDS]
    best = [max((each for each in found if each["longest_probe_s"] == t), key=lambda x: x["gain"]) for t in LASERS]
    return {"rows": found, "best": best}
