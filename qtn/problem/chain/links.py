"""The tables of links. A new model is one class, with its keys, its rules and its builder, in the union `Link`."""

from collections.abc import Callable
from operator import itemgetter
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from qtn import _ranges as within
from qtn.hardware.fibre import DEFAULT_REFRACTIVE_INDEX
from qtn.links import link as links
from qtn.links.abstract import abstract_link
from qtn.links.direct_transmission import direct_transmission
from qtn.links.double_click import double_click
from qtn.links.encoded import DECIBELS, MOST_ERROR, Ends
from qtn.links.graph_state import graph_state
from qtn.links.midpoint_source import midpoint_source
from qtn.links.multiplexed import multiplexed_link
from qtn.links.one_way import one_way
from qtn.links.satellite import downlinks, satellite
from qtn.links.single_click import single_click
from qtn.links.spdc_source import spdc_source
from qtn.problem import number as unit
from qtn.problem.chain.code_rows import code_rows
from qtn.problem.chain.codes import Code, GraphStateTable
from qtn.problem.chain.overpass import ChainOverpass, require_sight
from qtn.problem.number import LARGER, SMALLER, TOWARDS_ONE, TOWARDS_ZERO, Number
from qtn.problem.table import Built, Choice, Document
from qtn.problem.together import TotalOrSides, at_most, either, exactly_one, excluded, weights_sum_to_one

ArmDistance = Annotated[
    float, Number("Way along the ground from a station to below the satellite", within.NON_NEGATIVE, unit=unit.KM)
]
ArmLength = Annotated[float, Number("Fibre from a node to the station", within.NON_NEGATIVE, unit=unit.KM)]
ArmLoss = Annotated[float, Number("Loss of the fibre of one arm", within.NON_NEGATIVE, SMALLER, unit.DB)]
AttemptTime = Annotated[float, Number("Duration of one attempt", within.POSITIVE, SMALLER, unit.S)]
Attenuation = Annotated[
    float,
    Number(
        "Loss of power in the fibre by length (0.2 is not 20 % but 4.5 % a km)",
        within.NON_NEGATIVE,
        SMALLER,
        unit.DB_PER_KM,
    ),
]
Contrast = Annotated[
    float,
    Number(
        "Visibility V of the correlations, multi-pairs apart: outcomes flip with (1 - V)/2",
        within.PROBABILITY,
        TOWARDS_ONE,
    ),
]
DarkCounts = Annotated[
    float, Number("Chance of a click without a photon, per detector and window", within.BELOW_ONE, TOWARDS_ZERO)
]
Distance = Annotated[float, Number("Way along the ground between the stations", within.NON_NEGATIVE, unit=unit.KM)]
Efficiency = Annotated[
    float, Number("Emission, coupling and detection, without channel", within.POSITIVE_PROBABILITY, TOWARDS_ONE)
]
EmitterGateTime = Annotated[
    float, Number("Duration of a gate between two emitters of a station", within.NON_NEGATIVE, SMALLER, unit.S)
]
ErrorProbability = Annotated[
    float, Number("Chance of one of the three Pauli errors", within.Range(0.0, MOST_ERROR), TOWARDS_ZERO)
]
EmissionTime = Annotated[float, Number("Time of an attempt that is not travel", within.NON_NEGATIVE, SMALLER, unit.S)]
Fidelity = Annotated[
    float, Number("Fidelity F = <Phi+|rho|Phi+> of a Werner pair (no root)", within.PROBABILITY, TOWARDS_ONE)
]
Length = Annotated[float, Number("Fibre from node to node", within.NON_NEGATIVE, unit=unit.KM)]
Loss = Annotated[float, Number("Loss of the fibre from node to node", within.NON_NEGATIVE, SMALLER, unit.DB)]
MeanPairs = Annotated[
    float, Number("Mean number of photon pairs of one pulse (both polarisations)", within.NON_NEGATIVE)
]
NumMemories = Annotated[int, Number("Pairs of memories that try at once", within.COUNT, LARGER, whole=True)]
NumModes = Annotated[int, Number("Modes that one attempt tries side by side", within.COUNT, LARGER, whole=True)]
Population = Annotated[float, Number("Population (not amplitude) of the bright state, which emits", within.PROBABILITY)]
NumStations = Annotated[
    int, Number("Stations at equal spacings, the last of which is the right node", within.COUNT, whole=True)
]
PhotonTime = Annotated[float, Number("Time in which an emitter makes a photon", within.NON_NEGATIVE, SMALLER, unit.S)]
PSource = Annotated[float, Number("Chance that the source emits a pair", within.POSITIVE_PROBABILITY, TOWARDS_ONE)]
RefractiveIndex = Annotated[float, Number("Group index of the fibre", within.AT_LEAST_ONE)]
RepetitionRate = Annotated[float, Number("Pulses of the source by time", within.POSITIVE, LARGER, unit.HZ)]
Visibility = Annotated[
    float, Number("Hong-Ou-Mandel visibility V = |overlap|^2 of the photons", within.PROBABILITY, TOWARDS_ONE)
]
Weight = Annotated[float, Number("Weights of Phi+, Psi+, Psi-, Phi- of the pair, sum 1", within.PROBABILITY)]
Weights = Annotated[list[Weight], Field(min_length=4, max_length=4)]


