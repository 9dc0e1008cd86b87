"""The tables of a problem file. What one value may be is said here; how values fit together, in `rules`."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from qtn.problem.ranges import (
    Angle,
    AtLeastOne,
    BelowOne,
    Count,
    Elevation,
    FlipProbability,
    NonNegative,
    OpenFraction,
    Positive,
    PositiveOrInf,
    PositiveProbability,
    Probability,
    Range,
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


Protocol = Literal["bbpssw", "dejmps", "cnot", "epl", "double_selection", "code3", "code4", "code5"]


class Schedule(Table):
    """What is joined with what: a tree, which may be left to a search, or a policy."""

    tree: str | None = None
    policy: Literal["swap_asap"] | None = None
    restart: Literal["together", "carry_over"] = "together"
    ends: Literal["measured", "kept"] = "measured"
    cutoff_times_s: PositiveOrInf | Annotated[list[PositiveOrInf], Field(min_length=1)] | None = None
    distill: Protocol = "bbpssw"
    latency: Literal["none", "gates", "messages"] = "none"


class Evaluate(Table):
    """How a schedule is evaluated; what is absent is chosen."""

    level: Literal["bell_diagonal", "x_type", "pauli"] | None = None
    correction: Literal["at_swap", "tracked"] = "at_swap"
    evaluator: Literal["renewal", "asap", "sampled", "full_state"] | None = None
    num_samples: Count | None = None
    seed: Annotated[int, Range(0.0, 2.0**32)] = 0


class Merit(Table):
    """What a delivered pair is worth."""

    protocol: Literal["bb84", "six_state", "bbm92", "chsh_di", "hashing"] = "bb84"
    preprocessing: FlipProbability | Literal["optimised"] = 0.0
    direct_source_rate_hz: Positive | None = None
    direct_loss_db: Positive | None = None
    deadline_s: Positive | None = None
    ages: bool = False


class Time(Table):
    """The time grid; what is absent is chosen."""

    step_s: Positive | None = None
    num_steps: Annotated[int, Field(ge=2, le=2**31 - 1)] | None = None


class Search(Table):
    """Which schedules are searched, and how."""

    max_rounds: Annotated[int, Range(0.0, 20.0)] = 2
    protocols: Annotated[list[Protocol], Field(min_length=1)] = ["bbpssw"]
    pumping: bool = False
    cutoffs: bool = False
    order: Literal["free", "fixed"] = "free"
    slots: Count | None = None
    method: Literal["auto", "exhaustive", "pareto", "beam"] = "auto"
    width: Count = 96


class Minimum(Table):
    """What must hold at least."""

    secret_key_rate_hz: Positive | None = None
    secret_fraction: OpenFraction | None = None
    rate_hz: Positive | None = None
    fidelity: OpenFraction | None = None


class Optimise(Table):
    """What is maximised (or minimised), over which numbers and schedules, under which limits."""

    maximise: Literal["secret_key_rate_hz", "secret_fraction", "rate_hz", "fidelity"] = "secret_key_rate_hz"
    minimise: Literal["hardware_cost"] | None = None
    minimum: Minimum | None = None
    parameters: list[str] = []
    search: Search | None = None


MeritName = Literal[
    "secret_key_rate_hz",
    "secret_fraction",
    "rate_hz",
    "mean_time_s",
    "fidelity",
    "qber_x",
    "qber_y",
    "qber_z",
    "log_negativity",
    "coherent_information",
    "hashing_yield",
    "chsh",
]


class Spaced(Table):
    """Values at equal steps (linear) or equal ratios (log), both ends included."""

    start: float
    stop: float
    num: Count
    scale: Literal["linear", "log"] = "linear"


def flat(axes: Any, prefix: str = "") -> Any:
    """Return axes by dotted name, whether or not the file wrote the names in quotes."""
    if not isinstance(axes, dict):
        return axes
    found: dict[str, Any] = {}
    for key, value in axes.items():
        nested = isinstance(value, dict) and not {"start", "stop", "num"} & value.keys()
        found |= flat(value, f"{prefix}{key}.") if nested and value else {f"{prefix}{key}": value}
    return found


AxisValues = Annotated[list[bool | int | float | str], Field(min_length=1)] | Spaced


class Sweep(Table):
    """The points at which a problem is evaluated, and what is kept of each."""

    axes: Annotated[dict[str, AxisValues], BeforeValidator(flat), Field(min_length=1)]
    mode: Literal["grid", "zip"] = "grid"
    job: Literal["evaluate", "gradient", "optimise"] = "evaluate"
    outputs: Annotated[list[MeritName], Field(min_length=1)] | None = None
    derivatives: Annotated[list[str], Field(min_length=1)] | None = None
    seed: Annotated[int, Range(0.0, 2.0**32 - 1)] = 0


class Config(Table):
    """A whole problem file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    chain: Chain
    schedule: Schedule = Schedule()
    evaluate: Evaluate = Evaluate()
    merit: Merit = Merit()
    time: Time = Time()
    optimise: Optimise | None = None
    sweep: Sweep | None = None
