"""A noisy circuit as instruments: every gate one operator, every channel a set of operators with weights."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from qtn import _checks
from qtn._array import Array, library
from qtn.channels.convert import choi_from_ptm, known_kraus, pauli_strings
from qtn.channels.pauli import Dephasing, Depolarising, PauliNoise
from qtn.circuits.circuit import Circuit
from qtn.circuits.gates import GATES
from qtn.circuits.noise import NoiseModel, following, gate_span, require_places
from qtn.tensors.instruments import Instruments
from qtn.tensors.slots import Event

ZERO_ONE = np.array([np.diag([1.0, 0.0]), np.diag([0.0, 1.0])])
"""Operators of a Z measurement."""
TO_ZERO = np.array([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]])
"""Operators of a reset."""
SMALLEST = 1e-15
"""Weights below this are never drawn: no derivative."""


class Program(NamedTuple):
    """A circuit with its noise, ready to be unravelled."""

    num_sites: int
    events: tuple[Event, ...]
    num_draws: int
    drawn_ahead: bool
    """All that is random are mixtures of unitaries: nothing depends on the state."""
    products: bool
    """They are products over sites, too: nothing raises a bond."""
    ones: Instruments
    twos: Instruments


GENERAL, UNITARY, PAULI = range(3)
"""What the operators of an instrument are: anything, unitary, all Pauli strings in order."""


def instruments_of(noise: Any) -> tuple[Any, Any, int]:
    """Return weights (k,), operators (k, D, D), and what they are: GENERAL, UNITARY or PAULI.

    Args:
        noise: an object with `ptm()` and perhaps `kraus()`, or a Pauli transfer matrix.

    Note:
        Mixtures of Paulis are found by their type, or by their diagonal transfer matrix where it is known. A transfer
        matrix without `kraus()` is decomposed into the eigenvectors of its Choi matrix; the derivative of those with
        respect to the matrix is not provided (NaN).
    """
    if isinstance(noise, Dephasing):
        return _drawable(jnp.stack([1 - noise.p, noise.p])), jnp.asarray(pauli_strings(1)[[0, 3]]), UNITARY
    if isinstance(noise, PauliNoise):
        rest = 1 - noise.px - noise.py - noise.pz
        return _drawable(jnp.stack([rest, noise.px, noise.py, noise.pz])), jnp.asarray(pauli_strings(1)), PAULI
    if isinstance(noise, Depolarising):
        strings = pauli_strings(noise.num_qubits)
        weights = jnp.full(len(strings), noise.p / len(strings)).at[0].add(1 - noise.p)
        return _drawable(weights), jnp.asarray(strings), PAULI
    matrix = _checks.real(noise.ptm() if hasattr(noise, "ptm") else noise)
    concrete = _checks.known(matrix)
    if concrete is not None and np.allclose(concrete, np.diag(np.diag(concrete)), rtol=0, atol=1e-15):
        return *_pauli_mixture(np.diag(concrete)), PAULI
    if hasattr(noise, "kraus"):
        return _unitary_mixture(jnp.asarray(noise.kraus(), dtype=complex))
    return _unitary_mixture(_traced_kraus(matrix) if concrete is None else known_kraus(concrete))


def _pauli_mixture(diagonal: np.ndarray) -> tuple[Any, Any]:
    """Return the probabilities of all Pauli strings from the diagonal of a transfer matrix, and the strings."""
    strings = pauli_strings(1 if len(diagonal) == 4 else 2)
    signs = np.real(np.einsum("aij,bjk,akl,bli->ab", strings, strings, strings, strings)) / strings.shape[1]
    weights = signs @ diagonal / len(strings)
    return np.where(weights > SMALLEST, weights, 0.0), strings


@jax.custom_jvp
def _drawable(weights: Array) -> Array:
    """Return weights; derivatives are NaN where one of them is zero: what is never drawn cannot be differentiated."""
    return jnp.maximum(weights, 0.0)


@_drawable.defjvp
def _drawable_jvp(primals, tangents):
    all_drawn = jnp.all(primals[0] > SMALLEST)
    return _drawable(*primals), tangents[0] * jnp.where(all_drawn, 1.0, jnp.nan)


def _unitary_mixture(kraus: Any) -> tuple[Any, Any, int]:
    """Divide operators that are multiples of unitaries by their norm, where all are and values are known."""
    concrete = _checks.known(kraus)
    if concrete is not None:
        squares = np.einsum("kba,kbc->kac", concrete.conj(), concrete)
        weights = np.real(np.trace(squares, axis1=1, axis2=2)) / concrete.shape[1]
        if np.allclose(squares, weights[:, None, None] * np.eye(concrete.shape[1]), rtol=0, atol=1e-14):
            kept = weights > SMALLEST
            return weights[kept], concrete[kept] / np.sqrt(weights[kept])[:, None, None], UNITARY
    return np.ones(len(kraus)), kraus, GENERAL


@jax.custom_jvp
def _traced_kraus(matrix: Array) -> Array:
    """Return Kraus operators of a traced transfer matrix, as many as it can have."""
    size = round(matrix.shape[0] ** 0.5)
    values, vectors = jnp.linalg.eigh(choi_from_ptm(matrix))
    return jnp.transpose((jnp.sqrt(jnp.maximum(values, 0.0)) * vectors).T.reshape(-1, size, size), (0, 2, 1))


@_traced_kraus.defjvp
def _traced_kraus_jvp(primals, tangents):
    kraus = _traced_kraus(*primals)
    return kraus, jnp.broadcast_to(jnp.sum(tangents[0]) * jnp.nan, kraus.shape).astype(kraus.dtype)


class _Stack:
    """Instruments on one number of sites, collected."""

    def __init__(self, arity: int) -> None:
        self.size, self.rows, self.places, self.kept = 2**arity, [], {}, []

    def add(self, name: Any, make: Any) -> tuple[int, int, int]:
        """Store weights (m, k) and operators (m, k, D, D) once a name: the first index, k, and what they are."""
        if name not in self.places:
            weights, operators, kind = make()
            first = sum(len(row[0]) for row in self.rows)
            self.rows.append((weights, operators))
            self.places[name] = first, operators.shape[1], kind
        return self.places[name]

    def stacked(self) -> Instruments:
        """Return all of them, padded to the same number of operators."""
        most = max((row[0].shape[1] for row in self.rows), default=1)
        known = [(np.zeros((0, most)), np.zeros((0, most, self.size, self.size), complex))]
        for weights, operators in self.rows:
            xp, extra = library(weights, operators), most - weights.shape[1]
            padded = xp.pad(operators, ((0, 0), (0, extra), (0, 0), (0, 0)))
            known.append((xp.pad(weights, ((0, 0), (0, extra))), padded))
        return Instruments(*(jnp.asarray(library(*parts).concatenate(parts)) for parts in zip(*known, strict=True)))


def compile_circuit(circuit: Circuit, noise: NoiseModel | None) -> Program:
    """Turn a circuit and its noise into events on instruments.

    Args:
        circuit: any circuit that `run` accepts.
        noise: any noise model that `run` accepts.
    """
    if noise is not None:
        require_places(noise, circuit.num_sites, {op.label for op in circuit.operations})
    stacks, events, ahead, products, draws = {1: _Stack(1), 2: _Stack(2)}, [], True, True, 0

    def append(place: tuple[int, ...], index: int, count: int, kind: int, span: Any) -> None:
        nonlocal draws, ahead, products
        ahead = ahead and kind != GENERAL
        products = products and (kind == PAULI or len(place) == 1 or count == 1)
        events.append(Event(place, index, draws if count > 1 else -1, span))
        draws += count > 1

    for number, op in enumerate(circuit.operations):
        arity = len(op.sites[0])
        constant = op.name in GATES and GATES[op.name].num_parameters == 0
        named = op.name if constant else (op.name, number)
        if op.name == "CHANNEL":
            rows = [_channel(stacks[arity], noise_matrix) for noise_matrix in _distinct(op.parameters[0])]
        else:
            first, count, kind = stacks[arity].add(named, lambda op=op: _family(op.name, op.parameters))
            step = 0 if constant or op.name in ("MEASURE", "RESET") else 1
            span = gate_span(op.name, False) if arity == 2 else None
            rows = [(first + step * offset, count, kind, span) for offset in range(len(op.sites))]
        for place, row in zip(op.sites, rows, strict=True):
            append(place, *row)
            for attached, where in [] if noise is None else following(noise, op.name, op.label, place):
                append(where, *_channel(stacks[len(where)], attached))
    return Program(
        circuit.num_sites, tuple(events), draws, ahead, ahead and products, stacks[1].stacked(), stacks[2].stacked()
    )


def _distinct(matrices: Array) -> list[Any]:
    """Return the matrices, equal ones as the same object where values are known."""
    concrete = _checks.known(matrices)
    if concrete is None:
        return list(matrices)
    seen: dict[bytes, Any] = {}
    return [seen.setdefault(matrix.tobytes(), matrix) for matrix in concrete]


PRODUCT = np.zeros((1, 2, 2)), np.zeros((1, 2, 2))
"""Stands for the span of operators that are products over the two sites: they do not raise the rank."""


def _channel(stack: _Stack, noise: Any) -> tuple[int, int, int, Any]:
    """Store a channel: its index, number of operators, what they are, and their span."""

    def make() -> tuple[Array, Array, int]:
        weights, operators, kind = instruments_of(noise)
        return weights[None], operators[None], kind

    first, count, kind = stack.add(id(noise), make)
    stack.kept.append(noise)  # so that no other object gets its id
    return first, count, kind, PRODUCT if kind == PAULI else None


def _family(name: str, values: tuple[Array, ...]) -> tuple[Array, Array, int]:
    """Return the instruments (m, k) of all operations of one name."""
    if name in ("MEASURE", "RESET"):
        operators = jnp.asarray(ZERO_ONE if name == "MEASURE" else TO_ZERO, dtype=complex)[None]
    elif name == "PROJECT":
        outcome = values[0][:, None, None]
        operators = ((1 - outcome) * ZERO_ONE[0] + outcome * ZERO_ONE[1]).astype(complex)[:, None]
    elif name == "UNITARY":
        operators = values[0][:, None]
    elif GATES[name].num_parameters:
        operators = jax.vmap(GATES[name].matrix)(*values)[:, None].astype(complex)
    else:
        operators = GATES[name].matrix()[None, None].astype(complex)
    return jnp.ones(operators.shape[:2]), operators, UNITARY if name in GATES or name == "UNITARY" else GENERAL
