"""Compare the fast search with the exhaustive one on random chains: python random_chains.py [--chains 200]."""

import argparse
import dataclasses
import time
from collections.abc import Iterator

import jax
import numpy as np

import qtn
from qtn.links.chain import Chain
from qtn.planning.objective import Objective
from qtn.planning.search import SearchResult, SearchSettings, search
from qtn.planning.space import SearchSpace
from qtn.steps.distill import BBPSSW, DEJMPS

SPACES = {3: (1, (BBPSSW, DEJMPS)), 4: (1, (BBPSSW, DEJMPS)), 5: (1, (DEJMPS,)), 6: (1, (BBPSSW,))}
"""Number of links -> (rounds, protocols); 6 links are searched in a fixed order of swaps."""


def random_chain(random: np.random.Generator, num_links: int) -> Chain:
    """Draw an inhomogeneous chain: p in 1e-3 ... 0.9, finite memories, noisy gates."""
    p = np.exp(random.uniform(np.log(1e-3), np.log(0.9), num_links))
    links = [
        qtn.abstract_link(p_success=each, attempt_time=1.0, werner=random.uniform(0.93, 0.999)) for each in p.tolist()
    ]
    slowest = float(np.max(1 / p))
    nodes = [
        qtn.node(
            qtn.depolarising_memory(slowest * float(np.exp(random.uniform(np.log(20), np.log(2000))))),
            qtn.gates(two_qubit=random.uniform(0.985, 1.0), readout=random.uniform(0.99, 1.0)),
            random.uniform(0.4, 1.0),
        )
        for _ in range(num_links + 1)
    ]
    return qtn.chain(links, nodes)


def both(chain: Chain, space: SearchSpace, objective: Objective) -> tuple[SearchResult, SearchResult]:
    """Return what the exhaustive and the fast search find."""
    settings = SearchSettings(method="exhaustive", num_leaders=1)
    fast = dataclasses.replace(settings, method="pareto")
    return search(chain, space, objective, settings=settings), search(chain, space, objective, settings=fast)


def compare(number: int, seed: int) -> Iterator[tuple[SearchResult, SearchResult]]:
    """Return what both searches find on so many random chains."""
    random = np.random.default_rng(seed)
    for index in range(number):
        num_links = 3 + index % 4
        rounds, protocols = SPACES[num_links]
        order = qtn.parse("swap(swap(0, swap(1, 2)), swap(3, swap(4, 5)))").tree if num_links == 6 else None
        space = SearchSpace(max_rounds=rounds, protocols=protocols, order=order)
        objective = Objective(maximise=("secret_key_rate_hz", "secret_fraction")[index // 4 % 2])
        yield both(random_chain(random, num_links), space, objective)


def missed(exact: SearchResult, fast: SearchResult) -> float:
    """Return by how much the fast search falls short, relative to the optimum; 0 where there is no key."""
    return 1 - fast.best.score / exact.best.score if exact.best.score > 0 else 0.0


def main() -> None:
    """Print one line per chain and a summary."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--chains", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    misses, keyed, ratios, began = [], 0, [], time.perf_counter()
    for index, (exact, fast) in enumerate(compare(arguments.chains, arguments.seed)):
        misses.append(missed(exact, fast))
        keyed += exact.best.score > 0
        ratios.append(exact.evaluated / fast.evaluated)
        seconds, began = time.perf_counter() - began, time.perf_counter()
        print(
            f"{index:3d}  {3 + index % 4} links  {exact.num_trees:6d} trees  {exact.best.score:.9g}  missed "
            f"{misses[-1]:.1e}  joins {exact.evaluated}/{fast.evaluated}  {seconds:.1f} s",
            flush=True,
        )
    equal = sum(each <= 1e-9 for each in misses)
    print(
        f"equal: {equal} of {arguments.chains}; with key: {keyed}; largest miss {max(misses):.1e}; "
        f"joins exhaustive/fast: median {np.median(ratios):.2f}, largest {max(ratios):.2f}"
    )


if __name__ == "__main__":
    main()
