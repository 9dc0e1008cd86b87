"""The tables below [line]: what sends, what it goes through, and what receives."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from qtn import _ranges as within
from qtn.problem import number as unit
from qtn.problem.chain.link_numbers import ArmLoss, Attenuation, Length, Loss
from qtn.problem.number import LARGER, SMALLER, TOWARDS_ONE, TOWARDS_ZERO, Number
from qtn.problem.table import Document, Table
from qtn.qkd.pulses import pulses

OPEN = within.Range(0.0, 1.0, lower_closed=False, upper_closed=False)

Intensity = Annotated[float, Number("Mean photon number of the signal", within.Range(0.0, 10.0, lower_closed=False))]
DecoyPart = Annotated[float, Number("Mean photon number of the decoy, over that of the signal", OPEN)]
Weakest = Annotated[float, Number("Mean photon number of the weakest decoy", within.Range(0.0, 10.0))]
PSignal = Annotated[float, Number("Probability that a pulse is a signal", OPEN)]
DecoyShare = Annotated[float, Number("Probability that a pulse which is no signal is the decoy, not the weakest", OPEN)]
PKeyBasis = Annotated[float, Number("Probability with which either party takes the key basis", OPEN)]
PulseRate = Annotated[float, Number("Pulses of the source by time", within.POSITIVE, LARGER, unit.HZ)]
Listed = Annotated[
    float, Number("Mean photon numbers of signal and decoys, falling", within.NON_NEGATIVE, traced=False)
]
Shares = Annotated[float, Number("Probabilities of these, sum 1", within.PROBABILITY, traced=False)]

SHORT = {
    "intensities": ("intensity", "decoy_part", "weakest"),
    "probabilities": ("p_signal", "decoy_share"),
}
"""Key of a short form -> keys of the numbers that stand in its place."""


class WeakPulses(Table):
    """Pulses of random phase: a signal and two decoys, in one of two bases."""

    model: Literal["weak_pulses"]
    pulse_rate_hz: PulseRate
    intensities: Annotated[list[Listed], Field(min_length=3, max_length=3)] | None = Field(
        default=None, description="Short form of intensity, decoy_part and weakest"
    )
    probabilities: Annotated[list[Shares], Field(min_length=3, max_length=3)] | None = Field(
        default=None, description="Short form of p_signal and decoy_share"
    )
    intensity: Intensity
    decoy_part: DecoyPart
    weakest: Weakest
    p_signal: PSignal
    decoy_share: DecoyShare
    p_key_basis: PKeyBasis

    @classmethod
    def complete(cls, table: dict[str, Any], key: str) -> list[str]:
        """Write out lists of intensities and probabilities; return one sentence for each that cannot be."""
        errors = []
        for short, keys in SHORT.items():
            if short not in table:
                continue
            given = table.pop(short)
            both = [each for each in keys if each in table]
            if both:
                errors.append(f"{key}.{short}: stands for {', '.join(keys)}, but {both[0]} is given; keep one of them")
                continue
            wrong = not isinstance(given, list) or len(given) != 3 or any(type(x) not in (int, float) for x in given)
            table |= dict.fromkeys(keys, 0.5)  # so that it brings no further errors
            if wrong:
                errors.append(f"{key}.{short}: must hold three numbers, of the signal, the decoy and the weakest decoy")
                continue
            try:
                table |= (by_intensity if short == "intensities" else by_probability)(*given)
            except ValueError as error:
                errors.append(f"{key}.{short}: {str(error).removeprefix(f'Argument `{short}` ')}")
        return errors


def by_intensity(signal: float, decoy: float, weakest: float) -> dict[str, float]:
    """Return what three intensities are as numbers that move freely.

    Raises:
        ValueError: if they are out of order.
    """
    pulses([signal, decoy, weakest], [0.5, 0.25, 0.25])
    return {"intensity": float(signal), "decoy_part": decoy / signal, "weakest": float(weakest)}


def by_probability(signal: float, decoy: float, weakest: float) -> dict[str, float]:
    """Return what three probabilities are as numbers that move freely.

    Raises:
        ValueError: if they do not sum to 1, or one of them is never taken.
    """
    pulses([0.5, 0.25, 0.0], [signal, decoy, weakest])
    if min(signal, decoy, weakest) <= 0:
        raise ValueError(f"must all be positive, but is {[signal, decoy, weakest]}: decoys bound nothing if never sent")
    return {"p_signal": float(signal), "decoy_share": decoy / (decoy + weakest)}


class EntangledLight(Table):
    """A continuous-wave source of entangled photon pairs between two parties."""

    model: Literal["entangled_light"]
    pair_rate_hz: Annotated[float, Number("Pairs of the source by time", within.POSITIVE, unit=unit.HZ)]


def loss_is_given(channel: Document) -> Iterator[tuple[str, str]]:
    """The loss is given in one way: in total, by length, or for both sides of a source."""
    ways = (("loss_db",), ("length_km", "attenuation_db_per_km"), ("loss_left_db", "loss_right_db"))
    begun = [way for way in ways if any(key in channel for key in way)]
    if len(begun) != 1:
        said = " and ".join(next(key for key in way if key in channel) for way in begun) or "none of them"
        yield (
            "",
            f"needs loss_db, or length_km with attenuation_db_per_km, or loss_left_db and loss_right_db; has {said}",
        )
    for key in begun[0] if len(begun) == 1 else ():
        if key not in channel:
            yield key, f"is missing; add `{key} = ...`"


class Channel(Table):
    """Fibre, or whatever else takes light; between two parties with a source in the middle, each has half."""

    rules = (loss_is_given,)

    loss_db: Loss | None = None
    length_km: Length | None = None
    attenuation_db_per_km: Attenuation | None = None
    loss_left_db: ArmLoss | None = None
    loss_right_db: ArmLoss | None = None

    @staticmethod
    def total(table: Document) -> Any:
        """Return the loss from end to end [dB]."""
        return sum(Channel.sides(table))

    @staticmethod
    def sides(table: Document) -> tuple[Any, Any]:
        """Return the loss on either side of a source in between [dB]."""
        if "loss_left_db" in table:
            return table["loss_left_db"], table["loss_right_db"]
        whole = table["loss_db"] if "loss_db" in table else table["length_km"] * table["attenuation_db_per_km"]
        return whole / 2, whole / 2


class Detector(Table):
    """What receives, at either party that does."""

    efficiency: Annotated[
        float, Number("Receiver and detectors, without the channel", within.POSITIVE_PROBABILITY, TOWARDS_ONE)
    ] = 1.0
    misalignment: Annotated[
        float, Number("Chance that a photon meets the wrong detector", within.Range(0.0, 0.5), TOWARDS_ZERO)
    ] = 0.0
    dead_time_s: Annotated[
        float, Number("Time without a click after a click", within.NON_NEGATIVE, SMALLER, unit.S)
    ] = 0.0
    dark_count_probability: (
        Annotated[
            float,
            Number("Chance of a dark click, per detector and pulse", within.Range(0.0, 0.1), TOWARDS_ZERO),
        ]
        | None
    ) = None
    after_pulse_probability: (
        Annotated[
            float, Number("Chance that a click makes another one, of a random bit", within.PROBABILITY, TOWARDS_ZERO)
        ]
        | None
    ) = None
    dark_count_rate_hz: (
        Annotated[
            float,
            Number("Clicks without a photon by time, all detectors of a party", within.NON_NEGATIVE, SMALLER, unit.HZ),
        ]
        | None
    ) = None
    jitter_s: (
        Annotated[
            float,
            Number(
                "Full width at half maximum of the time between the clicks of a pair",
                within.NON_NEGATIVE,
                SMALLER,
                unit.S,
            ),
        ]
        | None
    ) = None
    window_s: Annotated[float, Number("Time in which two clicks coincide", within.POSITIVE, unit=unit.S)] | None = None
