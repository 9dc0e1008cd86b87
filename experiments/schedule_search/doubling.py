"""Tune one cut-off per level of a nested doubling chain of eight links: python doubling.py."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

import qtn
from qtn.links.chain import Chain
from qtn.optimisation.bounded import Interval
from qtn.planning.objective import Objective
from qtn.planning.tune import tune
from qtn.planning.tuning import Tuning
from qtn.schedules.tree import Elementary, Schedule, Swap

jax.config.update("jax_enable_x64", True)

LEVELS: tuple[str, ...] = ("first", "second", "third")
STARTS = ((17.0, 32.0, 56.0), (40.0, 80.0, 160.0), (3.0, 6.0, 9.0))
CHAIN = qtn.chain(
    qtn.abstract_link(p_success=0.1, attempt_time=1.0, werner=0.98),
    qtn.node(qtn.depolarising_memory(800.0), p_swap=0.5),
    num_links=8,
)
"""A pair's coherence of 400 attempts is two memories of 800 each."""


def doubling(first: int, num_links: int) -> Elementary | Swap:
    """Return the tree of swaps in the middle, with the cut-off of its level at each."""
    if num_links == 1:
        return Elementary(first)
    half = num_links // 2
    return Swap(doubling(first, half), doubling(first + half, half), num_links.bit_length() - 2)


def system(cutoffs: Mapping[str, jax.Array]) -> tuple[Chain, Schedule]:
    """Return the chain and the schedule with these cut-offs, in attempts."""
    times = jnp.stack([jnp.asarray(cutoffs[level], dtype=float) for level in LEVELS])
    return CHAIN, Schedule(tree=doubling(0, 8), cutoff_times=times, wait_times=jnp.zeros(0))


def main() -> None:
    """Print what each start ends at."""
    box = dict.fromkeys(LEVELS, Interval(1.0, 1000.0))
    tuning = Tuning(system, box, Objective(), log=LEVELS, lattice=dict.fromkeys(LEVELS, 1.0))
    for start in STARTS:
        found = tune(tuning, dict(zip(LEVELS, start, strict=True)))
        cutoffs = tuple(round(float(found.parameters[level])) for level in LEVELS)
        print(
            f"  {start} -> {cutoffs}  {float(found.value):.10e}  {found.num_gradients} gradients  {found.status}",
            flush=True,
        )


if __name__ == "__main__":
    main()
