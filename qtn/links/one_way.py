"""One-way repeaters: a qubit in a code word passes station after station, each of which re-encodes it."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array, library
from qtn._pytree import pytree, static
from qtn.codes.decoding import MOST_TOGETHER
from qtn.codes.graph_state import RepeaterGraphState
from qtn.codes.logical import Code
from qtn.codes.stabiliser import StabiliserCode
from qtn.hardware.fibre import DEFAULT_REFRACTIVE_INDEX
from qtn.links.encoded import (
    Ends,
    checked_numbers,
    delivered,
    depolarised,
    kept_sign,
    light,
    repeated,
    require_working,
    stations,
)
from qtn.links.link import Heralded
from qtn.states.pair import CHARACTERS_FROM_BELL


@pytree
class OneWay:
    """One half of a pair travels in code words from station to station; nothing waits for an answer on the way.

    The left node makes a pair and encodes one half of it. After each of N equal spacings a station (the right node is
    the last) undoes losses and errors and encodes anew, with an error of its own. A loss that is too large ends the
    attempt, and is known. With the success p_e and the logical channel of the code at mu = 1 - efficiency
    exp(-L / (N L_att)) and the error of photons

        p = p_e^N,      <PP> = +- [c_P (1 - 4 e / 3)]^N,      t = generation time of a code word

    for its characters c_P and the error e of re-encoding: Pauli channels multiply exactly, up to e = 3/4. As in the
    papers the qubits at the ends are measured at once, and code words follow each other without waiting for answers.
    Where memories store them (`ends = "stored"`: a chain of several links, teleportation) an attempt takes longer by
    2 L n / c, and memories hold them for 2 L n / c (left) and L n / c (right). Stations have their code words ready.

    Note:
        Exact, Bell-diagonal, differentiable with respect to every field; N may be any real number
        >= 1, where signs are not negative; negative ones are exact at whole N alone.

    References:
        Muralidharan et al., Phys. Rev. Lett. 112, 250501 (2014), arXiv:1310.5291;
        Borregaard et al., Phys. Rev. X 10, 021071 (2020), arXiv:1907.05101;
        Wo et al., npj Quantum Inf. 9, 123 (2023), arXiv:2303.14214 (they add up errors, 1 - (1-e)^N in place of
        3/4 [1 - (1 - 4e/3)^N]).
    """

    code: Code
    """The code; it has no numbers."""

    length: Float[Array, "..."]
    """L, fibre from node to node [m]."""

    num_stations: Float[Array, "..."] | None
    """N, stations at equal spacings, the right node included; None = `station_positions` are given."""

    station_positions: Float[Array, "k"] | None
    """Way from the left node to each station between the nodes [m], in any order; None = equal spacings."""

    attenuation_length: Float[Array, "..."]
    """L_att, over which light falls to 1/e [m]."""

    efficiency: Float[Array, "..."]
    """Everything outside the fibre that a photon must pass, once a station."""

    photon_error: Float[Array, "..."] | None
    """Probability that a photon that arrives has suffered one of the three Pauli errors; None = none, in a code of so
    many photons that errors together with losses cannot be decoded."""

    reencoding_error: Float[Array, "..."]
    """e, the same of the qubit at each station."""

    emission_time: Float[Array, "..."]
    """Of one photon [s]."""

    gate_time: Float[Array, "..."]
    """Of one gate between two emitters [s]."""

    refractive_index: Float[Array, "..."]
    """Group index of the fibre [1]; it counts where ends are stored."""

    attempt_time: Float[Array, "..."] | None
    """Duration of one attempt [s]; None = generation time of a code word."""

    ends: Ends = static(default=Ends.MEASURED)
    """What becomes of the qubits at the ends."""

    @property
    def segments(self) -> Any:
        """Number of spacings of fibre."""
        return self.num_stations if self.station_positions is None else self.station_positions.shape[0] + 1

    def heralded(self) -> Heralded:
        """Return success probability, attempt time and state of one attempt."""
        return herald_one_way(self)


def herald_one_way(link: OneWay) -> Heralded:
    """Return what one attempt over a one-way link offers.

    Args:
        link: its parameters.

    Returns:
        heralded: success probability, attempt time [s], state.

    Note:
        Exact, differentiable.
    """
    xp = library(link)
    if link.station_positions is None:
        one = passed(link, link.length / link.segments)
        p_success, signs = one[0] ** link.segments, repeated(one[1:], link.segments)
    else:
        each = every(link, spacings(link))
        p_success, signs = xp.prod(each[:, 0]), xp.prod(each[:, 1:], axis=0)
    made = link.code.generation_time(link.emission_time, link.gate_time)
    return delivered(link, made, p_success, signs, (2.0, 1.0))


def passed(link: OneWay, spacing: Any) -> Float[Array, "5"]:
    """Return for one spacing [m] the probability of success, and with which mean signs 1, X, Y, Z are kept."""
    loss = 1 - light(spacing, link.attenuation_length, link.efficiency)
    found = link.code.logical(loss=loss, pauli=None if link.photon_error is None else depolarised(link.photon_error))
    xp = library(found, link.reencoding_error)
    again = xp.stack([1.0 + 0 * link.reencoding_error, *[kept_sign(link.reencoding_error)] * 3])
    return xp.concatenate([found.p_success[None], CHARACTERS_FROM_BELL @ found.weights * again])


def every(link: OneWay, lengths: Float[Array, " k"]) -> Float[Array, "k 5"]:
    """Return `passed` of several spacings."""
    if library(link, lengths) is np:
        return np.stack([passed(link, length) for length in lengths])  # pyright: ignore[reportReturnType]
    return jax.vmap(lambda length: passed(link, length))(lengths)


def spacings(link: OneWay) -> Float[Array, " k"]:
    """Return the spacings between left node, stations and right node [m]; stations stay between the nodes."""
    xp = library(link.station_positions, link.length)
    places = xp.sort(xp.clip(link.station_positions, 0.0, link.length))
    return xp.diff(xp.concatenate([0 * places[:1], places, xp.reshape(link.length, (1,))]))


def one_way(
    *,
    code: Any,
    length: Any,
    attenuation_length: Any,
    num_stations: Any = None,
    station_positions: Any = None,
    efficiency: Any = 1.0,
    photon_error: Any = 0.0,
    reencoding_error: Any = 0.0,
    emission_time: Any = 0.0,
    gate_time: Any = 0.0,
    refractive_index: Any = DEFAULT_REFRACTIVE_INDEX,
    attempt_time: Any = None,
    ends: Any = Ends.MEASURED,
) -> OneWay:
    """Build a link of one-way repeaters.

    Args:
        code: such as `qtn.codes.tree_code([4, 14, 4])`; `qtn.codes.PLAIN` is one photon without a code.
        length: fibre from node to node [m].
        attenuation_length: over which light falls to 1/e [m]; 21.7 km for 0.2 dB/km.
        num_stations: N >= 1, stations at equal spacings, the right node included.
        station_positions: (k,), way from the left node to each station between the nodes [m], in place of that.
        efficiency: everything outside the fibre that a photon must pass, once a station, in (0, 1].
        photon_error: probability of one of the three Pauli errors on a photon that arrives, in [0, 3/4]; 0 for
            stabiliser codes of more than 10 photons.
        reencoding_error: the same on the qubit at each station, in [0, 3/4].
        emission_time: of one photon [s].
        gate_time: of one gate between emitters [s].
        refractive_index: group index of the fibre [1], at least 1; it counts where ends are stored.
        attempt_time: duration of one attempt [s]; None = generation time of a code word, and the way to the right node
            and back where ends are stored.
        ends: "measured" or "stored", what becomes of the qubits at the nodes.

    Raises:
        ValueError: if a value lies outside its range, stations are given twice or not at all, the code is too large for
            errors of photons, an attempt takes no time, or none can succeed.

    Note:
        Exact, differentiable, double precision.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.codes import tree_code
        >>> link = one_way(code=tree_code([4, 14, 4]), length=501.187e3, num_stations=151, attenuation_length=20e3,
        ...                efficiency=0.95, reencoding_error=1e-3, emission_time=1e-9, gate_time=100e-9)
        >>> pair = link.heralded()
        >>> print(f"{pair.p_success:.4f} {pair.attempt_time:.2e} {pair.bell_diagonal[0]:.4f}")
        0.3048 7.48e-06 0.8631
    """
    if not isinstance(code, Code) or isinstance(code, RepeaterGraphState):
        raise ValueError(f"Argument `code` must be a code, such as `qtn.codes.tree_code([4, 14, 4])`, but is {code!r}.")
    if (num_stations is None) == (station_positions is None):
        raise ValueError("Exactly one of the arguments `num_stations` and `station_positions` must be given.")
    numbers = checked_numbers(
        length=length,
        attenuation_length=attenuation_length,
        efficiency=efficiency,
        photon_error=photon_error,
        reencoding_error=reencoding_error,
        emission_time=emission_time,
        gate_time=gate_time,
        refractive_index=refractive_index,
        attempt_time=attempt_time,
        ends=ends,
    )
    numbers["photon_error"] = decodable(code, numbers["photon_error"])
    link = OneWay(
        code=code,
        num_stations=None if num_stations is None else stations(num_stations),
        station_positions=None if station_positions is None else places(station_positions, numbers["length"]),
        **numbers,
    )
    require_working(link)
    return link


def decodable(code: Code, photon_error: Any) -> Any:
    """Return the error of photons; None if a large code has none.

    Raises:
        ValueError: if it cannot be decoded together with losses.
    """
    if not isinstance(code, StabiliserCode) or code.num_photons <= MOST_TOGETHER:
        return photon_error
    known = _checks.known(photon_error)
    if known is not None and not known.any():
        return None
    raise ValueError(
        f"Argument `photon_error` must be 0 for this code of {code.num_photons} photons, but "
        + ("is to be differentiated" if known is None else f"is {known:g}")
        + f": errors together with losses are decoded up to {MOST_TOGETHER} photons. Choose a smaller code, or leave "
        "`photon_error` out."
    )


def places(positions: Any, length: Any) -> Array:
    """Check the positions of stations.

    Raises:
        ValueError: if they are not between the nodes, or two stand at the same place.
    """
    found = _checks.non_negative_finite("station_positions", positions)
    if found.ndim != 1:
        raise ValueError(f"Argument `station_positions` must list numbers, but has shape {found.shape}.")
    known, whole = _checks.known(found), _checks.known(length)
    if known is None or whole is None:
        return found
    stops = np.array([0.0, *np.sort(known), float(whole)])
    if not (np.diff(stops) > 0).all():
        raise ValueError(
            f"Argument `station_positions` must hold different places between 0 and the length {whole:g} m, "
            f"but is {known.tolist()}: a spacing is 0 or less."
        )
    return found
