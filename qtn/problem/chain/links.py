"""The tables of links. A new model is one class, with its keys, its rules and its builder, in the union `Link`."""

from operator import itemgetter
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from qtn import _ranges as within
from qtn.hardware.fibre import DEFAULT_REFRACTIVE_INDEX
from qtn.links import link as links
from qtn.links.abstract import abstract_link
from qtn.links.direct_transmission import direct_transmission
from qtn.links.double_click import double_click
from qtn.links.midpoint_source import midpoint_source
from qtn.links.satellite import downlinks, satellite
from qtn.links.single_click import single_click
from qtn.links.spdc_source import spdc_source
from qtn.problem import number as unit
from qtn.problem.chain.encoded_links import GraphStateLink, OneWayLink
from qtn.problem.chain.link_numbers import (
    ArmDistance,
    ArmLength,
    ArmLoss,
    AttemptTime,
    Attenuation,
    Contrast,
    DarkCounts,
    Distance,
    Efficiency,
    EmissionTime,
    Fidelity,
    Length,
    Loss,
    MeanPairs,
    NumModes,
    Population,
    PSource,
    RefractiveIndex,
    RepetitionRate,
    Visibility,
    Weights,
)
from qtn.problem.chain.link_table import LinkTable
from qtn.problem.chain.overpass import ChainOverpass, require_sight
from qtn.problem.number import SMALLER, TOWARDS_ONE, Number
from qtn.problem.table import Document
from qtn.problem.together import TotalOrSides, at_most, either, exactly_one, excluded, weights_sum_to_one


class AbstractLink(LinkTable):
    """A link given by its numbers; exactly one of werner, fidelity, bell_diagonal."""

    builder = abstract_link
    rules = (exactly_one("werner", "fidelity", "bell_diagonal"), weights_sum_to_one)

    model: Literal["abstract"]
    p_success: Annotated[
        float, Number("Chance that one attempt heralds a pair", within.POSITIVE_PROBABILITY, TOWARDS_ONE)
    ]
    attempt_time_s: AttemptTime
    werner: Annotated[float, Number("w of the pair w Phi+ + (1 - w)/4", within.WERNER, TOWARDS_ONE)] | None = None
    fidelity: Fidelity | None = None
    bell_diagonal: Weights | None = None


class Arms(LinkTable):
    """Two arms of fibre to a station between the nodes."""

    lengths: ClassVar = TotalOrSides("length_km", ("length_left_km", "length_right_km"))
    losses: ClassVar = TotalOrSides("attenuation_db_per_km", ("loss_left_db", "loss_right_db"), per=lengths)
    sides = rules = (lengths, losses)
    way, loss = lengths.whole, losses.whole

    length_km: Length | None = None
    length_left_km: ArmLength | None = None
    length_right_km: ArmLength | None = None
    attenuation_db_per_km: Attenuation | None = None
    loss_left_db: ArmLoss | None = None
    loss_right_db: ArmLoss | None = None
    efficiency: Efficiency = 1.0
    dark_count_probability: DarkCounts = 0.0
    num_modes: NumModes = 1
    attempt_time_s: AttemptTime | None = None


class ClickLink(Arms):
    """Photons of both nodes meet at a midpoint station; what a preset knows of it is filled in."""

    visibility: Visibility = 1.0
    emission_time_s: EmissionTime = 0.0
    refractive_index: RefractiveIndex = DEFAULT_REFRACTIVE_INDEX


class SingleClickLink(ClickLink):
    """Single-click heralding: one photon at the midpoint."""

    builder = single_click

    model: Literal["single_click"]
    bright_state: Population | Annotated[list[Population], Field(min_length=2, max_length=2)]
    phase_std_rad: Annotated[
        float,
        Number(
            "Standard deviation of the phase between the arms (not of one arm)", within.NON_NEGATIVE, SMALLER, unit.RAD
        ),
    ] = 0.0
    phase_offset_rad: (
        Annotated[float, Number("Known phase of the left arm, not corrected", within.ANGLE, unit=unit.RAD)] | None
    ) = None


class DoubleClickLink(ClickLink):
    """Double-click heralding: two photons at the midpoint."""

    builder = double_click

    model: Literal["double_click"]


class MidpointSourceLink(Arms):
    """A source of pairs between the nodes; a Werner pair of some fidelity (1 by default), or bell_diagonal."""

    builder = midpoint_source
    rules = (at_most("fidelity", "bell_diagonal"), weights_sum_to_one)

    model: Literal["midpoint_source"]
    p_source: PSource = 1.0
    fidelity: Fidelity | None = None
    bell_diagonal: Weights | None = None
    emission_time_s: EmissionTime = 0.0
    refractive_index: RefractiveIndex = DEFAULT_REFRACTIVE_INDEX


class SpdcSourceLink(Arms):
    """A source of entangled light between the nodes, with all its multi-pair terms."""

    builder = staticmethod(lambda length_left, length_right, **numbers: spdc_source(**numbers))  # travel takes no part
    rules = (either("repetition_rate_hz", "attempt_time_s"),)

    model: Literal["spdc_source"]
    mean_pairs: MeanPairs
    visibility: Contrast = 1.0
    repetition_rate_hz: RepetitionRate | None = None


