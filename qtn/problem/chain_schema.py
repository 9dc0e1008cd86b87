"""The [chain] table of a problem file: links and nodes."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from qtn.problem.ranges import (
    Angle,
    AtLeastOne,
    BelowOne,
    Count,
    Elevation,
    NonNegative,
    Positive,
    PositiveOrInf,
    PositiveProbability,
    Probability,
    Werner,
)


class Table(BaseModel):
    """One TOML table: no unknown keys, no conversions between types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Weights = Annotated[list[Probability], Field(min_length=4, max_length=4)]


class AbstractLink(Table):
    """A link given by its numbers; exactly one of werner, fidelity, bell_diagonal."""

    model: Literal["abstract"]
    p_success: PositiveProbability
    attempt_time_s: Positive
    werner: Werner | None = None
    fidelity: Probability | None = None
    bell_diagonal: Weights | None = None
    num_memories: Count | None = None


class Arms(Table):
    """Two arms of fibre to a station between the nodes."""

    length_km: NonNegative | None = None
    length_left_km: NonNegative | None = None
    length_right_km: NonNegative | None = None
    attenuation_db_per_km: NonNegative | None = None
    loss_left_db: NonNegative | None = None
    loss_right_db: NonNegative | None = None
    efficiency: PositiveProbability = 1.0
    dark_count_probability: BelowOne = 0.0
    num_modes: Count = 1
    num_memories: Count | None = None
    attempt_time_s: Positive | None = None


class ClickLink(Arms):
    """Photons of both nodes meet at a midpoint station."""

    visibility: Probability = 1.0
    emission_time_s: NonNegative = 0.0
    refractive_index: AtLeastOne = 1.468


class SingleClickLink(ClickLink):
    """Single-click heralding: one photon at the midpoint."""

    model: Literal["single_click"]
    bright_state: Probability | Annotated[list[Probability], Field(min_length=2, max_length=2)]
    phase_std_rad: NonNegative = 0.0
    phase_offset_rad: Angle | None = None


class DoubleClickLink(ClickLink):
    """Double-click heralding: two photons at the midpoint."""

    model: Literal["double_click"]


class MidpointSourceLink(Arms):
    """A source of pairs between the nodes; a Werner pair of some fidelity (1 by default), or bell_diagonal."""

    model: Literal["midpoint_source"]
    p_source: PositiveProbability = 1.0
    fidelity: Probability | None = None
    bell_diagonal: Weights | None = None
    emission_time_s: NonNegative = 0.0
    refractive_index: AtLeastOne = 1.468


class SpdcSourceLink(Arms):
    """A source of entangled light between the nodes, with all its multi-pair terms."""

    model: Literal["spdc_source"]
    mean_pairs: NonNegative
    visibility: Probability = 1.0
    repetition_rate_hz: Positive | None = None


class DirectTransmissionLink(Table):
    """The left memory sends a photon over the whole fibre to the right node."""

    model: Literal["direct_transmission"]
    length_km: NonNegative
    attenuation_db_per_km: NonNegative | None = None
    loss_db: NonNegative | None = None
    fidelity: Probability | None = None
    bell_diagonal: Weights | None = None
    efficiency: PositiveProbability = 1.0
    dark_count_probability: BelowOne = 0.0
    emission_time_s: NonNegative = 0.0
    refractive_index: AtLeastOne = 1.468
    num_modes: Count = 1
    num_memories: Count | None = None
    attempt_time_s: Positive | None = None


class SatelliteLink(Table):
    """A satellite sends one photon of each pair to either station; mean_pairs (light) or p_source (one pair)."""

    model: Literal["satellite"]
    distance_km: NonNegative | None = None
    distance_left_km: NonNegative | None = None
    distance_right_km: NonNegative | None = None
    altitude_km: Positive
    beam_waist_m: Positive
    receiver_radius_m: Positive
    wavelength_nm: Positive
    zenith_transmissivity: PositiveProbability = 1.0
    minimum_elevation_deg: Elevation = 0.0
    mean_pairs: NonNegative | None = None
    visibility: Probability | None = None
    p_source: PositiveProbability | None = None
    fidelity: Probability | None = None
    bell_diagonal: Weights | None = None
    repetition_rate_hz: Positive | None = None
    attempt_time_s: Positive | None = None
    efficiency: PositiveProbability = 1.0
    dark_count_probability: BelowOne = 0.0
    num_modes: Count = 1
    num_memories: Count | None = None


class PerfectMemory(Table):
    """No decay."""

    model: Literal["perfect"]


class DepolarisingMemory(Table):
    """All Paulis decay with one time constant."""

    model: Literal["depolarising"]
    time_constant_s: PositiveOrInf


class DephasingMemory(Table):
    """X and Y decay with T2."""

    model: Literal["dephasing"]
    t2_s: PositiveOrInf


class RelaxingMemory(Table):
    """Relaxation T1 and coherence T2."""

    model: Literal["t1t2"]
    t1_s: PositiveOrInf
    t2_s: PositiveOrInf


class Gates(Table):
    """Two-qubit gate and readout of a node."""

    two_qubit: Probability = 1.0
    readout: Probability = 1.0
    two_qubit_time_s: NonNegative | None = None
    readout_time_s: NonNegative | None = None


class Swap(Table):
    """Entanglement swap of a node: by its gates, or by linear optics, whose own success comes on top."""

    p_success: PositiveProbability = 1.0
    model: Literal["gates", "linear_optics"] = "gates"
    efficiency: PositiveProbability | None = None
    visibility: Probability | None = None
    dark_count_probability: BelowOne | None = None


Link = Annotated[
    AbstractLink
    | SingleClickLink
    | DoubleClickLink
    | MidpointSourceLink
    | DirectTransmissionLink
    | SpdcSourceLink
    | SatelliteLink,
    Field(discriminator="model"),
]
Memory = Annotated[PerfectMemory | DepolarisingMemory | DephasingMemory | RelaxingMemory, Field(discriminator="model")]


class Node(Table):
    """One node; perfect unless said otherwise."""

    memory: Memory = PerfectMemory(model="perfect")
    gates: Gates = Gates()
    swap: Swap = Swap()


class Chain(Table):
    """Links and nodes in a line: one for all positions, or one table each."""

    num_links: Count | None = None
    link: Link | None = None
    links: Annotated[list[Link], Field(min_length=1)] | None = None
    node: Node | None = None
    nodes: Annotated[list[Node], Field(min_length=2)] | None = None
