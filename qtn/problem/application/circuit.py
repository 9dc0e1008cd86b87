"""A circuit over several processors: `model = "circuit"`."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import jax
from pydantic import Field

from qtn import _ranges as within
from qtn.circuits.qasm import Program, load_qasm, observable
from qtn.dqc.averages import WaitModel, num_nodes_for
from qtn.dqc.distributed import Distributed
from qtn.dqc.distribution import distribute
from qtn.dqc.over_chain import CircuitOverChain, CircuitUse
from qtn.dqc.placement import Placing, read_placement, require_qpus
from qtn.dqc.processor import processor
from qtn.dqc.program import program_of
from qtn.dqc.sharing import Sharing
from qtn.hardware.memory import dephasing_memory
from qtn.merit.quantities import Quantity
from qtn.problem.application.application import Application, Needs
from qtn.problem.application.circuit_rows import BASIC, CAUSES, cause_row, observable_row
from qtn.problem.application.circuit_tables import PairsTable, ProcessorTable, chain_of, write_out_pairs
from qtn.problem.number import Number
from qtn.problem.table import Choice, Document

Size = Annotated[int, Number("Data qubits of a processor", within.COUNT, traced=False)]
Place = Annotated[int, Number("Processor of a qubit", within.NON_NEGATIVE, traced=False)]
Bond = Annotated[int, Number("Largest bond of the trains of a circuit", within.COUNT, traced=False)]
NodeCount = Annotated[int, Number("Nodes of the quadrature of each wait", within.Range(1.0, 64.0), traced=False)]
Input = Annotated[float, Number("Value of an `input` of the circuit, in the order of their declarations")]


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
    yield from _placed(program, table)


def _placed(program: Program, table: Document) -> Iterator[tuple[str, str]]:
    """Say why qubits cannot be placed, or waits not be averaged, by key."""
    key = "qpus"
    try:
        sizes, names = require_qpus(table["qpus"], len(program.qubits)), [name for name, _ in program.qubits]
        if (given := _placing(table)) not in (None, *Placing):
            key = "placement"
            read_placement(given, names, sizes)
            key = "qpus"
        distributed = _distributed(program, table)
        key = "num_nodes"
        _require_nodes(distributed, table)
    except ValueError as error:
        yield key, re.sub(r"^Argument `num_nodes`:? ", "", str(error))


def _require_nodes(distributed: Distributed, table: Document) -> None:
    """Raise a ValueError if waits cannot be averaged with the nodes that are asked for."""
    waits, count, own = table.get("waits", WaitModel.CORRELATED), table.get("num_nodes"), table.get("processor")
    if waits not in list(WaitModel) or not isinstance(count, int) or count not in within.COUNT:
        return
    memory = own.get("memory") if isinstance(own, dict) else None
    kind = memory.get("model", "perfect") if isinstance(memory, dict) else "perfect"
    each = processor() if kind == "perfect" else processor(dephasing_memory(1.0))  # whether it decays is what matters
    num_nodes_for(program_of(distributed), [each] * len(distributed.qpus), WaitModel(waits), count)


def _are(values: Any, kind: type) -> bool:
    """Whether something is a list of values of a kind."""
    return isinstance(values, list) and all(isinstance(x, kind) and not isinstance(x, bool) for x in values)


@lru_cache(maxsize=32)
def _read(path: str, stamp: tuple[int, int] | None) -> Program:
    """Read a program whose inputs are not known by name, once for each version of the file."""
    with jax.ensure_compile_time_eval():
        return load_qasm(Path(path))


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes with a file; None where there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size


def _program(table: Document) -> Program:
    """Return the program of a table, whose inputs may be traced."""
    path = Path(table["file"])
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file; it is looked for from the folder of this file on")
    if not table.get("inputs"):
        return _read(str(path), _stamp(path))
    names = _inputs(path.read_text(encoding="utf-8-sig"))
    if len(names) != len(table["inputs"]):
        given, known = len(table["inputs"]), ", ".join(names) or "none"
        raise ValueError(f"the circuit has {len(names)} inputs ({known}), but application.inputs holds {given}")
    return load_qasm(path, dict(zip(names, table["inputs"], strict=True)))


def _measures(table: Document) -> bool:
    """Whether a circuit does more than gates before its end; False for what is no circuit."""
    try:
        circuit = _program(table).circuit
    except (KeyError, TypeError, ValueError, ImportError):
        return False
    return any(operation.name in ("MEASURE", "RESET", "CHANNEL") for operation in circuit.operations)


def _inputs(text: str) -> list[str]:
    """Return the names of the inputs of a program, in order."""
    return re.findall(r"^\s*input\s+\w+(?:\s*\[[^\]]*\])?\s+(\w+)\s*;", text, flags=re.MULTILINE)


def _distributed(program: Program, table: Document) -> Distributed:
    return distribute(program, table["qpus"], _placing(table), sharing=table.get("sharing", Sharing.IN_ORDER))


def _placing(table: Document) -> Any:
    """Return a placement as `distribute` takes it: files are paths."""
    given = table.get("placement")
    return Path(given) if isinstance(given, str) and given not in list(Placing) else given


@lru_cache(maxsize=32)
def _known(key: str, stamps: Any) -> Distributed:
    """Return what `_distributed` returns where no number of it is traced: once for each version of its files."""
    table = json.loads(key)
    with jax.ensure_compile_time_eval():
        return _distributed(_program(table), table)


def _prepared(table: Document) -> tuple[Program, Distributed]:
    program = _program(table)
    if table.get("inputs"):
        return program, _distributed(program, table)
    keys = ("file", "qpus", "placement", "sharing")
    files = [path for path in (Path(table["file"]), _placing(table)) if isinstance(path, Path)]
    return program, _known(
        json.dumps({key: table[key] for key in keys if key in table}), tuple(_stamp(path) for path in files)
    )


def even_rate(numbers: Mapping[str, Any]) -> list[str]:
    """Say at which pair rate waits would cost as much as the errors of pairs: log fidelities add, waits are times."""
    whole = numbers["circuit_fidelity"]
    if whole is None:
        return []
    at_once, perfect = (numbers[f"circuit_fidelity_{name}"] for name in ("without_waits", "with_perfect_pairs"))
    if not (0 < whole < at_once and whole < perfect):
        return []
    rate = numbers["rate_hz"] * math.log(at_once / whole) / math.log(perfect / whole)
    return [
        f"Below about {rate:.3g} pairs a second waits cost more than the errors of pairs (estimated: what waits cost "
        "is taken as proportional to their length)."
    ]


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
            if isinstance(given, str) and (key == "file" or given not in list(Placing)):
                table[key] = str((folder / given).resolve())
        return write_out_pairs(document)

    @property
    def written_out(self) -> tuple[str, ...]:
        """Return what [application.pairs] stands for."""
        return () if self.pairs is None else ("chain", "schedule")

    @classmethod
    def settle(cls, root: dict[str, Any], table: Document) -> None:
        """Let numbers of [application.pairs] act on the chain that it stands for."""
        if "pairs" in table:
            for key, part in chain_of(table["pairs"]).items():
                root[key] = root[key] | part if isinstance(part, dict) else part

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
        texts: Any = table.get("observables")
        seen = tuple(observable_row(k, text) for k, text in enumerate(texts if _are(texts, str) else ()))
        if _measures(table):  # there is no pure state to compare with
            return (*BASIC[1:], *seen)
        return (*BASIC, *seen, *(map(cause_row, CAUSES) if table.get("causes") is True else ()))

    @classmethod
    def warnings(cls, use: CircuitUse) -> list[str]:
        """Say what was cut, and what was taken as independent."""
        return [line.replace("`max_bond`", "application.max_bond") for line in use.warnings()]

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
            lines += even_rate(numbers)
        return lines
