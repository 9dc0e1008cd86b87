"""In which bases of Paulis operations are diagonal: there they commute, and a copy may stand for the qubit."""

from functools import cache
from typing import Any

import jax
import numpy as np

from qtn import _checks
from qtn.circuits.circuit import Operation
from qtn.circuits.gates import GATES
from qtn.states.basis import PAULI_MATRICES

ANY = "XYZ"
"""The letters of an operand on which nothing is done."""
ONE_QUBIT = {
    "I": ANY,
    **dict.fromkeys(("X", "RX", "SX"), "X"),
    **dict.fromkeys(("Y", "RY"), "Y"),
    **dict.fromkeys(("Z", "S", "SDG", "T", "TDG", "RZ", "P", "MEASURE", "PROJECT"), "Z"),
}


def letters_of_matrix(matrix: np.ndarray) -> tuple[str, ...]:
    """Return for each operand of a (2, 2) or (4, 4) matrix the Paulis in whose basis the matrix is diagonal on it.

    Example:
        >>> letters_of_matrix(np.diag([1, 1, 1, 1j]))
        ('Z', 'Z')
    """
    if len(matrix) == 2:
        return (_partners_absent(np.abs(np.einsum("aij,ji->a", PAULI_MATRICES, matrix))),)
    legs = matrix.reshape(2, 2, 2, 2)
    size = np.abs(np.einsum("aij,bkl,jlik->ab", PAULI_MATRICES, PAULI_MATRICES, legs))
    return _partners_absent(size.max(axis=1)), _partners_absent(size.max(axis=0))


def _partners_absent(weights: np.ndarray) -> str:
    others = {"X": (2, 3), "Y": (1, 3), "Z": (1, 2)}
    return "".join(letter for letter, places in others.items() if weights[list(places)].max() < 1e-12)


@cache
def letters_of_gate(name: str) -> tuple[str, ...] | None:
    """Return the letters of each operand of a named gate, for all its angles; None if the name does not tell."""
    family = GATES.get(name)
    if family is not None and family.span is not None:
        return tuple(side.replace("I", "") for side in family.span)
    if name in ONE_QUBIT:
        return (ONE_QUBIT[name],)
    if family is not None and family.num_parameters == 0:
        with jax.ensure_compile_time_eval():  # a constant, also while JAX traces
            return letters_of_matrix(np.asarray(family.matrix()))
    return None


def letters_of(operation: Operation, place: int) -> tuple[str, ...]:
    """Return the letters of each operand of one place of an operation; "" where it is diagonal in no basis.

    Note:
        Of a UNITARY they follow from its matrix, where that is known; channels are taken as diagonal in no basis.
    """
    found = letters_of_gate(operation.name)
    if found is not None:
        return found
    matrix = _checks.known(operation.parameters[0][place]) if operation.name == "UNITARY" else None
    return ("",) * len(operation.sites[place]) if matrix is None else letters_of_matrix(matrix)


def require_letter(letter: str, gate: Any, matrix: Any, operand: int) -> None:
    """Raise if a gate is known not to be diagonal on an operand in the basis of a letter.

    Raises:
        ValueError: naming the letters that would do.
    """
    if letter not in ANY or len(letter) != 1:
        raise ValueError(f"Argument `letter` must be X, Y or Z, but is {letter!r}.")
    named = letters_of_gate(gate) if isinstance(gate, str) else None
    concrete = _checks.known(matrix)
    if concrete is None and named is None:
        return
    able = letters_of_matrix(concrete)[operand] if concrete is not None else named[operand]  # pyright: ignore[reportOptionalSubscript]
    if letter not in able:
        raise ValueError(
            "Argument `letter` must be one in whose basis the gate is diagonal on the copied operand, but is "
            f"{letter}: " + (f"take {' or '.join(able)}." if able else "there is none; copy the other operand.")
        )


def letter_for(gate: Any, matrix: Any, operand: int) -> str:
    """Return the letter in whose basis an operand of a gate can be copied; "" for none.

    Args:
        gate: its name, or anything else for a matrix.
        matrix: (4, 4).
        operand: 0 or 1.

    Raises:
        ValueError: if the matrix is traced and has no name.
    """
    named = letters_of_gate(gate) if isinstance(gate, str) else None
    if named is None and _checks.known(matrix) is None:
        raise ValueError("Argument `letter` must be given (X, Y or Z) where the matrix of the gate is traced.")
    found = letters_of_matrix(np.asarray(matrix)) if named is None else named
    return found[operand][-1:]
