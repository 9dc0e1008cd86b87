"""The tables of a problem file. What one value may be is said here; how tables fit together, in `rules`."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from qtn import _ranges as within
from qtn.planning.search import Method
from qtn.problem import number as unit
from qtn.problem.application.circuit import DistributedCircuit
from qtn.problem.application.conference import ConferenceKeys
from qtn.problem.application.key import KeyDistribution
from qtn.problem.application.sensor import SharedSensor
from qtn.problem.application.shares import SharedNetwork
from qtn.problem.application.teleportation import Teleportation
from qtn.problem.chain.chain import Chain
from qtn.problem.chain.codes import AnyCode
from qtn.problem.choices import Distillation, EvaluatorName, JobKind, KeyProtocol, Latency, Order, StateLevel
from qtn.problem.line.line import Line
from qtn.problem.network.network import Network
from qtn.problem.number import Number
from qtn.problem.overpass.overpass import Overpass
from qtn.problem.root import roots
from qtn.problem.table import Choice, Document, Table, described
from qtn.schedules.limits import RANGES
from qtn.schedules.policy import Ends, Restart
from qtn.steps.swap import Correction
from qtn.sweeps.spec import Mode, Scale

CutoffTime = Annotated[
    float, Number("Age at which a memory of each node gives its qubit up", within.POSITIVE_OR_INF, unit=unit.S)
]
Limit = Annotated[float, Number("Age of pairs, or run time, that ends an attempt", RANGES["cutoff_times"], unit=unit.S)]
Wait = Annotated[float, Number("Duration of a wait, or latency of a step", RANGES["wait_times"], unit=unit.S)]
Width = Annotated[float, Number("Width of a soft cut-off", RANGES["cutoff_widths"], unit=unit.S)]
Least = Annotated[float, Number("Fidelity below which a waiting pair is discarded", RANGES["min_fidelities"])]
SourceRate = Annotated[float, Number("Pulses by time of direct transmission", within.POSITIVE, unit=unit.HZ)]
ChannelLoss = Annotated[
    float, Number("Loss of the whole channel, where no link says it", within.POSITIVE, unit=unit.DB)
]
Deadline = Annotated[float, Number("When to give up and start again", within.POSITIVE, unit=unit.S)]
Flips = Annotated[float, Number("Probability that a party flips a raw bit", within.BELOW_HALF)]
MaxPhotons = Annotated[
    int,
    Number("Most photons of a code that may be chosen (300, or those of the file's code)", within.COUNT, traced=False),
]
GridStep = Annotated[float, Number("Step of the time grid", within.POSITIVE, unit=unit.S, traced=False)]
GridLength = Annotated[int, Number("Steps of the time grid", traced=False), Field(ge=2, le=2**31 - 1)]
NumSamples = Annotated[int, Number("Samples to draw", within.COUNT, traced=False)]
Slots = Annotated[int, Number("Memories of each node, for pairs to both sides", within.COUNT, traced=False)]
Seed = Annotated[int, Number("Seed of all that is drawn", within.SEED, traced=False)]


class TreeNumbers(Table):
    """The numbers in the text of a tree, by the arrays of `qtn.Schedule`: `--set schedule.cutoff_times.0=...`."""

    cutoff_times: list[Limit]
    wait_times: list[Wait]
    cutoff_widths: list[Width]
    min_fidelities: list[Least]


def tree_or_policy(schedule: Document) -> Iterator[tuple[str, str]]:
    """A schedule is a tree or a policy, whose keys come with it."""
    if "policy" in schedule and "tree" in schedule:
        yield "policy", "both a tree and a policy are given; keep one of them"
    for key in ("restart", "ends", "cutoff_times_s"):
        if key in schedule and "policy" not in schedule:
            yield key, 'is for policies; add `policy = "swap_asap"`, or remove it'


class Schedule(Table):
    """What is joined with what: a tree, which may be left to a search, or a policy."""

    rules = (tree_or_policy,)
    named = (TreeNumbers,)

    tree: str | None = Field(default=None, description="Steps as a text, such as swap(distill(0), 1, cutoff_time=0.5)")
    policy: Literal["swap_asap"] | None = Field(
        default=None, description="A rule in place of a tree: swap as soon as possible"
    )
    restart: Choice[Restart] = Restart.TOGETHER
    ends: Choice[Ends] = Ends.MEASURED
    cutoff_times_s: CutoffTime | Annotated[list[CutoffTime], Field(min_length=1)] | None = None
    distill: Choice[Distillation] = Distillation("bbpssw")
    latency: Choice[Latency] = Latency.NONE


SAMPLING = (EvaluatorName.SAMPLED, EvaluatorName.FULL_STATE)
"""Evaluators that draw samples."""


def samples_are_drawn(table: Document) -> Iterator[tuple[str, str]]:
    """Options of sampling come with an evaluator that samples."""
    for key in ("num_samples", "seed") if table.get("evaluator") not in SAMPLING else ():
        if key in table:
            yield key, 'is for `evaluator = "sampled"` or "full_state"; add one, or remove it'


class Evaluate(Table):
    """How a schedule is evaluated; what is absent is chosen."""

    rules = (samples_are_drawn,)

    level: Choice[StateLevel] | None = None
    correction: Choice[Correction] = Correction.AT_SWAP
    herald_decay: bool = Field(
        default=True,
        description="Whether memories decay from the emission of their photon until both nodes know of the pair",
    )
    evaluator: Choice[EvaluatorName] | None = None
    num_samples: NumSamples | None = None
    seed: Seed = 0


class Merit(Table):
    """What a delivered pair is worth."""

    protocol: Choice[KeyProtocol] = KeyProtocol("bb84")
    preprocessing: Flips | Literal["optimised"] = 0.0
    direct_source_rate_hz: SourceRate | None = None
    direct_loss_db: ChannelLoss | None = None
    deadline_s: Deadline | None = None
    ages: bool = Field(default=False, description="Whether to say how long qubits of delivered pairs were stored")


class Time(Table):
    """The time grid; what is absent is chosen."""

    step_s: GridStep | None = None
    num_steps: GridLength | None = None


class Search(Table):
    """Which schedules are searched, and how."""

    max_rounds: Annotated[int, Number("Most rounds of one segment", within.Range(0.0, 20.0), traced=False)] = 2
    protocols: list[Choice[Distillation]] = Field(default=[Distillation("bbpssw")], min_length=1)
    pumping: bool = Field(
        default=False, description="Whether later rounds may consume a pair that was not distilled itself"
    )
    cutoffs: bool = Field(
        default=False, description="Whether joins may discard the pair that came first when it is too old"
    )
    order: Choice[Order] = Order.FREE
    slots: Slots | None = None
    method: Choice[Method] = Method.AUTO
    width: Annotated[int, Number("Candidates of a segment that go on", within.COUNT, traced=False)] = 96


@dataclasses.dataclass(frozen=True)
class Named:
    """Marks names of quantities; `qtn.problem.quantities` says which there are, and checks them."""

    raised: bool
    """Whether they are those of which more is better."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        from qtn.problem.quantities import of_applications, quantities_of, to_be_raised

        known = quantities_of({}) | {name: each for name, (each, _) in of_applications().items()}
        described = handler(schema)
        known = to_be_raised(known) if self.raised else known
        if described["type"] == "string":
            return described | {"enum": list(known)}
        told = {x.name: {"type": "number", "description": x.words, "unit": x.unit or "1"} for x in known.values()}
        limits = {name: each.limits.describe(told[name]) for name, each in known.items()}
        return described | {"properties": limits, "additionalProperties": False}


