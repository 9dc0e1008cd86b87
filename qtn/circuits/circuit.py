"""Circuits as data: a list of operations, each on many places at once, numbers as leaves.

circuit(3, [gate("H", 0), gate("CX", (0, 1)), gate("RZ", 2, 0.3), gate("RZZ", [(0, 1), (1, 2)], angles)])
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from qtn import _checks, _text
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.channels.convert import require_cptp, require_unitary
from qtn.circuits.gates import GATES

Places = tuple[tuple[int, ...], ...]


@pytree
class Operation:
    """The same kind of operation on one or more places, applied in that order."""

    name: str = static()
    """A gate of `GATES`, or UNITARY, CHANNEL, MEASURE, RESET, PROJECT."""
    sites: Places = static()
    label: str = static(default="")
    """For noise models: a word of the user."""
    parameters: tuple[Array, ...] = ()
    """Angles (m,) of a gate; one (m, D, D) array of matrices for UNITARY and CHANNEL; outcomes (m,) for PROJECT."""


@pytree
class Circuit:
    """Operations on `num_sites` qubits in time order."""

    num_sites: int = static()
    operations: tuple[Operation, ...]


def circuit(num_sites: int, operations: Sequence[Operation]) -> Circuit:
    """Build a circuit; every site of every operation must exist."""
    if isinstance(num_sites, bool) or not isinstance(num_sites, int) or num_sites < 1:
        raise ValueError(f"Argument `num_sites` must be a whole number >= 1, but is {num_sites!r}.")
    for position, operation in enumerate(operations):
        for place in operation.sites:
            for site in place:
                if not 0 <= site < num_sites:
                    raise ValueError(
                        f"Operation {position} ({operation.name}) acts on site {site}, but sites are "
                        f"0..{num_sites - 1}."
                    )
    return Circuit(num_sites=num_sites, operations=tuple(operations))


def gate(name: str, sites: Any, *angles: Any, label: str = "") -> Operation:
    """Apply a named gate on one place or on many.

    Args:
        name: a key of `qtn.circuits.gates.GATES`.
        sites: 3, (0, 1) (control first), or a list of such places.
        angles: one number for all places, or (m,) for m places, per angle [rad].
        label: a word that noise models can refer to; "ideal" keeps every noise away.
    """
    if name not in GATES:
        raise ValueError(
            f"Argument `name` must be one of {', '.join(GATES)}, but is {name!r}{_text.meant(name, GATES) or '.'}"
        )
    family = GATES[name]
    if len(angles) != family.num_parameters:
        raise ValueError(f"Gate {name} takes {family.num_parameters} angles, but {len(angles)} are given.")
    places = _places(sites, family.num_sites, name)
    return Operation(
        name=name, sites=places, label=label, parameters=tuple(_per_place(a, len(places), name) for a in angles)
    )


def unitary(matrix: Any, sites: Any, *, label: str = "") -> Operation:
    """Apply a unitary matrix (2, 2) or (4, 4), or (m, D, D), one for each of m places."""
    _checks.require_double_precision()
    matrix = jnp.asarray(matrix, dtype=complex)
    if matrix.shape[-2:] not in ((2, 2), (4, 4)):
        raise ValueError(f"Argument `matrix` must be (..., 2, 2) or (..., 4, 4), but has shape {matrix.shape}.")
    places = _places(sites, 1 if matrix.shape[-1] == 2 else 2, "UNITARY")
    matrix = jnp.broadcast_to(matrix, (len(places), *matrix.shape[-2:])) if matrix.ndim == 2 else matrix
    if len(matrix) != len(places):
        raise ValueError(f"Argument `matrix` holds {len(matrix)} matrices for {len(places)} places.")
    require_unitary("matrix", matrix)
    return Operation(name="UNITARY", sites=places, label=label, parameters=(matrix,))


def channel(noise: Any, sites: Any, *, label: str = "") -> Operation:
    """Apply a channel: an object with `ptm()`, or a Pauli transfer matrix (4, 4) or (16, 16)."""
    matrix = _checks.real(noise.ptm() if hasattr(noise, "ptm") else noise)
    if matrix.shape not in ((4, 4), (16, 16)):
        raise ValueError(f"Argument `noise` must act on 1 or 2 qubits, but its transfer matrix is {matrix.shape}.")
    require_cptp("noise", matrix)
    places = _places(sites, 1 if matrix.shape[0] == 4 else 2, "CHANNEL")
    stack = jnp.broadcast_to(matrix, (len(places), *matrix.shape))
    return Operation(name="CHANNEL", sites=places, label=label, parameters=(stack,))


def measure(sites: Any, *, label: str = "") -> Operation:
    """Measure in Z and keep the outcome in the qubit as a classical bit, averaged over.

    A CX or CZ controlled by it afterwards is a classically controlled Pauli; `discard` it at the end.
    """
    return Operation(name="MEASURE", sites=_places(sites, 1, "MEASURE"), label=label)


def reset(sites: Any, *, label: str = "") -> Operation:
    """Replace by |0>."""
    return Operation(name="RESET", sites=_places(sites, 1, "RESET"), label=label)


def project(sites: Any, outcomes: Any, *, label: str = "") -> Operation:
    """Post-select outcomes (0 or 1) of a Z measurement; the probability is the `weight` of the final state."""
    places = _places(sites, 1, "PROJECT")
    values = np.broadcast_to(np.asarray(outcomes), (len(places),))
    if not np.isin(values, (0, 1)).all():
        raise ValueError(f"Argument `outcomes` must hold 0 or 1, but is {np.asarray(outcomes).tolist()}.")
    return Operation(name="PROJECT", sites=places, label=label, parameters=(jnp.asarray(values, dtype=jnp.float64),))


def _places(sites: Any, arity: int, name: str) -> Places:
    """Bring 3, (0, 1), [0, 1, 2] or [(0, 1), (2, 3)] into one form."""
    if isinstance(sites, (int, np.integer)) or (arity == 2 and isinstance(sites, tuple) and np.ndim(sites) == 1):
        sites = [sites]
    places: Places = tuple(tuple(int(site) for site in np.atleast_1d(place)) for place in sites)
    for place in places:
        if len(place) != arity or len(set(place)) != arity:
            raise ValueError(f"{name} acts on {arity} different site(s) at a time, but is given {place}.")
    if not places:
        raise ValueError(f"{name} needs at least one place, but `sites` is empty.")
    return places


def _per_place(angle: Any, num_places: int, name: str) -> Array:
    angle = _checks.real(angle)
    if angle.ndim > 1 or (angle.ndim == 1 and angle.shape[0] != num_places):
        raise ValueError(
            f"{name} on {num_places} places takes one angle or {num_places}, but the shape is {angle.shape}."
        )
    return jnp.broadcast_to(angle, (num_places,))
