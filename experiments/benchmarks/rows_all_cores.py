"""Rows of the table that use all cores: pair engine, swap-asap, MPDO circuits, products of chains."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import hot_paths
import jax
import pair_throughput
from case import Options
from qtn_kernels.chain_product import bench
from qtn_kernels.chain_product.specs import BENCHMARKS
from table import Row
from timing import medians, working_memory

NUM_STEPS, EQUAL_STEPS = 65536, 32768
NUM_STRENGTHS = 16
"""Points of the MPDO circuits, which run one by one."""
WHAT = ("value", "value and gradient")
PASSES = (1, 2)
"""Every pass of the value has a transposed one in the gradient: value and gradient have twice the floor."""


def hot_path(name: str, work: hot_paths.Workload, plain: str, runs: int = 7, points: int = 1) -> Iterator[Row]:
    """Yield the row of the value and that of value and gradient, a point, beside what they must do."""
    compiled = work.compiled()
    seconds = medians(runs, *((each, work.argument) for each in compiled), *((each,) for each in work.plain))
    for what, function, used, reference, passes in zip(WHAT, compiled, seconds[:2], seconds[2:], PASSES, strict=True):
        yield Row(
            workload=f"{name}, {what}",
            own=used / points,
            reference=plain,
            reference_time=reference / points,
            moved=passes * work.moved / points,
            operations=passes * work.operations / points,
            memory=working_memory(function),
        )


def tree(_options: Options) -> Iterator[Row]:
    """One tree of 8 different links against its own recurrences and Fourier transforms."""
    name = f"pair engine, tree of 8 different links, {NUM_STEPS:,} steps"
    yield from hot_path(name, hot_paths.pair_engine(NUM_STEPS), "its recurrences and FFTs")


def batch(options: Options, num_steps: int, more: int) -> Iterator[Row]:
    """Points of a sweep over 8 equal links, on all devices, against a Python loop over the compiled point.

    Args:
        options: `points` is how many.
        num_steps: of the grid.
        more: times as many points.
    """
    count = options.points * more
    values, batched, loop = pair_throughput.batch(count, num_steps)
    together, alone = medians(3, (batched, values), (loop,))
    work = hot_paths.equal_links(num_steps)
    yield Row(
        workload=f"pair engine, {count:,} points, a device a core, 8 equal links, {num_steps:,} steps, value, a point",
        own=together / count,
        reference="Python loop over the compiled point",
        reference_time=alone / count,
        moved=work.moved,
        operations=work.operations,
        memory=batched.bytes_used,
    )


def equal_links(_options: Options) -> Iterator[Row]:
    """8 equal links against their recurrences and Fourier transforms, and against the published algorithm."""
    (theirs,) = medians(3, (pair_throughput.published(EQUAL_STEPS),))
    name = f"pair engine, tree of 8 equal links, {EQUAL_STEPS:,} steps"
    for row in hot_path(name, hot_paths.equal_links(EQUAL_STEPS), "its recurrences and FFTs"):
        yield replace(row, peer="published algorithm, NumPy (value)", peer_time=theirs)


def swap_asap(_options: Options) -> Iterator[Row]:
    """1,024 different links against a plain pass of the recurrences."""
    yield from hot_path("swap-asap, 1,024 different links, 2,048 steps", hot_paths.swap_asap(1024), "plain pass")


def mixed_circuit(_options: Options, bond: int) -> Iterator[Row]:
    """Noisy circuits as density operators against the decompositions alone."""
    work = hot_paths.mixed_circuit(bond, NUM_STRENGTHS)
    name = f"MPDO, 64 sites, bond {bond}, a point ({NUM_STRENGTHS} timed)"
    yield from hot_path(name, work, "one `eigh` a gate", 3, NUM_STRENGTHS)


def products(_options: Options, name: str) -> Iterator[Row]:
    """Ordered products of chains against the best of the other formulations, each with its own gradient."""
    spec = BENCHMARKS[name]
    parameters = spec.parameters()
    ways = {label: partial(way, spec) for label, way in bench.FORMULATIONS.items()}
    bench.check(spec, ways)
    kept, *others = ways
    operations, moved = bench.cost(spec)
    for what, passes in zip(WHAT, PASSES, strict=True):
        functions = ways
        if what != "value":
            functions = {label: jax.value_and_grad(lambda p, way=way: way(p).sum()) for label, way in ways.items()}
        compiled = {label: jax.jit(each).lower(parameters).compile() for label, each in functions.items()}
        once = dict(zip(ways, medians(1, *((each, parameters) for each in compiled.values())), strict=True))
        other = min(others, key=once.__getitem__)
        ours = compiled[kept]
        own, reference = medians(5, (ours, parameters), (compiled[other], parameters))
        yield Row(
            workload=f"chain product, {name}, {spec.num_links:,} links x {spec.num_chains:,} chains, {what}",
            own=own,
            reference=other,
            reference_time=reference,
            moved=passes * moved,
            operations=passes * operations,
            memory=working_memory(ours),
        )