class Optimise(Table):
    """What is maximised (or minimised), over which numbers and schedules, under which limits."""

    maximise: Annotated[str, Named(raised=True), Field(description="What is as large as possible")] = (
        "secret_key_rate_hz"
    )
    minimise: Literal["hardware_cost"] | None = Field(
        default=None, description="What is as small as possible, in place of maximise"
    )
    minimum: Annotated[dict[str, float], Named(raised=True)] | None = Field(
        default=None, description="What must hold at least"
    )
    parameters: list[str] = Field(default_factory=list, description="Numbers to move, by dotted name; * for any part")
    choices: list[str] = Field(
        default_factory=list,
        description="Whole numbers to choose, by dotted name: chain.link.code means all of a code, num_stations one",
    )
    codes: list[AnyCode] = Field(
        default_factory=list, description="Codes to choose from besides that of the file; their numbers move on"
    )
    max_photons: MaxPhotons | None = None
    search: Search | None = None


class Spaced(Table):
    """Values at equal steps (linear) or equal ratios (log), both ends included."""

    start: Annotated[float, Number("First value, in the unit of the axis", traced=False)]
    stop: Annotated[float, Number("Last value, in the unit of the axis", traced=False)]
    num: Annotated[int, Number("Number of values", within.COUNT, traced=False)]
    scale: Choice[Scale] = Scale.LINEAR


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

    axes: Annotated[dict[str, AxisValues], BeforeValidator(flat), Field(min_length=1)] = Field(
        description="Values by dotted name: a list, or { start, stop, num, scale }"
    )
    mode: Choice[Mode] = Mode.GRID
    job: Choice[JobKind] = JobKind.EVALUATE
    outputs: Annotated[list[Annotated[str, Named(raised=False)]], Field(min_length=1)] | None = Field(
        default=None, description="What is kept of each point"
    )
    derivatives: Annotated[list[str], Field(min_length=1)] | None = Field(
        default=None, description="Numbers that outputs are differentiated by; by default the axes"
    )
    seed: Seed = 0


def with_one_root(schema: dict[str, Any], config: type[Table]) -> None:
    """Say in the JSON Schema that a file is about one thing."""
    described(schema, config)
    schema["oneOf"] = [{"required": [key]} for key in roots(config)]


class Config(Table):
    """A whole problem file."""

    model_config = ConfigDict(populate_by_name=True, json_schema_extra=with_one_root)

    schema_version: Literal[1] = Field(alias="schema", description="Version of the form of this file")
    chain: Chain | None = Field(default=None, description="What is evaluated: links and nodes in a line")
    network: Network | None = Field(
        default=None, description="What is evaluated: links and nodes of any graph, pair by pair of users"
    )
    line: Line | None = Field(default=None, description="What is evaluated: light from a source straight to detectors")
    overpass: Overpass | None = Field(default=None, description="What is evaluated: satellites that pass over stations")
    schedule: Schedule = Schedule()
    evaluate: Evaluate = Evaluate()
    merit: Merit = Merit()
    time: Time = Time()
    application: (
        Annotated[
            Teleportation | DistributedCircuit | KeyDistribution | ConferenceKeys | SharedSensor | SharedNetwork,
            Field(discriminator="model"),
        ]
        | None
    ) = Field(default=None, description="What delivered pairs are used for")
    optimise: Optimise | None = None
    sweep: Sweep | None = None
