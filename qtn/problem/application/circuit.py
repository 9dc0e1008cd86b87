"""A circuit over several processors: `model = "circuit"`."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import jax
from pydantic import Field, ValidationError

from qtn import _ranges as within
from qtn import _text
from qtn.circuits.qasm import Program, load_qasm, observable
from qtn.dqc.averages import WaitModel
from qtn.dqc.distributed import Distributed
from qtn.dqc.distribution import distribute
from qtn.dqc.over_chain import CircuitOverChain
from qtn.dqc.processor import processor
from qtn.dqc.run import Computation
from qtn.dqc.sharing import Sharing
from qtn.merit.quantities import Better, Delivered, Quantity
from qtn.problem import number as unit
from qtn.problem.application.application import Application, Needs
from qtn.problem.chain.links import AbstractLink, Fidelity, Weights
from qtn.problem.chain.node import Gates, Memory, PerfectMemory
from qtn.problem.number import LARGER, SMALLER, TOWARDS_ONE, Number
from qtn.problem.table import Choice, Document, Table
from qtn.steps.level import PAULI

Size = Annotated[int, Number("Data qubits of a processor", within.COUNT, traced=False)]
Place = Annotated[int, Number("Processor of a qubit", within.NON_NEGATIVE, traced=False)]
Bond = Annotated[int, Number("Largest bond of the trains of a circuit", within.COUNT, traced=False)]
NodeCount = Annotated[int, Number("Nodes of the quadrature of each wait", within.Range(1.0, 64.0), traced=False)]
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
Input = Annotated[float, Number("Value of an `input` of the circuit, in the order of their declarations")]


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
    def build(cls, table: Document) -> Any:
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


class PairsTable(Table):
    """Pairs that are made at a rate, in place of [chain] and [schedule]: written out as an abstract link."""

    rules = AbstractLink.rules

    rate_hz: Annotated[float, Number("Pairs by time, while one is asked for", within.POSITIVE, LARGER, unit.HZ)]
    werner: Annotated[float, Number("w of the pair w Phi+ + (1 - w)/4", within.WERNER, TOWARDS_ONE)] | None = None
    fidelity: Fidelity | None = None
    bell_diagonal: Weights | None = None
    coherence_time_s: StorageTime | None = None
    p_success: Annotated[
        float, Number("Chance of one attempt, which takes p_success / rate", within.POSITIVE_PROBABILITY)
    ] = 0.02


def write_out_pairs(document: dict[str, Any]) -> list[str]:
    """Replace [application.pairs] by the [chain] that it stands for; return one sentence for each mistake."""
    from qtn.problem.messages import from_validation  # (it knows the whole file, and so this table)

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
    link: dict[str, Any] = {"model": "abstract", "p_success": 1.0, "attempt_time_s": 1.0, "werner": 1.0}
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


def can_be_distributed(table: Document) -> Iterator[tuple[str, str]]:
    """The file is a circuit, and fits on the processors."""
    if not isinstance(table.get("file"), str) or not _are(table.get("qpus"), int):
        return
    if table.get("sharing", Sharing.IN_ORDER) not in list(Sharing):
        return
    try:
        program = _program(table)
    except (ValueError, ImportError) as error:
        yield "file", str(error)
        return
    for place, text in enumerate(table["observables"] if _are(table.get("observables"), str) else ()):
        try:
            observable(program, text)
        except ValueError as error:
            yield f"observables.{place}", str(error).removeprefix("observable ")
    try:
        _distributed(program, table)
    except ValueError as error:
        key = "placement" if "placement" in str(error) and "placement" in table else "qpus"
        yield key, str(error)


def _are(values: Any, kind: type) -> bool:
    """Whether something is a list of values of a kind."""
    return isinstance(values, list) and all(isinstance(x, kind) and not isinstance(x, bool) for x in values)


@lru_cache(maxsize=32)
def _read(path: str, stamp: tuple[int, int] | None) -> Program:
    """Read a program whose inputs are not known by name, once for each version of the file."""
    with jax.ensure_compile_time_eval():
        return load_qasm(Path(path))


def _program(table: Document) -> Program:
    """Return the program of a table, whose inputs may be traced."""
    path = Path(table["file"])
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file; it is looked for from the folder of this file on")
    if not table.get("inputs"):
        about = path.stat()
        return _read(str(path), (about.st_mtime_ns, about.st_size))
    names = _inputs(path.read_text(encoding="utf-8-sig"))
    if len(names) != len(table["inputs"]):
        given, known = len(table["inputs"]), ", ".join(names) or "none"
        raise ValueError(f"the circuit has {len(names)} inputs ({known}), but application.inputs holds {given}")
    return load_qasm(path, dict(zip(names, table["inputs"], strict=True)))


def _inputs(text: str) -> list[str]:
    """Return the names of the inputs of a program, in order."""
    return re.findall(r"^\s*input\s+\w+(?:\s*\[[^\]]*\])?\s+(\w+)\s*;", text, flags=re.MULTILINE)


def _distributed(program: Program, table: Document) -> Distributed:
    placement = table.get("placement")
    if isinstance(placement, str) and placement not in ("contiguous", "cut"):
        placement = Path(placement)
    return distribute(program, table["qpus"], placement, sharing=table.get("sharing", Sharing.IN_ORDER))


@lru_cache(maxsize=32)
def _known(key: str, stamp: Any) -> Distributed:
    """Return what `_distributed` returns where no number of it is traced: once."""
    table = json.loads(key)
    with jax.ensure_compile_time_eval():
        return _distributed(_program(table), table)


def _prepared(table: Document) -> tuple[Program, Distributed]:
    program = _program(table)
    if table.get("inputs"):
        return program, _distributed(program, table)
    keys = ("file", "qpus", "placement", "sharing")
    about = Path(table["file"]).stat()
    return program, _known(
        json.dumps({key: table[key] for key in keys if key in table}), (about.st_mtime_ns, about.st_size)
    )


MORE, LESS = Better.MORE, Better.LESS
Row = partial(Quantity, level=PAULI, in_use=True)


def _of_run(read: Callable[[Computation], Any]) -> Callable[[Delivered], Any]:
    return lambda delivered: read(delivered.use.computation)


# fmt: off
BASIC = (
    Row("circuit_fidelity", "", "fidelity of the circuit", _of_run(lambda run: run.fidelity), better=MORE, most=1.0),
    Row("circuit_rate_hz", "Hz", "runs of the circuit", _of_run(lambda run: 1 / run.mean_time), better=MORE,
        per_pair=1.0),
    Row("circuit_time_s", "s", "run time", _of_run(lambda run: run.mean_time), better=LESS),
    Row("circuit_waiting_s", "s", "waits for pairs in it", _of_run(lambda run: run.waiting_time), better=LESS),
    Row("circuit_time_95_s", "s", "run time, 95% quantile", _of_run(lambda run: run.quantiles([0.95])[0]), better=LESS),
    Row("circuit_pairs", "", "pairs of a run", _of_run(lambda run: 0.0 * run.mean_time + run.num_pairs), better=LESS),
    Row("circuit_wait_error", "", "error of averaged waits", _of_run(lambda run: run.wait_error), better=LESS),
)
# fmt: on
CAUSES = {
    "circuit_fidelity_without_waits": ("without waits for pairs", "faster pairs or longer memories"),
    "circuit_fidelity_with_perfect_pairs": ("with perfect pairs", "better pairs"),
    "circuit_fidelity_with_perfect_gates": ("with perfect gates and readouts", "better gates and readouts"),
}
"""Name -> (words, what to improve)."""


@cache
def _cause(name: str) -> Quantity:
    """Return the row of a fidelity with one cause of errors less."""
    field = name.removeprefix("circuit_fidelity_")
    return Row(name, "", f"fidelity {CAUSES[name][0]}", lambda delivered: getattr(delivered.use.causes, field))


@cache
def _observable(place: int, text: str) -> Quantity:
    """Return the row of an observable."""
    name, words = f"circuit_observable_{place}", f"observable {_text.one_line(text)}"
    return Row(name, "", words, _of_run(lambda run: run.observables[place]), better=MORE, most=1.0)


class DistributedCircuit(Application):
    """A circuit over several processors, every two of which are joined by a copy of the chain; see `qtn.dqc`."""

    rules = (can_be_distributed,)
    needs: ClassVar = Needs.OUTCOME
    quantities: ClassVar = BASIC

    model: Literal["circuit"]
    file: str = Field(description="OpenQASM 2 or 3 program; a relative path starts at the folder of this file")
    qpus: list[Size] = Field(min_length=1, description="Data qubits of each processor")
    placement: str | list[Place] | None = Field(
        default=None, description='"contiguous", "cut", a JSON file, or the processor of each qubit'
    )
    sharing: Choice[Sharing] = Sharing.IN_ORDER
    observables: list[str] = Field(default_factory=list, description="Pauli strings over the qubits: ZZII or Z0 X3")
    inputs: list[Input] = Field(default_factory=list)
    waits: Choice[WaitModel] = WaitModel.CORRELATED
    num_nodes: NodeCount | None = None
    max_bond: Bond = 64
    causes: bool = Field(default=False, description="Whether to run thrice more, with one cause of errors less")
    processor: ProcessorTable = ProcessorTable()
    pairs: PairsTable | None = Field(default=None, description="Short form of a [chain] of one link and its schedule")

    @classmethod
    def complete(cls, document: dict[str, Any], folder: Path) -> list[str]:
        """Let paths start at a folder, and write pairs out as a chain of one link."""
        table = document["application"]
        for key in ("file", "placement"):
            given = table.get(key)
            if isinstance(given, str) and (key == "file" or given not in ("contiguous", "cut")):
                table[key] = str((folder / given).resolve())
        return write_out_pairs(document) if "pairs" in table else []

    @classmethod
    def build(cls, table: Document) -> CircuitOverChain:
        """Build what runs the circuit."""
        program, distributed = _prepared(table)
        strings = [observable(program, text) for text in table.get("observables", ())]
        return CircuitOverChain(
            distributed=distributed,
            processor=ProcessorTable.build(table.get("processor", {})),
            observables=tuple(tuple(sorted(each.items())) for each in strings),
            waits=WaitModel(table.get("waits", WaitModel.CORRELATED)),
            num_nodes=table.get("num_nodes"),
            max_bond=table.get("max_bond", 64),
            causes=table.get("causes", False),
        )

    @classmethod
    def rows(cls, table: Document) -> tuple[Quantity, ...]:
        """Return its quantities, with a row for each observable and each cause of errors."""
        texts = table.get("observables")
        seen = tuple(_observable(k, text) for k, text in enumerate(texts if _are(texts, str) else ()))
        return (*BASIC, *seen, *(map(_cause, CAUSES) if table.get("causes") is True else ()))

    @classmethod
    def lines(cls, numbers: Mapping[str, Any]) -> list[str]:
        """Say how long it waits, and what to improve first."""
        pairs, time, waiting = (numbers[f"circuit_{name}"] for name in ("pairs", "time_s", "waiting_s"))
        share = f", {waiting / time:.1%} of its time" if time > 0 else ""
        lines = [f"A run waits {waiting:.4g} s for pairs{share}; pairs that it takes: {pairs:.0f}."]
        found = {name: numbers[name] for name in CAUSES if name in numbers}
        if found and all(value is not None for value in found.values()):
            best = max(found, key=lambda name: found[name])
            told = ", ".join(f"{CAUSES[name][0]} {value:.4f}" for name, value in found.items())
            lines.append(f"Its fidelity would be {told}: {CAUSES[best][1]} help most.")
        return lines
