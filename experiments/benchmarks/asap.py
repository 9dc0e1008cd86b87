"""Time `Asap()`: `python experiments/benchmarks/asap.py` prints one table.

Everything is timed in turn in one process; quote the ratios, not the seconds. The yardstick is a plain pass: the two
recurrences (past and future) over an array of the same shape (links, 3, steps), link after link, with no chain, no
arrival times and no waiting times in between.
"""

import sys

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
from timing import medians, working_memory  # noqa: E402

import qtn  # noqa: E402
from qtn.evaluators.asap import Line  # noqa: E402
from qtn.tensors.recurrence import two_sided_decay  # noqa: E402

NUM_STEPS = 2048
POLICY = qtn.swap_asap()


def line(num_links):
    """Return a chain in which no two links and no two nodes are equal."""
    at = jnp.linspace(0.0, 1.0, num_links)
    between = jnp.linspace(0.0, 1.0, num_links + 1)
    werner = 1 - 1e-4 * (1 + at)
    return Line(
        p_success=0.03 + 0.01 * at,
        attempt_time=jnp.ones(num_links),
        state=jnp.eye(4)
        * jnp.array([1.0, 1.0, -1.0, 1.0])
        * jnp.ones((num_links, 4, 4)).at[:, 1:].set(werner[:, None, None]),
        rates=jnp.outer(1e-6 * (1 + between), jnp.ones(3)),
        two_qubit=1 - 1e-5 * between,
        readout=1 - 1e-5 * (1 - between),
        p_swap=jnp.ones(num_links + 1),
        equilibrium=(0.0,) * (num_links + 1),
    )


def fidelity(evaluator):
    """Return the function that is timed."""
    return lambda chain: qtn.fidelity(evaluator.summarise(chain, POLICY).bell_diagonal)


@jax.jit
def plain(array, rates):
    """Sum past and future of each link, one after the other, and add up."""
    return jax.lax.scan(lambda total, each: (total + two_sided_decay(*each), None), array[0], (array, rates))[0]


def temporary(function, *args):
    """Return the working memory of a compiled function [MB]."""
    return working_memory(jax.jit(function).lower(*args).compile()) / 1e6


def main(runs=7):
    """Print the table."""
    print(
        f"{'links x 2,048 steps':26s} {'value':>9s} {'gradient':>9s} {'plain':>9s}"
        f" {'value/plain':>12s} {'gradient/plain':>15s} {'gradient/value':>15s} {'memory':>9s}"
    )
    for num_links, stride in ((256, 1), (1024, 1), (1024, 32), (4096, 1), (4096, 64)):
        chain = line(num_links)
        evaluator = qtn.Asap(step=1.0, num_steps=NUM_STEPS, stride=stride).planned(chain, POLICY)
        once = fidelity(evaluator)
        array, rates = jnp.ones((num_links, 3, NUM_STEPS)), chain.rates[1:]
        value, gradient, pass_ = medians(
            runs,
            (jax.jit(once), chain),
            (jax.jit(jax.value_and_grad(once)), chain),
            (plain, array, rates),
        )
        del array
        size = temporary(jax.value_and_grad(once), chain)
        name = f"{num_links:,} different links" + (f", stride {stride}" if stride > 1 else "")
        print(
            f"{name:26s} {value * 1e3:6.1f} ms {gradient * 1e3:6.1f} ms {pass_ * 1e3:6.1f} ms"
            f" {value / pass_:12.2f} {gradient / pass_:15.2f} {gradient / value:15.2f} {size:6.1f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
