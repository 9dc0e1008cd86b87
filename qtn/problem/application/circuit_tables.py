"""The tables below `[application] model = "circuit"`: processors, and pairs in place of a chain."""

from typing import Annotated, Any

from pydantic import Field, ValidationError

from qtn import _ranges as within
from qtn.dqc.processor import Processor, processor
from qtn.problem import number as unit
from qtn.problem.chain.links import AbstractLink, Fidelity, Weights
from qtn.problem.chain.node import Gates, Memory, PerfectMemory
from qtn.problem.number import LARGER, SMALLER, TOWARDS_ONE, Number
from qtn.problem.root import roots
from qtn.problem.table import Document, Table

LEAST_SUCCESS = 1e-4
"""Smallest chance of an attempt, as in `qtn.dqc.steady_pairs`: below it only the rate matters."""

LinkCount = Annotated[int, Number("Links to each other processor, side by side", within.COUNT, traced=False)]
Buffer = Annotated[int, Number("Pairs made ahead with each other processor", within.NON_NEGATIVE, traced=False)]
OneQubit = Annotated[float, Number("p1 of one-qubit gates: p1 rho + (1 - p1)/2", within.PROBABILITY, TOWARDS_ONE)]
MessageTime = Annotated[
    float, Number("Time of a message between processors", within.NON_NEGATIVE, SMALLER, unit.S, argument="latency")
]
PairAge = Annotated[float, Number("Age at which a pair made ahead is discarded", within.POSITIVE_OR_INF, unit=unit.S)]
StorageTime = Annotated[
    float, Number("Coherence time T2 of a pair that is stored", within.POSITIVE_OR_INF, LARGER, unit.S)
]


class ProcessorTable(Table):
    """Every processor; perfect unless said otherwise."""

    memory: Memory = Field(default=PerfectMemory(model="perfect"), description="How data qubits decay while they wait")
    gates: Gates = Gates()
    one_qubit: OneQubit = 1.0
    latency_s: MessageTime = 0.0
    links: LinkCount = 1
    buffer: Buffer = 0
    cutoff_time_s: PairAge | None = None

    @classmethod
    def build(cls, table: Document) -> Processor:
        """Build a processor from a table without None, whose numbers may be traced."""
        memory = table.get("memory", {"model": "perfect"})
        numbers = {key: table[key] for key in ("one_qubit", "latency_s", "cutoff_time_s") if key in table}
        return processor(
            cls.part("memory", memory).build(memory),
            Gates.build(table.get("gates", {})),
            num_links=table.get("links", 1),
            buffer=table.get("buffer", 0),
            **cls.in_si(numbers),
        )


ANY_LINK: dict[str, Any] = {"model": "abstract", "p_success": 1.0, "attempt_time_s": 1.0, "werner": 1.0}
"""Stands for a link that the file does not describe, so that it brings no further errors."""


class PairsTable(Table):
    """Pairs that are made at a rate, in place of [chain] and [schedule]: written out as an abstract link."""

    rules = AbstractLink.rules

    rate_hz: Annotated[float, Number("Pairs by time, while one is asked for", within.POSITIVE, LARGER, unit.HZ)]
    werner: Annotated[float, Number("w of the pair w Phi+ + (1 - w)/4", within.WERNER, TOWARDS_ONE)] | None = None
    fidelity: Fidelity | None = None
    bell_diagonal: Weights | None = None
    coherence_time_s: StorageTime | None = None
    p_success: Annotated[
        float, Number("Chance of one attempt, which takes p_success / rate", within.Range(LEAST_SUCCESS, 1.0))
    ] = 0.02


WRITTEN_OUT = {
    "rate_hz": "chain.link.attempt_time_s",
    "p_success": "chain.link.p_success",
    "werner": "chain.link.werner",
    "fidelity": "chain.link.fidelity",
    "bell_diagonal": "chain.link.bell_diagonal",
    "coherence_time_s": "chain.node.memory.t2_s",
}
"""Key of [application.pairs] -> name of the number that stands in its place."""


def write_out_pairs(document: dict[str, Any]) -> list[str]:
    """Replace [application.pairs] by the [chain] that it stands for; return one sentence for each mistake."""
    from qtn.problem.messages import from_validation  # (it knows the whole file, and so this table)
    from qtn.problem.schema import Config

    if "pairs" not in document["application"]:
        if "schedule" in document or any(key in document for key in roots(Config)):
            return []
        document |= {"chain": {"num_links": 1, "link": ANY_LINK, "node": {}}, "schedule": {"tree": "0"}}
        return [
            "application.pairs: is missing; add [application.pairs] with `rate_hz = ...` and `fidelity = ...`, or a "
            "[chain] with its [schedule]"
        ]
    given = document["application"].pop("pairs")
    if "chain" in document or "schedule" in document:
        other = "chain" if "chain" in document else "schedule"
        return [f"application.pairs: stands for [chain] and [schedule], but [{other}] is given; remove one of them"]
    errors, made = [], None
    try:
        made = PairsTable.model_validate(given)
    except ValidationError as error:
        told = from_validation(error, given, PairsTable) if isinstance(given, dict) else ["must be a table"]
        errors = [f"application.pairs{'.' if isinstance(given, dict) else ': '}{line}" for line in told]
    for rule in PairsTable.rules if isinstance(given, dict) else ():
        errors += [f"{'.'.join(filter(None, ('application.pairs', key)))}: {wrong}" for key, wrong in rule(given)]
    link: dict[str, Any] = dict(ANY_LINK)
    node: dict[str, Any] = {}
    if made is not None and not errors:
        state = made.model_dump(include={"fidelity", "werner", "bell_diagonal"}, exclude_none=True)
        attempt = made.p_success / made.rate_hz
        link = {"model": "abstract", "p_success": made.p_success, "attempt_time_s": attempt} | state
        if made.coherence_time_s is not None:
            node["memory"] = {"model": "dephasing", "t2_s": made.coherence_time_s}
    document["chain"] = {"num_links": 1, "link": link, "node": node}
    document["schedule"] = {"tree": "0"}
    return errors
