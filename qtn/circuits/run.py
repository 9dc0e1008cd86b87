"""Run a circuit: a pure state while nothing is noisy, a mixed state else."""

import warnings
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Bool, Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.circuits.circuit import Circuit
from qtn.circuits.gates import GATES
from qtn.circuits.noise import NoiseModel, channel_span, following, gate_span, require_places
from qtn.states.basis import TRACE, ptm
from qtn.states.measures import positivity_probe
from qtn.states.trains import MPDO, MPS, ORTHONORMAL, TrainState, to_mixed, weight, zeros
from qtn.tensors.execute import Executed, run_operations
from qtn.tensors.program import Operation as Step
from qtn.tensors.split import truncation

DEPHASE = np.diag([1.0, 0.0, 0.0, 1.0])
RESET = np.outer([1.0, 0.0, 0.0, 1.0], TRACE)


@pytree
class RunInfo:
    """How accurate a run was."""

    discarded: Float[Array, "sweeps bonds"]
    """Discarded weight (squared 2-norm, of amplitudes or of rho) per bond and lossy sweep, or lossy operation."""
    fidelity_estimate: Float[Array, ""]
    """Product over sweeps of the fraction of the squared 2-norm that was kept; 1 where nothing was discarded."""
    weight: Float[Array, ""]
    """Norm squared or trace of the result: never rescaled, so it includes the probability of what was post-selected."""
    trace_drift: Float[Array, ""]
    """For an `MPDO` without post-selection: trace minus one; nan where it says nothing."""
    smallest_eigenvalue: Float[Array, ""]
    """For a truncated `MPDO`: smallest eigenvalue of all neighbouring pairs; negative = truncation broke positivity."""
    degenerate: Bool[Array, ""]
    """A cut went through a multiplet of equal singular values."""
    rank_deficient: Bool[Array, ""]
    """Zero singular values were kept: derivatives with respect to rank-raising numbers may be incomplete."""

    def sentences(self) -> list[str]:
        """Describe what deserves attention, with a cure."""
        lines = [f"Kept {float(self.fidelity_estimate):.12g} of the squared norm (estimate of the fidelity)."]
        if float(self.fidelity_estimate) < 1 - 1e-6:
            lines.append("Bonds were cut: increase `max_bond` until the number you need stops changing.")
        if abs(float(self.trace_drift)) > 1e-9:
            lines.append(f"The trace drifted by {float(self.trace_drift):.2e}: truncation does not preserve it.")
        if float(self.smallest_eigenvalue) < -1e-9:
            lines.append(
                f"A reduced state has the eigenvalue {float(self.smallest_eigenvalue):.2e}: increase `max_bond`."
            )
        if bool(self.degenerate):
            lines.append("A cut went through equal singular values: derivatives there do not exist; change `max_bond`.")
        if bool(self.rank_deficient):
            lines.append(
                "Zero singular values were kept: derivatives that would raise the rank are missing; increase "
                "`max_bond` until nothing is cut, or move off the special point."
            )
        return lines


def run(
    circuit: Circuit,
    noise: NoiseModel | None = None,
    *,
    state: TrainState | None = None,
    max_bond: int = 64,
    relative: Any = 0.0,
    checkpoint: bool = False,
) -> tuple[TrainState, RunInfo]:
    """Run a circuit on |0...0> or on `state`.

    Args:
        circuit: see `qtn.circuit`.
        noise: attached to gates by name, label or site; None for none.
        state: what to start from, an `MPS` or an `MPDO` of `circuit.num_sites` sites.
        max_bond: static; below it every gate is exact, above it bonds are cut to the dominant subspace.
        relative: singular values below this fraction of the largest are dropped when a bond is cut. Outside `jit` and
            `grad` the bonds are then only as wide as needed: faster, and equal up to what is discarded; on a CPU
            operations then run one by one, and nothing is compiled.
        checkpoint: recompute sweeps in the reverse pass: less memory, one more forward pass.

    Returns:
        state: `MPS` if `state` is pure, noise is None and every operation is a gate, UNITARY or PROJECT, else `MPDO`.
        info: discarded weights, an estimate of the fidelity, trace drift, positivity.

    Warns:
        MissingSlopesWarning: outside `jit`, if it is differentiated where cuts hide slopes (`info.rank_deficient`).

    Note:
        Differentiable with respect to all angles, matrices, noise parameters and the initial state; exact while
        nothing is cut. Where a program never cuts, derivatives are exact at special points too (angle 0, noise 0).
        Compile time does not depend on the number of sites, gates or layers.

    Example:
        >>> from qtn.circuits.circuit import circuit, gate
        >>> from qtn.states import ghz, fidelity_to
        >>> ladder = circuit(5, [gate("H", 0), gate("CX", [(0, 1), (1, 2), (2, 3), (3, 4)])])
        >>> state, info = run(ladder)
        >>> type(state).__name__, state.bond, round(float(fidelity_to(state, ghz(5))), 12)
        ('MPS', 2, 1.0)
    """
    prepared = prepare(circuit, noise, state)
    rule = truncation(max_bond, relative=relative)
    done = run_operations(prepared.train, prepared.steps, prepared.ones, prepared.twos, rule, checkpoint=checkpoint)
    final, info = finished(prepared, done)
    warn_of_missing_slopes(info, (circuit, noise, state))
    return final, info


