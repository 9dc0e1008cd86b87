"""Trajectories whose noise is drawn before the circuit runs: mixtures of products of unitaries.

Nothing depends on the state, so a trajectory is a pure circuit in which some one-site matrices are data, and while all
bonds fit no gauge and no decomposition is needed: the exact sweeps of `qtn.tensors.sweep`, batched.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from qtn._array import Array
from qtn.circuits.instruments import Program
from qtn.states.basis import PAULI_MATRICES
from qtn.tensors.instruments import Instruments, draw_outcome
from qtn.tensors.program import Operation, Plan, assemble, plan, products
from qtn.tensors.sweep import Layers, exact_forms, exact_sweeps
from qtn.tensors.train import Train, apply_each, mirror


class Ahead(NamedTuple):
    """A plan of exact sweeps, and which of its one-site matrices are drawn."""

    shapes: tuple[int, int, tuple[int, ...], bool]
    """Static: exact sweeps, their bond, their forms, whether drawn matrices are multiplied into gates."""
    index: Any
    """Index arrays of the plan."""
    draws: tuple[Any, Any]
    """One-site, two-site: (2, t), which instrument and which random number."""
    sizes: tuple[int, int]
    """Static: gates on one and on two sites."""


def plan_ahead(program: Program, bonds: Sequence[int], max_bond: int) -> Ahead | None:
    """Plan a program whose noise is drawn ahead; None where bonds exceed `max_bond`."""
    single = [event for event in program.events if event.draw >= 0 and len(event.sites) == 1]
    double = [event for event in program.events if event.draw >= 0 and len(event.sites) == 2]
    fixed = [event for event in program.events if event.draw < 0]
    sizes = tuple(
        1 + max((event.index for event in fixed if len(event.sites) == arity), default=-1) for arity in (1, 2)
    )
    place = {event.draw: k for group in (single, double) for k, event in enumerate(group)}
    operations = []
    for event in program.events:
        if event.draw < 0:
            operations.append(Operation(event.sites, event.index, event.span))
        else:
            first = sizes[0] + place[event.draw] + (0 if len(event.sites) == 1 else len(single))
            operations += [Operation((site,), first + k * len(double)) for k, site in enumerate(event.sites)]
    arranged = plan(program.num_sites, 2, operations, max_bond, bonds)
    if arranged.num_exact < len(arranged.ranks):
        return None
    lifted = 1 + 2 * sizes[1] + np.arange(2)[:, None] * (sizes[0] + len(single) + 2 * len(double))
    fused = any(
        ((arranged.core[0] >= low + sizes[0]) & (arranged.core[0] < high)).any()
        for low, high in _ranges(lifted, sizes, single, double)
    )
    draws = tuple(np.array([(e.index, e.draw) for e in group], int).reshape(-1, 2).T for group in (single, double))
    shapes = (arranged.num_exact, arranged.exact_bond, exact_forms(arranged.kinds), fused)
    return Ahead(shapes, arranged[2:], draws, sizes)  # pyright: ignore[reportArgumentType]


def _ranges(lifted: np.ndarray, sizes: Any, single: list[Any], double: list[Any]) -> list[tuple[int, int]]:
    """Return where the lifted one-site matrices begin and end in the stack of two-site matrices."""
    count = sizes[0] + len(single) + 2 * len(double)
    return [(int(low), int(low) + count) for low in lifted[:, 0]]


def run_ahead(
    train: Train,
    ones: Instruments,
    twos: Instruments,
    draws: tuple[Any, Any],
    index: Any,
    numbers: Array,
    shapes: tuple[int, int, tuple[int, ...], bool],
    sizes: tuple[int, int],
) -> tuple[Array, Array]:
    """Run a batch of trajectories.

    Args:
        train: (n, chi, 2, chi), where all of them start.
        ones: one-site instruments of the program.
        twos: two-site instruments.
        draws: see `Ahead`.
        index: see `Ahead`.
        numbers: (b, u + 1), uniform random numbers.
        shapes: see `Ahead`.
        sizes: see `Ahead`.

    Returns:
        train: (b, n, bond, 2, bond).
        log_probability: (b,), of what was drawn.
    """
    num_exact, bond, forms, fused = shapes
    arranged = Plan(num_exact, bond, *index)
    gates = ones.operators[: sizes[0], 0], twos.operators[: sizes[1], 0]
    drawn, log_probability = jax.vmap(lambda u: _draw(ones, twos, draws, u))(numbers)
    eye = jnp.broadcast_to(jnp.eye(2, dtype=train.dtype), (drawn.shape[1], 2, 2))
    shared, _ = assemble(arranged, jnp.concatenate([gates[0], eye]), gates[1])

    def one(matrices: Array) -> Train:
        stack = jnp.concatenate([gates[0], matrices])
        if fused:
            layers, after = assemble(arranged, stack, gates[1])
        else:
            single = jnp.concatenate([jnp.eye(2, dtype=train.dtype)[None], stack])
            layers = shared._replace(before=products(single, arranged.before))
            after = products(single, arranged.after)
        out = exact_sweeps(train, Layers(shared.kinds, *layers[1:]), bond, forms) if num_exact else train
        return apply_each(mirror(out) if num_exact % 2 else out, after)

    return jax.vmap(one)(drawn), log_probability


def _draw(ones: Instruments, twos: Instruments, draws: tuple[Any, Any], numbers: Array) -> tuple[Array, Array]:
    """Return the matrices of one trajectory (one-site, first of pairs, second of pairs), and their log probability."""
    (which, where), (which_pair, where_pair) = draws
    weights, pair_weights = ones.weights[which], twos.weights[which_pair]
    outcome, pair = draw_outcome(weights, numbers[where]), draw_outcome(pair_weights, numbers[where_pair])
    paulis = jnp.asarray(PAULI_MATRICES)
    matrices = jnp.concatenate([ones.operators[which, outcome], paulis[pair // 4], paulis[pair % 4]])
    return matrices, _log_share(weights, outcome) + _log_share(pair_weights, pair)


def _log_share(weights: Array, outcome: Array) -> Array:
    chosen = jnp.take_along_axis(weights, outcome[:, None], axis=1)[:, 0]
    return jnp.sum(jnp.log(chosen) - jnp.log(jnp.sum(weights, axis=1)))