STATIONS = "station_positions_km"
"""The key of places along a link."""


class LinkTable(Built):
    """What every model of a link has."""

    sides: ClassVar[tuple[TotalOrSides, ...]] = ()
    """What the builder wants for both sides."""

    way: ClassVar[Callable[[Document], Any] | None] = None
    """How far a classical message between the nodes travels [km]; None = unknown."""

    loss: ClassVar[Callable[[Document], Any] | None] = None
    """Loss of the whole channel without the devices [dB]; None = unknown."""

    num_memories: NumMemories | None = None
    between: Annotated[list[str], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="Names of its left and its right node; only in a network"
    )

    @classmethod
    def build(cls, table: Document) -> links.Link:
        """Build a link, of several memories where the table says so."""
        link = cls.builder(**cls.arguments(table))
        return multiplexed_link(link, table["num_memories"]) if "num_memories" in table else link

    @classmethod
    def arguments(cls, table: Document) -> dict[str, Any]:
        """Return what the builder is given."""
        others = ("num_memories", "between", *(each.total for each in cls.sides))
        given = {key: value for key, value in table.items() if key not in others}
        return cls.in_si(given | {key: value for each in cls.sides for key, value in each.of(table).items()})

    @classmethod
    def transmissivity(cls, table: Document) -> Any:
        """Return the probability that light passes the whole channel; None = unknown."""
        return None if cls.loss is None else 10 ** (-cls.loss(table) / 10)

    @classmethod
    def details(cls, table: Document) -> dict[str, Any]:
        """Return what reports say of such a link besides what every link offers."""
        return {}


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


class EncodedLink(LinkTable):
    """Stations along the fibre pass a qubit on; exactly one of num_stations and station_positions_km where both are."""

    way = itemgetter("length_km")

    length_km: Length
    attenuation_length_km: Annotated[
        float, Number("Fibre over which light falls to 1/e (21.7 km = 0.2 dB/km)", within.POSITIVE, LARGER, unit.KM)
    ]
    efficiency: Efficiency = 1.0
    photon_error: ErrorProbability = 0.0
    reencoding_error: ErrorProbability = 0.0
    emission_time_s: PhotonTime = 0.0
    gate_time_s: EmitterGateTime = 0.0
    refractive_index: RefractiveIndex = DEFAULT_REFRACTIVE_INDEX
    attempt_time_s: AttemptTime | None = None
    ends: Choice[Ends] = Field(
        default=Ends.MEASURED, description="Whether the qubits at the nodes are measured at once, or stored"
    )

    @staticmethod
    def loss(table: Document) -> Any:
        """Return the loss of the fibre [dB]."""
        return DECIBELS * table["length_km"] / table["attenuation_length_km"]

    @classmethod
    def arguments(cls, table: Document) -> dict[str, Any]:
        """Return what the builder is given."""
        code = cls.part("code", table["code"]).build(table["code"])
        return super().arguments(table) | {"code": code, "ends": table["ends"]}

    @classmethod
    def details(cls, table: Document) -> dict[str, Any]:
        """Return the code, and loss and error by cause."""
        return code_rows(cls.builder(**cls.arguments(table)))


class OneWayLink(EncodedLink):
    """One-way repeaters: a qubit travels in code words, re-encoded at each station."""

    builder = one_way
    rules = (exactly_one("num_stations", STATIONS),)

    model: Literal["one_way"]
    code: Code = Field(description="The code that a qubit travels in")
    num_stations: NumStations | None = None
    station_positions_km: (
        Annotated[
            list[Annotated[float, Number("Way from the left node to a station", within.POSITIVE, unit=unit.KM)]],
            Field(min_length=1),
        ]
        | None
    ) = None


class GraphStateLink(EncodedLink):
    """All-photonic repeaters: sources of repeater graph states between stations that measure."""

    builder = graph_state

    model: Literal["graph_state"]
    code: GraphStateTable
    num_stations: NumStations
    p_bell: Annotated[
        float,
        Number(
            "Chance that a Bell measurement of two photons succeeds (1/2 with linear optics)",
            within.POSITIVE_PROBABILITY,
            TOWARDS_ONE,
        ),
    ] = 0.5


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
