"""What happens when, as data: a timeline of events on the memory slots of the nodes.

    Generate(link, left, right)        a pair of the link appears in two empty slots
    SwapAt(left, right, corrected)     Bell measurement of two slots of a node
    Correct(bits, corrected)           a tracked Pauli correction is applied
    DistillAt(left, right, protocol)   n pairs become one, post-selected
    Local(slots, keeps, position)      any linear map on up to 6 slots: gate, channel, measurement, effect
    Along(slots, position)             an operator train over many slots: correlated noise

Between two events on a slot its memory decays. Events are static; times, maps and operators are numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.circuits.gates import GATES
from qtn.states.basis import ptm
from qtn.states.local import outcome_row
from qtn.steps.distill import DistillationProtocol

Slot: TypeAlias = tuple[int, int]
"""(node, memory); memories below 0 are classical bits, which do not decay."""

MAX_LOCAL = 6
"""Most slots of one `Local` event."""


@dataclass(frozen=True)
class Generate:
    """A pair of `link` appears, corrected to Phi+ as heralded."""

    link: int
    left: Slot
    right: Slot

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Return both slots."""
        return self.left, self.right


@dataclass(frozen=True)
class SwapAt:
    """CX from `left` to `right`, H on `left`, both measured (bits z, x), Z^z X^x on the far end.

    The correction happens at once on `corrected`, or the bits are added to those of `frames` and stay in `bits`.
    """

    left: Slot
    right: Slot
    corrected: Slot | None
    frames: tuple[Slot, ...] = ()
    """Slots of the bits (z, x) of the joined segments: 0, 2 or 4."""
    bits: tuple[Slot, ...] = ()
    """Where the bits (z, x) stay if nothing is corrected at once."""

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Return the measured slots, then the corrected one or the old bits."""
        return (self.left, self.right) + (self.frames if self.corrected is None else (self.corrected,))

    @property
    def keeps(self) -> tuple[Slot, ...]:
        """Return what is left."""
        return self.bits if self.corrected is None else (self.corrected,)


@dataclass(frozen=True)
class Correct:
    """Z^z X^x on `corrected`, controlled by two bits that are then dropped."""

    bits: tuple[Slot, Slot]
    corrected: Slot

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Return the bits and the corrected slot."""
        return (*self.bits, self.corrected)

    @property
    def keeps(self) -> tuple[Slot, ...]:
        """Return what is left."""
        return (self.corrected,)