class Prepared(NamedTuple):
    """A circuit with its noise and its initial state, as the engine takes them."""

    pure: bool
    selects: bool
    """Whether anything is post-selected."""
    train: Array
    """Amplitudes, or orthonormal Pauli coefficients."""
    steps: list[Step]
    ones: Array
    twos: Array


def prepare(circuit: Circuit, noise: NoiseModel | None, state: TrainState | None) -> Prepared:
    """Check a circuit and its initial state, and choose between a pure and a mixed run."""
    _checks.require_double_precision()
    if noise is not None:
        require_places(noise, circuit.num_sites, {op.label for op in circuit.operations})
    initial = zeros(circuit.num_sites) if state is None else state
    if initial.num_sites != circuit.num_sites:
        raise ValueError(
            f"Argument `state` must have {circuit.num_sites} sites like the circuit, but has {initial.num_sites}."
        )
    pure = noise is None and isinstance(initial, MPS) and all(_is_pure(op.name) for op in circuit.operations)
    initial = initial if pure else to_mixed(initial)
    steps, ones, twos = _compile(circuit, noise, mixed=not pure)
    train = initial.train if pure else initial.train * ORTHONORMAL
    selects = any(op.name == "PROJECT" for op in circuit.operations)
    return Prepared(pure=pure, selects=selects, train=train, steps=steps, ones=ones, twos=twos)


def finished(prepared: Prepared, done: Executed) -> tuple[TrainState, RunInfo]:
    """Return the state and the report of a run."""
    final = MPS(train=done.train) if prepared.pure else MPDO(train=done.train / ORTHONORMAL)
    return final, _report(final, done, prepared.selects)


class MissingSlopesWarning(UserWarning):
    """Derivatives of a run are incomplete."""


def warn_of_missing_slopes(info: RunInfo, inputs: Any) -> None:
    """Warn if a run that is differentiated, outside `jit`, kept singular values of 0: they have no slopes."""
    differentiated = any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(inputs))
    deficient = _checks.known(jax.lax.stop_gradient(info.rank_deficient)) if differentiated else None
    if deficient is not None and deficient:
        warnings.warn(
            "Derivatives of this run may be incomplete: a bond was cut where singular values are 0, and what would "
            "raise them is missing. Increase `max_bond` until nothing is cut, or move off the special point (an angle "
            "or a noise of 0).",
            MissingSlopesWarning,
            stacklevel=3,
        )


def _is_pure(name: str) -> bool:
    return name in GATES or name in ("UNITARY", "PROJECT")


