"""Stabiliser codes of one qubit by their generators, with exact maximum-likelihood decoding; those that have names."""

from collections.abc import Sequence
from typing import Any

from qtn import _text
from qtn._array import Array
from qtn._checks import real
from qtn._pytree import pytree, static
from qtn.codes.binary import Pauli, commute, independent, pauli_of, transversal
from qtn.codes.binary import logical_operators as found_operators
from qtn.codes.decoding import decode
from qtn.codes.logical import Logical, noise

MAX_QUBITS = 12
"""Photons of a stabiliser code: decoding sums over all their Pauli errors."""


@pytree
class StabiliserCode:
    """A qubit in n photons, the space that n - 1 independent commuting Pauli strings keep.

    Of each syndrome the logical error is undone that is most likely given the noise and which photons are lost; lost
    photons are known, and a loss is undone if a logical X and a logical Z act on the others alone. Among equally likely
    errors chance decides. Signs of generators do not matter.

    Note:
        Exact sums over all errors and losses; differentiable in loss and errors. Where X, Y and Z have probability 0
        their derivatives add up to that of depolarising, the noise of links: they compete for the same syndromes, so
        that no gradient holds in every direction. Two logical errors that are equally likely get the mean of both
        slopes.
        Errors together with losses up to 10 photons, errors or losses alone up to 12.

    References:
        Gottesman, Ph.D. thesis, Caltech 1997, arXiv:quant-ph/9705052;
        Poulin, Phys. Rev. A 74, 052333 (2006), arXiv:quant-ph/0606126 (maximum likelihood by sums over cosets).
    """

    generators: tuple[str, ...] = static()
    """Pauli strings such as "XZZXI"."""

    logical_x: str = static()
    """Pauli string of the logical X."""

    logical_z: str = static()
    """Pauli string of the logical Z."""

    @property
    def num_photons(self) -> int:
        """Photons of one code word."""
        return len(self.logical_x)

    def logical(self, loss: Any = 0.0, pauli: Any = None) -> Logical:
        """Return what decoding leaves.

        Args:
            loss: probability that a photon is lost, in [0, 1].
            pauli: (4,), probabilities of I, X, Y, Z on a photon that arrives; None = no error.

        Raises:
            ValueError: if both are given, or not known to be 0, and the code has more than 10 photons.
        """
        lost, errors = noise(loss, pauli)
        return decode(self.generators, self.logical_x, self.logical_z, lost, errors)

    def generation_time(self, emission_time: Any, gate_time: Any) -> Array:
        """Return n emission_time + gate_time sum_g (weight of g - 1) over the generators [s].

        This count is ours: every generator is measured with one gate less than it has letters.
        """
        gates = sum(self.num_photons - string.count("I") - 1 for string in self.generators)
        return real(self.num_photons * emission_time + gates * gate_time)


def stabiliser_code(generators: Any, *, logical_x: str | None = None, logical_z: str | None = None) -> StabiliserCode:
    """Build a code from generators of its stabiliser.

    Args:
        generators: n - 1 independent Pauli strings of n <= 12 letters I, X, Y, Z that commute with each other.
        logical_x: Pauli string of the logical X; by default X on every photon where that is one, else one is found.
        logical_z: of the logical Z; likewise.

    Raises:
        ValueError: if generators or logical operators do not fit together, or do not encode one qubit.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> code = stabiliser_code(["ZZI", "IZZ"])
        >>> code.logical(pauli=[0.9, 0.1, 0.0, 0.0]).weights.round(6).tolist()
        [0.972, 0.028, 0.0, 0.0]
    """
    strings = checked_strings(generators)
    num_qubits = len(strings[0])
    paulis = [pauli_of(string) for string in strings]
    for i, first in enumerate(paulis):
        for j in range(i):
            if not commute(first, paulis[j]):
                raise ValueError(
                    f"Argument `generators` must commute, but {strings[j]} and {strings[i]} do not: they differ in an "
                    "odd number of places where both have a letter."
                )
    rank = independent(paulis)
    if rank != num_qubits - 1:
        raise ValueError(
            f"Argument `generators` must encode one qubit, for which {num_qubits} photons need {num_qubits - 1} "
            f"independent generators, but {len(strings)} are given, of which {rank} are independent."
        )
    if rank < len(strings):
        raise ValueError(
            f"Argument `generators` must be independent, but of {len(strings)} only {rank} are; leave out products of "
            "others."
        )
    return StabiliserCode(
        generators=strings,
        **dict(zip(("logical_x", "logical_z"), operators(strings, logical_x, logical_z), strict=True)),
    )


