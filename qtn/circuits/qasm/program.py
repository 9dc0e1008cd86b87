"""A program that was read: the circuit, where its qubits and bits are, and questions about its final state."""

import math
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks, _text
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.circuits.circuit import Circuit
from qtn.circuits.noise import NoiseModel
from qtn.circuits.qasm.instructions import PHYSICAL, Listing
from qtn.circuits.qasm.layout import lay_out
from qtn.circuits.qasm.order import arranged as order_of
from qtn.circuits.qasm.reader import Reader
from qtn.circuits.qasm.source import Source, deeper
from qtn.circuits.run import run
from qtn.states.measures import expect
from qtn.states.sampling import sample
from qtn.states.trains import MPS, TrainState


class Bit(NamedTuple):
    """One classical bit."""

    name: str
    register: str
    site: int | None
    """The site that holds it; None where it is never written."""
    value: int
    """Its value where it is never written."""


@pytree
class Program:
    """A circuit read from a file, and what its sites mean."""

    circuit: Circuit
    """All operations up to the measurements that end the program."""
    readout: Circuit | None
    """Those measurements, whose qubits and bits are not used any more: one MEASURE each."""
    qubits: tuple[tuple[str, int], ...] = static()
    """(name, site) of each qubit in order of declaration."""
    bits: tuple[Bit, ...] = static()
    """In order of declaration, lowest first."""
    version: int = static(default=3)
    """Of OpenQASM, in whose words advice is given."""


def load_qasm(program: str | Path, inputs: Mapping[str, Any] | None = None, *, arrange: bool = False) -> Program:
    """Read an OpenQASM 2 or 3 program.

    Args:
        program: the text, or a `Path` to a file.
        inputs: {name: number} for each `input` of the program; numbers may be traced by JAX.
        arrange: whether sites of the circuit may stand in another order than qubits are declared, such that gates span
            little; `Program.qubits` tells which is which.

    Returns:
        program: with a plain `Circuit`, which `run` and every noise model take.

    Raises:
        QasmError: for text that is wrong or not supported, with line, column and a cure.
        ImportError: if the parser is not installed.

    Note:
        Exact: measurements are averaged, conditions are controlled gates. Differentiable with respect to inputs.

    References:
        Cross et al. 2017, arXiv:1707.03429 (OpenQASM 2). Cross et al. 2022, arXiv:2104.14722 (OpenQASM 3).

    Example:
        >>> from qtn.circuits import run
        >>> bell = load_qasm('include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1];')
        >>> state, info = run(bell.circuit)
        >>> round(float(expectation(bell, state, "XX")), 12)
        1.0
    """
    _checks.require_double_precision()
    name, text = ("program", program) if isinstance(program, str) else (str(program), _content(program))
    source, given = Source(text, name), dict(inputs or {})
    for key, value in given.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name}: Argument `inputs` must hold finite numbers, but {key} is {value}.")
    reader = Reader(source, given)
    statements = source.tree().statements
    try:
        with deeper():
            reader.read(statements)
    except RecursionError:
        raise source.too_deep() from None
    unknown = sorted(set(given) - reader.asked)
    if unknown:
        declared = ", ".join(sorted(reader.asked)) or "none"
        raise ValueError(
            f"{name}: Argument `inputs` names {_text.echoed(unknown[0])}, but the inputs of the program are: "
            f"{declared}."
        )
    if not reader.listing.num_qubits:
        raise source.error_at(1, 0, "the program declares no qubits.")
    built, readout, qubits, bits = lay_out(reader.listing, order_of(reader.listing) if arrange else None)
    return Program(
        circuit=built,
        readout=readout,
        qubits=_qubits(reader.listing, qubits),
        bits=_bits(reader.listing, bits),
        version=source.version,
    )


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is not a text file in UTF-8") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read as a file: {error.strerror}") from None


def _qubits(listing: Listing, sites: dict[int, int]) -> tuple[tuple[str, int], ...]:
    registers = [(name, found) for name, found in listing.qubits.items() if name not in listing.aliases]
    return tuple(
        (f"{name}{place}" if name == PHYSICAL else f"{name}[{place}]", sites[qubit])
        for name, found in registers
        for place, qubit in enumerate(found)
    )


def _bits(listing: Listing, sites: dict[int, int]) -> tuple[Bit, ...]:
    return tuple(
        Bit(f"{name}[{place}]", name, sites.get(bit), listing.initial.get(bit, 0))
        for name, found in listing.bits.items()
        for place, bit in enumerate(found)
    )


