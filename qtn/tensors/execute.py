"""Run a program of one- and two-site operations on a train: plan in Python, compile once per shape, execute."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Float

from qtn._array import Array
from qtn.tensors.direct import run_direct
from qtn.tensors.effort import Reached, Work
from qtn.tensors.program import Operation, Plan, assemble, edge_bonds, lossy_kinds, plan
from qtn.tensors.split import Truncation
from qtn.tensors.sweep import CUT, IDLE, CutInfo, Layers, exact_forms, exact_sweeps, lossy_sweeps, still_layer
from qtn.tensors.train import Train, apply_each, mirror, right_canonical, widen

FIRST_BOND = 16
"""Where thresholds may keep bonds narrow, gates are applied without looking only up to this bond."""


class Executed(NamedTuple):
    """A train after a program."""

    train: Train
    cuts: CutInfo
    """(s, n - 1): per lossy sweep and bond."""
    weight: Float[Array, "s"]
    """Sum of the squares of all amplitudes after each lossy sweep."""


def run_operations(
    train: Train,
    operations: Sequence[Operation],
    ones: Array,
    twos: Array,
    rule: Truncation,
    *,
    start_bonds: Sequence[int] | None = None,
    checkpoint: bool = False,
    watch: Callable[[Work, Reached], None] | None = None,
) -> Executed:
    """Apply operations in time order.

    Args:
        train: (n, chi, d, chi).
        operations: which matrix acts where; static.
        ones: (k, d, d), one-site matrices.
        twos: (m, d d, d d), two-site matrices.
        rule: bonds above `rule.max_bond` are cut; below it everything is exact.
        start_bonds: (n - 1,), bonds of `train` where they are known to be below its padding.
        checkpoint: store one train a sweep instead of all intermediate tensors for the reverse pass.
        watch: see `qtn.tensors.direct`, which alone heeds it.

    Note:
        Compile time does not depend on the number of sites, operations or sweeps; only shapes are static. Where
        thresholds are given and all numbers are known, a CPU compiles nothing, see `qtn.tensors.direct`.
    """
    n, chi, d = train.shape[:3]
    bonds = [chi] * (n - 1) if start_bonds is None else list(start_bonds)
    if chi > rule.max_bond:
        raise ValueError(
            f"Argument `max_bond` must be at least the bond {chi} of the state, but is {rule.max_bond}: "
            "use `compress` on the state first, which reports what it discards."
        )
    measured = not any(isinstance(leaf, Tracer) for leaf in (train, ones, twos, *jax.tree.leaves(rule)))
    thresholds = measured and bool(rule.relative > 0 or rule.absolute > 0)
    if thresholds and jax.default_backend() == "cpu":
        return Executed(*run_direct(train, operations, ones, twos, rule, watch))
    arranged = plan(n, d, operations, min(rule.max_bond, FIRST_BOND) if thresholds else rule.max_bond, bonds)
    if n == 1:
        return _single(train, ones, twos, arranged)
    if thresholds and arranged.num_exact < len(arranged.ranks):
        return _adaptive(train, arranged, ones, twos, rule)
    lossy = lossy_kinds(arranged.ranks[arranged.num_exact :], d, rule.max_bond)
    forms = exact_forms(arranged.kinds[: arranged.num_exact])
    shapes = (arranged.num_exact, arranged.exact_bond, forms, checkpoint)
    return _execute(train, ones, twos, arranged[2:], lossy, rule, *shapes)


def _single(train: Array, ones: Array, twos: Array, arranged: Plan) -> Executed:
    """Run a program of one site."""
    cuts = CutInfo(jnp.zeros((0, 0)), jnp.zeros((0, 0), int), *[jnp.zeros((0, 0), bool)] * 3)
    return Executed(apply_each(train, assemble(arranged, ones, twos)[1]), cuts, jnp.zeros(0))


@partial(jax.jit, static_argnames=("num_exact", "exact_bond", "forms", "checkpoint"))
def _execute(
    train: Array,
    ones: Array,
    twos: Array,
    index: Any,
    kinds: Array,
    rule: Truncation,
    num_exact: int,
    exact_bond: int,
    forms: tuple[int, ...],
    checkpoint: bool,
) -> Executed:
    """Run all sweeps in one compiled program, at one bond for the exact and one for the lossy sweeps."""
    layers, after = assemble(Plan(num_exact, exact_bond, *index), ones, twos)
    num_sweeps = layers.kinds.shape[0]
    exact = Layers(*(field[:num_exact] for field in layers))
    lossy = Layers(*(field[num_exact:] for field in layers))._replace(kinds=kinds)
    if num_exact:
        train = exact_sweeps(train, exact, exact_bond, forms, checkpoint=checkpoint)
    if num_sweeps == num_exact:
        shape = (0, train.shape[0] - 1)
        cuts = CutInfo(jnp.zeros(shape), jnp.zeros(shape, int), *[jnp.zeros(shape, bool)] * 3)
        return Executed(apply_each(_upright(train, num_sweeps), after), cuts, jnp.zeros(0))
    lossy = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), still_layer(lossy), lossy)
    train, cuts, weight = lossy_sweeps(mirror(train), lossy, rule, checkpoint=checkpoint)
    cuts, weight = jax.tree.map(lambda field: field[1:], (cuts, weight))
    return finish(train, after, [(cuts, weight)], num_sweeps, num_exact)


def _upright(train: Array, num_sweeps: int) -> Array:
    """Undo the mirror image that an odd number of sweeps leaves."""
    return mirror(train) if num_sweeps % 2 else train


def _in_order(cuts: CutInfo, num_exact: int) -> CutInfo:
    """Bring the bonds of all lossy sweeps into the order of sites."""
    backwards = ((num_exact + jnp.arange(cuts.rank.shape[0])) % 2 == 1)[:, None]
    return CutInfo(*(jnp.where(backwards, field[:, ::-1], field) for field in cuts))


def _adaptive(train: Array, arranged: Plan, ones: Array, twos: Array, rule: Truncation) -> Executed:
    """Run the lossy sweeps one by one, each at the narrowest padding that holds what the thresholds keep.

    Agrees with one wide program up to what is discarded (which has more room, and cuts less). Needs values, so not
    under `jit` or `grad`.
    """
    d = train.shape[2]
    train, layers, after = begin(train, ones, twos, arranged[2:], arranged.num_exact, arranged.exact_bond)
    ladder = [step * 2**k for k in range(3, 19) for step in (2, 3)]  # 16, 24, 32, 48, ...
    sizes = [bond for bond in ladder if bond < rule.max_bond] + [rule.max_bond]
    size = next(bond for bond in sizes if bond >= min(train.shape[1], rule.max_bond))
    rule_of = {bond: replace(rule, max_bond=bond) for bond in sizes}
    train = make_canonical(train, size)
    found, bonds = [], np.full(arranged.ranks.shape[1], size)  # what every bond holds, in the order of the sweep
    for sweep in range(arranged.num_exact, len(arranged.ranks)):
        while True:
            kinds = lossy_kinds(arranged.ranks[sweep : sweep + 1], d, size)
            out, cuts, weight, capped = _one_sweep(train, layers, sweep, kinds, rule_of[size])
            if size == rule.max_bond or not bool(capped):
                break
            size = sizes[sizes.index(size) + 1]
        train = out
        found.append((cuts, weight))
        ends = np.minimum(edge_bonds(len(bonds), d), size)
        bonds = np.select([kinds[0] == IDLE, kinds[0] == CUT], [bonds, np.asarray(cuts.rank[0])], ends)[::-1]
        size = next(bond for bond in sizes if bond >= min(bonds.max(), rule.max_bond))
    return finish(train, after, found, len(arranged.ranks), arranged.num_exact)


@partial(jax.jit, static_argnames=("num_sweeps", "num_exact"))
def finish(train: Array, after: Array, found: Any, num_sweeps: int, num_exact: int) -> Executed:
    """Apply what is left and bring everything into the order of sites."""
    cuts, weight = jax.tree.map(lambda *parts: jnp.concatenate(parts), *found)
    return Executed(apply_each(_upright(train, num_sweeps), after), _in_order(cuts, num_exact), weight)


@partial(jax.jit, static_argnames=("num_exact", "exact_bond"))
def begin(
    train: Array, ones: Array, twos: Array, index: Any, num_exact: int, exact_bond: int
) -> tuple[Array, Layers, Array]:
    """Assemble all gates and run the exact sweeps."""
    layers, after = assemble(Plan(num_exact, exact_bond, *index), ones, twos)
    if num_exact:
        train = exact_sweeps(train, Layers(*(field[:num_exact] for field in layers)), exact_bond)
    return train, layers, after


@partial(jax.jit, static_argnames="bond")
def make_canonical(train: Array, bond: int) -> Array:
    """Bring a train into the form that lossy sweeps start from."""
    return right_canonical(widen(train, max(bond, train.shape[1])))


@jax.jit
def _one_sweep(
    train: Array, layers: Layers, sweep: Any, kinds: Array, rule: Truncation
) -> tuple[Array, CutInfo, Array, Array]:
    """Run one lossy sweep; also return whether the bond, not the thresholds, decided anywhere what to keep."""
    layer = Layers(*(jax.lax.dynamic_slice_in_dim(field, sweep, 1) for field in layers))._replace(kinds=kinds)
    train, cuts, weight = lossy_sweeps(train, layer, rule)
    return train, cuts, weight, jnp.any(cuts.capped)