def checked_strings(generators: Any) -> tuple[str, ...]:
    """Return generators as strings of equal length, with their number of photons in the allowed range."""
    if isinstance(generators, str) or not isinstance(generators, Sequence) or not generators:
        raise ValueError(f"Argument `generators` must list at least one Pauli string, but is {generators!r}.")
    strings = tuple(each.upper() if isinstance(each, str) else each for each in generators)
    for position, string in enumerate(strings):
        if not isinstance(string, str) or not string or set(string) - set("IXYZ"):
            raise ValueError(
                f"Argument `generators[{position}]` must be a string of the letters I, X, Y and Z, "
                f"but is {_text.echoed(generators[position])}."
            )
        if len(string) != len(strings[0]):
            raise ValueError(
                f"Argument `generators[{position}]` must have {len(strings[0])} letters like the first, "
                f"but {string} has {len(string)}."
            )
    num_qubits = len(strings[0])
    if num_qubits > MAX_QUBITS:
        raise ValueError(
            f"A stabiliser code may have at most {MAX_QUBITS} photons, but has {num_qubits}: decoding sums over "
            "all 4^n errors."
        )
    if len(strings) > num_qubits:
        raise ValueError(
            f"Argument `generators` must encode one qubit, for which {num_qubits} photons need {num_qubits - 1} "
            f"independent generators, but {len(strings):,} are given."
        )
    return strings


def operators(generators: tuple[str, ...], logical_x: str | None, logical_z: str | None) -> tuple[str, str]:
    """Return the logical operators: those given, checked, or found.

    Raises:
        ValueError: if only one is given, or they do not fit.
    """
    if (logical_x is None) != (logical_z is None):
        raise ValueError("The arguments `logical_x` and `logical_z` must be given together.")
    if logical_x is None or logical_z is None:
        return transversal(generators) or found_operators(generators)
    logical_x, logical_z = logical_x.upper(), logical_z.upper()
    given: dict[str, Pauli] = {}
    for name, string in (("logical_x", logical_x), ("logical_z", logical_z)):
        if set(string) - set("IXYZ") or len(string) != len(generators[0]):
            raise ValueError(
                f"Argument `{name}` must have {len(generators[0])} letters I, X, Y and Z, "
                f"but is {_text.echoed(string)}."
            )
        given[name] = pauli_of(string)
        for generator in generators:
            if not commute(given[name], pauli_of(generator)):
                raise ValueError(f"Argument `{name}` must commute with all generators, but not with {generator}.")
    if commute(given["logical_x"], given["logical_z"]):
        raise ValueError("The arguments `logical_x` and `logical_z` must not commute with each other.")
    return logical_x, logical_z


PLAIN = StabiliserCode(generators=(), logical_x="X", logical_z="Z")
"""No code: one photon."""

FIVE_QUBIT = stabiliser_code(["XZZXI", "IXZZX", "XIXZZ", "ZXIXZ"])
"""[[5,1,3]]: the smallest code that corrects any error of one photon (Laflamme et al. 1996, quant-ph/9602019)."""

STEANE = stabiliser_code(["IIIXXXX", "IXXIIXX", "XIXIXIX", "IIIZZZZ", "IZZIIZZ", "ZIZIZIZ"])
"""[[7,1,3]]: X and Z errors are corrected separately (Steane 1996, quant-ph/9601029)."""

SHOR = stabiliser_code(
    [
        "ZZIIIIIII", "IZZIIIIII", "IIIZZIIII", "IIIIZZIII", "IIIIIIZZI", "IIIIIIIZZ", "XXXXXXIII", "IIIXXXXXX",
    ]
)  # fmt: skip
"""[[9,1,3]] (Shor, Phys. Rev. A 52, R2493 (1995))."""