def observable(program: Program, text: str) -> dict[int, str]:
    """Return {site: letter} of a Pauli string over the qubits in order of declaration.

    Args:
        program: whose qubits are meant.
        text: one letter I, X, Y, Z for each qubit ("ZZII", the first letter for the qubit declared first), or letters
            with numbers for the others identity ("Z0 X5").
    """
    count, words = len(program.qubits), text.split()
    if words and all(re.fullmatch(r"[IXYZ][0-9]{1,9}", word) for word in words):
        letters = [(int(word[1:]), word[0]) for word in words]
    elif re.fullmatch(r"[IXYZ]+", text):
        letters = list(enumerate(text))
    else:
        raise ValueError(f"observable {_text.echoed(text)}: must consist of I, X, Y, Z, as in ZZII or Z0 X5")
    places = [place for place, _ in letters]
    if len(words) == 1 and words[0] == text and len(letters) != count and not re.search(r"\d", text):
        raise ValueError(
            f"observable {_text.echoed(text)}: must have one letter for each of {count} qubits, but has {len(text)}"
        )
    if max(places) >= count:
        raise ValueError(
            f"observable {_text.echoed(text)}: there is no qubit {max(places)}; the qubits are 0..{count - 1}"
        )
    if len(set(places)) < len(places):
        raise ValueError(f"observable {_text.echoed(text)}: names a qubit twice")
    return {program.qubits[place][1]: letter for place, letter in letters}


def expectation(program: Program, state: TrainState, text: str) -> Float[Array, ""]:
    """Return the expectation value of a Pauli string over the qubits; `text` as in `observable`."""
    return expect(state, observable(program, text))


def read_out(program: Program, state: TrainState, noise: NoiseModel | None = None, *, max_bond: int = 64) -> TrainState:
    """Return the state after the measurements that end the program, with the noise of MEASURE.

    Without noise nothing is to be done: sampling in Z and probabilities of bits are the same before.
    """
    if program.readout is None or (noise is None and isinstance(state, MPS)):
        return state
    return run(program.readout, noise, state=state, max_bond=max(max_bond, state.bond))[0]


def bit_probabilities(program: Program, state: TrainState) -> dict[str, Array]:
    """Return the probability that each bit is 1, of a state that was read out."""
    return {
        bit.name: jnp.asarray(float(bit.value)) if bit.site is None else (1 - expect(state, {bit.site: "Z"})) / 2
        for bit in program.bits
    }


def bit_order(program: Program) -> str:
    """Return the order in which `counts` shows bits.

    Example:
        >>> bit_order(load_qasm("qubit q; bit[2] c; bit[9] d; c[0] = measure q;"))
        'c[1]c[0] d[8]...d[0]'
    """
    sizes = Counter(bit.register for bit in program.bits)
    return " ".join(
        "".join(f"{name}[{k}]" for k in reversed(range(size))) if size < 4 else f"{name}[{size - 1}]...{name}[0]"
        for name, size in sizes.items()
    )


def counts(program: Program, state: TrainState, num_samples: int, *, key: Array) -> dict[str, int]:
    """Draw all classical bits, exactly and jointly, from a state that was read out.

    Returns:
        counts: how often each outcome was found, the most frequent first. An outcome shows the registers in order of
            declaration, separated by spaces, each with its highest bit first (as the number that it stands for).

    Example:
        >>> import jax
        >>> program = load_qasm('include "stdgates.inc"; qubit[2] q; bit[2] c; x q[0]; c = measure q;')
        >>> counts(program, run(program.circuit)[0], 5, key=jax.random.key(0))
        {'01': 5}
    """
    require_bits(program)
    drawn = np.asarray(sample(state, num_samples, key=key))
    columns = [np.full(num_samples, bit.value) if bit.site is None else drawn[:, bit.site] for bit in program.bits]
    registers = list(dict.fromkeys(bit.register for bit in program.bits))
    groups = [[k for k, bit in enumerate(program.bits) if bit.register == name][::-1] for name in registers]
    found = Counter(
        " ".join("".join(str(int(columns[k][row])) for k in group) for group in groups) for row in range(num_samples)
    )
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def require_bits(program: Program) -> None:
    """Refuse to sample from a program without classical bits."""
    if not program.bits:
        added = "creg c[n]; measure q -> c;" if program.version == 2 else "bit[n] c; c = measure q;"
        raise ValueError(f"The program measures nothing: add `{added}` to sample from it.")
