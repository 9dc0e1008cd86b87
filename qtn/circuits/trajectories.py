"""Unravel a noisy circuit: pure trajectories, drawn at random, whose average is the mixed state."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.circuits.circuit import Circuit
from qtn.circuits.drawn_ahead import plan_ahead, run_ahead
from qtn.circuits.estimates import Estimate, TrajectoryInfo, accuracy, estimate
from qtn.circuits.instruments import Program, compile_circuit
from qtn.circuits.noise import NoiseModel
from qtn.states.basis import PAULI_MATRICES
from qtn.states.measures import letters_of
from qtn.states.trains import MPS, TrainState, normalise, require_count, zeros
from qtn.tensors.contract import overlap
from qtn.tensors.instruments import (
    Instruments,
    Record,
    draw_unitaries,
    sampled_sweeps,
    start_record,
    to_centre,
    two_site_stack,
)
from qtn.tensors.slots import Slots, arrange, slot_kinds, stages
from qtn.tensors.strings import Strings, group_strings, string_values
from qtn.tensors.train import insert, mirror

MAX_EXACT = 8
"""Trajectories without decompositions only up to this bond: beyond it cutting to what is needed is cheaper."""


class _Prepared(NamedTuple):
    """A program with everything that its trajectories share."""

    ones: Instruments
    twos: Instruments
    train: Array
    slots: tuple[Slots, ...]
    ahead: Any
    """Index arrays of the fast path; None without it."""
    sizes: Any
    """Static: of the fast path, and the number of draws."""


def trajectories(
    circuit: Circuit,
    noise: NoiseModel | None = None,
    *,
    observables: Sequence[Mapping[int, str] | str],
    num_trajectories: int,
    state: TrainState | None = None,
    target: TrainState | None = None,
    max_bond: int = 64,
    batch: int = 64,
    key: Array,
) -> tuple[Estimate, TrajectoryInfo]:
    """Estimate expectation values from random pure trajectories.

        rho = sum_k K_k |psi><psi| K_k^H = E[|psi'><psi'|],   psi' = K_k psi / |K_k psi|  with probability |K_k psi|^2

    Args:
        circuit: any circuit: MEASURE draws its outcome and leaves it in the qubit, RESET draws what it forgets, PROJECT
            post-selects and gives the trajectory a weight.
        noise: attached to gates by name, label or site.
        observables: o Pauli strings as in `qtn.states.expect`: "ZZI..." or {site: letter}.
        num_trajectories: >= 1.
        state: a pure state to start from; |0...0> if not given.
        target: a pure state; the fidelity with it is estimated as one more value, after those of the observables.
        max_bond: static; larger bonds are cut to the dominant subspace.
        batch: trajectories that run side by side; changes nothing but speed and memory.
        key: trajectory i uses `fold_in(key, i)`: more trajectories keep those before.

    Returns:
        estimate: means, standard errors, the values of every trajectory.
        info: what was cut.

    Note:
        Unbiased while nothing is cut (with PROJECT: a ratio of means, bias O(1 / num_trajectories)). The derivative
        of `estimate.mean` is an unbiased estimate too: along each trajectory, plus the score of its outcomes
        (likelihood ratio, mean of the others as baseline). It is NaN where a Pauli probability is 0 (an error that is
        never drawn cannot be differentiated), for a single trajectory (it has no baseline), and with respect to the
        transfer matrix of a `channel` operation; where bonds are cut it is that of the cut trajectories. Compile time
        does not depend on the number of sites, gates or trajectories. Mixtures of Paulis are drawn before the circuit
        runs and never raise a bond.

    References:
        Dalibard, Castin and Mølmer 1992, Phys. Rev. Lett. 68, 580. Daley 2014, arXiv:1405.6694.

    Example:
        >>> from qtn import channels
        >>> from qtn.circuits import circuit, gate, noise_model
        >>> ladder = circuit(30, [gate("H", 0), gate("CX", [(k, k + 1) for k in range(29)])])
        >>> noisy = noise_model(by_name={"CX": channels.depolarising(0.01, 2)})
        >>> options = {"observables": ["X" * 30], "num_trajectories": 400, "key": jax.random.key(0)}
        >>> found, info = trajectories(ladder, noisy, **options)
        >>> bool(abs(found.mean[0] - 0.99**29) < 4 * found.standard_error[0]), float(info.worst_fidelity_estimate)
        (True, 1.0)
    """
    count, prepared = _begin(circuit, noise, state, num_trajectories, max_bond, batch)
    letters = np.array([letters_of(paulis, circuit.num_sites) for paulis in observables]).reshape(-1, circuit.num_sites)
    letters = np.pad(letters, ((0, 0), (0, prepared.train.shape[0] - circuit.num_sites)))
    groups = group_strings(letters, PAULI_MATRICES)
    static, data = _split(prepared)
    wanted = None if target is None else _target(target, circuit.num_sites)
    parts = [_values(data, static, groups, wanted, key, indices) for indices in _chunks(count, batch)]
    values, record = jax.tree.map(lambda *leaves: jnp.concatenate(leaves)[:count], *parts)
    return estimate(values, record), accuracy(record, prepared.ahead is not None)


def sampled_states(
    circuit: Circuit,
    noise: NoiseModel | None = None,
    *,
    num_trajectories: int,
    state: TrainState | None = None,
    max_bond: int = 64,
    batch: int = 64,
    key: Array,
) -> tuple[MPS, Float[Array, "trajectories"]]:
    """Return the final pure states of the same trajectories.

    Returns:
        states: one `MPS` whose train has a leading axis, (trajectories, n, chi, 2, chi), norm 1: use `jax.vmap`.
        weights: of each, 1 without PROJECT.

    Note:
        All states are kept in memory. Derivatives are those along the trajectories, without the score.
    """
    count, prepared = _begin(circuit, noise, state, num_trajectories, max_bond, batch)
    static, data = _split(prepared)
    parts = [_states(data, static, key, indices) for indices in _chunks(count, batch)]
    train, record = jax.tree.map(lambda *leaves: jnp.concatenate(leaves)[:count], *parts)
    if circuit.num_sites == 1:  # the second qubit is |0>, but the norm may stand in its tensor
        amplitudes = jnp.einsum("tpb,tb->tp", train[:, 0, 0], train[:, 1, :, 0, 0])
        train = amplitudes[:, None, None, :, None]
    return jax.vmap(lambda own: MPS(train=own))(train), jnp.exp(record.log_weight)


def _begin(
    circuit: Circuit,
    noise: NoiseModel | None,
    state: TrainState | None,
    num_trajectories: int,
    max_bond: int,
    batch: int,
) -> tuple[int, _Prepared]:
    """Check the arguments and prepare what all trajectories share."""
    _checks.require_double_precision()
    count = require_count("num_trajectories", num_trajectories)
    require_count("batch", batch)
    initial = zeros(circuit.num_sites) if state is None else state
    if not isinstance(initial, MPS):
        raise ValueError(
            "Argument `state` must be an `MPS`, but is an `MPDO`: trajectories are pure. Average over pure states."
        )
    if initial.num_sites != circuit.num_sites:
        raise ValueError(
            f"Argument `state` must have {circuit.num_sites} sites like the circuit, but has {initial.num_sites}."
        )
    require_count("max_bond", max_bond)
    if initial.bond > max_bond:
        raise ValueError(
            f"Argument `max_bond` must be at least the bond {initial.bond} of the state, but is {max_bond}: "
            "use `compress` on the state first, which reports what it discards."
        )
    return count, _prepare(compile_circuit(circuit, noise), initial.train, max_bond)


def _prepare(program: Program, train: Array, max_bond: int) -> _Prepared:
    """Choose between noise drawn ahead and noise drawn in the state, and arrange the sweeps."""
    if program.num_sites == 1:  # a second qubit that nothing happens to
        train = insert(train, 1, jnp.array([[1.0, 0.0]]))
        program = program._replace(num_sites=2)
    n, chi = train.shape[:2]
    ahead = plan_ahead(program, [chi] * (n - 1), min(max_bond, max(MAX_EXACT, chi))) if program.products else None
    if ahead is not None:
        sizes = (ahead.shapes, ahead.sizes, program.num_draws)
        return _Prepared(program.ones, program.twos, train, (), (ahead.draws, ahead.index), sizes)
    arranged, ranks = arrange(n, program.events, len(program.ones.weights), len(program.twos.weights))
    slots, bonds = [], []
    for first, end, bond in stages(ranks, chi, max_bond):
        kinds = slot_kinds(ranks[first:end], bond)
        slots.append(Slots(kinds, arranged.instruments[first:end], arranged.draws[first:end]))
        bonds.append(bond)
    return _Prepared(
        program.ones, program.twos, train, tuple(slots), None, (tuple(bonds), program.drawn_ahead, program.num_draws)
    )


def _split(prepared: _Prepared) -> tuple[Any, _Prepared]:
    """Return what is static, and the arrays."""
    return prepared.sizes, prepared._replace(sizes=None)


def _chunks(count: int, batch: int) -> list[Array]:
    """Return the indices of all trajectories, in batches of one size."""
    size = min(batch, count)
    return [jnp.arange(first, first + size) for first in range(0, count, size)]


@partial(jax.jit, static_argnames="static")
def _states(data: _Prepared, static: Any, key: Array, indices: Array) -> tuple[Array, Record]:
    """Run trajectories side by side; trains of norm 1, (b, n, chi, 2, chi)."""
    num_draws = static[-1]
    numbers = jax.vmap(lambda index: jax.random.uniform(jax.random.fold_in(key, index), (num_draws + 1,)))(indices)
    if data.ahead is not None:
        shapes, sizes, _ = static
        train = data.train.astype(complex)
        train, logs = run_ahead(train, data.ones, data.twos, data.ahead[0], data.ahead[1], numbers, shapes, sizes)
        still = jnp.zeros_like(logs)
        return train, Record(still, logs, still, still)
    stack = two_site_stack(data.ones, data.twos)
    start = to_centre(data.train.astype(complex), static[0][0] if static[0] else 1)

    def one(own: Array) -> tuple[Array, Record]:
        train, record = start, start_record()
        for slots, bond in zip(data.slots, static[0], strict=True):
            drawn = None
            if static[1]:
                drawn, logs = draw_unitaries(slots, stack, own)
                record = record._replace(log_probability=record.log_probability + logs)
            train, record = sampled_sweeps(train, slots, stack, own, bond, record, drawn)
        return train, record

    train, record = jax.vmap(one)(numbers)
    num_sweeps = sum(slots.kinds.shape[0] for slots in data.slots)
    return jax.vmap(mirror)(train) if num_sweeps % 2 else train, record


def _target(target: TrainState, num_sites: int) -> Array:
    """Return the train of a state of norm 1 with which trajectories are compared.

    Raises:
        ValueError: if it is mixed, or of other sites.
    """
    if not isinstance(target, MPS) or target.num_sites != num_sites:
        what = f"one of {target.num_sites} sites" if isinstance(target, MPS) else type(target).__name__
        raise ValueError(f"Argument `target` must be an `MPS` of {num_sites} sites like the circuit, but is {what}.")
    train: Array = normalise(target).train.astype(complex)
    return insert(train, 1, jnp.array([[1.0, 0.0]])) if num_sites == 1 else train


@partial(jax.jit, static_argnames="static")
def _values(
    data: _Prepared, static: Any, groups: tuple[Strings, ...], target: Array | None, key: Array, indices: Array
) -> tuple[Array, Record]:
    """Return the expectation values (b, o) of normalised trajectories, and the fidelity with a target."""
    train, record = _states(data, static, key, indices)
    values, norms = jax.vmap(lambda state: string_values(state, groups))(train)
    if target is not None:
        shared = jax.vmap(lambda state: jnp.abs(overlap(target, state)) ** 2)(train)
        values = jnp.concatenate([values, shared[:, None]], axis=1)
    return values / jnp.where(norms > 0, norms, 1.0)[:, None], record  # norm 0: impossible, weight 0
