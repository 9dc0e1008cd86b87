"""The tables below `[application] model = "circuit"`: processors, and pairs in place of a chain."""

import math
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, ValidationError

from qtn import _ranges as within
from qtn.dqc.arrivals import LEAST_SUCCESS
from qtn.dqc.processor import Processor, processor
from qtn.problem import number as unit
from qtn.problem.chain.link_numbers import Fidelity, Weights
from qtn.problem.chain.links import AbstractLink
from qtn.problem.chain.node import Gates, Memory, PerfectMemory
from qtn.problem.number import LARGER, SMALLER, TOWARDS_ONE, Number
from qtn.problem.root import roots
from qtn.problem.table import Document, Table

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


Size = Annotated[int, Number("Data qubits of a processor", within.COUNT, traced=False)]
Place = Annotated[int, Number("Processor of a qubit", within.NON_NEGATIVE, traced=False)]
Sizes = Annotated[list[Size], Field(min_length=1, description="Data qubits of each processor")]
Placed = Annotated[
    str | list[Place] | None,
    Field(description='"contiguous", "cut", a JSON file, or the processor of each qubit'),
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


class AlternativeTable(Table):
    """The same circuit on other processors, to be compared: how many are worth it."""

    qpus: Sizes
    placement: Placed = None
    processor: ProcessorTable | None = Field(
        default=None, description="Each of these processors; those of [application.processor] if not given"
    )


ANY_PAIRS: dict[str, Any] = {"rate_hz": 1.0, "p_success": 1.0, "werner": 1.0}
"""Stand for pairs that the file does not describe, so that they bring no further errors."""


USUAL_SUCCESS = 0.02
"""Chance of one attempt where a file says none."""


def attempts_end(pairs: Document) -> Iterator[tuple[str, str]]:
    """An attempt takes a time that can be written down."""
    rate, chance = pairs.get("rate_hz"), pairs.get("p_success", USUAL_SUCCESS)
    if isinstance(rate, float) and isinstance(chance, float) and rate > 0 and math.isinf(chance / rate):
        yield "rate_hz", f"is too small: an attempt would take p_success / rate_hz = {chance:g} / {rate:g} s; raise it"


class PairsTable(Table):
    """Pairs that are made at a rate, in place of [chain] and [schedule]: written out as an abstract link."""

    rules = (*AbstractLink.rules, attempts_end)

    rate_hz: Annotated[float, Number("Pairs by time, while one is asked for", within.POSITIVE, LARGER, unit.HZ)]
    werner: Annotated[float, Number("w of the pair w Phi+ + (1 - w)/4", within.WERNER, TOWARDS_ONE)] | None = None
    fidelity: Fidelity | None = None
    bell_diagonal: Weights | None = None
    coherence_time_s: StorageTime | None = None
    p_success: Annotated[
        float, Number("Chance of one attempt, which takes p_success / rate", within.Range(LEAST_SUCCESS, 1.0))
    ] = USUAL_SUCCESS


def chain_of(pairs: Document) -> dict[str, Any]:
    """Return the [chain] that [application.pairs] stands for, whose numbers may be traced."""
    state = {key: pairs[key] for key in ("werner", "fidelity", "bell_diagonal") if key in pairs}
    attempt = {"p_success": pairs["p_success"], "attempt_time_s": pairs["p_success"] / pairs["rate_hz"]}
    stored = pairs.get("coherence_time_s")
    node = {} if stored is None else {"memory": {"model": "dephasing", "t2_s": stored}}
    return {"num_links": 1, "link": {"model": "abstract", **attempt, **state}, "node": node}


def write_out_pairs(document: dict[str, Any]) -> list[str]:
    """Write out the [chain] that [application.pairs] stands for; return one sentence for each mistake."""
    from qtn.problem.schema import Config  # (it knows the whole file, and so this table)

    if "pairs" not in document["application"]:
        if "schedule" in document or any(key in document for key in roots(Config)):
            return []
        document |= {"chain": chain_of(ANY_PAIRS), "schedule": {"tree": "0"}}
        return [
            "application.pairs: is missing; add [application.pairs] with `rate_hz = ...` and `fidelity = ...`, or a "
            "[chain] with its [schedule]"
        ]
    others = [key for key in ("chain", "schedule") if key in document]
    document["chain"] = chain_of(_checked(document["application"]["pairs"]) or ANY_PAIRS)
    document["schedule"] = {"tree": "0"}
    told = "application.pairs: stands for [chain] and [schedule], but [{}] is given; remove one of them"
    return [told.format(others[0])] if others else []


def _checked(given: Any) -> dict[str, Any] | None:
    """Return pairs with defaults filled in; None if they are no such table, which the check of the file tells."""
    try:
        made = PairsTable.model_validate(given)
    except ValidationError:
        return None
    broken = (wrong for rule in PairsTable.rules for wrong in rule(given))
    return None if any(broken) else made.model_dump(exclude_none=True)
