"""Time the pair engine against its own parts, a Python loop and the published algorithm; one table.

    python experiments/benchmarks/pair_throughput.py [--quick]

Everything is timed in turn in one process; quote the ratios, not the seconds.
"""

import argparse
import sys
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from timing import medians  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[2]))

import qtn  # noqa: E402
from qtn.evaluators.extrapolate import summarise_on  # noqa: E402
from qtn.sweeps.batch import Batched  # noqa: E402
from qtn.tensors.recurrence import decay_scan, repeat_until_success  # noqa: E402
from tests.oracles import pmf  # noqa: E402

P_SUCCESS, WERNER, P_SWAP, COHERENCE = 0.002, 0.98, 0.8, 1e5


def different(num_links):
    """Return a chain in which no two links are equal."""
    links = [
        qtn.abstract_link(p_success=P_SUCCESS * (1 + i / 20), attempt_time=1.0, werner=WERNER) for i in range(num_links)
    ]
    return qtn.chain(links, qtn.node(qtn.depolarising_memory(2 * COHERENCE), p_swap=P_SWAP))


def equal(num_links, werner=WERNER):
    """Return a chain of equal links."""
    link = qtn.abstract_link(p_success=P_SUCCESS, attempt_time=1.0, werner=werner)
    return qtn.chain(link, qtn.node(qtn.depolarising_memory(2 * COHERENCE), p_swap=P_SWAP), num_links=num_links)


def row(name, value, against, ratio):
    """Print one line."""
    print(f"{name:66s} {value * 1e3:10.1f} ms  {against * 1e3:10.1f} ms  {ratio:8.2f}", flush=True)


def on_grid(num_steps):
    """Return an evaluator on a grid, the fidelity of a tree as a function of the chain, and 8 different links."""
    tree, line = qtn.nested(3), different(8)
    evaluator = qtn.Renewal(step=1.0, num_steps=num_steps).planned(line, tree)
    return evaluator, lambda chain: qtn.fidelity(evaluator.summarise(chain, tree).bell_diagonal), line


def point_of_a_sweep(num_steps):
    """Return the fidelity of 8 equal links as a function of their Werner parameter."""
    tree = qtn.nested(3)
    evaluator = qtn.Renewal(step=1.0, num_steps=num_steps).planned(equal(8), tree)

    assert evaluator.plan is not None and evaluator.level is not None

    def point(werner, plan=evaluator.plan, level=evaluator.level):
        return qtn.fidelity(summarise_on(plan, equal(8, werner), tree, level).bell_diagonal)

    return point


def equal_on_grid(num_steps):
    """Return an evaluator on a grid, the key rate of a tree as a function of the chain, and 8 equal links."""
    tree, line = qtn.nested(3), equal(8)
    evaluator = qtn.Renewal(step=1.0, num_steps=num_steps).planned(line, tree)
    return evaluator, lambda chain: qtn.secret_key_rate(evaluator.summarise(chain, tree), clip=False), line


def parts(evaluator, num_steps, num_joins=7, num_restarts=6, compiled=jax.jit):
    """Return a function that runs the recurrences of the joins and the Fourier transforms of the restarts alone."""
    components = evaluator.level.num_components
    recurrence, restart = compiled(decay_scan), compiled(repeat_until_success)
    arrivals, rates = jnp.ones((2 * components, num_steps)), jnp.full(2 * components, 1e-5)
    success, failure = jnp.full((components, num_steps), 1e-6), jnp.full(num_steps, 1e-6)
    lifetime = jnp.asarray(100.0)

    def run():
        joins = [recurrence(arrivals, rates) for _ in range(num_joins)]
        return joins, [restart(success, failure, lifetime) for _ in range(num_restarts)]

    return run


def against_parts(num_steps, runs):
    """One tree of 8 different links against its recurrences and Fourier transforms alone."""
    evaluator, value, line = on_grid(num_steps)
    whole, alone = medians(runs, (jax.jit(value), line), (parts(evaluator, num_steps),))
    row(f"one tree, 8 different links, {num_steps:,} steps | its recurrences and FFTs", whole, alone, whole / alone)


def published(num_steps):
    """Return the function that runs the published algorithm for 8 equal links."""
    return lambda: pmf.nested(3, P_SUCCESS, WERNER, P_SWAP, COHERENCE, num_steps)


def batch(num_points, num_steps):
    """Return points of a sweep, what evaluates them side by side, and a Python loop over the compiled point."""
    point = point_of_a_sweep(num_steps)
    values = np.linspace(0.9, 1.0, num_points)
    batched, one = Batched(point, block=num_points), jax.jit(point)

    def loop():
        return [one(value) for value in values]

    return values, batched, loop


def against_a_loop(num_points, num_steps, runs):
    """Points of a sweep side by side against a Python loop over the compiled function of one point."""
    values, batched, loop = batch(num_points, num_steps)
    together, alone = medians(runs, (batched, values), (loop,))
    row(f"{num_points:,} points, {num_steps:,} steps, batched | Python loop", together, alone, alone / together)


def against_the_published(num_steps, runs):
    """8 equal links on the same grid: value, value and gradient, and the published algorithm."""
    _, value, line = equal_on_grid(num_steps)
    ours, with_gradient, theirs = medians(
        runs, (jax.jit(value), line), (jax.jit(jax.value_and_grad(value)), line), (published(num_steps),)
    )
    name = f"8 equal links, {num_steps:,} steps"
    row(f"{name}, value | published algorithm (NumPy)", ours, theirs, theirs / ours)
    row(f"{name}, value and gradient | published algorithm, value", with_gradient, theirs, theirs / with_gradient)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter grids, fewer points")
    quick = parser.parse_args().quick
    print(f"{'':66s} {'first':>13s}  {'second':>13s}  {'ratio':>8s}")
    against_parts(8192 if quick else 65536, 9)
    against_a_loop(100 if quick else 1000, 4096 if quick else 65536, 3 if quick else 1)
    against_the_published(4096 if quick else 32768, 3)


if __name__ == "__main__":
    main()
