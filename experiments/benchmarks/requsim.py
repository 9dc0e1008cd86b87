"""Compare `Sampled` and `Asap` with ReQuSim: `python experiments/benchmarks/requsim.py --peer PYTHON` prints one table.

PYTHON is the interpreter of a virtual environment with ReQuSim. N links, swap as soon as possible, every state from
scratch, end nodes measure at once: rate and fidelity of all three, and delivered pairs a second of the two that sample.
"""

import argparse

import jax

jax.config.update("jax_enable_x64", True)

import numpy as np  # noqa: E402
from peer import run_peer  # noqa: E402
from timing import medians  # noqa: E402

import qtn  # noqa: E402

P_SUCCESS, WERNER, TIME_CONSTANT = 0.05, 0.99, 2000.0
NUM_SAMPLES = 20_000


def ours(num_links):
    """Return (exact summary, sampled outcome, pairs a second once compiled)."""
    link = qtn.abstract_link(p_success=P_SUCCESS, attempt_time=1.0, werner=WERNER)
    line = qtn.chain(link, qtn.node(qtn.depolarising_memory(TIME_CONSTANT)), num_links=num_links)
    policy = qtn.swap_asap()
    exact = qtn.Asap().summarise(line, policy)
    evaluator = qtn.Sampled(NUM_SAMPLES, seed=2)
    (used,) = medians(3, (evaluator.evaluate, line, policy))
    return exact, evaluator.evaluate(line, policy), NUM_SAMPLES / used


def peer(python, num_links, deliveries):
    """Return (times, fidelities, pairs a second) of ReQuSim."""
    found = run_peer(python, "requsim_chain.py", num_links, deliveries, 7, P_SUCCESS, WERNER, TIME_CONSTANT)
    return np.array(found["times"]), np.array(found["fidelities"]), deliveries / found["seconds"]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description="Compare with ReQuSim.")
    parser.add_argument("--peer", required=True, help="Python interpreter with ReQuSim")
    parser.add_argument("--deliveries", type=int, default=4000, help="delivered pairs of ReQuSim at N = 2")
    parser.add_argument("--links", type=int, nargs="+", default=[2, 4, 8, 16, 32, 64], help="chain lengths")
    given = parser.parse_args()
    print(
        f"{'N':>3s} {'rate: exact':>12s} {'Sampled':>20s} {'ReQuSim':>20s} {'fidelity: exact':>16s} {'Sampled':>20s}"
        f" {'ReQuSim':>20s} {'sigmas':>12s} {'pairs/s':>10s} {'ReQuSim':>9s} {'ratio':>7s}"
    )
    for num_links in given.links:
        exact, found, speed = ours(num_links)
        times, fidelities, other = peer(given.peer, num_links, max(given.deliveries * 2 // num_links, 100))
        rate, rate_error = 1 / times.mean(), times.std() / times.mean() ** 2 / np.sqrt(times.size)
        mean, error = fidelities.mean(), fidelities.std() / np.sqrt(times.size)
        own_rate = float(found.standard_error(lambda summary: 1 / summary.mean_time))
        own_error = float(found.standard_error(lambda summary: qtn.fidelity(summary.bell_diagonal)))
        fidelity = float(qtn.fidelity(exact.bell_diagonal))
        sigmas = (rate - 1 / float(exact.mean_time)) / rate_error, (mean - fidelity) / error
        rates = f"{1 / float(exact.mean_time):12.6f} {1 / float(found.mean_time):10.6f} +- {own_rate:.6f}"
        fidelities_here = f"{fidelity:16.6f} {float(qtn.fidelity(found.bell_diagonal)):10.6f} +- {own_error:.6f}"
        theirs = f"{rate:10.6f} +- {rate_error:.6f}", f"{mean:10.6f} +- {error:.6f}"
        speeds = f"{speed:10.0f} {other:9.1f} {speed / other:7.0f}"
        deviations = f"{sigmas[0]:+5.1f}, {sigmas[1]:+4.1f}"
        print(f"{num_links:3d} {rates} {theirs[0]} {fidelities_here} {theirs[1]} {deviations} {speeds}", flush=True)


if __name__ == "__main__":
    main()
