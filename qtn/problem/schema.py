"""The tables of a problem file. What one value may be is said here; how values fit together, in `rules`."""

import dataclasses
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from qtn.problem.chain_schema import Chain, Table
from qtn.problem.ranges import (
    Count,
    FlipProbability,
    Positive,
    PositiveOrInf,
    Range,
)

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
    protocols: list[Protocol] = Field(default_factory=lambda: ["bbpssw"], min_length=1)
    pumping: bool = False
    cutoffs: bool = False
    order: Literal["free", "fixed"] = "free"
    slots: Count | None = None
    method: Literal["auto", "exhaustive", "pareto", "beam"] = "auto"
    width: Count = 96


@dataclasses.dataclass(frozen=True)
class Named:
    """Marks names of quantities; `qtn.problem.quantities` says which there are, and checks them."""

    raised: bool
    """Whether they are those of which more is better."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        from qtn.problem.quantities import limit_range, quantities_of, to_be_raised

        known, described = quantities_of({}), handler(schema)
        known = to_be_raised(known) if self.raised else known
        if described["type"] == "string":
            return described | {"enum": list(known)}
        limits = {name: limit_range(each).describe({"type": "number"}) for name, each in known.items()}
        return described | {"properties": limits, "additionalProperties": False}


class Optimise(Table):
    """What is maximised (or minimised), over which numbers and schedules, under which limits."""

    maximise: Annotated[str, Named(raised=True)] = "secret_key_rate_hz"
    minimise: Literal["hardware_cost"] | None = None
    minimum: Annotated[dict[str, float], Named(raised=True)] | None = None
    parameters: list[str] = Field(default_factory=list)
    search: Search | None = None


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
    outputs: Annotated[list[Annotated[str, Named(raised=False)]], Field(min_length=1)] | None = None
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
