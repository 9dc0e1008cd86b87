"""The reported grid error bounds the true one: 100 random problems on grids that are much too coarse."""

import jax.numpy as jnp
import numpy as np
import pytest

from qtn import BBPSSW, DEJMPS, Renewal, abstract_link, chain, depolarising_memory, distill, elementary, node, swap
from qtn.evaluators.scales import time_scales

ATTEMPTS = {"equal": [1.0], "commensurate": [1.0, 0.75, 0.5], "staggered": [1.0, 0.83, 0.71]}


def random_schedule(rng, first, last, p_cutoff, scale):
    def cutoff():
        return float(scale * np.exp(rng.uniform(-1, 1.5))) if rng.random() < p_cutoff else None

    if first == last:
        tree = elementary(first)
    else:
        middle = int(rng.integers(first, last))
        parts = [(first, middle), (middle + 1, last)]
        left, right = (random_schedule(rng, first, last, p_cutoff, scale) for first, last in parts)
        tree = swap(left, right, cutoff_time=cutoff())
    if rng.random() < 0.25:
        tree = distill(tree, protocol=DEJMPS if rng.random() < 0.5 else BBPSSW, cutoff_time=cutoff())
    return tree


def random_problem(seed):
    rng = np.random.default_rng(seed)
    kind = ["equal", "commensurate", "staggered"][seed % 3]
    num_links = int(rng.integers(2, 5))
    p = np.exp(rng.uniform(np.log(0.3 if kind == "staggered" else 0.02), np.log(0.9), num_links))
    scale = 1 / p.min()
    links = [abstract_link(p_success=q, attempt_time=rng.choice(ATTEMPTS[kind]), werner=rng.uniform(0.8, 1)) for q in p]
    nodes = [
        node(depolarising_memory(scale * rng.uniform(5, 100)), p_swap=rng.uniform(0.5, 1)) for _ in range(num_links + 1)
    ]
    return chain(links, nodes), random_schedule(rng, 0, num_links - 1, rng.choice([0.0, 0.6]), scale)


@pytest.mark.parametrize("block", [0, *(pytest.param(block, marks=pytest.mark.slow) for block in range(1, 20))])
def test_reported_error_bounds_the_true_one(block, monkeypatch):
    for seed in range(5 * block, 5 * block + 5):
        line, schedule = random_problem(seed)
        spacing = time_scales(line, schedule).spacing
        true = Renewal(step=spacing).summarise(line, schedule)
        assert float(true.info.tail_mass) < 1e-12
        if seed % 3 == 2:  # pretend that the attempts have no common spacing
            monkeypatch.setattr("qtn.evaluators.grid.common_spacing.__defaults__", (16,))
        for num_steps in (512, 2048):
            found = Renewal(num_steps=num_steps).summarise(line, schedule)
            time_error = abs(float(found.mean_time / true.mean_time) - 1)
            state_error = float(jnp.max(jnp.abs(found.bell_diagonal - true.bell_diagonal)))
            assert max(time_error, state_error) <= float(found.info.grid_error), (seed, num_steps)
        monkeypatch.undo()
