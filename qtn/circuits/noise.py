"""Which noise follows which operation."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import numpy as np

from qtn._pytree import pytree
from qtn.channels.pauli import Depolarising
from qtn.circuits.gates import GATES, letters_basis
from qtn.states.basis import PAULI_MATRICES
from qtn.tensors.program import Span

IDEAL = "ideal"
"""Operations with this label stay without noise."""


@pytree
class NoiseModel:
    """Channels attached to operations; each is applied after the operation, in the order of the fields.

    Numbers of the channels are leaves: the gradient of a run with respect to a `NoiseModel` is a `NoiseModel`.
    """

    one_qubit: Any
    """After every named one-qubit gate and UNITARY without a rule of its own name; a channel or None."""
    two_qubit: Any
    """The same for two-qubit gates; a two-qubit channel, or a one-qubit channel for each of the two."""
    by_name: dict[str, Any]
    """{"CX": channel, "MEASURE": channel}: instead of the two above."""
    by_label: dict[str, Any]
    """{label: channel}: in addition."""
    by_site: dict[int, Any]
    """{site: one-qubit channel}: in addition, on this site, whenever an operation touches it; not after MEASURE, which
    leaves a record there: give that its own by name."""


def noise_model(
    *,
    one_qubit: Any = None,
    two_qubit: Any = None,
    by_name: Mapping[str, Any] | None = None,
    by_label: Mapping[str, Any] | None = None,
    by_site: Mapping[int, Any] | None = None,
) -> NoiseModel:
    """Build a noise model from channels (objects with `ptm()` and `num_qubits`)."""
    for name in by_name or {}:
        if name not in (*GATES, "UNITARY", "CHANNEL", "MEASURE", "RESET", "PROJECT"):
            raise ValueError(f"Argument `by_name` must use names of operations, but holds {name!r}.")
    if IDEAL in (by_label or {}):
        raise ValueError(f"Argument `by_label` must not hold {IDEAL!r}: that label keeps noise away.")
    for key, noise in (("one_qubit", one_qubit), *(by_site or {}).items()):
        if noise is not None and noise.num_qubits != 1:
            raise ValueError(f"Argument `{key}` must be a one-qubit channel, but acts on {noise.num_qubits}.")
    return NoiseModel(
        one_qubit=one_qubit,
        two_qubit=two_qubit,
        by_name=dict(by_name or {}),
        by_label=dict(by_label or {}),
        by_site=dict(by_site or {}),
    )


def require_places(model: NoiseModel, num_sites: int, labels: Collection[str]) -> None:
    """Check that what a noise model says of labels and sites means something in a circuit.

    Raises:
        ValueError: if no operation has one of its labels, or there is no such site.
    """
    for label in model.by_label:
        if label not in labels:
            known = ", ".join(sorted(map(repr, set(labels) - {""}))) or "none"
            raise ValueError(
                f"Argument `noise`: by_label holds {label!r}, but no operation of the circuit has this label (it has "
                f"{known}); give the operation `label={label!r}`, or leave the entry out."
            )
    for site in model.by_site:
        if site not in range(num_sites):
            raise ValueError(f"Argument `noise`: by_site holds {site!r}, but sites are 0..{num_sites - 1}.")


def following(model: NoiseModel, name: str, label: str, place: tuple[int, ...]) -> list[tuple[Any, tuple[int, ...]]]:
    """Return the channels that follow an operation, each with its sites."""
    if label == IDEAL:
        return []
    found = []
    if name in model.by_name:
        found.append(model.by_name[name])
    elif name in GATES or name == "UNITARY":
        found.append(model.one_qubit if len(place) == 1 else model.two_qubit)
    if label in model.by_label:
        found.append(model.by_label[label])
    entries = []
    for noise in found:
        if noise is None:
            continue
        if noise.num_qubits > len(place):
            raise ValueError(f"A {noise.num_qubits}-qubit channel cannot follow {name} on {place}.")
        entries += [(noise, place)] if noise.num_qubits == len(place) else [(noise, (site,)) for site in place]
    if name == "MEASURE":
        return entries
    return entries + [(model.by_site[site], (site,)) for site in place if site in model.by_site]


@cache
def gate_span(name: str, mixed: bool) -> Span | None:
    """Return the spans of the factors of a named two-site gate."""
    letters = GATES[name].span if name in GATES else None
    if letters is None:
        return None
    if not mixed:
        return letters_basis(letters[0]), letters_basis(letters[1])
    left, right = (_mixed_basis(letters_basis(side)) for side in letters)
    return left, right


def _mixed_basis(operators: np.ndarray) -> np.ndarray:
    """Return a real orthonormal basis of the transfer matrices of rho -> A rho B^H, A and B in the span."""
    p = PAULI_MATRICES  # in NumPy: spans are structure, also while JAX traces
    maps = np.einsum("iab,rbc,jcd,sad->rsij", p, operators, p, operators.conj()).reshape(-1, 16) / 2
    _, s, vh = np.linalg.svd(np.concatenate([maps.real, maps.imag]))
    return vh[: int(np.sum(s > 1e-12 * s[0]))].reshape(-1, 4, 4)


def channel_span(noise: Any) -> Span | None:
    """Return the spans of the factors of a two-qubit channel, for all its parameters."""
    if isinstance(noise, Depolarising):  # (1 - p) identity + p |II><II|
        both = np.stack([np.eye(4) / 2, np.diag([1.0, 0, 0, 0])])
        return both, both
    return None