@dataclass(frozen=True)
class DistillAt:
    """Distill n pairs; the first of `left` and of `right` is the pair that is kept."""

    left: tuple[Slot, ...]
    right: tuple[Slot, ...]
    protocol: DistillationProtocol

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Return the slots of the left node, then those of the right node."""
        return self.left + self.right

    @property
    def keeps(self) -> tuple[Slot, ...]:
        """Return what is left."""
        return self.left[0], self.right[0]


@dataclass(frozen=True)
class Local:
    """A linear map on the Pauli coefficients of `slots`, of which `keeps` are left: matrix `position` of `maps`."""

    slots: tuple[Slot, ...]
    keeps: tuple[Slot, ...]
    position: int


@dataclass(frozen=True)
class Along:
    """An operator train over `slots`, in this order: train `position` of `maps`."""

    slots: tuple[Slot, ...]
    position: int

    @property
    def keeps(self) -> tuple[Slot, ...]:
        """Return all slots."""
        return self.slots


Event: TypeAlias = Generate | SwapAt | Correct | DistillAt | Local | Along


@pytree
class Timeline:
    """Events in time order; `jax.grad` with respect to it returns a `Timeline`."""

    events: tuple[Event, ...] = static()
    times: Float[Array, " events"]
    """When each event happens [s], not decreasing."""
    maps: tuple[Array, ...]
    """Matrices (4^j, 4^k) of `Local`, operator trains (k, w, 4, 4, w) of `Along`."""


@dataclass(frozen=True)
class Step:
    """An event together with its numbers, before `timeline` puts them into place."""

    slots: tuple[Slot, ...]
    keeps: tuple[Slot, ...]
    numbers: Any
    along: bool = False


def local(slots: Sequence[Slot], matrix: Any, keeps: Sequence[Slot] | None = None) -> Step:
    """Apply any linear map: a channel, a gate, a measurement, an effect.

    Args:
        slots: up to 6 memories, also of several nodes (then it is not LOCC, or a correlated environment).
        matrix: (4^j, 4^k) on the Pauli coefficients r_a = tr(P_a rho) of the k `slots`, or an object with `ptm()`.
        keeps: the j slots that are left, in the order of the rows; by default all.

    Raises:
        ValueError: if the shape does not fit.
    """
    slots, keeps = tuple(slots), tuple(slots if keeps is None else keeps)
    array = _checks.real(matrix.ptm() if hasattr(matrix, "ptm") else matrix)
    if not 1 <= len(slots) <= MAX_LOCAL:
        raise ValueError(f"Argument `slots` must name 1 to {MAX_LOCAL} slots, but names {len(slots)}: use `along`.")
    if array.shape != (4 ** len(keeps), 4 ** len(slots)):
        raise ValueError(
            f"Argument `matrix` must have shape {(4 ** len(keeps), 4 ** len(slots))} for {len(slots)} slots of which "
            f"{len(keeps)} are kept, but has {array.shape}."
        )
    if set(keeps) - set(slots) or len(set(slots)) != len(slots):
        raise ValueError(f"Argument `keeps` must name some of the distinct `slots`, but is {list(keeps)}.")
    return Step(slots, keeps, array)


def gate_at(name: str, slots: Sequence[Slot], *angles: Any, channel: Any = None) -> Step:
    """Apply a named gate (`qtn.circuits.gates.GATES`), then a channel on the same slots."""
    if name not in GATES:
        raise ValueError(f"Argument `name` must be one of {', '.join(GATES)}, but is {name!r}.")
    matrix = ptm(GATES[name].matrix(*angles))
    return local(slots, matrix if channel is None else channel.ptm() @ matrix)


def select(slot: Slot, outcome: int, *, axis: str = "Z", readout: Any = 1.0) -> Step:
    """Measure a slot, go on only if `outcome` is reported, and free it."""
    return local((slot,), outcome_row(outcome, axis, readout)[None], ())


def measure_and_correct(measured: Slot, corrected: Slot, pauli: str, *, axis: str = "Z", readout: Any = 1.0) -> Step:
    """Measure a slot, free it, and apply a Pauli to another one where outcome 1 is reported: averaged over outcomes.

    Args:
        measured: slot that is read out.
        corrected: slot that is corrected, of any node.
        pauli: "X", "Y" or "Z".
        axis: of the measurement.
        readout: probability that the outcome is reported right.
    """
    if pauli not in ("X", "Y", "Z"):
        raise ValueError(f"Argument `pauli` must be X, Y or Z, but is {pauli!r}.")
    corrections = (np.eye(4), ptm(GATES[pauli].matrix()))
    parts = [jnp.kron(outcome_row(bit, axis, readout)[None], corrections[bit]) for bit in (0, 1)]
    return local((measured, corrected), parts[0] + parts[1], (corrected,))


def discard_at(slot: Slot) -> Step:
    """Trace a slot out and free it."""
    return local((slot,), np.eye(4)[:1], ())


def hold(slots: Sequence[Slot]) -> list[Step]:
    """Let slots decay until now, and do nothing else."""
    identity = _checks.real(np.eye(4))
    return [Step((slot,), (slot,), identity) for slot in slots]


def along(slots: Sequence[Slot], operator: Any) -> Step:
    """Apply an operator train, such as `correlated_dephasing(sigma, k)`, to k slots of any nodes.

    Args:
        slots: in the order in which they lie along their trains (or the reverse).
        operator: (k, w, 4, 4, w), legs (left, out, in, right), outer bonds use index 0; or an object with `mpo()`.
    """
    train = _checks.real(operator.mpo() if hasattr(operator, "mpo") else operator)
    if train.ndim != 5 or train.shape[0] != len(slots) or train.shape[2:4] != (4, 4):
        raise ValueError(
            f"Argument `operator` must have shape ({len(slots)}, w, 4, 4, w) for {len(slots)} slots, but has "
            f"{train.shape}."
        )
    return Step(tuple(slots), tuple(slots), train, along=True)


def timeline(steps: Sequence[tuple[Any, Event | Step]]) -> Timeline:
    """Build a timeline of (time, event) in the order in which they happen.

    Args:
        steps: times [s] must not decrease; equal times keep the order of the list.

    Raises:
        ValueError: if times decrease, or a slot is filled twice or used while empty.
    """
    events, maps, filled = [], [], set()
    for position, (_, step) in enumerate(steps):
        if isinstance(step, Step):
            kind = Along(step.slots, len(maps)) if step.along else Local(step.slots, step.keeps, len(maps))
            maps.append(step.numbers)
            step = kind
        events.append(step)
        if isinstance(step, Generate):
            taken = filled & set(step.slots)
            if taken or step.left == step.right:
                raise ValueError(
                    f"Event {position} fills slot {min(taken or {step.left})}, which holds a qubit already."
                )
            filled |= set(step.slots)
            continue
        empty = set(step.slots) - filled
        if empty:
            raise ValueError(f"Event {position} ({type(step).__name__}) uses slot {min(empty)}, which is empty.")
        filled = filled - set(step.slots) | set(step.keeps)
    numbers = [time for time, _ in steps]
    if all(isinstance(time, (int, float)) for time in numbers):
        times = _checks.real(np.array(numbers, dtype=float))
    else:
        times = jnp.stack([_checks.real(time) for time in numbers])
    known = _checks.known(times)
    if known is not None and not np.all(np.diff(known) >= 0):
        raise ValueError("Argument `steps` must be in time order, but times decrease.")
    return Timeline(events=tuple(events), times=times, maps=tuple(maps))