def _compile(circuit: Circuit, noise: NoiseModel | None, *, mixed: bool) -> tuple[list[Step], Array, Array]:
    """Return the steps, and the stacks of one- and two-site matrices they index."""
    groups: dict[tuple[str, int], list[Any]] = {}
    counts: dict[tuple[str, int], int] = {}
    records: list[tuple[tuple[int, ...], tuple[str, int], int, Any]] = []
    channels: dict[int, tuple[tuple[str, int], int]] = {}

    def store(key: tuple[str, int], parameters: Any, number: int) -> int:
        first = counts.get(key, 0)
        groups.setdefault(key, []).append(parameters)
        counts[key] = first + number
        return first

    for op in circuit.operations:
        key = (op.name, len(op.sites[0]))
        first = store(key, op.parameters, len(op.sites))
        span = gate_span(op.name, mixed) if key[1] == 2 else None
        for offset, place in enumerate(op.sites):
            records.append((place, key, first + offset, span))
            for attached, where in [] if noise is None else following(noise, op.name, op.label, place):
                if id(attached) not in channels:
                    matrix = attached.ptm()
                    around = ("CHANNEL", len(where))
                    channels[id(attached)] = (around, store(around, (matrix[None],), 1))
                around, index = channels[id(attached)]
                records.append((where, around, index, channel_span(attached) if len(where) == 2 else None))
    sizes = tuple(sorted((key, count) for key, count in counts.items()))
    stacked = {key: jax.tree.map(lambda *parts: jnp.concatenate(parts), *parts) for key, parts in groups.items()}
    ones, twos = _matrices(tuple(stacked[key] for key, _ in sizes), sizes, mixed)
    starts, totals = {}, {1: 0, 2: 0}
    for key, count in sizes:
        starts[key] = totals[key[1]]
        totals[key[1]] += 1 if _is_constant(key[0]) else count
    steps = [
        Step(place, starts[key] + (0 if _is_constant(key[0]) else index), span) for place, key, index, span in records
    ]
    return steps, ones, twos


def _is_constant(name: str) -> bool:
    """Tell whether the operation has no numbers."""
    return name in ("MEASURE", "RESET") or (name in GATES and GATES[name].num_parameters == 0)


@partial(jax.jit, static_argnames=("sizes", "mixed"))
def _matrices(
    parameters: tuple[Any, ...], sizes: tuple[tuple[tuple[str, int], int], ...], mixed: bool
) -> tuple[Array, Array]:
    """Return all one- and all two-site matrices, in the order of `sizes`."""
    dtype, d = (jnp.float64, 4) if mixed else (jnp.complex128, 2)
    stacks = {1: [jnp.zeros((0, d, d), dtype)], 2: [jnp.zeros((0, d * d, d * d), dtype)]}
    for ((name, arity), _), values in zip(sizes, parameters, strict=True):
        stacks[arity].append(_family(name, values, mixed).astype(dtype))
    return jnp.concatenate(stacks[1]), jnp.concatenate(stacks[2])


def _family(name: str, values: tuple[Array, ...], mixed: bool) -> Array:
    """Return the matrices of all operations of one name, (m, D, D)."""
    if name == "CHANNEL":
        return values[0]
    if name in ("MEASURE", "RESET"):
        return jnp.asarray(DEPHASE if name == "MEASURE" else RESET)[None]
    if name == "PROJECT":
        outcome = values[0][:, None, None]
        kets = (1 - outcome) * jnp.diag(jnp.array([1.0, 0.0])) + outcome * jnp.diag(jnp.array([0.0, 1.0]))
        return ptm(kets) if mixed else kets
    if name == "UNITARY":
        matrices = values[0]
    elif GATES[name].num_parameters:
        matrices = jax.vmap(GATES[name].matrix)(*values)
    else:
        matrices = GATES[name].matrix()[None]
    return ptm(matrices) if mixed else matrices


@partial(jax.jit, static_argnames="selects")
def _report(state: TrainState, done: Executed, selects: bool) -> RunInfo:
    lost = jnp.sum(done.cuts.discarded_weight, axis=1)
    before = done.weight + lost
    kept = jnp.prod(jnp.where(before > 0, done.weight / jnp.where(before > 0, before, 1.0), 1.0))
    total = jax.lax.stop_gradient(weight(state))
    nan = jnp.asarray(jnp.nan)
    lowest = positivity_probe(state) if isinstance(state, MPDO) and done.weight.shape[0] > 0 else nan
    return RunInfo(
        discarded=done.cuts.discarded_weight,
        fidelity_estimate=jax.lax.stop_gradient(kept),
        weight=total,
        trace_drift=total - 1 if isinstance(state, MPDO) and not selects else nan,
        smallest_eigenvalue=jax.lax.stop_gradient(lowest),
        degenerate=jnp.any(done.cuts.degenerate),
        rank_deficient=jnp.any(done.cuts.rank_deficient),
    )