class DirectTransmissionLink(LinkTable):
    """The left memory sends a photon over the whole fibre to the right node."""

    builder = direct_transmission
    rules = (exactly_one("attenuation_db_per_km", "loss_db"), at_most("fidelity", "bell_diagonal"), weights_sum_to_one)
    way = itemgetter("length_km")

    model: Literal["direct_transmission"]
    length_km: Length
    attenuation_db_per_km: Attenuation | None = None
    loss_db: Loss | None = None
    fidelity: Fidelity | None = None
    bell_diagonal: Weights | None = None
    efficiency: Efficiency = 1.0
    dark_count_probability: DarkCounts = 0.0
    emission_time_s: EmissionTime = 0.0
    refractive_index: RefractiveIndex = DEFAULT_REFRACTIVE_INDEX
    num_modes: NumModes = 1
    attempt_time_s: AttemptTime | None = None

    @staticmethod
    def loss(table: Document) -> Any:
        """Return the loss of the fibre [dB], whichever way it was given."""
        return table["loss_db"] if "loss_db" in table else table["attenuation_db_per_km"] * table["length_km"]

    @classmethod
    def arguments(cls, table: Document) -> dict[str, Any]:
        """Return what the builder is given."""
        given = {key: value for key, value in table.items() if key != "attenuation_db_per_km"}
        return super().arguments(given | {"loss_db": cls.loss(table)})


class SatelliteLink(LinkTable):
    """A satellite sends one photon of each pair to either station; mean_pairs (light) or p_source (one pair)."""

    builder = satellite
    distances: ClassVar = TotalOrSides("distance_km", ("distance_left_km", "distance_right_km"))
    sides, way = (distances,), distances.whole
    rules = (
        distances,
        exactly_one("beam_waist_m", "divergence_urad"),
        either("mean_pairs", "p_source"),
        excluded(("fidelity", "bell_diagonal"), "mean_pairs", "p_source", "give visibility instead"),
        excluded(("visibility",), "p_source", "mean_pairs", "give fidelity or bell_diagonal instead"),
        either("repetition_rate_hz", "attempt_time_s"),
        at_most("fidelity", "bell_diagonal"),
        weights_sum_to_one,
    )

    model: Literal["satellite"]
    distance_km: Distance | None = None
    distance_left_km: ArmDistance | None = None
    distance_right_km: ArmDistance | None = None
    altitude_km: Annotated[float, Number("Altitude of the satellite", within.POSITIVE, unit=unit.KM)]
    beam_waist_m: (
        Annotated[
            float,
            Number(
                "Waist w0 (radius at 1/e^2 of the power) of the beams at the satellite",
                within.POSITIVE,
                unit=unit.M,
            ),
        ]
        | None
    ) = None
    divergence_urad: (
        Annotated[
            float, Number("Half-angle of the beams, at 1/e^2 of their power", within.Range(1e-3, 1e5), unit=unit.URAD)
        ]
        | None
    ) = None
    pointing_jitter_urad: Annotated[
        float,
        Number("Standard deviation of their direction about either axis", within.Range(0.0, 1e5), SMALLER, unit.URAD),
    ] = 0.0
    receiver_radius_m: Annotated[float, Number("Radius of the telescopes", within.POSITIVE, unit=unit.M)]
    wavelength_nm: Annotated[float, Number("Wavelength of the light", within.POSITIVE, unit=unit.NM)]
    zenith_transmissivity: Annotated[
        float, Number("Power that the atmosphere passes straight upwards", within.POSITIVE_PROBABILITY)
    ] = 1.0
    minimum_elevation_deg: Annotated[
        float, Number("Elevation below which no station sees the satellite", within.ELEVATION, unit=unit.DEG)
    ] = 0.0
    mean_pairs: MeanPairs | None = None
    visibility: Contrast | None = None
    p_source: PSource | None = None
    fidelity: Fidelity | None = None
    bell_diagonal: Weights | None = None
    repetition_rate_hz: RepetitionRate | None = None
    attempt_time_s: AttemptTime | None = None
    efficiency: Efficiency = 1.0
    dark_count_probability: DarkCounts = 0.0
    num_modes: NumModes = 1
    overpass: ChainOverpass | None = None

    @classmethod
    def build(cls, table: Document) -> links.Link:
        """Build the link where its distances say, if its satellite is ever seen."""
        built = super().build(table)
        if "overpass" in table:
            require_sight(table["overpass"], cls.builder(**cls.arguments(table)))
        return built

    @classmethod
    def transmissivity(cls, table: Document) -> Any:
        """Return what both downlinks pass."""
        left, right = downlinks(cls.builder(**cls.arguments(table)))
        return left * right


Link = Annotated[
    AbstractLink
    | SingleClickLink
    | DoubleClickLink
    | MidpointSourceLink
    | DirectTransmissionLink
    | SpdcSourceLink
    | SatelliteLink
    | OneWayLink
    | GraphStateLink,
    Field(discriminator="model"),
]
