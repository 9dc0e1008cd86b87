"""The pieces of remote gates as Pauli transfer matrices: copy a qubit through a pair, measure the copy, teleport.

    copy:  CX(q, eA), read eA, X on eB where it is 1        a|0> + b|1> -> a|00> + b|11>
    close: H on eB, read eB, Z on q where it is 1           a|00> + b|11> -> a|0> + b|1>
    move:  CX(q, eA), H on q, read both, X and Z on eB

eA and eB are the halves of a pair; |0> and |1> may be the eigenstates of any Pauli (qubit and copy are turned). All
maps are averaged over outcomes, and linear in the sixteen coefficients of the pair.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array, library
from qtn.evaluators.outcome import Result, Summary
from qtn.hardware.memory import Memory
from qtn.hardware.node import Node
from qtn.states.basis import PAULI_MATRICES, ptm
from qtn.states.pair import pauli_from_bell

X_SIGNS = np.array([1.0, 1.0, -1.0, -1.0])
"""Signs that X gives to I, X, Y, Z."""
Z_SIGNS = np.array([1.0, -1.0, -1.0, 1.0])
CNOT = ptm(np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], dtype=complex))
HADAMARD = ptm(np.array([[1, 1], [1, -1]]) / np.sqrt(2) + 0j)
ZERO = np.array([1.0, 0.0, 0.0, 1.0])
"""|0>."""
FRAMES = {  # unitaries V with V Z V^H = the letter
    "X": np.array([[1, 1], [1, -1]]) / np.sqrt(2),
    "Y": np.array([[1, 1], [1j, -1j]]) / np.sqrt(2),
    "Z": np.eye(2),
}


class Ends(NamedTuple):
    """What is imperfect at the two processors of a pair, as numbers."""

    two_qubit: tuple[Any, Any]
    """p2 of the gates of source and target."""
    readout: tuple[Any, Any]
    """2 eta - 1."""
    one_qubit: tuple[Any, Any]
    """p1 of one-qubit gates."""
    stored: tuple[tuple[Any, Any], tuple[Any, Any]]
    """[reader][owner]: (4, 4), what storage does at `owner` while `reader` reads out and its message travels."""


def storage(memory: Memory, duration: Any) -> Float[Array, "4 4"]:
    """Return the Pauli transfer matrix of a memory that holds a qubit for `duration` [s].

    Note:
        Exact, differentiable.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.hardware.memory import dephasing_memory
        >>> storage(dephasing_memory(t2=1.0), 0.0).diagonal().tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    rates, equilibrium = memory.pauli_rates(), memory.equilibrium()
    xp = library(rates, duration)
    kept = xp.exp(-rates * duration)
    pull = np.zeros((4, 4))
    pull[3, 0] = equilibrium
    return xp.diag(xp.concatenate([xp.ones(1), kept])) + (1 - kept[2]) * pull


def ends_of(source: Any, target: Any, one_qubit: Any, latency: Any) -> Ends:
    """Collect the numbers of two processors.

    Args:
        source: node of the qubit that is copied or moved.
        target: node to which it goes.
        one_qubit: p1 in [0, 1] of H and of the corrections, or (p1 of source, p1 of target).
        latency: time of a message [s].

    Raises:
        TypeError: if a node is something else.
        ValueError: if a node measures by linear optics, or a number lies outside its range.
    """
    for name, given in (("source", source), ("target", target)):
        if not isinstance(given, Node):
            raise TypeError(f"The {name} node must be built by `node(memory, gates(...))`, but is {given!r:.80}.")
        if given.optics is not None:
            raise ValueError(
                f"Remote gates need gates and readouts, but the {name} node measures by linear optics: build it with "
                "`node(memory, gates(two_qubit, readout))`."
            )
    first, second = both(one_qubit)
    nodes, travel = (source, target), _checks.non_negative_finite("latency", latency)
    return Ends(
        two_qubit=(source.gates.two_qubit, target.gates.two_qubit),
        readout=(2 * source.gates.readout - 1, 2 * target.gates.readout - 1),
        one_qubit=(_checks.probability("one_qubit", first), _checks.probability("one_qubit", second)),
        stored=tuple(  # pyright: ignore[reportArgumentType]
            tuple(storage(owner.memory, travel + reader.gates.readout_time) for owner in nodes) for reader in nodes
        ),
    )


def both(one_qubit: Any) -> tuple[Any, Any]:
    """Return p1 of both processors from one number, or one for each.

    Raises:
        ValueError: if it holds other than two.
    """
    if not isinstance(one_qubit, (tuple, list)) and np.ndim(one_qubit) == 0:
        return one_qubit, one_qubit
    if (isinstance(one_qubit, (tuple, list)) or np.ndim(one_qubit) == 1) and len(one_qubit) == 2:
        return one_qubit[0], one_qubit[1]
    raise ValueError(
        "Argument `one_qubit` must be one number or two, one for each processor, but has the shape "
        f"{np.shape(one_qubit)}."
    )


