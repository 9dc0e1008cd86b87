"""Read what a distributed circuit is about: its program, its placement, and whether they fit."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax

from qtn import _ranges as within
from qtn.circuits.qasm import Program, load_qasm, observable
from qtn.dqc.averages import WaitModel, num_nodes_for
from qtn.dqc.distributed import Distributed
from qtn.dqc.distribution import distribute
from qtn.dqc.placement import Placing, read_placement, require_qpus
from qtn.dqc.processor import processor
from qtn.dqc.sharing import Sharing
from qtn.dqc.writer import program_of
from qtn.hardware.memory import dephasing_memory
from qtn.problem.table import Document


def can_be_distributed(table: Document) -> Iterator[tuple[str, str]]:
    """The file is a circuit, and fits on the processors."""
    if not isinstance(table.get("file"), str) or not are(table.get("qpus"), int):
        return
    if table.get("sharing", Sharing.IN_ORDER) not in list(Sharing):
        return
    try:
        program = _program(table)
    except (ValueError, ImportError) as error:
        yield "file", str(error)
        return
    for place, text in enumerate(table["observables"] if are(table.get("observables"), str) else ()):
        try:
            observable(program, text)
        except ValueError as error:
            yield f"observables.{place}", str(error).removeprefix("observable ")
    yield from _placed(program, table)
    for place, other in enumerate(table["alternatives"] if are(table.get("alternatives"), dict) else ()):
        if are(other.get("qpus"), int):
            for key, wrong in _placed(program, of_alternative(table, other)):
                yield f"alternatives.{place}.{key}", wrong


def of_alternative(table: Document, other: Document) -> Document:
    """Return the table of the same circuit on other processors."""
    kept: dict[str, Any] = {key: value for key, value in table.items() if key not in ("qpus", "placement", "num_nodes")}
    return kept | dict(other)


def sampled_apart(table: Document) -> Iterator[tuple[str, str]]:
    """Trajectories stand in for the mixed state: what is said of that must not be given beside them."""
    if table.get("trajectories") is None:
        return
    for key in ("waits", "num_nodes"):
        if table.get(key) is not None:
            yield (
                key,
                "says how waits are averaged, but application.trajectories draw theirs; remove one",
            )
    if table.get("shots") is not None:
        yield "shots", "are drawn of a mixed state, and application.trajectories keep none; remove one"


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


def are(values: Any, kind: type) -> bool:
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
    names = inputs_of(path.read_text(encoding="utf-8-sig"))
    if len(names) != len(table["inputs"]):
        given, known = len(table["inputs"]), ", ".join(names) or "none"
        raise ValueError(f"the circuit has {len(names)} inputs ({known}), but application.inputs holds {given}")
    return load_qasm(path, dict(zip(names, table["inputs"], strict=True)))


def measures(table: Document) -> bool:
    """Whether a circuit does more than gates before its end; False for what is no circuit."""
    try:
        circuit = _program(table).circuit
    except (KeyError, TypeError, ValueError, ImportError):
        return False
    return any(operation.name in ("MEASURE", "RESET", "CHANNEL") for operation in circuit.operations)


def inputs_of(text: str) -> list[str]:
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


def prepared(table: Document) -> tuple[Program, Distributed]:
    """Return the program of a table, whose inputs may be traced, and how it is distributed."""
    program = _program(table)
    if table.get("inputs"):
        return program, _distributed(program, table)
    keys = ("file", "qpus", "placement", "sharing")
    files = [path for path in (Path(table["file"]), _placing(table)) if isinstance(path, Path)]
    return program, _known(
        json.dumps({key: table[key] for key in keys if key in table}), tuple(_stamp(path) for path in files)
    )