def pair_coefficients(pair: Any, name: str = "pair") -> Float[Array, "4 4"]:
    """Return the Pauli coefficients of a pair.

    Args:
        pair: (4, 4) Pauli coefficients, (4,) Bell weights, or a result such as an `Outcome`.
        name: of the argument, for errors.

    Raises:
        ValueError: if it is no state.
    """
    given = pair.state if isinstance(pair, (Summary, Result)) else pair
    state = _checks.real(given)
    if state.shape == (4,):
        state = pauli_from_bell(state)
    if state.shape != (4, 4):
        raise ValueError(
            f"Argument `{name}` must hold (4, 4) Pauli coefficients or (4,) Bell weights, or be an outcome, but has "
            f"the shape {tuple(state.shape)}."
        )
    concrete = _checks.known(state)
    if concrete is not None:
        matrix = np.einsum("ab,aij,bkl->ikjl", concrete, PAULI_MATRICES, PAULI_MATRICES).reshape(4, 4) / 4
        lowest = np.linalg.eigvalsh(matrix)[0] if np.isfinite(concrete).all() else np.nan
        if not (abs(concrete[0, 0] - 1) <= 1e-9 and lowest >= -1e-9):
            raise ValueError(
                f"Argument `{name}` must be a state, but has the trace {concrete[0, 0]:.12g} and the lowest eigenvalue "
                f"{lowest:.3g}."
            )
    return state


def mixing(p: Any, size: int) -> Array:
    """Return the diagonal (1, p, ..., p) of depolarising noise that keeps its qubits with probability p."""
    xp = library(p)
    return xp.concatenate([xp.ones(1), p * xp.ones(size - 1)])


def _frame(letter: str) -> Any:
    if letter not in FRAMES:
        raise ValueError(f"Argument `letter` must be X, Y or Z, but is {letter!r}.")
    return ptm(FRAMES[letter] + 0j)


def _read(contrast: Any) -> tuple[Array, Array]:
    """Return the effects of both outcomes as rows, (1, 0, 0, +-contrast) / 2."""
    z = contrast * np.array([0.0, 0.0, 0.0, 0.5])
    half = np.array([0.5, 0.0, 0.0, 0.0])
    return half + z, half - z


def copying(pair: Float[Array, "4 4"], ends: Ends, letter: str) -> Float[Array, "4 4 4"]:
    """Return the map of a qubit to itself and its copy, [qubit, copy, qubit before]."""
    xp, frame = library(pair, ends), _frame(letter)
    turned = np.einsum("ux,xyca,vc->uyva", frame, CNOT.reshape(4, 4, 4, 4), frame)
    gate = mixing(ends.two_qubit[0], 16).reshape(4, 4, 1, 1) * turned  # [qubit, half, qubit before, half before]
    joined = xp.einsum("wx,xyca,aj->wycj", ends.stored[0][0], gate, pair)
    fixed, kept = mixing(ends.one_qubit[1], 4), ends.stored[0][1]
    out: Any = 0.0
    for effect, signs in zip(_read(ends.readout[0]), (np.ones(4), X_SIGNS), strict=True):
        out = out + xp.einsum("wycj,y,kj->wkc", joined, effect, (fixed * signs)[:, None] * kept)
    return xp.einsum("wkc,uk->wuc", out, frame)


def closing(ends: Ends, letter: str) -> Float[Array, "4 4 4"]:
    """Return the map of a qubit and its copy to the qubit, [qubit, qubit before, copy]."""
    xp, frame = library(ends), _frame(letter)
    turned = mixing(ends.one_qubit[1], 4)[:, None] * (HADAMARD @ frame.T)
    fixed = mixing(ends.one_qubit[0], 4)
    out: Any = 0.0
    for effect, signs in zip(_read(ends.readout[1]), (np.ones(4), Z_SIGNS), strict=True):
        correction = fixed[:, None] * ((frame * signs) @ frame.T)
        out = out + xp.einsum("xc,e->xce", correction @ ends.stored[1][0], effect @ turned)
    return out


def moving(pair: Float[Array, "4 4"], ends: Ends) -> Float[Array, "4 4"]:
    """Return the map of a qubit that is teleported."""
    xp = library(pair, ends)
    gate = mixing(ends.two_qubit[0], 16)[:, None] * CNOT
    turned = mixing(ends.one_qubit[0], 4)[:, None] * HADAMARD
    joined = xp.einsum("wx,xyca,aj->wycj", turned, gate.reshape(4, 4, 4, 4), pair)
    fixed = mixing(ends.one_qubit[1], 4)
    effects = _read(ends.readout[0])
    out: Any = 0.0
    for phase, flip in ((0, 0), (0, 1), (1, 0), (1, 1)):
        signs = (Z_SIGNS if phase else 1.0) * (X_SIGNS if flip else np.ones(4))
        later = (fixed * signs)[:, None] * ends.stored[0][1]
        out = out + xp.einsum("w,wycj,y,kj->kc", effects[phase], joined, effects[flip], later)
    return out


def telegate(
    gates: Float[Array, "*m 16 16"], pair: Float[Array, "4 4"], ends: Ends, letter: str
) -> Float[Array, "*m 16 16"]:
    """Return the map of a gate between two processors, done through a copy of its first operand.

    Args:
        gates: (..., 16, 16), Pauli transfer matrices of gates that are diagonal on their first operand in the basis of
            `letter`: on (qubit, other operand), many at once.
        pair: first index at the source.
        ends: of the processors; the source has the first operand.
        letter: the basis.
    """
    xp = library(gates, pair, ends)
    noisy = (mixing(ends.two_qubit[1], 16)[:, None] * gates).reshape(*gates.shape[:-2], 4, 4, 4, 4)
    first, last = ends.stored[0][1], ends.stored[1][1]
    opened, closed = copying(pair, ends, letter), closing(ends, letter)
    inner = xp.einsum("xye,tu,...eukv,vw->...xytkw", closed, last, noisy, first)
    out = xp.einsum("...xytkw,ykc->...xtcw", inner, opened)
    return out.reshape(*gates.shape[:-2], 16, 16)
